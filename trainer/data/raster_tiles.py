"""Equal-area tiles of texture and height from large rasters in any projection."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.progress import Progress, no_progress
from terrainpaint.errors import TrainingError
from trainer.data.apart_places import Covered, places_apart
from trainer.data.height_layers import HeightRange
from trainer.data.raster_places import Place, check_colours, check_same_ground, places, raster_errors, warp
from trainer.data.raster_sources import Source, open_heights, open_plain, open_texture
from trainer.data.tile_cutting import HIGHEST_M, LOWEST_M, PrepareOptions, draw_split
from trainer.data.tile_set import TileSet

OVERVIEW = 8
"""Tiles are first read at this reduction, to skip those with too little land."""


@dataclass(frozen=True)
class Sources:
    """Paths of rasters that cover the same ground; `sea` and `valid` may be missing.

    `texture` uint8 RGB; `height` by its scale, offset and unit, or by `height_range_m` where it has no
    unit; `sea` and `valid` are true where they are not 0.
    """

    texture: Path
    height: Path
    sea: Path | None = None
    valid: Path | None = None
    height_range_m: HeightRange = None


Rasters = dict[str, Source]
"""Open rasters by the names of the fields of `Sources`."""


def tiles_from_rasters(
    sources: Sources,
    options: PrepareOptions,
    progress: Progress = no_progress,
    apart_from: TileSet | None = None,
) -> TileSet:
    """The tiles of the rasters that hold enough land.

    With `apart_from`, tiles lie wherever they hold the most land that is in no tile of that set; its land is not valid.
    Raises TrainingError when the rasters cannot be used.
    """
    tiles: list[dict[str, NDArray[Any]]] = []
    centres: list[tuple[float, float]] = []
    any_data = False
    with _opened(sources) as rasters:
        covered = None if apart_from is None else _covered(rasters, apart_from)
        if covered is None:
            where = list(places(rasters["texture"], options))
        else:
            where = [
                place for _, place in places_apart(rasters["texture"], options, partial(_new_land, rasters, covered))
            ]
        notes = tuple((source.path.name, note) for source in rasters.values() for note in source.notes)
        for index, place in enumerate(where):
            progress(index / len(where))
            overview = _read(rasters, place.coarser(OVERVIEW), covered)
            has_data = bool(overview["valid"].any())
            any_data = any_data or has_data
            if not has_data or np.mean(overview["valid"] & ~overview["sea"]) < options.minimum_land:
                continue
            tiles.append(_read(rasters, place, covered))
            centres.append(place.centre_deg)
            _check_heights(tiles[-1], sources)
    if not any_data and covered is None:
        raise TrainingError(f"{sources.texture} and {sources.height} have no data at the same place anywhere; check "
                            "their no-data values, and --valid if it is given.")  # fmt: skip
    if not tiles:
        beyond = "" if covered is None else " beyond the other set"
        raise TrainingError(
            f"No tile of {options.tile_px} px with at least {options.minimum_land:.0%} valid land{beyond} lies in "
            f"{sources.height}; check that texture and height overlap, or lower --minimum-land or --tile."
        )
    progress(1.0)
    side = options.tile_px
    return TileSet(
        texture=np.stack([tile["texture"] for tile in tiles]),
        height=np.stack([tile["height"] for tile in tiles]),
        sea=np.stack([tile["sea"] for tile in tiles]),
        valid=np.stack([tile["valid"] for tile in tiles]),
        labels=np.zeros((len(tiles), 0, side, side), np.uint8),
        split=draw_split(len(tiles), options.validation_fraction, options.seed),
        centre_deg=np.array(centres, dtype=np.float32).reshape(-1, 2),
        pixel_size_m=options.pixel_size_m,
        style=options.style,
        credits=options.credits,
        notes=notes,
    )


def _covered(rasters: Rasters, apart_from: TileSet) -> Covered:
    if rasters["texture"].dataset.crs is None:
        raise TrainingError(f"{rasters['texture'].path} has no georeference, so it is not known which of its ground "
                            "another set covers; set one with 'rio edit-info --crs … --transform …'.")  # fmt: skip
    try:
        return Covered(apart_from)
    except ValueError:
        raise TrainingError(
            f"The tile set '{apart_from.style}' has tiles without a position, so it is not known which ground it "
            "covers; prepare it from rasters with a georeference."
        ) from None


def _new_land(rasters: Rasters, covered: Covered, place: Place) -> float:
    """The fraction of a tile that is valid land in no tile of another set."""
    few = place.coarser(OVERVIEW)
    free = ~covered.of(few)
    # One raster after the other, because reading is slow and most places are sea or covered.
    for name, is_land in (("sea", False), ("valid", True)):
        if name in rasters and free.any():
            free &= (warp(rasters[name], few, "nearest")[0] != 0) == is_land
    if free.any():
        height, known = warp(rasters["height"], few, "nearest")
        free &= known if "sea" in rasters else known & (height > 0)
    return float(free.mean())


def _read(rasters: Rasters, place: Place, covered: Covered | None = None) -> dict[str, NDArray[Any]]:
    """All layers of one tile: texture (S, S, 3) uint8, height (S, S) int16, sea and valid (S, S) bool."""
    height, known = warp(rasters["height"], place, "cubic")
    # The whole range of int16 is kept, so that numbers that are no heights can be found and refused.
    land = np.clip(np.where(known, height, 0), -32_768, 32_767)
    texture, painted = warp(rasters["texture"], place, "cubic", bands=(1, 2, 3))
    valid = known & painted
    if "valid" in rasters:
        valid &= warp(rasters["valid"], place, "nearest")[0] != 0
    # Cubic resampling overshoots at coasts: land stays above the lowest height of the source there, sea at most 0 m.
    sea = warp(rasters["sea"], place, "nearest")[0] != 0 if "sea" in rasters else land <= 0
    nearest, there = warp(rasters["height"], place, "nearest")
    floor = np.where(known & there, np.minimum(0, nearest), 0)
    land = np.maximum(np.where(sea, np.minimum(land, 0), land), floor)
    if covered is not None:
        valid &= sea | ~covered.of(place)
    return {
        "texture": np.ascontiguousarray(np.moveaxis(texture, 0, -1)).astype(np.uint8),
        "height": np.round(land).astype(np.int16),
        "sea": sea,
        "valid": valid,
    }


def _check_heights(tile: dict[str, NDArray[Any]], sources: Sources) -> None:
    heights = tile["height"][tile["valid"]]
    if heights.size and (heights.min() < LOWEST_M or heights.max() > HIGHEST_M):
        odd = heights.min() if heights.min() < LOWEST_M else heights.max()
        raise TrainingError(
            f"{sources.height} has heights of {odd:,} m, which are none on Earth; if that number marks missing data, "
            "declare it with 'rio edit-info --nodata', and give heights in metres."
        )


@contextmanager
def _opened(sources: Sources) -> Iterator[Rasters]:
    """Open the rasters and check what they hold and that they overlap.

    Raises TrainingError when they cannot be used, also when one turns out to be broken while it is read.
    """
    with raster_errors(), ExitStack() as stack:
        rasters = {"texture": open_texture(stack, sources.texture)}
        rasters["height"] = open_heights(stack, sources.height, sources.height_range_m)
        for name, path in (("sea", sources.sea), ("valid", sources.valid)):
            if path is not None:
                rasters[name] = open_plain(stack, path)
        check_colours(rasters["texture"])
        check_same_ground(rasters, "height")
        yield rasters
