"""Pairs cut out of two rasters of the same ground, or joined from two tile sets of the same tiles."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.progress import Progress, no_progress
from terrainpaint.errors import TrainingError
from trainer.data.pair_files import PairOptions, Pictures, assembled
from trainer.data.pair_set import PairSet
from trainer.data.raster_places import Place, check_colours, check_same_ground, places_on_grid, raster_errors, warp
from trainer.data.raster_sources import Source, open_plain, open_texture
from trainer.data.raster_tiles import OVERVIEW
from trainer.data.regions import HoldOut, Use, uses_on_earth, uses_on_plane
from trainer.data.tile_cutting import PrepareOptions
from trainer.data.tile_packing import coverage_of, packed_places
from trainer.data.tile_set import TileSet

NOT_COVERED = "is not covered by both versions everywhere"
NEAR_HELD_OUT = "is too near to held-out land"


@dataclass(frozen=True)
class PairSources:
    """Paths of rasters that cover the same ground: two of colours, and the masks of the sea and of what may be used,
    which are true where they are not 0 and may be missing."""

    source: Path
    target: Path
    sea: Path | None = None
    valid: Path | None = None


def pairs_from_rasters(
    sources: PairSources,
    options: PairOptions,
    tiles: PrepareOptions,
    step_px: int | None,
    held: HoldOut,
    progress: Progress = no_progress,
) -> PairSet:
    """The tiles that both rasters cover wholly and that hold enough land.

    `tiles` says how large they are, and how much land they need; they begin `step_px` apart, by default so far that the
    buffer fits between them. Raises TrainingError when the rasters cannot be used.
    """
    pictures: list[Pictures] = []
    kept: list[Place] = []
    left_out: list[tuple[str, str]] = []
    with raster_errors(), ExitStack() as stack:
        rasters = {"source": open_texture(stack, sources.source), "target": open_texture(stack, sources.target)}
        for name, path in (("sea", sources.sea), ("valid", sources.valid)):
            if path is not None:
                rasters[name] = open_plain(stack, path)
        check_colours(rasters["source"])
        check_colours(rasters["target"])
        check_same_ground(rasters, "source")
        # Distances in the planes of two tiles differ by a little.
        # Distances in the planes of two tiles differ by a little.
        step_px = step_px or tiles.tile_px + held.buffer_px + tiles.tile_px // 64
        if rasters["source"].dataset.crs is None:
            grid = places_on_grid(rasters["source"], tiles, step_px)
            where = [place for place in grid if _land(rasters, place.coarser(OVERVIEW)) >= tiles.minimum_land]
        else:
            where = packed_places(coverage_of(rasters, tiles.tile_px * tiles.pixel_size_m), tiles, step_px)
        notes = tuple((raster.path.name, note) for raster in rasters.values() for note in raster.notes)
        for index, place in enumerate(where):
            progress(index / len(where))
            pair = _read(rasters, place)
            if pair is None:
                left_out.append((_name(place), NOT_COVERED))
                continue
            pictures.append(pair)
            kept.append(place)
    if not pictures:
        raise TrainingError(
            f"{sources.source} and {sources.target} have no tile of {tiles.tile_px} px in common that both cover and "
            f"of which at least {tiles.minimum_land:.0%} is land; lower --tile or --minimum-land."
        )
    progress(1.0)
    names = [_name(place) for place in kept]
    if kept[0].crs is None:
        uses = uses_on_plane(np.array([_on_grid(place) for place in kept]), tiles.tile_px, held)
    else:
        centres = np.array([place.centre_deg for place in kept])
        uses = uses_on_earth(centres, tiles.tile_px * tiles.pixel_size_m, tiles.tile_px, held)
    source, target = assembled(pictures)
    return _without_buffer(
        PairSet(
            source=source,
            target=target,
            split=uses,
            names=tuple(names),
            centre_deg=np.array([place.centre_deg for place in kept], np.float32),
            source_style=options.source_style,
            target_style=options.target_style,
            credits=options.credits,
            pixel_size_m=tiles.pixel_size_m,
            left_out=tuple(left_out),
            notes=notes,
        )
    )


def pairs_from_sets(
    paths: tuple[Path, Path], sets: tuple[TileSet, TileSet], options: PairOptions, held: HoldOut
) -> PairSet:
    """Two tile sets of the same tiles as pairs of their textures, without tiles that are not valid everywhere.

    Where the tiles have a position, whole regions are held out; else the split is that of the first set.
    Raises TrainingError when the tiles are not the same.
    """
    one, other = sets
    why = _difference(one, other)
    if why is not None:
        raise TrainingError(f"{paths[0]} and {paths[1]} are no sets of the same tiles: {why}; prepare both with the "
                            "same height, mask and options.")  # fmt: skip
    whole = (one.valid & other.valid).all(axis=(1, 2))
    if not whole.any():
        raise TrainingError(f"{paths[0]} and {paths[1]} have no tile that is valid everywhere; prepare smaller tiles.")
    indices = np.flatnonzero(whole)
    has_place = bool(np.isfinite(one.centre_deg).all())
    names = one.names or tuple(
        _degrees(*centre) if has_place else f"tile {index}" for index, centre in enumerate(one.centre_deg.tolist())
    )
    uses = one.split[whole]
    if has_place:
        uses = uses_on_earth(one.centre_deg[whole], one.tile_px * one.pixel_size_m, one.tile_px, held)
    return _without_buffer(
        PairSet(
            source=one.texture[whole],
            target=other.texture[whole],
            split=uses,
            names=tuple(names[index] for index in indices.tolist()),
            centre_deg=one.centre_deg[whole],
            source_style=options.source_style,
            target_style=options.target_style,
            credits=options.credits,
            pixel_size_m=one.pixel_size_m,
            left_out=tuple((names[index], NOT_COVERED) for index in np.flatnonzero(~whole).tolist()),
        )
    )


def _difference(one: TileSet, other: TileSet) -> str | None:
    """Why two sets are not of the same tiles; None when they are."""
    if len(one) != len(other) or one.tile_px != other.tile_px:
        return f"one has {len(one)} tiles of {one.tile_px} px, the other {len(other)} of {other.tile_px} px"
    if one.pixel_size_m != other.pixel_size_m:
        return f"their pixels are {one.pixel_size_m:g} m and {other.pixel_size_m:g} m large"
    if not np.array_equal(one.centre_deg, other.centre_deg, equal_nan=True):
        return "the centres of their tiles differ"
    if one.names != other.names:
        return "their tiles were cut out of files of other names"
    has_same_heights = one.has_height and other.has_height and np.array_equal(one.height, other.height)
    if not one.names and not np.isfinite(one.centre_deg).all() and not has_same_heights:
        return "their tiles have neither a position nor a name, and not the same heights"
    return None


def _without_buffer(pairs: PairSet) -> PairSet:
    """The pairs for either split, of pairs whose `split` holds a `Use`; those in the buffer are left out."""
    in_buffer = pairs.split == Use.BUFFER
    near = tuple((name, NEAR_HELD_OUT) for name, is_near in zip(pairs.names, in_buffer, strict=True) if is_near)
    return replace(pairs.take(np.flatnonzero(~in_buffer)), left_out=pairs.left_out + near)


def _land(rasters: dict[str, Source], place: Place) -> float:
    """The fraction of a tile that is land and may be used."""
    land = _known(rasters, place)[1]
    if "sea" in rasters:
        land &= warp(rasters["sea"], place, "nearest")[0] == 0
    return float(land.mean())


def _known(rasters: dict[str, Source], place: Place) -> tuple[list[NDArray[np.uint8]], NDArray[np.bool_]]:
    """Both versions (S, S, 3), and (S, S) bool where both have data that may be used."""
    versions = []
    known = np.ones((place.side_px, place.side_px), bool)
    for name in ("source", "target"):
        bands, has_data = warp(rasters[name], place, "cubic", bands=(1, 2, 3))
        versions.append(np.ascontiguousarray(np.moveaxis(bands, 0, -1)).astype(np.uint8))
        known &= has_data
    if "valid" in rasters:
        known &= warp(rasters["valid"], place, "nearest")[0] != 0
    return versions, known


def _read(rasters: dict[str, Source], place: Place) -> Pictures | None:
    """Both versions of a tile; None when some of it is not covered."""
    (source, target), known = _known(rasters, place)
    return (source, target) if known.all() else None


def _on_grid(place: Place) -> tuple[float, float]:
    """The centre of a tile without georeference, row and column in sides of a tile."""
    a, _, c, _, e, f = tuple(place.transform)[:6]
    return f / (e * place.side_px) + 0.5, c / (a * place.side_px) + 0.5


def _name(place: Place) -> str:
    if place.crs is not None:
        return _degrees(*place.centre_deg)
    row, col = _on_grid(place)
    return f"row {row - 0.5:.2f} column {col - 0.5:.2f}"


def _degrees(latitude: float, longitude: float) -> str:
    longitude = (longitude + 180) % 360 - 180
    return f"{abs(latitude):.1f}{'N' if latitude >= 0 else 'S'} {abs(longitude):.1f}{'E' if longitude >= 0 else 'W'}"
