"""Generate the land of held-out maps and measure it beside the real land, crop by crop."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from terrainpaint.core.progress import Cancel, Progress, check_cancel, never_cancel, no_progress
from terrainpaint.core.rects import Rect
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.core.shading import hillshade
from terrainpaint.core.terrain import Recipe
from terrainpaint.generate.generator import Generator
from terrainpaint.models.devices import pick_device
from trainer.evaluation import heights, leak
from trainer.evaluation.distances import between_all, pair
from trainer.evaluation.features import Features
from trainer.evaluation.parts import Part
from trainer.evaluation.regions import Crop, Regions
from trainer.evaluation.segmenter import Segmenter, confusion
from trainer.evaluation.unshading import Unshading

LIGHT = {"azimuth_deg": 315.0, "altitude_deg": 45.0, "exaggeration": 4.0}
SHOWN = 8
"""Crops of which the pictures are kept."""
SEEDED = 12
"""Maps from which the land of several seeds is made; of the first two, the pictures are kept."""
SEEDS = 4
_OTHER_SEEDS = 1 << 20
_SPEED_PX = 512
_SPEED_RUNS = 5


@dataclass(frozen=True, eq=False)
class Land:
    """Square land to compare, row 0 = north: `albedo` and `shaded` (C, C, 3) uint8 sRGB, `height` (C, C) float32 whole
    metres, as prepared sets have them."""

    albedo: NDArray[np.uint8]
    shaded: NDArray[np.uint8]
    height: NDArray[np.float32]

    def relief(self, pixel_size_m: float) -> NDArray[np.uint8]:
        """(C, C, 3) uint8: the height alone, in fixed light."""
        grey = np.rint(hillshade(self.height, pixel_size_m, **LIGHT) * 255).astype(np.uint8)
        return np.repeat(grey[:, :, None], 3, axis=2)


@dataclass(frozen=True, eq=False)
class Judges:
    """What measures: the same for every generator."""

    features: Features
    segmenter: Segmenter
    unshading: Unshading


def measure(
    generator: Generator,
    held_out: Regions,
    other: Regions,
    judges: Judges,
    shard: tuple[int, int],
    seed: int,
    told: dict[str, Any],
    progress: Progress = no_progress,
    cancel: Cancel = never_cancel,
) -> Part:
    """Measure the crops `i` of `held_out` with `i % count == number`, where `shard` is (number, count).

    `other` is real land elsewhere, at least as many crops: what the held-out land differs from it is the floor of every
    distance. Crop i is made with the seed `seed + i`. Raises Cancelled.
    """
    number, count = shard
    rows: dict[str, list[Any]] = defaultdict(list)
    sums: dict[str, NDArray[np.int64]] = {}
    chosen = range(number, len(held_out), count)
    for done, index in enumerate(chosen):
        check_cancel(cancel)
        progress(done / len(chosen))
        found = _Crop(generator, held_out[index], other[index], judges, seed + index)
        for name, counted in found.sums().items():
            sums[name] = sums.get(name, 0) + counted
        for name, value in found.rows(index).items():
            rows[name].append(value)
    progress(1.0)
    return Part({name: np.stack(each) for name, each in rows.items()}, sums, told, {})


class _Crop:
    """One map with the real land that it belongs to, the land that was made of it, and real land of somewhere else."""

    def __init__(self, generator: Generator, crop: Crop, other: Crop, judges: Judges, seed: int) -> None:
        self._generator, self._judges, self._seed = generator, judges, seed
        self._size = generator.header.pixel_size_m
        self._ids, self._sea, self._other_ids = crop.ids, heights.sea_water(crop.ids, crop.sea), other.ids
        self._real, self._other = self._known(crop), self._known(other)
        self._made = self._generated(seed)

    def sums(self) -> dict[str, NDArray[np.int64]]:
        """Counts that add up over crops."""
        found = {}
        for name, land, ids in (
            ("real", self._real, self._ids),
            ("made", self._made, self._ids),
            ("other", self._other, self._other_ids),
        ):
            steep = heights.steepness(land.height, self._size)
            found[f"elevation {name}"] = heights.by_class(land.height, ids, heights.ELEVATION_EDGES_M)
            found[f"slope {name}"] = heights.by_class(steep, ids, heights.SLOPE_EDGES)
        pictures, grounds = (
            np.stack([getattr(land, kind) for land in (self._real, self._made)]) for kind in ("shaded", "height")
        )
        said = self._judges.segmenter.classes(pictures, grounds, self._size)
        for name, land, classes in (("real", self._real, said[0]), ("made", self._made, said[1])):
            found[f"confusion {name}"] = confusion(self._ids, classes)
            found[f"coasts {name}"] = heights.coasts(land.height, self._ids, self._sea)
            found[f"depressions {name}"] = heights.depressions(land.height, self._ids)
        return found

    def rows(self, index: int) -> dict[str, Any]:
        """Values of this crop."""
        lands = {"real": self._real, "made": self._made, "other": self._other}
        # One batch a crop: how crops are shared out over machines must not change a bit.
        views = [each for land in lands.values() for each in (land.shaded, land.albedo, land.relief(self._size))]
        found: dict[str, Any] = {
            "number@all": index,
            "features@all": self._judges.features.of(np.stack(views)).reshape(3, 3, -1),
            "pair@all": pair(self._real.shaded, self._made.shaded),
        }
        for name in ("real", "made"):
            land = lands[name]
            found[f"spectrum {name}@all"] = heights.spectrum(land.height)
            for kind in ("albedo", "shaded"):
                picture = getattr(land, kind)
                found[f"leak {kind} {name}@all"] = leak.moments(picture, land.height, self._ids, self._size)
        if index < SHOWN:
            found |= {"number@shown": index, "ids@shown": self._ids}
            for name in ("real", "made"):
                land = lands[name]
                for kind in ("shaded", "albedo", "height"):
                    found[f"{kind} {name}@shown"] = getattr(land, kind)
        if index < SEEDED:
            found |= self._seeds(index)
        return found

    def _seeds(self, index: int) -> dict[str, Any]:
        """How far the lands of several seeds are apart: features of picture and relief, colour 0..1, metres."""
        again = [self._generated(_OTHER_SEEDS * (each + 1) + self._seed) for each in range(SEEDS - 1)]
        lands = [self._made, *again]
        pictures = np.stack([land.shaded for land in lands])
        reliefs = np.stack([land.relief(self._size) for land in lands])
        ground = np.stack([land.height for land in lands])[:, self._ids != 0]
        distances = [between_all(self._judges.features.of(each)) for each in (pictures, reliefs)]
        pairs = [(i, j) for i in range(SEEDS) for j in range(i)]
        colour = np.mean([np.abs(pictures[i].astype(np.float32) - pictures[j]).mean() / 255 for i, j in pairs])
        metres = np.mean([np.abs(ground[i] - ground[j]).mean() for i, j in pairs])
        found: dict[str, Any] = {
            "number@seeds": index,
            "apart@seeds": np.array([*distances, colour, metres], np.float64),
        }
        if index < 2:
            found |= {"number@again": index, "shaded@again": pictures, "ids@again": self._ids}
        return found

    def _generated(self, seed: int) -> Land:
        terrain = self._generator.terrain(SegmentationMap(self._ids), Recipe(seed))
        return Land(terrain.albedo, self._generator.shaded(terrain), np.rint(terrain.height) + np.float32(0))

    def _known(self, crop: Crop) -> Land:
        return Land(self._judges.unshading.albedo(crop.picture, crop.height), crop.picture, crop.height)


def check(generator: Generator, weights: Path, device: str, ids: NDArray[np.uint8]) -> dict[str, Any]:
    """Seams, determinism and speed on a map `ids` (S, S), repeated until it has 512 x 512 px."""
    times = -(-_SPEED_PX // len(ids))
    painted = SegmentationMap(np.ascontiguousarray(np.tile(ids, (times, times))[:_SPEED_PX, :_SPEED_PX]))
    whole = generator.terrain(painted, Recipe(1))
    seconds = []
    for _ in range(_SPEED_RUNS):
        start = time.perf_counter()
        again = generator.terrain(painted, Recipe(1))
        seconds.append(time.perf_counter() - start)
    # Not only twice from one object: once from the file anew.
    fresh = Generator.load(weights, device).terrain(painted, Recipe(1))
    same = all(
        np.array_equal(whole.albedo, each.albedo) and np.array_equal(whole.height, each.height)
        for each in (again, fresh)
    )
    colour, metres = 0, 0.0
    side = _SPEED_PX // 4
    for row in range(0, _SPEED_PX, side):
        for col in range(0, _SPEED_PX, side):
            rect = Rect(row, col, side, side)
            albedo, height = generator.patch(painted, rect, Recipe(1))
            colour = max(colour, int(np.abs(albedo.astype(np.int16) - whole.albedo[rect.slices]).max()))
            metres = max(metres, float(np.abs(height - whole.height[rect.slices]).max()))
    found = pick_device(device)
    name = torch.cuda.get_device_name(found) if found.type == "cuda" else found.type
    return {
        "repeats": same,
        "seam_colour": colour,
        "seam_height_m": metres,
        "seconds_512": float(np.median(seconds)),
        "device": f"{name}, {torch.get_num_threads()} of {os.cpu_count()} threads" if found.type == "cpu" else name,
    }
