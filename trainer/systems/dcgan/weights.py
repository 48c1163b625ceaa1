"""Weights files of DCGAN, and the pictures that they generate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trainer.networks.dcgan import DcganGenerator, DcganShape
from trainer.sampling.grid import to_uint8
from trainer.systems.dcgan.config import DcganConfig
from trainer.systems.dcgan.system import generate
from trainer.systems.picture_weights import PictureFile, PictureWeights

_BATCH = 64
"""Pictures that are generated at once."""


def publish(checkpoint: Path, target: Path, licence: str) -> str:
    """Write the averaged generator of a checkpoint. Returns a description of it.

    Raises TrainingError when the checkpoint cannot be used, OutputError when the file cannot be written.
    """
    file = _WEIGHTS.publish(checkpoint, target, licence)
    return f"dcgan of {file.generator.shape.size_px} px, style {file.style}"


def sample(source: Path, count: int, seed: int) -> NDArray[np.uint8]:
    """(`count`, S, S, 3) uint8: picture n of a checkpoint or a weights file is that of the seed `seed` + n.

    Raises TrainingError for a file that cannot be used.
    """
    generator = load(source).generator
    noise = noise_of(range(seed, seed + count), generator.shape.noise)
    return np.concatenate([to_uint8(generate(generator, part)) for part in torch.split(noise, _BATCH)])


def noise_of(seeds: Sequence[int], size: int) -> Tensor:
    """(N, `size`) float32: the noise of each seed."""
    return torch.stack([torch.randn(size, generator=torch.Generator().manual_seed(seed)) for seed in seeds])


def load(path: Path) -> PictureFile[DcganGenerator]:
    """Read a checkpoint (`.pt`), of which the averaged weights count, or a weights file. Raises TrainingError."""
    return _WEIGHTS.load(path)


def _build(config: Mapping[str, Any]) -> DcganGenerator:
    """Raises TrainingError for a shape out of range."""
    limits = DcganConfig(size_px=config["size_px"], width=config["width"], noise=config["noise"])
    return DcganGenerator(DcganShape(limits.size_px, limits.width, limits.noise))


_WEIGHTS = PictureWeights("dcgan", "a DCGAN", _build, lambda generator: asdict(generator.shape))
