"""A part of a map as a new map at a finer scale."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.fine_land import CLASS_MARGIN, FACTORS, STEP, fine_classes
from terrainpaint.core.progress import Cancel, Progress, check_cancel, never_cancel, no_progress
from terrainpaint.core.project import Project, ZoomedFrom, cut_lines
from terrainpaint.core.rects import Rect
from terrainpaint.core.segmentation import MIN_SIDE_PX
from terrainpaint.errors import OptionError

MOST_SIDE_PX = 4096
"""The largest side of a map that is made so."""
_BAND_CELLS = 128


def allowed_factors(rect: Rect) -> tuple[int, ...]:
    """How many times finer a rectangle of a map can become a new map.

    Raises OptionError when it is too large or too small for all of them.
    """
    longest, shortest = max(rect.height, rect.width), min(rect.height, rect.width)
    allowed = tuple(
        factor for factor in FACTORS if longest * factor <= MOST_SIDE_PX and shortest * factor >= MIN_SIDE_PX
    )
    if not allowed and shortest * FACTORS[-1] < MIN_SIDE_PX:
        raise OptionError(f"A new map needs at least {-(-MIN_SIDE_PX // FACTORS[-1])} pixels a side of this one; "
                          "select a larger part.")  # fmt: skip
    if not allowed:
        most = MOST_SIDE_PX // FACTORS[0]
        raise OptionError(
            f"{rect.width} × {rect.height} pixels are too many for a finer map, which has at most {MOST_SIDE_PX} a "
            f"side; select at most {most} × {most} pixels."
        )
    return allowed


def zoomed_classes(
    ids: NDArray[np.uint8],
    rect: Rect,
    factor: int,
    seed: int,
    progress: Progress = no_progress,
    cancel: Cancel = never_cancel,
) -> NDArray[np.uint8]:
    """(h * factor, w * factor) uint8: the classes of a rectangle of a map (H, W), `factor` times finer.

    They are those of the fine land of the map: the borders get bends that depend on their place and the seed. Raises
    Cancelled.
    """
    found = np.empty((rect.height * factor, rect.width * factor), np.uint8)
    for top in range(0, rect.height, _BAND_CELLS):
        progress(top / rect.height)
        check_cancel(cancel)
        band = Rect(rect.row + top, rect.col, min(_BAND_CELLS, rect.height - top), rect.width)
        found[top * factor : (top + band.height) * factor] = _finer(ids, band, factor, seed)
    return found


def _finer(ids: NDArray[np.uint8], rect: Rect, factor: int, seed: int) -> NDArray[np.uint8]:
    margin = CLASS_MARGIN if factor == STEP else CLASS_MARGIN + -(-CLASS_MARGIN // STEP)
    wide = rect.grown(margin)
    # Beyond its border, a map continues as at the border.
    rows, cols = (
        np.arange(start, stop).clip(0, side - 1)
        for start, stop, side in ((wide.row, wide.bottom, ids.shape[0]), (wide.col, wide.right, ids.shape[1]))
    )
    fine = fine_classes(ids[np.ix_(rows, cols)], wide.row, wide.col, seed)
    if factor == STEP:
        return fine
    top, left = STEP * (wide.row + CLASS_MARGIN), STEP * (wide.col + CLASS_MARGIN)
    finer = fine_classes(fine, top, left, seed)
    cut = factor * rect.row - STEP * (top + CLASS_MARGIN), factor * rect.col - STEP * (left + CLASS_MARGIN)
    return finer[cut[0] : cut[0] + factor * rect.height, cut[1] : cut[1] + factor * rect.width]


def zoomed(project: Project, classes: NDArray[np.uint8], rect: Rect, factor: int, name: str) -> Project:
    """The project of the classes that `zoomed_classes` gives, which it uses without a copy. `name` is that of the file
    or document that `project` is in. Its drawn lines go with the land. Raises OptionError when the border of the
    rectangle cuts them into too many."""
    settings = dataclasses.replace(project.settings, pixel_size_m=project.settings.pixel_size_m / factor)
    came_from = ZoomedFrom(name, rect, factor, project.settings.recipe.seed)
    lines = cut_lines(project.lines, rect.row, rect.col, (rect.height, rect.width)).scaled(factor, factor)
    guide = None if project.height_guide is None else project.height_guide.zoomed(rect, factor)
    return dataclasses.replace(
        Project.painted(classes, settings), zoomed_from=came_from, lines=lines, height_guide=guide
    )
