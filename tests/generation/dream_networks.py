"""A small network of layouts with random weights, whose layouts still differ a lot."""

from __future__ import annotations

from pathlib import Path

import torch

from terrainpaint.models.layout import LayoutShape
from terrainpaint.models.layout_weights import LayoutHeader, LayoutNetworks, save_layouts

SHAPE = LayoutShape(16, 8, (8, 8, 8), 2)


def random_networks(seed: int = 0) -> LayoutNetworks:
    """The networks, with the mean and the deviation of `w`, and a direction that makes more water."""
    torch.manual_seed(seed)
    networks = LayoutNetworks(SHAPE)
    with torch.no_grad():
        w = networks.generator.w(torch.randn(256, SHAPE.latent))
        networks.mean_w.copy_(w.mean(dim=0))
        networks.deviation_w.copy_(w.std(dim=0))
        networks.directions.normal_(0, 0.5)
        networks.reach.fill_(1.0)
        for parameter in networks.generator.parameters():
            if not parameter.dim():
                parameter.fill_(0.1)  # the strength of the noise
    return networks.eval().requires_grad_(False)


def write_dream_weights(path: Path) -> Path:
    """Write a file with them."""
    save_layouts(path, LayoutHeader(SHAPE, (1000.0, 4000.0), "nobody", "MIT"), random_networks())
    return path
