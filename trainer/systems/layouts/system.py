"""Layouts as a system of the training loop."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from terrainpaint.core.classes import PALETTE
from terrainpaint.errors import TrainingError
from terrainpaint.models.layout import LayoutGenerator, LayoutShape, draw_noise
from trainer.data.layout_set import LayoutSet
from trainer.data.tile_set import TRAIN, VALIDATION
from trainer.loop.checkpoints import load_checkpoint
from trainer.loop.config import RunConfig
from trainer.loop.distributed import World
from trainer.loop.precision import autocast
from trainer.loop.system import DISCRIMINATOR, Build, Losses
from trainer.losses.adversarial import ADVERSARIAL
from trainer.losses.gradient_penalty import logit_penalty
from trainer.networks.layout_discriminator import LayoutDiscriminator
from trainer.sampling.grid import picture_grid
from trainer.systems.layouts.config import LayoutsConfig
from trainer.systems.layouts.crops import LayoutCrops
from trainer.systems.layouts.figures import adjacency, adjacency_distance, distances, figures_of

CLASSES = 7
GRID_COLUMNS = 10
"""Sample grids are square."""
_SCORED = 256
"""Layouts that are measured for the validation score."""
_PARTS = 64


def layouts_build(layouts: LayoutSet, run: RunConfig, config: LayoutsConfig) -> Build:
    """How to create the system for a layout set.

    The function it returns raises TrainingError when the maps of the set are too small.
    """

    def build(world: World, start: Path | None) -> LayoutsSystem:
        return LayoutsSystem(layouts, run, config, world, start)

    return build


@dataclass
class LayoutsBatch:
    """N real layouts (N, 7, S, S), latent vectors (N, Z) and noise maps of the fakes; whether the gradient of the
    discriminator is penalised in this step. The fakes of a whole batch are kept with their graph for the generator's
    loss; those of several parts would all be in memory at once."""

    real: Tensor
    latent: Tensor
    noise: list[Tensor]
    is_penalised: bool
    keeps_graph: bool = True
    fake: Tensor | None = None

    def parts(self, count: int) -> list[LayoutsBatch]:
        """Split into `count` batches of equal size."""
        size = len(self.real) // count
        slices = [slice(start, start + size) for start in range(0, count * size, size)]
        return [
            LayoutsBatch(self.real[part], self.latent[part], [each[part] for each in self.noise], self.is_penalised,
                         count == 1)
            for part in slices
        ]  # fmt: skip


class LayoutsSystem:
    """The networks, loss and data of a run."""

    name = "layouts"
    ema = ("generator",)

    def __init__(
        self, layouts: LayoutSet, run: RunConfig, config: LayoutsConfig, world: World, start: Path | None
    ) -> None:
        self.config, self._run, self._device = config, run, world.device
        shape = LayoutShape(config.size_px, config.latent, config.widths, config.mapping)
        discriminator = LayoutDiscriminator(config.size_px, CLASSES, config.discriminator_widths)
        self.networks = nn.ModuleDict({"generator": LayoutGenerator(shape), DISCRIMINATOR: discriminator})
        # Twice as fast on a processor.
        self.networks.to(world.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if start is not None:
            self._warm_start(start)
        self._shape, self._adversarial = shape, ADVERSARIAL[config.adversarial]
        self._crops = LayoutCrops(layouts.subset(TRAIN), config)
        held_out = layouts.subset(VALIDATION)
        scored = LayoutCrops(held_out if len(held_out) else layouts.subset(TRAIN), config)
        real = scored.draw(_SCORED, np.random.default_rng(0)).argmax(axis=3).astype(np.uint8)
        self._real_figures, self._real_adjacency = figures_of(real), adjacency(real)
        random = torch.Generator().manual_seed(0)
        self._fixed = torch.randn((max(GRID_COLUMNS**2, _SCORED), config.latent), generator=random)
        self._fixed_noise = draw_noise(shape, len(self._fixed), random)
        self._data = {"credits": layouts.credits, "km": [config.smallest_km, config.largest_km]}

    def batch(self, random: torch.Generator, images: int, shard: slice) -> LayoutsBatch:
        """New crops of the Earth and new noise."""
        batch = self._run.batch
        seed = int(torch.randint(2**62, (), generator=random))
        latent = torch.randn((batch, self.config.latent), generator=random)[shard].to(self._device)
        noise = [each[shard].to(self._device) for each in draw_noise(self._shape, batch, random)]
        real = np.stack([self._crops.draw(1, np.random.default_rng([seed, place]))[0]
                         for place in range(batch)[shard]])  # fmt: skip
        is_penalised = images // batch % self.config.penalty_steps == 0
        return LayoutsBatch(torch.from_numpy(real).to(self._device).movedim(-1, 1), latent, noise, is_penalised)

    def discriminator_loss(self, batch: LayoutsBatch) -> Losses:
        """The adversarial loss, and every few steps the penalties of the gradients."""
        config = self.config
        with torch.set_grad_enabled(batch.keeps_graph):
            fake = self._generate(batch)
        batch.fake = fake if batch.keeps_graph else None
        real_seen, fake_seen = self._seen(batch.real), self._seen(fake.detach())
        real_logits, fake_logits = self._discriminate(real_seen), self._discriminate(fake_seen)
        loss = self._adversarial.discriminator(real_logits, fake_logits)
        values = {"discriminator": loss, "real_logit": real_logits.mean(), "fake_logit": fake_logits.mean()}
        if batch.is_penalised:
            for name, weight, seen in (("r1", config.r1, real_seen), ("r2", config.r2, fake_seen)):
                if weight:
                    penalty = logit_penalty(self._logits, seen)
                    values[name] = penalty
                    loss = loss + weight * config.penalty_steps * penalty
        return Losses(loss, values)

    def generator_loss(self, batch: LayoutsBatch) -> Losses:
        """The adversarial loss of the fakes that the discriminator was trained on."""
        fake = self._generate(batch) if batch.fake is None else batch.fake
        real_logits = None
        if self._adversarial.needs_real:
            with torch.no_grad():
                real_logits = self._discriminate(self._seen(batch.real))
        loss = self._adversarial.generator(self._discriminate(self._seen(fake)), real_logits)
        return Losses(loss, {"generator": loss})

    def sample_grid(self, ema: nn.ModuleDict) -> NDArray[np.uint8]:
        """100 layouts of noise that stays the same for the whole run, and for all runs of this shape."""
        return picture_grid(PALETTE[self._fixed_layouts(ema, GRID_COLUMNS**2)], GRID_COLUMNS)

    def real_grid(self) -> NDArray[np.uint8]:
        """100 random crops of the maps of training."""
        real = self._crops.draw(GRID_COLUMNS**2, np.random.default_rng(0))
        return picture_grid(PALETTE[real.argmax(axis=3)], GRID_COLUMNS)

    def validation_score(self, ema: nn.ModuleDict) -> float:
        """Mean distance of the figures of generated layouts from those of held-out ones, and of their neighbours."""
        ids = self._fixed_layouts(ema, _SCORED)
        measured = list(distances(figures_of(ids), self._real_figures).values())
        return float(np.nanmean(measured)) + adjacency_distance(adjacency(ids), self._real_adjacency)

    def description(self) -> dict[str, Any]:
        """The network and the data of a checkpoint."""
        return {"network": {"name": "layout", "config": asdict(self._shape)}, "data": self._data}

    @torch.no_grad()
    def _fixed_layouts(self, ema: nn.ModuleDict, count: int) -> NDArray[np.uint8]:
        generator = cast(LayoutGenerator, ema["generator"])
        parts = []
        for start in range(0, count, _PARTS):
            part = slice(start, min(start + _PARTS, count))
            w = generator.w(self._fixed[part].to(self._device))
            logits = generator(w, [each[part].to(self._device) for each in self._fixed_noise])
            parts.append(logits.argmax(dim=1).byte().cpu().numpy())
        return np.concatenate(parts)

    def _generate(self, batch: LayoutsBatch) -> Tensor:
        """(N, 7, S, S) probabilities."""
        generator = cast(LayoutGenerator, self.networks["generator"])
        with autocast(self._run.precision, self._device):
            logits: Tensor = generator(generator.w(batch.latent), batch.noise)
        return logits.softmax(dim=1)

    def _seen(self, layouts: Tensor) -> Tensor:
        """What the discriminator sees: noise hides that real layouts are mostly of one class in a pixel."""
        seen = (2 * layouts - 2 / CLASSES).contiguous(memory_format=torch.channels_last)
        return seen + self.config.input_noise * torch.randn_like(seen)

    def _discriminate(self, seen: Tensor) -> Tensor:
        with autocast(self._run.precision, self._device):
            logits: Tensor = self.networks[DISCRIMINATOR](seen)
        return logits.float()

    def _logits(self, seen: Tensor) -> Tensor:
        logits: Tensor = self.networks[DISCRIMINATOR](seen)
        return logits.flatten()

    def _warm_start(self, path: Path) -> None:
        """Continue with the networks of a checkpoint, of the same size or of half of it."""
        state = load_checkpoint(path, torch.device("cpu"))
        try:
            for name, network in self.networks.items():
                weights = state[name]
                if state["network"]["config"]["size_px"] * 2 == self.config.size_px:
                    weights = grown(weights, network)
                network.load_state_dict(weights)
        # A part of another kind makes `load_state_dict` fail in any way.
        except Exception as error:
            raise TrainingError(
                f"{path} is not a checkpoint of layouts of this size or half of it, with the same widths."
            ) from error


_MOVED = re.compile(r"^(inputs|blocks)\.(\d+)\.")


def grown(weights: Mapping[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
    """Weights for a network of twice the size, which does at first what the small one does with reduced layouts.

    The generator gets a level at its end, the discriminator one at its beginning, both of which add nothing yet.
    """
    result = network.state_dict()
    moved = isinstance(network, LayoutDiscriminator)
    for name, tensor in weights.items():
        new = _MOVED.sub(lambda found: f"{found[1]}.{int(found[2]) + 1}.", name) if moved else name
        if result[new].shape != tensor.shape:
            raise ValueError(f"{name} has another shape")
        result[new] = tensor
    added = ("blocks.0.two.weight", "blocks.0.short_cut.weight") if moved else (f"to_classes.{_levels(result)}.weight",)
    for name in added:
        result[name] = torch.zeros_like(result[name])
    return result


def _levels(weights: Mapping[str, Tensor]) -> int:
    """The number of the last level of a generator."""
    return max(int(name.split(".")[1]) for name in weights if name.startswith("to_classes."))
