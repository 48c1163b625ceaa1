"""The default generator: a local SPADE network. What it paints at a place depends on the map near that place only.

Spatially-adaptive modulation (SPADE, Park and others 2019) on the coarse levels, where the shape of an area matters,
class tables (CLADE, Tan and others 2021) on the fine ones. Three things make it local and tileable:

- no statistics over space: features are normalised over their channels, position by position;
- no border: the network is given the wider window of the map that its output depends on, and its convolutions have no
  padding, so a tile and the whole compute the same sums;
- noise by place (`models.noise`), at every level.

The body runs from 1/16 of the map's resolution to 1/2; a pixel shuffle makes the last step. Each level adds what it
knows to a sketch of the output, which is enlarged from level to level (as in StyleGAN 2, Karras and others 2020).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from terrainpaint.core.classes import CLASS_COUNT, WATER
from terrainpaint.models.encoding import decode_elevation, encode_elevation
from terrainpaint.models.noise import NOISE_CHANNELS, Noise
from terrainpaint.models.style_field import knots, spread
from terrainpaint.models.windows import (
    Area,
    Span,
    Window,
    before_bilinear,
    cut,
    doubled,
    grown,
    halved,
    size_of,
    widened,
)

COARSEST = 4
"""Level of the first features: 1/16 of the map's resolution."""
SPADE_LEVELS = (4, 3)
BLUR_PX = 4
"""Reach, at half resolution, of the smoothing of land borders on the fine levels."""
HEAD_CHANNELS = 32
OUTPUT_CHANNELS = 4
"""Three of albedo, before tanh, and the elevation code."""
HEAD_REACH = 2
SPADE_REACH = 2
STEM_REACH = 1
"""Less than that of the SPADE branch on the same level."""
INNER = (..., slice(1, -1), slice(1, -1))
"""What a convolution without padding makes of an area."""


@dataclass(frozen=True)
class SpadeLocalConfig:
    """`widths` channels and `blocks` residual blocks of the levels 1/16, 1/8, 1/4, 1/2; `hidden` channels of the
    SPADE branch; `style_names` what the numbers of the style vector mean; `elevation_scale` metres to the power of
    one half in a unit of the elevation code."""

    widths: tuple[int, int, int, int] = (160, 112, 64, 32)
    blocks: tuple[int, int, int, int] = (2, 3, 2, 1)
    hidden: int = 48
    style_names: tuple[str, ...] = ("lightness", "warmth", "greenness", "elevation", "relief")
    elevation_scale: float = 43.0


class SpadeLocal(nn.Module):
    """Segmentation map, noise and style → albedo and elevation code."""

    cell_px = 1 << COARSEST
    """The sides of the map that it is shown are multiples of this."""

    def __init__(self, config: SpadeLocalConfig) -> None:
        super().__init__()
        self.config = config
        style = len(config.style_names)
        self.stem = nn.Conv2d(CLASS_COUNT + NOISE_CHANNELS, config.widths[0], 3)
        self.levels = nn.ModuleList()
        for step, (width, count) in enumerate(zip(config.widths, config.blocks, strict=True)):
            level = COARSEST - step
            following = config.widths[step + 1] if step + 1 < len(config.widths) else HEAD_CHANNELS
            self.levels.append(_Level(level, width, count, following, config.hidden, style))
        # A style is drawn as `style_mix @ normal numbers`: the covariance that real land has.
        self.style_mix: Tensor
        self.register_buffer("style_mix", torch.eye(style))
        # The same of how the style of a place differs from that of the land around it.
        self.local_style_mix: Tensor
        self.register_buffer("local_style_mix", torch.zeros((style, style)))
        self.head_in = nn.Conv2d(HEAD_CHANNELS + 4 * (1 + NOISE_CHANNELS), HEAD_CHANNELS, 3)
        self.head_out = nn.Conv2d(HEAD_CHANNELS, 4 * OUTPUT_CHANNELS, 3)
        nn.init.normal_(self.head_out.weight, std=0.02)
        nn.init.zeros_(self.head_out.bias)  # type: ignore[arg-type]
        # Land begins at 230 m, not at the sea, where the code is flat and hardly learns.
        nn.init.constant_(self.head_out.bias[-4:], 0.35)  # type: ignore[index]

    @property
    def reach_px(self) -> int:
        """How far a changed pixel of the map can be from a pixel of the output that changes with it."""
        cell = 1 << COARSEST
        spans = [self.input_window(Window((at, at + 1), (0, 1))).rows for at in range(cell)]
        return max(max(at - start, stop - 1 - at) for at, (start, stop) in enumerate(spans))

    def input_window(self, window: Window) -> Window:
        """The rectangle of the map that a rectangle of the output depends on."""
        return Window(self._plan(window.rows)[0], self._plan(window.cols)[0])

    def style_knots(self, window: Window) -> Area:
        """The knots of the style that a rectangle of the output depends on."""
        asked = self.input_window(window)
        return knots((asked.rows, asked.cols))

    def forward(self, ids: Tensor, window: Window, noise: Noise, style: Tensor) -> tuple[Tensor, Tensor]:
        """Albedo (N, 3, H, W) in 0..1 sRGB and elevation code (N, 1, H, W), both float32, of `window`.

        `ids` (N, h, w) uint8 covers exactly `input_window(window)`; `noise` draws for N maps; `style` (N, S, r, c) is
        the style at `style_knots(window)`, or (N, S, 1, 1) the same everywhere.
        Raises ValueError when the map is of another size.
        """
        (rows, row_spans), (cols, col_spans) = self._plan(window.rows), self._plan(window.cols)
        if ids.shape[1:] != (rows[1] - rows[0], cols[1] - cols[0]):
            raise ValueError(f"the map covers {tuple(ids.shape[1:])}, its window is {rows} x {cols}")
        maps = _Pyramid(ids, rows, cols)
        styles = _Styles(style, knots((rows, cols)))
        spans = list(zip(row_spans, col_spans, strict=True))

        here = spans[0]
        around = grown(here, STEM_REACH)
        x = self.stem(torch.cat([maps.area(COARSEST, around), noise(COARSEST, 0, around, ids.device)], dim=1))
        sketch = torch.zeros((len(ids), OUTPUT_CHANNELS, *size_of(here)), device=ids.device)
        for stage, there in zip(self.levels, spans[1:], strict=True):
            x, sketch = stage(x, sketch, here, there, maps, styles, noise)
            here = there
        fine = doubled(here[0]), doubled(here[1])
        placed = torch.cat([maps.sharp_water(fine), noise(0, 0, fine, ids.device)], dim=1)
        x = torch.cat([x, F.pixel_unshuffle(placed, 2).to(x.dtype)], dim=1)
        x = F.leaky_relu(self.head_in(x), 0.2)
        # Bfloat16 has eight bits of precision: as heights, terraces. The last layer is float32 whatever runs before.
        with torch.autocast(x.device.type, enabled=False):
            x = F.pixel_shuffle(self.head_out(x.float()), 2)  # (N, 4, H, W)
        rim = slice(2 * HEAD_REACH, -2 * HEAD_REACH)
        x = x + _enlarged(sketch)[..., rim, rim]
        at = grown(fine, -2 * HEAD_REACH)
        x = x[:, :, cut(window.rows, at[0]), cut(window.cols, at[1])].contiguous()  # tanh is slow on gaps
        return 0.5 + 0.5 * torch.tanh(x[:, :3]), x[:, 3:]

    def height(self, code: Tensor) -> Tensor:
        """Elevation code → metres, float32: the square, with its sign. No height is out of range."""
        return decode_elevation(code, self.config.elevation_scale)

    def code(self, height: Tensor) -> Tensor:
        """Metres → elevation code, float32: the inverse of `height`."""
        return encode_elevation(height, self.config.elevation_scale)

    def _plan(self, out: Span) -> tuple[Span, list[Span]]:
        """The span of the map, and of the features of each level and of the head, coarse to fine."""
        spans = [widened(halved(out), HEAD_REACH)]
        deepest = out
        for step in reversed(range(len(self.config.widths))):
            level = COARSEST - step
            end = spans[0] if level == 1 else before_bilinear(spans[0])
            spans.insert(0, widened(end, 2 * self.config.blocks[step]))
            if level in SPADE_LEVELS:
                read = doubled(widened(spans[0], SPADE_REACH), level)
            else:
                read = doubled(widened(doubled(spans[0], level - 1), BLUR_PX))
            deepest = min(deepest[0], read[0]), max(deepest[1], read[1])
        # Whole cells of the coarsest level, so that every level is an exact average of the one below.
        return doubled(halved(deepest, COARSEST), COARSEST), spans


class _Pyramid:
    """Shares of the classes in the pixels of every level, of one window of the map."""

    def __init__(self, ids: Tensor, rows: Span, cols: Span) -> None:
        self._ids, self._window = ids, (rows, cols)
        classes = torch.arange(CLASS_COUNT, dtype=ids.dtype, device=ids.device)[:, None, None]
        quarters = (ids[:, None, row::2, col::2] == classes for row in (0, 1) for col in (0, 1))
        half = sum(each.to(torch.uint8) for each in quarters).to(torch.float32) / 4  # type: ignore[union-attr]
        self._areas = {1: half.contiguous(memory_format=torch.channels_last)}
        for level in range(2, COARSEST + 1):
            self._areas[level] = F.avg_pool2d(self._areas[level - 1], 2)
        self._soft: Tensor | None = None

    def area(self, level: int, at: Area) -> Tensor:
        """(N, 7, h, w): share of each class in each pixel of a level."""
        rows, cols = (halved(span, level) for span in self._window)
        return self._areas[level][:, :, cut(at[0], rows), cut(at[1], cols)]

    def soft(self, level: int, at: Area) -> Tensor:
        """(N, 7, h, w): the same with land borders smoothed, on the levels 1 and 2 and in this order of levels: 2, 1.

        Land classes meet softly, or the class tables would build walls; water keeps its exact border.
        """
        fine = doubled(at[0], level - 1), doubled(at[1], level - 1)
        if self._soft is None:
            self._soft, self._soft_at = self._softened(fine), fine
        half = self._soft[:, :, cut(fine[0], self._soft_at[0]), cut(fine[1], self._soft_at[1])]
        return half if level == 1 else F.avg_pool2d(half, 1 << (level - 1))

    def _softened(self, at: Area) -> Tensor:
        half = self.area(1, grown(at, BLUR_PX))
        blurred = _blurred(_blurred(half))
        water = self.area(1, at)[:, WATER : WATER + 1]
        land = blurred * ((1 - water) / (1 - blurred[:, WATER : WATER + 1]).clamp(min=1e-3))
        return torch.cat([water, land[:, WATER + 1 :]], dim=1)

    def sharp_water(self, at: Area) -> Tensor:
        """(N, 1, H, W): where water is, at full resolution."""
        rows, cols = self._window
        return (self._ids[:, None, cut(at[0], rows), cut(at[1], cols)] == WATER).float()


class _Styles:
    """The style in the pixels of every level."""

    def __init__(self, style: Tensor, at: Area) -> None:
        sides = (at[0][1] - at[0][0], at[1][1] - at[1][0])
        self._points, self._at = style.float().expand(-1, -1, *sides), at

    def area(self, level: int, at: Area) -> Tensor:
        """(N, S, h, w)."""
        return spread(self._points, self._at, level, at)


class _Level(nn.Module):
    """The residual blocks of one level, and the way to the next."""

    def __init__(self, level: int, width: int, count: int, following: int, hidden: int, style: int) -> None:
        super().__init__()
        self.level = level
        self.branch: nn.Sequential | None = None
        if level in SPADE_LEVELS:
            self.branch = nn.Sequential(
                nn.Conv2d(CLASS_COUNT, hidden, 3), nn.ReLU(),
                nn.Conv2d(hidden, hidden, 3), nn.ReLU(),
            )  # fmt: skip
        told = (hidden if self.branch else CLASS_COUNT) + style
        self.blocks = nn.ModuleList(_Block(width, told) for _ in range(count))
        self.leave = nn.Conv2d(width, following, 1)
        self.outline = nn.Conv2d(width, OUTPUT_CHANNELS, 1) if level > 1 else None
        if self.outline is not None:
            nn.init.zeros_(self.outline.weight)
            nn.init.zeros_(self.outline.bias)  # type: ignore[arg-type]

    def forward(
        self,
        x: Tensor,
        sketch: Tensor,
        here: Area,
        there: Area,
        maps: _Pyramid,
        styles: _Styles,
        noise: Noise,
    ) -> tuple[Tensor, Tensor]:
        """Features (N, C, h, w) and the sketch (N, 4, h, w) on the spans `here` → both on `there` of the next level."""
        if self.branch is None:
            told = shares = maps.soft(self.level, here)
        else:
            shares, told = maps.area(self.level, here), self.branch(maps.area(self.level, grown(here, SPADE_REACH)))
        style = styles.area(self.level, here)
        told = torch.cat([told, style.to(told.dtype)], dim=1).contiguous(memory_format=torch.channels_last)
        for index, block in enumerate(self.blocks):
            here, shares = grown(here, -1), shares[INNER]
            x = block(x, told, shares, noise(self.level, index + 1, here, x.device))
            here, shares = grown(here, -1), shares[INNER]
            told, sketch = told[INNER][INNER], sketch[INNER][INNER]
        if self.outline is None:
            return self.leave(x), sketch
        # Plateaus are drawn here, in float32 and smooth: at 1,500 m the fine levels would roughen them by rounding.
        with torch.autocast(x.device.type, enabled=False):
            sketch = _enlarged(sketch + self.outline(x.float()))
        x = _enlarged(self.leave(x))
        part = (..., cut(there[0], doubled(here[0])), cut(there[1], doubled(here[1])))
        return x[part], sketch[part]


class _Block(nn.Module):
    """Two modulated 3x3 convolutions with noise between them, and a way around."""

    def __init__(self, width: int, told: int) -> None:
        super().__init__()
        self.before_first = _Modulation(width, told)
        self.first = nn.Conv2d(width, width, 3)
        self.noise_by_class = nn.Conv2d(CLASS_COUNT, NOISE_CHANNELS, 1, bias=False)
        self.noise_gain = nn.Conv2d(NOISE_CHANNELS, width, 1, bias=False)
        self.before_second = _Modulation(width, told)
        self.second = nn.Conv2d(width, width, 3)
        nn.init.constant_(self.noise_by_class.weight, 0.3)

    def forward(self, x: Tensor, told: Tensor, shares: Tensor, noise: Tensor) -> Tensor:
        """(N, C, h, w) → (N, C, h - 4, w - 4); `told` is on the first grid, `shares` and `noise` are 1 px smaller on
        each side."""
        y = self.first(self.before_first(x, told))
        y = y + self.noise_gain(noise * self.noise_by_class(shares))
        y = self.second(self.before_second(y, told[INNER]))
        return torch.add(x[INNER][INNER], y)


class _Modulation(nn.Module):
    """Norm over the channels of each position, gain and shift by map and style, leaky ReLU."""

    def __init__(self, width: int, told: int) -> None:
        super().__init__()
        self.gain = nn.Conv2d(told, width, 1)
        self.shift = nn.Conv2d(told, width, 1)
        for each in (self.gain, self.shift):
            nn.init.normal_(each.weight, std=0.1)
            nn.init.zeros_(each.bias)  # type: ignore[arg-type]
        nn.init.ones_(self.gain.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, told: Tensor) -> Tensor:
        """(N, C, h, w) → (N, C, h, w)."""
        # Channels are last in memory: a layer norm of each position, in one pass.
        normed = F.layer_norm(x.permute(0, 2, 3, 1), x.shape[1:2]).permute(0, 3, 1, 2)
        # As few passes over memory as can be: they are what the fine levels spend their time on.
        return F.leaky_relu_(torch.addcmul(self.shift(told), normed, self.gain(told)), 0.2)


def _blurred(shares: Tensor) -> Tensor:
    """(N, 7, h, w) → (N, 7, h - BLUR_PX, w - BLUR_PX): means over squares, which a convolution makes ten times sooner
    than the pooling of torch."""
    side = BLUR_PX + 1
    with torch.autocast(shares.device.type, enabled=False):
        weights = shares.new_full((CLASS_COUNT, 1, side, side), 1 / side**2)
        return F.conv2d(shares, weights, groups=CLASS_COUNT)


def _enlarged(x: Tensor) -> Tensor:
    """(N, C, h, w) → (N, C, 2h, 2w), bilinear; the outermost pixels would need more than there is."""
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
