"""Waves across a direction that changes from place to place: the grooves and ranges of natural shapes.

Each wave belongs to a point of a jittered grid and fades with the distance from it, so every value depends on noise
near its place only, and tiles fit.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from terrainpaint.models.windows import Area

Draw = Callable[[int, int, Area], Tensor]
"""(plane, channels, area) → (N, channels, h, w) independent normal numbers by place."""


class GridPoints:
    """The points of a jittered grid around each cell of an area: one in each square of `side` cells."""

    def __init__(
        self, draw: Draw, plane: int, side: int, area: Area, jitter: Callable[[Tensor], Tensor], fade: float
    ) -> None:
        """`jitter` makes distances from the middles of the squares, in sides, of normal numbers; `fade` is how the
        weights of points fade with their squared distance in sides."""
        self._side = side
        (top, bottom), (left, right) = area
        first = (top // side - 1, left // side - 1)
        last = ((bottom - 1) // side + 2, (right - 1) // side + 2)
        self._moves, self._first = jitter(draw(plane, 2, ((first[0], last[0]), (first[1], last[1])))), first
        device = self._moves.device
        self._rows = torch.arange(top, bottom, device=device)[:, None]
        self._cols = torch.arange(left, right, device=device)[None]
        self.fade = fade / side**2

    def offsets(self, row: int, col: int) -> tuple[Tensor, Tensor]:
        """(N, 1, h, w) each: rows and columns from the point of the square `row`, `col` away to each cell."""
        at_rows, at_cols = self._rows // self._side + row, self._cols // self._side + col
        moves = self._moves.index_select(2, at_rows[:, 0] - self._first[0])
        moves = moves.index_select(3, at_cols[0] - self._first[1])
        down = self._rows - at_rows * self._side + (0.5 - self._side / 2)
        along = self._cols - at_cols * self._side + (0.5 - self._side / 2)
        return down - moves[:, :1], along - moves[:, 1:]


def waves(points: GridPoints, across_down: Tensor, across_along: Tensor, turn: float | Tensor) -> tuple[Tensor, Tensor]:
    """Waves in -1..1 across a direction, and the negative slope of their phase's cosine, (N, 1, h, w) each.

    `across_down` and `across_along` (N, 1, h, w) are a unit vector, `turn` the radians of a cell. The wave rises by
    the second result, times the vector, times `turn`, a cell.
    """
    cosine, sine, total = (torch.zeros_like(across_down) for _ in range(3))
    for row in (-1, 0, 1):
        for col in (-1, 0, 1):
            down, along = points.offsets(row, col)
            weight = torch.exp(-(down.square() + along.square()) * points.fade)
            phase = (down * across_down + along * across_along) * turn
            cosine, sine, total = cosine + weight * phase.cos(), sine - weight * phase.sin(), total + weight
    # Waves of neighbouring points cancel each other in part: what is left is strengthened.
    strength = (torch.hypot(cosine, sine) / total).clamp(min=0.25) * total
    return cosine / strength, sine / strength
