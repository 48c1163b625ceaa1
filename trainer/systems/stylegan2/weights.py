"""Weights files of StyleGAN2, and the pictures that they generate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrainpaint.models.stylegan2 import StyleGan2Generator, StyleGan2Shape, latents_of
from trainer.sampling.grid import to_uint8
from trainer.systems.picture_weights import PictureFile, PictureWeights
from trainer.systems.style_training import generated
from trainer.systems.stylegan2.config import COLOURS


def publish(checkpoint: Path, target: Path, licence: str) -> str:
    """Write the averaged generator of a checkpoint. Returns a description of it.

    Raises TrainingError when the checkpoint cannot be used, OutputError when the file cannot be written.
    """
    file = _WEIGHTS.publish(checkpoint, target, licence)
    return f"stylegan2 of {file.generator.shape.size_px} px, style {file.style}"


def sample(source: Path, count: int, seed: int) -> NDArray[np.uint8]:
    """(`count`, S, S, 3) uint8: picture n of a checkpoint or a weights file is that of the seed `seed` + n, not
    truncated.

    Raises TrainingError for a file that cannot be used.
    """
    generator = load(source).generator
    latents = latents_of(range(seed, seed + count), generator.shape.latent)
    return to_uint8(generated(generator, latents, generator.shape.size_px))


def load(path: Path) -> PictureFile[StyleGan2Generator]:
    """Read a checkpoint (`.pt`), of which the averaged weights count, or a weights file.

    Raises TrainingError when it is missing, broken or of another system.
    """
    return _WEIGHTS.load(path)


def _build(config: Mapping[str, Any]) -> StyleGan2Generator:
    """Raises ValueError for a shape out of range or of no colours."""
    shape = StyleGan2Shape(**config)
    if shape.channels != COLOURS:
        raise ValueError(f"{shape.channels} channels are no colours")
    return StyleGan2Generator(shape)


_WEIGHTS = PictureWeights("stylegan2", "a StyleGAN2", _build, lambda generator: asdict(generator.shape))
