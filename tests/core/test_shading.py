import numpy as np
import pytest
from numpy.typing import NDArray

from terrainpaint.core.shading import hillshade, slope_deg, slope_deg_at, slope_tint, slopes


def plane(east: float, south: float, pixel_size_m: float = 10.0) -> NDArray[np.float32]:
    """A plane of 30 x 50 pixels that rises `east` metres per metre eastwards and `south` southwards."""
    row, column = np.mgrid[0:30, 0:50]
    return ((row * south + column * east) * pixel_size_m).astype(np.float32)


def test_level_ground_is_as_bright_as_the_sine_of_the_altitude() -> None:
    shade = hillshade(np.full((4, 6), 123.0, np.float32), 30.0, altitude_deg=30.0)
    assert shade.shape == (4, 6) and shade.dtype == np.float32
    np.testing.assert_allclose(shade, 0.5, atol=1e-6)


def test_a_slope_facing_the_light_is_white_and_one_facing_away_black() -> None:
    # Light from the north-west, 45 degrees high; the ground falls to the north-west at 45 degrees.
    faced = plane(east=np.sqrt(0.5), south=np.sqrt(0.5))
    np.testing.assert_allclose(hillshade(faced, 10.0), 1.0, atol=1e-5)
    np.testing.assert_allclose(hillshade(-faced, 10.0), 0.0, atol=1e-5)


@pytest.mark.parametrize(("azimuth_deg", "east", "south"), [(0, 0, 0.5), (90, -0.5, 0), (180, 0, -0.5), (270, 0.5, 0)])
def test_azimuth_is_clockwise_from_north(azimuth_deg: float, east: float, south: float) -> None:
    tilt = np.arctan(0.5)
    shade = hillshade(plane(east, south), 10.0, azimuth_deg, 45.0)
    np.testing.assert_allclose(shade, np.cos(np.pi / 4 - tilt), atol=1e-5)


def test_exaggeration_steepens() -> None:
    np.testing.assert_allclose(
        hillshade(plane(0.1, 0.2), 10.0, exaggeration=3.0), hillshade(plane(0.3, 0.6), 10.0), atol=1e-5
    )


def test_bands_join_without_a_seam() -> None:
    height = np.random.default_rng(3).normal(0, 50, (37, 21)).astype(np.float32)
    whole = slopes(height, 0, 37, (5.0, 7.0))
    for start, stop in ((0, 1), (0, 12), (12, 13), (13, 36), (36, 37)):
        for band, part in zip(whole, slopes(height, start, stop, (5.0, 7.0)), strict=True):
            np.testing.assert_array_equal(part, band[start:stop])


def test_illegal_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="pixel_size_m"):
        hillshade(plane(0, 0), 0.0)
    with pytest.raises(ValueError):
        hillshade(np.zeros((1, 5), np.float32), 1.0)


def test_slopes_of_some_pixels_are_those_of_all_of_them() -> None:
    height = np.random.default_rng(4).normal(0, 30, (23, 31)).astype(np.float32)
    rows, cols = np.arange(0, 23, 4), np.arange(2, 31, 3)
    expected = slope_deg(height * np.float32(1.5), 20.0)[rows][:, cols]
    np.testing.assert_allclose(slope_deg_at(height, rows, cols, 20.0, 1.5), expected, rtol=1e-4)


def test_the_tint_of_slopes_ends_at_the_steepest_one() -> None:
    tint = slope_tint(np.array([[0, 5, 10, 40]], np.float32), 10.0)[0].astype(int)
    assert tint[0].sum() > tint[1].sum() > tint[2].sum()
    assert (tint[2] == tint[3]).all()
