"""Each measure against cases whose result is known."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.trainer.fields import noise
from trainer.metrics.features import mean_distance
from trainer.metrics.fid_kid import PlaceKid, fid, kid
from trainer.metrics.pairwise import pair_measures
from trainer.metrics.relief import autocorrelation_peak, finest_power, power_spectrum, spectral_exponent


def test_fid_of_moved_and_of_stretched_features() -> None:
    real = np.random.default_rng(0).normal(size=(500, 8)).astype(np.float32)
    move = np.arange(8, dtype=np.float32)
    assert fid(real, real) == pytest.approx(0, abs=1e-6)
    assert fid(real, real + move) == pytest.approx(float(move @ move), rel=1e-5)
    centred = real - real.mean(axis=0)
    # tr(C + 9 C - 2 sqrt(C 9 C)) = 4 tr(C)
    assert fid(centred, 3 * centred) == pytest.approx(4 * float(np.trace(np.cov(centred.T))), rel=1e-5)


def test_kid_is_the_unbiased_estimate_of_the_paper() -> None:
    random = np.random.default_rng(1)
    x, y = (random.normal(size=(6, 3)).astype(np.float32) for _ in range(2))
    count = len(x)

    def kernel(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
        return float((a.astype(float) @ b.astype(float) / 3 + 1) ** 3)

    within = sum(kernel(z[i], z[j]) for z in (x, y) for i in range(count) for j in range(count) if i != j)
    across = sum(kernel(a, b) for a in x for b in y)
    assert kid(x, y) == pytest.approx(within / (count * (count - 1)) - 2 * across / count**2)


def test_pictures_of_one_place_are_no_variety() -> None:
    """Ten pictures of each of six places, of two sets of places of one kind: KID tells them apart, as it should sets of
    which each has a sixth of its pictures alike; between places there is no difference."""
    random = np.random.default_rng(0)
    places = np.repeat(np.arange(6), 10)

    def pictures(shift: float = 0.0) -> NDArray[np.float32]:
        of_places = random.normal(shift, 1, (6, 64))[places]
        return np.asarray(of_places + random.normal(0, 0.1, of_places.shape), np.float32)

    first, second, other = pictures(), pictures(), pictures(2.0)
    alike, different = (PlaceKid.of(first, each, places, places + 6) for each in (second, other))
    assert kid(first, second) > 0.3
    assert abs(alike.value) < 2 * alike.error < 1
    assert different.value > 4 * different.error
    # Every place once: the estimate of all pairs.
    single = PlaceKid.of(first[::10], second[::10], places[::10], places[::10] + 6)
    assert single.value == pytest.approx(kid(first[::10], second[::10]))


def test_kid_separates_two_distributions() -> None:
    random = np.random.default_rng(2)
    first, second = (random.normal(size=(400, 16)).astype(np.float32) for _ in range(2))
    assert abs(kid(first, second)) < 0.05 < kid(first, second + 1)


def test_pairs_of_pictures() -> None:
    grey = np.full((32, 32, 3), 100, np.uint8)
    assert pair_measures(grey, grey).tolist() == pytest.approx([1, 100, 0, 0])
    lighter = grey + np.uint8(51)  # 0.4 in -1..1
    similar, ratio, difference, sharp = pair_measures(grey, lighter)
    assert similar < 1 and ratio == pytest.approx(20 * np.log10(2 / 0.4), abs=1e-3)
    assert (difference, sharp) == (pytest.approx(0.4), 0)
    dotted = grey.copy()
    dotted[16, 16] += 51
    # The Laplacian of a dot: four times it, and once in each of four neighbours.
    assert pair_measures(grey, dotted)[3] == pytest.approx(8 * 0.4 / 32**2, rel=1e-4)


def test_distances_of_all_pairs() -> None:
    assert mean_distance(np.array([[0, 0], [3, 4], [0, 0]], np.float32)) == pytest.approx(10 / 3)


@pytest.mark.parametrize("exponent", [2.0, 3.0])
def test_the_exponent_of_a_known_spectrum(exponent: float) -> None:
    power = np.mean([power_spectrum(noise(128, seed, exponent)) for seed in range(12)], axis=0)
    assert power.shape == (64,)
    assert spectral_exponent(power) == pytest.approx(exponent, abs=0.12)
    assert spectral_exponent(np.zeros(64)) is None


def test_only_detail_of_2_px_counts_as_finest() -> None:
    row, col = np.mgrid[:64, :64]
    mesh = (row % 2 + col % 2).astype(np.float32)
    assert finest_power(np.cos(2 * np.pi * row / 3)) < 1e-3 * finest_power(mesh)
    assert finest_power(np.stack([mesh] * 3, axis=2)) == pytest.approx(3 * finest_power(mesh))
    noise_2 = np.random.default_rng(0).normal(0, 2, (64, 64))
    assert finest_power(2 * noise_2) == pytest.approx(4 * finest_power(noise_2))


def test_repetition_is_found_at_any_shift() -> None:
    relief = np.random.default_rng(0).normal(size=(256, 256)).astype(np.float32)
    again = np.tile(relief[:64, :128], (4, 2))
    slope = np.linspace(0, 1000, 256, dtype=np.float32)[:, None]
    assert autocorrelation_peak(relief) < 0.05
    assert autocorrelation_peak(again) == pytest.approx(1, abs=1e-3)
    assert autocorrelation_peak(relief + 0.5 * again + slope) > 0.15
    assert autocorrelation_peak(np.zeros((128, 128), np.float32)) == 0
    # Correlation within the width of a ridge is no repetition.
    assert autocorrelation_peak(cv2.GaussianBlur(relief, (0, 0), 4)) < 0.2
