"""The default generator: a local SPADE network. Its output at a place depends only on the map near that place.

Spatially-adaptive modulation (SPADE, Park et al. 2019) on the coarse levels, where the shape of an area matters, and
class tables (CLADE, Tan et al. 2021) on the fine ones. Three properties make it local and tileable:

- no statistics over space: features are normalised over their channels, position by position;
- no border: the network receives the wider window of the map that its output depends on, and its convolutions have no
  padding, so a tile and the whole map compute the same sums;
- noise from coordinates (`models.noise`), at every level.

The body runs from 1/16 of the map's resolution to 1/2; a pixel shuffle is the last step. Each level adds its own output
to a coarse output, which is upsampled from level to level (skip connections as in StyleGAN 2, Karras et al. 2020).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from terrainpaint.core.classes import CLASS_COUNT, WATER
from terrainpaint.models.class_counts import ClassCounts, having
from terrainpaint.models.fast_layers import (
    PixelConv,
    ShuffledConv,
    both_of,
    halved_means,
    joined,
    pixel_norm,
    upsampled,
)
from terrainpaint.models.guides import GUIDE_LEVEL
from terrainpaint.models.noise import NOISE_CHANNELS, Noise
from terrainpaint.models.style_field import knots, spread
from terrainpaint.models.terrain_generator import TerrainGenerator
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
"""By how many pixels, at half resolution, borders between land classes are smoothed on the fine levels."""
HEAD_CHANNELS = 32
OUTPUT_CHANNELS = 4
"""Three of albedo, before tanh, and the encoded elevation."""
HEAD_REACH = 2
SPADE_REACH = 2
STEM_REACH = 1
"""Must be less than `SPADE_REACH`, the reach of the SPADE branch on the same level."""
INNER = (..., slice(1, -1), slice(1, -1))
INNER_TWICE = (..., slice(2, -2), slice(2, -2))
"""The parts of an array that remain after one and two convolutions without padding."""


@dataclass(frozen=True)
class SpadeLocalConfig:
    """`widths` channels and `blocks` residual blocks of the levels 1/16, 1/8, 1/4, 1/2; `hidden` channels of the SPADE
    branch; `style_names` and `elevation_scale` as in `GeneratorConfig`."""

    widths: tuple[int, int, int, int] = (160, 112, 64, 32)
    blocks: tuple[int, int, int, int] = (2, 3, 2, 1)
    hidden: int = 48
    style_names: tuple[str, ...] = ("lightness", "warmth", "greenness", "elevation", "relief")
    elevation_scale: float = 43.0


class SpadeLocal(TerrainGenerator):
    """The local SPADE network."""

    config: SpadeLocalConfig
    cell_px = 1 << COARSEST

    def __init__(self, config: SpadeLocalConfig, guide_channels: int = 0) -> None:
        super().__init__(config)
        style = len(config.style_names)
        spans = [self._plan((row, row + 1))[0] for row in range(1 << COARSEST)]
        self._reach_px = max(max(row - start, stop - 1 - row) for row, (start, stop) in enumerate(spans))
        self.stem = nn.Conv2d(CLASS_COUNT + NOISE_CHANNELS + guide_channels, config.widths[0], 3)
        self.levels = nn.ModuleList()
        for step, (width, count) in enumerate(zip(config.widths, config.blocks, strict=True)):
            level = COARSEST - step
            following = config.widths[step + 1] if step + 1 < len(config.widths) else HEAD_CHANNELS
            self.levels.append(_Level(level, width, count, following, config.hidden, style, guide_channels))
        # Both are measured on real land before the training: see `style_mixes`.
        self.style_mix: Tensor
        self.local_style_mix: Tensor
        self.register_buffer("style_mix", torch.eye(style))
        self.register_buffer("local_style_mix", torch.zeros((style, style)))
        self.head_in = nn.Conv2d(HEAD_CHANNELS + 4 * (1 + NOISE_CHANNELS), HEAD_CHANNELS, 3)
        self.head_out = ShuffledConv(HEAD_CHANNELS, OUTPUT_CHANNELS, 3)
        nn.init.normal_(self.head_out.weight, std=0.02)
        nn.init.zeros_(self.head_out.bias)  # type: ignore[arg-type]
        # Training starts with land at 230 m: at 0 m the decoded height has slope 0, and the network hardly learns.
        nn.init.constant_(self.head_out.bias[-4:], 0.35)  # type: ignore[index]

    @property
    def reach_px(self) -> int:
        """The largest over all offsets of an output pixel within a cell of the coarsest level."""
        return self._reach_px

    def input_window(self, window: Window) -> Window:
        return Window(self._plan(window.rows)[0], self._plan(window.cols)[0])

    def style_knots(self, window: Window) -> Area:
        read = self.input_window(window)
        return knots((read.rows, read.cols))

    def style_mixes(self) -> tuple[Tensor, Tensor]:
        return self.style_mix, self.local_style_mix

    def forward(self, ids: Tensor, window: Window, noise: Noise, style: Tensor) -> tuple[Tensor, Tensor]:
        return self._generate(ids, window, noise, style, None)

    def _generate(
        self, ids: Tensor, window: Window, noise: Noise, style: Tensor, guide: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """As `forward`, with the guide (N, G, h, w) over the cells of `GUIDE_LEVEL` of the input window."""
        (rows, row_spans), (cols, col_spans) = self._plan(window.rows), self._plan(window.cols)
        if ids.shape[1:] != (rows[1] - rows[0], cols[1] - cols[0]):
            raise ValueError(f"the map covers {tuple(ids.shape[1:])}, its window is {rows} x {cols}")
        maps = _Pyramid(ids, rows, cols, guide)
        styles = _Styles(style, knots((rows, cols)))
        spans = list(zip(row_spans, col_spans, strict=True))

        here = spans[0]
        read = grown(here, STEM_REACH)
        read_noise = noise(COARSEST, 0, read, ids.device)
        x = self.stem(joined([maps.area(COARSEST, read), read_noise, *maps.guide(COARSEST, read)]))
        coarse = torch.zeros((len(ids), OUTPUT_CHANNELS, *size_of(here)), device=ids.device)
        for stage, there in zip(self.levels, spans[1:], strict=True):
            x, coarse = stage(x, coarse, here, there, maps, styles, noise)
            here = there
        fine = doubled(here[0]), doubled(here[1])
        full = torch.cat([maps.sharp_water(fine), noise(0, 0, fine, ids.device)], dim=1)
        x = F.leaky_relu_(self.head_in(joined([x, F.pixel_unshuffle(full, 2).to(x.dtype)])), 0.2)
        # The eight bits of bfloat16 would show as terraces in the heights: the last layer is always float32.
        with torch.autocast(x.device.type, enabled=False):
            x = self.head_out(x.float())  # (N, 4, H, W)
        rim = slice(2 * HEAD_REACH, -2 * HEAD_REACH)
        x = x + upsampled(coarse)[..., rim, rim]
        inner = grown(fine, -2 * HEAD_REACH)
        # tanh is slow on a view with gaps.
        x = x[:, :, cut(window.rows, inner[0]), cut(window.cols, inner[1])].contiguous()
        return 0.5 + 0.5 * torch.tanh(x[:, :3]), x[:, 3:]

    def _plan(self, out: Span) -> tuple[Span, list[Span]]:
        """The span of the map that is read for a span of the output, and the spans of the features of each level and of
        the head, coarse to fine."""
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
        # Whole cells of the coarsest level, so that each level is an exact average of the next finer one.
        return doubled(halved(deepest, COARSEST), COARSEST), spans


class _Pyramid:
    """Class fractions in the pixels of every level, for one window of the map."""

    def __init__(self, ids: Tensor, rows: Span, cols: Span, guide: Tensor | None = None) -> None:
        self._ids, self._window = ids, (rows, cols)
        self._guides: dict[int, Tensor] = {}
        if guide is not None:
            self._guides[GUIDE_LEVEL] = guide
            for level in range(GUIDE_LEVEL + 1, COARSEST + 1):
                self._guides[level] = halved_means(self._guides[level - 1])
        self._counts = ClassCounts(ids)
        self._soft: Tensor | None = None

    def area(self, level: int, area: Area) -> Tensor:
        """(N, 7, h, w): fraction of each class in each pixel of an area of a level."""
        rows, cols = (halved(span, level) for span in self._window)
        return self._counts.fractions(level, cut(area[0], rows), cut(area[1], cols))

    def guide(self, level: int, area: Area) -> list[Tensor]:
        """The guide (N, G, h, w) in an area of a level; empty on levels without one."""
        if level not in self._guides:
            return []
        rows, cols = (halved(span, level) for span in self._window)
        return [self._guides[level][:, :, cut(area[0], rows), cut(area[1], cols)]]

    def soft(self, level: int, area: Area) -> Tensor:
        """(N, 7, h, w): the class fractions with smooth borders between land classes. Ask for level 2 before level 1.

        At sharp borders the class tables would build walls. Water keeps its exact border.
        """
        fine = doubled(area[0], level - 1), doubled(area[1], level - 1)
        if self._soft is None:
            self._soft, self._soft_at = self._softened(fine), fine
        half = self._soft[:, :, cut(fine[0], self._soft_at[0]), cut(fine[1], self._soft_at[1])]
        for _ in range(1, level):
            half = halved_means(half)
        return half

    def _softened(self, area: Area) -> Tensor:
        half = self.area(1, grown(area, BLUR_PX))
        soft = _blurred(_blurred(half))
        water = half[:, WATER : WATER + 1, BLUR_PX:-BLUR_PX, BLUR_PX:-BLUR_PX]
        soft *= (1 - water) / (1 - soft[:, WATER : WATER + 1]).clamp(min=1e-3)
        soft[:, WATER : WATER + 1] = water
        return soft

    def sharp_water(self, area: Area) -> Tensor:
        """(N, 1, H, W): 1 in water and 0 on land, at full resolution."""
        rows, cols = self._window
        return having(self._ids[:, None, cut(area[0], rows), cut(area[1], cols)], WATER).float()


class _Styles:
    """The style in the pixels of every level."""

    def __init__(self, style: Tensor, at: Area) -> None:
        self._points, self._knots = style.float().expand(-1, -1, *size_of(at)), at

    def area(self, level: int, area: Area) -> Tensor:
        """(N, S, h, w)."""
        return spread(self._points, self._knots, level, area)


class _Level(nn.Module):
    """The residual blocks of one level, its part of the output, and the upsampling to the next level."""

    def __init__(
        self, level: int, width: int, count: int, following: int, hidden: int, style: int, guide_channels: int
    ) -> None:
        super().__init__()
        self.level = level
        self.branch: nn.Sequential | None = None
        if level in SPADE_LEVELS:
            self.branch = nn.Sequential(
                nn.Conv2d(CLASS_COUNT + guide_channels, hidden, 3), nn.ReLU(),
                nn.Conv2d(hidden, hidden, 3), nn.ReLU(),
            )  # fmt: skip
        condition = (hidden if self.branch else CLASS_COUNT) + style
        if self.branch is None and level >= GUIDE_LEVEL:
            condition += guide_channels
        self.blocks = nn.ModuleList(_Block(width, condition) for _ in range(count))
        self.leave = PixelConv(width, following)
        self.outline = nn.Conv2d(width, OUTPUT_CHANNELS, 1) if level > 1 else None
        if self.outline is not None:
            nn.init.zeros_(self.outline.weight)
            nn.init.zeros_(self.outline.bias)  # type: ignore[arg-type]

    def forward(
        self,
        x: Tensor,
        coarse: Tensor,
        here: Area,
        there: Area,
        maps: _Pyramid,
        styles: _Styles,
        noise: Noise,
    ) -> tuple[Tensor, Tensor]:
        """Features (N, C, h, w) and coarse output (N, 4, h, w) of the area `here` → the same of the area `there` of the
        next level."""
        if self.branch is None:
            condition = fractions = maps.soft(self.level, here)
            guide = maps.guide(self.level, here)
        else:
            fractions = maps.area(self.level, here)
            wide = grown(here, SPADE_REACH)
            condition = self.branch(joined([maps.area(self.level, wide), *maps.guide(self.level, wide)]))
            guide = []
        style = styles.area(self.level, here).to(condition.dtype)
        condition = joined([condition, style, *guide])
        for index, block in enumerate(self.blocks):
            here, fractions = grown(here, -1), fractions[INNER]
            x = block(x, condition, fractions, noise(self.level, index + 1, here, x.device))
            here, fractions = grown(here, -1), fractions[INNER]
            condition, coarse = condition[INNER_TWICE], coarse[INNER_TWICE]
        if self.outline is None:
            return self.leave(x), coarse
        # float32 keeps plateaus smooth: at 1,500 m, rounding on the fine levels would roughen them.
        with torch.autocast(x.device.type, enabled=False):
            coarse = upsampled(coarse + self.outline(x.float()))
        x = upsampled(self.leave(x))
        inner = (..., cut(there[0], doubled(here[0])), cut(there[1], doubled(here[1])))
        return x[inner], coarse[inner]


class _Block(nn.Module):
    """Two modulated 3x3 convolutions with noise between them, and a skip connection."""

    def __init__(self, width: int, condition: int) -> None:
        super().__init__()
        self.before_first = _Modulation(width, condition)
        self.first = nn.Conv2d(width, width, 3)
        self.noise_by_class = nn.Conv2d(CLASS_COUNT, NOISE_CHANNELS, 1, bias=False)
        self.noise_gain = PixelConv(NOISE_CHANNELS, width, bias=False)
        self.before_second = _Modulation(width, condition)
        self.second = nn.Conv2d(width, width, 3)
        nn.init.constant_(self.noise_by_class.weight, 0.3)

    def forward(self, x: Tensor, condition: Tensor, fractions: Tensor, noise: Tensor) -> Tensor:
        """(N, C, h, w) → (N, C, h - 4, w - 4). `condition` is as large as `x`, class `fractions` and `noise` are 1 px
        smaller on each side."""
        y: Tensor = self.first(self.before_first(x, condition))
        y += self.noise_gain(noise * self.noise_by_class(fractions))
        y = self.second(self.before_second(y, condition[INNER]))
        return y.add_(x[INNER_TWICE])


class _Modulation(nn.Module):
    """Norm over the channels of each position, gain and shift from map and style, leaky ReLU."""

    def __init__(self, width: int, condition: int) -> None:
        super().__init__()
        self.gain = PixelConv(condition, width)
        self.shift = PixelConv(condition, width)
        for layer in (self.gain, self.shift):
            nn.init.normal_(layer.weight, std=0.1)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
        nn.init.ones_(self.gain.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """(N, C, h, w) → (N, C, h, w)."""
        gain, shift = both_of(condition, self.gain, self.shift)
        # Fused, because the fine levels spend most of their time on passes over memory.
        return F.leaky_relu_(torch.addcmul(shift, pixel_norm(x), gain), 0.2)


def _blurred(fractions: Tensor) -> Tensor:
    """(N, 7, h, w) → (N, 7, h - BLUR_PX, w - BLUR_PX): means over squares. A convolution computes them ten times faster
    than the pooling of torch."""
    side = BLUR_PX + 1
    with torch.autocast(fractions.device.type, enabled=False):
        weights = fractions.new_full((CLASS_COUNT, 1, side, side), 1 / side**2)
        return F.conv2d(fractions, weights, groups=CLASS_COUNT)
