"""An evaluation of layouts: their figures against those of the Earth, and whether they are copies of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.progress import Progress
from terrainpaint.errors import TrainingError
from trainer.data.layout_set import load_layout_set
from trainer.data.tile_set import TRAIN, VALIDATION
from trainer.metrics.features import sha256_of
from trainer.systems.layouts.config import LayoutsConfig
from trainer.systems.layouts.crops import LayoutCrops
from trainer.systems.layouts.figures import adjacency, adjacency_distance, distances, figures_of
from trainer.systems.layouts.novelty import LayoutNovelty, layout_novelty
from trainer.systems.layouts.weights import load, sample_ids

FEWEST, SEARCHED = 16, 20_000
"""Fewest layouts of an evaluation; crops of the training that copies are looked for in."""
_CHUNK = 256


@dataclass(frozen=True)
class EvaluationOptions:
    """Files and numbers of an evaluation. Raises TrainingError for values out of range.

    `size_px`: the side at which layouts are compared, None for that of the network. At a larger one its layouts are
    made crisp, as maps are.
    """

    weights: Path
    data: Path
    count: int = 1000
    seed: int = 0
    searched: int = SEARCHED
    size_px: int | None = None

    def __post_init__(self) -> None:
        if self.count < FEWEST:
            raise TrainingError(f"count must be at least {FEWEST}, not {self.count}.")
        if self.seed < 0:
            raise TrainingError(f"seed must be at least 0, not {self.seed}.")


@dataclass(frozen=True, eq=False)
class LayoutEvaluation:
    """`figures` as `results.json` holds them; `held_out` (N, S, S) uint8; `novelty` has the layouts."""

    figures: dict[str, Any]
    held_out: NDArray[np.uint8]
    novelty: LayoutNovelty


def evaluate_layouts(options: EvaluationOptions, progress: Progress) -> LayoutEvaluation:
    """Measure a checkpoint or a weights file with the held-out maps of its set.

    Two times as many crops of the training maps are measured too: the distance of both is the floor. Raises
    TrainingError.
    """
    header = load(options.weights).header
    size_px = header.shape.size_px if options.size_px is None else options.size_px
    if size_px < header.shape.size_px:
        raise TrainingError(f"size_px must be at least {header.shape.size_px}, the side of the layouts of "
                            f"{options.weights.name}, not {size_px}.")  # fmt: skip
    layouts = load_layout_set(options.data)
    config = _config(size_px, header.km, layouts.pixel_size_m)
    random = np.random.default_rng(options.seed)
    training_crops = LayoutCrops(layouts.subset(TRAIN), config)
    held_out = _ids(LayoutCrops(layouts.subset(VALIDATION), config).draw(options.count, random))
    floor, again = (_ids(training_crops.draw(options.count, random)) for _ in range(2))
    progress(0.1)
    samples = sample_ids(options.weights, options.count, options.seed, size_px)
    progress(0.3)
    sets = {"held out": held_out, "training": floor, "again": again, "samples": samples}
    of = {name: figures_of(ids) for name, ids in sets.items()}
    borders = {name: adjacency(ids) for name, ids in sets.items()}
    progress(0.5)
    searched = np.concatenate(
        [_ids(training_crops.draw(_CHUNK, random)) for _ in range(max(1, options.searched // _CHUNK))]
    )
    progress(0.7)
    novelty = layout_novelty(samples, held_out, again, searched, lambda part: progress(0.7 + 0.3 * part))
    figures = {
        "setup": {
            "weights": options.weights.name,
            "weights sha256": sha256_of(options.weights),
            "set sha256": sha256_of(options.data),
            "size_px": size_px,
            "size_px of the network": header.shape.size_px,
            "km": [config.smallest_km, config.largest_km],
            "N": options.count,
            "training crops searched": len(searched),
            "seed": options.seed,
        },
        "means": {name: {kind: _mean(values[name]) for kind, values in of.items()} for name in of["samples"]},
        "distances to training": {
            "samples": distances(of["samples"], of["training"]),
            "training": distances(of["again"], of["training"]),
            "held out": distances(of["held out"], of["training"]),
        },
        "distances to held out": {
            "samples": distances(of["samples"], of["held out"]),
            "training": distances(of["training"], of["held out"]),
        },
        "adjacency": {
            "samples to training": adjacency_distance(borders["samples"], borders["training"]),
            "training to training": adjacency_distance(borders["again"], borders["training"]),
            "held out to training": adjacency_distance(borders["held out"], borders["training"]),
            "samples to held out": adjacency_distance(borders["samples"], borders["held out"]),
        },
        "novelty": novelty.figures,
    }
    return LayoutEvaluation(figures, held_out, novelty)


def _config(size_px: int, km: tuple[float, float], pixel_size_m: float) -> LayoutsConfig:
    """The crops that the network was trained on, but those that have fewer pixels in the set; its widths do not matter
    here."""
    levels = (size_px // 4).bit_length()
    return LayoutsConfig(
        size_px=size_px, widths=(1,) * levels, discriminator_widths=(1,) * (levels - 1),
        smallest_km=min(max(km[0], size_px * pixel_size_m / 1000), km[1]), largest_km=km[1],
    )  # fmt: skip


def _ids(shares: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.asarray(shares.argmax(axis=3), np.uint8)


def _mean(values: NDArray[np.float64]) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else None
