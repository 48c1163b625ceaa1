"""How long a run will take, from some steps of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import torch

from terrainpaint.models.devices import pick_device
from trainer.loop.config import RunConfig
from trainer.loop.distributed import World
from trainer.loop.optimisation import TrainStep
from trainer.loop.system import Build

_STEPS = 3
_MOST_IMAGES = 32
"""In a step: one of a thousand would take minutes without saying more."""


def seconds_per_image(build: Callable[[RunConfig], Build], config: RunConfig) -> float:
    """Time of training on an image, measured in three steps after a first one; `build` gets the configuration of these
    steps, which are of 32 images at most. Nothing is written."""
    config = replace(config, batch=min(config.batch, _MOST_IMAGES), accumulate=1)
    world = World(0, 1, pick_device(config.device))
    system = build(config)(world, None)
    step = TrainStep(system, config, world)
    random = torch.Generator().manual_seed(config.seed)
    start = time.perf_counter()
    for number in range(_STEPS + 1):
        images = number * config.batch
        step(system.batch(random, images, slice(0, config.batch)), images)
        if number == 0:
            start = time.perf_counter()
    if world.device.type == "cuda":
        torch.cuda.synchronize()
    return (time.perf_counter() - start) / (_STEPS * config.batch)
