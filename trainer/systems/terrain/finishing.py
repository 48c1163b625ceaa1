"""Correct the finest detail of trained weights: remove the mesh of 2 px, and match the power spectrum of heights.

The phases of the last layer are aligned first. Then only the last two layers are trained, without a discriminator:
heights towards the power and the relief of real land, colours towards those of the aligned weights. Detail coarser than
8 px stays close to what it was. Where asked for, colours too are trained towards the power of real pictures, in squares
of the same ground: texture gets its strength, and open sea, which has little in pictures, loses what it had too much.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from terrainpaint.core.progress import Progress, no_progress
from terrainpaint.errors import TrainingError
from terrainpaint.models.devices import keep_freed_memory
from terrainpaint.models.shadow import INNER
from terrainpaint.models.spade_local import SpadeLocal
from terrainpaint.models.weights import Weights, WeightsHeader
from trainer.data.tile_set import TileSet
from trainer.loop.precision import autocast
from trainer.systems.terrain.adapters import Adapter, one_hot_of
from trainer.systems.terrain.batch import TerrainBatch
from trainer.systems.terrain.config import TerrainConfig
from trainer.systems.terrain.losses import relief_energy, shading_leak
from trainer.systems.terrain.phases import COLOURS, HEIGHT, align_phases
from trainer.systems.terrain.power import LEAST_LIGHTNESS, LEAST_M, power_difference
from trainer.systems.terrain.retraining_crops import RetrainingCrops

_BATCH = 6
_CPU = torch.device("cpu")
_POWER_WEIGHT, _RELIEF_WEIGHT, _COLOUR_WEIGHT = 5.0, 2.0, 100.0
_FREE_COLOUR_WEIGHT, _COLOUR_AREA_PX = 10.0, 8
"""Where the power of colours is trained too: the weight of each pixel's colour, and the side of areas that keep it."""
_MEAN_WEIGHTS = ((2, 1.0), (4, 20.0))
"""Sides in px of the areas whose mean encoded elevation is held, and the weight of each."""
_BETAS = (0.5, 0.99)
_LONGEST_MEMORY = 0.98
"""Largest weight of the past in the averaged weights."""
_REPORTED_STEPS = 25

Report = Callable[[int, dict[str, float]], None]
"""Called with the number of steps and the means of the losses since the last call."""


def finish(
    weights: Weights,
    tiles: TileSet,
    ramps: float,
    steps: int,
    rate: float = 3e-4,
    crop_px: int = 192,
    colour_power: float = 0.0,
    leak: float = 0.0,
    report: Report = lambda steps, losses: None,
    progress: Progress = no_progress,
) -> WeightsHeader:
    """Train the last two layers of `weights.generator` in place, on the CPU. Returns the header that says so.

    `ramps` is that of `align_phases` for the colours, `colour_power` the weight of the loss on their power,
    `leak` that of the correlation of their lightness with slopes.
    Raises TrainingError for a network without these layers, and for tiles that terrain cannot be trained on.
    """
    network = weights.generator
    if not isinstance(network, SpadeLocal):
        raise TrainingError(
            f"Only weights of spade-local and spade-guided can be finished, not {weights.header.network}."
        )
    keep_freed_memory()
    crops = RetrainingCrops(weights, tiles, _BATCH, TerrainConfig(crop_px=crop_px, simple_maps=0.2))
    network.requires_grad_(False)
    weights.shadow.requires_grad_(False)

    align_phases(network.head_out, ramps)
    head = _Head(network)
    trained = [*network.head_in.parameters(), *network.head_out.parameters()]
    averaged = [parameter.detach().clone() for parameter in trained]
    optimizer = torch.optim.Adam(trained, rate, betas=_BETAS)
    sums: dict[str, float] = {}
    for step in range(steps):
        progress(step / steps)
        for group in optimizer.param_groups:
            group["lr"] = rate * _rate_factor(step / steps)
        terms = _terms(crops.adapter, crops.draw(step * _BATCH), head, colour_power, leak)
        optimizer.zero_grad()
        torch.autograd.backward(torch.stack([weight * value for weight, value in terms.values()]).sum())
        optimizer.step()
        align_phases(network.head_out, outputs=HEIGHT)
        if colour_power:
            align_phases(network.head_out, ramps=0, outputs=COLOURS)
        factor = 1 - min(_LONGEST_MEMORY, (step + 1) / (step + 10))
        for mean, parameter in zip(averaged, trained, strict=True):
            mean.lerp_(parameter.detach(), factor)
        for name, (_, value) in terms.items():
            sums[name] = sums.get(name, 0.0) + float(value.detach()) / _REPORTED_STEPS
        if (step + 1) % _REPORTED_STEPS == 0:
            report(step + 1, sums)
            sums = {}
    head.detach()
    with torch.no_grad():
        for mean, parameter in zip(averaged, trained, strict=True):
            parameter.copy_(mean)
    align_phases(network.head_out, outputs=HEIGHT)
    network.requires_grad_(False)
    progress(1.0)
    finished = {"ramps": ramps, "steps": steps, "rate": rate}
    if colour_power:
        finished["colour_power"] = colour_power
    if leak:
        finished["leak"] = leak
    return weights.header.trained_further("finished", finished)


class _Head:
    """The last two layers before training, for comparison with the present ones."""

    def __init__(self, network: SpadeLocal) -> None:
        self._first, self._second = copy.deepcopy(network.head_in), copy.deepcopy(network.head_out)
        for layer in (network.head_in, network.head_out):
            layer.requires_grad_(True)
        self._hooks = (
            network.head_in.register_forward_pre_hook(self._store_input),
            network.head_out.register_forward_hook(self._store_output),
        )

    def detach(self) -> None:
        """Stop watching the network."""
        for hook in self._hooks:
            hook.remove()

    def change(self) -> Tensor:
        """(N, 4, H, W): difference of the last output from that of the old layers, before the activation."""
        with torch.no_grad():
            with autocast("auto", _CPU):
                old = F.leaky_relu(self._first(self._input), 0.2)
            old = self._second(old.float())
        difference: Tensor = self._output - old
        return difference

    def _store_input(self, _layer: nn.Module, inputs: tuple[Tensor]) -> None:
        self._input = inputs[0]

    def _store_output(self, _layer: nn.Module, _inputs: tuple[Tensor], output: Tensor) -> None:
        self._output = output


def _terms(
    adapter: Adapter, batch: TerrainBatch, head: _Head, colour_power: float, leak: float
) -> dict[str, tuple[float, Tensor]]:
    """Name of a loss → its weight and value."""
    with autocast("auto", _CPU):
        generated = adapter.generate(adapter.networks, batch.crops, batch.seeds, batch.style)
        fake = adapter.shaded(adapter.networks, generated, one_hot_of(batch.crops.labels))
    height = fake.height
    real, change = batch.crops.height[:, :, INNER, INNER], head.change()
    colours: dict[str, tuple[float, Tensor]] = {"colour": (_COLOUR_WEIGHT, change[:, COLOURS].abs().mean())}
    if colour_power:
        picture = 127.5 * (1 + fake.picture[:, COLOURS].float().mean(dim=1, keepdim=True))
        photograph = 255 * batch.crops.texture[:, :, INNER, INNER].mean(dim=1, keepdim=True)
        wide = F.avg_pool2d(change[:, COLOURS], _COLOUR_AREA_PX)
        colours = {
            "colour": (_FREE_COLOUR_WEIGHT, change[:, COLOURS].abs().mean()),
            f"colour of {_COLOUR_AREA_PX} px": (_COLOUR_WEIGHT, wide.abs().mean()),
            "power of colours": (colour_power, power_difference(picture, photograph, LEAST_LIGHTNESS)),
        }
    if leak:
        lightness = adapter.lightness(fake.albedo)
        colours["leak"] = leak, shading_leak(lightness, height, adapter.pixel_size_m)
    return {
        "power": (_POWER_WEIGHT, power_difference(height, real, LEAST_M)),
        "relief": (_RELIEF_WEIGHT, relief_energy(height, real)),
        **colours,
        **{
            f"means of {side} px": (weight, F.avg_pool2d(change[:, 3:], side).abs().mean())
            for side, weight in _MEAN_WEIGHTS
        },
    }


def _rate_factor(done: float) -> float:
    """Factor of the learning rate: constant for the first half, then a cosine to 2 %."""
    return 1.0 if done < 0.5 else 0.02 + 0.98 * (1 + math.cos(math.pi * (2 * done - 1))) / 2
