"""The shadow generator: it shades relief only, locally, and by true slopes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from terrainpaint.models.shadow import ShadowConfig, ShadowGenerator, shaded, slopes
from tests.models import small

NETWORK = small.shadow()
PIXEL_SIZE_M = 2000.0
# In float32, the order of a sum may depend on the size of the picture.
ROUNDING = 1e-6
REACH_PX = 1
"""A shaded pixel depends on heights up to this far north and west, and one pixel more to the south and east."""


@pytest.fixture(autouse=True)
def _inference() -> Iterator[None]:
    with torch.inference_mode():
        yield


def hills(height: int, width: int) -> Tensor:
    """(1, 1, height, width) metres, not steep enough for saturation, and different at every pixel."""
    source = torch.Generator().manual_seed(2)
    return 2000 + 400 * torch.randn(1, 1, height, width, generator=source)


@pytest.mark.parametrize("hidden", [1, 8, 32, 48])
@pytest.mark.parametrize("bfloat16", [False, True], ids=["float32", "bfloat16"])
def test_level_ground_is_not_shaded(hidden: int, bfloat16: bool) -> None:
    network = ShadowGenerator(ShadowConfig(hidden))
    small.randomise(network, 1)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bfloat16):
        for size in ((4, 4), (5, 9), (67, 131)):
            for level in (0.0, 8848.86, -400.0):
                brightness = network(torch.full((1, 1, *size), level), PIXEL_SIZE_M)
                assert brightness.dtype == torch.float32
                assert float(brightness.abs().max()) < ROUNDING


def test_slopes_are_shaded() -> None:
    brightness = NETWORK(hills(40, 50), PIXEL_SIZE_M)
    assert brightness.shape == (1, 1, 37, 47)
    assert float(brightness.std()) > 0.05


def test_sea_level_does_not_matter() -> None:
    ground = (hills(20, 20) / 8).round() * 8  # so that adding 4096 m is exact
    torch.testing.assert_close(
        NETWORK(ground, PIXEL_SIZE_M), NETWORK(ground + 4096, PIXEL_SIZE_M), rtol=0, atol=ROUNDING
    )


def test_the_same_slopes_with_another_pixel_size_give_the_same_shading() -> None:
    ground = hills(20, 20)
    torch.testing.assert_close(NETWORK(ground, 2000.0), NETWORK(ground / 4, 500.0), rtol=0, atol=ROUNDING)


def test_one_height_changes_the_shading_only_around_it() -> None:
    before = torch.full((1, 1, 21, 21), 100.0)
    after = before.clone()
    after[0, 0, 10, 10] += 300
    change = (NETWORK(before, PIXEL_SIZE_M) - NETWORK(after, PIXEL_SIZE_M)).abs()[0, 0]
    # Row 0 of the output is row 1 of the heights. A pixel reads one pixel more to the south and east.
    for index in (change > ROUNDING).nonzero(as_tuple=True):
        assert int(index.min()) + 1 == 10 - (REACH_PX + 1)
        assert int(index.max()) + 1 == 10 + REACH_PX


@settings(max_examples=25)
@given(ends=st.tuples(*[st.integers(0, 40)] * 2, *[st.integers(0, 50)] * 2))
def test_any_tile_equals_that_part_of_the_whole(ends: tuple[int, int, int, int]) -> None:
    top, bottom = min(ends[:2]), max(ends[:2]) + 4
    left, right = min(ends[2:]), max(ends[2:]) + 4
    ground = hills(44, 54)
    whole, tile = NETWORK(ground, PIXEL_SIZE_M), NETWORK(ground[:, :, top:bottom, left:right], PIXEL_SIZE_M)
    torch.testing.assert_close(tile, whole[:, :, top : bottom - 3, left : right - 3], rtol=0, atol=ROUNDING)


def test_slopes_are_compressed_rises_to_the_south_and_the_east() -> None:
    ramp = torch.arange(6.0)[:, None] * 20 + torch.arange(7.0) * 50
    result = slopes(ramp[None, None], 1000.0)
    assert result.shape == (1, 4, 5, 6)
    expected = torch.tensor([0.02 * 4, 0.05 * 4, 0.02 * 40, 0.05 * 40]).tanh()
    torch.testing.assert_close(result, expected[None, :, None, None].expand_as(result), rtol=1e-5, atol=0)


def test_slopes_of_high_plains_survive_bfloat16() -> None:
    plain = 5000 + torch.arange(40.0).expand(1, 1, 40, 40) * 0.5
    with torch.autocast("cpu", dtype=torch.bfloat16):
        result = slopes(plain, PIXEL_SIZE_M)
    assert result.dtype == torch.float32
    torch.testing.assert_close(result[:, 3], torch.full_like(result[:, 3], 0.01).tanh(), rtol=1e-4, atol=0)


def test_shading_adds_the_same_to_every_colour() -> None:
    albedo = torch.rand(1, 3, 5, 6, generator=torch.Generator().manual_seed(1))
    brightness = torch.linspace(-0.2, 0.2, 30).reshape(1, 1, 5, 6)
    torch.testing.assert_close(shaded(albedo, brightness) - albedo, brightness.expand(1, 3, 5, 6))
