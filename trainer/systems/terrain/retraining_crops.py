"""The crops that published weights are trained further on."""

from __future__ import annotations

import torch

from terrainpaint.models.weights import Weights
from trainer.data.tile_set import TRAIN, TileSet
from trainer.systems.terrain.adapters import TerrainNetworks, measure_known_styles
from trainer.systems.terrain.batch import TerrainBatch, draw_batch
from trainer.systems.terrain.build import ADAPTERS
from trainer.systems.terrain.config import TerrainConfig
from trainer.systems.terrain.terrain_crops import CropSource


class RetrainingCrops:
    """Batches of crops of the training tiles, on the device of the weights, with styles of the scale that these were
    trained with: the same ones whenever it is made.

    `adapter` is that of the weights. `config` has the side of the crops and what is random about them.
    """

    def __init__(self, weights: Weights, tiles: TileSet, batch: int, config: TerrainConfig) -> None:
        """Sets the state of torch's global random numbers, which the heights of crops are rounded by.

        Raises TrainingError for tiles that terrain cannot be trained on.
        """
        torch.manual_seed(0)
        self._random = torch.Generator().manual_seed(1)
        self._batch, self._config = batch, config
        generator = weights.generator
        device = next(generator.parameters()).device
        networks = TerrainNetworks(generator, weights.shadow)
        self.adapter = ADAPTERS[weights.header.network](networks, tiles.pixel_size_m)
        self._source = CropSource(
            tiles.subset(TRAIN), generator, config.crop_px, device, simple_maps=config.simple_maps
        )
        measure_known_styles(self.adapter, self._source)

    def draw(self, images: int) -> TerrainBatch:
        """The next batch; `images` were drawn for the steps before it, which decides the seeds of its noise."""
        return draw_batch(
            self.adapter, self._source, self._config, self._batch, 0, self._random, images, slice(0, self._batch)
        )
