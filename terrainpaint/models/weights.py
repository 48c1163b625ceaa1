"""Weights files of terrain generators: two networks in the container of `weights_file`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from terrainpaint.core.weights_formats import METADATA_KEY
from terrainpaint.models.header import WeightsHeader, parse_header
from terrainpaint.models.networks import NETWORKS
from terrainpaint.models.shadow import ShadowNetwork
from terrainpaint.models.terrain_generator import TerrainGenerator
from terrainpaint.models.weights_file import declared, filled, load, without_memory, write

__all__ = ["METADATA_KEY", "Weights", "WeightsHeader", "load_weights", "read_header", "save_weights"]


@dataclass(frozen=True)
class Weights:
    """A loaded weights file: the two networks, in evaluation mode, and the hex SHA-256 of the file."""

    header: WeightsHeader
    generator: TerrainGenerator
    shadow: ShadowNetwork
    sha256: str


def read_header(path: Path) -> WeightsHeader:
    """Read the description of a weights file, without its tensors. Raises WeightsError."""
    return parse_header(path, declared(path)[0])


def load_weights(path: Path, device: torch.device) -> Weights:
    """Load a weights file onto `device`: both networks frozen, the generator in the channels-last memory format.

    Raises WeightsError when the file is damaged, of another program or of a newer version, DeviceError when it does not
    fit into memory.
    """
    header, networks, sha256 = load(path, parse_header, _networks)
    networks.to(device)
    networks.generator.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Weights(header, networks.generator, networks.shadow, sha256)


def networks_of(
    path: Path, header: WeightsHeader, generator: Mapping[str, Tensor], shadow: Mapping[str, Tensor]
) -> tuple[TerrainGenerator, ShadowNetwork]:
    """The two networks that a header describes, with the values of a file that is not a weights file.

    Raises WeightsError when a tensor is missing, unknown, of another shape or not float32. Nothing is allocated before.
    """
    networks = without_memory(lambda: _networks(header))
    tensors = {f"{part}.{name}": value for part, values in (("generator", generator), ("shadow", shadow))
               for name, value in values.items()}  # fmt: skip
    filled(path, networks, tensors)
    return networks.generator, networks.shadow


def save_weights(path: Path, header: WeightsHeader, generator: TerrainGenerator, shadow: ShadowNetwork) -> None:
    """Write a weights file in float32, completely or not at all.

    Raises WeightsError when `load_weights` would refuse it: for an invalid description or values that are not finite.
    Raises OutputError when it cannot be written, ValueError when the networks do not have the header's configurations.
    """
    network = NETWORKS.get(header.network)
    if (header.config, header.shadow_config) != (generator.config, shadow.config) or (
        network is not None and (network.generator, network.shadow) != (type(generator), type(shadow))
    ):
        raise ValueError("the header describes other networks")
    text = header.to_json()
    parse_header(path, text)
    write(path, text, _Networks(generator, shadow))


class _Networks(nn.Module):
    """Both networks in one module, so that tensors have the names of the file: `generator.stem.weight`, ..."""

    def __init__(self, generator: TerrainGenerator, shadow: ShadowNetwork) -> None:
        super().__init__()
        self.generator, self.shadow = generator, shadow


def _networks(header: WeightsHeader) -> _Networks:
    network = NETWORKS[header.network]
    return _Networks(network.new_generator(header.config), network.shadow(header.shadow_config))
