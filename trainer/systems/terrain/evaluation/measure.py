"""Generate land from the maps of held-out crops, and measure it together with the real land, crop by crop."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import CLASS_COUNT, WATER
from terrainpaint.core.progress import Cancel, Progress, check_cancel, never_cancel, no_progress
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.core.shading import hillshade
from terrainpaint.core.terrain import Recipe
from terrainpaint.generation.generator import Generator
from trainer.metrics.features import Features, mean_distance
from trainer.metrics.pairwise import pair_measures
from trainer.metrics.relief import finest_power, power_spectrum
from trainer.systems.terrain.evaluation import height_statistics as heights
from trainer.systems.terrain.evaluation.class_squares import square_sums
from trainer.systems.terrain.evaluation.drainage import drainage_counts
from trainer.systems.terrain.evaluation.measurements import Measurements
from trainer.systems.terrain.evaluation.real_crops import RealCrop, RealCrops
from trainer.systems.terrain.evaluation.segmenter import Segmenter, confusion_matrix
from trainer.systems.terrain.evaluation.shading_leak import Unshading, leak_moments
from trainer.systems.terrain.evaluation.views import FINEST_LAYERS, View, views_of

LIGHT = {"azimuth_deg": 315.0, "altitude_deg": 45.0, "exaggeration": 4.0}
SHOWN = 8
"""Number of crops whose pictures are kept for the report."""
DIVERSITY_MAPS, DIVERSITY_SEEDS = 12, 4
"""Number of maps that land is generated from with several seeds, and of the seeds."""
DIVERSITY_SHOWN = 2
"""Number of those maps whose pictures are kept for the report."""
_SEED_STRIDE = 1 << 20


@dataclass(frozen=True, eq=False)
class Land:
    """Square land to compare, row 0 = north: `albedo` and `shaded` (C, C, 3) uint8 sRGB, `height` (C, C) float32 whole
    metres, as tile sets store them."""

    albedo: NDArray[np.uint8]
    shaded: NDArray[np.uint8]
    height: NDArray[np.float32]

    def relief(self, pixel_size_m: float) -> NDArray[np.uint8]:
        """(C, C, 3) uint8: hillshade of the height in a fixed light."""
        grey = np.rint(hillshade(self.height, pixel_size_m, **LIGHT) * 255).astype(np.uint8)
        return np.repeat(grey[:, :, None], 3, axis=2)


@dataclass(frozen=True, eq=False)
class EvaluationNetworks:
    """The networks that measure, and the shading of the tile set: the same for every evaluated generator."""

    features: Features
    segmenter: Segmenter
    unshading: Unshading


def measure(
    generator: Generator,
    held_out: RealCrops,
    elsewhere: RealCrops,
    networks: EvaluationNetworks,
    shard: tuple[int, int],
    seed: int,
    setup: dict[str, Any],
    progress: Progress = no_progress,
    cancel: Cancel = never_cancel,
) -> Measurements:
    """Measure the crops i of `held_out` with i % count == number, where `shard` is (number, count).

    `elsewhere` is other real land, at least as many crops: its distance from the held-out land is the floor of every
    distance. Land is generated for crop i with the seed `seed + i`. Raises Cancelled.
    """
    number, count = shard
    rows: dict[str, list[Any]] = defaultdict(list)
    sums: dict[str, NDArray[np.int64]] = {}
    indices = range(number, len(held_out), count)
    for done, index in enumerate(indices):
        check_cancel(cancel)
        progress(done / len(indices))
        crop = _CropMeasurement(generator, held_out[index], elsewhere[index], networks, seed + index)
        for name, counts in crop.sums().items():
            sums[name] = sums.get(name, 0) + counts
        for name, value in crop.rows(index).items():
            rows[name].append(value)
    progress(1.0)
    return Measurements({name: np.stack(values) for name, values in rows.items()}, sums, setup, {})


def colour_sums(picture: NDArray[np.uint8], ids: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(7, 4): for each class of a map (H, W), the number of its pixels and the sums of their red, green and blue."""
    columns = [np.bincount(ids.ravel(), minlength=CLASS_COUNT)]
    columns += [np.bincount(ids.ravel(), picture[..., channel].ravel(), CLASS_COUNT) for channel in range(3)]
    return np.stack(columns, axis=1).astype(np.float64)


def _features(features: Features, lands: Sequence[Land], pixel_size_m: float) -> NDArray[np.float32]:
    """(lands, views, F). Batches are those of one crop: the distribution of crops over machines must not change a
    bit."""
    views = views_of(len(lands[0].height))
    layers = [{"shaded": land.shaded, "albedo": land.albedo, "relief": land.relief(pixel_size_m)} for land in lands]
    by_view: dict[View, NDArray[np.float32]] = {}
    for reduction in {view.reduction: None for view in views}:
        same_size = [view for view in views if view.reduction == reduction]
        values = features.of(np.stack([view.of(land[view.layer]) for land in layers for view in same_size]))
        by_view |= zip(same_size, values.reshape(len(lands), len(same_size), -1).swapaxes(0, 1), strict=True)
    return np.stack([by_view[view] for view in views], axis=1)


class _CropMeasurement:
    """One map with its real land, the land generated from it, and real land from elsewhere."""

    def __init__(
        self, generator: Generator, crop: RealCrop, elsewhere: RealCrop, networks: EvaluationNetworks, seed: int
    ) -> None:
        self._generator, self._networks, self._seed = generator, networks, seed
        self._pixel_size_m = generator.header.pixel_size_m
        self._ids, self._elsewhere_ids = crop.ids, elsewhere.ids
        self._places = crop.place, elsewhere.place
        self._sea = heights.sea_water(crop.ids, crop.sea)
        self._real, self._elsewhere = self._real_land(crop), self._real_land(elsewhere)
        self._generated = self._generate(seed)

    def sums(self) -> dict[str, NDArray[np.int64]]:
        """Counts that add up over crops."""
        sums = {}
        for name, land, ids in (
            ("real", self._real, self._ids),
            ("generated", self._generated, self._ids),
            ("elsewhere", self._elsewhere, self._elsewhere_ids),
        ):
            slope = heights.gradient(land.height, self._pixel_size_m)
            sums[f"elevation {name}"] = heights.histograms_by_class(land.height, ids, heights.ELEVATION_EDGES_M)
            sums[f"slope {name}"] = heights.histograms_by_class(slope, ids, heights.SLOPE_EDGES)
        pictures, grounds = (
            np.stack([getattr(land, layer) for land in (self._real, self._generated)]) for layer in ("shaded", "height")
        )
        predicted = self._networks.segmenter.classes(pictures, grounds, self._pixel_size_m)
        for name, land, classes in (("real", self._real, predicted[0]), ("generated", self._generated, predicted[1])):
            sums[f"confusion {name}"] = confusion_matrix(self._ids, classes)
            sums[f"coasts {name}"] = heights.coast_counts(land.height, self._ids, self._sea)
            sums[f"depressions {name}"] = heights.depression_counts(land.height, self._ids)
            sums[f"drainage {name}"] = drainage_counts(land.height, self._ids == WATER)
        return sums

    def rows(self, index: int) -> dict[str, Any]:
        """Values of this crop."""
        lands = (self._real, self._generated, self._elsewhere)
        features = _features(self._networks.features, lands, self._pixel_size_m)
        rows: dict[str, Any] = {
            "crop@all": index,
            "places@all": np.array(self._places, np.int64),
            "features@all": features,
            "pair@all": pair_measures(self._real.shaded, self._generated.shaded),
        }
        pair = {"real": self._real, "generated": self._generated}
        for name, land in pair.items():
            rows[f"spectrum {name}@all"] = power_spectrum(land.height)
            rows[f"finest {name}@all"] = np.array([finest_power(getattr(land, layer)) for layer in FINEST_LAYERS])
            rows[f"colours {name}@all"] = colour_sums(land.shaded, self._ids)
            rows[f"squares {name}@all"] = square_sums(land.height, self._ids)
            for layer in ("albedo", "shaded"):
                picture = getattr(land, layer)
                rows[f"leak {layer} {name}@all"] = leak_moments(picture, land.height, self._ids, self._pixel_size_m)
        if index < SHOWN:
            rows |= {"crop@shown": index, "ids@shown": self._ids}
            for name, land in pair.items():
                rows |= {f"{layer} {name}@shown": getattr(land, layer) for layer in ("shaded", "albedo", "height")}
        if index < DIVERSITY_MAPS:
            rows |= self._diversity(index)
        return rows

    def _diversity(self, index: int) -> dict[str, Any]:
        """Distances of the lands of several seeds: features of picture and relief, colour 0..1, metres."""
        seeds = [_SEED_STRIDE * number + self._seed for number in range(1, DIVERSITY_SEEDS)]
        lands = [self._generated, *(self._generate(seed) for seed in seeds)]
        pictures = np.stack([land.shaded for land in lands])
        reliefs = np.stack([land.relief(self._pixel_size_m) for land in lands])
        ground = np.stack([land.height for land in lands])[:, self._ids != 0]
        distances = [mean_distance(self._networks.features.of(views)) for views in (pictures, reliefs)]
        pairs = [(i, j) for i in range(DIVERSITY_SEEDS) for j in range(i)]
        colour = np.mean([np.abs(pictures[i].astype(np.float32) - pictures[j]).mean() / 255 for i, j in pairs])
        metres = np.mean([np.abs(ground[i] - ground[j]).mean() for i, j in pairs])
        rows: dict[str, Any] = {
            "crop@diversity": index,
            "distances@diversity": np.array([*distances, colour, metres], np.float64),
        }
        if index < DIVERSITY_SHOWN:
            rows |= {"crop@seeds": index, "shaded@seeds": pictures, "ids@seeds": self._ids}
        return rows

    def _generate(self, seed: int) -> Land:
        terrain = self._generator.terrain(SegmentationMap(self._ids), Recipe(seed))
        return Land(terrain.albedo, self._generator.shaded(terrain), np.rint(terrain.height) + np.float32(0))

    def _real_land(self, crop: RealCrop) -> Land:
        return Land(self._networks.unshading.albedo(crop.picture, crop.height), crop.picture, crop.height)
