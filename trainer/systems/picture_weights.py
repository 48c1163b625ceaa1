"""Weights files of generators of pictures: a network and its description, in the container of the program's weights.

Opening one never runs code, and takes memory for a network only when the file has its tensors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn

from terrainpaint.core.checked_json import JsonObject, parse_object
from terrainpaint.core.quoting import shown
from terrainpaint.core.weights_formats import PICTURES_FORMAT
from terrainpaint.errors import TrainingError, WeightsError
from terrainpaint.models.header_fields import MAX_VERSION, description
from terrainpaint.models.weights_file import declared, filled, load, without_memory, write
from trainer.loop.checkpoints import averaged_weights, load_checkpoint, training_settings

FORMAT_VERSION = 1
GENERATOR = "generator"
"""The name of the network among those of a checkpoint."""

Network = TypeVar("Network", bound=nn.Module)
Build = Callable[[Mapping[str, Any]], Network]
"""A description of a network, of unknown origin → the network. May raise any of `_WRONG` and TrainingError."""
_WRONG = (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, RuntimeError)


@dataclass(frozen=True)
class PictureFile(Generic[Network]):
    """A generator in evaluation mode on the processor, and its description: `style` of the pictures, `credits`,
    `licence`, `training` its settings."""

    generator: Network
    style: str
    credits: str
    licence: str
    training: Mapping[str, Any]


@dataclass(frozen=True)
class PictureWeights(Generic[Network]):
    """The weights files and checkpoints of one system of the trainer whose generator makes pictures of noise.

    `network` its name in files, `called` its name in messages with an article, `build` makes it of its configuration,
    and `config` is the configuration of a generator.
    """

    network: str
    called: str
    build: Build[Network]
    config: Callable[[Network], dict[str, Any]]

    def load(self, path: Path) -> PictureFile[Network]:
        """Read a checkpoint (`.pt`), of which the averaged weights count, or a weights file.

        Raises TrainingError when it is missing, broken or of another system.
        """
        if path.suffix == ".pt":
            return self.from_checkpoint(path, "")
        generator, values = read_network(path, self.network, self.called, lambda values: self.build(values["config"]))
        with refused(f"{path} is not a weights file of {self.called}, or it is damaged."):
            return PictureFile(generator, values.text("style"), values.text("credits"), values.text("licence"),
                               values.object("training").values)  # fmt: skip

    def from_checkpoint(self, path: Path, licence: str) -> PictureFile[Network]:
        """The averaged generator of a checkpoint, to be published under a licence. Raises TrainingError."""
        state = load_checkpoint(path, torch.device("cpu"))
        if state["network"]["name"] != self.network:
            raise TrainingError(f"{path} is a checkpoint of the network {shown(state['network']['name'])}, not of "
                                f"{self.called}.")  # fmt: skip
        generator = network_of(path, state, self.called, lambda network: self.build(network["config"]))
        with refused(f"{path} is not a checkpoint of {self.called}, or it is damaged."):
            data = JsonObject(state["data"])
            return PictureFile(generator, data.text("style"), data.text("credits"), licence, training_settings(state))

    def publish(self, checkpoint: Path, target: Path, licence: str) -> PictureFile[Network]:
        """Write the averaged generator of a checkpoint, and return it.

        Raises TrainingError when the checkpoint cannot be used, OutputError when the file cannot be written.
        """
        file = self.from_checkpoint(checkpoint, licence)
        values = {
            "config": self.config(file.generator), "style": file.style, "credits": file.credits,
            "licence": file.licence, "training": file.training,
        }  # fmt: skip
        write_network(target, self.network, values, file.generator)
        return file


def read_description(path: Path) -> JsonObject:
    """The description of a weights file of any system; nothing of it is checked. Raises TrainingError when there is
    none."""
    with _as_training_errors(), refused(f"{path} is not a weights file of TerrainPaint, or it is damaged."):
        return parse_object(declared(path)[0])


def read_network(path: Path, network: str, called: str, build: Build[Network]) -> tuple[Network, JsonObject]:
    """The network that `build` makes of the description of a weights file, and the description.

    Raises TrainingError when the file is missing, broken or of another network.
    """

    def parse(path: Path, text: str) -> JsonObject:
        values = parse_object(text)
        if values["format"] != PICTURES_FORMAT or values["network"] != network:
            raise TrainingError(f"{path} holds the network {shown(values['network'])!r}, not {called}.")
        if values.whole("version", 1, MAX_VERSION) > FORMAT_VERSION:
            raise TrainingError(f"{path} was written by a newer version; update TerrainPaint to use it.")
        return values

    with _as_training_errors(), refused(f"{path} is not a weights file of {called}, or it is damaged."):
        values, generator, _ = load(path, parse, lambda values: build(values.values))
    return generator, values


def network_of(path: Path, state: Mapping[str, Any], called: str, build: Build[Network]) -> Network:
    """The network that `build` makes of the description in a checkpoint, with the averaged weights, in evaluation mode.

    Raises TrainingError when they do not fit.
    """
    weights: dict[str, Tensor] = averaged_weights(state, GENERATOR)
    with _as_training_errors():
        with refused(f"{path} is not a checkpoint of {called}, or it is damaged."):
            generator = without_memory(lambda: build(state["network"]))
        return filled(path, generator, weights).eval().requires_grad_(False)


def write_network(path: Path, network: str, values: Mapping[str, Any], generator: nn.Module) -> None:
    """Write a generator with its description. Raises TrainingError for values that are not finite or a description that
    is not JSON, OutputError when it cannot be written."""
    head = {"format": PICTURES_FORMAT, "version": FORMAT_VERSION, "system": network, "network": network}
    with _as_training_errors(), refused(f"{path} cannot be written: the settings of the run are damaged."):
        write(path, description({**head, **values}), generator)


@contextmanager
def refused(sentence: str) -> Iterator[None]:
    """What values of unknown origin raise becomes a TrainingError of this sentence."""
    try:
        yield
    except _WRONG as error:
        raise TrainingError(sentence) from error


@contextmanager
def _as_training_errors() -> Iterator[None]:
    try:
        yield
    except WeightsError as error:
        raise TrainingError(str(error)) from error
