"""Averages over areas, of strips with gaps."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from terrainpaint.core.importing.area_average import AreaAverage


def shares(full: int, into: int) -> NDArray[np.float64]:
    """(into, full): the part of each pixel that lies in each area."""
    edges = np.arange(into + 1)[:, None] * full / into
    pixels = np.arange(full)[None]
    return np.clip(np.minimum(edges[1:], pixels + 1) - np.maximum(edges[:-1], pixels), 0, None)


SIZES = [((40, 60), (10, 15)), ((41, 67), (13, 29)), ((33, 35), (32, 34)), ((9, 7), (1, 1)), ((30, 30), (30, 30))]


@pytest.mark.parametrize(("full", "shape"), SIZES)
@pytest.mark.parametrize("strip", [1, 4, 100])
@pytest.mark.parametrize("gaps_in", ["nothing", "part", "most"])
def test_means_without_gaps(full: tuple[int, int], shape: tuple[int, int], strip: int, gaps_in: str) -> None:
    random = np.random.default_rng(1)
    numbers = random.normal(500, 100, full).astype(np.float32)
    gaps = random.random(full) < {"nothing": 0.0, "part": 0.3, "most": 0.95}[gaps_in]
    gaps[: full[0] // 2] &= gaps_in == "most"
    average = AreaAverage(shape, full)
    touched = np.zeros(shape, bool)
    for top in range(0, full[0], strip):
        rows = slice(top, top + strip)
        average.add(top, numbers[rows], gaps[rows])
        touched |= average.touched(top, gaps[rows])
    means, empty = average.result()
    down, across = shares(full[0], shape[0]), shares(full[1], shape[1])
    known = down @ ~gaps @ across.T
    area = full[0] * full[1] / (shape[0] * shape[1])
    np.testing.assert_array_equal(empty, known / area < 1e-3)
    expected = (down @ np.where(gaps, 0, numbers) @ across.T)[~empty] / known[~empty]
    np.testing.assert_allclose(means[~empty], expected, rtol=2e-3)
    np.testing.assert_array_equal(touched, down @ gaps @ across.T > 1e-6)
