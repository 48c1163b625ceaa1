"""The part of a height guide that a rectangle of the terrain depends on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.height_guide import CELL_PX, HeightGuide
from terrainpaint.core.rects import Rect

SHAPES_REACH_PX = 192
"""How far from the window of the network crests and valleys depend on the heights of a guide."""


@dataclass(frozen=True, eq=False)
class GuideCrop:
    """The cells `rect` of a guide whose map has `map_cells` (rows, columns) of them.

    `heights` (h, w) float32 metres of the weights, NaN where the land is free.
    """

    heights: NDArray[np.float32]
    rect: Rect
    map_cells: tuple[int, int]

    @classmethod
    def whole(cls, guide: HeightGuide, weights_pixel_size_m: float) -> GuideCrop | None:
        """All of a guide; None when it leaves all land free."""
        shape = guide.heights.shape[0], guide.heights.shape[1]
        return cls._of(guide, Rect.of_shape(shape), weights_pixel_size_m)

    @classmethod
    def near(cls, guide: HeightGuide, rect: Rect, margin_px: int, weights_pixel_size_m: float) -> GuideCrop | None:
        """A copy of the cells around a rectangle of the map; None when the land is free there."""
        wide = rect.grown(margin_px)
        cells = Rect.spanned(
            wide.row // CELL_PX, wide.col // CELL_PX, -(-wide.bottom // CELL_PX), -(-wide.right // CELL_PX)
        )
        return cls._of(guide, cells.clipped((guide.heights.shape[0], guide.heights.shape[1])), weights_pixel_size_m)

    @classmethod
    def _of(cls, guide: HeightGuide, cells: Rect, weights_pixel_size_m: float) -> GuideCrop | None:
        part = guide.heights[cells.slices]
        if np.isnan(part).all():
            return None
        shape = guide.heights.shape[0], guide.heights.shape[1]
        return cls(part * np.float32(weights_pixel_size_m / guide.pixel_size_m), cells, shape)

    def extended(self, cells: Rect) -> NDArray[np.float32]:
        """(h, w) float32: a rectangle of cells, which may extend beyond the map: it continues with its border cells.

        Raises ValueError when the crop does not contain a needed cell.
        """
        index = []
        for start, stop, side, first, length in (
            (cells.row, cells.bottom, self.map_cells[0], self.rect.row, self.rect.height),
            (cells.col, cells.right, self.map_cells[1], self.rect.col, self.rect.width),
        ):
            at = np.clip(np.arange(start, stop), 0, side - 1) - first
            if at[0] < 0 or at[-1] >= length:
                raise ValueError(f"the crop {self.rect} does not contain {cells}")
            index.append(at)
        return self.heights[np.ix_(*index)]

    def reduced(self, factor: int) -> GuideCrop:
        """That of a map reduced by `factor`, which its cells are multiples of except at the border of the map."""
        rect = self.rect
        shape = -(-self.map_cells[0] // factor), -(-self.map_cells[1] // factor)
        cells = Rect.spanned(
            -(-rect.row // factor), -(-rect.col // factor),
            shape[0] if rect.bottom == self.map_cells[0] else rect.bottom // factor,
            shape[1] if rect.right == self.map_cells[1] else rect.right // factor,
        )  # fmt: skip
        fine = self.extended(
            Rect(cells.row * factor, cells.col * factor, cells.height * factor, cells.width * factor)
        ).reshape(cells.height, factor, cells.width, factor)
        present = ~np.isnan(fine)
        count = present.sum(axis=(1, 3))
        total = np.where(present, fine, np.float32(0)).sum(axis=(1, 3))
        means = np.where(2 * count >= factor**2, total / np.maximum(count, 1), np.float32(np.nan))
        return GuideCrop(np.asarray(means, np.float32), cells, shape)


def near_guide(
    guide: HeightGuide, rect: Rect, reach_px: int | None, weights_pixel_size_m: float, reduced_by: int = 1
) -> GuideCrop | None:
    """The part of a guide that a rectangle of a map depends on, for weights of a reach; None when the land is free
    there. The map of the guide is `reduced_by` times larger than that of the rectangle."""
    if reduced_by > 1:
        whole = GuideCrop.whole(guide, weights_pixel_size_m)
        return None if whole is None else whole.reduced(reduced_by)
    return GuideCrop.near(guide, rect, (reach_px or 0) + SHAPES_REACH_PX, weights_pixel_size_m)
