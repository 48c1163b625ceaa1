"""Measure pieces of the Earth for the index of real places that is installed with the program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import WATER
from terrainpaint.core.landscape import colours_of, form_of
from terrainpaint.core.places import PlaceIndex, distances_km
from terrainpaint.core.progress import Progress, no_progress
from terrainpaint.errors import TrainingError
from trainer.data.country_names import CountryNames
from trainer.data.equal_area import to_earth
from trainer.data.tile_set import TileSet

PIECE_PX, STEP_PX = 256, 64
MINIMUM_VALID, MINIMUM_LAND = 0.98, 0.1
UNNAMED = "an island"
_SAMPLES = 16


def make_index(
    sets: Mapping[Path, TileSet], countries: CountryNames, step_px: int = STEP_PX, progress: Progress = no_progress
) -> PlaceIndex:
    """Measure squares of PIECE_PX every `step_px` of all tiles of labelled sets, which are the same tiles in other
    styles; squares with little valid land are left out.

    Raises TrainingError when the sets differ, have no maps, heights or positions, or no square is left.
    """
    _check(sets)
    first, *_ = sets.values()
    variant = first.labels.shape[1] // 2
    form, centres, names = [], [], []
    colours: dict[str, list[NDArray[np.float32]]] = {tiles.style: [] for tiles in sets.values()}
    offsets = range(0, first.tile_px - PIECE_PX + 1, step_px)
    for tile in range(len(first)):
        progress(tile / len(first))
        for row in offsets:
            for col in offsets:
                window = slice(row, row + PIECE_PX), slice(col, col + PIECE_PX)
                ids = first.labels[tile, variant][window]
                if first.valid[tile][window].mean() < MINIMUM_VALID or (ids != WATER).mean() < MINIMUM_LAND:
                    continue
                places = _places_deg(first, tile, row, col)
                centre = places[len(places) // 2]
                form.append(form_of(ids, first.height[tile][window].astype(np.float32), first.pixel_size_m))
                for tiles in sets.values():
                    colours[tiles.style].append(colours_of(ids, tiles.texture[tile][window]))
                name = countries.at(places, (float(centre[0]), float(centre[1]))) or UNNAMED
                names.append(name[0].upper() + name[1:])
                centres.append(centre)
    progress(1.0)
    if len(form) < 2:
        raise TrainingError(f"The sets have no two pieces of {PIECE_PX} px that are mostly valid and have land.")
    known = tuple(sorted(set(names)))
    numbers = {name: number for number, name in enumerate(known)}
    return PlaceIndex(
        form=np.stack(form),
        colours={style: np.stack(values) for style, values in colours.items()},
        centre_deg=np.array(centres, np.float32),
        names=known,
        name=np.array([numbers[name] for name in names], np.uint16),
        side_km=PIECE_PX * first.pixel_size_m / 1000,
        credits=" ".join(dict.fromkeys([*(tiles.credits for tiles in sets.values()), "Countries: Natural Earth."])),
    )


def retrieval(index: PlaceIndex, style: str, apart_km: float, near_km: float) -> dict[str, float]:
    """How well the measurements know a place: for each piece, its most alike one that does not overlap it, at least
    `apart_km` away. Fractions of pieces for which that, or one of the five most alike, lies within `near_km`; the
    median distance of the most alike one; and the same for pieces drawn at random.
    """
    kilometres = distances_km(index.centre_deg)
    random = np.random.default_rng(0)
    found: dict[str, list[float]] = {"first": [], "five": [], "km": [], "random": [], "random km": []}
    for row in range(len(index)):
        distances, _ = index.distances(index.form[row], index.colours[style][row], style)
        apart = np.flatnonzero(kilometres[row] >= apart_km)
        order, drawn = apart[np.argsort(distances[apart], kind="stable")[:5]], random.permutation(apart)[:5]
        found["first"].append(kilometres[row, order[0]] <= near_km)
        found["five"].append((kilometres[row, order] <= near_km).any())
        found["km"].append(kilometres[row, order[0]])
        found["random"].append((kilometres[row, drawn] <= near_km).any())
        found["random km"].append(kilometres[row, drawn[0]])
    means = {name: float(np.mean(found[name])) for name in ("first", "five", "random")}
    return means | {name: float(np.median(found[name])) for name in ("km", "random km")}


def _check(sets: Mapping[Path, TileSet]) -> None:
    first_path, first = next(iter(sets.items()))
    for path, tiles in sets.items():
        tiles.require_heights()
        tiles.require_maps()
        if np.isnan(tiles.centre_deg).any():
            raise TrainingError(f"{path} has tiles without a position; prepare it from georeferenced rasters.")
        if tiles.tile_px < PIECE_PX:
            raise TrainingError(f"{path} has tiles of {tiles.tile_px} px; the pieces need {PIECE_PX} px at least.")
        if not np.array_equal(tiles.centre_deg, first.centre_deg) or tiles.pixel_size_m != first.pixel_size_m:
            raise TrainingError(f"{path} and {first_path} are not the same tiles; prepare both with the same options.")
    styles: Sequence[str] = [tiles.style for tiles in sets.values()]
    if len(set(styles)) < len(styles):
        raise TrainingError(f"Two of the sets are of the style {styles[0]!r}; name one set of each style.")


def _places_deg(tiles: TileSet, tile: int, row: int, col: int) -> NDArray[np.float64]:
    """(P, 2) latitude and longitude of a grid of places in a square; the middle one is its centre."""
    steps = np.arange(_SAMPLES + 1) / _SAMPLES * PIECE_PX - tiles.tile_px / 2
    south, east = np.meshgrid(steps + row, steps + col, indexing="ij")
    plane_m = np.stack([east.ravel(), -south.ravel()], axis=1) * tiles.pixel_size_m
    places = to_earth(plane_m, tiles.centre_deg[tile].astype(np.float64))
    places[:, 1] = (places[:, 1] + 180) % 360 - 180
    return places
