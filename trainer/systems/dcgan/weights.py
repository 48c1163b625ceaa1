"""Weights files of DCGAN: the averaged generator and its description, as safetensors. Opening one never runs code."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from torch import Tensor

from terrainpaint.core.files import atomic_path, read_regular
from terrainpaint.core.weights_formats import PICTURES_FORMAT
from terrainpaint.errors import TrainingError
from trainer.loop.checkpoints import averaged_weights, load_checkpoint, training_settings
from trainer.networks.dcgan import DcganGenerator, DcganShape
from trainer.sampling.grid import to_uint8
from trainer.systems.dcgan.config import DcganConfig
from trainer.systems.dcgan.system import generate
from trainer.systems.descriptions import KEY, read_description

FORMAT_VERSION = 1
_MOST_BYTES = 1 << 32
_BATCH = 64
"""Pictures that are generated at once."""


@dataclass(frozen=True)
class DcganFile:
    """A generator and its description: `style` of the pictures, `credits`, `licence`, `training` its settings."""

    generator: DcganGenerator
    style: str
    credits: str
    licence: str
    training: dict[str, Any]


def publish(checkpoint: Path, target: Path, licence: str) -> str:
    """Write the averaged generator of a checkpoint. Returns a description of it.

    Raises TrainingError when the checkpoint cannot be used, OutputError when the file cannot be written.
    """
    file = _from_checkpoint(checkpoint, licence)
    description = {
        "format": PICTURES_FORMAT, "version": FORMAT_VERSION, "system": "dcgan", "network": "dcgan",
        "config": asdict(file.generator.shape),
        "style": file.style, "credits": file.credits, "licence": file.licence, "training": file.training,
    }  # fmt: skip
    data = safetensors.torch.save(file.generator.state_dict(), {KEY: json.dumps(description)})
    with atomic_path(target) as temporary:
        temporary.write_bytes(data)
    return f"dcgan of {file.generator.shape.size_px} px, style {file.style}"


def sample(source: Path, count: int, seed: int) -> NDArray[np.uint8]:
    """(`count`, S, S, 3) uint8: picture n of a checkpoint or a weights file is that of the seed `seed` + n.

    Raises TrainingError for a file that cannot be used.
    """
    generator = open_file(source).generator
    noise = noise_of(range(seed, seed + count), generator.shape.noise)
    return np.concatenate([to_uint8(generate(generator, part)) for part in torch.split(noise, _BATCH)])


def noise_of(seeds: Sequence[int], size: int) -> Tensor:
    """(N, `size`) float32: the noise of each seed."""
    return torch.stack([torch.randn(size, generator=torch.Generator().manual_seed(seed)) for seed in seeds])


def open_file(path: Path) -> DcganFile:
    """Read a checkpoint (`.pt`), of which the averaged weights count, or a weights file. Raises TrainingError."""
    return _from_checkpoint(path, "") if path.suffix == ".pt" else load(path)


def load(path: Path) -> DcganFile:
    """Read a weights file. Raises TrainingError when it is missing, broken or something else."""
    description = read_description(path)
    try:
        if description["format"] != PICTURES_FORMAT or description["network"] != "dcgan":
            raise TrainingError(f"{path} holds the network {description['network']!r}, not a DCGAN.")
        if description["version"] > FORMAT_VERSION:
            raise TrainingError(f"{path} was written by a newer version; update TerrainPaint to use it.")
        generator = _generator(description["config"], safetensors.torch.load(read_regular(path, _MOST_BYTES)))
        return DcganFile(generator, str(description["style"]), str(description["credits"]),
                         str(description["licence"]), dict(description["training"]))  # fmt: skip
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise TrainingError(f"{path} is not a weights file of a DCGAN, or it is damaged.") from error


def _from_checkpoint(path: Path, licence: str) -> DcganFile:
    state = load_checkpoint(path, torch.device("cpu"))
    try:
        generator = _generator(state["network"]["config"], averaged_weights(state, "generator"))
        data = state["data"]
        return DcganFile(generator, data["style"], data["credits"], licence, training_settings(state))
    except (KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise TrainingError(f"{path} is not a checkpoint of a DCGAN.") from error


def _generator(config: dict[str, Any], weights: dict[str, torch.Tensor]) -> DcganGenerator:
    """Raises TrainingError for a shape out of range, RuntimeError for weights of another shape."""
    limits = DcganConfig(size_px=config["size_px"], width=config["width"], noise=config["noise"])
    generator = DcganGenerator(DcganShape(limits.size_px, limits.width, limits.noise))
    generator.load_state_dict(weights)
    return generator.eval()
