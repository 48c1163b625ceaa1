"""Which pixels of which level a rectangle of the output depends on: interval arithmetic for unpadded convolutions.

A span is half-open, `(start, stop)`, in pixels of one level; levels are counted in halvings, so that pixel i of
level l covers the pixels i * 2**l .. (i + 1) * 2**l of the map. Coordinates are absolute and may be negative.
"""

from __future__ import annotations

Span = tuple[int, int]

Area = tuple[Span, Span]
"""Rows and columns."""


def widened(span: Span, pixels: int) -> Span:
    """What a stack of unpadded convolutions that reaches `pixels` to each side reads."""
    return span[0] - pixels, span[1] + pixels


def halved(span: Span, times: int = 1) -> Span:
    """The pixels, `times` levels coarser, that cover a span."""
    cell = 1 << times
    return span[0] // cell, -(-span[1] // cell)


def doubled(span: Span, times: int = 1) -> Span:
    """The pixels, `times` levels finer, that a span covers."""
    return span[0] << times, span[1] << times


def before_bilinear(span: Span) -> Span:
    """The coarser pixels that bilinear enlargement by two reads: two neighbours of each pixel."""
    return (span[0] - 1) // 2, span[1] // 2 + 1


def cut(span: Span, of: Span) -> slice:
    """Where a span lies in an array that holds the span `of`. Raises ValueError when it lies outside."""
    if not (of[0] <= span[0] <= span[1] <= of[1]):
        raise ValueError(f"{span} is not within {of}")
    return slice(span[0] - of[0], span[1] - of[0])
