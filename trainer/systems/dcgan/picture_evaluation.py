"""An evaluation of a DCGAN: its pictures against held-out ones, and against those that it was trained on."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.progress import Progress
from terrainpaint.errors import TrainingError
from terrainpaint.models.devices import pick_device
from trainer.data.tile_set import TRAIN, VALIDATION, load_tile_set
from trainer.metrics.features import Features, sha256_of
from trainer.metrics.novelty import novelty
from trainer.metrics.set_figures import FEWEST, SetFigures
from trainer.systems.dcgan.weights import sample

SHOWN_COPIES, SHOWN_NEAREST = 8, 6
"""Samples that are shown with their nearest training pictures, and the number of these."""
_QUANTILE = 0.99
_FEATURES_OF_SAMPLES = 0.3
"""Part of the progress; there are more training pictures."""


@dataclass(frozen=True)
class EvaluationOptions:
    """Files and numbers of an evaluation. Raises TrainingError for values out of range."""

    weights: Path
    data: Path
    features: Path
    count: int = 1000
    seed: int = 0
    device: str = "auto"

    def __post_init__(self) -> None:
        if self.count < FEWEST:
            raise TrainingError(f"count must be at least {FEWEST}, not {self.count}.")
        if self.seed < 0:
            raise TrainingError(f"seed must be at least 0, not {self.seed}.")


@dataclass(frozen=True, eq=False)
class PictureEvaluation:
    """`figures` as `results.json` holds them; `samples` and `held_out` (N, S, S, 3) uint8; `nearest` the samples that
    are nearest to training pictures, each followed by these, (`SHOWN_COPIES`, 1 + `SHOWN_NEAREST`, S, S, 3)."""

    figures: dict[str, Any]
    samples: NDArray[np.uint8]
    held_out: NDArray[np.uint8]
    nearest: NDArray[np.uint8]


def evaluate_pictures(options: EvaluationOptions, progress: Progress) -> PictureEvaluation:
    """Measure a checkpoint or a weights file with the held-out pictures of its set.

    The same number of training pictures is measured too: the floor of the distances. Raises TrainingError or
    DeviceError.
    """
    features = Features.load(options.features, pick_device(options.device))
    tiles = load_tile_set(options.data)
    held_out, training = tiles.subset(VALIDATION).texture, tiles.subset(TRAIN).texture
    random = np.random.default_rng(options.seed)
    count = min(options.count, len(held_out), len(training))
    if count < FEWEST:
        raise TrainingError(f"{options.data} holds out {len(held_out)} of {len(tiles)} pictures, and an evaluation "
                            f"needs at least {FEWEST} of each; prepare it with another --validation.")  # fmt: skip
    held_out = held_out[random.permutation(len(held_out))[:count]]
    floor = random.permutation(len(training))[:count]
    samples = sample(options.weights, count, options.seed)
    if samples.shape[1] != tiles.tile_px:
        raise TrainingError(f"{options.weights} makes pictures of {samples.shape[1]} px, {options.data} has some of "
                            f"{tiles.tile_px} px; evaluate weights with a set of their own size.")  # fmt: skip
    of_samples = features.layers(samples)
    progress(_FEATURES_OF_SAMPLES)
    of_training = features.layers(training, lambda part: progress(_FEATURES_OF_SAMPLES * (1 - part) + 0.9 * part))
    of_held_out = features.of(held_out)
    found = novelty(of_samples, of_training, samples, training, SHOWN_NEAREST, 0, _QUANTILE, options.seed)
    late = found.layers["late"]
    shown = np.argsort(-late.nearest_training.best, kind="stable")[:SHOWN_COPIES]
    progress(1.0)
    figures = {
        "setup": {
            "weights": options.weights.name,
            "weights sha256": sha256_of(options.weights),
            "set sha256": sha256_of(options.data),
            "style": tiles.style,
            "size_px": tiles.tile_px,
            "training pictures": len(training),
            "N": count,
            "features": features.label,
            "features sha256": features.sha256,
            "seed": options.seed,
        },
        "generated": asdict(SetFigures.of(of_held_out, of_samples.late)),
        "real": asdict(SetFigures.of(of_held_out, of_training.late[floor])),
        "novelty": {
            "authenticity": late.authenticity,
            "may be copies": int(found.may_be_copy.sum()),
            "quantile": _QUANTILE,
        },
    }
    rows = [np.stack([samples[row], *training[late.nearest_training.indices[row]]]) for row in shown]
    return PictureEvaluation(figures, samples, held_out, np.stack(rows))
