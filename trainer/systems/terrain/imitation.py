"""Imitation: a generator learns to give what another one gives, for the same maps and noise.

Noise comes from coordinates, so the outputs can be compared pixel by pixel, and no discriminator is needed. A generator
that begins near the other one needs a few thousand crops.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from terrainpaint.core.progress import Progress, no_progress
from terrainpaint.models.devices import keep_freed_memory
from terrainpaint.models.spade_local import SpadeLocal
from terrainpaint.models.terrain_generator import TerrainGenerator
from trainer.loop.optimisation import FusedAdam, update_average
from trainer.loop.precision import autocast
from trainer.systems.terrain.adapters import Adapter
from trainer.systems.terrain.batch import TerrainBatch
from trainer.systems.terrain.power import LEAST_LIGHTNESS, LEAST_M, power_difference

_BETAS = (0.9, 0.999)
_WARMUP_STEPS, _FINAL_RATE = 200, 0.02
"""The rate rises at first, since the first steps of Adam would undo the start; then it falls to this fraction."""
_AVERAGED = 0.05
"""Half-life of the averaged weights, as a fraction of the steps so far."""
_COLOUR_WEIGHT, _ELEVATION_WEIGHT, _SLOPE_WEIGHT, _POWER_WEIGHT = 10.0, 20.0, 100.0, 0.5
"""Typical differences are 0.01 of colours and of encoded elevations, and 0.005 of the slopes of these."""
_REPORTED_STEPS = 25

Compare = Callable[[int], tuple[Tensor, dict[str, float]]]
"""The number of crops before a step → its loss, and the distances that people read."""
Report = Callable[[int, dict[str, float], SpadeLocal], None]
"""Called with the number of crops, the mean distances since the last call, and the averaged generator."""


@dataclass(frozen=True)
class ImitationOptions:
    """What a generator learns from: at least `images` crops with sides of `crop_px`, `batch` in a step. `rate` is the
    learning rate after its rise."""

    images: int
    rate: float
    batch: int = 4
    crop_px: int = 192

    @property
    def steps(self) -> int:
        """Number of steps."""
        return -(-self.images // self.batch)

    def facts(self, steps: int) -> dict[str, object]:
        """What the header of the weights tells about the first `steps`."""
        return {"images": steps * self.batch, "batch": self.batch, "rate": self.rate, "crop_px": self.crop_px}


def imitate(
    student: SpadeLocal,
    compare: Compare,
    options: ImitationOptions,
    report: Report = lambda images, distances, averaged: None,
    progress: Progress = no_progress,
) -> SpadeLocal:
    """Train `student`. Returns the average of its weights, a copy."""
    keep_freed_memory()
    student.requires_grad_(True)
    trained = nn.ModuleDict({"generator": student})
    averaged = copy.deepcopy(student).requires_grad_(False)
    averages = nn.ModuleDict({"generator": averaged})
    optimizer = FusedAdam(list(student.parameters()), options.rate, _BETAS, next(student.parameters()).device)
    steps = options.steps
    seen: list[dict[str, float]] = []
    for step in range(steps):
        progress(step / steps)
        for group in optimizer.param_groups:
            group["lr"] = options.rate * _rate_factor(step, steps)
        loss, distances = compare(step * options.batch)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        update_average(averages, trained, 1 / max(1.0, _AVERAGED * step))
        seen.append(distances)
        if (step + 1) % _REPORTED_STEPS == 0 or step + 1 == steps:
            means = {name: sum(each[name] for each in seen) / len(seen) for name in distances}
            report((step + 1) * options.batch, means, averaged)
            seen = []
    progress(1.0)
    return averaged


class Inputs:
    """Crops with all that is random about them, for one network and another."""

    def __init__(self, adapter: Adapter, batch: TerrainBatch) -> None:
        self._adapter, self._batch = adapter, batch

    def __call__(self, network: TerrainGenerator, style: Tensor | None = None) -> Tensor:
        """(N, 4, C + 3, C + 3) float32: albedo in 0..1 and encoded elevation; `style` in place of that of the crops."""
        batch = self._batch
        networks = replace(self._adapter.networks, generator=network)
        with autocast("auto", batch.crops.texture.device):
            generated = self._adapter.generate(
                networks, batch.crops, batch.seeds, batch.style if style is None else style
            )
        return generated.float()


def compared_outputs(given: Tensor, wanted: Tensor, network: SpadeLocal) -> tuple[Tensor, dict[str, float]]:
    """The loss of outputs of `Inputs`, and the distances that people read."""
    colour, elevation = ((given[:, part] - wanted[:, part]).abs().mean() for part in (slice(0, 3), slice(3, 4)))
    slopes, wanted_slopes = (_slopes(each[:, 3:]) for each in (given, wanted))
    height, wanted_height = (network.decode_elevation(each[:, 3:]) for each in (given, wanted))
    light, wanted_light = (255 * each[:, :3].mean(dim=1, keepdim=True) for each in (given, wanted))
    power = power_difference(height, wanted_height, LEAST_M) + power_difference(light, wanted_light, LEAST_LIGHTNESS)
    loss = (
        _COLOUR_WEIGHT * colour
        + _ELEVATION_WEIGHT * elevation
        + _SLOPE_WEIGHT * (slopes - wanted_slopes).abs().mean()
        + _POWER_WEIGHT * power
    )
    distances = {
        "colour of 255": 255 * colour,
        "height in m": (height - wanted_height).abs().mean(),
        "power of slopes": slopes.square().mean() / wanted_slopes.square().mean().clamp(min=1e-12),
    }
    return loss, {name: float(value.detach()) for name, value in distances.items()}


def _slopes(code: Tensor) -> Tensor:
    """(N, 2, H - 1, W - 1): differences from the pixels below and to the right."""
    here = code[..., :-1, :-1]
    return torch.cat([code[..., 1:, :-1] - here, code[..., :-1, 1:] - here], dim=1)


def _rate_factor(step: int, steps: int) -> float:
    """A short rise, and a cosine from 1 to `_FINAL_RATE`."""
    falling = _FINAL_RATE + (1 - _FINAL_RATE) * (1 + math.cos(math.pi * step / steps)) / 2
    return min(1.0, (step + 1) / _WARMUP_STEPS) * falling
