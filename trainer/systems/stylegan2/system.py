"""StyleGAN2 as a system of the training loop."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from terrainpaint.errors import TrainingError
from terrainpaint.models.stylegan2 import latents_of
from trainer.data.epochs import shuffled_indices
from trainer.data.tile_set import TRAIN, VALIDATION, TileSet
from trainer.loop.config import RunConfig
from trainer.loop.distributed import World
from trainer.loop.system import Build, Losses
from trainer.metrics.sliced_wasserstein import patch_distance
from trainer.sampling.grid import picture_grid, to_uint8
from trainer.systems.style_training import GENERATOR, StyleBatch, StyleTraining, generated
from trainer.systems.stylegan2.config import COLOURS, Stylegan2Config
from trainer.systems.stylegan2.weights import load

FEWEST_PICTURES = 10
"""Fewer would be learned by heart within minutes."""
_SCORED = 256
"""Pictures whose patches are compared for the validation score, at most."""
_GRID_PX, _MOST_COLUMNS, _LEAST_COLUMNS = 2048, 8, 3


def stylegan2_build(tiles: TileSet, run: RunConfig, config: Stylegan2Config) -> Build:
    """How to create the system for a set of pictures.

    The function it returns raises TrainingError when the pictures are few or have another size.
    """

    def build(world: World, start: Path | None) -> Stylegan2System:
        return Stylegan2System(tiles, run, config, world, start)

    return build


class Stylegan2System:
    """The networks, losses and data of a StyleGAN2 run."""

    name = "stylegan2"
    ema = StyleTraining.ema

    def __init__(
        self, tiles: TileSet, run: RunConfig, config: Stylegan2Config, world: World, start: Path | None
    ) -> None:
        self.config, self._run, self._device = config, run, world.device
        self._training = StyleTraining(config, COLOURS, run, world)
        self.networks = self._training.networks
        if tiles.tile_px != config.size_px:
            raise TrainingError(f"The pictures have {tiles.tile_px} px and the networks {config.size_px} px; prepare "
                                f"the set with --tile {config.size_px}, or choose another size_px.")  # fmt: skip
        pictures = tiles.subset(TRAIN).texture
        if len(pictures) < FEWEST_PICTURES:
            raise TrainingError(
                f"The set has {len(pictures)} pictures for training, and StyleGAN2 needs at least {FEWEST_PICTURES}; "
                "prepare one of more pictures, or with more crops of each."
            )
        if start is not None:
            self._warm_start(start)
        self._pictures = torch.from_numpy(pictures).to(world.device)
        self._held_out = tiles.subset(VALIDATION).texture
        scored = self._held_out[:_SCORED] if len(self._held_out) else pictures[:_SCORED]
        self._scored = _to_tensor(torch.from_numpy(scored)).to(world.device)
        self._data = {"style": tiles.style, "credits": tiles.credits}

    @property
    def discriminator_interval(self) -> int:
        """Steps between gradient penalties."""
        return self._training.discriminator_interval

    @property
    def generator_interval(self) -> int:
        """Steps between path length regularisations."""
        return self._training.generator_interval

    def batch(self, random: torch.Generator, images: int, shard: slice) -> StyleBatch:
        """The next pictures of the epoch, with new random numbers."""
        batch = self._run.batch
        indices = shuffled_indices(len(self._pictures), images, batch, self._run.seed)
        is_mirrored = torch.rand(batch, generator=random) < 0.5
        real = _to_tensor(self._pictures[indices[shard].to(self._device)])
        if self.config.mirror:
            real = torch.where(is_mirrored[shard].to(self._device)[:, None, None, None], real.flip(3), real)
        return self._training.draw(real, random, images, shard)

    def discriminator_loss(self, batch: StyleBatch) -> Losses:
        """The adversarial loss of the discriminator."""
        return self._training.discriminator_loss(batch)

    def discriminator_penalty(self, batch: StyleBatch) -> Losses:
        """The gradient penalties."""
        return self._training.discriminator_penalty(batch)

    def generator_loss(self, batch: StyleBatch) -> Losses:
        """The adversarial loss of the generator."""
        return self._training.generator_loss(batch)

    def generator_penalty(self, batch: StyleBatch) -> Losses:
        """The path length regularisation."""
        return self._training.generator_penalty(batch)

    def sample_grid(self, ema: nn.ModuleDict) -> NDArray[np.uint8]:
        """Pictures of the seeds 0, 1, 2 …, not truncated."""
        columns = self._columns
        return picture_grid(self.generated_pictures(ema, columns**2), columns)

    def real_grid(self) -> NDArray[np.uint8]:
        """Random pictures of the set, as many as in a sample grid."""
        columns = self._columns
        chosen = np.random.default_rng(0).permutation(len(self._pictures))[: columns**2]
        return picture_grid(self._pictures[torch.from_numpy(chosen).to(self._device)].cpu().numpy(), columns)

    def validation_score(self, ema: nn.ModuleDict) -> float:
        """Sliced Wasserstein distance of generated pictures from as many held-out ones."""
        return patch_distance(self._generated(ema, len(self._scored)), self._scored)

    def real_pictures(self, count: int) -> NDArray[np.uint8]:
        """Random held-out pictures, at most `count`."""
        return self._held_out[np.random.default_rng(0).permutation(len(self._held_out))[:count]]

    def generated_pictures(self, ema: nn.ModuleDict, count: int) -> NDArray[np.uint8]:
        """(`count`, S, S, 3) of the seeds 0, 1, 2 …, not truncated."""
        return to_uint8(self._generated(ema, count))

    def description(self) -> dict[str, Any]:
        """The shape of the networks, and the style and credits of the pictures."""
        return {"network": {"name": "stylegan2", "config": asdict(self._training.shape)}, "data": self._data}

    def _warm_start(self, path: Path) -> None:
        """From a checkpoint both networks, from published weights the generator."""
        if path.suffix == ".pt":
            self._training.warm_start(path)
        else:
            self._training.start_with(path, {GENERATOR: load(path).generator.state_dict()})

    @property
    def _columns(self) -> int:
        return max(_LEAST_COLUMNS, min(_MOST_COLUMNS, _GRID_PX // self.config.size_px))

    def _generated(self, ema: nn.ModuleDict, count: int) -> Tensor:
        latents = latents_of(range(count), self.config.latent)
        return generated(ema[GENERATOR], latents, self.config.size_px)


def _to_tensor(pictures: Tensor) -> Tensor:
    """(N, S, S, 3) uint8 → (N, 3, S, S) float32 in -1..1."""
    return pictures.movedim(-1, 1).float() / 127.5 - 1
