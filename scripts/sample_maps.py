"""Measure weights on the sample maps with ten seeds: the numbers of docs/quality.md that need no real land.

    python -m scripts.sample_maps WEIGHTS.safetensors

Prints how similar seeds are, whether levelled water is level, how steep coasts are before and after levelling, and the
time for 512 x 512 px.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import time
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.assets import asset_path
from terrainpaint.core.classes import WATER
from terrainpaint.core.map_files import read_map
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.core.terrain import Recipe
from terrainpaint.core.water import levelled
from terrainpaint.generation.generator import Generator
from trainer.systems.terrain.evaluation.height_statistics import coast_counts

MAPS = ("coast", "archipelago", "highlands")
SEEDS = 10
_DETAIL_PX = 8.0
_FROM_LAND_PX = 3
_RUNS = 8


def correlations(lands: list[NDArray[np.float32]]) -> list[float]:
    """Correlation of each pair of arrays (H, W)."""
    table = np.atleast_2d(np.corrcoef(np.stack([land.ravel() for land in lands])))
    return [float(table[pair]) for pair in itertools.combinations(range(len(lands)), 2)]


def spread_of_levels(height: NDArray[np.float32], ids: NDArray[np.uint8]) -> float:
    """Largest difference of heights (H, W) within a body of water of a map, metres; 0 when there is no water."""
    water = (ids == WATER).astype(np.uint8)
    # The erosion removes painted rivers, which keep their slope, so lakes that only a river connects count as two.
    inside = cv2.erode(water, np.ones((2 * _FROM_LAND_PX + 1,) * 2, np.uint8))
    count, bodies = cv2.connectedComponents(inside, connectivity=8)
    return max((float(np.ptp(height[bodies == number])) for number in range(1, count)), default=0.0)


def report(generator: Generator, name: str) -> str:
    """One line of results for a sample map."""
    painted = read_map(asset_path(f"maps/{name}.png"))
    lands = [generator.terrain(painted, Recipe(seed)).height for seed in range(SEEDS)]
    flat = [levelled(land, painted.ids) for land in lands]
    relief = correlations([land - cv2.GaussianBlur(land, (0, 0), _DETAIL_PX) for land in lands])
    water = painted.ids == WATER
    before, after = (
        np.sum([coast_counts(land, painted.ids, water) for land in group], axis=0) for group in (lands, flat)
    )
    level = max(spread_of_levels(land, painted.ids) for land in flat)
    return (
        f"{name}: seeds: correlation of relief {min(relief):.2f} to {max(relief):.2f}, of heights at least "
        f"{min(correlations(lands)):.2f}; levelled: levels differ by at most {level:.2f} m; steps over 30 m at "
        f"{before[5] / before[4]:.1%} of the shore, levelled {after[5] / after[4]:.1%}"
    )


def seconds(generator: Generator, painted: SegmentationMap) -> list[float]:
    """Times to generate a map, seconds, without the first run."""
    times = []
    for _ in range(_RUNS + 1):
        start = time.perf_counter()
        generator.terrain(painted, Recipe(1))
        times.append(time.perf_counter() - start)
    return times[1:]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Measure weights on the sample maps.")
    parser.add_argument("weights", type=Path)
    exact = Generator.load(parser.parse_args().weights, "cpu")
    for name in MAPS:
        print(report(exact, name))
    coast = read_map(asset_path("maps/coast.png"))
    for kind, network in (("exactly", exact), ("as a preview", exact.previewing())):
        times = seconds(network, coast)
        print(f"coast {kind}: {statistics.median(times):.3f} s, at best {min(times):.3f} s")
