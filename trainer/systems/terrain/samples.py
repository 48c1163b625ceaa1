"""Sample grids of terrain: what the generator makes of fixed crops, under the real land."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from terrainpaint.core.classes import PALETTE
from terrainpaint.core.shading import hillshade
from terrainpaint.models.noise import seeded
from terrainpaint.models.shadow import INNER
from terrainpaint.models.spade_guided import SpadeGuided
from trainer.metrics.sliced_wasserstein import patch_distance
from trainer.systems.terrain.adapters import Adapter, TerrainNetworks, one_hot_of
from trainer.systems.terrain.crop_guides import guide_of_program
from trainer.systems.terrain.terrain_crops import Crops, CropSource

_HEIGHT_WHITE_M = 4500.0
_GRID_COLUMNS = 10


class Samples:
    """Fixed crops, styles and seeds, which show the progress of a run."""

    def __init__(self, adapter: Adapter, source: CropSource) -> None:
        self._adapter = adapter
        self._crops = source.draw(_GRID_COLUMNS, torch.Generator().manual_seed(1))
        self._style = adapter.style(self._crops, 0.0, torch.Generator().manual_seed(1), _GRID_COLUMNS, slice(None))

    def grid(self, networks: TerrainNetworks) -> NDArray[np.uint8]:
        """(8 * S, N * S, 3) uint8; see `terrain_grid`."""
        return terrain_grid(networks, self._crops, self._style, list(range(_GRID_COLUMNS)), self._adapter.pixel_size_m)

    @torch.no_grad()
    def distance(self, networks: TerrainNetworks) -> float:
        """Sliced Wasserstein distance of the generated crops from the real ones; see `patch_distance`."""
        generated = self._adapter.generate(networks, self._crops, list(range(_GRID_COLUMNS)), self._style)
        one_hot = one_hot_of(self._crops.labels)
        fake = self._adapter.shaded(networks, generated, one_hot).picture
        real = self._adapter.real(self._crops, self._crops.height, one_hot)
        return patch_distance(fake[:, :4], real[:, :4])


class MeasuredCrops:
    """Crops of held-out land, always the same, as real pictures and as generated ones; some are in memory at once."""

    def __init__(self, adapter: Adapter, source: CropSource) -> None:
        self._adapter, self._source = adapter, source

    def real(self, count: int) -> NDArray[np.uint8]:
        """(`count`, C, C, 3) uint8: the real land."""
        return np.stack([_colour(texture[:, INNER, INNER])
                         for first in range(0, count, _GRID_COLUMNS)
                         for texture in self._crops(first)[0].texture][:count])  # fmt: skip

    def generated(self, networks: TerrainNetworks, count: int) -> NDArray[np.uint8]:
        """(`count`, C, C, 3) uint8: what is generated from the maps of the same crops, shaded."""
        pictures: list[NDArray[np.uint8]] = []
        for first in range(0, count, _GRID_COLUMNS):
            crops, style = self._crops(first)
            seeds = list(range(first, first + _GRID_COLUMNS))
            terrain = _generated(networks, crops, style, seeds, self._adapter.pixel_size_m)[2]
            pictures += [_colour(each) for each in terrain]
        return np.stack(pictures[:count])

    def _crops(self, first: int) -> tuple[Crops, Tensor]:
        random = torch.Generator().manual_seed(1000 + first)
        crops = self._source.draw(_GRID_COLUMNS, random)
        return crops, self._adapter.style(crops, 0.0, random, _GRID_COLUMNS, slice(None))


def terrain_grid(
    networks: TerrainNetworks, crops: Crops, style: Tensor, seeds: list[int], pixel_size_m: float
) -> NDArray[np.uint8]:
    """(8 * S, N * S, 3) uint8, a column for each crop: the map; terrain, height and hillshade of the real crop;
    terrain, albedo, height and hillshade of the generated one.

    Heights are grey by their square root, white at 4,500 m.
    """
    albedo, height, terrain = _generated(networks, crops, style, seeds, pixel_size_m)
    columns = []
    for index in range(len(crops.texture)):
        fake, real = height[index, 0, INNER, INNER], crops.height[index, 0, INNER, INNER]
        columns.append(
            np.vstack(
                [
                    PALETTE[crops.labels[index, INNER, INNER].cpu().numpy()],
                    _colour(crops.texture[index, :, INNER, INNER]),
                    _height(real),
                    _relief(real, pixel_size_m),
                    _colour(terrain[index]),
                    _colour(albedo[index, :, INNER, INNER]),
                    _height(fake),
                    _relief(fake, pixel_size_m),
                ]
            )
        )
    return np.hstack(columns)


@torch.inference_mode()
def _generated(
    networks: TerrainNetworks, crops: Crops, style: Tensor, seeds: list[int], pixel_size_m: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Albedo (N, 3, C + 3, C + 3), height (N, 1, C + 3, C + 3) and shaded terrain (N, 3, C, C) of crops."""
    guides: tuple[Tensor, ...] = ()
    if isinstance(networks.generator, SpadeGuided):
        guides = (guide_of_program(networks.generator, seeds, crops.ids, crops.window),)
    albedo, code = networks.generator(crops.ids, crops.window, seeded(seeds), style, *guides)
    height = networks.generator.decode_elevation(code)
    return albedo, height, networks.shadow.shade(albedo[:, :, INNER, INNER], height, code, pixel_size_m)


def _colour(picture: Tensor) -> NDArray[np.uint8]:
    return (picture.float().clamp(0, 1) * 255).round().byte().movedim(0, -1).cpu().numpy()


def _height(height: Tensor) -> NDArray[np.uint8]:
    return _grey((height.clamp(min=0) / _HEIGHT_WHITE_M).sqrt().cpu().numpy())


def _relief(height: Tensor, pixel_size_m: float) -> NDArray[np.uint8]:
    return _grey(hillshade(height.float().cpu().numpy(), pixel_size_m, exaggeration=4))


def _grey(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.repeat((np.clip(values, 0, 1) * 255).round().astype(np.uint8)[:, :, None], 3, axis=2)
