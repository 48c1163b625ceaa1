"""Checks of a generator that need no real land: repetition, seams, determinism and speed."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from terrainpaint.core.classes import CLASS_COUNT, CLASS_NAMES, WATER
from terrainpaint.core.progress import Progress
from terrainpaint.core.rects import Rect
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.core.terrain import Recipe
from terrainpaint.generation.generator import Generator
from terrainpaint.models.devices import pick_device
from trainer.metrics.relief import autocorrelation_peak
from trainer.systems.terrain.evaluation.class_squares import square_means, square_sums

_SIDE_PX = 512
_RUNS = 5


def uniform_maps(generator: Generator, side_px: int, progress: Progress) -> dict[str, Any]:
    """Maps (side_px, side_px) of one class alone: `peaks` the largest autocorrelation of the heights, and `squares`
    the figures of `class_squares`, both by the name of the class of land."""
    peaks, squares = {}, {}
    for class_id in range(CLASS_COUNT):
        if class_id != WATER:
            uniform = SegmentationMap(np.full((side_px, side_px), class_id, np.uint8))
            height = generator.terrain(uniform, Recipe(1)).height
            name = CLASS_NAMES[class_id]
            peaks[name] = autocorrelation_peak(height)
            squares[name] = square_means(square_sums(height, uniform.ids))[class_id]
        progress((class_id + 1) / CLASS_COUNT)
    return {"side": side_px, "peaks": peaks, "squares": squares}


def consistency(generator: Generator, weights: Path, device: str, ids: NDArray[np.uint8]) -> dict[str, Any]:
    """Seams, determinism and speed on a map `ids` (S, S), repeated up to 512 x 512 px.

    `repeats`: the same bits come again, also from weights that are loaded again; `seam_colour` 0..255 and
    `seam_height_m` metres: largest difference of tiles from the whole; `seconds_512`: median time.
    """
    times = -(-_SIDE_PX // len(ids))
    painted = SegmentationMap(np.ascontiguousarray(np.tile(ids, (times, times))[:_SIDE_PX, :_SIDE_PX]))
    whole = generator.terrain(painted, Recipe(1))
    seconds = []
    for _ in range(_RUNS):
        start = time.perf_counter()
        again = generator.terrain(painted, Recipe(1))
        seconds.append(time.perf_counter() - start)
    reloaded = Generator.load(weights, device).terrain(painted, Recipe(1))
    repeats = all(
        np.array_equal(whole.albedo, other.albedo) and np.array_equal(whole.height, other.height)
        for other in (again, reloaded)
    )
    colour, metres = 0, 0.0
    side = _SIDE_PX // 4
    for row in range(0, _SIDE_PX, side):
        for col in range(0, _SIDE_PX, side):
            rect = Rect(row, col, side, side)
            albedo, height = generator.patch(painted, rect, Recipe(1))
            colour = max(colour, int(np.abs(albedo.astype(np.int16) - whole.albedo[rect.slices]).max()))
            metres = max(metres, float(np.abs(height - whole.height[rect.slices]).max()))
    return {
        "repeats": repeats,
        "seam_colour": colour,
        "seam_height_m": metres,
        "seconds_512": float(np.median(seconds)),
        "device": _device_name(device),
    }


def _device_name(device: str) -> str:
    kind = pick_device(device)
    if kind.type == "cuda":
        return torch.cuda.get_device_name(kind)
    return f"cpu, {torch.get_num_threads()} of {os.cpu_count()} threads" if kind.type == "cpu" else kind.type
