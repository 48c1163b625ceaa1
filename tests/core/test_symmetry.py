from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrainpaint.core.painting import Brush, segment
from terrainpaint.core.rects import Rect
from terrainpaint.core.symmetry import Symmetry, mirrored

SIDES = st.integers(40, 61)
POINTS = st.tuples(st.floats(0, 39.9), st.floats(0, 39.9))


@given(SIDES, SIDES, st.integers(1, 12), POINTS, POINTS)
def test_a_mirrored_stroke_covers_exactly_the_mirrored_pixels(
    height: int, width: int, size_px: int, start: tuple[float, float], end: tuple[float, float]
) -> None:
    shape, brush = (height, width), Brush(size_px)
    both = Symmetry((height / 2, width / 2), x=True, y=True)
    images = mirrored(both, [brush.snapped(start), brush.snapped(end)])
    parts = [segment(brush, *points, shape).part(Rect.of_shape(shape)) for points in images]
    if size_px > 1:
        flips = [parts[0], parts[0][:, ::-1], parts[0][::-1], parts[0][::-1, ::-1]]
        assert all(np.array_equal(part, flip) for part, flip in zip(parts, flips, strict=True))
    total = np.any(parts, axis=0)
    ends = np.array([[math.floor(c) for c in brush.snapped(at)] for at in (start, end)])
    if size_px == 1:
        assert all(total[row, col] and total[height - 1 - row, width - 1 - col] for row, col in ends)


@pytest.mark.parametrize(
    ("symmetry", "count"),
    [
        (Symmetry((5, 5)), 1),
        (Symmetry((5, 5), x=True), 2),
        (Symmetry((5, 5), x=True, y=True), 4),
        (Symmetry((5, 5), radial=7), 7),
        (Symmetry((5, 5), x=True, radial=6), 12),
        (Symmetry((5, 5), x=True, y=True, radial=4), 8),
        (Symmetry((5, 5), x=True, y=True, radial=3), 12),
    ],
)
def test_every_copy_is_returned_once_and_the_original_first(symmetry: Symmetry, count: int) -> None:
    images = mirrored(symmetry, [(1.0, 3.0), (2.5, 7.0)])
    assert len(images) == count
    assert images[0] == [(1.0, 3.0), (2.5, 7.0)]
    assert len({tuple(np.round(image, 6).ravel()) for image in images}) == count
    for image in images:
        assert math.dist(*image) == pytest.approx(math.dist(*images[0]))
        assert math.dist(image[0], symmetry.centre) == pytest.approx(math.dist((1, 3), symmetry.centre))


def test_quarter_turns_are_exact() -> None:
    assert mirrored(Symmetry((8.0, 8.0), radial=4), [(3.5, 10.5)]) == [
        [(3.5, 10.5)], [(5.5, 3.5)], [(12.5, 5.5)], [(10.5, 12.5)]
    ]  # fmt: skip


@pytest.mark.parametrize("radial", [0, 17])
def test_too_many_turns_are_refused(radial: int) -> None:
    with pytest.raises(ValueError, match="radial"):
        Symmetry((0, 0), radial=radial)
