"""Shapes of drawn lines."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from terrainpaint.core.guide_lines import GuideLine, LineKind
from terrainpaint.core.line_shapes import nearest_on, smoothed_path, without_disc

BEND = [(10.0, 0.0), (10.0, 50.0), (60.0, 50.0)]


def test_a_path_is_smoothed_and_keeps_its_ends() -> None:
    random = np.random.default_rng(3)
    along = np.arange(0, 200, 2.0)
    path = [(50 + 20 * math.sin(col / 30) + random.normal() * 0.7, col) for col in along]
    line = smoothed_path(path, 6)
    assert math.dist(line[0], path[0]) < 1e-4 and math.dist(line[-1], path[-1]) < 1e-4
    assert 6 < len(line) < 40
    assert all(abs(row - 50 - 20 * math.sin(col / 30)) < 1.5 for row, col in line)
    turns = [
        abs(math.remainder(math.atan2(c[0] - b[0], c[1] - b[1]) - math.atan2(b[0] - a[0], b[1] - a[1]), math.tau))
        for a, b, c in zip(line, line[1:], line[2:], strict=False)
    ]
    assert max(turns) < 0.8, "no kinks of a shaking hand"


def test_a_straight_path_is_two_points_and_one_place_is_one() -> None:
    assert len(smoothed_path([(5.0, float(col)) for col in range(90)], 6)) == 2
    assert smoothed_path([(5.0, 5.0)] * 3, 6) == [(5.0, 5.0)]


def test_the_nearest_place_on_a_line() -> None:
    assert nearest_on(BEND, (7, 20)) == (3, 0, (10, 20))
    assert nearest_on(BEND, (30, 54)) == (4, 1, (30, 50))
    assert nearest_on(BEND, (63, 54)) == (5, 1, (60, 50))


def test_a_disc_cuts_a_line() -> None:
    first, second = without_disc(BEND, (10, 20), 5)
    assert first == [(10, 0), (10, 15)] and second == [(10, 25), (10, 50), (60, 50)]
    (rest,) = without_disc(BEND, (10, 0), 5)
    assert rest == [(10, 5), (10, 50), (60, 50)]
    first, second = without_disc(BEND, (10, 50), 5)
    assert first == [(10, 0), (10, 45)] and second == [(15, 50), (60, 50)]
    assert without_disc(BEND, (80, 80), 5) == [BEND] and without_disc(BEND, (30, 30), 99) == []


@given(st.tuples(st.floats(0, 70), st.floats(0, 70)), st.floats(1, 20))
def test_what_is_left_of_a_line_is_outside_of_the_disc_and_on_the_line(
    centre: tuple[float, float], radius: float
) -> None:
    pieces = without_disc(BEND, centre, radius)
    for piece in pieces:
        assert nearest_on(piece, centre)[0] > radius - 1e-6
        assert all(nearest_on(BEND, point)[0] < 1e-6 for point in piece)
    if nearest_on(BEND, centre)[0] > radius:
        whole = GuideLine.through(LineKind.RIDGE, BEND)
        assert [GuideLine.through(LineKind.RIDGE, piece) for piece in pieces] == [whole]
