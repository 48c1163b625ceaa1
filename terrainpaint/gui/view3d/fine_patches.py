"""Fine land in the 3D view: patches near the camera, and how they join the land around them without cracks.

A patch is a tile of fine land. Where it ends, its surface becomes that of the coarser land below it: the weight of the
fine heights falls to 0 at the border of all patches of a factor, where a patch has the triangles of the land below.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.fine_land import FACTORS
from terrainpaint.core.rects import Rect
from terrainpaint.generation.detail_tiles import TILE_PX, TilePlace

Pair = tuple[float, float]

BORDER_PX = 2
"""Pixels of the map around a patch that its arrays have too, for the interpolation and the light at its border."""
_NODES = 8  # of the weights along a side of a patch
_BLENDED = 4  # nodes from the border to where the fine land counts fully


@dataclass(frozen=True, eq=False)
class FinePatch:
    """A tile of fine land. It covers `rect` of the map; its arrays are those of the rectangle `around`, with
    `BORDER_PX` more on the map: `height` (h, w) float32 metres, `picture` (h, w, 3) uint8 sRGB."""

    place: TilePlace
    rect: Rect
    around: Rect
    height: NDArray[np.float32]
    picture: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Joint:
    """Where the patches of a factor lie on a map.

    `cover` (rows, cols) uint8: 255 for each tile of the grid that has a patch, else 0; `tiles` (across, down) tiles in
    the whole map. `weight` (h, w) float32, 0..1, at nodes; place on the map * `scale` + `offset` is its texture
    coordinate.
    """

    cover: NDArray[np.uint8]
    tiles: Pair
    weight: NDArray[np.float32]
    scale: Pair
    offset: Pair


@dataclass(frozen=True, eq=False)
class FineLayer:
    """The patches of one factor, with the patches that each of them joins: None for the land of the map."""

    patches: tuple[FinePatch, ...]
    below: tuple[FinePatch | None, ...]
    joint: Joint

    def patch_at(self, row: float, col: float) -> FinePatch | None:
        """The patch at a place of the map, None where there is none."""
        at = math.floor(row), math.floor(col)
        return next((patch for patch in self.patches if patch.rect.contains(*at)), None)


def needed_rects(near: Mapping[int, Rect], shape: tuple[int, int]) -> dict[int, Rect]:
    """The rectangles of a map (H, W) that need patches of each factor so that fine land counts fully where it is near:
    `near` has these rectangles, empty ones for nowhere. Patches of a finer factor need coarser ones around them."""
    found: dict[int, Rect] = {}
    finer = Rect(0, 0, 0, 0)
    for factor in sorted(near, reverse=True):
        rect = near[factor].union(finer)
        if not rect.is_empty:
            rect = rect.grown((_BLENDED + 2) * (TILE_PX // factor // _NODES)).clipped(shape)
        found[factor] = finer = rect
    return found


def layers(patches: Mapping[TilePlace, FinePatch], shape: tuple[int, int]) -> tuple[FineLayer, ...]:
    """The layers of patches of a map (H, W), from coarse to fine. A patch of a finer layer lies where the one below it
    counts fully."""
    found: list[FineLayer] = []
    below: FineLayer | None = None
    for factor in sorted({place.factor for place in patches}):
        here = [patch for place, patch in patches.items() if place.factor == factor]
        if factor > FACTORS[0]:
            here = [patch for patch in here if below is not None and _is_full(below.joint, patch.rect, shape)]
        if not here:
            break
        joined = tuple(None if below is None else _around(below, patch) for patch in here)
        below = FineLayer(tuple(here), joined, _joint(here, shape))
        found.append(below)
    return tuple(found)


def _joint(patches: Sequence[FinePatch], shape: tuple[int, int]) -> Joint:
    side = patches[0].place.side
    rows, cols = (-(-length // side) for length in shape)
    cover = np.zeros((rows, cols), np.uint8)
    for patch in patches:
        cover[patch.place.row, patch.place.col] = 255
    box = Rect(0, 0, 0, 0)
    for patch in patches:
        box = box.union(Rect(patch.place.row, patch.place.col, 1, 1))
    part = cover[box.slices].repeat(_NODES, 0).repeat(_NODES, 1) > 0
    # The border of the map is a border of the patches too: the walls below it have the heights of the map.
    step = side // _NODES
    inside = [
        (np.arange(part.shape[axis]) + 1 + _NODES * first) * step <= shape[axis]
        for axis, first in enumerate((box.row, box.col))
    ]
    cells = np.pad(part & inside[0][:, None] & inside[1][None, :], 1)
    # A node is inside when the four cells around it are.
    nodes = cells[1:, 1:] & cells[1:, :-1] & cells[:-1, 1:] & cells[:-1, :-1]
    distance = cv2.distanceTransform(np.pad(nodes, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    share = np.clip(distance / _BLENDED, 0, 1)
    weight = np.asarray(share * share * (3 - 2 * share), np.float32)
    nodes_across = shape[1] / step, shape[0] / step
    size = weight.shape[1], weight.shape[0]
    first = box.col * _NODES, box.row * _NODES
    scale = (nodes_across[0] / size[0], nodes_across[1] / size[1])
    offset = ((0.5 - first[0]) / size[0], (0.5 - first[1]) / size[1])
    return Joint(cover, (shape[1] / side, shape[0] / side), weight, scale, offset)


def _is_full(joint: Joint, rect: Rect, shape: tuple[int, int]) -> bool:
    """Whether the fine land of a layer counts fully in a rectangle of the map."""
    size = joint.weight.shape[1], joint.weight.shape[0]
    spans = []
    for axis, span in enumerate(((rect.col, rect.right), (rect.row, rect.bottom))):
        places = (at / shape[1 - axis] * joint.scale[axis] + joint.offset[axis] for at in span)
        ends = [place * size[axis] - 0.5 for place in places]
        first, last = int(np.floor(ends[0])), int(np.ceil(ends[1]))
        if first < 0 or last >= size[axis]:
            return False
        spans.append(slice(first, last + 1))
    return bool((joint.weight[spans[1], spans[0]] > 1 - 1e-6).all())


def _around(layer: FineLayer, patch: FinePatch) -> FinePatch:
    """The patch of a layer that a finer one lies in."""
    return next(wide for wide in layer.patches if wide.rect.intersection(patch.rect) == patch.rect)
