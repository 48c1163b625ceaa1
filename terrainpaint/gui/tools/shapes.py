"""Tools that draw a shape from where the button is pressed to where it is released."""

from __future__ import annotations

import math

import cv2
import numpy as np
from PySide6.QtGui import QPainter, QPainterPath

from terrainpaint.core.painting import Mark, Shape, ellipse, polygon, rectangle, segment
from terrainpaint.core.rects import Point
from terrainpaint.gui.tools.tool import Pointer, Tool, centred

_CORNERS = ((-1, -1), (-1, 1), (1, 1), (1, -1))
_ARC = tuple((math.sin(2 * math.pi * i / 180), math.cos(2 * math.pi * i / 180)) for i in range(180))


class ShapeTool(Tool):
    """A shape between the two ends of a drag, which is shown until the button is released."""

    _start: Point | None = None
    _pointer: Pointer | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a shape is being drawn."""
        return self._start is not None

    def press(self, pointer: Pointer) -> None:
        """Begin the shape."""
        if self.document.refusal:
            self.view.refuse()
            return
        self._start, self._pointer = pointer.at, pointer

    def move(self, pointer: Pointer) -> None:
        """Show the shape to here."""
        if self._start is not None:
            self._pointer = pointer
            self.view.update()

    def release(self, pointer: Pointer) -> None:
        """Paint the shape as one step."""
        if self._start is None:
            return
        self._pointer = pointer
        marks = [self.mark(image) for image in self.images(self.points())]
        self.cancel()
        self.paint(marks)

    def cancel(self) -> None:
        """Draw nothing."""
        self._start = self._pointer = None
        self.view.update()

    def forget(self) -> None:
        """Forget the shape, because the document is another one."""
        self.cancel()

    def paint_overlay(self, painter: QPainter) -> None:
        """Show the shape and its images."""
        if self._start is not None:
            for image in self.images(self.points()):
                self.draw_preview(painter, self.outline(image))

    def points(self) -> list[Point]:
        """The points that define the shape, as far as the drag has come."""
        raise NotImplementedError

    def mark(self, points: list[Point]) -> Mark:
        """The pixels of the shape that one image of the points defines."""
        raise NotImplementedError

    def outline(self, points: list[Point]) -> QPainterPath:
        """The shape in the view."""
        raise NotImplementedError

    def ends(self) -> tuple[Point, Pointer]:
        """Where the drag began and where it is."""
        assert self._start is not None and self._pointer is not None
        return self._start, self._pointer


class LineTool(ShapeTool):
    """Draws a straight line as wide as the brush; Shift keeps to multiples of 45 degrees."""

    def points(self) -> list[Point]:
        """Both ends."""
        start, pointer = self.ends()
        brush = self.settings.brush
        down, across = pointer.row - start[0], pointer.col - start[1]
        if pointer.shift:
            if abs(down) > 2 * abs(across):
                across = 0.0
            elif abs(across) > 2 * abs(down):
                down = 0.0
            else:
                length = max(abs(down), abs(across))
                down, across = math.copysign(length, down), math.copysign(length, across)
        return [brush.snapped(start), brush.snapped((start[0] + down, start[1] + across))]

    def mark(self, points: list[Point]) -> Mark:
        """What the brush sweeps."""
        return segment(self.settings.brush, points[0], points[1], self.document.shape)

    def outline(self, points: list[Point]) -> QPainterPath:
        """All that the brush sweeps."""
        half = self.settings.size_px / 2
        ring = _CORNERS if self.settings.brush.shape is Shape.SQUARE else _ARC
        swept = np.array([[(at[0] + y * half, at[1] + x * half) for y, x in ring] for at in points], np.float32)
        hull = cv2.convexHull(swept.reshape(-1, 2))[:, 0]
        return self.path([(float(row), float(col)) for row, col in hull], closed=True)


class BoxTool(ShapeTool):
    """A shape within a box. Shift makes the box square, Alt puts its middle where the drag began."""

    def points(self) -> list[Point]:
        """Centres of the pixels in the four corners, clockwise from the upper left one."""
        (top, left), (bottom, right) = self.corners()
        return [(top, left), (top, right), (bottom, right), (bottom, left)]

    def corners(self) -> tuple[Point, Point]:
        """Centres of the upper left and lower right pixels."""
        start, pointer = self.ends()
        return box(start, pointer)

    @property
    def is_upright(self) -> bool:
        """Whether all images of the box have upright sides."""
        return self.settings.radial in (1, 2, 4)


def box(start: Point, pointer: Pointer) -> tuple[Point, Point]:
    """Centres of the upper left and lower right pixels of a drag: Shift makes it square, Alt centres it."""
    first = centred(start)
    down, across = (b - a for a, b in zip(first, centred(pointer.at), strict=True))
    if pointer.shift:
        side = max(abs(down), abs(across))
        down, across = math.copysign(side, down), math.copysign(side, across)
    second = first[0] + down, first[1] + across
    if pointer.alt:
        first = first[0] - down, first[1] - across
    rows, cols = (sorted(pair) for pair in zip(first, second, strict=True))
    return (rows[0], cols[0]), (rows[1], cols[1])


def outer_corners(points: list[Point]) -> list[Point]:
    """Corners of a box moved from the centres of its pixels to their outer corners."""
    along = _unit(points[0], points[1], (0.0, 1.0))
    down = _unit(points[0], points[3], (1.0, 0.0))
    return [
        (at[0] + (y * down[0] + x * along[0]) / 2, at[1] + (y * down[1] + x * along[1]) / 2)
        for (y, x), at in zip(_CORNERS, points, strict=True)
    ]


def _unit(start: Point, end: Point, otherwise: Point) -> Point:
    length = math.dist(start, end)
    return ((end[0] - start[0]) / length, (end[1] - start[1]) / length) if length else otherwise


class RectangleTool(BoxTool):
    """Fills a rectangle."""

    def mark(self, points: list[Point]) -> Mark:
        """All pixels of the box."""
        if self.is_upright:
            return rectangle(points[0], points[2], self.document.shape)
        return polygon(points, self.document.shape)

    def outline(self, points: list[Point]) -> QPainterPath:
        """The border of the box."""
        return self.path(outer_corners(points), closed=True)


class EllipseTool(BoxTool):
    """Fills an ellipse."""

    def mark(self, points: list[Point]) -> Mark:
        """All pixels of the ellipse that fills the box."""
        if self.is_upright:
            return ellipse(points[0], points[2], self.document.shape)
        return polygon(arc(points), self.document.shape)

    def outline(self, points: list[Point]) -> QPainterPath:
        """The border of the ellipse."""
        return self.path(arc(outer_corners(points)), closed=True)


def arc(points: list[Point]) -> list[Point]:
    """Points on the ellipse that fills a box."""
    first, second, third, last = points
    middle = (first[0] + third[0]) / 2, (first[1] + third[1]) / 2
    along = (second[0] - first[0]) / 2, (second[1] - first[1]) / 2
    down = (last[0] - first[0]) / 2, (last[1] - first[1]) / 2
    return [
        (middle[0] + sine * down[0] + cosine * along[0], middle[1] + sine * down[1] + cosine * along[1])
        for sine, cosine in _ARC
    ]
