"""Weights files of StyleGAN2: the averaged generator and its description, in a file that never runs code."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError

from terrainpaint.core.files import atomic_path, read_regular
from terrainpaint.core.weights_formats import PICTURES_FORMAT
from terrainpaint.errors import TrainingError
from terrainpaint.models.stylegan2 import StyleGan2Generator, StyleGan2Shape, latents_of
from trainer.loop.checkpoints import averaged_weights, load_checkpoint, training_settings
from trainer.sampling.grid import to_uint8
from trainer.systems.descriptions import KEY, read_description
from trainer.systems.style_training import GENERATOR, generated
from trainer.systems.stylegan2.config import COLOURS

FORMAT_VERSION = 1
NETWORK = "stylegan2"
_MOST_BYTES = 1 << 32


@dataclass(frozen=True)
class Stylegan2File:
    """A generator, in evaluation mode on the processor, and its description: `style` of the pictures, `credits`,
    `licence`, `training` its settings."""

    generator: StyleGan2Generator
    style: str
    credits: str
    licence: str
    training: dict[str, Any]


def publish(checkpoint: Path, target: Path, licence: str) -> str:
    """Write the averaged generator of a checkpoint. Returns a description of it.

    Raises TrainingError when the checkpoint cannot be used, OutputError when the file cannot be written.
    """
    file = _from_checkpoint(checkpoint, licence)
    shape = file.generator.shape
    description = {
        "format": PICTURES_FORMAT, "version": FORMAT_VERSION, "system": "stylegan2", "network": NETWORK,
        "config": asdict(shape),
        "style": file.style, "credits": file.credits, "licence": file.licence, "training": file.training,
    }  # fmt: skip
    weights = {name: value.contiguous() for name, value in file.generator.state_dict().items()}
    data = safetensors.torch.save(weights, {KEY: json.dumps(description)})
    with atomic_path(target) as temporary:
        temporary.write_bytes(data)
    return f"stylegan2 of {shape.size_px} px, style {file.style}"


def sample(source: Path, count: int, seed: int) -> NDArray[np.uint8]:
    """(`count`, S, S, 3) uint8: picture n of a checkpoint or a weights file is that of the seed `seed` + n, not
    truncated.

    Raises TrainingError for a file that cannot be used.
    """
    generator = load(source).generator
    latents = latents_of(range(seed, seed + count), generator.shape.latent)
    return to_uint8(generated(generator, latents, generator.shape.size_px))


def load(path: Path) -> Stylegan2File:
    """Read a checkpoint (`.pt`), of which the averaged weights count, or a weights file.

    Raises TrainingError when it is missing, broken or of another system.
    """
    if path.suffix == ".pt":
        return _from_checkpoint(path, "")
    description = read_description(path)
    try:
        if description["format"] != PICTURES_FORMAT or description["network"] != NETWORK:
            raise TrainingError(f"{path} holds the network {description['network']!r}, not a StyleGAN2.")
        if description["version"] > FORMAT_VERSION:
            raise TrainingError(f"{path} was written by a newer version; update TerrainPaint to use it.")
        generator = _generator(description["config"], safetensors.torch.load(read_regular(path, _MOST_BYTES)))
        return Stylegan2File(generator, str(description["style"]), str(description["credits"]),
                             str(description["licence"]), dict(description["training"]))  # fmt: skip
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise TrainingError(f"{path} is not a weights file of a StyleGAN2, or it is damaged.") from error


def _from_checkpoint(path: Path, licence: str) -> Stylegan2File:
    state = load_checkpoint(path, torch.device("cpu"))
    network = state["network"].get("name")
    if network != NETWORK:
        raise TrainingError(f"{path} is a checkpoint of the network {network}, not of a StyleGAN2.")
    try:
        generator = _generator(state["network"]["config"], averaged_weights(state, GENERATOR))
        data = state["data"]
        return Stylegan2File(generator, data["style"], data["credits"], licence, training_settings(state))
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise TrainingError(f"{path} is not a checkpoint of a StyleGAN2 of pictures, or it is damaged.") from error


def _generator(config: dict[str, Any], weights: dict[str, torch.Tensor]) -> StyleGan2Generator:
    """Raises ValueError for a shape out of range or of no colours, RuntimeError for weights of another shape."""
    shape = StyleGan2Shape(**config)
    if shape.channels != COLOURS:
        raise ValueError(f"{shape.channels} channels are no colours")
    generator = StyleGan2Generator(shape)
    generator.load_state_dict(weights)
    return generator.eval()
