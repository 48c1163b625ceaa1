"""A part of a map as a new map at a finer scale."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.fine_land import CLASS_MARGIN, FACTORS, STEP, fine_classes
from terrainpaint.core.guide_lines import NO_LINES
from terrainpaint.core.hydrology import NO_FLOW
from terrainpaint.core.parent_land import ParentLand
from terrainpaint.core.progress import Cancel, Progress, check_cancel, never_cancel, no_progress
from terrainpaint.core.project import NATIVE_PIXEL_SIZE_M, Project, ZoomedFrom, cut_lines
from terrainpaint.core.rects import Rect
from terrainpaint.core.segmentation import MIN_SIDE_PX
from terrainpaint.core.true_scale import scale_factor
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
    return zoomed_crop(ids, Rect.of_shape(ids.shape), rect, factor, seed, progress, cancel)


def zoomed_crop(
    ids: NDArray[np.uint8],
    crop: Rect,
    rect: Rect,
    factor: int,
    seed: int,
    progress: Progress = no_progress,
    cancel: Cancel = never_cancel,
) -> NDArray[np.uint8]:
    """The same of a map of which only the rectangle `crop` is known, `ids` (h, w); `rect` may go beyond the border of
    the map, and what is not known continues with its border too."""
    found = np.empty((rect.height * factor, rect.width * factor), np.uint8)
    for top in range(0, rect.height, _BAND_CELLS):
        progress(top / rect.height)
        check_cancel(cancel)
        band = Rect(rect.row + top, rect.col, min(_BAND_CELLS, rect.height - top), rect.width)
        found[top * factor : (top + band.height) * factor] = _finer(ids, crop, band, factor, seed)
    return found


def _finer(ids: NDArray[np.uint8], crop: Rect, rect: Rect, factor: int, seed: int) -> NDArray[np.uint8]:
    margin = CLASS_MARGIN if factor == STEP else CLASS_MARGIN + -(-CLASS_MARGIN // STEP)
    wide = rect.grown(margin)
    # Beyond its border, a map continues as at the border.
    rows, cols = (
        (np.arange(start, stop) - of_crop).clip(0, side - 1)
        for start, stop, of_crop, side in (
            (wide.row, wide.bottom, crop.row, ids.shape[0]), (wide.col, wide.right, crop.col, ids.shape[1]),
        )
    )  # fmt: skip
    fine = fine_classes(ids[np.ix_(rows, cols)], wide.row, wide.col, seed)
    if factor == STEP:
        return fine
    top, left = STEP * (wide.row + CLASS_MARGIN), STEP * (wide.col + CLASS_MARGIN)
    finer = fine_classes(fine, top, left, seed)
    cut = factor * rect.row - STEP * (top + CLASS_MARGIN), factor * rect.col - STEP * (left + CLASS_MARGIN)
    return finer[cut[0] : cut[0] + factor * rect.height, cut[1] : cut[1] + factor * rect.width]


def share_of_paint(painted: NDArray[np.bool_], wholly_px: int, not_px: int) -> NDArray[np.float32]:
    """(h, w) float32: 1 up to `wholly_px` from what was painted, (h, w), 0 from `not_px` on, smooth between."""
    distance = cv2.distanceTransform((~painted).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    part = np.clip((not_px - distance) / np.float32(not_px - wholly_px), 0, 1)
    return np.asarray(part * part * (3 - 2 * part), np.float32)


def zoomed(
    project: Project, classes: NDArray[np.uint8], rect: Rect, factor: int, name: str, parent: ParentLand | None = None
) -> Project:
    """The project of the classes that `zoomed_classes` gives, which it uses without a copy, at true scale if its pixels
    have one. `name` is that of the file or document that `project` is in.

    `parent` is the land that it has there: then drawn lines, flowing water and loose borders are in the land and in the
    classes. Without it, drawn lines go with the map. Raises OptionError when the border of the rectangle cuts them into
    too many.
    """
    pixel_size_m = project.settings.pixel_size_m / factor
    has_scale = parent is not None or scale_factor(pixel_size_m, NATIVE_PIXEL_SIZE_M) is not None
    settings = dataclasses.replace(project.settings, pixel_size_m=pixel_size_m, true_scale=has_scale)
    if parent is not None:
        recipe = dataclasses.replace(settings.recipe, follow=1.0)
        settings, lines = dataclasses.replace(settings, flowing_water=NO_FLOW, recipe=recipe), NO_LINES
    else:
        lines = cut_lines(project.lines, rect.row, rect.col, (rect.height, rect.width)).scaled(factor, factor)
    came_from = ZoomedFrom(name, rect, factor, project.settings.recipe.seed)
    guide = None if parent is not None or project.height_guide is None else project.height_guide.zoomed(rect, factor)
    return dataclasses.replace(
        Project.painted(classes, settings), zoomed_from=came_from, lines=lines, height_guide=guide, parent=parent
    )
