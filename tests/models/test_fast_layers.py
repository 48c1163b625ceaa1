"""Layers that are faster than those of PyTorch: the same values and gradients, with any number of threads."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from terrainpaint.models.fast_layers import (
    PixelConv,
    ShuffledConv,
    both_of,
    halved_means,
    joined,
    pixel_conv,
    pixel_norm,
    upsampled,
)

SHAPE = 1, 12, 50, 60


@pytest.fixture
def x() -> Tensor:
    return torch.randn(SHAPE, generator=torch.Generator().manual_seed(1)).contiguous(memory_format=torch.channels_last)


@pytest.fixture(params=[1, 2], ids=["one thread", "two threads"])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.mark.parametrize("size", [3, 50])
def test_it_is_a_matrix_product_of_each_pixel(x: Tensor, threads: int, size: int) -> None:
    layer = PixelConv(12, 32)
    part = x[..., :size, :size]
    expected = torch.einsum("oc,nchw->nohw", layer.weight[:, :, 0, 0], part) + layer.bias[:, None, None]  # type: ignore[index]
    torch.testing.assert_close(layer(part), expected, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(pixel_conv(part, layer.weight), F.conv2d(part, layer.weight), rtol=1e-5, atol=1e-5)


def test_two_layers_by_one_convolution(x: Tensor, threads: int) -> None:
    one, other = PixelConv(12, 32), PixelConv(12, 5)
    for ours, layer in zip(both_of(x, one, other), (one, other), strict=True):
        torch.testing.assert_close(ours, layer(x), rtol=1e-5, atol=1e-5)


def test_gradients(x: Tensor, threads: int) -> None:
    gradients = []
    for convolve in (pixel_conv, F.conv2d):
        inputs = [part.clone().requires_grad_() for part in (x, torch.ones(4, 12, 1, 1) / 12, torch.zeros(4))]
        convolve(*inputs).square().sum().backward()
        gradients.append([part.grad for part in inputs])
    for ours, theirs in zip(*gradients, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("channels", [4, 12])
def test_upsampling_in_parts_is_the_same_to_the_bit(x: Tensor, threads: int, channels: int) -> None:
    few = x[:, :channels]
    for values in (few.contiguous(), few.contiguous(memory_format=torch.channels_last), few.expand(2, -1, -1, -1)):
        whole = F.interpolate(values, scale_factor=2, mode="bilinear", align_corners=False)
        assert torch.equal(upsampled(values), whole)


def test_a_shuffled_convolution_is_the_pixel_shuffle_of_it() -> None:
    layer = ShuffledConv(8, 3, 3)
    x = torch.randn((2, 8, 20, 31), generator=torch.Generator().manual_seed(3))
    for values in (x, x.contiguous(memory_format=torch.channels_last)):
        expected = F.pixel_shuffle(F.conv2d(values, layer.weight, layer.bias), 2)
        torch.testing.assert_close(layer(values), expected, rtol=1e-6, atol=1e-6)
        assert layer(values).is_contiguous(memory_format=torch.channels_last)


def test_the_norm_is_the_layer_norm_to_the_bit(x: Tensor) -> None:
    assert torch.equal(pixel_norm(x), F.layer_norm(x.permute(0, 2, 3, 1), (12,)).permute(0, 3, 1, 2))


def test_parts_in_several_formats_are_joined_with_channels_last(x: Tensor) -> None:
    parts = [x, x[:, :5].contiguous(), x[:, 3:4]]
    assert torch.equal(joined(parts), torch.cat(parts, dim=1))
    assert joined(parts).is_contiguous(memory_format=torch.channels_last)


def test_means_are_those_of_pooling_to_the_bit() -> None:
    x = torch.rand((2, 3, 12, 18), generator=torch.Generator().manual_seed(5))
    for values in (x, x.contiguous(memory_format=torch.channels_last)):
        assert torch.equal(halved_means(values), F.avg_pool2d(values, 2))
