"""Twenty maps as people paint them, and the terrain that weights generate from them, in one sample grid.

    python -m scripts.painted_maps WEIGHTS.safetensors -o docs/painted-atlas.jpg

Each pair has the map on the left, and on the right the shaded terrain with the hillshade of its heights in a corner.
The maps have features that are rare on real land: large areas, straight borders, a single class, single pixels, noise.
"""

from __future__ import annotations

import argparse
import itertools
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import CLASS_COUNT, PALETTE
from terrainpaint.core.files import write_image
from terrainpaint.core.painting import Brush, Edge, Mark, dab, ellipse, polygon, rectangle, segment
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.core.shading import hillshade
from terrainpaint.core.terrain import Recipe
from terrainpaint.generation.generator import Generator

SIDE = 256
COLUMNS = 4
_INSET = 84
_GAP = 6
WATER, GRASS, FOREST, HILLS, DESERT, MOUNTAIN, TUNDRA = range(CLASS_COUNT)
_Place = tuple[float, float]


class Painting:
    """A map filled with one class and painted over; places are (row, col) as fractions of the side."""

    def __init__(self, base: int, side: int) -> None:
        self.ids = np.full((side, side), base, np.uint8)

    def stroke(self, class_id: int, size: float, *path: _Place, edge: Edge = Edge.ROUGH) -> Painting:
        """Paint with a brush of `size` pixels, of a map of 256 px, along a path of places."""
        side, shape = len(self.ids), self.ids.shape
        brush = Brush(size * side / SIDE, edge=edge)
        at = [(row * side, col * side) for row, col in path]
        if len(at) == 1:
            self._paint(class_id, dab(brush, at[0], shape))
        for start, end in itertools.pairwise(at):
            self._paint(class_id, segment(brush, start, end, shape))
        return self

    def area(self, class_id: int, *corners: _Place) -> Painting:
        """Fill a polygon."""
        side = len(self.ids)
        self._paint(class_id, polygon([(row * side, col * side) for row, col in corners], self.ids.shape))
        return self

    def shape(self, kind: Callable[..., Mark], class_id: int, start: _Place, end: _Place) -> Painting:
        """Fill a rectangle or an ellipse between two corners."""
        side = len(self.ids)
        corners = ((row * side, col * side) for row, col in (start, end))
        self._paint(class_id, kind(*corners, self.ids.shape))
        return self

    def _paint(self, class_id: int, mark: Mark) -> None:
        self.ids[mark.rect.slices][mark.mask] = class_id


def wave(start: _Place, end: _Place, bends: float, width: float, steps: int = 24) -> list[_Place]:
    """A path that winds around a straight line."""
    path = []
    for fraction in np.linspace(0, 1, steps):
        aside = width * math.sin(2 * math.pi * bends * fraction) * math.sin(math.pi * fraction)
        rise, run = end[0] - start[0], end[1] - start[1]
        length = math.hypot(rise, run)
        place = start[0] + fraction * rise + aside * run / length, start[1] + fraction * run - aside * rise / length
        path.append(place)
    return path


def painted_maps(side: int = SIDE) -> list[NDArray[np.uint8]]:
    """The same twenty maps at any size, (side, side) uint8."""
    draw = np.random.default_rng(5)
    coast = Painting(WATER, side)
    coast.area(GRASS, (0, 0.45), (0.2, 0.5), (0.35, 0.42), (0.6, 0.55), (0.8, 0.5), (1, 0.62), (1, 1), (0, 1))
    coast.stroke(FOREST, 40, (0.1, 0.7), (0.35, 0.65), (0.6, 0.8))
    coast.stroke(HILLS, 34, (0.1, 0.92), (0.5, 0.9), (0.9, 0.85))
    course = wave((0.95, 0.1), (0.05, 0.9), 1, 0.08)
    mountains = Painting(GRASS, side).stroke(HILLS, 90, *course).stroke(MOUNTAIN, 44, *course)
    mountains.stroke(FOREST, 50, (0.15, 0.15), (0.35, 0.2))
    desert = Painting(DESERT, side).stroke(MOUNTAIN, 24, (0.2, 0.2), (0.35, 0.4), (0.3, 0.6))
    desert.stroke(HILLS, 40, (0.75, 0.6), (0.8, 0.8)).stroke(GRASS, 10, *wave((0.6, 0), (0.55, 1), 2, 0.06))
    islands = Painting(WATER, side)
    for _ in range(26):
        row, col, size = draw.uniform(0.05, 0.95), draw.uniform(0.05, 0.95), draw.uniform(6, 44)
        islands.stroke(FOREST, size, (row, col), (row + draw.normal(0, 0.06), col + draw.normal(0, 0.06)))
        if size > 24:
            islands.stroke(MOUNTAIN, size / 2, (row, col))
    rivers = Painting(GRASS, side).area(WATER, (0.85, 0), (0.9, 0.4), (0.84, 0.7), (0.9, 1), (1, 1), (1, 0))
    for col, size in ((0.2, 1), (0.5, 2), (0.8, 4)):
        rivers.stroke(WATER, size, *wave((0.05, col), (0.9, col + 0.05), 2.5, 0.07, 60), edge=Edge.HARD)
    rivers.stroke(HILLS, 44, (0.05, 0.05), (0.08, 0.95))
    isthmus = Painting(WATER, side)
    isthmus.shape(ellipse, FOREST, (0.05, 0.05), (0.55, 0.5)).shape(ellipse, HILLS, (0.5, 0.5), (0.95, 0.95))
    isthmus.stroke(GRASS, 3, (0.45, 0.4), (0.6, 0.58)).stroke(GRASS, 1, (0.3, 0.49), (0.6, 0.75))
    specks = Painting(WATER, side)
    for row, col in draw.uniform(0, 1, (90, 2)):
        specks.ids[int(row * side), int(col * side)] = draw.integers(1, CLASS_COUNT)
    quarters = Painting(WATER, side).shape(rectangle, FOREST, (0.5, 0.5), (1, 1))
    quarters.shape(rectangle, DESERT, (0, 0), (0.5, 0.5)).shape(rectangle, MOUNTAIN, (0, 0.5), (0.5, 1))
    stripes = Painting(WATER, side)
    for number in range(CLASS_COUNT):
        stripes.shape(rectangle, number, (number / CLASS_COUNT, 0), ((number + 1) / CLASS_COUNT, 1))
    lakes = Painting(MOUNTAIN, side)
    for row, col, size in ((0.25, 0.3, 40), (0.6, 0.7, 56), (0.8, 0.25, 20), (0.2, 0.8, 12), (0.5, 0.45, 6)):
        lakes.stroke(WATER, size, (row, col), (row + 0.05, col - 0.06))
    ring = Painting(FOREST, side)
    for class_id, inset in ((MOUNTAIN, 0.15), (GRASS, 0.3), (WATER, 0.42)):
        ring.shape(ellipse, class_id, (inset, inset), (1 - inset, 1 - inset))
    north = Painting(TUNDRA, side).stroke(MOUNTAIN, 50, (0.2, 0), (0.3, 0.5), (0.1, 1))
    north.stroke(WATER, 30, (0.8, 0.1), (0.75, 0.5))
    for row, col in draw.uniform(0.4, 1, (24, 2)):
        north.stroke(WATER, float(draw.uniform(2, 8)), (row, col))
    dabs = Painting(GRASS, side)
    for class_id in draw.integers(0, CLASS_COUNT, 40):
        dabs.stroke(int(class_id), float(draw.uniform(20, 60)), (draw.uniform(), draw.uniform()), edge=Edge.HARD)
    delta = Painting(WATER, side)
    delta.area(GRASS, (0, 0), (0, 1), (0.7, 1), (0.6, 0.75), (0.75, 0.5), (0.6, 0.2), (0.7, 0))
    delta.stroke(WATER, 3, *wave((0, 0.5), (0.45, 0.5), 1.5, 0.05)).stroke(FOREST, 30, (0.15, 0.15), (0.3, 0.25))
    for col in (0.3, 0.45, 0.55, 0.7):
        delta.stroke(WATER, 2, (0.45, 0.5), (0.8, col))
    noise = Painting(WATER, side)
    noise.ids = draw.integers(0, CLASS_COUNT, (side, side), np.uint8)
    cells = Painting(WATER, side)
    cells.ids = draw.integers(0, CLASS_COUNT, (16, 16), np.uint8).repeat(side // 16, 0).repeat(side // 16, 1)
    alone = [Painting(number, side) for number in (MOUNTAIN, HILLS, GRASS, DESERT)]
    painted = [coast, mountains, desert, islands, rivers, isthmus, lakes, ring, north, delta, dabs, quarters, stripes,
               specks, *alone, cells, noise]  # fmt: skip
    return [painting.ids for painting in painted]


def sample_grid(generator: Generator, maps: Sequence[NDArray[np.uint8]], seed: int) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 sRGB: each map with its terrain; the n-th terrain has the seed `seed` + n."""
    cells = []
    for number, ids in enumerate(maps):
        terrain = generator.terrain(SegmentationMap(ids), Recipe(seed + number))
        picture = generator.shaded(terrain)
        relief = hillshade(terrain.height, terrain.pixel_size_m, exaggeration=4)
        grey = np.repeat((relief * 255).astype(np.uint8)[:, :, None], 3, axis=2)
        picture[-_INSET:, -_INSET:] = cv2.resize(grey, (_INSET, _INSET), interpolation=cv2.INTER_AREA)
        pair = np.hstack([PALETTE[ids], picture])
        cells.append(np.pad(pair, ((_GAP, _GAP), (_GAP, _GAP), (0, 0)), constant_values=255))
    rows = [np.hstack(cells[start : start + COLUMNS]) for start in range(0, len(cells), COLUMNS)]
    return np.vstack(rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Sample grid of twenty painted maps.")
    parser.add_argument("weights", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    grid = sample_grid(Generator.load(arguments.weights, "cpu"), painted_maps(), arguments.seed)
    write_image(arguments.output, grid[:, :, ::-1])
