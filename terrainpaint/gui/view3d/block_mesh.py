"""Vertices and triangles of the block, the pin and plain quads, as arrays for the graphics card."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Vertices = NDArray[np.float32]
Indices = NDArray[np.uint32]


def grid_shape(shape: tuple[int, int], most: int) -> tuple[int, int]:
    """(rows, cols) of the vertices of a mesh over a map of (H, W): at most `most` a side, and at least 2."""
    longest = max(shape)
    rows, cols = (max(2, min(side, round(side * most / longest))) for side in shape)
    return rows, cols


def grid(rows: int, cols: int) -> tuple[Vertices, Indices]:
    """Vertices (rows * cols, 2), (east, south) as fractions 0..1 of the map, and two triangles for each cell."""
    down, across = np.linspace(0, 1, rows, dtype=np.float32), np.linspace(0, 1, cols, dtype=np.float32)
    vertices = np.stack([np.tile(across, rows), np.repeat(down, cols)], axis=1)
    first = (np.arange(rows - 1)[:, None] * cols + np.arange(cols - 1)).ravel()
    corners = np.stack([first, first + cols, first + 1, first + 1, first + cols, first + cols + 1], axis=1)
    return vertices, corners.ravel().astype(np.uint32)


def patch(side: int) -> tuple[Vertices, Indices]:
    """A square with `side` vertices along each side, and a skirt around it.

    Vertices (N, 3): (east, south) as fractions 0..1, and 1 on the lower edge of the skirt, else 0.
    """
    flat, indices = grid(side, side)
    border = _border(side)
    skirt = np.column_stack([flat[border], np.ones(len(border), np.float32)])
    upper, lower = border, len(flat) + np.arange(len(border))
    following, lower_following = np.roll(upper, -1), np.roll(lower, -1)
    corners = [upper, lower, following, following, lower, lower_following]
    vertices = np.concatenate([np.column_stack([flat, np.zeros(len(flat), np.float32)]), skirt])
    triangles = np.concatenate([indices, np.stack(corners, axis=1).ravel().astype(np.uint32)])
    return vertices.astype(np.float32), triangles


def _border(side: int) -> NDArray[np.intp]:
    """The vertices of the border of `grid(side, side)`, in a circle."""
    index = np.arange(side * side).reshape(side, side)
    return np.concatenate([index[0, :-1], index[:-1, -1], index[-1, :0:-1], index[:0:-1, 0]])


def walls(rows: int, cols: int) -> tuple[Vertices, Indices]:
    """The four sides of a block. Their upper vertices are those of the border of `grid(rows, cols)`, bit for bit, so
    that there are no cracks.

    Vertices (N, 5): (east, south) as fractions of the map, 1 at the upper and 0 at the lower edge, and the outward
    direction (x, y).
    """
    vertices, indices, count = [], [], 0
    for (east, south), outward in zip(_sides(rows, cols), ((0, 1), (0, -1), (-1, 0), (1, 0)), strict=True):
        length = len(east)
        for upper in (1, 0):
            flags = np.tile(np.array([upper, *outward], np.float32), (length, 1))
            vertices.append(np.column_stack([east, south, flags]))
        first = count + np.arange(length - 1)
        corners = [first, first + 1, first + length, first + 1, first + length + 1, first + length]
        indices.append(np.stack(corners, axis=1).ravel())
        count += 2 * length
    return np.concatenate(vertices), np.concatenate(indices).astype(np.uint32)


def lid(rows: int, cols: int) -> tuple[Vertices, Indices]:
    """A level surface: a fan from the middle of the map to the vertices of the border of `grid(rows, cols)`.

    Vertices (N, 2), (east, south) as fractions 0..1 of the map. It has every vertex of `walls(rows, cols)`: with four
    corners only, pixels along its edge would stay empty.
    """
    north, south, west, east = (np.column_stack(side) for side in _sides(rows, cols))
    around = np.concatenate([west[:-1], south[:-1], east[:0:-1], north[:0:-1]])
    middle = np.full((1, 2), 0.5, np.float32)
    this = np.arange(len(around))
    corners = np.stack([np.full(len(around), len(around)), this, (this + 1) % len(around)], axis=1)
    return np.concatenate([around, middle]), corners.ravel().astype(np.uint32)


def _sides(rows: int, cols: int) -> tuple[tuple[Vertices, Vertices], ...]:
    """(east, south) of the vertices on the border of `grid(rows, cols)`: north, south, west and east."""
    down, across = np.linspace(0, 1, rows, dtype=np.float32), np.linspace(0, 1, cols, dtype=np.float32)
    zero_down, zero_across = np.zeros_like(down), np.zeros_like(across)
    return (across, zero_across), (across, zero_across + 1), (zero_down, down), (zero_down + 1, down)


def pin(segments: int = 24) -> tuple[Vertices, Indices]:
    """A pin of height 1 with its tip at the origin. Vertices (N, 6): position and normal, z up."""
    # Outline (radius, z) from the tip up: a cone that touches a ball of radius 0.22 around z = 0.78.
    ball, centre = 0.22, 0.78
    touching = math.acos(ball / centre)  # from the downward axis to where the cone touches
    angles = np.linspace(touching, math.pi, 12)
    outline = np.array([(0.0, 0.0)] + [(ball * math.sin(a), centre - ball * math.cos(a)) for a in angles])
    normals = np.array([(math.sin(touching), -math.cos(touching))] + [(math.sin(a), -math.cos(a)) for a in angles])
    turn = np.linspace(0, 2 * math.pi, segments, endpoint=False)
    cosine, sine = np.cos(turn)[:, None], np.sin(turn)[:, None]

    def revolved(profile: NDArray[np.float64]) -> NDArray[np.float64]:
        radius, height = profile[:, 0], profile[:, 1]
        return np.stack([radius * cosine, radius * sine, np.broadcast_to(height, (segments, len(height)))], axis=2)

    vertices = np.concatenate([revolved(outline), revolved(normals)], axis=2).reshape(-1, 6)
    length = len(outline)
    this = (np.arange(segments)[:, None] * length + np.arange(length - 1)).ravel()
    following = (((np.arange(segments) + 1) % segments)[:, None] * length + np.arange(length - 1)).ravel()
    corners = [this, following, this + 1, this + 1, following, following + 1]
    return vertices.astype(np.float32), np.stack(corners, axis=1).ravel().astype(np.uint32)


def quad() -> tuple[Vertices, Indices]:
    """Vertices (4, 2), the corners of the square 0..1."""
    vertices = np.array([(0, 0), (0, 1), (1, 0), (1, 1)], np.float32)
    return vertices, np.array([0, 1, 2, 2, 1, 3], np.uint32)
