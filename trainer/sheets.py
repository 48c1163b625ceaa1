"""Sample sheets: what the generator makes of fixed crops, beside the real land."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from terrainpaint.core.classes import PALETTE
from terrainpaint.core.shading import hillshade
from terrainpaint.models.noise import seeded
from terrainpaint.models.shadow import ShadowGenerator, shaded
from terrainpaint.models.spade_local import SpadeLocal
from trainer.crops import Crops

HEIGHT_WHITE_M = 4500.0


def sample_sheet(
    generator: SpadeLocal, shadow: ShadowGenerator, crops: Crops, style: Tensor, seeds: list[int], pixel_size_m: float
) -> NDArray[np.uint8]:
    """(8 * S, N * S, 3) uint8: map; terrain, height and hillshade of the real crop; terrain, albedo, height, hillshade.

    Heights are grey by their square root, white at 4,500 m.
    """
    with torch.inference_mode():
        albedo, code = generator(crops.ids, crops.window, seeded(seeds), style)
        height = generator.height(code)
        terrain = shaded(albedo[:, :, 1:-2, 1:-2], shadow(height, pixel_size_m))
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
