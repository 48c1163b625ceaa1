"""Generators to explore, opened from a run, a checkpoint or a weights file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from terrainpaint.core.path_kinds import is_folder
from terrainpaint.errors import TrainingError
from terrainpaint.models.devices import keep_freed_memory, pick_device
from trainer.exploration.latent_models import LatentModel, StyleGan2Model, StyleModel
from trainer.exploration.layout_model import LayoutModel
from trainer.loop.checkpoints import checkpoint_of
from trainer.loop.config import listed
from trainer.sampling.grid import to_uint8
from trainer.systems import system_of


class _DcganModel(LatentModel):
    def __init__(self, path: Path, device: torch.device) -> None:
        from trainer.systems.dcgan.weights import load

        self.path = path
        self._generator = load(path).generator.to(device)
        self._device = device
        self.size_px = self._generator.shape.size_px

    def latents(self, seeds: Sequence[int]) -> Tensor:
        from trainer.systems.dcgan.weights import noise_of

        return noise_of(seeds, self._generator.shape.noise).to(self._device)

    def points(self, latents: Tensor, truncation: float = 1.0, cutoff: int | None = None) -> Tensor:
        if truncation != 1 or cutoff is not None:
            raise TrainingError(f"{self.path} is of the system dcgan, which has no truncation; leave it out.")
        return latents

    @torch.inference_mode()
    def draw(self, points: Tensor) -> NDArray[np.uint8]:
        return to_uint8(self._generator(points))


def _stylegan2_model(path: Path, device: torch.device) -> LatentModel:
    from trainer.systems.stylegan2.weights import load

    return StyleGan2Model(path, load(path).generator.to(device).requires_grad_(False))


def _layout_model(path: Path, device: torch.device) -> LatentModel:
    from trainer.systems.layouts.weights import load

    return LayoutModel(path, load(path).networks.generator.to(device))


_MODELS: Mapping[str, Callable[[Path, torch.device], LatentModel]] = {
    "stylegan2": _stylegan2_model,
    "dcgan": _DcganModel,
    "layouts": _layout_model,
}
"""System → how its weights are opened."""


def load_model(source: Path, device: str) -> LatentModel:
    """Open the newest checkpoint of a run's folder, a checkpoint, or a weights file.

    Raises TrainingError when it cannot be used or is of a system that makes no pictures of seeds, DeviceError.
    """
    keep_freed_memory()
    path = checkpoint_of(source) if is_folder(source) else source
    system = system_of(path)
    if system not in _MODELS:
        raise TrainingError(f"{path} is of the system {system}, which makes no pictures of seeds; explore one of "
                            f"{listed(tuple(_MODELS))}.")  # fmt: skip
    return _MODELS[system](path, pick_device(device))


def load_style_model(source: Path, device: str) -> StyleModel:
    """As `load_model`, and raises TrainingError when the generator has no styles."""
    model = load_model(source, device)
    if not isinstance(model, StyleModel):
        raise TrainingError(f"{model.path} has no styles; this needs weights of the system stylegan2 or layouts.")
    return model


def load_stylegan2_model(source: Path, device: str) -> StyleGan2Model:
    """As `load_model`, and raises TrainingError when the generator is no StyleGAN2."""
    model = load_model(source, device)
    if not isinstance(model, StyleGan2Model):
        raise TrainingError(f"{model.path} is of another system; a picture is projected with weights of the system "
                            "stylegan2.")  # fmt: skip
    return model
