"""Direction and lines of fields whose ridges are known."""

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.trainer.fields import noise
from trainer.metrics.crests import direction_strength, line_lengths

SIDE = 64


def waves(angle_deg: float, wavelength_px: float = 12.0) -> NDArray[np.float32]:
    """(64, 64): parallel ridges whose slopes face this angle from the row axis."""
    row, col = np.mgrid[:SIDE, :SIDE]
    angle = np.radians(angle_deg)
    along = row * np.cos(angle) + col * np.sin(angle)
    return (100 * np.cos(2 * np.pi * along / wavelength_px)).astype(np.float32)


@pytest.mark.parametrize("angle_deg", [0, 30, 45, 90, 135])
def test_parallel_ridges_have_a_direction_at_every_angle(angle_deg: float) -> None:
    assert direction_strength(waves(angle_deg)) == pytest.approx(1, abs=0.06)


def test_crossing_ridges_and_level_land_have_none() -> None:
    assert direction_strength(waves(20) + waves(110)) < 0.02
    assert direction_strength(noise(256, 0, 3.0)) < 0.05
    assert direction_strength(np.zeros((SIDE, SIDE), np.float32)) == 0


@pytest.mark.parametrize("angle_deg", [0, 45, 90, 135])
def test_lines_are_as_long_as_the_ridges(angle_deg: float) -> None:
    crests, valleys = line_lengths(waves(angle_deg))
    # Straight ridges reach across the field, diagonal ones are of many lengths.
    for length in (crests, valleys):
        assert length == pytest.approx(SIDE - 2, abs=2) if angle_deg % 90 == 0 else 30 < length < SIDE


def test_broken_ridges_are_shorter_and_level_land_has_none() -> None:
    row, col = np.mgrid[:SIDE, :SIDE]
    hills = 100 * np.exp(-(((row % 16 - 8) / 2) ** 2) / 2 - ((col % 20 - 10) / 4) ** 2 / 2)
    assert 5 < line_lengths(hills.astype(np.float32))[0] < 20
    assert line_lengths(np.zeros((SIDE, SIDE), np.float32)) == (0, 0)
    crests, valleys = line_lengths(noise(SIDE, 1, 2.0))
    turned = line_lengths(-noise(SIDE, 1, 2.0))
    assert turned == pytest.approx((valleys, crests)) and 1 < crests < 30
