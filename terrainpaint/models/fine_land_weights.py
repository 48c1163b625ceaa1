"""Files of fine land: the description and the networks of both steps, in the container of `weights_file`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from terrainpaint.core.checked_json import JsonObject
from terrainpaint.core.weights_formats import FINE_LAND_FORMAT
from terrainpaint.errors import WeightsError
from terrainpaint.models.fine_land import FINE_LAND_LIMITS, FineLandConfig, FineLandStep
from terrainpaint.models.header_fields import check_version, config_of, description, known_network, parsed, plain_text
from terrainpaint.models.weights_file import load, write

VERSION = 1
NETWORK = "fine-land"
_STEPS = ("first", "second")


@dataclass(frozen=True)
class FineLandHeader:
    """The description of a file: `configs` of the first step and of the second, which makes its result finer again;
    `credits` and `licence` (of the weights) plain text; `training` any JSON object."""

    configs: tuple[FineLandConfig, FineLandConfig]
    credits: str = ""
    licence: str = ""
    training: Mapping[str, Any] | None = None

    def to_json(self) -> str:
        """The text that `parse_fine_land_header` reads. Raises ValueError when `training` is not JSON."""
        return description(
            {
                "format": FINE_LAND_FORMAT,
                "version": VERSION,
                "system": "super_resolution",
                "network": NETWORK,
                "config": {name: asdict(config) for name, config in zip(_STEPS, self.configs, strict=True)},
                "credits": self.credits,
                "licence": self.licence,
                "training": dict(self.training or {}),
            }
        )


@dataclass(frozen=True)
class FineLand:
    """A loaded file: its path, the networks of both steps, in evaluation mode, and the hex SHA-256 of the file."""

    path: Path
    header: FineLandHeader
    steps: tuple[FineLandStep, FineLandStep]
    sha256: str

    def nearest_step(self, cell_m: float) -> FineLandStep:
        """The step whose own cells are nearest in size to `cell_m` metres, as a ratio."""
        return min(self.steps, key=lambda step: abs(math.log(step.config.cell_m / cell_m)))


def parse_fine_land_header(path: Path, text: str) -> FineLandHeader:
    """Parse the description `text` of a file; `path` is used in messages only.

    Raises WeightsError for everything but a complete and valid description.
    """
    return parsed(path, text, _header)


def load_fine_land(path: Path, device: torch.device) -> FineLand:
    """Load a file onto `device`: frozen, in the channels-last memory format.

    Raises WeightsError when the file is damaged, of another kind or of a newer version, DeviceError when it does not
    fit into memory.
    """
    header, networks, sha256 = load(path, parse_fine_land_header, _networks)
    networks.to(device)
    networks.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return FineLand(path, header, (networks.first, networks.second), sha256)


def save_fine_land(path: Path, header: FineLandHeader, steps: tuple[FineLandStep, FineLandStep]) -> None:
    """Write a file in float32, completely or not at all.

    Raises WeightsError when `load_fine_land` would refuse it: for an invalid description or values that are not finite.
    Raises OutputError when it cannot be written, ValueError when a network has another configuration.
    """
    if header.configs != tuple(step.config for step in steps):
        raise ValueError("the header describes other networks")
    text = header.to_json()
    parse_fine_land_header(path, text)
    write(path, text, _Steps(*steps))


class _Steps(nn.Module):
    """Both networks in one module, so that tensors have the names of the file: `first.stem.weight`, ..."""

    def __init__(self, first: FineLandStep, second: FineLandStep) -> None:
        super().__init__()
        self.first, self.second = first, second


def _networks(header: FineLandHeader) -> _Steps:
    first, second = header.configs
    return _Steps(FineLandStep(first), FineLandStep(second))


def _header(path: Path, values: JsonObject) -> FineLandHeader:
    if values["format"] != FINE_LAND_FORMAT:
        raise WeightsError(f"{path} makes no terrain finer; choose a file that 'python -m trainer publish' made of "
                           "super_resolution.")  # fmt: skip
    check_version(path, values, VERSION)
    known_network(path, values, (NETWORK,))
    config = values.object("config")
    first, second = (config_of(config.object(step), FineLandConfig, FINE_LAND_LIMITS) for step in _STEPS)
    return FineLandHeader(
        (first, second), plain_text(values, "credits"), plain_text(values, "licence"),
        values.object("training").values,
    )  # fmt: skip
