"""A prepared set in the memory of the device, and random crops of it: there is no data loader to wait for."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from terrainpaint.core.classes import CLASS_COUNT, WATER
from terrainpaint.errors import TrainingError
from terrainpaint.models.spade_local import COARSEST, SpadeLocal, Window
from terrainpaint.models.spans import Span
from trainer.prepared import PreparedSet

EXTRA_PX = 3
"""Heights beyond a crop that shading and slopes read: one to the north and west, two to the south and east."""
GRID_PX = 8
LEAST_LAND = 0.05
STYLE_SAMPLES = 1024


@dataclass(frozen=True)
class Crops:
    """N crops of side C, with the extra pixels around: `texture` (N, 3, C + 3, C + 3) in 0..1, `height`
    (N, 1, C + 3, C + 3) metres, `ids` (N, h, w) uint8 the map over the generator's input window, `labels`
    (N, C + 3, C + 3) int64, `window` what the generator is asked for."""

    texture: Tensor
    height: Tensor
    ids: Tensor
    labels: Tensor
    window: Window


class CropSource:
    """Draws crops of valid land and coasts. Tiles cover equal areas, so every place is as likely as any other."""

    def __init__(self, prepared: PreparedSet, generator: SpadeLocal, crop_px: int, device: torch.device) -> None:
        if not len(prepared) or not prepared.labels.shape[1]:
            raise TrainingError("The prepared set has no maps yet; run 'python -m trainer label' on it first.")
        roomy = crop_px + EXTRA_PX + GRID_PX - 1
        if prepared.tile_px < roomy:
            raise TrainingError(
                f"Crops of {crop_px} px do not fit into tiles of {prepared.tile_px} px; lower --crop-px or prepare "
                "larger tiles."
            )
        self._texture = torch.from_numpy(prepared.texture).to(device)
        self._height = torch.from_numpy(prepared.height).to(device)
        self._labels = torch.from_numpy(prepared.labels).to(device)
        self._generator = generator
        self.crop_px, self.pixel_size_m, self._device = crop_px, prepared.pixel_size_m, device
        blocked = torch.from_numpy(~prepared.valid).float()[:, None]
        land = torch.from_numpy(prepared.valid & ~prepared.sea).float()[:, None]
        # Starts are chosen on a grid and then moved within it: all that a moved crop may touch must be valid.
        # Rows first, then columns: the same shares at a fraction of the work.
        column, down, row, across = (roomy, 1), (GRID_PX, 1), (1, roomy), (1, GRID_PX)
        is_valid = F.max_pool2d(F.max_pool2d(blocked, column, down), row, across) == 0
        usable = is_valid & (F.avg_pool2d(F.avg_pool2d(land, column, down), row, across) >= LEAST_LAND)
        if not bool(usable.any()):
            raise TrainingError(f"No crop of {crop_px} px in the set is wholly valid; lower --crop-px.")
        self._starts = usable[:, 0].nonzero()  # (K, 3): tile, row and col on the grid

    def draw(self, count: int, random: torch.Generator) -> Crops:
        """`count` random crops; `random` is a generator on the CPU and decides everything."""
        chosen = self._starts[torch.randint(len(self._starts), (count,), generator=random)]
        side = self.crop_px + EXTRA_PX
        starts = chosen[:, 1:] * GRID_PX + torch.randint(0, GRID_PX, (count, 2), generator=random)
        variant = torch.randint(self._labels.shape[1], (count,), generator=random)
        # Whole cells of the coarsest level: every crop asks for a window of the same size, at its own place of land.
        origin = (torch.randint(0, 1 << 12, (2,), generator=random) << COARSEST).tolist()
        window = Window((origin[0], origin[0] + side), (origin[1], origin[1] + side))
        asked = self._generator.input_window(window)
        return self._cut(chosen[:, 0], starts, variant, window, asked)

    def _cut(self, tiles: Tensor, starts: Tensor, variants: Tensor, window: Window, asked: Window) -> Crops:
        side = self.crop_px + EXTRA_PX
        tiles, starts, variants = (each.to(self._device) for each in (tiles, starts, variants))
        rows = starts[:, 0, None] + torch.arange(side, device=self._device)  # (N, S)
        cols = starts[:, 1, None] + torch.arange(side, device=self._device)
        at = tiles[:, None, None], rows[:, :, None], cols[:, None, :]
        wide_rows = starts[:, 0, None] + _offsets(asked.rows, window.rows, self._device)
        wide_cols = starts[:, 1, None] + _offsets(asked.cols, window.cols, self._device)
        # Beyond the tile the map goes on as at its border, which is what the program does beyond a painted map.
        last = self._labels.shape[2] - 1
        wide = self._labels[
            tiles[:, None, None], variants[:, None, None], wide_rows.clamp(0, last)[:, :, None],
            wide_cols.clamp(0, last)[:, None, :],
        ]  # fmt: skip
        return Crops(
            texture=self._texture[at].permute(0, 3, 1, 2).float() / 255,
            height=self._height[at].float()[:, None],
            ids=wide,
            labels=self._labels[at[0], variants[:, None, None], at[1], at[2]].long(),
            window=window,
        )


class Styles:
    """The style of a real crop: how its land differs from what is usual for its classes, in standard deviations.

    Lightness, warmth (red over blue), greenness (green over the mean of red and blue), elevation (code) and relief
    (logarithm of the slope). The generator is told the style of the real crop in training, and so learns what each
    number does; without it, what the map cannot say would be averaged away.
    """

    def __init__(self, source: CropSource, generator: SpadeLocal, random: torch.Generator) -> None:
        self._generator, self._pixel_size_m = generator, source.pixel_size_m
        crops = [source.draw(16, random) for _ in range(STYLE_SAMPLES // 16)]
        values = torch.cat([self._values(each) for each in crops])  # (M, 5, S, S)
        labels = torch.cat([each.labels for each in crops])
        self._class_mean = torch.stack(
            [values.movedim(1, -1)[labels == each].mean(dim=0).nan_to_num() for each in range(CLASS_COUNT)]
        )
        raw = torch.cat([self._raw(each) for each in crops])
        raw = raw[raw.isfinite().all(dim=1)]
        self._mean, self._deviation = raw.mean(dim=0), raw.std(dim=0)
        known = (raw - self._mean) / self._deviation
        self.mix = torch.linalg.cholesky(torch.cov(known.T) + 1e-3 * torch.eye(raw.shape[1], device=raw.device))

    def of(self, crops: Crops, noise: float, random: torch.Generator) -> Tensor:
        """(N, 5): the styles of crops, blurred by noise; crops without land draw any style."""
        drawn = torch.randn((len(crops.texture), len(self.mix)), generator=random).to(self.mix.device)
        found = (self._raw(crops) - self._mean) / self._deviation
        return torch.where(found.isfinite(), found.clamp(-3, 3) + noise * drawn, drawn @ self.mix.T)

    def _raw(self, crops: Crops) -> Tensor:
        land = (crops.labels != WATER)[:, None].float()
        usual = self._class_mean[crops.labels].movedim(-1, 1)
        total = ((self._values(crops) - usual) * land).sum(dim=(2, 3))
        area = land.sum(dim=(2, 3))
        return torch.where(area > 64, total / area, torch.nan)

    def _values(self, crops: Crops) -> Tensor:
        red, green, blue = crops.texture.unbind(dim=1)
        height = crops.height
        rise = (height[:, 0, 1:, 1:] - height[:, 0, :-1, :-1]).abs() / self._pixel_size_m
        return torch.stack(
            [
                (red + green + blue) / 3,
                red - blue,
                green - (red + blue) / 2,
                self._generator.code(height)[:, 0],
                torch.log(F.pad(rise, (0, 1, 0, 1), mode="replicate") + 1e-3),
            ],
            dim=1,
        )


def _offsets(wide: Span, inner: Span, device: torch.device) -> Tensor:
    return torch.arange(wide[0] - inner[0], wide[1] - inner[0], device=device)
