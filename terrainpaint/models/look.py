"""The look network: repaints the albedo of a terrain in another style. Its output depends only on colours nearby.

A small U-Net (Ronneberger et al. 2015) from 1/8 of the resolution to 1/2, with a pixel shuffle as the last step. As in
`spade_local`, tiles and whole compute the same sums: no layer has padding, so the network receives more of the picture
than it returns, and features are normalised over their channels, position by position, never over space.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from terrainpaint.models.header_fields import Limits
from terrainpaint.models.windows import (
    Area,
    Span,
    Window,
    before_bilinear,
    cut,
    doubled,
    grown,
    halved,
    widened,
)

COARSEST = 3
"""Level of the coarsest features: 1/8 of the resolution."""
CELL_PX = 1 << COARSEST
"""Pictures consist of whole cells of this side, which begin at the north-west corner of the map."""
MAX_REACH_PX = 256
"""A network that reads further would make every patch of a terrain slow."""
LOOK_LIMITS: Limits = {"widths": (1, 1024), "blocks": (0, 16)}
"""Smallest and largest value of each field of a configuration."""
_COLOURS = 3
_STEM_REACH = _JOIN_REACH = _HEAD_REACH = _BLUR_REACH = 1
_INNER = (..., slice(2, -2), slice(2, -2))
"""The part of an array that remains after two 3x3 convolutions without padding."""


@dataclass(frozen=True)
class LookConfig:
    """`widths` channels and `blocks` residual blocks of the levels 1/8, 1/4 and 1/2.

    Raises ValueError when the network would read further than `MAX_REACH_PX`.
    """

    widths: tuple[int, int, int] = (128, 64, 32)
    blocks: tuple[int, int, int] = (2, 1, 1)

    def __post_init__(self) -> None:
        if self.reach_px > MAX_REACH_PX:
            raise ValueError(f"with the blocks {list(self.blocks)} it reads {self.reach_px} px around each pixel; "
                             f"at most {MAX_REACH_PX} px are possible")  # fmt: skip

    @property
    def reach_px(self) -> int:
        """Largest distance of a changed pixel of the input from one of the output that changes with it, rounded up to
        whole cells."""
        spans = [(pixel, _plan((pixel, pixel + 1), self.blocks).read) for pixel in range(CELL_PX)]
        furthest = max(max(pixel - start, stop - 1 - pixel) for pixel, (start, stop) in spans)
        return -(-furthest // CELL_PX) * CELL_PX


class LookNetwork(nn.Module):
    """Albedo → albedo of another style. Before training it returns about its input."""

    def __init__(self, config: LookConfig) -> None:
        super().__init__()
        self.config = config
        coarse, middle, fine = config.widths
        blocks = config.blocks
        self.stem = nn.Conv2d(_COLOURS * 16, middle, 3)
        self.down = nn.Sequential(_Norm(middle), nn.Conv2d(middle, coarse, 2, stride=2))
        self.coarse = nn.ModuleList(_Block(coarse) for _ in range(blocks[0]))
        self.to_middle = nn.Conv2d(coarse, middle, 1)
        self.join_middle = nn.Conv2d(2 * middle, middle, 1)
        self.middle = nn.ModuleList(_Block(middle) for _ in range(blocks[1]))
        self.to_fine = nn.Conv2d(middle, fine, 1)
        self.join_fine = nn.Conv2d(fine + _COLOURS * 4, fine, 3)
        self.fine = nn.ModuleList(_Block(fine) for _ in range(blocks[2]))
        self.head_norm = _Norm(fine)
        self.head = nn.Conv2d(fine, _COLOURS * 4, 3)
        self.colours = nn.Conv2d(_COLOURS, _COLOURS, 1)
        nn.init.normal_(self.head.weight, std=0.01)
        nn.init.zeros_(self.head.bias)  # type: ignore[arg-type]
        nn.init.dirac_(self.colours.weight)
        nn.init.zeros_(self.colours.bias)  # type: ignore[arg-type]

    @property
    def reach_px(self) -> int:
        """By how many pixels the input extends beyond the output on each side, a multiple of `CELL_PX`."""
        return self.config.reach_px

    def input_window(self, window: Window) -> Window:
        """The rectangle of the picture that a rectangle of the output depends on, which may extend beyond the map: the
        whole cells that contain it, and `reach_px` around them."""
        rows, cols = (widened(_cells(span), self.reach_px) for span in (window.rows, window.cols))
        return Window(rows, cols)

    def forward(self, picture: Tensor) -> Tensor:
        """(N, 3, H + 2r, W + 2r) sRGB in -1..1 → (N, 3, H, W) float32 in -1..1: its middle in the other style.

        r is `reach_px`. H and W are multiples of `CELL_PX`, at least one cell; otherwise raises ValueError.
        """
        out = self._output_area(picture)
        rows, cols = (_plan(span, self.config.blocks) for span in out)
        whole = grown(out, self.reach_px)
        stem = rows.stem, cols.stem
        quarter = F.pixel_unshuffle(_part(picture, whole, grown(_doubled_area(stem, 2), 4 * _STEM_REACH)), 4)
        skip = self.stem(quarter.contiguous(memory_format=torch.channels_last))

        here = rows.coarse, cols.coarse
        x = self.down(_part(skip, stem, _doubled_area(here)))
        x, here = _through(self.coarse, x, here)
        there = rows.middle, cols.middle
        x = _upsampled(self.to_middle(x), here, there)
        x = self.join_middle(torch.cat([x, _part(skip, stem, there)], dim=1))
        x, here = _through(self.middle, x, there)
        there = rows.fine, cols.fine
        x = _upsampled(self.to_fine(x), here, there)
        half = F.pixel_unshuffle(_part(picture, whole, _doubled_area(there)), 2)
        x = self.join_fine(torch.cat([x, half.to(x.dtype)], dim=1))
        x, here = _through(self.fine, x, grown(there, -_JOIN_REACH))
        x = self.head_norm(x)
        # The eight bits of bfloat16 would show as steps of colour: the last layers are always float32.
        with torch.autocast(x.device.type, enabled=False):
            change = _without_dots(F.pixel_shuffle(self.head(x.float()), 2).contiguous())
            fine = grown(_doubled_area(grown(here, -_HEAD_REACH)), -_BLUR_REACH)
            same = self.colours(_part(picture, whole, out).float())
            # tanh is slow on channels-last memory with three channels.
            return torch.tanh((_part(change, fine, out) + same).contiguous())

    def _output_area(self, picture: Tensor) -> Area:
        sides = [side - 2 * self.reach_px for side in picture.shape[2:]]
        if picture.ndim != 4 or picture.shape[1] != _COLOURS or any(side < 1 or side % CELL_PX for side in sides):
            raise ValueError(f"the picture is {tuple(picture.shape)}; its sides must be a multiple of {CELL_PX} plus "
                             f"twice the reach of {self.reach_px}")  # fmt: skip
        return (0, sides[0]), (0, sides[1])


def _doubled_area(area: Area, times: int = 1) -> Area:
    """The pixels that an area covers, `times` levels finer."""
    return doubled(area[0], times), doubled(area[1], times)


@dataclass(frozen=True)
class _Plan:
    """Spans of one axis: what the network reads in pixels, and the features of each level before its blocks."""

    read: Span
    stem: Span
    coarse: Span
    middle: Span
    fine: Span


def _plan(out: Span, blocks: tuple[int, int, int]) -> _Plan:
    fine = widened(halved(widened(out, _BLUR_REACH)), _HEAD_REACH + 2 * blocks[2] + _JOIN_REACH)
    middle = widened(before_bilinear(fine), 2 * blocks[1])
    coarse = widened(before_bilinear(middle), 2 * blocks[0])
    stem = _union(middle, doubled(coarse))
    return _Plan(_union(doubled(fine), doubled(widened(stem, _STEM_REACH), 2)), stem, coarse, middle, fine)


def _union(one: Span, other: Span) -> Span:
    return min(one[0], other[0]), max(one[1], other[1])


def _cells(span: Span) -> Span:
    """The whole cells that contain a span, in pixels."""
    return doubled(halved(span, COARSEST), COARSEST)


def _part(x: Tensor, of: Area, area: Area) -> Tensor:
    """The part `area` of an array (N, C, h, w) that covers the area `of` of the same level."""
    return x[:, :, cut(area[0], of[0]), cut(area[1], of[1])]


def _through(blocks: nn.ModuleList, x: Tensor, area: Area) -> tuple[Tensor, Area]:
    for block in blocks:
        x, area = block(x), grown(area, -2)
    return x, area


def _upsampled(x: Tensor, of: Area, area: Area) -> Tensor:
    """The part `area` of the next finer level, interpolated bilinearly from an array that covers the area `of`."""
    fine = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
    return _part(fine, _doubled_area(of), area)


def _without_dots(x: Tensor) -> Tensor:
    """(N, C, h, w) → (N, C, h - 2, w - 2): without the pattern of two pixels that a pixel shuffle leaves (Sugawara et
    al. 2018). The fine detail of the result is that of the picture."""
    row = x.new_tensor([0.25, 0.5, 0.25])
    return F.conv2d(x, torch.outer(row, row).expand(x.shape[1], 1, 3, 3), groups=x.shape[1])


class _Norm(nn.Module):
    """Norm over the channels of each position with gain and shift, then a leaky ReLU."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(width))
        self.shift = nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) → (N, C, h, w)."""
        # Channels are last in memory, so this is a layer norm of each position in one pass.
        normed = F.layer_norm(x.permute(0, 2, 3, 1), x.shape[1:2], self.gain, self.shift).permute(0, 3, 1, 2)
        return F.leaky_relu(normed, 0.2)


class _Block(nn.Module):
    """Two 3x3 convolutions and a skip connection."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            _Norm(width), nn.Conv2d(width, width, 3),
            _Norm(width), nn.Conv2d(width, width, 3),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) → (N, C, h - 4, w - 4)."""
        return torch.add(x[_INNER], self.layers(x))
