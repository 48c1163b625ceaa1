"""What a run will need, measured with a few of its steps, of which nothing is kept."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch

from terrainpaint.core.main_memory import peak_memory
from trainer.loop.config import RunConfig
from trainer.loop.distributed import World
from trainer.loop.optimisation import TrainStep, averaged_copy
from trainer.loop.precision import resolved_precision
from trainer.loop.system import Build, PenalisedSystem

_BYTES = 4


@dataclass(frozen=True)
class Rehearsal:
    """`step_s` mean seconds of a step; `memory_bytes` the most that it takes, of the graphics card where it computes
    there, else of the process; `parameters` by network; `checkpoint_bytes` of one file."""

    step_s: float
    memory_bytes: int
    parameters: Mapping[str, int]
    checkpoint_bytes: int


def rehearse(build: Build, config: RunConfig, device: torch.device) -> Rehearsal:
    """Take some steps of a run with random weights: one to warm up, one without penalties, and one with each.

    Raises TrainingError as a run would.
    """
    config = replace(config, precision=resolved_precision(config.precision, device))
    torch.manual_seed(config.seed)
    world = World(0, 1, device)
    system = build(world, None)
    # In memory during the whole run.
    averaged = averaged_copy(system)
    step = TrainStep(system, config, world)
    random = torch.Generator().manual_seed(config.seed)

    def seconds(number: int) -> float:
        images = number * config.batch
        start = time.perf_counter()
        step(system.batch(random, images, slice(0, config.batch)), images)
        if device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - start

    intervals: list[int] = []
    if isinstance(system, PenalisedSystem):
        intervals = [each for each in (system.discriminator_interval, system.generator_interval) if each]
    seconds(0)
    if not intervals:
        mean = seconds(1)
    else:
        short, long = min(intervals), max(intervals)
        plain = seconds(1)
        # With one interval, or two equal ones, both are the step with everything.
        everything = seconds(0)
        shorter = seconds(short) if short % long else everything
        mean = plain + max(0.0, shorter - plain) / short + max(0.0, everything - shorter) / long
    memory = torch.cuda.max_memory_allocated(device) if device.type == "cuda" else peak_memory()
    parameters = {name: sum(each.numel() for each in network.parameters()) for name, network in system.networks.items()}
    # The weights with both means of Adam, and the averages.
    numbers = 3 * sum(parameters.values()) + sum(each.numel() for each in averaged.parameters())
    return Rehearsal(mean, memory, {name: count for name, count in parameters.items() if count}, numbers * _BYTES)
