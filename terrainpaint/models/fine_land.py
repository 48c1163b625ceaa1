"""Fine land: heights and albedo of a terrain seen four times finer. The area mean of every cell stays what it was.

Heights are seen as slopes, in units of how rough the land nearby is, so the network does not know the altitude; what
it adds is multiplied by that roughness. It is told the size of the cells. Albedo gets its detail from the same pass,
guided by that of the heights. Both are added to an enlargement that keeps the area means (`fine_land_means`), without
their own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from terrainpaint.core.classes import CLASS_COUNT, WATER
from terrainpaint.models.fine_detail import DetailNetwork
from terrainpaint.models.fine_land_means import (
    FACTOR,
    SHORT_REACH,
    SMOOTH_REACH,
    block_means,
    enlarged,
    enlarged_smoothly,
)
from terrainpaint.models.header_fields import Limits
from terrainpaint.models.noise import world_noise

FINE_LAND_LIMITS: Limits = {
    "cell_m": (1.0, 100_000.0), "width": (1, 256), "blocks": (0, 16), "fine_widths": (1, 64),
    "colour_width": (1, 256), "colour_blocks": (0, 16), "colour_fine_widths": (1, 64),
}  # fmt: skip
"""Smallest and largest value of each field of a configuration."""
_LEVEL_SLOPE = 0.006
"""Roughness of level ground: what is left of 3 m of height in a cell of 500 m."""
_ROUGH_REACH = 3
_STEEPEST = 3.0
"""Relief stays within this many units: land that the network has never seen gets no spikes."""
_HEIGHT_FEATURES, _COLOUR_FEATURES = 6, 6 + FACTOR**2
_COLOUR_UNIT = 0.1
_STEP_LEVEL = 1 << 20
"""Keeps the noise apart from that of the generators."""


@dataclass(frozen=True)
class FineLandConfig:
    """`cell_m` ground size in metres of the cells of the input; `width` channels and `blocks` residual blocks for the
    heights at the coarse grid, `fine_widths` channels at two and four times the resolution; the same for colours."""

    cell_m: float = 500.0
    width: int = 64
    blocks: int = 6
    fine_widths: tuple[int, int] = (24, 8)
    colour_width: int = 32
    colour_blocks: int = 2
    colour_fine_widths: tuple[int, int] = (16, 8)


@dataclass(frozen=True)
class Ground:
    """What the heights of cells say, each `_ROUGH_REACH` cells smaller than they: `down` and `along` slopes to the
    south and the east, `curve` how far the land nearby is higher, all three over the roughness; `rough` (N, 1, h, w)
    slopes nearby."""

    down: Tensor
    along: Tensor
    curve: Tensor
    rough: Tensor


def ground_of(height: Tensor, cell_m: float) -> Ground:
    """The ground of heights (N, 1, h, w) in metres."""
    inner = (..., slice(1, -1), slice(1, -1))
    down = (height[..., 2:, 1:-1] - height[..., :-2, 1:-1]) / (2 * cell_m)
    along = (height[..., 1:-1, 2:] - height[..., 1:-1, :-2]) / (2 * cell_m)
    around = height[..., 2:, 1:-1] + height[..., :-2, 1:-1] + height[..., 1:-1, 2:] + height[..., 1:-1, :-2]
    curve = (around - 4 * height[inner]) / (2 * cell_m)
    squares = down.square() + along.square() + curve.square()
    row = squares.new_tensor([1.0, 4.0, 6.0, 4.0, 1.0]) / 16
    rough = (F.conv2d(squares, torch.outer(row, row)[None, None]) + _LEVEL_SLOPE**2).sqrt()
    rim = slice(_ROUGH_REACH - 1, 1 - _ROUGH_REACH)
    down, along, curve = (part[..., rim, rim] / rough for part in (down, along, curve))
    return Ground(down, along, curve, rough)


def without_rim(x: Tensor, pixels: int) -> Tensor:
    """(N, C, H, W) → (N, C, H - 2 pixels, W - 2 pixels)."""
    return x[..., pixels : x.shape[-2] - pixels, pixels : x.shape[-1] - pixels]


class FineLandStep(nn.Module):
    """Height and albedo of cells → those of pixels a quarter of their size. Before training it adds almost no
    detail."""

    def __init__(self, config: FineLandConfig) -> None:
        super().__init__()
        self.config = config
        self.heights = DetailNetwork(_HEIGHT_FEATURES, 1, FACTOR, config.width, config.blocks, config.fine_widths)
        self.colours = DetailNetwork(
            _COLOUR_FEATURES, 3, FACTOR, config.colour_width, config.colour_blocks, config.colour_fine_widths
        )

    @property
    def relief_margin(self) -> int:
        """Cells on each side that the detail of the heights depends on."""
        return _ROUGH_REACH + self.heights.reach

    @property
    def height_margin(self) -> int:
        """Cells on each side that the heights depend on."""
        return self.relief_margin + SMOOTH_REACH

    @property
    def margin(self) -> int:
        """Cells on each side that the output depends on, and by which it is smaller."""
        return max(self.height_margin, self.relief_margin + self.colours.reach + SHORT_REACH)

    @property
    def level(self) -> int:
        """The level of the noise: steps of different scales draw different numbers."""
        return _STEP_LEVEL + round(self.config.cell_m)

    def forward(
        self, height: Tensor, albedo: Tensor, classes: Tensor, seed: int, row: int, col: int
    ) -> tuple[Tensor, Tensor]:
        """Heights (1, 1, h, w) metres, albedo (1, 3, h, w) sRGB in 0..1 and shares of classes (1, 7, h, w) in 0..1,
        all float32 → heights (1, 1, H, W) and albedo (1, 3, H, W) of the same kinds, H = 4 (h - 2 `margin`).

        `row` and `col` are the place of the first cell in the map of cells: the same place gets the same detail in
        every window. Raises ValueError when the shapes do not fit.
        """
        sides = tuple(height.shape[2:])
        if min(sides, default=0) <= 2 * self.margin or [*map(tuple, (height.shape, albedo.shape, classes.shape))] != [
            (1, channels, *sides) for channels in (1, 3, CLASS_COUNT)
        ]:
            raise ValueError(f"the window is {sides}; it needs more than {2 * self.margin} cells to each side, one "
                             f"channel of height, 3 of albedo and {CLASS_COUNT} of classes")  # fmt: skip
        origin = (FACTOR * (row + _ROUGH_REACH), FACTOR * (col + _ROUGH_REACH))
        size = (FACTOR * (sides[0] - 2 * _ROUGH_REACH), FACTOR * (sides[1] - 2 * _ROUGH_REACH))
        noise = world_noise((seed,), self.level, 1, origin, size, height.device)
        water = classes[:, WATER : WATER + 1]
        ground = ground_of(height, self.config.cell_m)
        relief = self.relief(ground, water, noise)
        fine_height = self.with_relief(height, ground, water, relief)
        fine_albedo = self.coloured(albedo, ground, water, relief, noise)
        return (
            without_rim(fine_height, FACTOR * (self.margin - self.height_margin)),
            without_rim(fine_albedo, FACTOR * (self.margin - self._colour_margin)),
        )

    @property
    def _colour_margin(self) -> int:
        return self.relief_margin + self.colours.reach + SHORT_REACH

    def relief(self, ground: Ground, water: Tensor, noise: Tensor) -> Tensor:
        """(N, 1, 4 (h - 2 m), ...) in units of roughness times cell: the detail of the heights, m = `relief_margin`.

        `water` (N, 1, h, w) shares in 0..1; `noise` (N, 1, 4 (h - 6), ...) normal numbers.
        """
        rough = self._log_rough(ground)
        scale = torch.full_like(rough, math.log2(self.config.cell_m / 1000) / 2)
        features = [ground.down, ground.along, ground.curve, rough, without_rim(water, _ROUGH_REACH), scale]
        relief: Tensor = self.heights(torch.cat(features, dim=1), noise)
        return _STEEPEST * torch.tanh(relief / _STEEPEST)

    def with_relief(self, height: Tensor, ground: Ground, water: Tensor, relief: Tensor) -> Tensor:
        """(N, 1, 4 (h - 2 m), ...) metres, m = `height_margin`: heights enlarged, and their detail. Cells of water get
        none."""
        detail = relief * self.relief_unit(ground, water)
        base = enlarged_smoothly(without_rim(height, self.relief_margin) - block_means(detail))
        return base + without_rim(detail, FACTOR * SMOOTH_REACH)

    def relief_unit(self, ground: Ground, water: Tensor) -> Tensor:
        """(N, 1, 4 (h - 2 m), ...) metres that one unit of `relief` is, m = `relief_margin`."""
        unit = ground.rough * (self.config.cell_m * (1 - without_rim(water, _ROUGH_REACH)))
        around = without_rim(unit, self.relief_margin - _ROUGH_REACH - 1)
        return without_rim(F.interpolate(around, scale_factor=FACTOR, mode="bilinear"), FACTOR)

    def coloured(self, albedo: Tensor, ground: Ground, water: Tensor, relief: Tensor, noise: Tensor) -> Tensor:
        """(N, 3, 4 (h - 2 m), ...) sRGB in 0..1: albedo enlarged, and its detail, guided by that of the heights."""
        margin = self.relief_margin
        inner = margin - _ROUGH_REACH
        features = [
            without_rim(albedo, margin) * 2 - 1,
            without_rim(ground.curve, inner),
            without_rim(self._log_rough(ground), inner),
            without_rim(water, margin),
            F.pixel_unshuffle(relief, FACTOR),
        ]
        detail = self.colours(torch.cat(features, dim=1), without_rim(noise, FACTOR * inner)) * _COLOUR_UNIT
        return with_detail(without_rim(albedo, margin + self.colours.reach), detail)

    @staticmethod
    def _log_rough(ground: Ground) -> Tensor:
        return (ground.rough / _LEVEL_SLOPE).log() / 2 - 1


def with_detail(colours: Tensor, detail: Tensor) -> Tensor:
    """(N, C, h, w) in 0..1 and detail (N, C, factor h, ...) → (N, C, factor (h - 4), ...) in 0..1 whose area means are
    the colours. Where the detail would leave 0..1, that of the cell is made weaker."""
    factor = detail.shape[-1] // colours.shape[-1]
    fine = enlarged(colours - block_means(detail, factor), factor) + without_rim(detail, factor * SHORT_REACH)
    lowest, highest = torch.aminmax(fine)
    if lowest >= 0 and highest <= 1:
        return fine
    means = without_rim(colours, SHORT_REACH)
    highest = F.max_pool2d(fine, factor) - means
    lowest = means + F.max_pool2d(-fine, factor)
    share = torch.minimum((1 - means) / highest.clamp(min=1e-6), means / lowest.clamp(min=1e-6)).clamp(0, 1)
    cells, weaker = (F.interpolate(each, scale_factor=factor) for each in (means, share))
    # Other cells keep their very bits: they do not depend on what else a window holds.
    return torch.where(weaker < 1, cells + (fine - cells) * weaker, fine).clamp(0, 1)
