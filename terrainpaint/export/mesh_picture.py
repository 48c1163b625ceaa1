"""A small picture of the mesh that an export will write, without a graphics card.

The mesh is a height field seen from the south, obliquely from above, without perspective. Then each column of the
picture shows one vertical slice through the ground: from near to far, a sample is visible where it is higher on the
picture than all samples in front of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.export.mesh import MeshGrid

_TURN = math.radians(24)
"""The view is turned by this angle, so that two sides of the map are seen."""
_TILT = math.radians(36)
"""Angle of the view below the horizon."""
_SAMPLES_PER_PX = 2
_MARGIN_PX = 2
_AMBIENT, _BRIGHTEST = 0.35, 1.5
_GAMMA = 2.2


@dataclass(frozen=True)
class Sun:
    """Direction of the light in degrees: azimuth clockwise from north, elevation above the horizon, over 0."""

    azimuth_deg: float = 315.0
    elevation_deg: float = 45.0


def mesh_picture(grid: MeshGrid, albedo: NDArray[np.uint8], size_px: tuple[int, int], sun: Sun) -> NDArray[np.uint8]:
    """(h, w, 4) uint8 sRGB with straight alpha: a mesh with its texture `albedo` (H, W, 3) uint8, in the size (h, w).

    The mesh fills the picture in its height or its width; around it, the picture is transparent.
    """
    fine = size_px[0] * _SAMPLES_PER_PX, size_px[1] * _SAMPLES_PER_PX
    column, row = _visible(grid, fine)
    is_mesh = np.isfinite(column)
    texture = _at(albedo, column * np.float32(albedo.shape[1]) - 0.5, row * np.float32(albedo.shape[0]) - 0.5)
    h, w = grid.shape
    light = _at(_light(grid, sun), column * np.float32(w) - 0.5, row * np.float32(h) - 0.5)
    linear = (texture.astype(np.float32) / 255) ** np.float32(_GAMMA) * light[..., None]
    opaque = is_mesh.astype(np.float32)
    # The colours of pixels at the edge are means of what is mesh there.
    weighted = cv2.resize(
        np.dstack((linear * opaque[..., None], opaque)), (size_px[1], size_px[0]), interpolation=cv2.INTER_AREA
    )
    alpha = weighted[..., 3]
    mean = weighted[..., :3] / np.maximum(alpha, 1e-6)[..., None]
    picture = np.empty((*size_px, 4), np.uint8)
    picture[..., :3] = np.rint(np.clip(mean, 0, 1) ** np.float32(1 / _GAMMA) * 255)
    picture[..., 3] = np.rint(alpha * 255)
    return picture


def _visible(grid: MeshGrid, size: tuple[int, int]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What each pixel of a picture (h, w) shows: column and row of the ground, 0..1 from its edge; NaN for nothing."""
    height, width = size
    # Metres from the centre of the map: to the right and away from the viewer.
    right, away = (math.cos(_TURN), math.sin(_TURN)), (math.sin(_TURN), -math.cos(_TURN))
    half_x, half_z = float(grid.x[-1]), float(grid.z[-1])
    reach = abs(right[0]) * half_x + abs(right[1]) * half_z
    depth = abs(away[0]) * half_x + abs(away[1]) * half_z
    up = (grid.x * away[0] + grid.z[:, None] * away[1]) * math.sin(_TILT) + grid.y * math.cos(_TILT)
    lowest, highest = float(up.min()), float(up.max())
    margin = _MARGIN_PX * _SAMPLES_PER_PX
    px_per_m = min((width - 2 * margin) / (2 * reach), (height - 2 * margin) / (highest - lowest))

    across = (np.arange(width) + 0.5 - width / 2) / px_per_m
    # Level ground moves by at most a pixel from sample to sample.
    count = max(64, math.ceil(2 * depth * px_per_m))
    far = np.linspace(-depth, depth, count)
    x = (across * right[0] + (far * away[0])[:, None]).astype(np.float32)
    z = (across * right[1] + (far * away[1])[:, None]).astype(np.float32)
    h, w = grid.shape
    column, row = (x / (half_x * 2) * (w - 1) + (w - 1) / 2), (z / (half_z * 2) * (h - 1) + (h - 1) / 2)
    inside = (column >= 0) & (column <= w - 1) & (row >= 0) & (row <= h - 1)
    ground = _at(grid.y, column.astype(np.float32), row.astype(np.float32))
    seen_up = np.where(
        inside, (far * math.sin(_TILT)).astype(np.float32)[:, None] + ground * np.float32(math.cos(_TILT)), -np.inf
    )
    ridge = np.maximum.accumulate(seen_up, axis=0)

    shown_column, shown_row = np.full((2, height, width), np.nan, np.float32)
    centre = (lowest + highest) / 2
    wanted = centre + (height / 2 - np.arange(height) - 0.5) / px_per_m
    entry = inside.argmax(axis=0)
    for at in np.flatnonzero(inside.any(axis=0)):
        first = np.searchsorted(ridge[:, at], wanted)
        hit = np.flatnonzero((first > entry[at]) & (first < count))
        behind = first[hit]
        before, after = seen_up[behind - 1, at], seen_up[behind, at]
        fraction = np.float32((wanted[hit] - before) / (after - before))
        for shown, place, cells in ((shown_column, column, w), (shown_row, row, h)):
            between = place[behind - 1, at] + fraction * (place[behind, at] - place[behind - 1, at])
            shown[hit, at] = (between + 0.5) / cells
    return shown_column, shown_row


def _light(grid: MeshGrid, sun: Sun) -> NDArray[np.float32]:
    """(h, w) float32: how bright each vertex is, 1 on level ground."""
    azimuth, elevation = math.radians(sun.azimuth_deg), math.radians(max(sun.elevation_deg, 1.0))
    level = math.cos(elevation)
    towards = np.array((math.sin(azimuth) * level, math.sin(elevation), -math.cos(azimuth) * level), np.float32)
    diffuse = np.maximum(grid.normals(0, grid.shape[0]) @ towards, 0) / np.float32(math.sin(elevation))
    return np.asarray(np.minimum(_AMBIENT + (1 - _AMBIENT) * diffuse, _BRIGHTEST), np.float32)


def _at(values: NDArray[Any], column: NDArray[np.float32], row: NDArray[np.float32]) -> NDArray[Any]:
    """`values` (H, W) or (H, W, C), bilinear, at the cells `column`, `row` (h, w), constant beyond the outermost."""
    return np.asarray(
        cv2.remap(
            values,
            np.nan_to_num(column),
            np.nan_to_num(row),
            interpolation=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
    )
