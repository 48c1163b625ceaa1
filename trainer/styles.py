"""The style of real land: what its map cannot say of it."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from terrainpaint.core.classes import CLASS_COUNT, WATER
from terrainpaint.models.networks import Generator
from trainer.crops import Crops, CropSource

STYLE_SAMPLES = 1024


class Styles:
    """The style of a real crop: how its land differs from what is usual for its classes, in standard deviations.

    Lightness, warmth (red over blue), greenness (green over the mean of red and blue), elevation (code) and relief
    (logarithm of the slope). The generator is told the style of the real crop in training, and so learns what each
    number does; without it, what the map cannot say would be averaged away.
    """

    def __init__(self, source: CropSource, generator: Generator, random: torch.Generator) -> None:
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

    def of(self, crops: Crops, noise: float, drawn: Tensor) -> Tensor:
        """(N, 5): the styles of crops, blurred by noise; crops without land draw any style.

        `drawn` (N, 5) are normal numbers.
        """
        drawn = drawn.to(self.mix.device)
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
