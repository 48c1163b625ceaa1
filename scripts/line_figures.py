"""How closely the terrain follows drawn lines: the figures of docs/quality.md.

    python -m scripts.line_figures

For each style, on maps of one class, three seeds each: the share of the pixels of a drawn ridge and of a drawn valley
that lie within 4 px of a crest or valley of the terrain, the share of all land that does, and how far the line rises
above or sinks below the land 10 px beside it. For drawn rivers: how many reach the sea, and the share of their steps
that do not rise, with and without carving.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.assets import shipped_styles
from terrainpaint.core.guide_lines import GuideLine, LineKind, draw_rivers, guide_raster
from terrainpaint.core.hydrology import FlowingWater, Mouth, find_waters, with_flowing_water
from terrainpaint.core.rects import Rect
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.core.terrain import Recipe
from terrainpaint.generation.generator import Generator

_Heights = NDArray[np.float32]
_WATER = 0
_CLASSES = {"grassland": 1, "hills": 3, "mountain": 5}
_SEEDS = 0, 1, 2
_SIDE = 256
_NEAR_PX = 4
_BESIDE_PX = 10
_CREST_REACH_PX = 8
_CREST_DEVIATIONS = 0.75
_EDGE_PX = 16
_SEA_PX = 30
_LEAST_RIVER_POINTS = 50


def main() -> int:
    """Print the figures of every style and return the exit code."""
    for style, weights in shipped_styles().items():
        generator = Generator.load(weights, "cpu")
        for name, class_id in _CLASSES.items():
            for seed in _SEEDS:
                for figures in _followed(generator, class_id, seed):
                    print(f"{style}, {name}, seed {seed}: {figures}", flush=True)
        print(f"{style}: {_rivers(generator)}", flush=True)
    return 0


def crests(height: _Heights) -> NDArray[np.bool_]:
    """(H, W) bool: pixels that are higher than both neighbours across, and clearly higher than the land 8 px away."""
    smooth = cv2.GaussianBlur(height, (0, 0), 1.5)
    detail = smooth - cv2.GaussianBlur(smooth, (0, 0), 12)
    spread = np.sqrt(cv2.GaussianBlur(detail * detail, (0, 0), 24))
    found = np.zeros(height.shape, np.bool_)
    for down, across in ((0, 1), (1, 0), (1, 1), (1, -1)):
        reach = round(_CREST_REACH_PX / np.hypot(down, across))

        def beside(steps: int, down: int = down, across: int = across) -> _Heights:
            return np.roll(smooth, (steps * down, steps * across), (0, 1))

        is_peak = (smooth >= beside(1)) & (smooth >= beside(-1))
        found |= is_peak & (smooth - np.maximum(beside(reach), beside(-reach)) > _CREST_DEVIATIONS * spread)
    return found


def _followed(generator: Generator, class_id: int, seed: int) -> Iterator[str]:
    """What the terrain of one class makes of a ridge and a valley."""
    random = np.random.default_rng(100 * class_id + seed)
    ids = np.full((_SIDE, _SIDE), class_id, np.uint8)
    whole = Rect(0, 0, _SIDE, _SIDE)
    lines = [
        GuideLine.through(kind, _bends(random, row)) for kind, row in ((LineKind.RIDGE, 50), (LineKind.VALLEY, 190))
    ]
    height = generator.terrain(SegmentationMap(ids), Recipe(seed), lines=guide_raster(lines, whole)).height
    for line in lines:
        sign = 1 if line.kind is LineKind.RIDGE else -1
        raster = guide_raster([line], whole)
        assert raster is not None
        rows, cols = np.nonzero(raster)
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * _NEAR_PX + 1, 2 * _NEAR_PX + 1))
        near = cv2.dilate(crests(sign * height).astype(np.uint8), disc) > 0
        smooth = cv2.GaussianBlur(height, (0, 0), 1)
        beside = np.mean([smooth[rows + by, cols].mean() for by in (-_BESIDE_PX, _BESIDE_PX)])
        inner = near[_EDGE_PX:-_EDGE_PX, _EDGE_PX:-_EDGE_PX]
        yield (
            f"{line.kind.word} followed by {near[rows, cols].mean():.0%}, all land {inner.mean():.0%}, "
            f"{smooth[rows, cols].mean() - beside:+.0f} m"
        )


def _bends(random: np.random.Generator, row: float) -> list[tuple[float, float]]:
    phase = random.uniform(0, 2 * np.pi)
    return [(row + random.uniform(-8, 8) + 20 * np.sin(step / 2 + phase), 40 + 30 * step) for step in range(6)]


def _rivers(generator: Generator) -> str:
    """Rivers of 1 to 3 px that are drawn to a sea in the east, two on land of each class."""
    random = np.random.default_rng(5)
    steps = fallen = fallen_before = at_sea = count = 0
    for class_id in _CLASSES.values():
        for seed in _SEEDS[:2]:
            ids = np.full((_SIDE, _SIDE), class_id, np.uint8)
            ids[:, -_SEA_PX:] = _WATER
            places = [(_SIDE / 2 + random.uniform(-60, 60), col) for col in np.linspace(20, _SIDE - _SEA_PX + 5, 6)]
            river = GuideLine.through(LineKind.RIVER, places, int(random.integers(1, 4)))
            draw_rivers(ids, [river], Rect(0, 0, _SIDE, _SIDE))
            bare = generator.terrain(SegmentationMap(ids), Recipe(seed))
            carved = with_flowing_water(bare, ids, FlowingWater(True))
            for found in find_waters(carved, ids).rivers:
                if len(found.line) < _LEAST_RIVER_POINTS:
                    continue
                cols, rows = np.floor(found.line).astype(np.int64).T
                count += 1
                at_sea += found.mouth == Mouth.SEA
                steps += len(found.line) - 1
                fallen += _falling(found.height_m)
                fallen_before += _falling(bare.height[rows, cols])
    return (
        f"{at_sea} of {count} drawn rivers reach the sea; {fallen / steps:.0%} of their {steps} steps fall, "
        f"{fallen_before / steps:.0%} before carving"
    )


def _falling(heights: NDArray[np.floating]) -> int:
    return int((np.diff(heights) <= 0).sum())


if __name__ == "__main__":
    sys.exit(main())
