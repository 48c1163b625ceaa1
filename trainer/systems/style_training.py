"""What systems that train the networks of StyleGAN2 share: networks, random numbers, losses and penalties of a step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from terrainpaint.errors import TrainingError
from terrainpaint.models.stylegan2 import Noise, StyleGan2Generator, StyleGan2Shape
from trainer.data.adaptive_augment import AdaptiveAugmentation, Control, draw_adaptive
from trainer.data.augment import Augmentation, draw_augmentation
from trainer.loop.checkpoints import load_checkpoint
from trainer.loop.config import RunConfig
from trainer.loop.distributed import World
from trainer.loop.precision import autocast
from trainer.loop.system import DISCRIMINATOR, Losses
from trainer.losses.adversarial import ADVERSARIAL
from trainer.losses.gradient_penalty import logit_penalty
from trainer.losses.path_length import path_penalty
from trainer.networks.stylegan2 import StyleGan2Discriminator
from trainer.systems.style_config import StyleConfig

GENERATOR, STATISTICS = "generator", "statistics"
_FOR_DISCRIMINATOR, _FOR_GENERATOR, _FOR_PATHS = 0, 1, 2
"""Each has latents of its own."""
_PIXELS_AT_ONCE = 1 << 18


class Statistics(nn.Module):
    """Numbers that a run measures of itself, as buffers: `augmentation`, and the moving mean of the path lengths."""

    path_mean: Tensor

    def __init__(self, config: StyleConfig) -> None:
        super().__init__()
        self.augmentation = Control(config.ada_target, config.ada_images)
        self.register_buffer("path_mean", torch.zeros(()))


@dataclass(frozen=True)
class StyleBatch:
    """N real pictures (N, C, S, S) in -1..1 and random numbers: `latents` (N, 3, 2, Z), two for each use; `crossovers`
    (N, 3) the style from which on the second one counts; `augmentations` of real and fake pictures for the
    discriminator, and of fake ones for the generator."""

    real: Tensor
    latents: Tensor
    crossovers: Tensor
    augmentations: tuple[Augmentation | AdaptiveAugmentation, ...]

    def parts(self, count: int) -> list[StyleBatch]:
        """Split into `count` batches of equal size."""
        size = len(self.real) // count
        return [self.part(slice(start, start + size)) for start in range(0, count * size, size)]

    def part(self, images: slice) -> StyleBatch:
        """Some of the images."""
        return StyleBatch(self.real[images], self.latents[images], self.crossovers[images],
                          tuple(each.part(images) for each in self.augmentations))  # fmt: skip


class StyleTraining:
    """The networks of a run and their losses; `networks` has "statistics" besides generator and discriminator."""

    ema = (GENERATOR,)

    def __init__(self, config: StyleConfig, channels: int, run: RunConfig, world: World) -> None:
        """`channels` of the pictures. Raises TrainingError for a configuration that cannot be built."""
        self.config, self._run, self._world = config, run, world
        self.shape: StyleGan2Shape = config.shape(channels)
        discriminator = StyleGan2Discriminator(self.shape, config.minibatch_group)
        blocks = len(self.shape.sizes_px) - 1
        if config.freeze > blocks:
            raise TrainingError(f"freeze must be at most {blocks} for pictures of {config.size_px} px, not "
                                f"{config.freeze}.")  # fmt: skip
        discriminator.freeze(config.freeze)
        self.generator = StyleGan2Generator(self.shape)
        self.statistics = Statistics(config)
        self.networks = nn.ModuleDict(
            {GENERATOR: self.generator, DISCRIMINATOR: discriminator, STATISTICS: self.statistics}
        )
        self.networks.to(world.device)
        # With channels last, filtering of features took a fifth of the time on a processor.
        for parameter in self.networks.parameters():
            if parameter.dim() == 4:
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
        self._adversarial = ADVERSARIAL[config.adversarial]
        self._gamma = config.gamma(run.batch)

    @property
    def discriminator_interval(self) -> int:
        """Steps between gradient penalties; 0 where they are a part of the loss."""
        has_penalty = self._gamma > 0 or self.config.r2_gamma > 0
        return self.config.r1_interval if has_penalty and self.config.r1_interval > 1 else 0

    @property
    def generator_interval(self) -> int:
        """Steps between path length regularisations."""
        return self.config.path_interval if self.config.path_weight > 0 else 0

    def draw(self, real: Tensor, random: torch.Generator, images: int, shard: slice) -> StyleBatch:
        """The batch of `real` pictures (n, C, S, S) in -1..1, the shard of a step, and its random numbers."""
        count, shape = self._run.batch, self.shape
        if self.config.augment == "ada":
            self.statistics.augmentation.adapt(images // count, self._world.average, self._world.size)
        latents = torch.randn((count, 3, 2, shape.latent), generator=random)
        crossovers = torch.randint(1, shape.style_count, (count, 3), generator=random)
        is_mixed = torch.rand((count, 3), generator=random) < self.config.mixing
        augmentations = tuple(self._augmentation(count, random).part(shard) for _ in range(3))
        crossovers = torch.where(is_mixed, crossovers, shape.style_count)
        device = self._world.device
        return StyleBatch(real.contiguous(memory_format=torch.channels_last), latents[shard].to(device),
                          crossovers[shard].to(device), augmentations)  # fmt: skip

    def discriminator_loss(self, batch: StyleBatch) -> Losses:
        """The adversarial loss, with the gradient penalties where they belong to every step."""
        with torch.no_grad():
            fake = self._generate(self._styles(batch, _FOR_DISCRIMINATOR))
        real_augmentation, fake_augmentation, _ = batch.augmentations
        real_logits = self._discriminate(real_augmentation(batch.real))
        fake_logits = self._discriminate(fake_augmentation(fake))
        loss = self._adversarial.discriminator(real_logits, fake_logits)
        values = {
            "discriminator": loss, "real_logit": real_logits.mean(), "fake_logit": fake_logits.mean(),
            "real_sign": real_logits.sign().mean(),
        }  # fmt: skip
        if self.config.augment == "ada":
            self.statistics.augmentation.add(real_logits)
            values["augmented"] = self.statistics.augmentation.probability.clone()
        if self.config.r1_interval == 1 and (self._gamma > 0 or self.config.r2_gamma > 0):
            penalty = self._gradient_penalty(batch, fake)
            return Losses(loss + penalty, values | {"gradient_penalty": penalty})
        return Losses(loss, values)

    def discriminator_penalty(self, batch: StyleBatch) -> Losses:
        """The gradient penalties, as much as of all steps since the last ones."""
        with torch.no_grad():
            fake = self._generate(self._styles(batch, _FOR_DISCRIMINATOR)) if self.config.r2_gamma else None
        penalty = self._gradient_penalty(batch, fake)
        return Losses(penalty * self.config.r1_interval, {"gradient_penalty": penalty})

    def generator_loss(self, batch: StyleBatch) -> Losses:
        """The adversarial loss of new fakes."""
        styles = self._styles(batch, _FOR_GENERATOR)
        self.generator.mapping.track_mean(styles[:, 0].detach())
        fake = self._generate(styles)
        real_logits = None
        if self._adversarial.needs_real:
            with torch.no_grad():
                real_logits = self._discriminate(batch.augmentations[0](batch.real))
        loss = self._adversarial.generator(self._discriminate(batch.augmentations[2](fake)), real_logits)
        return Losses(loss, {"generator": loss})

    def generator_penalty(self, batch: StyleBatch) -> Losses:
        """The path length regularisation of half of the images, as much as of all steps since the last one."""
        half = batch.part(slice(0, max(1, len(batch.real) // 2)))
        # In float32: squares of small gradients vanish in half precision.
        styles = self._styles(half, _FOR_PATHS)
        pictures = self.generator.synthesis(styles, Noise.RANDOM)
        penalty, mean = path_penalty(pictures, styles, self.statistics.path_mean)
        self.statistics.path_mean.copy_(mean)
        weight = self.config.path_weight * self.config.path_interval
        return Losses(penalty * weight, {"path_penalty": penalty, "path_length": mean})

    def warm_start(self, path: Path) -> None:
        """Take the networks of a checkpoint of the same shape. Raises TrainingError when it has others."""
        state = load_checkpoint(path, torch.device("cpu"))
        if state["network"].get("name") != "stylegan2":
            raise TrainingError(f"{path} is a checkpoint of {state['network'].get('name')}, not of StyleGAN2; start "
                                "from one of this system.")  # fmt: skip
        self.start_with(path, {name: state.get(name) for name in (GENERATOR, DISCRIMINATOR)})

    def start_with(self, path: Path, weights: Mapping[str, Any]) -> None:
        """Take the weights of some networks, by their names, which are from a file. Raises TrainingError when they are
        of another shape."""
        try:
            for name, values in weights.items():
                self.networks[name].load_state_dict(values)
        # A part of another kind makes `load_state_dict` fail in any way.
        except Exception as error:
            raise TrainingError(f"{path} is of a StyleGAN2 of another shape; choose its size, channels, latent and "
                                "layers.") from error  # fmt: skip

    def _augmentation(self, count: int, random: torch.Generator) -> Augmentation | AdaptiveAugmentation:
        config = self.config
        if config.augment == "ada":
            return draw_adaptive(config.ada_kinds, count, random, self._probability)
        kinds = config.diff_kinds if config.augment == "diff" else ()
        return draw_augmentation(kinds, count, random, self._world.device)

    def _probability(self) -> float:
        return float(self.statistics.augmentation.probability)

    def _styles(self, batch: StyleBatch, use: int) -> Tensor:
        """(N, L, W): style mixing, where the second of two latents has the finer layers."""
        first, second = (self.generator.styles(batch.latents[:, use, which]) for which in (0, 1))
        layers = torch.arange(self.shape.style_count, device=first.device)
        return torch.where((layers < batch.crossovers[:, use, None])[:, :, None], first, second)

    def _generate(self, styles: Tensor) -> Tensor:
        with autocast(self._run.precision, self._world.device):
            pictures: Tensor = self.generator.synthesis(styles, Noise.RANDOM)
        return pictures

    def _discriminate(self, pictures: Tensor) -> Tensor:
        with autocast(self._run.precision, self._world.device):
            logits: Tensor = self.networks[DISCRIMINATOR](pictures)
        return logits.float()

    def _gradient_penalty(self, batch: StyleBatch, fake: Tensor | None) -> Tensor:
        def logits(augmentation: Any) -> Any:
            return lambda pictures: self.networks[DISCRIMINATOR](augmentation(pictures))

        penalty = batch.real.new_zeros(())
        if self._gamma > 0:
            penalty = penalty + self._gamma * logit_penalty(logits(batch.augmentations[0]), batch.real)
        if fake is not None and self.config.r2_gamma > 0:
            penalty = penalty + self.config.r2_gamma * logit_penalty(logits(batch.augmentations[1]), fake)
        return penalty


@torch.no_grad()
def generated(generator: nn.Module, latents: Tensor, size_px: int) -> Tensor:
    """(N, C, S, S) of latents (N, Z), not truncated, with constant noise; a few at a time, by their size."""
    device = next(generator.parameters()).device
    parts = torch.split(latents, max(1, _PIXELS_AT_ONCE // size_px**2))
    return torch.cat([generator(part.to(device)) for part in parts])
