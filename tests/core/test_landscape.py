"""The numbers of land, on land whose numbers are known."""

import numpy as np
import pytest
from numpy.typing import NDArray

from terrainpaint.core.landscape import COLOUR_COUNT, FORM_COUNT, GROUPS, colours_of, form_of
from terrainpaint.core.smoothing import gaussian_blur

GRASS, FOREST = 1, 2


def group(form: NDArray[np.float32], name: str) -> NDArray[np.float32]:
    start = 0
    for each, count in GROUPS:
        if each == name:
            return form[start : start + count]
        start += count
    raise KeyError(name)


def rough(side: int = 128, seed: int = 0, sigma_px: float = 3.0) -> NDArray[np.float32]:
    noise = np.random.default_rng(seed).normal(0, 1, (side, side)).astype(np.float32)
    smooth = gaussian_blur(noise, sigma_px)
    return np.asarray(800 + 300 * smooth / smooth.std(), np.float32)


def test_flat_land_of_two_classes() -> None:
    ids = np.full((64, 64), GRASS, np.uint8)
    ids[:, 32:] = FOREST
    ids[:16, :16] = 0
    form = form_of(ids, np.full((64, 64), 500, np.float32), 2000.0)
    assert form.shape == (FORM_COUNT,) and form.dtype == np.float32
    assert np.square(group(form, "classes")).tolist() == pytest.approx([1 / 16, 7 / 16, 1 / 2, 0, 0, 0, 0])
    neighbours = np.square(group(form, "neighbours"))
    # Pairs in the order 01 02 … 12: on every fourth pixel, 4 + 4 steps from water to grass and 16 from grass to forest.
    assert neighbours[0] == pytest.approx(8 / 256) and neighbours[6] == pytest.approx(16 / 256)
    assert neighbours.sum() == pytest.approx(24 / 256)
    assert group(form, "heights") == pytest.approx(np.arcsinh(np.full(5, 5.0)))
    of_classes = group(form, "heights of the classes")
    assert of_classes[:2] == pytest.approx(np.arcsinh([5.0, 5.0])) and np.isnan(of_classes[2:]).all()
    # The water is in the upper left.
    assert (group(form, "place of the water") < 0).all()
    assert group(form, "islands and lakes") == pytest.approx(np.log1p(np.array([1, 1]) * 10_000 / (128 * 128)))


def test_slope_is_metres_a_kilometre() -> None:
    ids = np.full((96, 96), GRASS, np.uint8)
    ramp = np.tile(np.arange(96, dtype=np.float32) * 50, (96, 1))  # 50 m in 2 km
    form = form_of(ids, ramp, 2000.0)
    assert group(form, "slopes")[1] == pytest.approx(np.log1p(25), abs=0.01)
    # All slopes lie along the rows of the map: the cosine of twice that direction.
    assert group(form, "direction") == pytest.approx([1, 0, 1, 0], abs=0.01)
    # Half the ground and half the height: the same land.
    assert form_of(ids, ramp / 2, 1000.0) == pytest.approx(form, abs=1e-5, nan_ok=True)


def test_relief_is_where_its_waves_are() -> None:
    ids = np.full((128, 128), GRASS, np.uint8)
    fine, wide = (group(form_of(ids, rough(sigma_px=sigma), 2000.0), "relief") for sigma in (0.8, 8.0))
    assert fine.argmax() < wide.argmax()


def test_the_size_of_the_land_hardly_matters() -> None:
    ids = np.full((1536, 1536), GRASS, np.uint8)
    height = rough(1536)
    small, large = form_of(ids[:256, :256], height[:256, :256], 2000.0), form_of(ids, height, 2000.0)
    np.testing.assert_allclose(small, large, atol=0.25)


def test_colours_are_those_of_land() -> None:
    ids = np.full((64, 64), GRASS, np.uint8)
    ids[:, :20] = 0
    picture = np.full((64, 64, 3), 255, np.uint8)
    picture[:, :40] = (0, 0, 255)
    all_white = colours_of(np.where(np.arange(64) < 52, 0, ids).astype(np.uint8), picture)
    assert all_white.shape == (COLOUR_COUNT,) and all_white == pytest.approx([100, 0, 0, 0, 0, 0], abs=2)
    assert np.isnan(colours_of(np.zeros_like(ids), picture)).all()
    mixed = colours_of(ids, picture)
    assert 32 < mixed[0] < 100 and (mixed[3:] > 1).all()


def test_land_of_nothing_but_water_has_numbers() -> None:
    form = form_of(np.zeros((64, 64), np.uint8), np.full((64, 64), -300, np.float32), 2000.0)
    assert np.isfinite(form[: -len(group(form, "heights of the classes"))]).all()
