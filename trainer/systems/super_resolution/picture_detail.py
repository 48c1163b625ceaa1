"""Pictures two or four times finer: the network of fine land for colours, with nothing to guide it but the picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from terrainpaint.models.fine_detail import DetailNetwork
from terrainpaint.models.fine_land import with_detail, without_rim
from terrainpaint.models.fine_land_means import SHORT_REACH
from terrainpaint.models.noise import world_noise

_LEVEL = 1 << 21
_UNIT = 0.25


@dataclass(frozen=True)
class PictureShape:
    """`factor` 2 or 4; `width` channels and `blocks` residual blocks at the coarse grid, `fine_widths` channels at two
    and four times the resolution."""

    factor: int = 4
    width: int = 64
    blocks: int = 6
    fine_widths: tuple[int, int] = (24, 8)


class PictureDetail(nn.Module):
    """A picture → the same, `factor` times finer, whose area means are the picture."""

    def __init__(self, shape: PictureShape) -> None:
        super().__init__()
        self.shape = shape
        self.colours = DetailNetwork(3, 3, shape.factor, shape.width, shape.blocks, shape.fine_widths)

    @property
    def margin(self) -> int:
        """Pixels on each side that the output depends on, and by which it is smaller."""
        return self.colours.reach + SHORT_REACH

    def forward(self, picture: Tensor, noise: Tensor) -> Tensor:
        """(N, 3, h, w) sRGB in 0..1 and normal numbers (N, 1, factor h, factor w) → (N, 3, factor (h - 2 margin), ...)
        in 0..1."""
        detail = self.colours(picture * 2 - 1, noise) * _UNIT
        return with_detail(without_rim(picture, self.colours.reach), detail)

    def by_place(self, picture: Tensor, seed: int, row: int, col: int) -> Tensor:
        """The same for one window (1, 3, h, w) whose first pixel is `row`, `col` of the whole picture."""
        factor = self.shape.factor
        size = factor * picture.shape[2], factor * picture.shape[3]
        noise = world_noise((seed,), _LEVEL, 1, (factor * row, factor * col), size, picture.device)
        finer: Tensor = self(picture, noise)
        return finer


def shape_of(values: Mapping[str, object]) -> PictureShape:
    """The shape that a checkpoint or a weights file describes. Raises TypeError and ValueError."""
    widths = values["fine_widths"]
    if not isinstance(widths, list | tuple):
        raise TypeError("fine_widths is no list")
    first, second = (int(width) for width in widths)
    factor, width, blocks = (int(str(values[name])) for name in ("factor", "width", "blocks"))
    if factor not in (2, 4) or not all(0 < value <= 256 for value in (width, first, second)) or not 0 <= blocks <= 16:
        raise ValueError("a shape out of range")
    return PictureShape(factor, width, blocks, (first, second))


def means_of(picture: Tensor, factor: int) -> Tensor:
    """Area means of (N, 3, H, W): the picture that is made finer."""
    return torch.nn.functional.avg_pool2d(picture, factor)
