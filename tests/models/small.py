"""Small networks with random weights, the same in every run and far from zero."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from terrainpaint.core.classes import CLASS_COUNT
from terrainpaint.models.shadow import ShadowConfig, ShadowGenerator
from terrainpaint.models.spade_local import SpadeLocal, SpadeLocalConfig

CONFIG = SpadeLocalConfig(widths=(16, 16, 16, 16), blocks=(1, 2, 2, 1), hidden=16)


def generator(config: SpadeLocalConfig = CONFIG, seed: int = 3) -> SpadeLocal:
    """In evaluation mode. Every tensor has a visible effect on the output, except the matrices for styles."""
    network = SpadeLocal(config)
    randomise(network, seed)
    network.local_style_mix.copy_(network.style_mix / 2)
    return network.eval().requires_grad_(False).to(memory_format=torch.channels_last)


def shadow(seed: int = 4) -> ShadowGenerator:
    network = ShadowGenerator(ShadowConfig(hidden=8))
    randomise(network, seed)
    return network.eval().requires_grad_(False)


def randomise(network: nn.Module, seed: int) -> None:
    source = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in network.named_parameters():
            inputs = value[0].numel() if value.ndim > 1 else 4
            # A small output of the coarse levels keeps the albedo away from the limits of tanh.
            scale = 0.15 if "outline" in name else 1.0
            value.copy_(torch.randn(value.shape, generator=source) * scale / inputs**0.5)


def random_ids(height: int, width: int, cell_px: int = 5, seed: int = 1) -> Tensor:
    """(1, height, width) uint8: squares of every class, on a grid that differs from those of the network's levels."""
    source = torch.Generator().manual_seed(seed)
    patches = torch.randint(CLASS_COUNT, (height // cell_px + 1, width // cell_px + 1), generator=source)
    large = patches.repeat_interleave(cell_px, 0).repeat_interleave(cell_px, 1)
    return large[None, :height, :width].to(torch.uint8)
