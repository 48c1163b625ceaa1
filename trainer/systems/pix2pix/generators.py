"""The generators of pix2pix, by the word of the configuration, and how they translate whole pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from terrainpaint.models.look import CELL_PX, LookNetwork
from trainer.networks.picture_norm import PictureBatchNorm
from trainer.networks.pix2pix_shapes import UNetShape
from trainer.networks.unet import UNet
from trainer.systems.pix2pix.config import Pix2pixConfig

UNET, LOOK = "pix2pix-unet", "look-unet"
"""Names of the networks in checkpoints and weights files."""


def generator_of(config: Pix2pixConfig) -> UNet | LookNetwork:
    """A generator with random weights. Raises TrainingError for a local network that would read too far."""
    return LookNetwork(config.look_config) if config.generator == "local" else UNet(config.unet_shape)


def margin_of(generator: nn.Module) -> int:
    """By how many pixels the input of a generator is larger than its output on each side."""
    return generator.reach_px if isinstance(generator, LookNetwork) else 0


def multiple_of(generator: nn.Module) -> int:
    """What the sides of the output are multiples of."""
    return 1 << generator.shape.levels if isinstance(generator, UNet) else CELL_PX


def bytes_of_a_pixel(generator: UNet | LookNetwork) -> int:
    """About how much memory a pixel of a picture takes while it is translated, rather more than less."""
    widest = max(generator.config.widths) if isinstance(generator, LookNetwork) else generator.shape.width
    return 64 + 16 * widest


def described(generator: UNet | LookNetwork) -> dict[str, Any]:
    """`name` and `config` of a generator."""
    if isinstance(generator, LookNetwork):
        return {"name": LOOK, "config": asdict(generator.config)}
    return {"name": UNET, "config": asdict(generator.shape)}


def generator_from(network: Mapping[str, Any]) -> UNet | LookNetwork:
    """A generator with random weights from the result of `described`, of unknown origin.

    Raises TrainingError and ValueError for a configuration out of range, KeyError and TypeError for another one.
    """
    config = network["config"]
    if network["name"] == LOOK:
        limits = Pix2pixConfig(generator="local", look_widths=tuple(config["widths"]),
                               look_blocks=tuple(config["blocks"]))  # fmt: skip
        return LookNetwork(limits.look_config)
    if network["name"] != UNET:
        raise ValueError("an unknown network")
    shape = UNetShape(**config)
    Pix2pixConfig(size_px=shape.size_px, width=shape.width, norm=shape.norm, dropout=shape.dropout, field=1)
    return UNet(shape)


@torch.no_grad()
def translate(
    generator: nn.Module, source: Tensor, seed: int = 0, dropout: bool = True, statistics: str = "picture"
) -> Tensor:
    """(N, 3, H + 2m, W + 2m) in -1..1, any sizes, → (N, 3, H, W) in -1..1, float32; m is the generator's margin.

    Each picture by itself: its result does not depend on the others. `dropout` leaves out the same features of each,
    drawn from `seed`; `statistics` are those of a batch norm, "picture" or "collected".
    """
    margin, multiple = margin_of(generator), multiple_of(generator)
    height, width = (side - 2 * margin for side in source.shape[2:])
    missing = -height % multiple, -width % multiple
    padded = F.pad(source, (0, missing[1], 0, missing[0]), mode="replicate") if any(missing) else source
    results = []
    with _as_evaluated(generator, dropout, statistics):
        for picture in torch.split(padded, 1):
            with torch.random.fork_rng([source.device] if source.is_cuda else []):
                torch.manual_seed(seed)
                results.append(generator(picture).float()[:, :, :height, :width])
    return torch.cat(results)


@contextmanager
def _as_evaluated(generator: nn.Module, dropout: bool, statistics: str) -> Iterator[None]:
    is_training = generator.training
    generator.eval()
    for module in generator.modules():
        if isinstance(module, nn.Dropout):
            module.train(dropout)
        elif isinstance(module, PictureBatchNorm):
            module.uses_collected = statistics == "collected"
    yield
    generator.train(is_training)
