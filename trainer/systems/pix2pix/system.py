"""pix2pix as a system of the training loop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from terrainpaint.errors import TrainingError
from trainer.data.epochs import shuffled_indices
from trainer.data.pair_crops import PairBatch, PairCropping, PairCut, draw_pairs, fixed_pairs, pair_places
from trainer.data.pair_set import PairSet
from trainer.data.tile_set import TRAIN, VALIDATION
from trainer.loop.checkpoints import load_checkpoint
from trainer.loop.config import RunConfig
from trainer.loop.distributed import World
from trainer.loop.precision import autocast
from trainer.loop.system import DISCRIMINATOR, Build, Losses
from trainer.losses.adversarial import CLASSIFICATION
from trainer.metrics.sliced_wasserstein import patch_distance
from trainer.networks.patch_gan import PatchDiscriminator
from trainer.sampling.grid import picture_grid, to_uint8
from trainer.systems.pix2pix.config import Pix2pixConfig
from trainer.systems.pix2pix.generators import described, generator_of, margin_of, translate
from trainer.systems.pix2pix.weights import load_translator

GRID_ROWS = 4
"""Held-out pairs in a sample grid; the first of them is the first of the set."""
_SCORED = 16
"""Held-out pairs whose patches are compared for the validation score, at most."""
_GRADIENT_SCALE = 1024.0
"""Half precision has no small numbers: the gradient at the fake picture is computed enlarged."""


def epoch_images(pairs: PairSet, config: Pix2pixConfig) -> int:
    """The number of crops that an epoch goes through. Raises TrainingError when there are none."""
    return len(pair_places(pairs.subset(TRAIN), PairCropping(config.size_px, PairCut(config.cut))))


def pix2pix_build(pairs: PairSet, run: RunConfig, config: Pix2pixConfig) -> Build:
    """How to create the system for a set of pairs.

    The function it returns raises TrainingError when there are no pairs to train on or they are too small.
    """

    def build(world: World, start: Path | None) -> Pix2pixSystem:
        return Pix2pixSystem(pairs, run, config, world, start)

    return build


@dataclass
class Pix2pixBatch:
    """N pairs: `source` (N, 3, S + 2m, S + 2m) and `target` (N, 3, S, S) in -1..1; `seed` of the dropout.

    `gradient` (N, 3, S, S) is that of the adversarial loss at the fakes, before the discriminator's step. The fakes of
    a whole batch are kept with their graph for the generator's loss; those of several parts would all be in memory at
    once."""

    source: Tensor
    target: Tensor
    seed: int
    keeps_graph: bool = True
    fake: Tensor | None = None
    gradient: Tensor | None = None
    adversarial: Tensor | None = None

    def parts(self, count: int) -> list[Pix2pixBatch]:
        """Split into `count` batches of equal size."""
        size = len(self.source) // count
        return [
            Pix2pixBatch(source, target, self.seed + index * size, count == 1)
            for index, (source, target) in enumerate(
                zip(torch.split(self.source, size), torch.split(self.target, size), strict=True)
            )
        ]


class Pix2pixSystem:
    """The networks, loss and data of a pix2pix run."""

    name = "pix2pix"
    ema = ("generator",)

    def __init__(self, pairs: PairSet, run: RunConfig, config: Pix2pixConfig, world: World, start: Path | None) -> None:
        self.config, self._run, self._device = config, run, world.device
        generator = generator_of(config)
        self.networks = nn.ModuleDict(
            {"generator": generator, DISCRIMINATOR: PatchDiscriminator(config.patch_shape)}
        ).to(world.device)
        if start is not None:
            self._warm_start(start)
        self._margin = margin_of(generator)
        self._class_loss = CLASSIFICATION[config.adversarial]
        pairs = pairs.reversed() if config.reverse else pairs
        self._pairs, held_out = pairs.subset(TRAIN), pairs.subset(VALIDATION)
        self._cropping = PairCropping(
            config.size_px, PairCut(config.cut), self._margin, config.jitter_px, config.mirror
        )
        self._places = pair_places(self._pairs, self._cropping)
        self._held_out = held_out
        self._scored = self._fixed(held_out if len(held_out) else self._pairs)
        self._data = {"source_style": pairs.source_style, "target_style": pairs.target_style, "credits": pairs.credits,
                      "pixel_size_m": pairs.pixel_size_m}  # fmt: skip

    def batch(self, random: torch.Generator, images: int, shard: slice) -> Pix2pixBatch:
        """The next crops of the epoch."""
        seed = self._run.seed
        places = self._places[shuffled_indices(len(self._places), images, self._run.batch, seed).numpy()]
        drawn = draw_pairs(self._pairs, self._cropping, places, random, shard)
        first = images + (shard.start or 0)
        return Pix2pixBatch(drawn.source.to(self._device), drawn.target.to(self._device), seed * 1_000_003 + first)

    def discriminator_loss(self, batch: Pix2pixBatch) -> Losses:
        """The loss of real and fake pairs. Both are separate batches for the batch norm.

        The gradient of the generator's adversarial loss is computed here too, with the same logits: the discriminator
        has not moved yet, and is not evaluated a second time.
        """
        with torch.set_grad_enabled(batch.keeps_graph):
            fake = self._generate(batch)
        batch.fake = fake if batch.keeps_graph else None
        is_together = self.config.order == "together" and self.config.adversarial_weight > 0
        fake = fake.detach().requires_grad_(is_together)
        real_logits = self._discriminate(batch, batch.target)
        fake_logits = self._discriminate(batch, fake)
        if is_together:
            loss = self._class_loss(fake_logits, True)
            (gradient,) = torch.autograd.grad(loss * _GRADIENT_SCALE, fake, retain_graph=True)
            batch.gradient, batch.adversarial = gradient / _GRADIENT_SCALE, loss.detach()
        real, fake_loss = self._class_loss(real_logits, True), self._class_loss(fake_logits, False)
        total = (real + fake_loss) * (0.5 if self.config.halve else 1.0)
        values = {"discriminator": total, "total_disc_loss": total, "real_d_loss": real, "fake_d_loss": fake_loss}
        return Losses(total, {name: value.detach() for name, value in values.items()})

    def generator_loss(self, batch: Pix2pixBatch) -> Losses:
        """The adversarial loss of the fakes and their mean absolute difference from the targets."""
        config = self.config
        fake = self._generate(batch) if batch.fake is None else batch.fake
        difference = (fake - batch.target).abs().mean()
        total = config.l1_weight * difference
        adversarial = torch.zeros_like(difference)
        if batch.gradient is not None and batch.adversarial is not None:
            adversarial = batch.adversarial
            # It has the gradient of the adversarial loss.
            total = total + config.adversarial_weight * (fake * batch.gradient).sum()
        elif config.adversarial_weight > 0:
            adversarial = self._class_loss(self._discriminate(batch, fake), True)
            total = total + config.adversarial_weight * adversarial
        adversarial, difference = adversarial.detach(), difference.detach()
        values = {
            "total_gen_loss": config.l1_weight * difference + config.adversarial_weight * adversarial,
            "fake_d_real_class_loss": adversarial, "l1_loss": difference,
        }  # fmt: skip
        return Losses(total, values)

    def sample_grid(self, ema: nn.ModuleDict) -> NDArray[np.uint8]:
        """A row for each of the first held-out pairs: source, what is generated from it, target."""
        shown = self._scored
        sources = shown.source[:GRID_ROWS]
        size = self.config.size_px
        middle = sources[:, :, self._margin :, self._margin :][:, :, :size, :size]
        generated = translate(ema["generator"], sources.to(self._device)).cpu()
        rows = torch.stack([middle, generated, shown.target[:GRID_ROWS]], dim=1)
        return picture_grid(to_uint8(rows.flatten(0, 1)), 3)

    def validation_score(self, ema: nn.ModuleDict) -> float:
        """Sliced Wasserstein distance of generated pictures from the targets of held-out pairs."""
        generated = translate(ema["generator"], self._scored.source.to(self._device)).cpu()
        return patch_distance(generated, self._scored.target)

    def real_pictures(self, count: int) -> NDArray[np.uint8]:
        """Targets of held-out crops, spread over all of them, at most `count`."""
        size = self.config.size_px
        parts = [to_uint8(part.target) for part in self._measured(count)]
        return np.concatenate([np.zeros((0, size, size, 3), np.uint8), *parts])

    def generated_pictures(self, ema: nn.ModuleDict, count: int) -> NDArray[np.uint8]:
        """What is generated from the sources of the same crops."""
        generator = ema["generator"]
        parts = [translate(generator, part.source.to(self._device)) for part in self._measured(count)]
        return np.concatenate([to_uint8(part) for part in parts])

    def description(self) -> dict[str, Any]:
        """The shape of the generator and the styles of the pairs."""
        generator: Any = self.networks["generator"]
        return {"network": described(generator), "data": self._data}

    def _measured(self, count: int) -> Iterator[PairBatch]:
        if not len(self._held_out):
            return
        places = pair_places(self._held_out, self._cropping)
        chosen = places[np.unique(np.linspace(0, len(places) - 1, count).astype(int))]
        for first in range(0, len(chosen), _SCORED):
            yield fixed_pairs(self._held_out, self._cropping, chosen[first : first + _SCORED])

    def _fixed(self, pairs: PairSet) -> PairBatch:
        """Some crops of pairs: the first, and others spread over all."""
        places = pair_places(pairs, self._cropping)
        chosen = np.unique(np.linspace(0, len(places) - 1, _SCORED).astype(int))
        return fixed_pairs(pairs, self._cropping, places[chosen])

    def _generate(self, batch: Pix2pixBatch) -> Tensor:
        # A part is generated twice, and must lose the same features.
        torch.manual_seed(batch.seed)
        with autocast(self._run.precision, self._device):
            fake: Tensor = self.networks["generator"](batch.source)
        return fake

    def _discriminate(self, batch: Pix2pixBatch, picture: Tensor) -> Tensor:
        rim, size = self._margin, self.config.size_px
        source = batch.source[:, :, rim : rim + size, rim : rim + size]
        with autocast(self._run.precision, self._device):
            logits: Tensor = self.networks[DISCRIMINATOR](source, picture)
        return logits.float()

    def _warm_start(self, path: Path) -> None:
        """From a checkpoint both networks, from published weights the generator."""
        if path.suffix == ".pt":
            state = load_checkpoint(path, torch.device("cpu"))
            weights: dict[str, Any] = {name: state.get(name) for name in self.networks}
        else:
            weights = {"generator": load_translator(path, torch.device("cpu")).generator.state_dict()}
        try:
            for name, values in weights.items():
                self.networks[name].load_state_dict(values)
        # A part of another kind makes `load_state_dict` fail in any way.
        except Exception as error:
            raise TrainingError(f"{path} is of other networks than this run; choose their configuration, or start "
                                "without it.") from error  # fmt: skip
