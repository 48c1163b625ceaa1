import numpy as np
import pytest
from numpy.typing import NDArray

from terrainpaint.core.contours import INDEX_EVERY, contour_interval_m, contour_lines


def ramp(rise_m: float, width: int = 400) -> NDArray[np.float32]:
    """Heights of 4 rows that rise by `rise_m` from column to column, from 1 m on."""
    return np.tile(1 + rise_m * np.arange(width, dtype=np.float32), (4, 1))


def test_a_plane_has_lines_at_the_multiples_of_the_interval_and_stronger_ones_at_each_fifth() -> None:
    cover = contour_lines(ramp(1.0), 20.0)
    assert cover.shape == (4, 400) and cover.dtype == np.float32
    assert (cover == cover[0]).all()
    row = cover[0]
    peaks = [col for col in range(1, 399) if row[col] > 0.2 and row[col] >= max(row[col - 1], row[col + 1])]
    assert peaks == [20 * line - 1 for line in range(1, 20)], "heights of 20, 40, 60 … m"
    strength = row[peaks]
    index = np.arange(1, 20) % INDEX_EVERY == 0
    assert strength[index].min() > strength[~index].max()


def test_lines_are_as_wide_on_steep_ground_as_on_gentle_ground() -> None:
    gentle, steep = (contour_lines(ramp(rise), interval)[0].sum() for rise, interval in ((0.5, 20.0), (4.0, 160.0)))
    assert gentle == pytest.approx(steep, rel=0.15), "as many lines cover as much"


def test_lines_fade_where_they_would_run_together() -> None:
    assert contour_lines(ramp(20.0), 20.0).max() < contour_lines(ramp(2.0), 20.0).max()
    assert contour_lines(ramp(100.0), 20.0).max() == 0, "several lines in each pixel would cover all of it"


def test_level_ground_has_no_line_even_at_a_round_height() -> None:
    assert contour_lines(np.full((9, 9), 200, np.float32), 20.0).max() == 0


def test_there_is_no_line_at_zero() -> None:
    cover = contour_lines(np.tile(np.arange(-15, 16, dtype=np.float32), (3, 1)), 10.0)
    assert cover[0, 15] == 0 and cover[0, [5, 25]].min() > 0.3


@pytest.mark.parametrize(
    ("low", "high", "rise", "metres_per_px", "interval"),
    [
        (0, 4000, 0.1, 2000, 500), (0, 4000, 0.1, 500, 200), (0, 4000, 0.1, 1, 50), (0, 4000, 5, 1e6, 500),
        (-20, 10, 0.001, 10, 0.2), (3, 3, 1e-6, 1, 1e-3),
    ],
)  # fmt: skip
def test_the_interval_follows_zoom_and_range(
    low: float, high: float, rise: float, metres_per_px: float, interval: float
) -> None:
    assert contour_interval_m(low, high, rise, metres_per_px) == pytest.approx(interval)
