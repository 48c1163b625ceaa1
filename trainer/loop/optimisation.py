"""Optimisation of a system: learning rates, the balance of the two networks, one training step, averaged weights."""

from __future__ import annotations

import copy
import math
from typing import Any, Protocol

import torch
from torch import nn

from trainer.loop.config import RunConfig
from trainer.loop.distributed import World
from trainer.loop.system import DISCRIMINATOR, Batch, Losses, PenalisedSystem, System


def rate_factor(images: int, config: RunConfig) -> float:
    """The factor, in 0..1, of the learning rates after `images` images: warm-up, then the schedule.

    It depends on the number of images only, so a resumed run needs no state for it.
    """
    warmup = min(1.0, (images + config.batch) / config.warmup_images) if config.warmup_images else 1.0
    start = config.decay_from * config.images
    progress = min(1.0, max(0.0, (images - start) / max(1.0, config.images - start)))
    if config.schedule == "linear":
        return warmup * (1 - progress * (1 - config.final_rate))
    if config.schedule == "cosine":
        return warmup * (config.final_rate + (1 - config.final_rate) * (1 + math.cos(math.pi * progress)) / 2)
    return warmup


class Balance(Protocol):
    """Which steps train the generator. Asked in each step, after the discriminator's."""

    def trains_generator(self, discriminator_loss: float) -> bool:
        """Whether the generator is trained in this step."""

    def state_dict(self) -> dict[str, int]:
        """What a resumed run needs."""

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Restore the result of `state_dict`."""


class FixedRatio:
    """Trains the generator in every `steps`-th step."""

    def __init__(self, steps: int) -> None:
        self._steps, self._done = steps, 0

    def trains_generator(self, discriminator_loss: float) -> bool:
        """Whether this is the `steps`-th step since the generator was trained."""
        self._done = (self._done + 1) % self._steps
        return self._done == 0

    def state_dict(self) -> dict[str, int]:
        """Steps since the generator was trained."""
        return {"done": self._done}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Restore the count."""
        self._done = state["done"]


class Hysteresis:
    """Pauses the generator while the discriminator's loss is high: from `stop` on, until it is under `resume`."""

    def __init__(self, stop: float, resume: float) -> None:
        self._stop, self._resume, self._runs = stop, resume, True

    def trains_generator(self, discriminator_loss: float) -> bool:
        """Decides by the loss of the current step."""
        self._runs = discriminator_loss < (self._stop if self._runs else self._resume)
        return self._runs

    def state_dict(self) -> dict[str, int]:
        """Whether the generator is trained."""
        return {"runs": int(self._runs)}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Restore whether the generator is trained."""
        self._runs = bool(state["runs"])


def balance_of(config: RunConfig) -> Balance:
    """The balance that a configuration names."""
    if config.balance == "dynamic":
        return Hysteresis(config.balance_stop, config.balance_resume)
    return FixedRatio(config.balance_ratio if config.balance == "ratio" else 1)


class FusedAdam(torch.optim.Adam):
    """Adam in one pass over the memory of each parameter, on devices that can: in a network of 54 M parameters it took
    an eighth of the time on a processor."""

    def __init__(
        self, parameters: list[nn.Parameter], rate: float, betas: tuple[float, float], device: torch.device
    ) -> None:
        self._is_fused = True if device.type in ("cpu", "cuda") else None
        super().__init__(parameters, rate, betas=betas, fused=self._is_fused)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """As the base class, also for a state of an Adam that was not fused."""
        groups = [{**group, "fused": self._is_fused} for group in state_dict["param_groups"]]
        super().load_state_dict({**state_dict, "param_groups": groups})


class TrainStep:
    """One step of all networks of a system: the discriminator first, then, by the balance, the others; the penalties of
    each follow its losses."""

    def __init__(self, system: System, config: RunConfig, world: World) -> None:
        self._system, self._config, self._world = system, config, world
        self._penalised = system if isinstance(system, PenalisedSystem) else None
        betas = config.beta1, config.beta2
        networks = system.networks
        self._generator_parameters = [parameter for name, network in networks.items() if name != DISCRIMINATOR
                                      for parameter in network.parameters()]  # fmt: skip
        # Without fixed feature networks.
        self._discriminator_parameters = [each for each in networks[DISCRIMINATOR].parameters() if each.requires_grad]
        self._generator_adam = FusedAdam(self._generator_parameters, config.generator_rate, betas, world.device)
        self._discriminator_adam = FusedAdam(
            self._discriminator_parameters, config.discriminator_rate, betas, world.device
        )
        # Half precision has no small numbers: losses are scaled up for it, and gradients down again.
        is_scaled = config.precision == "fp16"
        self._generator_scaler, self._discriminator_scaler = (
            torch.amp.GradScaler(world.device.type, enabled=is_scaled) for _ in range(2)
        )
        self._balance = balance_of(config)
        self.state: dict[str, Any] = {
            "generator_step": self._generator_adam, "discriminator_step": self._discriminator_adam,
            "generator_scaler": self._generator_scaler, "discriminator_scaler": self._discriminator_scaler,
            "balance": self._balance,
        }  # fmt: skip
        """What a resumed run needs, by the keys of a checkpoint."""

    def __call__(self, batch: Batch, images: int) -> dict[str, float]:
        """Train on this process's images of the step that begins after `images` images of the run.

        Returns the losses by name, means over the images of all processes.
        """
        factor = rate_factor(images, self._config)
        penalised = self._penalised
        discriminator_interval = penalised.discriminator_interval if penalised else 0
        generator_interval = penalised.generator_interval if penalised else 0
        self._set_rate(self._discriminator_adam, self._config.discriminator_rate * factor, discriminator_interval)
        self._set_rate(self._generator_adam, self._config.generator_rate * factor, generator_interval)
        step = images // self._config.batch
        parts = batch.parts(self._config.accumulate)
        values: dict[str, float] = {}
        for part in parts:
            self._backward(self._system.discriminator_loss(part), self._discriminator_scaler, values)
        self._update(self._discriminator_adam, self._discriminator_scaler, self._discriminator_parameters)
        if penalised and _is_due(step, discriminator_interval):
            for part in parts:
                self._backward(penalised.discriminator_penalty(part), self._discriminator_scaler, values)
            self._update(self._discriminator_adam, self._discriminator_scaler, self._discriminator_parameters)
        values = self._world.average(values)
        trains_generator = self._balance.trains_generator(values["discriminator"])
        trains_generator = trains_generator and images >= self._config.generator_after
        if trains_generator:
            generator_values: dict[str, float] = {}
            for parameter in self._discriminator_parameters:
                parameter.requires_grad_(False)
            for part in parts:
                self._backward(self._system.generator_loss(part), self._generator_scaler, generator_values)
            for parameter in self._discriminator_parameters:
                parameter.requires_grad_(True)
            self._update(self._generator_adam, self._generator_scaler, self._generator_parameters)
            if penalised and _is_due(step, generator_interval):
                for part in parts:
                    self._backward(penalised.generator_penalty(part), self._generator_scaler, generator_values)
                self._update(self._generator_adam, self._generator_scaler, self._generator_parameters)
            values |= self._world.average(generator_values)
        return values | {"generator_trained": float(trains_generator)}

    def _backward(self, losses: Losses, scaler: torch.amp.GradScaler, values: dict[str, float]) -> None:
        """Add the gradients of a part of the batch, and to `values` its fraction of the losses."""
        parts = self._config.accumulate
        torch.autograd.backward(scaler.scale(losses.total / parts))
        # After the backward pass and all at once: each number that is read makes a GPU wait for the program.
        read = torch.stack([value.detach().float() for value in losses.values.values()]).tolist()
        for name, value in zip(losses.values, read, strict=True):
            values[name] = values.get(name, 0.0) + value / parts

    def _set_rate(self, optimizer: torch.optim.Optimizer, rate: float, interval: int) -> None:
        # The configuration counts, not the checkpoint: a run may be resumed with other numbers.
        # With an additional step every `interval` steps, so many steps of Adam change as much as without.
        share = interval / (interval + 1) if interval else 1.0
        for group in optimizer.param_groups:
            group["lr"], group["betas"] = rate * share, (self._config.beta1**share, self._config.beta2**share)

    def _update(
        self, optimizer: torch.optim.Optimizer, scaler: torch.amp.GradScaler, parameters: list[nn.Parameter]
    ) -> None:
        self._world.average_gradients(parameters)
        if self._config.clip_norm:
            scaler.unscale_(optimizer)
            nn.utils.clip_grad_norm_(parameters, self._config.clip_norm)
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad(set_to_none=True)


def _is_due(step: int, interval: int) -> bool:
    return interval > 0 and step % interval == 0


def averaged_copy(system: System) -> nn.ModuleDict:
    """Copies of the networks in `system.ema`, to be kept by `update_average`."""
    return nn.ModuleDict({name: copy.deepcopy(system.networks[name]) for name in system.ema}).requires_grad_(False)


@torch.no_grad()
def update_average(averaged: nn.ModuleDict, networks: nn.ModuleDict, half_lives: float) -> None:
    """Move the exponential moving average towards the networks by a time in half-lives; inf copies them.

    Buffers, such as the statistics of a batch norm, are averages or constants already and are copied.
    """
    factor = 1 - 0.5**half_lives
    for name, network in averaged.items():
        for mean, parameter in zip(network.parameters(), networks[name].parameters(), strict=True):
            mean.lerp_(parameter, factor)
        for mean_buffer, buffer in zip(network.buffers(), networks[name].buffers(), strict=True):
            mean_buffer.copy_(buffer)


def is_finite(modules: nn.ModuleDict) -> bool:
    """Whether every parameter of the networks is a finite number."""
    return all(bool(parameter.isfinite().all()) for parameter in modules.parameters())
