"""The description in a weights file: JSON, of which every value is checked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from terrainpaint.core.checked_json import JsonObject, parse_object
from terrainpaint.core.classes import CLASS_NAMES
from terrainpaint.core.weights_formats import (
    FINE_LAND_FORMAT,
    LAYOUT_FORMAT,
    LOOK_FORMAT,
    PICTURES_FORMAT,
    WEIGHTS_FORMAT,
)
from terrainpaint.errors import WeightsError
from terrainpaint.models.header_fields import (
    PIXEL_SIZE_M,
    check_version,
    config_of,
    description,
    known_network,
    line,
    parsed,
    plain_text,
)
from terrainpaint.models.networks import NETWORKS, SHADOW_LIMITS
from terrainpaint.models.shadow import ShadowConfig
from terrainpaint.models.terrain_generator import GeneratorConfig

VERSION = 1
ELEVATION_ENCODING = "signed-sqrt"


@dataclass(frozen=True)
class WeightsHeader:
    """The description of a weights file.

    `network` name in `NETWORKS`; `config` and `shadow_config` configurations of the two networks; `pixel_size_m` ground
    size in metres of the pixels of the training; `style` one line; `credits` and `licence` (of the weights) plain text;
    `training` any JSON object: data, number of images, date, ...
    """

    network: str
    config: GeneratorConfig
    shadow_config: ShadowConfig
    pixel_size_m: float
    style: str
    credits: str = ""
    licence: str = ""
    training: Mapping[str, Any] | None = None

    def to_json(self) -> str:
        """The text that `parse_header` reads. Raises ValueError when `training` is not JSON."""
        values = {
            "format": WEIGHTS_FORMAT,
            "version": VERSION,
            "network": self.network,
            "config": asdict(self.config),
            "shadow_config": asdict(self.shadow_config),
            "classes": CLASS_NAMES,
            "pixel_size_m": self.pixel_size_m,
            "elevation": {"encoding": ELEVATION_ENCODING, "scale": self.config.elevation_scale},
            "style": self.style,
            "credits": self.credits,
            "licence": self.licence,
            "training": dict(self.training or {}),
        }
        return description(values)

    def trained_further(self, name: str, facts: object) -> WeightsHeader:
        """The same with what changed the weights after their training, any JSON value, by name in `training`."""
        return replace(self, training={**(self.training or {}), name: facts})


def parse_header(path: Path, text: str) -> WeightsHeader:
    """Parse the description `text` of a weights file; `path` is used in messages only.

    Raises WeightsError for everything but a complete and valid description.
    """
    return parsed(path, text, _header)


def parse_configs(network: str, text: str) -> tuple[GeneratorConfig, ShadowConfig]:
    """The configurations of a network of `NETWORKS` from the fields `config` and `shadow_config` of a JSON object, with
    the limits of a weights file. Raises ValueError."""
    values = parse_object(text)
    if network not in NETWORKS:
        raise ValueError(f"the network {network!r} is unknown")
    entry = NETWORKS[network]
    config = config_of(values.object("config"), entry.config, entry.limits)
    return config, config_of(values.object("shadow_config"), ShadowConfig, SHADOW_LIMITS)


def _header(path: Path, values: JsonObject) -> WeightsHeader:
    if values["format"] == PICTURES_FORMAT:
        raise WeightsError(
            f"{path} generates pictures, not terrain from a map; draw them with 'python -m trainer sample'."
        )
    if values["format"] == LOOK_FORMAT:
        raise WeightsError(
            f"{path} is a look, which repaints a terrain and generates none; choose it as look, not as style."
        )
    if values["format"] == LAYOUT_FORMAT:
        raise WeightsError(f"{path} dreams maps and generates no terrain; use it with 'terrainpaint dream'.")
    if values["format"] == FINE_LAND_FORMAT:
        raise WeightsError(f"{path} makes a terrain finer and generates none; choose a style instead.")
    if values["format"] != WEIGHTS_FORMAT:
        values.refuse("format", f'"{WEIGHTS_FORMAT}"')
    check_version(path, values, VERSION)
    name = known_network(path, values, NETWORKS)
    network = NETWORKS[name]
    config = config_of(values.object("config"), network.config, network.limits)
    if values["classes"] != list(CLASS_NAMES):
        values.refuse("classes", ", ".join(CLASS_NAMES))
    elevation = values.object("elevation")
    if elevation["encoding"] != ELEVATION_ENCODING:
        elevation.refuse("encoding", f'"{ELEVATION_ENCODING}"')
    if elevation.number("scale", 0, math.inf) != config.elevation_scale:
        elevation.refuse("scale", "the elevation_scale of config")
    return WeightsHeader(
        network=name,
        config=config,
        shadow_config=config_of(values.object("shadow_config"), ShadowConfig, SHADOW_LIMITS),
        pixel_size_m=values.number("pixel_size_m", *PIXEL_SIZE_M),
        style=line(values, "style"),
        credits=plain_text(values, "credits"),
        licence=plain_text(values, "licence"),
        training=values.object("training").values,
    )
