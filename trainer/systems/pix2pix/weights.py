"""Weights files of pix2pix: the averaged generator and its description. Opening one never runs code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from terrainpaint.core.checked_json import JsonObject
from terrainpaint.core.weights_formats import is_look
from terrainpaint.errors import TrainingError, WeightsError
from terrainpaint.models.look import LookNetwork
from terrainpaint.models.look_weights import LookHeader, load_look, save_look
from trainer.data.packed_pictures import PIXEL_SIZE_M
from trainer.loop.checkpoints import load_checkpoint, training_settings
from trainer.networks.unet import UNet
from trainer.systems.picture_weights import network_of, read_network, refused, write_network
from trainer.systems.pix2pix.generators import described, generator_from, margin_of, translate

_NETWORK = "pix2pix"
_LARGEST_PX = 1 << 14
_DEFAULT_PX = 256
"""Size of the training of looks that do not tell it."""


@dataclass(frozen=True)
class Translator:
    """A generator and its description: pictures of one style → pictures of another.

    `source_style` and `target_style` of the pictures; `credits`, `licence`; `pixel_size_m` ground size of a pixel of
    the training, None where it had none; `training` the settings of the run; `statistics` and `dropout` as in
    `translate`.
    """

    generator: UNet | LookNetwork
    source_style: str
    target_style: str
    credits: str
    licence: str
    pixel_size_m: float | None
    training: Mapping[str, Any]
    statistics: str = "picture"
    dropout: bool = True

    @property
    def size_px(self) -> int:
        """Side of the pictures of the training."""
        return int(self.training["size_px"])

    @property
    def margin_px(self) -> int:
        """By how many pixels a source is larger than what is made of it, on each side."""
        return margin_of(self.generator)

    def __call__(self, source: Tensor, seed: int = 0) -> Tensor:
        """(N, 3, H + 2m, W + 2m) in -1..1 → (N, 3, H, W) in -1..1 float32 on the CPU; m is `margin_px`.

        Each picture by itself; `seed` is that of the dropout."""
        device = next(self.generator.parameters()).device
        return translate(self.generator, source.to(device), seed, self.dropout, self.statistics).cpu()


def load_translator(path: Path, device: torch.device, statistics: str = "picture", dropout: bool = True) -> Translator:
    """Read a checkpoint or a weights file. Raises TrainingError when it is missing, broken or something else."""
    if path.suffix == ".pt":
        found = _from_checkpoint(path, "")
    else:
        found = _from_look(path) if is_look(path) else _from_weights(path)
    generator = found.generator.to(device).eval().requires_grad_(False)
    return Translator(**{**vars(found), "generator": generator, "statistics": statistics, "dropout": dropout})


def publish(checkpoint: Path, target: Path, licence: str) -> str:
    """Write the averaged generator of a checkpoint. Returns a description of it.

    Raises TrainingError when the checkpoint cannot be used, OutputError when the file cannot be written.
    """
    found = _from_checkpoint(checkpoint, licence)
    if isinstance(found.generator, LookNetwork):
        _publish_look(checkpoint, target, found, found.generator)
        return f"look, {found.source_style} → {found.target_style}"
    values = {
        "generator": described(found.generator), "source_style": found.source_style,
        "target_style": found.target_style, "pixel_size_m": found.pixel_size_m, "credits": found.credits,
        "licence": found.licence, "training": found.training,
    }  # fmt: skip
    write_network(target, _NETWORK, values, found.generator)
    return f"pix2pix of {found.size_px} px, {found.source_style} → {found.target_style}"


def _publish_look(checkpoint: Path, target: Path, found: Translator, network: LookNetwork) -> None:
    if found.pixel_size_m is None:
        raise TrainingError(f"{checkpoint} was trained on pictures without a ground size, so it cannot be a look of "
                            "terrain; make pairs from rasters.")  # fmt: skip
    header = LookHeader(
        config=network.config,
        source=found.source_style,
        target=found.target_style,
        pixel_size_m=found.pixel_size_m,
        credits=found.credits,
        licence=found.licence,
        training=found.training,
    )
    try:
        save_look(target, header, network)
    except WeightsError as error:
        raise TrainingError(f"{checkpoint} cannot be published as a look: {error}") from error


def _from_look(path: Path) -> Translator:
    try:
        look = load_look(path, torch.device("cpu"))
    except WeightsError as error:
        raise TrainingError(str(error)) from error
    header, training = look.header, dict(look.header.training or {})
    return Translator(look.network, header.source, header.target, header.credits, header.licence, header.pixel_size_m,
                      {"size_px": _DEFAULT_PX, **training})  # fmt: skip


def _from_weights(path: Path) -> Translator:
    generator, values = read_network(path, _NETWORK, "pix2pix", lambda values: generator_from(values["generator"]))
    with refused(f"{path} is not a weights file of pix2pix, or it is damaged."):
        return _translator(generator, values, values.text("licence"), values.object("training").values)


def _from_checkpoint(path: Path, licence: str) -> Translator:
    state = load_checkpoint(path, torch.device("cpu"))
    generator = network_of(path, state, "pix2pix", generator_from)
    with refused(f"{path} is not a checkpoint of pix2pix, or it is damaged."):
        return _translator(generator, JsonObject(state["data"]), licence, training_settings(state))


def _translator(
    generator: UNet | LookNetwork, data: JsonObject, licence: str, training: Mapping[str, Any]
) -> Translator:
    """Raises ValueError and KeyError for a description of unknown origin."""
    return Translator(
        generator=generator,
        source_style=data.text("source_style"),
        target_style=data.text("target_style"),
        credits=data.text("credits"),
        licence=licence,
        pixel_size_m=None if data["pixel_size_m"] is None else data.number("pixel_size_m", *PIXEL_SIZE_M),
        training={**training, "size_px": JsonObject(dict(training)).whole("size_px", 1, _LARGEST_PX)},
    )
