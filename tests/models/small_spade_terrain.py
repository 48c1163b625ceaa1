"""The three reference networks, with few channels and random weights that have a visible effect on the output."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from terrainpaint.models.networks import NETWORKS
from terrainpaint.models.noise import seeded
from terrainpaint.models.shadow import ShadowConfig
from terrainpaint.models.spade_terrain.attention import AttentionConfig
from terrainpaint.models.spade_terrain.lab_shadow import ReferenceShadow
from terrainpaint.models.spade_terrain.reference_network import ReferenceConfig, ReferenceNetwork
from terrainpaint.models.windows import Window
from tests.models import small

CONFIGS: dict[str, ReferenceConfig] = {
    "spade-terrain-1.0": ReferenceConfig(widths=(8, 8, 8, 8, 8, 6, 4), hidden=8, latents=4),
    "spade-terrain-1.1": ReferenceConfig(widths=(8, 8, 8, 8, 8, 6, 4), hidden=8, latents=4),
    "spade-terrain-1.2": AttentionConfig(widths=(8, 8, 8, 8, 8, 6, 4), hidden=8, latents=4, heads=2),
}
NAMES = list(CONFIGS)


def network(name: str, seed: int = 3) -> ReferenceNetwork:
    """In evaluation mode. Noise, attention and modulation all have a visible effect on the output."""
    generator = NETWORKS[name].new_generator(CONFIGS[name])
    assert isinstance(generator, ReferenceNetwork)
    small.randomise(generator, seed)
    with torch.no_grad():
        generator.out.weight.mul_(0.2)  # otherwise tanh would make most pixels black or white
    return generator.eval().requires_grad_(False)


def shadow(seed: int = 4) -> ReferenceShadow:
    """With visible shading."""
    generator = ReferenceShadow(ShadowConfig(hidden=4))
    small.randomise(generator, seed)
    return generator.eval().requires_grad_(False)


def output(
    generator: Callable[..., tuple[Tensor, Tensor]], ids: Tensor, style: Tensor, seed: int = 5
) -> tuple[Tensor, Tensor]:
    """Albedo and encoded elevation of a whole map (1, H, W)."""
    rows, cols = ids.shape[1:]
    return generator(ids, Window((0, rows), (0, cols)), seeded([seed]), style)
