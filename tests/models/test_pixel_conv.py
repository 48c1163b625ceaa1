"""Convolutions of single pixels: the same values with one thread as with several, and gradients."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from terrainpaint.models.pixel_conv import PixelConv, both_of, pixel_conv

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
