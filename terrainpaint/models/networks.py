"""The table of networks: what the name in a weights file stands for, and which configurations are possible."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from terrainpaint.models.shadow import ShadowGenerator
from terrainpaint.models.spade_local import SpadeLocal, SpadeLocalConfig
from terrainpaint.models.spade_terrain.attention import AttentionConfig, AttentionReference
from terrainpaint.models.spade_terrain.base import ReferenceConfig, ReferenceNetwork
from terrainpaint.models.spade_terrain.lab_shadow import ReferenceShadow
from terrainpaint.models.spade_terrain.modulated import ModulatedReference
from terrainpaint.models.spade_terrain.spade import SpadeReference

Generator = SpadeLocal | ReferenceNetwork
GeneratorConfig = SpadeLocalConfig | ReferenceConfig
Shadow = ShadowGenerator | ReferenceShadow
Limits = Mapping[str, tuple[float, float]]
"""Smallest and largest value of each field of a configuration; of a tuple of names, its length."""

SHADOW_LIMITS: Limits = {"hidden": (1, 4096)}
_SPADE_LOCAL_LIMITS: Limits = {
    "widths": (1, 4096),
    "blocks": (1, 16),
    "hidden": (1, 4096),
    "style_names": (0, 64),
    "elevation_scale": (1e-3, 1e6),
}
_REFERENCE_LIMITS: Limits = {
    "widths": (1, 4096),
    "hidden": (1, 4096),
    "latents": (1, 64),
    "elevation_scale": (1e-3, 1e6),
}
_ATTENTION_LIMITS: Limits = {**_REFERENCE_LIMITS, "heads": (1, 64), "window_px": (1, 31), "crop_px": (32, 4096)}


@dataclass(frozen=True)
class Network:
    """A generator, its configuration, and the shadow generator that lights what it makes.

    `limits` keep a foreign file from asking for a network that no computer could hold.
    """

    generator: type[SpadeLocal] | type[SpadeReference] | type[ModulatedReference] | type[AttentionReference]
    config: type[SpadeLocalConfig] | type[ReferenceConfig] | type[AttentionConfig]
    limits: Limits
    shadow: type[ShadowGenerator] | type[ReferenceShadow]

    def generator_of(self, config: GeneratorConfig) -> Generator:
        """A new generator. Raises TypeError for the configuration of another network."""
        if type(config) is not self.config:
            raise TypeError(f"{self.generator.__name__} takes a {self.config.__name__}, not {config}")
        return self.generator(config)  # type: ignore[arg-type]


NETWORKS: Mapping[str, Network] = {
    "spade-local": Network(SpadeLocal, SpadeLocalConfig, _SPADE_LOCAL_LIMITS, ShadowGenerator),
    "spade-terrain-1.0": Network(SpadeReference, ReferenceConfig, _REFERENCE_LIMITS, ReferenceShadow),
    "spade-terrain-1.1": Network(ModulatedReference, ReferenceConfig, _REFERENCE_LIMITS, ReferenceShadow),
    "spade-terrain-1.2": Network(AttentionReference, AttentionConfig, _ATTENTION_LIMITS, ReferenceShadow),
}
