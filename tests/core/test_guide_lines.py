"""Drawn lines: their pixels, their limits, and how they go with the map."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrainpaint.core.classes import WATER
from terrainpaint.core.guide_lines import (
    MAX_LINES,
    MAX_POINTS,
    NO_LINE,
    RIDGE,
    VALLEY,
    GuideLine,
    GuideLines,
    LineKind,
    changed_rects,
    draw_rivers,
    guide_raster,
)
from terrainpaint.core.project import Project, Settings
from terrainpaint.core.rects import Rect
from terrainpaint.core.resampling import largest_counts
from terrainpaint.errors import OptionError

GRASSLAND = 1
SHAPE = (90, 120)
WHOLE = Rect.of_shape(SHAPE)
RIDGE_LINE = GuideLine(LineKind.RIDGE, ((10.5, 5.5), (10.5, 100.5), (60.5, 110.5)))
VALLEY_LINE = GuideLine(LineKind.VALLEY, ((5.5, 50.5), (80.5, 50.5)))
RIVER = GuideLine(LineKind.RIVER, ((70.5, 3.5), (70.5, 90.5)), 3)
LINES = GuideLines((RIDGE_LINE, VALLEY_LINE, RIVER))


def places(kind: LineKind = LineKind.RIDGE) -> st.SearchStrategy[GuideLine]:
    points = st.lists(st.tuples(st.floats(0, 90), st.floats(0, 120)), min_size=2, max_size=5)
    return points.filter(lambda found: math.dist(found[0], found[1]) > 1).map(
        lambda found: GuideLine.through(kind, found)
    )


def test_pixels_of_lines_are_where_they_run() -> None:
    raster = guide_raster(LINES.guiding, WHOLE)
    assert raster is not None
    assert set(raster[10, 5:100]) == {RIDGE, VALLEY} and raster[10, 50] == VALLEY, "valleys go through ridges"
    assert set(raster[11:80, 50]) == {VALLEY} and raster[60, 110] == RIDGE and (raster[70] != NO_LINE).sum() == 1
    assert guide_raster(LINES.guiding, Rect(82, 0, 8, 120)) is None
    ids = np.full(SHAPE, GRASSLAND, np.uint8)
    draw_rivers(ids, LINES.rivers, WHOLE)
    assert np.array_equal(np.unique(np.argwhere(ids == WATER)[:, 0]), [69, 70, 71]) and (ids[:, 50] == WATER).sum() == 3


@given(places(), st.integers(0, 70), st.integers(0, 100))
def test_a_part_has_the_pixels_of_the_whole(line: GuideLine, top: int, left: int) -> None:
    whole = guide_raster([line], WHOLE)
    rect = Rect(top, left, 20, 20)
    part = guide_raster([line], rect)
    if whole is not None:
        np.testing.assert_array_equal(whole[rect.slices], np.zeros((20, 20)) if part is None else part)


@pytest.mark.parametrize("width", [1, 2, 3])
def test_rivers_have_their_width_and_no_gaps(width: int) -> None:
    ids = np.full(SHAPE, GRASSLAND, np.uint8)
    draw_rivers(ids, [GuideLine.through(LineKind.RIVER, [(20.5, 4.5), (70.5, 100.5)], width)], WHOLE)
    water = ids == WATER
    assert (water[:, 4:101].any(axis=0)).all() and water[:, 40].sum() in (width, width + 1)


@given(places(), places(), places(LineKind.VALLEY))
def test_only_different_pixels_are_in_the_changed_rectangles(one: GuideLine, two: GuideLine, same: GuideLine) -> None:
    before, after = [one, same], [two, same]
    rects = changed_rects(before, after, SHAPE)
    changed = np.zeros(SHAPE, bool)
    for rect in rects:
        assert max(rect.height, rect.width) <= 32
        changed[rect.slices] = True
    rasters = [guide_raster(lines, WHOLE) for lines in (before, after)]
    first, second = (np.zeros(SHAPE) if raster is None else raster for raster in rasters)
    assert not (first != second)[~changed].any()
    assert changed_rects(before, before, SHAPE) == []


def test_a_line_that_grows_changes_its_end_only() -> None:
    longer = GuideLine(LineKind.RIDGE, (*RIDGE_LINE.points, (80.5, 110.5)))
    rects = changed_rects([RIDGE_LINE], [longer], SHAPE)
    assert rects and all(rect.row >= 60 and rect.col == 110 for rect in rects)


def test_hidden_lines_shape_nothing() -> None:
    hidden = GuideLines(LINES.lines, visible=False)
    assert hidden and not hidden.guiding and not hidden.rivers
    assert LINES.guiding == (RIDGE_LINE, VALLEY_LINE) and LINES.rivers == (RIVER,)


def test_lines_have_limits() -> None:
    with pytest.raises(ValueError, match="two points"):
        GuideLine.through(LineKind.RIDGE, [(1, 1), (1.001, 1.001)])
    with pytest.raises(ValueError, match="2 px wide"):
        GuideLine(LineKind.VALLEY, ((0, 0), (1, 1)), 2)
    with pytest.raises(ValueError, match="1000 lines"):
        GuideLines((RIDGE_LINE,) * (MAX_LINES + 1))
    many = GuideLine(LineKind.RIDGE, tuple((float(i % 9), float(i)) for i in range(MAX_POINTS)))
    with pytest.raises(ValueError, match="20000 points"):
        GuideLines((many, RIDGE_LINE))


def project() -> Project:
    painted = Project.painted(np.full(SHAPE, GRASSLAND, np.uint8), Settings(2000.0, "atlas"))
    return Project(painted.layers, painted.active, painted.settings, painted.rerolls, lines=LINES)


def test_lines_are_resized_with_the_map() -> None:
    larger = project().resized((180, 240)).lines
    assert larger.lines[0].points == ((21, 11), (21, 201), (121, 221)) and larger.lines[2].width_px == 6
    assert project().resized((45, 60)).lines.lines[2].width_px == 2
    assert project().resized((180, 240)).resized(SHAPE).lines == LINES


def test_lines_stay_on_their_ground_when_the_map_is_cropped() -> None:
    cropped = project().cropped(8, 40, (40, 40))
    ridge, valley = cropped.lines.lines
    assert ridge.points == ((2.5, 0), (2.5, 40)) and valley.points == ((0, 10.5), (40, 10.5)), "the river is outside"
    before = guide_raster(LINES.guiding, Rect(8, 40, 40, 40))
    np.testing.assert_array_equal(guide_raster(cropped.lines.guiding, Rect(0, 0, 40, 40)), before)
    wider = project().cropped(-10, -20, (120, 160))
    assert wider.lines.lines[2] == GuideLine(LineKind.RIVER, ((80.5, 23.5), (80.5, 110.5)), 3)


def test_a_line_that_leaves_the_part_and_comes_back_becomes_two() -> None:
    there_and_back = GuideLine(LineKind.RIDGE, ((10, 10), (10, 50), (20, 50), (20, 10)))
    cut = GuideLines((there_and_back,)).cut(0, 0, (90, 30))
    assert [line.points for line in cut.lines] == [((10, 10), (10, 30)), ((20, 30), (20, 10))]


def test_a_border_that_cuts_lines_into_too_many_is_refused() -> None:
    zigzag = GuideLine(LineKind.RIDGE, tuple((float(i % 90), 10.0 if i % 2 else 110.0) for i in range(3 * MAX_LINES)))
    full = Project(project().layers, 1, project().settings, project().rerolls, lines=GuideLines((zigzag,)))
    with pytest.raises(OptionError, match="too many"):
        full.cropped(0, 50, (90, 32))


def test_drawn_rivers_are_water_of_the_map_and_are_carved() -> None:
    drawn = project()
    assert drawn.flowing_water.carve_rivers and not drawn.settings.flowing_water.carve_rivers
    assert (drawn.classes()[70, 4:90] == WATER).all() and (drawn.layers[0].cells == GRASSLAND).all()
    np.testing.assert_array_equal(drawn.classes(Rect(60, 80, 20, 20)), drawn.classes()[60:80, 80:100])
    plain = Project(drawn.layers, 1, drawn.settings, drawn.rerolls, lines=GuideLines(LINES.lines, visible=False))
    assert not plain.flowing_water and (plain.classes() == GRASSLAND).all()


@given(places(), places(LineKind.VALLEY))
def test_larger_cells_have_the_lines_that_touch_them(one: GuideLine, two: GuideLine) -> None:
    lines = [one, two]
    whole = guide_raster(lines, WHOLE)
    cells = guide_raster(lines, Rect(0, 0, 23, 30), 4)
    if whole is not None and cells is not None:
        np.testing.assert_array_equal(cells, largest_counts(whole, 4))
