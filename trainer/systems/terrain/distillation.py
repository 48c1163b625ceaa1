"""Distillation: a narrower generator learns to give what a trained one gives.

The narrow generator begins as a part of the wide one that is fitted to it; then it imitates it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from terrainpaint.core.progress import Progress, no_progress
from terrainpaint.errors import TrainingError
from terrainpaint.models.devices import keep_freed_memory
from terrainpaint.models.spade_local import SpadeLocal
from terrainpaint.models.weights import Weights, WeightsHeader
from trainer.data.tile_set import TileSet
from trainer.systems.terrain.config import TerrainConfig
from trainer.systems.terrain.imitation import ImitationOptions, Inputs, compared_outputs, imitate
from trainer.systems.terrain.narrowing import (
    Narrowed,
    check_widths,
    kept_outputs,
    level_outputs,
    narrowed,
    watched,
)
from trainer.systems.terrain.retraining_crops import RetrainingCrops

_SIMPLE_MAPS = 0.4
_EXAMPLES = 8
"""Batches that the convolutions are fitted to at the start."""
_FEATURE_WEIGHT = 0.1
"""For each layer that ends a level."""


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
    options: ImitationOptions,
    report: Report = lambda images, distances, distilled: None,
    progress: Progress = no_progress,
) -> Distilled:
    """A generator with `widths` channels in its levels, trained to give what that of `teacher` gives, on the device of
    its weights.

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
    config = TerrainConfig(crop_px=options.crop_px, simple_maps=_SIMPLE_MAPS)
    crops = RetrainingCrops(teacher, tiles, options.batch, config)

    def inputs(images: int) -> Inputs:
        return Inputs(crops.adapter, crops.draw(images))

    narrow = narrowed(wide, widths, [inputs(index * options.batch) for index in range(_EXAMPLES)])

    def distilled(steps: int, averaged: SpadeLocal) -> Distilled:
        facts = {"from_widths": list(wide.config.widths), **options.facts(steps)}
        header = teacher.header.trained_further("narrowed", facts)
        return Distilled(replace(header, config=narrow.network.config), averaged)

    averaged = imitate(
        narrow.network,
        lambda images: _compared(wide, narrow, inputs(images)),
        options,
        lambda images, distances, averaged: report(images, distances, distilled(images // options.batch, averaged)),
        progress,
    )
    return distilled(options.steps, averaged)


def _compared(wide: SpadeLocal, narrow: Narrowed, inputs: Inputs) -> tuple[Tensor, dict[str, float]]:
    """The loss of the outputs and of the features of each level, and the distances that people read."""
    student = narrow.network
    names = [name for level in range(len(narrow.kept)) for name in level_outputs(wide, level)]
    with watched(wide, names) as expected, watched(student, names) as seen:
        with torch.no_grad():
            wanted = inputs(wide)
        given = inputs(student)
    features = [_feature_difference(seen[name][1], expected[name][1][:, kept_outputs(narrow.kept, name)])
                for name in names]  # fmt: skip
    loss, distances = compared_outputs(given, wanted, wide)
    return loss + _FEATURE_WEIGHT * torch.stack(features).sum(), distances


def _feature_difference(given: Tensor, wanted: Tensor) -> Tensor:
    """L1 in deviations of each channel."""
    wanted = wanted.float()
    deviation = wanted.std(dim=(0, 2, 3), keepdim=True) + 1e-3
    return ((given.float() - wanted) / deviation).abs().mean()
