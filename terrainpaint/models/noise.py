"""Noise from coordinates: a hash of (seed, level, channel, row, col), the same bits on every machine and for every
tiling.

Rows and columns are absolute, so a tile draws the same numbers that the whole map has there. It uses only 32-bit
integer arithmetic that wraps and one exact conversion to float32: no random state, no transcendental functions. The
mixing function is the finaliser of MurmurHash3 (A. Appleby, public domain). The sum of the four bytes of the hash is
close enough to a normal distribution (Irwin-Hall).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from terrainpaint.models.windows import Area, Span, cut, doubled, size_of

NOISE_CHANNELS = 2

Noise = Callable[[int, int, Area, torch.device], Tensor]
"""(level, index, area, device) → (N, NOISE_CHANNELS, h, w) float32. Each use of a level has its own index, below 64.
The area is in pixels of that level."""

_INDICES = 64
_REROLL = 1 << 40
_MASK_64 = (1 << 64) - 1


def seeded(seeds: Sequence[int]) -> Noise:
    """The noise for a batch of N seeds."""

    def draw(level: int, index: int, area: Area, device: torch.device) -> Tensor:
        return world_noise(seeds, level * _INDICES + index, NOISE_CHANNELS, _origin(area), size_of(area), device)

    return draw


def rerolled(seed: int, rerolls: NDArray[np.uint8], window: Area) -> Noise:
    """The noise (N = 1) of a seed, with other noise where the map was re-rolled.

    `rerolls` (h, w) uint8 covers `window`, which consists of whole pixels of every level that is asked for. Where it is
    0, the noise is that of `seeded`; where it is n > 0, that of another seed, which depends on n. A pixel of a coarse
    level uses the value at its middle.
    """
    present = np.flatnonzero(np.bincount(rerolls.ravel(), minlength=256))
    seeds = [_state(seed, _REROLL + int(count)) if count else seed for count in present]
    number = np.zeros(256, np.uint8)
    number[present] = np.arange(len(present))
    numbers = torch.from_numpy(number[rerolls])

    def draw(level: int, index: int, area: Area, device: torch.device) -> Tensor:
        rows, cols = (_middles(span, of, level) for span, of in zip(area, window, strict=True))
        keys = _keys(seeds, level * _INDICES + index, NOISE_CHANNELS, device)
        return _drawn(keys.T[:, numbers[rows, cols].to(device).long()][None], _origin(area), size_of(area))

    return draw


def weighted(parts: Sequence[tuple[Noise, float]]) -> Noise:
    """The weighted sum of noises. The variance stays 1 when the squares of the weights add up to 1."""
    (first, weight), *others = parts
    if not others:
        return first

    def draw(level: int, index: int, area: Area, device: torch.device) -> Tensor:
        total = first(level, index, area, device) * weight
        for noise, factor in others:
            total = total + noise(level, index, area, device) * factor
        return total

    return draw


def world_noise(
    seeds: Sequence[int],
    level: int,
    channels: int,
    origin: tuple[int, int],
    size: tuple[int, int],
    device: torch.device,
) -> Tensor:
    """(N, channels, *size) float32 with mean 0 and variance 1, for N seeds.

    A seed is any integer; seeds that are equal modulo 2**64 give the same noise. `origin` is the absolute (row, col) of
    the first value and may be negative. The noise of each `level` and channel is independent.
    """
    return _drawn(_keys(seeds, level, channels, device)[:, :, None, None], origin, size)


def _drawn(keys: Tensor, origin: tuple[int, int], size: tuple[int, int]) -> Tensor:
    """(N, C, *size) from keys (N, C, 1, 1) of channels, or (N, C, *size) of single pixels."""
    rows, cols = (
        torch.arange(start, start + length, dtype=torch.int32, device=keys.device)
        for start, length in zip(origin, size, strict=True)
    )
    mixed_rows = _mix(rows[:, None] * _signed(0x9E3779B1) + keys)
    bits = _mix(mixed_rows + cols * _signed(0x85EBCA77))
    # The sum of the four bytes: first of two pairs, then of both.
    pairs = (bits & 0x00FF00FF) + (bits >> 8).bitwise_and_(0x00FF00FF)
    total = (pairs & 0xFFFF) + (pairs >> 16)
    return total.sub_(510).to(torch.float32).mul_(0.006765)  # 1 / sqrt(4 * (256**2 - 1) / 12) to four digits


def _middles(span: Span, of: Span, level: int) -> slice:
    """The indices of the middles of a coarser span's pixels in an array that covers the span `of`."""
    cell = 1 << level
    first = cut(doubled(span, level), of).start + cell // 2
    return slice(first, first + (span[1] - span[0] - 1) * cell + 1, cell)


def _origin(area: Area) -> tuple[int, int]:
    return area[0][0], area[1][0]


def _mix(x: Tensor) -> Tensor:
    """The hash of int32 values, in their place."""
    x ^= _shifted(x, 16)
    x *= _signed(0x85EBCA6B)
    x ^= _shifted(x, 13)
    x *= _signed(0xC2B2AE35)
    x ^= _shifted(x, 16)
    return x


def _shifted(x: Tensor, bits: int) -> Tensor:
    # torch's >> fills with the sign bit, the hash needs zeros.
    return (x >> bits).bitwise_and_((1 << (32 - bits)) - 1)


def _signed(value: int) -> int:
    return value - (1 << 32) if value >= 1 << 31 else value


def _keys(seeds: Sequence[int], level: int, channels: int, device: torch.device) -> Tensor:
    """(N, channels) int32."""
    keys = [[_signed(_state(seed, level, channel) & 0xFFFFFFFF) for channel in range(channels)] for seed in seeds]
    return torch.tensor(keys, dtype=torch.int32, device=device)


def _state(seed: int, *parts: int) -> int:
    """A 64-bit hash of a seed and further numbers, with the steps of SplitMix64 (G. Steele et al., 2014)."""
    state = seed & _MASK_64
    for part in parts:
        state = (state + 0x9E3779B97F4A7C15 * (part + 1)) & _MASK_64
        state = ((state ^ state >> 30) * 0xBF58476D1CE4E5B9) & _MASK_64
        state = ((state ^ state >> 27) * 0x94D049BB133111EB) & _MASK_64
        state ^= state >> 31
    return state
