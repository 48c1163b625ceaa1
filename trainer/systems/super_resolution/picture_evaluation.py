"""An evaluation of super-resolution of pictures: held-out pictures made of their own area means, against them."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.progress import Progress
from terrainpaint.errors import TrainingError
from terrainpaint.models.devices import pick_device
from trainer.data.tile_set import VALIDATION, load_tile_set
from trainer.metrics.features import Features
from trainer.metrics.relief import power_spectrum
from trainer.systems.super_resolution.evaluation import Evaluation, EvaluationOptions, halves_kid
from trainer.systems.super_resolution.picture_files import finer, load_pictures

PICTURES, OURS = "pictures", "super-resolution"
_FEWEST, _SHOWN = 8, 4

Pictures = Sequence[NDArray[np.uint8]]


def evaluate_pictures(options: EvaluationOptions, progress: Progress) -> Evaluation:
    """Measure weights of pictures, or a checkpoint, with the held-out pictures of a tile set. Raises TrainingError."""
    file = load_pictures(options.weights)
    tiles = load_tile_set(options.data).subset(VALIDATION)
    if len(tiles) < _FEWEST:
        raise TrainingError(f"{options.data} has {len(tiles)} held-out pictures, and {_FEWEST} are needed; prepare it "
                            "with a larger --validation.")  # fmt: skip
    features = Features.load(options.features, pick_device(options.device))
    factor = file.generator.shape.factor
    kinds: dict[str, list[NDArray[np.uint8]]] = {OURS: [], "bicubic": [], "real": []}
    places = np.unique(np.linspace(0, len(tiles) - 1, min(len(tiles), options.count)).astype(int))
    for number, index in enumerate(places):
        progress(0.8 * number / len(places))
        real = _whole_cells(tiles.texture[index], factor)
        side = len(real)
        small = cv2.resize(real, (side // factor, side // factor), interpolation=cv2.INTER_AREA)
        kinds[OURS].append(finer(file.generator, np.asarray(small, np.uint8), options.seed + number))
        kinds["bicubic"].append(np.asarray(cv2.resize(small, (side, side), interpolation=cv2.INTER_CUBIC), np.uint8))
        kinds["real"].append(real)
    progress(0.8)
    embedded = {name: features.of(np.stack(pictures)) for name, pictures in kinds.items()}
    found = {
        name: {"KID": halves_kid(embedded["real"], embedded[name])} | _figures(pictures, kinds["real"], factor)
        for name, pictures in kinds.items()
    }
    shown = np.linspace(0, len(places) - 1, _SHOWN).astype(int)
    rows = [np.concatenate([kinds[kind][index] for index in shown], axis=1) for kind in ("bicubic", OURS, "real")]
    progress(1.0)
    setup = {
        "weights": options.weights.name, "features": features.label, "times finer": factor, "style": file.style,
        "pictures": f"{len(places)} of {len(kinds['real'][0])} px that were held out", "seed": options.seed,
    }  # fmt: skip
    return Evaluation({"setup": setup, PICTURES: {"crops": len(places), **found}}, {PICTURES: np.concatenate(rows)})


def _whole_cells(picture: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    side = len(picture) // factor * factor
    return np.ascontiguousarray(picture[:side, :side])


def _figures(pictures: Pictures, real: Pictures, factor: int) -> dict[str, float]:
    """Root mean square of the difference, 0..255, and power over the real one of waves that the coarse pictures have
    not, and of the shortest."""
    squares = [np.square(one.astype(np.float32) - two).mean() for one, two in zip(pictures, real, strict=True)]
    ours, theirs = (
        np.mean([power_spectrum(picture.mean(axis=2, dtype=np.float32)) for picture in each], axis=0)
        for each in (pictures, real)
    )
    waves = len(real[0]) / np.arange(1, len(ours) + 1)
    added, finest = waves < 2 * factor, waves < 1.5 * factor
    return {
        "RMS difference": float(np.sqrt(np.mean(squares))),
        f"power of waves under {2 * factor} px": float(ours[added].sum() / theirs[added].sum()),
        f"power of waves under {1.5 * factor:g} px": float(ours[finest].sum() / theirs[finest].sum()),
    }
