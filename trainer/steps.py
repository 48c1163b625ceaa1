"""One step of both networks: the discriminator first, then, if it is its turn, the generator."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from trainer.balance import balance_of
from trainer.batches import Batch
from trainer.config import TrainConfig
from trainer.distributed import Team
from trainer.losses.adversarial import ADVERSARIAL, Targets
from trainer.losses.matching import COLOUR_PX, ELEVATION_PX, feature_matching, mean_difference
from trainer.losses.penalty import gradient_penalty
from trainer.losses.perceptual import PerceptualNetwork, perceptual_loss
from trainer.losses.relief import relief_energy
from trainer.losses.sea import sea_level
from trainer.losses.shading import shading_leak
from trainer.schedules import rate_share
from trainer.systems import INNER, Seen, System, one_hot

_HALF = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}


@dataclass(frozen=True)
class _Judged:
    """A part of a batch after the discriminator's turn: what is real, what was made of it (None: to be made again),
    and the features of the real pictures."""

    batch: Batch
    real: Tensor
    targets: Targets
    seen: Seen | None
    real_features: list[list[Tensor]]


class Stepper:
    """Trains the networks of a system. `state` has all that a resumed run needs of it."""

    def __init__(
        self,
        system: System,
        config: TrainConfig,
        team: Team,
        class_weights: Tensor,
        perceptual: PerceptualNetwork | None,
    ) -> None:
        self._system, self._config, self._team = system, config, team
        self._class_weights, self._perceptual = class_weights, perceptual
        networks = system.networks
        betas = config.beta1, config.beta2
        self._made_by = [*networks.generator.parameters(), *networks.shadow.parameters()]
        # Not those of fixed features.
        self._judged_by = [each for each in system.discriminator.parameters() if each.requires_grad]
        self._generator_step = torch.optim.Adam(self._made_by, config.generator_rate, betas=betas)
        self._discriminator_step = torch.optim.Adam(self._judged_by, config.discriminator_rate, betas=betas)
        # Half precision has no small numbers: losses are enlarged for it, and gradients made small again.
        scaled = config.precision == "fp16"
        self._generator_scaler, self._discriminator_scaler = (
            torch.amp.GradScaler(team.device.type, enabled=scaled) for _ in range(2)
        )
        self._balance = balance_of(config)
        self._adversarial = ADVERSARIAL[config.adversarial]
        self.state: dict[str, Any] = {
            "generator_step": self._generator_step, "discriminator_step": self._discriminator_step,
            "generator_scaler": self._generator_scaler, "discriminator_scaler": self._discriminator_scaler,
            "balance": self._balance,
        }  # fmt: skip

    def __call__(self, batch: Batch, images: int) -> dict[str, float]:
        """Train on the images that this process has of a step which begins after `images` of the run.

        Returns the losses by name, means over the images of all processes.
        """
        share = rate_share(images, self._config)
        self._tune(self._generator_step, self._config.generator_rate * share)
        self._tune(self._discriminator_step, self._config.discriminator_rate * share)
        parts = batch.parts(self._config.accumulate)
        values: dict[str, float] = {}
        judged = [self._train_discriminator(part, images, values, whole=len(parts) == 1) for part in parts]
        self._update(self._discriminator_step, self._discriminator_scaler, self._judged_by)
        values = self._team.average(values)
        trains = self._balance.trains_generator(values["discriminator"])
        if trains:
            made: dict[str, float] = {}
            for each in self._judged_by:
                each.requires_grad_(False)
            for part in judged:
                self._train_generator(part, made)
            for each in self._judged_by:
                each.requires_grad_(True)
            self._update(self._generator_step, self._generator_scaler, self._made_by)
            values |= self._team.average(made)
        return values | {"generator_trained": float(trains)}

    def _half(self) -> torch.autocast:
        precision = self._config.precision
        return torch.autocast(self._team.device.type, dtype=_HALF[precision], enabled=precision != "fp32")

    def _make(self, batch: Batch, shares: Tensor) -> Seen:
        """The made land of a batch (N), followed by the same flipped where that route is on (2 N)."""
        with self._half():
            made = self._system.make(self._system.networks, batch.crops, batch.seeds, batch.style)
            if self._config.flip_route:
                made, shares = (torch.cat([each, each.flip(batch.flip)]) for each in (made, shares))
            return self._system.seen(self._system.networks, made, shares)

    def _opinion(self, shown: Tensor, batch: Batch) -> list[list[Tensor]]:
        with self._half():
            shown = batch.augmentation(shown).contiguous(memory_format=torch.channels_last)
            scales: list[list[Tensor]] = self._system.discriminator(shown)
            return scales

    def _train_discriminator(self, batch: Batch, images: int, values: dict[str, float], whole: bool) -> _Judged:
        crops = batch.crops
        shares = one_hot(crops.labels)
        # Heights are stored as whole metres, made ones are not: the difference must not give them away.
        height = torch.where(crops.height > 0, crops.height + batch.rounding, crops.height)
        real = self._system.real(crops, height, shares)
        # The graph of a whole batch serves the generator too; those of parts would all have to be held.
        with torch.set_grad_enabled(whole):
            seen = self._make(batch, shares)
        labels = crops.labels[:, INNER, INNER]
        flipped = [labels, labels.flip([axis - 1 for axis in batch.flip])] if self._config.flip_route else [labels]
        targets = Targets(labels, torch.cat(flipped), self._class_weights)
        judgement = self._opinion(torch.cat([real, seen.shown.detach()]), batch)
        count = len(real)
        losses = [
            self._adversarial.discriminator(scale[-1][:count].float(), scale[-1][count:].float(), targets)
            for scale in judgement
        ]
        loss = torch.stack(losses).sum() / len(losses)
        _note(values, "discriminator", loss, self._config.accumulate)
        total = loss + self._penalty(batch, real, seen.shown, images, values)
        torch.autograd.backward(self._discriminator_scaler.scale(total / self._config.accumulate))
        features = [[each[:count].detach() for each in scale[:-1]] for scale in judgement]
        return _Judged(batch, real, targets, seen if whole else None, features)

    def _penalty(self, batch: Batch, real: Tensor, made: Tensor, images: int, values: dict[str, float]) -> Tensor:
        config = self._config
        total = real.new_zeros(())
        if (images // config.batch) % config.penalty_steps:
            return total
        for name, weight, shown in (("r1", config.r1_weight, real), ("r2", config.r2_weight, made)):
            if weight:
                shown = batch.augmentation(shown.detach())
                penalty = gradient_penalty(self._system.discriminator, shown, self._adversarial.realness)
                _note(values, name, penalty, config.accumulate)
                total = total + weight * config.penalty_steps * penalty
        return total

    def _train_generator(self, part: _Judged, values: dict[str, float]) -> None:
        config, system = self._config, self._system
        seen = part.seen or self._make(part.batch, one_hot(part.batch.crops.labels))
        count = len(part.real)
        opinion = self._opinion(seen.shown, part.batch)
        real_scores: Sequence[Tensor | None] = [None] * len(opinion)
        if self._adversarial.compares:
            with torch.no_grad():
                real_scores = [scale[-1].float() for scale in self._opinion(part.real, part.batch)]
        losses = [
            self._adversarial.generator(scale[-1].float(), real, part.targets)
            for scale, real in zip(opinion, real_scores, strict=True)
        ]
        terms = {"adversarial": (1.0, torch.stack(losses).sum() / len(losses))}
        straight, real = seen.shown[:count], part.real
        if config.feature_weight:
            made_features = [[each[:count] for each in scale[:-1]] for scale in opinion]
            terms["features"] = config.feature_weight, feature_matching(made_features, part.real_features)
        if config.mean_weight:
            # Hills have sunny and shady sides: over an area, shading leaves the colour of the albedo as it is.
            colours = torch.cat([seen.albedo[:count], straight[:, :3]], dim=1)
            terms["colour"] = config.mean_weight, mean_difference(colours, real[:, :3].repeat(1, 2, 1, 1), COLOUR_PX)
            # Level ground is easier to make low, where the code hardly tells on slopes: without this, plateaus sink to
            # the sea.
            apart = mean_difference(straight[:, 3:4], real[:, 3:4], ELEVATION_PX)
            terms["elevation"] = config.mean_weight, apart
        if config.relief_weight:
            energy = relief_energy(seen.height[:count], part.batch.crops.height[:, :, INNER, INNER])
            terms["relief"] = config.relief_weight, energy
        if config.sea_weight:
            inner = part.batch.crops.height[:, :, INNER, INNER], part.batch.crops.labels[:, INNER, INNER]
            terms["sea"] = config.sea_weight, sea_level(straight[:, 3:4], real[:, 3:4], *inner)
        if self._perceptual is not None and config.perceptual_weight:
            with self._half():
                alike = perceptual_loss(self._perceptual, system.picture(straight), system.picture(real)) \
                    + perceptual_loss(self._perceptual, system.grey(straight), system.grey(real))  # fmt: skip
            terms["perceptual"] = config.perceptual_weight, alike
        if config.leak_weight:
            leak = shading_leak(system.lightness(seen.albedo[:count]), seen.height[:count], system.pixel_size_m)
            terms["leak"] = config.leak_weight, leak
        for name, (_, value) in terms.items():
            _note(values, name, value, config.accumulate)
        total = torch.stack([weight * value for weight, value in terms.values()]).sum()
        torch.autograd.backward(self._generator_scaler.scale(total / config.accumulate))

    def _tune(self, optimizer: torch.optim.Optimizer, rate: float) -> None:
        # What the config says counts, not what a checkpoint said: a run may go on with other numbers.
        for group in optimizer.param_groups:
            group["lr"], group["betas"] = rate, (self._config.beta1, self._config.beta2)

    def _update(
        self, optimizer: torch.optim.Optimizer, scaler: torch.amp.GradScaler, parameters: list[nn.Parameter]
    ) -> None:
        self._team.average_gradients(parameters)
        if self._config.clip_norm:
            scaler.unscale_(optimizer)
            nn.utils.clip_grad_norm_(parameters, self._config.clip_norm)
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad(set_to_none=True)


def _note(values: dict[str, float], name: str, value: Tensor, parts: int) -> None:
    values[name] = values.get(name, 0.0) + float(value.detach()) / parts


def parameters_are_numbers(modules: Iterable[nn.Module]) -> bool:
    """Whether every parameter of the networks is a finite number."""
    return all(bool(each.isfinite().all()) for module in modules for each in module.parameters())
