"""Images a second of a training step, of the default network and of the reference network 1.0 side by side."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import cv2
import numpy as np
import torch

from terrainpaint.models.devices import keep_freed_memory
from trainer.batches import draw_batch
from trainer.config import TrainConfig, add_flags, from_flags
from trainer.crops import CropSource
from trainer.data.tile_set import TileSet
from trainer.distributed import Team
from trainer.steps import Stepper
from trainer.systems import build_system

CPU = torch.device("cpu")
TILE_PX = 256


def bench_train(repeats: int = 3) -> dict[str, float]:
    """Both as their configs say, but with the same crops of 128 px, two a step, and without a perceptual network."""
    keep_freed_memory()
    parser = argparse.ArgumentParser()
    add_flags(parser)
    flags = ["--crop-px", "128", "--batch", "2", "--perceptual-weight", "0", "--balance", "none", "--device", "cpu"]
    found = {
        name: _images_per_s(from_flags(parser.parse_args(flags), Path(config)), repeats)
        for name, config in (("default", "default"), ("reference", "spade-terrain-1.0"))
    }
    return {f"train_{name}_images_per_s": value for name, value in found.items()} | {
        "train_default_over_reference": found["default"] / found["reference"]
    }


def _images_per_s(config: TrainConfig, repeats: int) -> float:
    torch.manual_seed(0)
    random = torch.Generator().manual_seed(0)
    land = _land()
    system = build_system(config, None, None, land.pixel_size_m, CPU)
    source = CropSource(land, system.networks.generator, config.crop_px, CPU)
    system.learn_styles(source, random)
    step = Stepper(system, config, Team(0, 1, CPU), torch.ones(0), None)
    times = []
    for index in range(repeats + 1):  # the first warms up
        start = time.perf_counter()
        step(draw_batch(system, source, config, random, index * config.batch, slice(None)), index * config.batch)
        times.append(time.perf_counter() - start)
    return config.batch / min(times[1:])


def _land() -> TileSet:
    """Four tiles of smooth noise; their classes go by their heights."""
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
