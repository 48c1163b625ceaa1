"""Tools that follow the pointer: brush, eraser, smooth, natural borders."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QPainter

from terrainpaint.core.natural_borders import Roughness, faded, roughened_part
from terrainpaint.core.painting import Brush, Mark, segment
from terrainpaint.core.project import EMPTY
from terrainpaint.core.rects import Point
from terrainpaint.core.smoothing import smoothed
from terrainpaint.gui.canvas.overlays import draw_smooth
from terrainpaint.gui.tools.tool import Pointer, Tool, is_near, pulled
from terrainpaint.gui.undo import PaintStroke

_STRAIGHT_AFTER_PX = 4
_SMOOTHING_RADIUS = 0.15  # of the size of the brush
_SMOOTHING_RADIUS_PX = (1.5, 24.0)
_MOST_OF_BRUSH = 1 / 3
"""The largest displacement of a border, as a part of the size of the brush, which it must not leave."""


class BrushTool(Tool):
    """Paints a class where the pointer goes. Shift+click draws a straight line from the end of the last stroke.

    With the stabiliser the pointer pulls the brush by a rope, so that it does not follow small movements of the hand.
    """

    _stroke: PaintStroke | None = None
    _at: Point = (0.0, 0.0)
    _size_px: float = 1.0
    _start: Point = (0.0, 0.0)
    _last_end: Point | None = None
    _axis: int | None = None
    _pulling: Point | None = None
    """Where the pointer is that pulls the brush."""

    @property
    def is_busy(self) -> bool:
        """Whether a stroke is under way."""
        return self._stroke is not None

    @property
    def value(self) -> int:
        """What is painted."""
        return self.settings.class_id

    def press(self, pointer: Pointer) -> None:
        """Begin a stroke."""
        self._stroke = self.document.begin_stroke(self.kind.text)
        if self._stroke is None:
            self.view.refuse()
            return
        self._size_px = self._pressed_size_px(pointer)
        self._start, self._axis = pointer.at, None
        self._at = self._last_end if pointer.shift and self._last_end is not None else pointer.at
        self._go_to(pointer.at, self._size_px)

    def move(self, pointer: Pointer) -> None:
        """Paint from where the pointer was; with Shift only along a row or a column."""
        if self._stroke is None:
            return
        at = pointer.at
        if pointer.shift:
            if self._axis is None:
                if is_near(self.view, self._start, at, _STRAIGHT_AFTER_PX):
                    return
                self._axis = int(abs(at[1] - self._start[1]) < abs(at[0] - self._start[0]))
            at = (self._start[0], at[1]) if self._axis == 0 else (at[0], self._start[1])
        rope_px = self.settings.stabiliser_px
        if rope_px:
            self._pulling = at
            at = pulled(self.view, self._at, at, rope_px)
            self.view.update()
            if at == self._at:
                return
        self._go_to(at, self._pressed_size_px(pointer))

    def release(self, pointer: Pointer) -> None:
        """End the stroke as one step; a brush that was pulled catches up."""
        if self._stroke is not None and self._pulling is not None:
            # A pen has no pressure any more.
            self._go_to(self._pulling, self._size_px)
        self.finish()

    def brush_at(self, pointer: Pointer) -> Point:
        """The end of the rope while the brush is pulled."""
        return self._at if self._stroke is not None and self._pulling is not None else pointer.at

    def paint_overlay(self, painter: QPainter) -> None:
        """Show the rope."""
        if self._stroke is not None and self._pulling is not None:
            draw_smooth(painter, self.path([self._at, self._pulling], closed=False))

    def finish(self) -> None:
        """End the stroke as one step."""
        stroke = self._let_go()
        if stroke is not None:
            self._last_end = self._at
            stroke.end()

    def cancel(self) -> None:
        """Take back what the stroke painted."""
        stroke = self._let_go()
        if stroke is not None:
            stroke.cancel()

    def forget(self) -> None:
        """Something else ended the stroke."""
        self._let_go()

    def apply(self, stroke: PaintStroke, mark: Mark) -> None:
        """Write into the pixels that the brush swept."""
        stroke.paint(mark, self.value)

    def _let_go(self) -> PaintStroke | None:
        stroke, self._stroke = self._stroke, None
        if self._pulling is not None:
            self._pulling = None
            self.view.update()
        return stroke

    def _go_to(self, at: Point, size_px: float) -> None:
        assert self._stroke is not None
        first, last = self._brush(self._size_px), self._brush(size_px)
        for start, end in self.images([first.snapped(self._at), last.snapped(at)]):
            self.apply(self._stroke, segment(first, start, end, self.document.shape, size_px))
        self._at, self._size_px = at, size_px

    def _brush(self, size_px: float) -> Brush:
        brush = self.settings.brush
        return Brush(size_px, brush.shape, brush.edge)

    def _pressed_size_px(self, pointer: Pointer) -> float:
        return max(1.0, self.settings.size_px * (pointer.pressure if self.settings.pressure else 1.0))


class EraserTool(BrushTool):
    """Makes the layer empty where the pointer goes, so that what is below it shows again."""

    @property
    def value(self) -> int:
        """EMPTY."""
        return EMPTY


class SmoothTool(BrushTool):
    """Smooths the borders between classes where the pointer goes."""

    def apply(self, stroke: PaintStroke, mark: Mark) -> None:
        """Give every pixel the most frequent class around it."""
        if mark.is_empty:
            return
        cells = self.document.active_layer.cells
        rect, result = smoothed(cells, self._radius_px, mark.rect)
        changed = mark.mask & (result != cells[rect.slices])
        for value in np.unique(result[changed]):
            stroke.paint(Mark(rect, changed & (result == value)).shrunk(), int(value))

    @property
    def _radius_px(self) -> float:
        return float(np.clip(self.settings.size_px * _SMOOTHING_RADIUS, *_SMOOTHING_RADIUS_PX))


class BordersTool(BrushTool):
    """Makes borders where the pointer goes as rough as coasts, once in each stroke."""

    _swept: NDArray[np.bool_] | None = None

    def press(self, pointer: Pointer) -> None:
        """Begin a stroke, with nothing swept yet."""
        self._swept = np.zeros(self.document.shape, np.bool_)
        super().press(pointer)

    def apply(self, stroke: PaintStroke, mark: Mark) -> None:
        """Displace the borders as they were before the stroke; the displacement fades out towards its rim."""
        if self._swept is None or mark.is_empty:
            return
        shape, roughness = self.document.shape, self._roughness
        fade_px = min(roughness.fade_px, self.settings.size_px / 2)
        part, mask = self.document.selected_part(mark)
        if part.is_empty:
            return
        self._swept[part.slices] |= mask
        rect = part.grown(int(fade_px) + 1).clipped(shape)
        wide = rect.grown(roughness.reach_px).clipped(shape)
        around = wide.grown(int(fade_px) + 1).clipped(shape)
        weight = faded(self._swept[around.slices], fade_px)[wide.moved(-around.row, -around.col).slices]
        original = stroke.original(wide)
        stroke.put(rect, roughened_part(original, wide, rect, roughness, weight=weight))

    @property
    def _roughness(self) -> Roughness:
        chosen = self.settings.roughness
        return dataclasses.replace(
            chosen, amount_px=max(1.0, min(chosen.amount_px, self.settings.size_px * _MOST_OF_BRUSH))
        )
