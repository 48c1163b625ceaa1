from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrainpaint.core.painting import (
    Brush,
    Edge,
    Mark,
    Point,
    Shape,
    dab,
    ellipse,
    flood,
    polygon,
    rectangle,
    segment,
    where,
)
from terrainpaint.core.rects import Rect

MAP = (60, 80)
POINTS = st.tuples(st.floats(-30, 90), st.floats(-30, 110))
BRUSHES = st.builds(Brush, st.floats(1.5, 50), st.sampled_from(Shape), st.just(Edge.HARD))
ROWS, COLS = np.mgrid[: MAP[0], : MAP[1]] + 0.5


def whole(mark: Mark, shape: tuple[int, int] = MAP) -> np.ndarray:
    assert mark.mask.dtype == np.bool_ and mark.mask.shape == (mark.rect.height, mark.rect.width)
    assert mark.rect.is_empty or mark.rect.clipped(shape) == mark.rect, "it leaves the map"
    return mark.part(Rect.of_shape(shape))


def covered(brush: Brush, at: Point, tolerance: float) -> np.ndarray:
    """All pixels whose centre is within the brush, tested one by one."""
    down, across = np.abs(ROWS - at[0]), np.abs(COLS - at[1])
    distance = np.hypot(down, across) if brush.shape is Shape.ROUND else np.maximum(down, across)
    return distance <= brush.size_px / 2 + tolerance


@given(BRUSHES, POINTS)
def test_a_dab_is_every_centre_within_the_brush(brush: Brush, at: Point) -> None:
    mask = whole(dab(brush, at, MAP))
    snapped = brush.snapped(at)
    assert max(abs(snapped[0] - at[0]), abs(snapped[1] - at[1])) <= 0.5
    assert not (mask & ~covered(brush, snapped, 1e-5)).any()
    assert not (covered(brush, snapped, -1e-5) & ~mask).any()


@given(BRUSHES, POINTS, POINTS, st.floats(1.5, 50))
def test_a_segment_is_the_union_of_the_dabs_along_it(brush: Brush, start: Point, end: Point, last_px: float) -> None:
    mask = whole(segment(brush, start, end, MAP, last_px))
    a, b = brush.snapped(start), dataclasses.replace(brush, size_px=last_px).snapped(end)
    inner, outer = np.zeros(MAP, bool), np.zeros(MAP, bool)
    steps = 300
    step = max(math.dist(a, b), abs(last_px - brush.size_px)) / steps
    for share in np.linspace(0, 1, steps + 1):
        size = brush.size_px + share * (last_px - brush.size_px)
        at = a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])
        here = dataclasses.replace(brush, size_px=max(1, size))
        inner |= covered(here, at, -1e-5)
        outer |= covered(here, at, step + 1e-5)
    assert not (inner & ~mask).any()
    assert not (mask & ~outer).any()


@given(POINTS, POINTS)
def test_the_thinnest_line_has_no_gap_and_no_second_pixel(start: Point, end: Point) -> None:
    shape = (300, 300)
    start, end = ((at[0] + 100, at[1] + 100) for at in (start, end))
    mask = whole(segment(Brush(1), start, end, shape), shape)
    longest = max(abs(math.floor(start[i]) - math.floor(end[i])) for i in (0, 1))
    assert np.count_nonzero(mask) == longest + 1
    assert mask[math.floor(start[0]), math.floor(start[1])] and mask[math.floor(end[0]), math.floor(end[1])]


@pytest.mark.parametrize("size", [1, 2, 3, 8, 15, 64])
@pytest.mark.parametrize("shape", Shape)
def test_a_brush_has_the_same_pixels_everywhere(size: int, shape: Shape) -> None:
    brush = Brush(size, shape)
    marks = [dab(brush, (at, 100.3 + at / 7), (400, 400)).shrunk() for at in np.linspace(100, 103, 17)]
    assert all(np.array_equal(mark.mask, marks[0].mask) for mark in marks)
    assert marks[0].mask.shape == (size, size)
    assert np.array_equal(marks[0].mask, marks[0].mask[::-1]) and np.array_equal(marks[0].mask, marks[0].mask.T)


@pytest.mark.parametrize("shape", Shape)
def test_a_rough_border_does_not_depend_on_where_a_stroke_is_cut(shape: Shape) -> None:
    brush, size = Brush(31, shape, Edge.ROUGH), (200, 200)
    start, end = (40.5, 50.5), (140.5, 150.5)
    at_once = whole(segment(brush, start, end, size), size)
    in_parts = np.zeros(size, bool)
    for offset in range(0, 100, 20):
        a, b = (40.5 + offset, 50.5 + offset), (60.5 + offset, 70.5 + offset)
        in_parts |= whole(segment(brush, a, b, size), size)
    assert np.array_equal(at_once, in_parts)
    assert np.array_equal(at_once, whole(segment(brush, end, start, size), size))
    hard = whole(segment(dataclasses.replace(brush, edge=Edge.HARD), start, end, size), size)
    assert not (at_once & ~hard).any()
    assert 0.6 * hard.sum() < at_once.sum() < 0.95 * hard.sum()


@given(st.floats(4, 60), POINTS)
def test_a_rough_dab_keeps_its_core(size_px: float, at: Point) -> None:
    rough = whole(dab(Brush(size_px, edge=Edge.ROUGH), at, MAP))
    snapped = Brush(size_px).snapped(at)
    assert not (covered(Brush(max(1, size_px * 0.59)), snapped, 0) & ~rough).any()
    assert not (rough & ~covered(Brush(size_px), snapped, 1e-5)).any()


@given(POINTS, POINTS)
def test_rectangles_and_ellipses_fill_the_pixels_from_corner_to_corner(a: Point, b: Point) -> None:
    top, bottom = sorted((math.floor(a[0]), math.floor(b[0])))
    left, right = sorted((math.floor(a[1]), math.floor(b[1])))
    inside = (top < ROWS) & (bottom + 1 > ROWS) & (left < COLS) & (right + 1 > COLS)
    assert np.array_equal(whole(rectangle(a, b, MAP)), inside)
    down = (ROWS - (top + bottom + 1) / 2) / ((bottom - top + 1) / 2)
    across = (COLS - (left + right + 1) / 2) / ((right - left + 1) / 2)
    distance = down**2 + across**2
    mask = whole(ellipse(a, b, MAP))
    assert not (mask & (distance > 1 + 1e-5)).any()
    assert not (~mask & (distance < 1 - 1e-5)).any()


@given(st.lists(POINTS, min_size=1, max_size=9))
def test_a_polygon_is_even_odd_with_its_border(points: list[Point]) -> None:
    mask = whole(polygon(points, MAP))
    corners = [(math.floor(row) + 0.5, math.floor(col) + 0.5) for row, col in points]
    odd, near = np.zeros(MAP, bool), np.zeros(MAP, bool)
    for (r0, c0), (r1, c1) in zip(corners, corners[1:] + corners[:1], strict=True):
        length = (r1 - r0) ** 2 + (c1 - c0) ** 2
        share = np.clip(((ROWS - r0) * (r1 - r0) + (COLS - c0) * (c1 - c0)) / length, 0, 1) if length else 0.0
        near |= np.hypot(ROWS - r0 - share * (r1 - r0), COLS - c0 - share * (c1 - c0)) <= 1.6
        if r0 != r1:
            crossing = c0 + (ROWS - r0) / (r1 - r0) * (c1 - c0)
            odd ^= ((r0 > ROWS) != (r1 > ROWS)) & (crossing > COLS)
    assert np.array_equal(mask[~near], odd[~near])
    for row, col in corners:
        if 0 <= row < MAP[0] and 0 <= col < MAP[1]:
            assert mask[int(row), int(col)]


def test_a_polygon_without_points_is_empty() -> None:
    assert polygon([], MAP).is_empty


def slow_flood(ids: np.ndarray, at: tuple[int, int]) -> np.ndarray:
    area, waiting = np.zeros(ids.shape, bool), [at]
    while waiting:
        row, col = waiting.pop()
        inside = 0 <= row < ids.shape[0] and 0 <= col < ids.shape[1]
        if inside and not area[row, col] and ids[row, col] == ids[at]:
            area[row, col] = True
            waiting += [(row + 1, col), (row - 1, col), (row, col + 1), (row, col - 1)]
    return area


@given(st.integers(0, 2**32 - 1), st.integers(2, 4), st.tuples(st.integers(1, 40), st.integers(1, 40)))
def test_flood_equals_a_slow_one_and_does_not_change_the_map(seed: int, classes: int, shape: tuple[int, int]) -> None:
    random = np.random.default_rng(seed)
    ids = random.integers(0, classes, shape).astype(np.uint8) * np.uint8(2)
    before, at = ids.copy(), (int(random.integers(shape[0])), int(random.integers(shape[1])))
    mark = flood(ids, (at[0] + 0.3, at[1] + 0.9))
    assert np.array_equal(whole(mark, shape), slow_flood(ids, at))
    assert np.array_equal(ids, before)
    assert mark.shrunk().rect == mark.rect


@pytest.mark.parametrize("at", [(-0.1, 5), (5, -0.1), (MAP[0], 5), (5, MAP[1])])
def test_flood_outside_of_the_map_is_empty(at: Point) -> None:
    assert flood(np.zeros(MAP, np.uint8), at).is_empty


@given(st.integers(0, 99), st.integers(0, 7))
def test_where_finds_every_pixel_of_a_class(seed: int, class_id: int) -> None:
    ids = np.random.default_rng(seed).integers(0, 7, MAP).astype(np.uint8)
    rect = Rect(10, 20, 15, 7)
    mark = where(ids, class_id, rect)
    expected = np.zeros(MAP, bool)
    expected[rect.slices] = ids[rect.slices] == class_id
    assert np.array_equal(whole(mark), expected)


@given(BRUSHES, POINTS, st.tuples(st.integers(-20, 70), st.integers(-20, 90), st.integers(0, 40), st.integers(0, 40)))
def test_a_part_is_the_mark_within_a_rectangle(brush: Brush, at: Point, window: tuple[int, int, int, int]) -> None:
    mark, rect = dab(brush, at, MAP), Rect(*window)
    padded = np.pad(whole(mark), 100)
    assert np.array_equal(mark.part(rect), padded[rect.moved(100, 100).slices])
    assert np.array_equal(whole(mark.shrunk()), whole(mark))


@pytest.mark.parametrize("size", [0.5, 2049, math.nan])
def test_an_illegal_brush_size_is_refused(size: float) -> None:
    with pytest.raises(ValueError, match="size_px"):
        Brush(size)
