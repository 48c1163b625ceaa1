"""Files of layouts: the description and the network that dreams maps, in the container of `weights_file`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from terrainpaint.core.checked_json import JsonObject
from terrainpaint.core.dream_controls import CONTROL_NAMES
from terrainpaint.core.weights_formats import LAYOUT_FORMAT
from terrainpaint.errors import WeightsError
from terrainpaint.models.header_fields import check_version, description, known_network, parsed, plain_text
from terrainpaint.models.layout import LayoutGenerator, LayoutShape
from terrainpaint.models.weights_file import load, write

VERSION = 1
NETWORK = "layout"
_LARGEST_PX, _LARGEST_WIDTH, _MOST_LAYERS, _LARGEST_KM = 256, 1024, 16, 40_000.0
_MOST_LEVELS = 7


class LayoutNetworks(nn.Module):
    """The generator, and what was measured of its `w`: `mean_w` and `deviation_w` (latent,), `directions` (3, latent)
    along which the measures of `CONTROL_NAMES` grow by 1 while the other two stay, and `reach` (3,) how far to go at
    most, in such steps."""

    mean_w: Tensor
    deviation_w: Tensor
    directions: Tensor
    reach: Tensor

    def __init__(self, shape: LayoutShape) -> None:
        super().__init__()
        self.generator = LayoutGenerator(shape)
        for name in ("mean_w", "deviation_w"):
            self.register_buffer(name, torch.zeros(shape.latent))
        self.register_buffer("directions", torch.zeros(len(CONTROL_NAMES), shape.latent))
        self.register_buffer("reach", torch.zeros(len(CONTROL_NAMES)))


@dataclass(frozen=True)
class LayoutHeader:
    """The description of a file: `km` the smallest and largest side of the layouts of the training; `credits` and
    `licence` (of the weights) plain text; `training` any JSON object."""

    shape: LayoutShape
    km: tuple[float, float]
    credits: str = ""
    licence: str = ""
    training: Mapping[str, Any] | None = None

    def to_json(self) -> str:
        """The text that `parse_layout_header` reads. Raises ValueError when `training` is not JSON."""
        shape = self.shape
        return description(
            {
                "format": LAYOUT_FORMAT,
                "version": VERSION,
                "system": "layouts",
                "network": NETWORK,
                "config": {
                    "size_px": shape.size_px,
                    "latent": shape.latent,
                    "widths": list(shape.widths),
                    "mapping": shape.mapping,
                },
                "km": list(self.km),
                "credits": self.credits,
                "licence": self.licence,
                "training": dict(self.training or {}),
            }
        )


@dataclass(frozen=True)
class Layouts:
    """A loaded file: its path, the networks, in evaluation mode, and the hex SHA-256 of the file."""

    path: Path
    header: LayoutHeader
    networks: LayoutNetworks
    sha256: str


def parse_layout_header(path: Path, text: str) -> LayoutHeader:
    """Parse the description `text` of a file; `path` is used in messages only.

    Raises WeightsError for everything but a complete and valid description.
    """
    return parsed(path, text, _header)


def load_layouts(path: Path, device: torch.device) -> Layouts:
    """Load a file onto `device`, frozen.

    Raises WeightsError when the file is damaged, of another kind or of a newer version, DeviceError when it does not
    fit into memory.
    """
    header, networks, sha256 = load(path, parse_layout_header, lambda header: LayoutNetworks(header.shape))
    networks.to(device)
    return Layouts(path, header, networks, sha256)


def save_layouts(path: Path, header: LayoutHeader, networks: LayoutNetworks) -> None:
    """Write a file in float32, completely or not at all.

    Raises WeightsError when `load_layouts` would refuse it: for an invalid description or values that are not finite.
    Raises OutputError when it cannot be written, ValueError when the network has another shape.
    """
    if header.shape != networks.generator.shape:
        raise ValueError("the header describes another network")
    text = header.to_json()
    parse_layout_header(path, text)
    write(path, text, networks)


def _header(path: Path, values: JsonObject) -> LayoutHeader:
    if values["format"] != LAYOUT_FORMAT:
        raise WeightsError(f"{path} dreams no maps; choose a file that 'python -m trainer publish' made of layouts.")
    check_version(path, values, VERSION)
    known_network(path, values, (NETWORK,))
    shape = layout_shape(values.object("config"))
    km = values.numbers("km", 2, 1, _LARGEST_KM)
    if len(km) != 2 or km[0] > km[1]:
        values.refuse("km", "a smaller and a larger number")
    return LayoutHeader(
        shape, (km[0], km[1]), plain_text(values, "credits"), plain_text(values, "licence"),
        values.object("training").values,
    )  # fmt: skip


def layout_shape(config: JsonObject) -> LayoutShape:
    """The shape of a network in a description. Raises ValueError for values out of range."""
    widths = config.numbers("widths", _MOST_LEVELS, 1, _LARGEST_WIDTH)
    return LayoutShape(
        config.whole("size_px", 4, _LARGEST_PX), config.whole("latent", 1, _LARGEST_WIDTH),
        tuple(int(width) for width in widths), config.whole("mapping", 1, _MOST_LAYERS),
    )  # fmt: skip
