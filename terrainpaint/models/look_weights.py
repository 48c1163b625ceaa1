"""Files of looks: the description and the network that repaints a terrain, in the container of `weights_file`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from terrainpaint.core.checked_json import JsonObject
from terrainpaint.core.weights_formats import LOOK_FORMAT, PICTURES_FORMAT, WEIGHTS_FORMAT
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
from terrainpaint.models.look import LOOK_LIMITS, LookConfig, LookNetwork
from terrainpaint.models.weights_file import load, write

VERSION = 1
NETWORK = "look-unet"


@dataclass(frozen=True)
class LookHeader:
    """The description of a look.

    `source` the style of the terrain that it was trained on, `target` the style that it paints, each one line;
    `pixel_size_m` ground size in metres of the pixels of the training; `credits` and `licence` (of the weights) plain
    text; `training` any JSON object.
    """

    config: LookConfig
    source: str
    target: str
    pixel_size_m: float
    credits: str = ""
    licence: str = ""
    training: Mapping[str, Any] | None = None

    def to_json(self) -> str:
        """The text that `parse_look_header` reads. Raises ValueError when `training` is not JSON."""
        return description(
            {
                "format": LOOK_FORMAT,
                "version": VERSION,
                "network": NETWORK,
                "config": asdict(self.config),
                "source": self.source,
                "target": self.target,
                "pixel_size_m": self.pixel_size_m,
                "credits": self.credits,
                "licence": self.licence,
                "training": dict(self.training or {}),
            }
        )


@dataclass(frozen=True)
class Look:
    """A loaded look: its file, the network, in evaluation mode, and the hex SHA-256 of the file."""

    path: Path
    header: LookHeader
    network: LookNetwork
    sha256: str


def parse_look_header(path: Path, text: str) -> LookHeader:
    """Parse the description `text` of a look; `path` is used in messages only.

    Raises WeightsError for everything but a complete and valid description.
    """
    return parsed(path, text, _header)


def load_look(path: Path, device: torch.device) -> Look:
    """Load a look onto `device`: frozen, in the channels-last memory format.

    Raises WeightsError when the file is damaged, of another kind or of a newer version, DeviceError when it does not
    fit into memory.
    """
    header, network, sha256 = load(path, parse_look_header, lambda header: LookNetwork(header.config))
    network.to(device)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Look(path, header, network, sha256)


def save_look(path: Path, header: LookHeader, network: LookNetwork) -> None:
    """Write a look in float32, completely or not at all.

    Raises WeightsError when `load_look` would refuse it: for an invalid description or values that are not finite.
    Raises OutputError when it cannot be written, ValueError when the network has another configuration.
    """
    if header.config != network.config:
        raise ValueError("the header describes another network")
    text = header.to_json()
    parse_look_header(path, text)
    write(path, text, network)


def _header(path: Path, values: JsonObject) -> LookHeader:
    if values["format"] == WEIGHTS_FORMAT:
        raise WeightsError(f"{path} is a style, which generates terrain and repaints none; choose it as style, not as "
                           "look.")  # fmt: skip
    if values["format"] == PICTURES_FORMAT:
        raise WeightsError(f"{path} generates pictures and repaints no terrain; draw them with "
                           "'python -m trainer sample'.")  # fmt: skip
    if values["format"] != LOOK_FORMAT:
        values.refuse("format", f'"{LOOK_FORMAT}"')
    check_version(path, values, VERSION)
    known_network(path, values, (NETWORK,))
    return LookHeader(
        config=config_of(values.object("config"), LookConfig, LOOK_LIMITS),
        source=line(values, "source"),
        target=line(values, "target"),
        pixel_size_m=values.number("pixel_size_m", *PIXEL_SIZE_M),
        credits=plain_text(values, "credits"),
        licence=plain_text(values, "licence"),
        training=values.object("training").values,
    )
