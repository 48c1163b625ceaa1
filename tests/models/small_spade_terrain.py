"""The three reference networks with few channels and weights that tell in the output; and the published ones."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from terrainpaint.models.networks import NETWORKS
from terrainpaint.models.noise import seeded
from terrainpaint.models.shadow import ShadowConfig
from terrainpaint.models.spade_terrain.attention import AttentionConfig
from terrainpaint.models.spade_terrain.base import ReferenceConfig, ReferenceNetwork
from terrainpaint.models.spade_terrain.lab_shadow import ReferenceShadow
from terrainpaint.models.windows import Window
from tests.models import small

CONFIGS: dict[str, ReferenceConfig] = {
    "spade-terrain-1.0": ReferenceConfig(widths=(8, 8, 8, 8, 8, 6, 4), hidden=8, latents=4),
    "spade-terrain-1.1": ReferenceConfig(widths=(8, 8, 8, 8, 8, 6, 4), hidden=8, latents=4),
    "spade-terrain-1.2": AttentionConfig(widths=(8, 8, 8, 8, 8, 6, 4), hidden=8, latents=4, heads=2),
}
NAMES = list(CONFIGS)


def network(name: str, seed: int = 3) -> ReferenceNetwork:
    """In evaluation mode; noise, attention and modulation all tell in the output."""
    found = NETWORKS[name].new_generator(CONFIGS[name])
    assert isinstance(found, ReferenceNetwork)
    small.randomise(found, seed)
    with torch.no_grad():
        found.out.weight.mul_(0.2)  # or tanh would make most of it black and white
    return found.eval().requires_grad_(False)


def shadow(seed: int = 4) -> ReferenceShadow:
    """With light that is seen."""
    found = ReferenceShadow(ShadowConfig(hidden=4))
    small.randomise(found, seed)
    return found.eval().requires_grad_(False)


def made(
    by: Callable[..., tuple[Tensor, Tensor]], ids: Tensor, style: Tensor, seed: int = 5, side: int | None = None
) -> tuple[Tensor, Tensor]:
    """Albedo and code of a whole map (1, H, W), or of its first `side` px."""
    rows, cols = (side, side) if side else ids.shape[1:]
    return by(ids, Window((0, rows), (0, cols)), seeded([seed]), style)
