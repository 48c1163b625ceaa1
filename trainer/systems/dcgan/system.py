"""DCGAN as a system of the training loop."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from terrainpaint.errors import TrainingError
from trainer.data.augment import Augmentation, draw_augmentation
from trainer.data.epochs import shuffled_indices
from trainer.data.tile_set import TRAIN, VALIDATION, TileSet
from trainer.loop.checkpoints import load_checkpoint
from trainer.loop.config import RunConfig
from trainer.loop.distributed import World
from trainer.loop.precision import autocast
from trainer.loop.system import DISCRIMINATOR, Build, Losses
from trainer.losses.adversarial import ADVERSARIAL
from trainer.metrics.sliced_wasserstein import patch_distance
from trainer.networks.dcgan import DcganDiscriminator, DcganGenerator, DcganShape
from trainer.sampling.grid import picture_grid, to_uint8
from trainer.systems.dcgan.config import DcganConfig

GRID_COLUMNS = 10
"""Sample grids are square."""
_SCORED = 256
"""Pictures whose patches are compared for the validation score, at most."""


def dcgan_build(tiles: TileSet, run: RunConfig, config: DcganConfig) -> Build:
    """How to create the system for a set of pictures.

    The function it returns raises TrainingError when the pictures have another size.
    """

    def build(world: World, start: Path | None) -> DcganSystem:
        return DcganSystem(tiles, run, config, world, start)

    return build


@dataclass
class DcganBatch:
    """N real pictures (N, 3, S, S) in -1..1, noise (N, Z) and the augmentation of a step. The fakes of a whole batch
    are kept with their graph for the generator's loss; those of several parts would all be in memory at once."""

    real: Tensor
    noise: Tensor
    augmentation: Augmentation
    keeps_graph: bool = True
    fake: Tensor | None = None

    def parts(self, count: int) -> list[DcganBatch]:
        """Split into `count` batches of equal size."""
        size = len(self.real) // count
        slices = [slice(start, start + size) for start in range(0, count * size, size)]
        return [
            DcganBatch(self.real[part], self.noise[part], self.augmentation.part(part), count == 1) for part in slices
        ]


class DcganSystem:
    """The networks, loss and data of a DCGAN run."""

    name = "dcgan"
    ema = ("generator",)

    def __init__(self, tiles: TileSet, run: RunConfig, config: DcganConfig, world: World, start: Path | None) -> None:
        if tiles.tile_px != config.size_px:
            raise TrainingError(f"The pictures have {tiles.tile_px} px and the networks {config.size_px} px; prepare "
                                f"the set with --tile {config.size_px}, or choose another size_px.")  # fmt: skip
        parts = run.accumulate * world.size
        if run.batch < 2 * parts:
            raise TrainingError(f"A batch of {run.batch} images in {parts} parts is too small for batch norm; a part "
                                "needs at least 2.")  # fmt: skip
        self.config, self._run, self._device = config, run, world.device
        shape = DcganShape(config.size_px, config.width, config.noise)
        self.networks = nn.ModuleDict({"generator": DcganGenerator(shape), DISCRIMINATOR: DcganDiscriminator(shape)})
        self.networks.to(world.device)
        if start is not None:
            self._warm_start(start)
        self._adversarial = ADVERSARIAL[config.adversarial]
        self._pictures = torch.from_numpy(tiles.subset(TRAIN).texture).to(world.device)
        if not len(self._pictures):
            raise TrainingError("No picture of the set is for training; prepare it with a smaller --validation.")
        self._held_out = tiles.subset(VALIDATION).texture
        held_out = self._held_out[:_SCORED]
        self._scored = _to_tensor(torch.from_numpy(held_out)) if len(held_out) else _to_tensor(self._pictures[:_SCORED])
        self._fixed_noise = _fixed_noise(max(GRID_COLUMNS**2, len(self._scored)), config.noise).to(world.device)
        self._data = {"style": tiles.style, "credits": tiles.credits}

    def batch(self, random: torch.Generator, images: int, shard: slice) -> DcganBatch:
        """The next pictures of the epoch, with new noise."""
        config, batch = self.config, self._run.batch
        indices = shuffled_indices(len(self._pictures), images, batch, self._run.seed)
        noise = torch.randn((batch, config.noise), generator=random)
        is_mirrored = torch.rand(batch, generator=random) < 0.5
        augmentation = draw_augmentation(config.augment, batch, random, self._device).part(shard)
        real = _to_tensor(self._pictures[indices[shard].to(self._device)])
        if config.mirror:
            real = torch.where(is_mirrored[shard].to(self._device)[:, None, None, None], real.flip(3), real)
        return DcganBatch(real, noise[shard].to(self._device), augmentation)

    def discriminator_loss(self, batch: DcganBatch) -> Losses:
        """The adversarial loss. Real and fake pictures are separate batches for the batch norm."""
        with torch.set_grad_enabled(batch.keeps_graph):
            fake = self._generate(batch.noise)
        batch.fake = fake if batch.keeps_graph else None
        real_logits, fake_logits = self._discriminate(batch.real, batch), self._discriminate(fake.detach(), batch)
        loss = self._adversarial.discriminator(real_logits, fake_logits)
        values = {"discriminator": loss, "real_logit": real_logits.mean(), "fake_logit": fake_logits.mean()}
        return Losses(loss, values)

    def generator_loss(self, batch: DcganBatch) -> Losses:
        """The adversarial loss of the fakes that the discriminator was trained on."""
        fake = self._generate(batch.noise) if batch.fake is None else batch.fake
        real_logits = None
        if self._adversarial.needs_real:
            with torch.no_grad():
                real_logits = self._discriminate(batch.real, batch)
        loss = self._adversarial.generator(self._discriminate(fake, batch), real_logits)
        return Losses(loss, {"generator": loss})

    def sample_grid(self, ema: nn.ModuleDict) -> NDArray[np.uint8]:
        """100 pictures of noise that stays the same for the whole run, and for all runs."""
        return picture_grid(to_uint8(generate(ema["generator"], self._fixed_noise[: GRID_COLUMNS**2])), GRID_COLUMNS)

    def real_grid(self) -> NDArray[np.uint8]:
        """100 random pictures of the set."""
        chosen = np.random.default_rng(0).permutation(len(self._pictures))[: GRID_COLUMNS**2]
        return picture_grid(self._pictures[torch.from_numpy(chosen).to(self._device)].cpu().numpy(), GRID_COLUMNS)

    def validation_score(self, ema: nn.ModuleDict) -> float:
        """Sliced Wasserstein distance of generated pictures from as many held-out ones."""
        return patch_distance(generate(ema["generator"], self._fixed_noise[: len(self._scored)]), self._scored)

    def real_pictures(self, count: int) -> NDArray[np.uint8]:
        """Random held-out pictures, at most `count`."""
        return self._held_out[np.random.default_rng(0).permutation(len(self._held_out))[:count]]

    def generated_pictures(self, ema: nn.ModuleDict, count: int) -> NDArray[np.uint8]:
        """(`count`, S, S, 3) of noise that stays the same for the whole run."""
        noise = _fixed_noise(count, self.config.noise).to(self._device)
        return np.concatenate([to_uint8(generate(ema["generator"], part)) for part in torch.split(noise, _SCORED)])

    def description(self) -> dict[str, Any]:
        """The shape of the networks, and the style and credits of the pictures."""
        shape = DcganShape(self.config.size_px, self.config.width, self.config.noise)
        return {"network": {"name": "dcgan", "config": asdict(shape)}, "data": self._data}

    def _generate(self, noise: Tensor) -> Tensor:
        with autocast(self._run.precision, self._device):
            pictures: Tensor = self.networks["generator"](noise)
        return pictures

    def _discriminate(self, pictures: Tensor, batch: DcganBatch) -> Tensor:
        with autocast(self._run.precision, self._device):
            logits: Tensor = self.networks[DISCRIMINATOR](batch.augmentation(pictures))
        return logits.float()

    def _warm_start(self, path: Path) -> None:
        state = load_checkpoint(path, torch.device("cpu"))
        try:
            for name, network in self.networks.items():
                network.load_state_dict(state[name])
        # A part of another kind makes `load_state_dict` fail in any way.
        except Exception as error:
            raise TrainingError(f"{path} is not a checkpoint of a DCGAN of this size and width.") from error


@torch.no_grad()
def generate(generator: nn.Module, noise: Tensor) -> Tensor:
    """(N, 3, S, S) in -1..1 of noise (N, Z), with the statistics that the batch norm collected in training."""
    is_training = generator.training
    generator.eval()
    pictures: Tensor = generator(noise)
    generator.train(is_training)
    return pictures


def _to_tensor(pictures: Tensor) -> Tensor:
    """(N, S, S, 3) uint8 → (N, 3, S, S) float32 in -1..1."""
    return pictures.movedim(-1, 1).float() / 127.5 - 1


def _fixed_noise(count: int, noise: int) -> Tensor:
    return torch.randn((count, noise), generator=torch.Generator().manual_seed(0))
