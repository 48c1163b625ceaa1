"""Interval arithmetic, compared with counting single pixels and with the layers of torch that it describes."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from terrainpaint.models.windows import Span, before_bilinear, cut, doubled, halved, widened

STARTS = st.integers(-1000, 1000)
SPANS = st.builds(lambda start, length: (start, start + length), STARTS, st.integers(1, 60))
TIMES = st.integers(0, 6)


def within(inner: Span, outer: Span) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1]


@given(span=SPANS, times=TIMES)
def test_halved_contains_the_cells_of_all_pixels(span: Span, times: int) -> None:
    cells = {pixel // (1 << times) for pixel in range(*span)}
    assert set(range(*halved(span, times))) == cells


@given(span=SPANS, times=TIMES)
def test_doubled_contains_the_pixels_of_all_cells(span: Span, times: int) -> None:
    pixels = {cell * (1 << times) + part for cell in range(*span) for part in range(1 << times)}
    assert set(range(*doubled(span, times))) == pixels


@given(span=SPANS, times=TIMES)
def test_halved_is_the_smallest_cover(span: Span, times: int) -> None:
    assert halved(doubled(span, times), times) == span
    assert within(span, doubled(halved(span, times), times))
    assert not within(span, doubled(widened(halved(span, times), -1), times))


@given(span=SPANS, one=TIMES, two=TIMES)
def test_steps_add_up(span: Span, one: int, two: int) -> None:
    assert halved(halved(span, one), two) == halved(span, one + two)
    assert doubled(doubled(span, one), two) == doubled(span, one + two)


@given(inner=SPANS, more=st.tuples(st.integers(0, 50), st.integers(0, 50)), pixels=st.integers(0, 9), times=TIMES)
def test_a_larger_window_needs_at_least_as_much(inner: Span, more: Span, pixels: int, times: int) -> None:
    outer = inner[0] - more[0], inner[1] + more[1]
    assert within(halved(inner, times), halved(outer, times))
    assert within(doubled(inner, times), doubled(outer, times))
    assert within(widened(inner, pixels), widened(outer, pixels))
    assert within(before_bilinear(inner), before_bilinear(outer))


@given(span=SPANS, cells=st.integers(-30, 30), times=TIMES)
def test_shifts_by_whole_cells_commute(span: Span, cells: int, times: int) -> None:
    pixels = cells << times
    moved = span[0] + pixels, span[1] + pixels
    assert halved(moved, times) == tuple(end + cells for end in halved(span, times))
    step = span[0] + 2 * cells, span[1] + 2 * cells
    assert before_bilinear(step) == tuple(end + cells for end in before_bilinear(span))


@given(start=st.integers(8, 40), length=st.integers(1, 40))
def test_bilinear_upsampling_reads_exactly_these_pixels(start: int, length: int) -> None:
    coarse = torch.zeros(1, 1, 1, 60, requires_grad=True)
    fine = F.interpolate(coarse, scale_factor=(1, 2), mode="bilinear", align_corners=False)
    fine[..., start : start + length].sum().backward()
    assert coarse.grad is not None
    read = coarse.grad[0, 0, 0].nonzero()[:, 0]
    assert before_bilinear((start, start + length)) == (int(read.min()), int(read.max()) + 1)


@given(start=st.integers(8, 40), length=st.integers(1, 40), pixels=st.integers(0, 4))
def test_convolutions_read_exactly_these_pixels(start: int, length: int, pixels: int) -> None:
    line = torch.zeros(1, 1, 100, requires_grad=True)
    F.conv1d(line, torch.ones(1, 1, 2 * pixels + 1), padding=pixels)[..., start : start + length].sum().backward()
    assert line.grad is not None
    read = line.grad[0, 0].nonzero()[:, 0]
    assert widened((start, start + length), pixels) == (int(read.min()), int(read.max()) + 1)


@given(outer=SPANS, ends=st.tuples(st.floats(0, 1), st.floats(0, 1)))
def test_cut_gives_the_span(outer: Span, ends: tuple[float, float]) -> None:
    start, stop = (outer[0] + round(end * (outer[1] - outer[0])) for end in sorted(ends))
    assert list(range(*outer))[cut((start, stop), outer)] == list(range(start, stop))


@pytest.mark.parametrize("span", [(4, 8), (7, 11), (4, 11), (20, 30), (9, 8), (-8, -5)])
def test_cut_refuses_spans_outside(span: Span) -> None:
    with pytest.raises(ValueError, match="is not within"):
        cut(span, (5, 10))
