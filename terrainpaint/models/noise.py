"""Noise by place: a hash of (seed, level, channel, row, col), the same bits on every machine and for every tiling.

Rows and columns are absolute, so a tile draws the very numbers that the whole map has there. Only 32-bit integer
arithmetic that wraps, and one exact conversion to float32, are used: no random state, no transcendental function.
The mixing is the finaliser of MurmurHash3 (A. Appleby, public domain); a sum of the four bytes of the hash is near
enough to a normal distribution (Irwin-Hall).
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
"""(level, index, place, device) → (N, NOISE_CHANNELS, h, w) float32. Each use of a level has an index of its own, below
64, and the place is counted in pixels of that level."""

_INDICES = 64
_REROLL = 1 << 40
_MASK_64 = (1 << 64) - 1


def seeded(seeds: Sequence[int]) -> Noise:
    """The noise of a batch of N seeds."""

    def draw(level: int, index: int, at: Area, device: torch.device) -> Tensor:
        return world_noise(seeds, level * _INDICES + index, NOISE_CHANNELS, _origin(at), size_of(at), device)

    return draw


def rerolled(seed: int, rerolls: NDArray[np.uint8], window: Area) -> Noise:
    """The noise (N = 1) of a seed that was drawn anew in places.

    `rerolls` (h, w) uint8 covers `window`, which is made of whole pixels of each level that is asked for: 0 draws what
    `seeded` draws, n > 0 what another seed would, one for each n. The pixel of a coarse level goes by its middle.
    """
    present = np.flatnonzero(np.bincount(rerolls.ravel(), minlength=256))
    seeds = [_state(seed, _REROLL + int(count)) if count else seed for count in present]
    number = np.zeros(256, np.uint8)
    number[present] = np.arange(len(present))
    numbers = torch.from_numpy(number[rerolls])

    def draw(level: int, index: int, at: Area, device: torch.device) -> Tensor:
        rows, cols = (_middles(span, of, level) for span, of in zip(at, window, strict=True))
        keys = _keys(seeds, level * _INDICES + index, NOISE_CHANNELS, device)
        return _drawn(keys.T[:, numbers[rows, cols].to(device).long()][None], _origin(at), size_of(at))

    return draw


def weighted(parts: Sequence[tuple[Noise, float]]) -> Noise:
    """Noises and their weights, added up; the squares of the weights are to add up to 1, as the variance does."""
    (first, weight), *others = parts
    if not others:
        return first

    def draw(level: int, index: int, at: Area, device: torch.device) -> Tensor:
        total = first(level, index, at, device) * weight
        for other, share in others:
            total = total + other(level, index, at, device) * share
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
    """(N, channels, *size) float32 with mean 0 and variance 1, one picture stack for each of N seeds.

    A seed is any integer; those that are equal modulo 2**64 draw the same. `origin` is the absolute (row, col) of the
    first value and may be negative. Each `level` and channel is a plane of its own.
    """
    return _drawn(_keys(seeds, level, channels, device)[:, :, None, None], origin, size)


def _drawn(keys: Tensor, origin: tuple[int, int], size: tuple[int, int]) -> Tensor:
    """(N, C, *size) from the keys (N, C, 1, 1) of planes, or (N, C, *size) of places."""
    rows, cols = (
        torch.arange(start, start + length, dtype=torch.int32, device=keys.device)
        for start, length in zip(origin, size, strict=True)
    )
    mixed_rows = _mix(rows[:, None] * _signed(0x9E3779B1) + keys)
    bits = _mix(mixed_rows + cols * _signed(0x85EBCA77))
    total = (bits & 255) + (bits >> 8 & 255) + (bits >> 16 & 255) + (bits >> 24 & 255)
    return (total - 510).to(torch.float32) * 0.006765  # 1 / sqrt(4 * (256**2 - 1) / 12) to four digits


def _middles(span: Span, of: Span, level: int) -> slice:
    """Where in an array over the pixels `of` the middles of the pixels of a coarser span are."""
    cell = 1 << level
    first = cut(doubled(span, level), of).start + cell // 2
    return slice(first, first + (span[1] - span[0] - 1) * cell + 1, cell)


def _origin(at: Area) -> tuple[int, int]:
    return at[0][0], at[1][0]


def _mix(x: Tensor) -> Tensor:
    x = (x ^ _shifted(x, 16)) * _signed(0x85EBCA6B)
    x = (x ^ _shifted(x, 13)) * _signed(0xC2B2AE35)
    return x ^ _shifted(x, 16)


def _shifted(x: Tensor, bits: int) -> Tensor:
    return x >> bits & ((1 << (32 - bits)) - 1)  # torch's >> keeps the sign, the hash wants zeros


def _signed(value: int) -> int:
    return value - (1 << 32) if value >= 1 << 31 else value


def _keys(seeds: Sequence[int], level: int, channels: int, device: torch.device) -> Tensor:
    """(N, channels) int32."""
    keys = [[_signed(_state(seed, level, channel) & 0xFFFFFFFF) for channel in range(channels)] for seed in seeds]
    return torch.tensor(keys, dtype=torch.int32, device=device)


def _state(seed: int, *parts: int) -> int:
    """64 bits of a seed and numbers; the steps are those of SplitMix64 (G. Steele and others, 2014)."""
    state = seed & _MASK_64
    for part in parts:
        state = (state + 0x9E3779B97F4A7C15 * (part + 1)) & _MASK_64
        state = ((state ^ state >> 30) * 0xBF58476D1CE4E5B9) & _MASK_64
        state = ((state ^ state >> 27) * 0x94D049BB133111EB) & _MASK_64
        state ^= state >> 31
    return state
