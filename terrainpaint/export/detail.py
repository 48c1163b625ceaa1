"""The terrain of an export at a finer scale, made in tiles, whole or within a rectangle."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.fine_land import coarse_window
from terrainpaint.core.main_memory import free_memory
from terrainpaint.core.progress import Cancel, Progress, check_cancel
from terrainpaint.core.quantities import size_text
from terrainpaint.core.rects import Rect
from terrainpaint.core.sea_depth import at_sea_level
from terrainpaint.core.terrain import Terrain
from terrainpaint.errors import OptionError
from terrainpaint.export.cropping import check_crop, frame_of_part
from terrainpaint.export.job import PICTURE_SIDES, ExportSource, LandRefiner

FINE_BYTES = 18
"""Memory for each fine pixel: height, colour and class, and what the writers need beside them."""
_SURELY = 1.5
"""Files are refused when they are estimated to need so many times what the disk has left; compression varies."""
_FIXED_BYTES = 500 << 20
"""Memory for the networks and one tile."""
_TILE_PX = 1024
"""Side of a tile at most: what tiles compute of each other grows as they shrink, memory as they grow."""


def detailed(
    source: ExportSource, crop: tuple[int, int, int, int] | None, factor: int, progress: Progress, cancel: Cancel
) -> ExportSource:
    """A source `factor` times finer: all of it, or a rectangle of x, y, width and height in fine pixels.

    A tile depends on the land around it only, so it is the same in every rectangle. Raises OptionError when the source
    cannot be made finer, the rectangle is not within the map or the memory does not suffice, Cancelled.
    """
    refiner, terrain = source.refiner, source.terrain
    if refiner is None:
        raise OptionError("This terrain cannot be made finer; leave out the detail.")
    shape = factor * terrain.shape[0], factor * terrain.shape[1]
    if crop is not None:
        check_crop(crop, shape)
    x, y, width, height = (0, 0, shape[1], shape[0]) if crop is None else crop
    check_detail((height, width), factor, terrain.pixel_size_m)
    part = Rect(y, x, height, width)
    fine = _refined(source, refiner, part, factor, progress, cancel)
    provenance = dataclasses.replace(terrain.provenance, detail=factor, detail_sha256=refiner.sha256)
    size_m = terrain.pixel_size_m / factor
    finer = Terrain(fine[1], fine[0], size_m, provenance)
    shade = source.shade
    return ExportSource(
        finer,
        source.shaded if shade is None else lambda: shade(at_sea_level(finer, fine[2])),
        fine[2],
        None if crop is None and source.part_of is None else frame_of_part(source.frame, x, y, size_m),
        shade=shade,
        lines=source.lines.scaled(factor, factor).cut(y, x, (height, width)),
    )


def check_detail(shape: tuple[int, int], factor: int, cell_m: float) -> None:
    """Raise OptionError when fine land of `shape` (H, W) is larger than files or the memory can hold."""
    needed, free = shape[0] * shape[1] * FINE_BYTES + _FIXED_BYTES, free_memory()
    side = min(max(0, math.isqrt(max(0, free - _FIXED_BYTES) // FINE_BYTES)), PICTURE_SIDES.stop - 1)
    fitting = _fitting(side, factor, cell_m)
    if max(shape) >= PICTURE_SIDES.stop:
        raise OptionError(
            f"Detail x{factor} makes {shape[1]} x {shape[0]} pixels, of at most {PICTURE_SIDES.stop - 1} a side; "
            f"{fitting}."
        )
    if needed > free:
        raise OptionError(
            f"Detail x{factor} of {shape[1]} x {shape[0]} pixels needs about {size_text(needed)} of memory and "
            f"{size_text(free)} are free; {fitting}, or close other programs."
        )


def check_disk(
    needed_bytes: int, free_bytes: int, shape: tuple[int, int], factor: int, cell_m: float, folder: Path
) -> None:
    """Raise OptionError when the files of fine land of `shape` (H, W), whose size is an estimate, cannot have room on
    the disk of a folder."""
    if needed_bytes < _SURELY * free_bytes:
        return
    side = math.isqrt(shape[0] * shape[1] * free_bytes // needed_bytes)
    raise OptionError(
        f"{folder} has {size_text(free_bytes)} left, and the files of {shape[1]} x {shape[0]} pixels need about "
        f"{size_text(needed_bytes)}; {_fitting(side, factor, cell_m)}, or another folder."
    )


def _fitting(side: int, factor: int, cell_m: float) -> str:
    km = side * cell_m / factor / 1000
    size = f"{km:.0f}" if km >= 10 else f"{km:.2g}"
    return f"choose a rectangle of at most about {side} x {side} pixels, which are {size} x {size} km"


def _refined(
    source: ExportSource, refiner: LandRefiner, part: Rect, factor: int, progress: Progress, cancel: Cancel
) -> tuple[NDArray[np.float32], NDArray[np.uint8], NDArray[np.uint8]]:
    """Height (H, W) float32, albedo (H, W, 3) and classes (H, W) uint8 of a rectangle in fine pixels."""
    terrain, cell_m = source.terrain, source.terrain.pixel_size_m
    height = np.empty((part.height, part.width), np.float32)
    albedo = np.empty((part.height, part.width, 3), np.uint8)
    ids = np.empty((part.height, part.width), np.uint8)
    tiles, margin = list(_tiles(part, factor)), refiner.margin(factor, cell_m)
    windows = (
        coarse_window(terrain.height, terrain.albedo, source.ids, cells, margin, cell_m, source.origin)
        for cells in tiles
    )
    made = refiner.refine_all(windows, factor, terrain.provenance.recipe.seed)
    with closing(made):
        for done, (cells, tile) in enumerate(zip(tiles, made, strict=True)):
            progress(done / len(tiles))
            check_cancel(cancel)
            fine = Rect(*(factor * value for value in dataclasses.astuple(cells)))
            common = fine.intersection(part)
            of_tile, of_part = (common.moved(-origin.row, -origin.col).slices for origin in (fine, part))
            for whole, made_part in ((height, tile.height), (albedo, tile.albedo), (ids, tile.ids)):
                whole[of_part] = made_part[of_tile]
    progress(1.0)
    return height, albedo, ids


def _tiles(part: Rect, factor: int) -> Iterator[Rect]:
    """Rectangles of cells that cover a rectangle of fine pixels."""
    cells = Rect.spanned(part.row // factor, part.col // factor, -(-part.bottom // factor), -(-part.right // factor))
    height, width = (_even_part(length, _TILE_PX // factor) for length in (cells.height, cells.width))
    for row in range(cells.row, cells.bottom, height):
        for col in range(cells.col, cells.right, width):
            yield Rect(row, col, height, width).intersection(cells)


def _even_part(length: int, most: int) -> int:
    """The length of parts of about equal size, of `most` at most."""
    return -(-length // -(-length // most))
