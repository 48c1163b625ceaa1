"""A part of a map that was zoomed out of another one as a new map, with the land of that other map too.

It is the map that zooming into the first one would have made, so both show the same land; what was painted on the map
in between is painted on the new one.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.fine_land import CLASS_MARGIN, FACTORS
from terrainpaint.core.progress import Cancel, Progress, never_cancel, no_progress
from terrainpaint.core.project import Project, ZoomedFrom, cut_lines
from terrainpaint.core.rects import Rect
from terrainpaint.core.zooming import zoomed_crop


def can_zoom_again(project: Project, factor: int) -> bool:
    """Whether a map that is zoomed out of this one has the land of the first one: the first one is then made finer by a
    factor that there is, and no noise of the map in between was replaced."""
    source = project.zoomed_from
    return (
        project.parent is not None
        and source is not None
        and source.factor * factor in FACTORS
        and not project.rerolls.any()
    )


def rect_of_cells(project: Project, rect: Rect) -> Rect:
    """The rectangle of the map, grown to whole cells of the map that it was zoomed out of."""
    source = project.zoomed_from
    step = 1 if source is None else source.factor
    bottom, right = -(-rect.bottom // step), -(-rect.right // step)
    return Rect.spanned(rect.row // step * step, rect.col // step * step, bottom * step, right * step)


def zoomed_again(
    project: Project,
    ids: NDArray[np.uint8],
    rect: Rect,
    factor: int,
    progress: Progress = no_progress,
    cancel: Cancel = never_cancel,
) -> Project:
    """The project of a rectangle of whole cells of a map (`rect_of_cells`), `factor` times finer; `ids` (H, W) uint8
    are its painted classes.

    Drawn lines and heights to follow go with it. Raises ValueError unless `can_zoom_again`, OptionError when the border
    cuts lines into too many, Cancelled.
    """
    parent, source = project.parent, project.zoomed_from
    if parent is None or source is None or not can_zoom_again(project, factor):
        raise ValueError("the land of the first map cannot be used")
    step, frame = source.factor, parent.frame
    first = Rect(
        source.rect.row + rect.row // step, source.rect.col + rect.col // step, rect.height // step, rect.width // step
    )
    # Bends of borders depend on the classes around, which the map in between does not have.
    cells = -(-CLASS_MARGIN // step)
    around = source.rect.grown(cells)
    known = zoomed_crop(parent.ids, frame.rect, around, step, source.seed)
    margin = step * cells
    known[margin:-margin, margin:-margin] = ids
    whole = Rect(step * around.row, step * around.col, known.shape[0], known.shape[1])
    place = rect.moved(*source.origin)
    classes = zoomed_crop(known, whole, place, factor, source.seed, progress, cancel)
    settings = dataclasses.replace(project.settings, pixel_size_m=project.settings.pixel_size_m / factor)
    lines = cut_lines(project.lines, rect.row, rect.col, (rect.height, rect.width)).scaled(factor, factor)
    guide = None if project.height_guide is None else project.height_guide.zoomed(rect, factor)
    return dataclasses.replace(
        Project.painted(classes, settings),
        zoomed_from=ZoomedFrom(source.name, first, step * factor, source.seed),
        lines=lines,
        height_guide=guide,
        parent=parent.of_part(first),
    )
