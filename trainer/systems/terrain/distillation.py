"""Distillation: a narrower generator learns to give what a trained one gives, for the same maps, noise and styles.

Noise comes from coordinates, so the outputs can be compared pixel by pixel, and no discriminator is needed. The narrow
generator begins as a part of the wide one that is fitted to it, so a few thousand crops are enough.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from terrainpaint.core.progress import Progress, no_progress
from terrainpaint.errors import TrainingError
from terrainpaint.models.devices import keep_freed_memory
from terrainpaint.models.spade_local import SpadeLocal
from terrainpaint.models.weights import Weights, WeightsHeader
from trainer.data.tile_set import TRAIN, TileSet
from trainer.loop.optimisation import FusedAdam, update_average
from trainer.loop.precision import autocast
from trainer.systems.terrain.adapters import Adapter, TerrainNetworks, measure_known_styles
from trainer.systems.terrain.batch import TerrainBatch, draw_batch
from trainer.systems.terrain.build import ADAPTERS
from trainer.systems.terrain.config import TerrainConfig
from trainer.systems.terrain.narrowing import (
    Narrowed,
    check_widths,
    kept_outputs,
    level_outputs,
    narrowed,
    watched,
)
from trainer.systems.terrain.power import LEAST_LIGHTNESS, LEAST_M, power_difference
from trainer.systems.terrain.terrain_crops import CropSource

_SIMPLE_MAPS = 0.4
_EXAMPLES = 8
"""Batches that the convolutions are fitted to at the start."""
_BETAS = (0.9, 0.999)
_WARMUP_STEPS, _FINAL_RATE = 200, 0.02
"""The rate rises at first, since the first steps of Adam would undo the start; then it falls to this fraction."""
_AVERAGED = 0.05
"""Half-life of the averaged weights, as a fraction of the steps so far."""
_COLOUR_WEIGHT, _ELEVATION_WEIGHT, _SLOPE_WEIGHT, _POWER_WEIGHT = 10.0, 20.0, 100.0, 0.5
"""Typical differences are 0.01 of colours and of encoded elevations, and 0.005 of the slopes of these."""
_FEATURE_WEIGHT = 0.1
"""For each layer that ends a level."""
_REPORTED_STEPS = 25


@dataclass(frozen=True)
class Distilled:
    """The averaged weights of a generator after some of its training, and the header of their file."""

    header: WeightsHeader
    generator: SpadeLocal


Report = Callable[[int, dict[str, float], Distilled], None]
"""Called with the number of images, the mean distances from the teacher since the last call, and what there is."""


def distil(
    teacher: Weights,
    tiles: TileSet,
    widths: Sequence[int],
    images: int,
    batch: int = 4,
    rate: float = 1e-4,
    crop_px: int = 192,
    report: Report = lambda images, distances, distilled: None,
    progress: Progress = no_progress,
) -> Distilled:
    """A generator with `widths` channels in its levels, trained on `images` crops to give what that of `teacher` gives,
    on the device of its weights.

    Raises TrainingError for another network, for widths that are not narrower, and for tiles that terrain cannot be
    trained on.
    """
    wide = teacher.generator
    if not isinstance(wide, SpadeLocal):
        raise TrainingError(
            f"Only weights of spade-local and spade-guided can be narrowed, not {teacher.header.network}."
        )
    check_widths(wide, widths)
    keep_freed_memory()
    device = next(wide.parameters()).device
    torch.manual_seed(0)
    random = torch.Generator().manual_seed(1)
    config = TerrainConfig(crop_px=crop_px, simple_maps=_SIMPLE_MAPS)
    adapter = ADAPTERS[teacher.header.network](TerrainNetworks(wide, teacher.shadow), tiles.pixel_size_m)
    source = CropSource(tiles.subset(TRAIN), wide, crop_px, device, simple_maps=_SIMPLE_MAPS)
    measure_known_styles(adapter, source)

    def crops(images: int) -> _Crops:
        return _Crops(adapter, draw_batch(adapter, source, config, batch, 0, random, images, slice(0, batch)))

    narrow = narrowed(wide, widths, [crops(index * batch) for index in range(_EXAMPLES)])
    student = narrow.network.requires_grad_(True)
    trained = nn.ModuleDict({"generator": student})
    generator = copy.deepcopy(student).requires_grad_(False)
    averaged = nn.ModuleDict({"generator": generator})

    def distilled(images: int) -> Distilled:
        about = {"from_widths": list(wide.config.widths), "images": images, "batch": batch, "rate": rate,
                 "crop_px": crop_px}  # fmt: skip
        training = {**(teacher.header.training or {}), "narrowed": about}
        return Distilled(replace(teacher.header, config=student.config, training=training), generator)

    optimizer = FusedAdam(list(student.parameters()), rate, _BETAS, device)
    steps = -(-images // batch)
    seen: list[dict[str, float]] = []
    for step in range(steps):
        progress(step / steps)
        for group in optimizer.param_groups:
            group["lr"] = rate * _rate_factor(step, steps)
        loss, distances = _compared(wide, narrow, crops(step * batch))
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        update_average(averaged, trained, 1 / max(1.0, _AVERAGED * step))
        seen.append(distances)
        if (step + 1) % _REPORTED_STEPS == 0 or step + 1 == steps:
            means = {name: sum(each[name] for each in seen) / len(seen) for name in distances}
            report((step + 1) * batch, means, distilled((step + 1) * batch))
            seen = []
    progress(1.0)
    return distilled(steps * batch)


class _Crops:
    """Crops with all that is random about them, for one network and another."""

    def __init__(self, adapter: Adapter, batch: TerrainBatch) -> None:
        self._adapter, self._batch = adapter, batch

    def __call__(self, network: SpadeLocal) -> Tensor:
        """(N, 4, C + 3, C + 3) float32: albedo in 0..1 and encoded elevation."""
        batch = self._batch
        networks = replace(self._adapter.networks, generator=network)
        with autocast("auto", batch.crops.texture.device):
            return self._adapter.generate(networks, batch.crops, batch.seeds, batch.style).float()


def _compared(wide: SpadeLocal, narrow: Narrowed, crops: _Crops) -> tuple[Tensor, dict[str, float]]:
    """The loss, and the distances that people read."""
    student = narrow.network
    names = [name for level in range(len(narrow.kept)) for name in level_outputs(wide, level)]
    with watched(wide, names) as expected, watched(student, names) as seen:
        with torch.no_grad():
            wanted = crops(wide)
        given = crops(student)
    features = [_feature_difference(seen[name][1], expected[name][1][:, kept_outputs(narrow.kept, name)])
                for name in names]  # fmt: skip
    colour, elevation = ((given[:, part] - wanted[:, part]).abs().mean() for part in (slice(0, 3), slice(3, 4)))
    slopes, wanted_slopes = (_slopes(each[:, 3:]) for each in (given, wanted))
    height, wanted_height = (wide.decode_elevation(each[:, 3:]) for each in (given, wanted))
    light, wanted_light = (255 * each[:, :3].mean(dim=1, keepdim=True) for each in (given, wanted))
    power = power_difference(height, wanted_height, LEAST_M) + power_difference(light, wanted_light, LEAST_LIGHTNESS)
    loss = (
        _COLOUR_WEIGHT * colour
        + _ELEVATION_WEIGHT * elevation
        + _SLOPE_WEIGHT * (slopes - wanted_slopes).abs().mean()
        + _POWER_WEIGHT * power
        + _FEATURE_WEIGHT * torch.stack(features).sum()
    )
    distances = {
        "colour of 255": 255 * colour,
        "height in m": (height - wanted_height).abs().mean(),
        "power of slopes": slopes.square().mean() / wanted_slopes.square().mean().clamp(min=1e-12),
    }
    return loss, {name: float(value.detach()) for name, value in distances.items()}


def _feature_difference(given: Tensor, wanted: Tensor) -> Tensor:
    """L1 in deviations of each channel."""
    wanted = wanted.float()
    deviation = wanted.std(dim=(0, 2, 3), keepdim=True) + 1e-3
    return ((given.float() - wanted) / deviation).abs().mean()


def _slopes(code: Tensor) -> Tensor:
    """(N, 2, H - 1, W - 1): differences from the pixels below and to the right."""
    here = code[..., :-1, :-1]
    return torch.cat([code[..., 1:, :-1] - here, code[..., :-1, 1:] - here], dim=1)


def _rate_factor(step: int, steps: int) -> float:
    """A short rise, and a cosine from 1 to `_FINAL_RATE`."""
    falling = _FINAL_RATE + (1 - _FINAL_RATE) * (1 + math.cos(math.pi * step / steps)) / 2
    return min(1.0, (step + 1) / _WARMUP_STEPS) * falling
