"""Generators of pictures from seeds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from terrainpaint.core.progress import Progress, no_progress
from terrainpaint.models.stylegan2 import Noise, StyleGan2Generator, latents_of
from trainer.exploration.walks import on_sphere, straight
from trainer.sampling.grid import to_uint8

_PIXELS_AT_ONCE = 1 << 18
_STATISTICS_SEED, _STATISTICS_COUNT, _MAPPED_AT_ONCE = 123, 10_000, 2_000
"""The latents that the published projector measures styles with."""


class LatentModel(ABC):
    """A generator whose pictures come from latents.

    A latent (Z,) becomes a point, which a picture is made of: for StyleGAN2 the styles of all layers (L, W), for DCGAN
    the latent itself. `path` is the file, `size_px` the side of a picture.
    """

    path: Path
    size_px: int

    @abstractmethod
    def latents(self, seeds: Sequence[int]) -> Tensor:
        """(N, Z): the latent of each seed."""

    @abstractmethod
    def points(self, latents: Tensor, truncation: float = 1.0, cutoff: int | None = None) -> Tensor:
        """(N, Z) → (N, …). Raises TrainingError when the generator has no truncation."""

    @abstractmethod
    def draw(self, points: Tensor) -> NDArray[np.uint8]:
        """(N, …) → (N, S, S, 3) uint8, all at once."""

    def pictures(self, points: Tensor, progress: Progress = no_progress) -> NDArray[np.uint8]:
        """(N, …) → (N, S, S, 3) uint8, some at a time."""
        at_once = max(1, _PIXELS_AT_ONCE // self.size_px**2)
        parts: list[NDArray[np.uint8]] = []
        for part in torch.split(points, at_once):
            progress(len(parts) * at_once / len(points))
            parts.append(self.draw(part))
        progress(1.0)
        return np.concatenate(parts)

    def latent_between(self, start: Tensor, end: Tensor, part: float) -> Tensor:
        """The latent at a part 0..1 of the way between two latents (Z,), where training had latents."""
        return on_sphere(start, end, part)

    def point_between(self, start: Tensor, end: Tensor, part: float) -> Tensor:
        """The point at a part 0..1 of the straight way between two points (1, …)."""
        return straight(start, end, part)


class StyleModel(LatentModel):
    """A generator whose layers have styles: `style_count` L of them, of `style_length` W numbers each."""

    style_count: int
    style_length: int

    @property
    @abstractmethod
    def device(self) -> torch.device:
        """Where the generator is."""

    @abstractmethod
    def mapped(self, latents: Tensor) -> Tensor:
        """The styles (N, W) of latents (N, `style_length`) before they are truncated."""

    @property
    @abstractmethod
    def mean_style(self) -> Tensor:
        """(W,): what styles are truncated towards."""

    @abstractmethod
    def styles(self, seeds: Sequence[int], truncation: float = 1.0, cutoff: int | None = None) -> Tensor:
        """(N, L, W): the styles of seeds."""

    @abstractmethod
    def noise_of(self, seed: int) -> tuple[Tensor, ...]:
        """The noise maps (1, 1, r, r) that the picture of a seed has."""

    @abstractmethod
    def draw_styles(self, styles: Tensor, noise: Sequence[Tensor]) -> NDArray[np.uint8]:
        """(N, L, W) and noise maps with 1 or N maps each → (N, S, S, 3) uint8."""

    @abstractmethod
    def style_weights(self) -> list[Tensor]:
        """L matrices (K, W): for each style, the weights by which it scales what a layer computes."""

    @torch.no_grad()
    def style_statistics(self) -> tuple[Tensor, float]:
        """The mean (W,) of the style vectors of 10,000 latents, and the root of their mean squared distance from it."""
        latents = np.random.RandomState(_STATISTICS_SEED).randn(_STATISTICS_COUNT, self.style_length)
        parts = torch.split(torch.from_numpy(latents).float(), _MAPPED_AT_ONCE)
        w = torch.cat([self.mapped(part.to(self.device)) for part in parts])
        mean = w.mean(dim=0)
        return mean, float((w - mean).square().sum(dim=1).mean().sqrt())


class StyleGan2Model(StyleModel):
    """StyleGAN2, with constant noise: a picture depends on its styles alone."""

    def __init__(self, path: Path, generator: StyleGan2Generator) -> None:
        self.path, self.generator = path, generator
        shape = generator.shape
        self.size_px, self.style_count, self.style_length = shape.size_px, shape.style_count, shape.latent

    @property
    def device(self) -> torch.device:
        return self.generator.synthesis.constant.device

    @property
    def mean_style(self) -> Tensor:
        return self.generator.mapping.mean

    def latents(self, seeds: Sequence[int]) -> Tensor:
        return latents_of(seeds, self.style_length).to(self.device)

    def mapped(self, latents: Tensor) -> Tensor:
        w: Tensor = self.generator.mapping(latents)
        return w

    @torch.no_grad()
    def points(self, latents: Tensor, truncation: float = 1.0, cutoff: int | None = None) -> Tensor:
        return self.generator.styles(latents, truncation, cutoff)

    def styles(self, seeds: Sequence[int], truncation: float = 1.0, cutoff: int | None = None) -> Tensor:
        return self.points(self.latents(seeds), truncation, cutoff)

    def noise_of(self, seed: int) -> tuple[Tensor, ...]:
        return tuple(self.generator.synthesis.noise_maps())

    def generate(self, styles: Tensor, noise: Noise | Sequence[Tensor] = Noise.CONST) -> Tensor:
        """(N, L, W) → (N, 3, S, S), about -1..1, with gradients."""
        pictures: Tensor = self.generator.synthesis(styles, noise)
        return pictures

    @torch.inference_mode()
    def draw(self, points: Tensor) -> NDArray[np.uint8]:
        return to_uint8(self.generate(points))

    @torch.inference_mode()
    def draw_styles(self, styles: Tensor, noise: Sequence[Tensor]) -> NDArray[np.uint8]:
        return to_uint8(self.generate(styles, noise))

    def style_weights(self) -> list[Tensor]:
        return self.generator.synthesis.style_weights()
