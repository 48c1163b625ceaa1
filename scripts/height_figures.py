"""How closely the land follows a painted height guide: the figures of docs/quality.md.

    python -m scripts.height_figures

For each style, on three sample maps of 512 x 512 px. *Strokes*: on the land of seed 0, twelve strokes of the tool
*Heights* raise, lower or smooth it, and the land of seeds 0 to 2 follows at full strength. *Everywhere*: all land is
painted with smooth heights that have nothing to do with it. Printed is the correlation of the heights of the land with
those of the guide, of the means of squares of 32 px of which at least half is painted land, with the guide and without.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from scripts.sample_maps import MAPS
from terrainpaint.core.assets import asset_path, shipped_styles
from terrainpaint.core.classes import WATER
from terrainpaint.core.height_guide import CELL_PX, HeightGuide
from terrainpaint.core.height_painting import HeightDabs, HeightMode
from terrainpaint.core.map_files import read_map
from terrainpaint.core.rects import Rect
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.core.terrain import Recipe
from terrainpaint.generation.generator import Generator

_Heights = NDArray[np.float32]
_SIDE = 512
_CELLS = _SIDE // CELL_PX
_SQUARE_PX = 32
_SEEDS = 0, 1, 2
_STROKES = 12
_SMOOTH_CELLS, _HIGHEST_M = 12.0, 3000.0


def main() -> int:
    """Print the figures of every style and return the exit code."""
    for style, weights in shipped_styles().items():
        generator = Generator.load(weights, "cpu")
        for name in MAPS:
            for line in _figures(generator, read_map(asset_path(f"maps/{name}.png"))):
                print(f"{style}, {name}, {line}", flush=True)
    return 0


def _figures(generator: Generator, painted: SegmentationMap) -> Iterator[str]:
    ids = painted.ids
    free = [generator.terrain(painted, Recipe(seed)).height for seed in _SEEDS]
    land = HeightGuide.of(free[0], (_SIDE, _SIDE), generator.header.pixel_size_m).heights
    for name, heights in (("strokes", _strokes(land)), ("everywhere", _smooth())):
        guide = HeightGuide(heights, generator.header.pixel_size_m)
        found = [
            (correlation(generator.terrain(painted, Recipe(seed), guide=guide).height, heights, ids),
             correlation(free[index], heights, ids))
            for index, seed in enumerate(_SEEDS)
        ]  # fmt: skip
        yield f"{name}: " + ", ".join(f"seed {seed} {ours:.3f} (without {bare:.3f})"
                                      for seed, (ours, bare) in zip(_SEEDS, found, strict=True))  # fmt: skip


def correlation(height: _Heights, guide: _Heights, ids: NDArray[np.uint8]) -> float:
    """Of the means of squares of painted land: `height` (H, W) with `guide` (H / 4, W / 4), NaN where land is free."""
    known = np.repeat(np.repeat(guide, CELL_PX, axis=0), CELL_PX, axis=1)
    counted = (~np.isnan(known) & (ids != WATER)).astype(np.float64)
    area = _squares(counted)
    is_painted = area >= 0.5
    ours, theirs = (_squares(np.where(counted > 0, each, 0))[is_painted] / area[is_painted] for each in (height, known))
    return float(np.corrcoef(ours, theirs)[0, 1])


def _squares(values: NDArray[np.floating]) -> NDArray[np.float64]:
    count = _SIDE // _SQUARE_PX
    return np.asarray(values.reshape(count, _SQUARE_PX, count, _SQUARE_PX).mean(axis=(1, 3), dtype=np.float64))


def _strokes(land: _Heights) -> _Heights:
    random = np.random.default_rng(7)
    heights = HeightGuide.empty((_SIDE, _SIDE), 1.0).heights
    whole = Rect(0, 0, _CELLS, _CELLS)
    for index in range(_STROKES):
        mode = (HeightMode.RAISE, HeightMode.LOWER, HeightMode.RAISE, HeightMode.SMOOTH)[index % 4]
        shown = np.where(np.isnan(heights), land, heights)
        dabs = HeightDabs(shown, heights, mode, float(random.uniform(300, 1500)))
        start = random.uniform(0, _CELLS, 2)
        end = start + random.uniform(-40, 40, 2)
        dabs.sweep((start[0], start[1]), (end[0], end[1]), float(random.uniform(8, 20)))
        heights = dabs.result(whole, None)
    return heights


def _smooth() -> _Heights:
    waves = cv2.GaussianBlur(np.random.default_rng(8).standard_normal((_CELLS, _CELLS)), (0, 0), _SMOOTH_CELLS)
    return np.asarray((waves - waves.min()) / np.ptp(waves) * _HIGHEST_M, np.float32)


if __name__ == "__main__":
    sys.exit(main())
