"""Rectangles of the levels of a network, and interval arithmetic for unpadded convolutions: which pixels of which level
a rectangle of the output depends on.

A span is half-open, `(start, stop)`, in pixels of one level. Levels are counted in halvings: pixel i of level l covers
the pixels i * 2**l .. (i + 1) * 2**l of the map. Coordinates are absolute and may be negative.
"""

from __future__ import annotations

from dataclasses import dataclass

Span = tuple[int, int]

Area = tuple[Span, Span]
"""Rows and columns."""


@dataclass(frozen=True)
class Window:
    """A rectangle of the output, `rows` and `cols` in absolute pixels of the map."""

    rows: Span
    cols: Span


def widened(span: Span, pixels: int) -> Span:
    """The pixels that unpadded convolutions read for a span, when they reach `pixels` to each side."""
    return span[0] - pixels, span[1] + pixels


def halved(span: Span, times: int = 1) -> Span:
    """The pixels that cover a span, `times` levels coarser."""
    cell = 1 << times
    return span[0] // cell, -(-span[1] // cell)


def doubled(span: Span, times: int = 1) -> Span:
    """The pixels that a span covers, `times` levels finer."""
    return span[0] << times, span[1] << times


def before_bilinear(span: Span) -> Span:
    """The coarser pixels that bilinear upsampling by two reads: the two nearest of each pixel."""
    return (span[0] - 1) // 2, span[1] // 2 + 1


def cut(span: Span, of: Span) -> slice:
    """The slice of a span in an array that covers the span `of`. Raises ValueError when it lies outside."""
    if not (of[0] <= span[0] <= span[1] <= of[1]):
        raise ValueError(f"{span} is not within {of}")
    return slice(span[0] - of[0], span[1] - of[0])


def grown(area: Area, pixels: int) -> Area:
    """An area grown by `pixels` on each side; with a negative number, shrunk."""
    return widened(area[0], pixels), widened(area[1], pixels)


def size_of(area: Area) -> tuple[int, int]:
    """Number of rows and columns."""
    return area[0][1] - area[0][0], area[1][1] - area[1][0]
