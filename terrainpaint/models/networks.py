"""The table of networks: for each name in a weights file, its classes and the configurations that are possible.

A new network is a module with a `TerrainGenerator` and its configuration, and a row here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from terrainpaint.models.header_fields import Limits
from terrainpaint.models.natural_shapes import NATURAL_SHAPES
from terrainpaint.models.shadow import ShadowGenerator, ShadowNetwork
from terrainpaint.models.spade_guided import SpadeGuided, SpadeGuidedConfig
from terrainpaint.models.spade_local import SpadeLocal, SpadeLocalConfig
from terrainpaint.models.spade_terrain.attention import AttentionConfig, AttentionReference
from terrainpaint.models.spade_terrain.lab_shadow import ReferenceShadow
from terrainpaint.models.spade_terrain.modulated import ModulatedReference
from terrainpaint.models.spade_terrain.reference_network import ReferenceConfig
from terrainpaint.models.spade_terrain.spade import SpadeReference
from terrainpaint.models.terrain_generator import GeneratorConfig, TerrainGenerator

SHADOW_LIMITS: Limits = {"hidden": (1, 4096)}
_LOCAL_LIMITS: Limits = {
    "widths": (1, 4096),
    "blocks": (1, 16),
    "hidden": (1, 4096),
    "style_names": (0, 64),
    "elevation_scale": (1e-3, 1e6),
}
_GUIDED_LIMITS: Limits = {**_LOCAL_LIMITS, "natural_shapes": (min(NATURAL_SHAPES), max(NATURAL_SHAPES))}
_REFERENCE_LIMITS: Limits = {
    "widths": (1, 4096),
    "hidden": (1, 4096),
    "latents": (1, 64),
    "elevation_scale": (1e-3, 1e6),
}


@dataclass(frozen=True)
class Network:
    """A generator, its configuration, and the shadow generator that shades its output.

    `limits` keep an untrusted file from requesting a network that does not fit into memory.
    """

    generator: type[TerrainGenerator]
    config: type[GeneratorConfig]
    shadow: type[ShadowNetwork]
    limits: Limits

    def new_generator(self, config: GeneratorConfig) -> TerrainGenerator:
        """A generator with random weights. Raises TypeError for the configuration of another network."""
        if type(config) is not self.config:
            raise TypeError(f"{self.generator.__name__} takes a {self.config.__name__}, not {config}")
        return self.generator(config)


NETWORKS: Mapping[str, Network] = {
    "spade-local": Network(SpadeLocal, SpadeLocalConfig, ShadowGenerator, _LOCAL_LIMITS),
    "spade-guided": Network(SpadeGuided, SpadeGuidedConfig, ShadowGenerator, _GUIDED_LIMITS),
    "spade-terrain-1.0": Network(SpadeReference, ReferenceConfig, ReferenceShadow, _REFERENCE_LIMITS),
    "spade-terrain-1.1": Network(ModulatedReference, ReferenceConfig, ReferenceShadow, _REFERENCE_LIMITS),
    "spade-terrain-1.2": Network(
        AttentionReference,
        AttentionConfig,
        ReferenceShadow,
        {**_REFERENCE_LIMITS, "heads": (1, 64), "window_px": (1, 31), "crop_px": (32, 4096)},
    ),
}
