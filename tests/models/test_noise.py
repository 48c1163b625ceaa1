"""Noise from coordinates: the same numbers on every machine and for every tiling, and without structure."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from terrainpaint.models.noise import Noise, rerolled, seeded, weighted, world_noise
from terrainpaint.models.windows import Area

CPU = torch.device("cpu")
STEP = np.float32(0.006765)
MASK_32, MASK_64 = (1 << 32) - 1, (1 << 64) - 1


def totals(seed: int, level: int, channel: int, origin: tuple[int, int], size: tuple[int, int]) -> NDArray[np.int64]:
    """The noise as integers in -510..510. Fails when a value is not an exact multiple of the step."""
    values = world_noise([seed], level, channel + 1, origin, size, CPU)[0, channel].numpy()
    whole = np.rint(values / STEP).astype(np.int64)
    np.testing.assert_array_equal(values, whole.astype(np.float32) * STEP)
    return whole


def reference(seed: int, level: int, channel: int, origin: tuple[int, int], size: tuple[int, int]) -> NDArray[np.int64]:
    """An independent implementation in unsigned arithmetic: SplitMix64 for the key, MurmurHash3 for the coordinates."""
    state = seed & MASK_64
    for part in (level, channel):
        state = (state + 0x9E3779B97F4A7C15 * (part + 1)) & MASK_64
        state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9 & MASK_64
        state = (state ^ (state >> 27)) * 0x94D049BB133111EB & MASK_64
        state ^= state >> 31
    key = np.uint64(state & MASK_32)
    rows = unsigned(origin[0], size[0])[:, None]
    cols = unsigned(origin[1], size[1])[None, :]
    bits = murmur(murmur((rows * np.uint64(0x9E3779B1) + key) & np.uint64(MASK_32)) + cols * np.uint64(0x85EBCA77))
    return bits.astype("<u4")[..., None].view(np.uint8).sum(axis=-1, dtype=np.int64) - 510


def unsigned(start: int, count: int) -> NDArray[np.uint64]:
    return np.array([value & MASK_32 for value in range(start, start + count)], np.uint64)


def murmur(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    x = x & np.uint64(MASK_32)
    x = (x ^ x >> np.uint64(16)) * np.uint64(0x85EBCA6B) & np.uint64(MASK_32)
    x = (x ^ x >> np.uint64(13)) * np.uint64(0xC2B2AE35) & np.uint64(MASK_32)
    return x ^ x >> np.uint64(16)


PINNED = [
    ((0, 0, 0, (0, 0)), [[-198, 152, -47], [75, -119, 299]]),
    ((7, 0, 0, (0, 0)), [[-173, 205, -102], [106, 248, -322]]),
    ((7, 1, 0, (0, 0)), [[99, -86, -141], [87, -56, 160]]),
    ((7, 0, 1, (0, 0)), [[-124, 145, -304], [265, -172, -180]]),
    ((7, 258, 1, (-2, -3)), [[25, -170, -202], [39, -37, 69]]),
    ((-1, 64, 0, (100_000, -100_000)), [[-218, -129, -74], [235, -19, -102]]),
    ((123_456_789_012_345_678_901_234_567_890, 3, 2, (5, 8)), [[-26, -7, 70], [218, 253, -82]]),
]


@pytest.mark.parametrize(("place", "expected"), PINNED)
def test_bits_never_change(place: tuple[int, int, int, tuple[int, int]], expected: list[list[int]]) -> None:
    """Projects store seeds, so a change here changes the terrain of every project."""
    assert totals(*place, (2, 3)).tolist() == expected
    assert reference(*place, (2, 3)).tolist() == expected


ORIGINS = st.tuples(st.integers(-(1 << 20), 1 << 20), st.integers(-(1 << 20), 1 << 20))
SIZES = st.tuples(st.integers(1, 20), st.integers(1, 20))
SEEDS = st.integers(-(1 << 70), 1 << 70)


@given(seed=SEEDS, level=st.integers(0, 300), channel=st.integers(0, 3), origin=ORIGINS, size=SIZES)
def test_equal_to_an_independent_implementation(
    seed: int, level: int, channel: int, origin: tuple[int, int], size: tuple[int, int]
) -> None:
    np.testing.assert_array_equal(
        totals(seed, level, channel, origin, size), reference(seed, level, channel, origin, size)
    )


@settings(max_examples=50)
@given(seed=SEEDS, origin=ORIGINS, size=SIZES, inner=st.tuples(*[st.floats(0, 1)] * 4))
def test_windows_are_parts_of_one_plane(
    seed: int, origin: tuple[int, int], size: tuple[int, int], inner: tuple[float, ...]
) -> None:
    top, bottom = sorted(round(end * size[0]) for end in inner[:2])
    left, right = sorted(round(end * size[1]) for end in inner[2:])
    whole = world_noise([seed], 2, 2, origin, size, CPU)
    part = world_noise([seed], 2, 2, (origin[0] + top, origin[1] + left), (bottom - top, right - left), CPU)
    assert torch.equal(whole[:, :, top:bottom, left:right], part)


def test_seeds_of_a_batch_are_those_of_single_calls() -> None:
    seeds = [3, -3, 1 << 65, 3]
    batch = world_noise(seeds, 5, 2, (-7, 9), (6, 8), CPU)
    assert batch.shape == (4, 2, 6, 8)
    assert batch.dtype == torch.float32
    for index, seed in enumerate(seeds):
        assert torch.equal(batch[index : index + 1], world_noise([seed], 5, 2, (-7, 9), (6, 8), CPU))


@given(seed=SEEDS)
@settings(max_examples=20)
def test_seeds_are_taken_modulo_2_to_the_64(seed: int) -> None:
    for same in (seed + (1 << 64), seed & MASK_64):
        np.testing.assert_array_equal(totals(seed, 0, 0, (0, 0), (3, 3)), totals(same, 0, 0, (0, 0), (3, 3)))


def test_more_channels_do_not_change_the_first() -> None:
    assert torch.equal(world_noise([1], 0, 5, (0, 0), (9, 9), CPU)[:, :2], world_noise([1], 0, 2, (0, 0), (9, 9), CPU))


SIDE = 700
SIGMA = 1 / SIDE  # standard deviation of the mean, or of a correlation, of this number of independent values


def plane(seed: int = 11, level: int = 0, channel: int = 0, origin: tuple[int, int] = (-300, -350)) -> torch.Tensor:
    return world_noise([seed], level, channel + 1, origin, (SIDE, SIDE), CPU)[0, channel]


@pytest.mark.parametrize("seed", [0, 1, 2, -1, 1 << 40])
def test_mean_and_variance(seed: int) -> None:
    values = plane(seed).double()
    assert abs(values.mean()) < 5 * SIGMA
    assert abs(values.var() - 1) < 8 * SIGMA
    assert abs((values**3).mean()) < 20 * SIGMA
    # The sum of four uniform numbers has a kurtosis of 2.7, a normal distribution 3.
    assert abs((values**4).mean() - 2.7) < 40 * SIGMA
    # In each row and column too, so there are no streaks.
    for axis in (0, 1):
        assert values.mean(dim=axis).abs().max() < 5.5 / SIDE**0.5
        assert (values.var(dim=axis) - 1).abs().max() < 8 / SIDE**0.5


def test_neighbours_do_not_correlate() -> None:
    values = plane()
    for row, col in itertools.product(range(-4, 5), range(5)):
        if (row, col) > (0, 0) or col:
            here = values[max(0, row) : SIDE + min(0, row), col:]
            there = values[max(0, -row) : SIDE + min(0, -row), : SIDE - col]
            assert abs((here * there).mean()) < 5 * SIGMA, (row, col)


def test_channels_levels_and_seeds_do_not_correlate() -> None:
    planes = [plane(*key) for key in itertools.product((0, 1, -1), (0, 1, 64), (0, 1))]
    stack = torch.stack(planes).flatten(1)
    correlations = stack @ stack.T / stack.shape[1] - torch.eye(len(planes))
    correlations.fill_diagonal_(0)
    assert correlations.abs().max() < 5.5 * SIGMA


def test_channels_levels_and_seeds_are_not_shifts_of_one_plane() -> None:
    spectrum = [torch.fft.rfft2(plane(*key)) for key in ((0, 0, 0), (0, 0, 1), (0, 1, 0), (1, 0, 0), (2, 0, 0))]
    for one, other in itertools.combinations(spectrum, 2):
        moved = torch.fft.irfft2(one * other.conj(), s=(SIDE, SIDE)) / SIDE**2
        assert moved.abs().max() < 7 * SIGMA


# Re-rolled and mixed noise

WINDOW: Area = ((-32, 64), (48, 112))


def level_noise(noise: Noise, level: int, at: Area | None = None) -> torch.Tensor:
    """(C, h, w) of an area of the level, by default all of `WINDOW`."""
    rows, cols = at or ((WINDOW[0][0] >> level, WINDOW[0][1] >> level), (WINDOW[1][0] >> level, WINDOW[1][1] >> level))
    return noise(level, 3, (rows, cols), CPU)[0]


def some_rerolls() -> NDArray[np.uint8]:
    """Two rectangles, of 1 and of 200, in a window of zeros."""
    rerolls = np.zeros([span[1] - span[0] for span in WINDOW], np.uint8)
    rerolls[10:53, 7:30] = 1
    rerolls[40:90, 20:60] = 200
    return rerolls


@pytest.mark.parametrize("level", range(5))
@pytest.mark.parametrize("seed", [0, -3, 1 << 65])
def test_without_rerolls_it_is_the_noise_of_the_seed(level: int, seed: int) -> None:
    none = np.zeros_like(some_rerolls())
    assert torch.equal(level_noise(rerolled(seed, none, WINDOW), level), level_noise(seeded([seed]), level))


@pytest.mark.parametrize("level", range(5))
def test_the_noise_changes_only_where_it_is_rerolled_and_depends_on_the_number(level: int) -> None:
    rerolls = some_rerolls()
    old, new = level_noise(seeded([5]), level), level_noise(rerolled(5, rerolls, WINDOW), level)
    cell = 1 << level
    of_cell = torch.from_numpy(rerolls[cell // 2 :: cell, cell // 2 :: cell])
    assert torch.equal(new[:, of_cell == 0], old[:, of_cell == 0])
    for count in (1, 200):
        everywhere = level_noise(rerolled(5, np.full_like(rerolls, count), WINDOW), level)
        assert torch.equal(new[:, of_cell == count], everywhere[:, of_cell == count])
        assert (everywhere != old).float().mean() > 0.9


@pytest.mark.parametrize("level", range(5))
def test_a_tile_has_the_rerolled_noise_of_the_whole(level: int) -> None:
    rerolls = some_rerolls()
    whole = level_noise(rerolled(5, rerolls, WINDOW), level)
    window = (WINDOW[0][0] + 32, WINDOW[0][1] - 16), (WINDOW[1][0] + 16, WINDOW[1][1])
    at = tuple((span[0] >> level, span[1] >> level) for span in window)
    part = level_noise(rerolled(5, rerolls[32:-16, 16:], window), level, (at[0], at[1]))
    assert torch.equal(part, whole[:, 32 >> level : -16 >> level, 16 >> level :])


def test_rerolled_noise_is_independent_of_the_old_one() -> None:
    at: Area = ((0, SIDE), (0, SIDE))
    planes = [seeded([5])(0, 0, at, CPU)[0, 0]]
    planes += [rerolled(5, np.full((SIDE, SIDE), count, np.uint8), at)(0, 0, at, CPU)[0, 0] for count in (1, 2, 255)]
    planes.append(rerolled(6, np.full((SIDE, SIDE), 1, np.uint8), at)(0, 0, at, CPU)[0, 0])
    stack = torch.stack(planes).flatten(1)
    correlations = stack @ stack.T / stack.shape[1] - torch.eye(len(planes))
    assert correlations.abs().max() < 8 * SIGMA


def test_a_weighted_sum_of_noises_keeps_the_variance() -> None:
    at: Area = ((0, SIDE), (-SIDE, 0))
    one, other = seeded([1]), seeded([2])
    assert torch.equal(weighted([(one, 1.0)])(2, 1, at, CPU), one(2, 1, at, CPU))
    both = weighted([(one, 0.6), (other, 0.8)])(2, 1, at, CPU)
    assert abs(both.double().var() - 1) < 8 * SIGMA
    assert torch.equal(both, one(2, 1, at, CPU) * 0.6 + other(2, 1, at, CPU) * 0.8)
    part: Area = ((100, 137), (-200, -110))
    assert torch.equal(
        weighted([(one, 0.6), (other, 0.8)])(2, 1, part, CPU), both[:, :, 100:137, SIDE - 200 : SIDE - 110]
    )
