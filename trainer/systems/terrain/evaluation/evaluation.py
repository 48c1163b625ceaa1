"""An evaluation, from its files to its measurements."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from terrainpaint.core.progress import Progress
from terrainpaint.core.segmentation import MAX_MAP_SIDE_PX
from terrainpaint.errors import TrainingError
from terrainpaint.generation.generator import Generator
from terrainpaint.models.devices import pick_device
from terrainpaint.models.weights import WeightsHeader, read_header
from trainer.data.tile_set import TRAIN, VALIDATION, TileSet, load_tile_set
from trainer.metrics.features import Features, sha256_of
from trainer.metrics.relief import NEAR_PX
from trainer.systems.terrain.evaluation import segmenter
from trainer.systems.terrain.evaluation.generator_checks import consistency, uniform_maps
from trainer.systems.terrain.evaluation.measure import EvaluationNetworks, measure
from trainer.systems.terrain.evaluation.measurements import Measurements
from trainer.systems.terrain.evaluation.real_crops import RealCrops
from trainer.systems.terrain.evaluation.shading_leak import fit_unshading

SEGMENTER_FILE = "segmenter.safetensors"
_SEGMENTER_CROPS, _SEGMENTER_CROP_PX = 4000, 128

Steps = Callable[[str], AbstractContextManager[Progress]]
"""Name of a step → its progress, for as long as the step lasts."""


@dataclass(frozen=True)
class Options:
    """Files, sizes and seeds of an evaluation.

    `held_out` is a set whose tiles are all measured, None for the held-out tiles of `data`; `shard` is (number, count),
    number from 0; `segmenter` None means one in the folder of the report. Raises TrainingError for values out of
    range.
    """

    weights: Path
    data: Path
    features: Path
    held_out: Path | None = None
    crops: int = 400
    crop_px: int = 256
    uniform_px: int = 2048
    seed: int = 0
    device: str = "auto"
    segmenter: Path | None = None
    shard: tuple[int, int] = (0, 1)

    def __post_init__(self) -> None:
        if self.crops < 2:
            raise TrainingError(f"crops must be at least 2, not {self.crops}.")
        if self.crop_px < 64 or self.crop_px % 16:
            raise TrainingError(f"crop_px must be a multiple of 16, at least 64, not {self.crop_px}.")
        if not 2 * NEAR_PX < self.uniform_px <= MAX_MAP_SIDE_PX:
            raise TrainingError(
                f"uniform_px must be over {2 * NEAR_PX}, at most {MAX_MAP_SIDE_PX}, not {self.uniform_px}."
            )
        if not 0 <= self.shard[0] < self.shard[1]:
            raise TrainingError(f"There is no shard {self.shard[0] + 1} of {self.shard[1]}; count from 1/N to N/N.")


def evaluate(options: Options, folder: Path, steps: Steps) -> Measurements:
    """Measure weights on the held-out tiles of a set. Without a segmenter file, the segmenter is trained first.

    Raises TrainingError, WeightsError, DeviceError or OutputError; wrong inputs are found before the long steps.
    """
    header = read_header(options.weights)
    device = pick_device(options.device)
    features = Features.load(options.features, device)
    tiles = load_tile_set(options.data)
    _check_match(header, tiles, options.data, options)
    held_out_tiles, train_tiles = tiles.subset(VALIDATION), tiles.subset(TRAIN)
    if options.held_out is not None:
        held_out_tiles = load_tile_set(options.held_out)
        _check_match(header, held_out_tiles, options.held_out, options)
    if not len(held_out_tiles):
        raise TrainingError(f"{options.data} has no held-out regions; prepare it with --validation above 0.")
    held_out = RealCrops(held_out_tiles, options.crop_px, options.crops, options.seed)
    elsewhere = RealCrops(train_tiles, options.crop_px, options.crops, options.seed + 1)
    count = min(len(held_out), len(elsewhere))
    if count < 2:
        raise TrainingError(f"{options.held_out or options.data} has room for {count} crops of {options.crop_px} px; "
                            "lower --crop-px.")  # fmt: skip
    held_out = held_out.first(count)
    generator = Generator.load(options.weights, options.device)
    path = options.segmenter or folder / SEGMENTER_FILE
    crop_px = min(options.crop_px, _SEGMENTER_CROP_PX)
    segmenter_crops = RealCrops(train_tiles, crop_px, _SEGMENTER_CROPS, options.seed + 2)
    with steps("Segmenter") as progress:
        network, segmenter_sha256 = segmenter.load_or_train(
            path, segmenter_crops, tiles.pixel_size_m, tiles.style, options.seed, device, progress
        )
    unshading = fit_unshading(elsewhere, tiles.pixel_size_m)
    setup = {
        "weights": options.weights.name,
        "weights sha256": generator.sha256,
        "network": header.network,
        "images": (header.training or {}).get("images"),
        "style": header.style,
        "pixel_size_m": header.pixel_size_m,
        "set sha256": sha256_of(options.data),
        **({} if options.held_out is None else {"held-out set sha256": sha256_of(options.held_out)}),
        "held-out tiles": len(held_out_tiles),
        "crops": count,
        "crop_px": options.crop_px,
        "seed": options.seed,
        "features": features.label,
        "features sha256": features.sha256,
        "features seen in training": was_seen_in_training(header.training or {}, features.name),
        "segmenter sha256": segmenter_sha256,
        "shading explained": round(unshading.explained, 6),
    }
    networks = EvaluationNetworks(features, network, unshading)
    with steps("Evaluating") as progress:
        measurements = measure(generator, held_out, elsewhere, networks, options.shard, options.seed, setup, progress)
    if options.shard[0]:
        return measurements
    checks: dict[str, Any] = {}
    with steps("One class alone") as progress:
        checks["repetition"] = uniform_maps(generator, options.uniform_px, progress)
    checks["checks"] = consistency(generator, options.weights, options.device, held_out[0].ids)
    return replace(measurements, checks=checks)


def was_seen_in_training(training: Mapping[str, Any], network: str) -> bool:
    """Whether a loss of the training compared features of a network; the settings have the name of its file."""
    is_used = bool(training.get("projected")) or bool(training.get("perceptual_weight"))
    return is_used and network.split()[0].lower() in str(training.get("perceptual", "")).lower()


def _check_match(header: WeightsHeader, tiles: TileSet, path: Path, options: Options) -> None:
    if header.style != tiles.style:
        raise TrainingError(
            f"{options.weights} is of the style {header.style!r} and {path} of {tiles.style!r}; evaluate "
            "weights with a set of their own style."
        )
    if not math.isclose(header.pixel_size_m, tiles.pixel_size_m, rel_tol=1e-6):
        raise TrainingError(
            f"{options.weights} is for pixels of {header.pixel_size_m:g} m and those of {path} are "
            f"{tiles.pixel_size_m:g} m; evaluate weights with a set of their own pixel size."
        )
