"""The table of networks: what the name in a weights file stands for, and which configurations are possible."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from terrainpaint.models.spade_local import SpadeLocal, SpadeLocalConfig

Generator = SpadeLocal
GeneratorConfig = SpadeLocalConfig
Limits = Mapping[str, tuple[float, float]]
"""Smallest and largest value of each field of a configuration; of a tuple of names, its length."""


@dataclass(frozen=True)
class Network:
    """`limits` keep a foreign file from asking for a network that no computer could hold."""

    generator: type[Generator]
    config: type[GeneratorConfig]
    limits: Limits


NETWORKS: Mapping[str, Network] = {
    "spade-local": Network(
        SpadeLocal,
        SpadeLocalConfig,
        {
            "widths": (1, 4096),
            "blocks": (1, 16),
            "hidden": (1, 4096),
            "style_names": (0, 64),
            "elevation_scale": (1e-3, 1e6),
        },
    ),
}

SHADOW_LIMITS: Limits = {"hidden": (1, 4096)}
