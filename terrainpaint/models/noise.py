"""Noise by place: a hash of (seed, level, channel, row, col), the same bits on every machine and for every tiling.

Rows and columns are absolute, so a tile draws the very numbers that the whole map has there. Only 32-bit integer
arithmetic that wraps, and one exact conversion to float32, are used: no random state, no transcendental function.
The mixing is the finaliser of MurmurHash3 (A. Appleby, public domain); a sum of the four bytes of the hash is near
enough to a normal distribution (Irwin-Hall).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

_MASK_64 = (1 << 64) - 1


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
    height, width = size
    keys = torch.tensor(
        [[_key(seed, level, channel) for channel in range(channels)] for seed in seeds],
        dtype=torch.int32,
        device=device,
    )
    rows = torch.arange(origin[0], origin[0] + height, dtype=torch.int32, device=device)
    cols = torch.arange(origin[1], origin[1] + width, dtype=torch.int32, device=device)
    mixed_rows = _mix(rows * _signed(0x9E3779B1) + keys[:, :, None])
    bits = _mix(mixed_rows[:, :, :, None] + cols * _signed(0x85EBCA77))
    total = (bits & 255) + (bits >> 8 & 255) + (bits >> 16 & 255) + (bits >> 24 & 255)
    return (total - 510).to(torch.float32) * 0.006765  # 1 / sqrt(4 * (256**2 - 1) / 12) to four digits


def _mix(x: Tensor) -> Tensor:
    x = (x ^ _shifted(x, 16)) * _signed(0x85EBCA6B)
    x = (x ^ _shifted(x, 13)) * _signed(0xC2B2AE35)
    return x ^ _shifted(x, 16)


def _shifted(x: Tensor, bits: int) -> Tensor:
    return x >> bits & ((1 << (32 - bits)) - 1)  # torch's >> keeps the sign, the hash wants zeros


def _signed(value: int) -> int:
    return value - (1 << 32) if value >= 1 << 31 else value


def _key(seed: int, level: int, channel: int) -> int:
    """A signed 32-bit key; the steps are those of SplitMix64 (G. Steele and others, 2014)."""
    state = seed & _MASK_64
    for part in (level, channel):
        state = (state + 0x9E3779B97F4A7C15 * (part + 1)) & _MASK_64
        state = ((state ^ state >> 30) * 0xBF58476D1CE4E5B9) & _MASK_64
        state = ((state ^ state >> 27) * 0x94D049BB133111EB) & _MASK_64
        state ^= state >> 31
    return _signed(state & 0xFFFFFFFF)
