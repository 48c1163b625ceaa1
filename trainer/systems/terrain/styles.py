"""The style of real land: the properties that its map does not determine."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from terrainpaint.core.classes import CLASS_COUNT, WATER
from terrainpaint.core.terrain import SNOW
from terrainpaint.models.spade_local import SpadeLocal
from terrainpaint.models.style_field import BROAD_FRACTION, KNOT_LEVEL, knot_weights, spread, variation
from terrainpaint.models.windows import Area, size_of
from trainer.systems.terrain.terrain_crops import Crops, CropSource

STYLE_SAMPLES = 1024
_LEAST_LAND = 4**KNOT_LEVEL / 20
"""Weight, in pixels, of the mean of a crop at each of its knots."""
_WHITE, _WHITER = 0.55, 0.7
"""Ground whose darkest channel is at most the first is not white at all; from the second on it is snow, or salt."""
_LEAST_DEVIATION = 1e-6
"""Of a number that is the same everywhere, such as snow where there is none."""
_EVERY = 16
"""Pixels between the places where differences from the crop are sampled: the field is smooth."""


class Styles:
    """The style of a real crop: how its land differs from what is usual for its classes, in standard deviations.

    Lightness, warmth (red over blue), greenness (green over the mean of red and blue), elevation (code), relief
    (logarithm of the slope), and snow (the fraction of the ground that is white), as far as the generator has them. In
    training the generator gets the style around each place of the real crop, and so learns the effect of each number;
    without it, what the map does not determine would be averaged.
    """

    def __init__(self, source: CropSource, generator: SpadeLocal, random: torch.Generator) -> None:
        self._generator, self._pixel_size_m = generator, source.pixel_size_m
        crops = [source.draw(16, random) for _ in range(STYLE_SAMPLES // 16)]
        values = torch.cat([self._values(each) for each in crops])  # (M, S, H, W)
        labels = torch.cat([each.labels for each in crops])
        self._class_mean = torch.stack(
            [values.movedim(1, -1)[labels == each].mean(dim=0).nan_to_num() for each in range(CLASS_COUNT)]
        )
        raw = torch.cat([self._raw(each) for each in crops])
        raw = raw[raw.isfinite().all(dim=1)]
        self._mean, self._deviation = raw.mean(dim=0), raw.std(dim=0).clamp(min=_LEAST_DEVIATION)
        self.mix = _root_of_covariance((raw - self._mean) / self._deviation)
        self.local_mix = _root_of_covariance(torch.cat([self._differences(each) for each in crops]))

    def of(self, crops: Crops, noise: float, drawn: Tensor) -> Tensor:
        """(N, S, r, c): the styles of crops at the generator's knots, all of a crop shifted by the same noise. Water
        gets random styles, so that the generator learns to ignore them there.

        `drawn` (N, S) are normally distributed.
        """
        drawn = drawn.to(self.mix.device)
        mean = self._standard(crops)
        local, land = self._local(crops, mean)
        local = local.clamp(-3, 3) + noise * drawn[:, :, None, None]
        random_style = (drawn @ self.mix.T)[:, :, None, None]
        return torch.where(mean.isfinite()[:, :, None, None], land * local + (1 - land) * random_style, random_style)

    def random(self, crops: Crops, random: torch.Generator, count: int, shard: slice) -> Tensor:
        """(N, S, r, c): random styles for the crops `shard` of `count`, as the program draws them for a seed: a mean,
        and a difference from it that varies from place to place."""
        device, numbers = self.mix.device, len(self.mix)

        def draw(level: int, area: Area) -> Tensor:
            return torch.randn((count, numbers, *size_of(area)), generator=random)[shard].to(device)

        mean = draw(0, ((0, 1), (0, 1))) * (1 - BROAD_FRACTION) ** 0.5
        at = self._generator.style_knots(crops.window)
        return torch.einsum("st,ntij->nsij", self.mix, mean) + variation(self.mix, self.local_mix, draw, at)

    def _standard(self, crops: Crops) -> Tensor:
        """(N, S): the mean style of each crop; NaN for crops without land."""
        return (self._raw(crops) - self._mean) / self._deviation

    def _raw(self, crops: Crops) -> Tensor:
        deviation, land = self._deviations(crops)
        area = land.sum(dim=(2, 3))
        return torch.where(area > 64, deviation.sum(dim=(2, 3)) / area, torch.nan)

    def _local(self, crops: Crops, mean: Tensor) -> tuple[Tensor, Tensor]:
        """(N, S, r, c): means of the land around each knot with the weights of the spline, pulled towards the mean of
        the crop (N, S), which they are where there is no land. (N, 1, r, c): the fraction of land there."""
        deviation, land = self._deviations(crops)
        window = crops.window
        at = self._generator.style_knots(window)
        rows, cols = knot_weights((window.rows, window.cols), 0, at, crops.texture.device)
        total, area = (rows.T @ each @ cols for each in (deviation, land))
        around = rows.sum(dim=0)[:, None] * cols.sum(dim=0)
        standard = (total - self._mean[:, None, None] * area) / self._deviation[:, None, None]
        local = (standard + _LEAST_LAND * mean[:, :, None, None]) / (area + _LEAST_LAND)
        return local, torch.where(around > 0, area / around.clamp(min=1e-6), 1.0)

    def _differences(self, crops: Crops) -> Tensor:
        """(K, S): differences of the style at places of land from the mean of their crop."""
        mean = self._standard(crops)
        window = crops.window
        style = spread(self._local(crops, mean)[0], self._generator.style_knots(window), 0, (window.rows, window.cols))
        every = slice(None, None, _EVERY)
        is_land = (crops.labels != WATER)[:, every, every] & mean.isfinite().all(dim=1)[:, None, None]
        return (style - mean[:, :, None, None])[:, :, every, every].movedim(1, -1)[is_land]

    def _deviations(self, crops: Crops) -> tuple[Tensor, Tensor]:
        """(N, S, H, W): differences of land from the means of its classes, 0 on water; (N, 1, H, W): 1 on land."""
        land = (crops.labels != WATER)[:, None].float()
        class_mean = self._class_mean[crops.labels].movedim(-1, 1)
        return (self._values(crops) - class_mean) * land, land

    def _values(self, crops: Crops) -> Tensor:
        red, green, blue = crops.texture.unbind(dim=1)
        height = crops.height
        rise = (height[:, 0, 1:, 1:] - height[:, 0, :-1, :-1]).abs() / self._pixel_size_m
        values = {
            "lightness": (red + green + blue) / 3,
            "warmth": red - blue,
            "greenness": green - (red + blue) / 2,
            "elevation": self._generator.encode_elevation(height)[:, 0],
            "relief": torch.log(F.pad(rise, (0, 1, 0, 1), mode="replicate") + 1e-3),
            SNOW: ((crops.texture.amin(dim=1) - _WHITE) / (_WHITER - _WHITE)).clamp(0, 1),
        }
        return torch.stack([values[name] for name in self._generator.config.style_names], dim=1)


def _root_of_covariance(values: Tensor) -> Tensor:
    """(S, S): the Cholesky factor of the covariance of the rows of `values` (K, S)."""
    root: Tensor = torch.linalg.cholesky(torch.cov(values.T) + 1e-3 * torch.eye(values.shape[1], device=values.device))
    return root
