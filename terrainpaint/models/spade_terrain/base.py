"""What the three reference networks, after SPADE-Terrain-GAN 1.0, 1.1 and 1.2, have in common.

A few numbers, the same everywhere, are the features at 1/32 of the map's resolution; seven residual blocks, told by the
map what to paint, and five bilinear enlargements lead to full resolution, where colour (CIELAB) and height come out.
The blocks are those of SPADE (Park and others 2019) with other insides in each version.

They see the whole map, so they are not local: a rectangle of it is not what a network makes that is shown only that
rectangle. `reach_px` is None, and a map is generated in one go.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from terrainpaint.core.classes import CLASS_COUNT
from terrainpaint.models.encoding import decode_elevation, encode_elevation, srgb_from_lab
from terrainpaint.models.noise import Noise
from terrainpaint.models.windows import Area, Span, Window, cut, doubled, halved

COARSEST = 5
"""Level of the first features: 1/32 of the map's resolution."""
LEVELS = (5, 4, 4, 3, 2, 1, 0)
"""Level of each residual block, counted in halvings; before each new one the features are enlarged."""
OUTPUT_CHANNELS = 4
"""L, a, b and the elevation code, all before tanh."""
_LEAST_CELLS = 2


@dataclass(frozen=True)
class ReferenceConfig:
    """As published: `widths` channels after each residual block, coarse to fine; `hidden` channels of the layers that
    read the map; `latents` uniform numbers that the features begin with; `elevation_scale` metres to the power of one
    half in a unit of the elevation code, which is between -1 and 1: with 105, heights are within 11,025 m."""

    widths: tuple[int, int, int, int, int, int, int] = (768, 768, 768, 384, 192, 96, 48)
    hidden: int = 128
    latents: int = 16
    elevation_scale: float = 105.0

    @property
    def style_names(self) -> tuple[str, ...]:
        """The style is the latent numbers, and nobody knows what they mean."""
        return tuple(f"latent {number}" for number in range(1, self.latents + 1))


class ReferenceNetwork(nn.Module, ABC):
    """Segmentation map, noise and latent numbers → albedo and elevation code."""

    reach_px: int | None = None
    """None: a changed pixel of the map changes the terrain everywhere."""
    cell_px = 1 << COARSEST
    """The sides of the map that it is shown are multiples of this."""

    def __init__(self, config: ReferenceConfig) -> None:
        super().__init__()
        self.config = config
        self.start = nn.Linear(config.latents, config.widths[0])
        before = (config.widths[0], *config.widths[:-1])
        self.blocks = nn.ModuleList(
            self.block(level, *widths) for level, *widths in zip(LEVELS, before, config.widths, strict=True)
        )
        self.out = nn.Conv2d(config.widths[-1], OUTPUT_CHANNELS, 1)

    @abstractmethod
    def block(self, level: int, before: int, after: int) -> nn.Module:
        """A residual block: features (N, before, h, w), map (N, 7, h, w), noise (N, 1, h, w) → (N, after, h, w)."""

    @property
    def style_mix(self) -> Tensor:
        """(S, S): latent numbers are drawn independently of each other."""
        return torch.eye(self.config.latents)

    @property
    def local_style_mix(self) -> Tensor:
        """(S, S): they are the same everywhere."""
        return torch.zeros((self.config.latents, self.config.latents))

    def style_knots(self, window: Window) -> Area:
        """One, for everywhere."""
        return (0, 1), (0, 1)

    def input_window(self, window: Window) -> Window:
        """The rectangle of the map that it is shown for a rectangle of the output: whole cells of 32 px, two or more.

        One cell alone would have no statistics. Where the map ends, the caller lets it go on as at its border.
        """
        return Window(_whole_cells(window.rows), _whole_cells(window.cols))

    def forward(self, ids: Tensor, window: Window, noise: Noise, style: Tensor) -> tuple[Tensor, Tensor]:
        """Albedo (N, 3, H, W) in 0..1 sRGB and elevation code (N, 1, H, W) in -1..1, both float32, of `window`.

        The arguments and what is raised are those of `painted`.
        """
        result = torch.tanh(self.painted(ids, window, noise, style))
        return srgb_from_lab(result[:, :3]), result[:, 3:]

    def painted(self, ids: Tensor, window: Window, noise: Noise, style: Tensor) -> Tensor:
        """(N, 4, H, W) float32: L, a, b and elevation code of `window` before shading and tanh; what is trained.

        `ids` (N, h, w) uint8 covers exactly `input_window(window)`; `noise` draws for N maps; `style` (N, S, 1, 1)
        normal numbers. Raises ValueError when the map is of another size.
        """
        asked = self.input_window(window)
        if ids.shape[1:] != (asked.rows[1] - asked.rows[0], asked.cols[1] - asked.cols[0]):
            raise ValueError(f"the map covers {tuple(ids.shape[1:])}, its window is {asked.rows} x {asked.cols}")
        classes = torch.arange(CLASS_COUNT, dtype=ids.dtype, device=ids.device)[:, None, None]
        one_hot = (ids[:, None] == classes).float()
        uniform = torch.erf(style.flatten(1) / math.sqrt(2))  # of a normal number: between -1 and 1, all as likely
        x = self.start(uniform)[:, :, None, None].expand(-1, -1, *(side >> COARSEST for side in ids.shape[1:]))
        x = x.contiguous(memory_format=torch.channels_last)
        now = COARSEST
        for index, (level, block) in enumerate(zip(LEVELS, self.blocks, strict=True)):
            if level < now:
                x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
                now = level
            here = halved(asked.rows, level), halved(asked.cols, level)
            seen = F.interpolate(one_hot, size=x.shape[2:], mode="bilinear", align_corners=False)
            x = block(x, seen, noise(level, index, here, ids.device)[:, :1])
        # Bfloat16 has eight bits of precision: as heights, terraces.
        with torch.autocast(x.device.type, enabled=False):
            result: Tensor = self.out(F.leaky_relu(x.float(), 0.2))
        return result[:, :, cut(window.rows, asked.rows), cut(window.cols, asked.cols)]

    def height(self, code: Tensor) -> Tensor:
        """Elevation code → metres, float32."""
        return decode_elevation(code, self.config.elevation_scale)

    def code(self, height: Tensor) -> Tensor:
        """Metres → elevation code, float32: the inverse of `height`."""
        return encode_elevation(height, self.config.elevation_scale)


class SymmetricConv2d(nn.Conv2d):
    """A convolution whose picture goes on beyond its border as in a mirror, the outermost pixels twice."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) → (N, D, h, w)."""
        return super().forward(mirrored(x, self.kernel_size[0] // 2))


def mirrored(x: Tensor, by: int) -> Tensor:
    """(N, C, h, w) → (N, C, h + 2 by, w + 2 by); `by` is at most h and w."""
    if by:
        for axis in (2, 3):
            first, last = x.narrow(axis, 0, by), x.narrow(axis, x.shape[axis] - by, by)
            x = torch.cat([first.flip(axis), x, last.flip(axis)], dim=axis)
    return x


def _whole_cells(span: Span) -> Span:
    start, stop = halved(span, COARSEST)
    return doubled((start, max(stop, start + _LEAST_CELLS)), COARSEST)
