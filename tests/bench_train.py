"""Images per second in training steps of the default network and of the reference network 1.0."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from terrainpaint.models.devices import keep_freed_memory
from trainer.data.tile_set import TileSet
from trainer.loop.distributed import World
from trainer.loop.optimisation import TrainStep
from trainer.systems import SYSTEMS, load_configs

CPU = torch.device("cpu")
TILE_PX = 256


def bench_train(repeats: int = 3) -> dict[str, float]:
    """Both with their configs, except for batches of two crops of 128 px and no perceptual network."""
    keep_freed_memory()
    flags = {"crop_px": 128, "batch": 2, "perceptual_weight": 0.0, "balance": "none", "device": "cpu"}
    measured = {
        name: _images_per_s(Path(config), flags, repeats)
        for name, config in (("default", "default"), ("reference", "spade-terrain-1.0"))
    }
    return {f"train_{name}_images_per_s": value for name, value in measured.items()} | {
        "train_default_over_reference": measured["default"] / measured["reference"]
    }


def _images_per_s(config: Path, flags: dict[str, Any], repeats: int) -> float:
    torch.manual_seed(0)
    random = torch.Generator().manual_seed(0)
    run, own = load_configs("terrain", config, flags)
    world = World(0, 1, CPU)
    system = SYSTEMS["terrain"].build(_land(), run, own)(world, None)
    step = TrainStep(system, run, world)
    times = []
    for index in range(repeats + 1):  # the first is the warm-up
        images = index * run.batch
        start = time.perf_counter()
        step(system.batch(random, images, slice(None)), images)
        times.append(time.perf_counter() - start)
    return run.batch / min(times[1:])


def _land() -> TileSet:
    """Four tiles of smooth noise, with classes by height."""
    random = np.random.default_rng(0)
    shape = 4, TILE_PX, TILE_PX
    height = np.stack([
        np.clip(cv2.resize(random.normal(400, 600, (16, 16)).astype(np.float32), shape[1:],
                           interpolation=cv2.INTER_CUBIC), 0, 5000)
        for _ in range(shape[0])
    ]).astype(np.int16)  # fmt: skip
    return TileSet(
        texture=random.integers(0, 255, (*shape, 3), dtype=np.uint8),
        height=height,
        sea=height <= 0,
        valid=np.ones(shape, bool),
        labels=(height // 800).clip(0, 6).astype(np.uint8)[:, None],
        split=np.zeros(shape[0], np.uint8),
        centre_deg=np.zeros((shape[0], 2), np.float32),
        pixel_size_m=2000.0,
        style="noise",
        credits="",
    )
