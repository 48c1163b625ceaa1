"""Natural shapes of the second version, against what `guides.shape_of` measures on real mountain and hills."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from terrainpaint.models.grooves import Draw
from terrainpaint.models.guides import SHAPE_LIMIT
from terrainpaint.models.main_crests import displacements
from terrainpaint.models.natural_ranges import natural_ranges
from terrainpaint.models.natural_shapes import NATURAL_SHAPES
from terrainpaint.models.noise import world_noise
from terrainpaint.models.windows import Area
from trainer.metrics.crests import direction_strength

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _inference() -> Iterator[None]:
    with torch.inference_mode():
        yield


def drawn(*seeds: int, device: torch.device = CPU) -> Draw:
    def draw(plane: int, channels: int, at: Area) -> Tensor:
        (top, bottom), (left, right) = at
        return world_noise(seeds, plane, channels, (top, left), (bottom - top, right - left), device)

    return draw


@pytest.fixture(scope="module")
def shapes() -> NDArray[np.float32]:
    with torch.inference_mode():
        return natural_ranges(drawn(*range(40)), ((0, 64), (0, 64)))[:, 0].numpy()


def test_tiles_fit_and_follow_the_seed() -> None:
    whole = natural_ranges(drawn(7), ((-40, 60), (-10, 130)))
    part = natural_ranges(drawn(7), ((-13, 21), (30, 77)))
    assert whole.shape == (1, 1, 100, 140)
    assert float((whole[..., 27:61, 40:87] - part).abs().max()) < 1e-3
    both = natural_ranges(drawn(7, 8), ((-13, 21), (30, 77)))
    assert torch.allclose(both[:1], part, atol=1e-3) and float((both[1:] - part).abs().mean()) > 0.3


def test_values_are_distributed_as_on_real_land(shapes: NDArray[np.float32]) -> None:
    # Real mountain and hills: means 0.13 and 0.02, deviations 0.83 and 0.90, skews -0.3 and 0.1.
    assert abs(float(shapes.mean())) < 0.15 and 0.75 < float(shapes.std()) < 1.05
    assert float(np.abs(shapes).max()) <= SHAPE_LIMIT
    skew = float((((shapes - shapes.mean()) / shapes.std()) ** 3).mean())
    assert abs(skew) < 0.5


def test_widths_are_as_strong_as_on_real_land(shapes: NDArray[np.float32]) -> None:
    window = np.hanning(64)
    power = np.abs(np.fft.fft2((shapes - shapes.mean(axis=(1, 2), keepdims=True)) * np.outer(window, window))) ** 2
    frequency = np.hypot(np.fft.fftfreq(64)[:, None], np.fft.fftfreq(64)[None])

    def fraction(shortest: float, longest: float) -> float:
        inside = (frequency <= 1 / shortest) & (frequency > 1 / longest)
        return float(power[:, inside].sum() / power[:, frequency > 1 / 65].sum())

    # Real mountain and hills, of wavelengths of 3 to 8 cells: 0.13 and 0.11; 8 to 16: 0.26; 16 to 32: 0.36; 32 to 64:
    # 0.15 and 0.17.
    assert 0.06 < fraction(3, 8) < 0.14
    assert 0.2 < fraction(8, 16) < 0.3
    assert 0.3 < fraction(16, 32) < 0.43
    assert 0.13 < fraction(32, 64) < 0.24


def test_crests_stay_parallel_as_far_as_on_real_land(shapes: NDArray[np.float32]) -> None:
    # By direction in squares of 32 cells; over a large area there is no common one.
    squares = [shape[row : row + 32, col : col + 32] for shape in shapes for row in (0, 32) for col in (0, 32)]
    near = [direction_strength(square) for square in squares]
    far = [direction_strength(shape[0].numpy()) for shape in natural_ranges(drawn(1, 2, 3), ((0, 512), (0, 512)))]
    assert 0.1 < float(np.mean(near)) < 0.35
    assert float(np.mean(far)) < 0.06


@pytest.mark.parametrize("version", NATURAL_SHAPES)
def test_shapes_are_computed_on_the_device_of_the_noise(version: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: nullcontext())  # it does not know the device "meta"

    class OneDevice(TorchDispatchMode):
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            given = [value for value in tree_leaves((args, kwargs)) if isinstance(value, Tensor) and value.ndim]
            assert len({value.device for value in given}) <= 1, func
            return func(*args, **(kwargs or {}))

    draw, area = drawn(1, 2, device=torch.device("meta")), ((-5, 35), (64, 100))
    with OneDevice():
        shape, moves = NATURAL_SHAPES[version](draw, area), displacements(draw, area)
    assert shape.is_meta and shape.shape == (2, 1, 40, 36) and moves.is_meta and moves.shape == (2, 2, 40, 36)
