"""What the three reference networks, after SPADE-Terrain-GAN 1.0, 1.1 and 1.2, have in common.

The features at 1/32 of the map's resolution are computed from a few latent numbers and are the same everywhere. Seven
residual blocks, conditioned on the map, and five steps of bilinear upsampling lead to full resolution, where colour
(CIELAB) and height are the output. The blocks follow SPADE (Park et al. 2019); their layers differ in each version.

These networks see the whole map, so they are not local: the output for a rectangle differs from that rectangle of the
output for the whole map. `reach_px` is None, and a map is generated in one go.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from terrainpaint.core.classes import CLASS_COUNT
from terrainpaint.models.encoding import srgb_from_lab
from terrainpaint.models.noise import Noise
from terrainpaint.models.terrain_generator import TerrainGenerator
from terrainpaint.models.windows import Area, Span, Window, cut, doubled, halved

COARSEST = 5
"""Level of the first features: 1/32 of the map's resolution."""
LEVELS = (5, 4, 4, 3, 2, 1, 0)
"""Level of each residual block, counted in halvings; before each new level the features are upsampled."""
OUTPUT_CHANNELS = 4
"""L, a, b and the encoded elevation, all before tanh."""
_LEAST_CELLS = 2


@dataclass(frozen=True)
class ReferenceConfig:
    """The published values: `widths` channels after each residual block, coarse to fine; `hidden` channels of the
    layers that read the map; `latents` uniform numbers that the first features are computed from; `elevation_scale`
    as in `GeneratorConfig`: encoded elevation is between -1 and 1, so with 105, heights are within 11,025 m."""

    widths: tuple[int, int, int, int, int, int, int] = (768, 768, 768, 384, 192, 96, 48)
    hidden: int = 128
    latents: int = 16
    elevation_scale: float = 105.0

    @property
    def style_names(self) -> tuple[str, ...]:
        """The latent numbers are the style; they have no known meaning."""
        return tuple(f"latent {number}" for number in range(1, self.latents + 1))


class ReferenceNetwork(TerrainGenerator):
    """What the versions share; each has other residual blocks."""

    config: ReferenceConfig
    reach_px = None
    cell_px = 1 << COARSEST

    def __init__(self, config: ReferenceConfig) -> None:
        super().__init__(config)
        self.start = nn.Linear(config.latents, config.widths[0])
        before = (config.widths[0], *config.widths[:-1])
        self.blocks = nn.ModuleList(
            self.block(level, *widths) for level, *widths in zip(LEVELS, before, config.widths, strict=True)
        )
        self.out = nn.Conv2d(config.widths[-1], OUTPUT_CHANNELS, 1)

    @abstractmethod
    def block(self, level: int, before: int, after: int) -> nn.Module:
        """A residual block: features (N, before, h, w), class fractions (N, 7, h, w), noise (N, 1, h, w) →
        (N, after, h, w)."""

    def style_mixes(self) -> tuple[Tensor, Tensor]:
        """Latent numbers are drawn independently of each other, and are the same everywhere."""
        return torch.eye(self.config.latents), torch.zeros((self.config.latents, self.config.latents))

    def style_knots(self, window: Window) -> Area:
        """One knot, for everywhere."""
        return (0, 1), (0, 1)

    def input_window(self, window: Window) -> Window:
        """Whole cells of 32 px, at least two: the statistics of one cell alone would be empty."""
        return Window(_whole_cells(window.rows), _whole_cells(window.cols))

    def forward(self, ids: Tensor, window: Window, noise: Noise, style: Tensor) -> tuple[Tensor, Tensor]:
        """As in `TerrainGenerator`; `style` (N, S, 1, 1), encoded elevation in -1..1."""
        result = torch.tanh(self.unshaded(ids, window, noise, style))
        return srgb_from_lab(result[:, :3]), result[:, 3:]

    def unshaded(self, ids: Tensor, window: Window, noise: Noise, style: Tensor) -> Tensor:
        """(N, 4, H, W) float32: L, a, b and encoded elevation of `window` before tanh, which the training shades.

        Arguments and errors are those of `forward`.
        """
        read = self.input_window(window)
        if ids.shape[1:] != (read.rows[1] - read.rows[0], read.cols[1] - read.cols[0]):
            raise ValueError(f"the map covers {tuple(ids.shape[1:])}, its window is {read.rows} x {read.cols}")
        classes = torch.arange(CLASS_COUNT, dtype=ids.dtype, device=ids.device)[:, None, None]
        one_hot = (ids[:, None] == classes).float()
        uniform = torch.erf(style.flatten(1) / math.sqrt(2))  # normal → uniform in -1..1
        x = self.start(uniform)[:, :, None, None].expand(-1, -1, *(side >> COARSEST for side in ids.shape[1:]))
        x = x.contiguous(memory_format=torch.channels_last)
        current = COARSEST
        for index, (level, block) in enumerate(zip(LEVELS, self.blocks, strict=True)):
            if level < current:
                x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
                current = level
            area = halved(read.rows, level), halved(read.cols, level)
            fractions = F.interpolate(one_hot, size=x.shape[2:], mode="bilinear", align_corners=False)
            x = block(x, fractions, noise(level, index, area, ids.device)[:, :1])
        # The eight bits of bfloat16 would show as terraces in the heights.
        with torch.autocast(x.device.type, enabled=False):
            result: Tensor = self.out(F.leaky_relu(x.float(), 0.2))
        return result[:, :, cut(window.rows, read.rows), cut(window.cols, read.cols)]


class SymmetricConv2d(nn.Conv2d):
    """A convolution with symmetric padding: mirrored at the border, with the outermost pixels repeated."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) → (N, D, h, w)."""
        return super().forward(mirrored(x, self.kernel_size[0] // 2))


def mirrored(x: Tensor, by: int) -> Tensor:
    """Symmetric padding: (N, C, h, w) → (N, C, h + 2 by, w + 2 by); `by` is at most h and w."""
    if by:
        for axis in (2, 3):
            first, last = x.narrow(axis, 0, by), x.narrow(axis, x.shape[axis] - by, by)
            x = torch.cat([first.flip(axis), x, last.flip(axis)], dim=axis)
    return x


def _whole_cells(span: Span) -> Span:
    start, stop = halved(span, COARSEST)
    return doubled((start, max(stop, start + _LEAST_CELLS)), COARSEST)
