"""Sample sheets: what the generator makes of fixed crops, beside the real land."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from terrainpaint.core.classes import PALETTE
from terrainpaint.core.shading import hillshade
from terrainpaint.models.noise import seeded
from trainer.averaging import Averaged
from trainer.crops import Crops, CropSource
from trainer.held_out import patch_distance
from trainer.systems import Networks, System, one_hot

HEIGHT_WHITE_M = 4500.0


SHEET_TILES = 10


class Samples:
    """Fixed crops, styles and seeds, on which a run shows from time to time what it has learned."""

    def __init__(self, system: System, source: CropSource) -> None:
        self._system = system
        self._crops = source.draw(SHEET_TILES, torch.Generator().manual_seed(1))
        self._style = system.style(self._crops, 0.0, torch.Generator().manual_seed(1), SHEET_TILES, slice(None))

    def sheet(self, averaged: Averaged) -> NDArray[np.uint8]:
        """(8 * S, N * S, 3) uint8; see `sample_sheet`."""
        return sample_sheet(averaged, self._crops, self._style, list(range(SHEET_TILES)), self._system.pixel_size_m)

    @torch.no_grad()
    def distance(self, averaged: Averaged) -> float:
        """How far what is made of the crops is from the real ones; see `patch_distance`."""
        networks = Networks(averaged.generator, averaged.shadow)
        made = self._system.make(networks, self._crops, list(range(SHEET_TILES)), self._style)
        shares = one_hot(self._crops.labels)
        shown = (
            self._system.seen(networks, made, shares).shown,
            self._system.real(self._crops, self._crops.height, shares),
        )
        return patch_distance(shown[0][:, :4], shown[1][:, :4])


def sample_sheet(
    averaged: Averaged, crops: Crops, style: Tensor, seeds: list[int], pixel_size_m: float
) -> NDArray[np.uint8]:
    """(8 * S, N * S, 3) uint8: map; terrain, height and hillshade of the real crop; terrain, albedo, height, hillshade.

    Heights are grey by their square root, white at 4,500 m.
    """
    with torch.inference_mode():
        albedo, code = averaged.generator(crops.ids, crops.window, seeded(seeds), style)
        height = averaged.generator.height(code)
        terrain = averaged.shadow.shade(albedo[:, :, 1:-2, 1:-2], height, code, pixel_size_m)
    columns = []
    for index in range(len(crops.texture)):
        made, real = height[index, 0, 1:-2, 1:-2], crops.height[index, 0, 1:-2, 1:-2]
        columns.append(
            np.vstack(
                [
                    PALETTE[crops.labels[index, 1:-2, 1:-2].cpu().numpy()],
                    _colour(crops.texture[index, :, 1:-2, 1:-2]),
                    _height(real),
                    _relief(real, pixel_size_m),
                    _colour(terrain[index]),
                    _colour(albedo[index, :, 1:-2, 1:-2]),
                    _height(made),
                    _relief(made, pixel_size_m),
                ]
            )
        )
    return np.hstack(columns)


def _colour(picture: Tensor) -> NDArray[np.uint8]:
    return (picture.float().clamp(0, 1) * 255).round().byte().movedim(0, -1).cpu().numpy()


def _height(height: Tensor) -> NDArray[np.uint8]:
    return _grey((height.clamp(min=0) / HEIGHT_WHITE_M).sqrt().cpu().numpy())


def _relief(height: Tensor, pixel_size_m: float) -> NDArray[np.uint8]:
    return _grey(hillshade(height.float().cpu().numpy(), pixel_size_m, exaggeration=4))


def _grey(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.repeat((np.clip(values, 0, 1) * 255).round().astype(np.uint8)[:, :, None], 3, axis=2)
