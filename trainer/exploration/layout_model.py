"""Layouts as a generator to explore: maps in the class colours."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from terrainpaint.core.classes import PALETTE
from terrainpaint.core.dream_maps import smooth_map
from terrainpaint.models.layout import LayoutGenerator, latents_of, noise_of
from trainer.exploration.latent_models import StyleModel
from trainer.exploration.walks import on_sphere, straight

_TIMES = 4
"""Maps have so many times the pixels of a layout, with smooth outlines."""


class LayoutModel(StyleModel):
    """The generator of layouts, whose seeds are those of `terrainpaint dream`.

    The noise of a layout belongs to its seed, so a latent is `z` and the noise maps in one row, and a point the styles
    and the noise maps.
    """

    def __init__(self, path: Path, generator: LayoutGenerator) -> None:
        self.path, self._generator = path, generator
        self._mean_style: Tensor | None = None
        shape = generator.shape
        self.size_px = shape.size_px * _TIMES
        self.style_count, self.style_length = len(shape.noise_px), shape.latent

    @property
    def device(self) -> torch.device:
        return self._generator.constant.device

    @property
    def mean_style(self) -> Tensor:
        if self._mean_style is None:  # a checkpoint has none
            self._mean_style = self.style_statistics()[0]
        return self._mean_style

    def latents(self, seeds: Sequence[int]) -> Tensor:
        noise = noise_of(seeds, self._generator.shape)
        return torch.cat([latents_of(seeds, self._generator.shape), *(each.flatten(1) for each in noise)], 1).to(
            self.device
        )

    def mapped(self, latents: Tensor) -> Tensor:
        return self._generator.w(latents)

    @torch.no_grad()
    def points(self, latents: Tensor, truncation: float = 1.0, cutoff: int | None = None) -> Tensor:
        w = self.mapped(latents[:, : self.style_length])
        styles = w[:, None].repeat(1, self.style_count, 1)
        if truncation != 1:
            layers = slice(0, cutoff)
            styles[:, layers] = self.mean_style.lerp(styles[:, layers], truncation)
        return torch.cat([styles.flatten(1), latents[:, self.style_length :]], dim=1)

    def styles(self, seeds: Sequence[int], truncation: float = 1.0, cutoff: int | None = None) -> Tensor:
        return self._parts(self.points(self.latents(seeds), truncation, cutoff))[0]

    def noise_of(self, seed: int) -> tuple[Tensor, ...]:
        return tuple(each.to(self.device) for each in noise_of([seed], self._generator.shape))

    def draw(self, points: Tensor) -> NDArray[np.uint8]:
        return self.draw_styles(*self._parts(points))

    @torch.inference_mode()
    def draw_styles(self, styles: Tensor, noise: Sequence[Tensor]) -> NDArray[np.uint8]:
        logits = self._generator(styles, list(noise)).cpu().numpy()
        return PALETTE[np.stack([smooth_map(each, (self.size_px, self.size_px)) for each in logits])]

    def style_weights(self) -> list[Tensor]:
        return self._generator.style_weights()

    def latent_between(self, start: Tensor, end: Tensor, part: float) -> Tensor:
        z = slice(0, self.style_length)
        return torch.cat([on_sphere(start[z], end[z], part), self._noise_between(start, end, part, self.style_length)])

    def point_between(self, start: Tensor, end: Tensor, part: float) -> Tensor:
        count = self.style_count * self.style_length
        styles = straight(start[:, :count], end[:, :count], part)
        return torch.cat([styles, self._noise_between(start[0], end[0], part, count)[None]], dim=1)

    def _noise_between(self, start: Tensor, end: Tensor, part: float, first: int) -> Tensor:
        """On the sphere, so that its variance stays; `first` is the place of the first number of the noise."""
        return on_sphere(start[first:], end[first:], part)

    def _parts(self, points: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Points → styles (N, L, W) and the noise maps (N, 1, r, r)."""
        sides, count = self._generator.shape.noise_px, self.style_count * self.style_length
        maps = torch.split(points[:, count:], [side * side for side in sides], dim=1)
        noise = [each.reshape(-1, 1, side, side) for each, side in zip(maps, sides, strict=True)]
        return points[:, :count].reshape(-1, self.style_count, self.style_length), noise
