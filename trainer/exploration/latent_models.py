"""Generators of pictures from seeds, opened from a run, a checkpoint or a weights file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from terrainpaint.core.progress import Progress, no_progress
from terrainpaint.errors import TrainingError
from terrainpaint.models.devices import keep_freed_memory, pick_device
from terrainpaint.models.stylegan2 import Noise, StyleGan2Generator, latents_of
from trainer.loop.checkpoints import checkpoint_of
from trainer.sampling.grid import to_uint8
from trainer.systems import system_of

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
    def generate(self, points: Tensor) -> Tensor:
        """(N, …) → (N, 3, S, S), about -1..1."""

    def pictures(self, points: Tensor, progress: Progress = no_progress) -> NDArray[np.uint8]:
        """(N, …) → (N, S, S, 3) uint8, some at a time."""
        at_once = max(1, _PIXELS_AT_ONCE // self.size_px**2)
        parts: list[NDArray[np.uint8]] = []
        for part in torch.split(points, at_once):
            progress(len(parts) * at_once / len(points))
            with torch.inference_mode():
                parts.append(to_uint8(self.generate(part)))
        progress(1.0)
        return np.concatenate(parts)


class StyleModel(LatentModel):
    """StyleGAN2, with constant noise: a picture depends on its styles alone."""

    def __init__(self, path: Path, generator: StyleGan2Generator) -> None:
        self.path, self.generator = path, generator
        self.size_px = generator.shape.size_px

    @property
    def device(self) -> torch.device:
        """Where the generator is."""
        return self.generator.synthesis.constant.device

    def latents(self, seeds: Sequence[int]) -> Tensor:
        return latents_of(seeds, self.generator.shape.latent).to(self.device)

    @torch.no_grad()
    def points(self, latents: Tensor, truncation: float = 1.0, cutoff: int | None = None) -> Tensor:
        return self.generator.styles(latents, truncation, cutoff)

    def generate(self, points: Tensor, noise: Noise | Sequence[Tensor] = Noise.CONST) -> Tensor:
        pictures: Tensor = self.generator.synthesis(points, noise)
        return pictures

    @torch.no_grad()
    def style_statistics(self) -> tuple[Tensor, float]:
        """The mean (W,) of the style vectors of 10,000 latents, and the root of their mean squared distance from it."""
        shape = self.generator.shape
        latents = np.random.RandomState(_STATISTICS_SEED).randn(_STATISTICS_COUNT, shape.latent)
        parts = torch.split(torch.from_numpy(latents).float(), _MAPPED_AT_ONCE)
        w = torch.cat([self.generator.mapping(part.to(self.device)) for part in parts])
        mean = w.mean(dim=0)
        return mean, float((w - mean).square().sum(dim=1).mean().sqrt())


class _DcganModel(LatentModel):
    def __init__(self, path: Path, device: torch.device) -> None:
        from trainer.systems.dcgan.weights import open_file

        self.path = path
        self._generator = open_file(path).generator.to(device)
        self._device = device
        self.size_px = self._generator.shape.size_px

    def latents(self, seeds: Sequence[int]) -> Tensor:
        from trainer.systems.dcgan.weights import noise_of

        return noise_of(seeds, self._generator.shape.noise).to(self._device)

    def points(self, latents: Tensor, truncation: float = 1.0, cutoff: int | None = None) -> Tensor:
        if truncation != 1 or cutoff is not None:
            raise TrainingError(f"{self.path} is of the system dcgan, which has no truncation; leave it out.")
        return latents

    def generate(self, points: Tensor) -> Tensor:
        pictures: Tensor = self._generator(points)
        return pictures


def _style_model(path: Path, device: torch.device) -> LatentModel:
    from trainer.systems.stylegan2.weights import load

    return StyleModel(path, load(path).generator.to(device).requires_grad_(False))


_MODELS = {"stylegan2": _style_model, "dcgan": _DcganModel}
"""System → how its weights are opened."""


def load_model(source: Path, device: str) -> LatentModel:
    """Open the newest checkpoint of a run's folder, a checkpoint, or a weights file.

    Raises TrainingError when it cannot be used or is of a system that makes no pictures of seeds, DeviceError.
    """
    keep_freed_memory()
    path = checkpoint_of(source) if source.is_dir() else source
    system = system_of(path)
    if system not in _MODELS:
        raise TrainingError(f"{path} is of the system {system}, which makes no pictures of seeds; explore one of "
                            f"{' or '.join(_MODELS)}.")  # fmt: skip
    return _MODELS[system](path, pick_device(device))


def load_style_model(source: Path, device: str) -> StyleModel:
    """As `load_model`, and raises TrainingError when the generator has no styles."""
    model = load_model(source, device)
    if not isinstance(model, StyleModel):
        raise TrainingError(f"{model.path} has no styles; this needs weights of the system stylegan2.")
    return model
