"""Small generators with random weights, as files."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from terrainpaint.core.weights_formats import METADATA_KEY, PICTURES_FORMAT
from terrainpaint.models.stylegan2 import StyleGan2Generator, StyleGan2Shape
from trainer.networks.dcgan import DcganGenerator, DcganShape

SHAPE = StyleGan2Shape(size_px=32, base_channels=256, most_channels=16, latent=12, mapping_layers=2)


def style_weights(path: Path, shape: StyleGan2Shape = SHAPE) -> Path:
    """StyleGAN2 that adds noise, and whose mean style is that of its latents."""
    torch.manual_seed(0)
    generator = StyleGan2Generator(shape)
    with torch.no_grad():
        for layer in generator.synthesis.layers:
            layer.get_parameter("strength").fill_(0.02)
        generator.mapping.mean.copy_(generator.mapping(torch.randn(1000, shape.latent)).mean(dim=0))
    return _written(path, generator, "stylegan2", asdict(shape))


def dcgan_weights(path: Path) -> Path:
    """DCGAN, with weights so large that pictures differ."""
    torch.manual_seed(0)
    shape = DcganShape(32, 4, 8)
    generator = DcganGenerator(shape)
    with torch.no_grad():
        for layer in generator.up:
            layer.get_parameter("weight").mul_(20)
    return _written(path, generator, "dcgan", asdict(shape))


def _written(path: Path, generator: torch.nn.Module, system: str, config: dict[str, object]) -> Path:
    description = {
        "format": PICTURES_FORMAT, "version": 1, "system": system, "network": system, "config": config,
        "style": "noise", "credits": "nobody", "licence": "CC0-1.0", "training": {},
    }  # fmt: skip
    weights = {name: value.contiguous() for name, value in generator.state_dict().items()}
    save_file(weights, path, {METADATA_KEY: json.dumps(description)})
    return path


def cells(sheet: NDArray[np.uint8], side: int = 32) -> NDArray[np.uint8]:
    """The pictures (R, C, S, S, 3) of a sheet, in which white gaps are between them."""
    gap = max(1, side // 32)
    whole = np.pad(sheet, ((0, gap), (0, gap), (0, 0)), constant_values=255)
    rows, columns = whole.shape[0] // (side + gap), whole.shape[1] // (side + gap)
    parts = whole.reshape(rows, side + gap, columns, side + gap, 3).swapaxes(1, 2)
    assert (parts[:, :, side:] == 255).all() and (parts[:, :, :, side:] == 255).all()
    return parts[:, :, :side, :side]
