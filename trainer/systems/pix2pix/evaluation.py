"""Measure a generator of pix2pix on held-out pairs, in the way of the published evaluation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from terrainpaint.core.progress import Progress
from terrainpaint.errors import TrainingError
from terrainpaint.models.devices import keep_freed_memory, pick_device
from trainer.data.colour_table import ColourTable
from trainer.data.pair_crops import PairCropping, PairCut, fixed_pairs, pair_places
from trainer.data.pair_set import PairSet, load_pair_set
from trainer.data.tile_set import TRAIN, VALIDATION
from trainer.metrics.features import Features, default_features
from trainer.metrics.pairwise import PUBLISHED_MEASURES, published_measures
from trainer.metrics.set_figures import FEWEST, SetFigures
from trainer.sampling.grid import to_uint8
from trainer.systems.pix2pix.weights import load_translator

GENERATED, SOURCE, TABLE = "generated", "source itself", "mean colour"
OUTPUTS = (GENERATED, SOURCE, TABLE)
"""What is compared with the targets: the generator, and what any generator should beat."""
REDUCED_PX = 16
"""Side to which pictures are reduced to find the nearest training target."""
_BATCH = 32
_CROPS = 0.9
"""Part of the progress; what compares the crops with others is quick."""


@dataclass(frozen=True)
class Options:
    """`weights` a checkpoint or a weights file; `data` a set of pairs; `statistics` and `dropout` of the generator as
    in `translate`; at most `pictures` held-out crops, spread over all, or all of them for 0; `features` that compare
    the sets, None for those of the package if it is installed."""

    weights: Path
    data: Path
    features: Path | None = None
    statistics: str = "picture"
    dropout: bool = True
    pictures: int = 0
    seed: int = 0
    device: str = "auto"


@dataclass(frozen=True)
class SetComparison:
    """`generated` the figures of N = `count` generated pictures against their targets, `floor` those of as many
    training targets, None where there are fewer; `label` and `sha256` of the features."""

    generated: SetFigures
    floor: SetFigures | None
    label: str
    sha256: str
    count: int


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Figures and pictures of N held-out crops.

    `names` of the crops; `values` (outputs, N, 4) `PUBLISHED_MEASURES` by `OUTPUTS`; `source`, `generated`, `target`
    (N, S, S, 3) uint8; `nearest` (N, S, S, 3) uint8 the training target that each generated picture is nearest to, and
    `nearest_names`; `distance` (N,) of the two, root mean square of colours from -1 to 1 in pictures of `REDUCED_PX`;
    `target_distance` (N,) that of the target from the training target nearest to it; `sets` the figures of all
    together, None where features or pictures were missing; `setup` what was measured.
    """

    names: tuple[str, ...]
    values: NDArray[np.float64]
    source: NDArray[np.uint8]
    generated: NDArray[np.uint8]
    target: NDArray[np.uint8]
    nearest: NDArray[np.uint8]
    nearest_names: tuple[str, ...]
    distance: NDArray[np.float64]
    target_distance: NDArray[np.float64]
    sets: SetComparison | None
    setup: Mapping[str, Any]

    @property
    def figures(self) -> dict[str, dict[str, dict[str, float]]]:
        """Output → measure → mean, minimum, maximum and population standard deviation over the crops."""
        return {
            output: {name: _summary(column) for name, column in zip(PUBLISHED_MEASURES, values.T, strict=True)}
            for output, values in zip(OUTPUTS, self.values, strict=True)
        }

    @property
    def memorising(self) -> float | None:
        """How near generated pictures are to training targets, as a fraction of how near real ones are."""
        real = float(self.target_distance.mean())
        return float(self.distance.mean()) / real if real > 0 else None


def evaluate(options: Options, progress: Progress) -> Evaluation:
    """Measure a generator on the held-out pairs of a set.

    Raises TrainingError when the weights, the set or the features cannot be used, or no pair is held out, DeviceError.
    """
    keep_freed_memory()
    device = pick_device(options.device)
    features = default_features(device) if options.features is None else Features.load(options.features, device)
    translator = load_translator(options.weights, device, options.statistics, options.dropout)
    pairs = load_pair_set(options.data)
    training = translator.training
    if training.get("reverse", False):
        pairs = pairs.reversed()
    held_out, train = pairs.subset(VALIDATION), pairs.subset(TRAIN)
    if not len(held_out):
        raise TrainingError(f"{options.data} has no held-out pairs; make it again with --validation above 0.")
    cropping = PairCropping(translator.size_px, PairCut(training.get("cut", "patches")), translator.margin_px)
    places = pair_places(held_out, cropping)
    if options.pictures:
        places = places[np.unique(np.linspace(0, len(places) - 1, options.pictures).astype(int))]

    if len(places) < FEWEST:
        if options.features is not None:
            raise TrainingError(f"{options.data} gives {len(places)} held-out crops, and comparing sets of pictures "
                                f"needs at least {FEWEST}; leave --features out.")  # fmt: skip
        features = None

    def generate(source: Tensor, number: int) -> Tensor:
        return translator(source, options.seed + number)

    setup = {
        "weights": options.weights.name,
        "styles": f"{translator.source_style} → {translator.target_style}",
        "set": options.data.name,
        "styles of the set": pairs.style,
        "held-out pairs": len(held_out),
        "crops": len(places),
        "crop_px": translator.size_px,
        "cut": str(cropping.cut),
        "statistics of the norm": options.statistics,
        "dropout": "on" if options.dropout else "off",
        "seed": options.seed,
        "images of training": training.get("images"),
        "features": None if features is None else features.label,
        "features sha256": None if features is None else features.sha256,
        **{name: training[name] for name in ("generator", "field", "batch", "norm") if name in training},
    }
    return measure(generate, held_out, train, cropping, places, features, setup, progress)


def measure(
    generate: Callable[[Tensor, int], Tensor],
    held_out: PairSet,
    train: PairSet,
    cropping: PairCropping,
    places: NDArray[np.int64],
    features: Features | None,
    setup: Mapping[str, Any],
    progress: Progress,
) -> Evaluation:
    """Measure `generate` on crops of held-out pairs at `places`, one by one, and with `features` all together.

    It gets a source (1, 3, H + 2m, W + 2m) in -1..1 and the number of the crop, and returns (1, 3, H, W).
    """
    table = ColourTable.of(train if len(train) else held_out)
    rim = slice(cropping.margin_px, cropping.margin_px + cropping.size_px)
    values = np.empty((len(OUTPUTS), len(places), len(PUBLISHED_MEASURES)))
    pictures: dict[str, list[NDArray[np.uint8]]] = {"source": [], "generated": [], "target": []}
    for number, place in enumerate(places):
        progress(_CROPS * number / len(places))
        pair = fixed_pairs(held_out, cropping, place[None])
        source, target = pair.source[0, :, rim, rim], pair.target[0]
        generated = generate(pair.source, number)[0]
        (colours,) = to_uint8(source[None])
        by_table = torch.from_numpy(table(colours)).movedim(-1, 0) / 127.5 - 1
        for output, picture in enumerate((generated, source, by_table)):
            values[output, number] = published_measures(target, picture)
        for name, picture in (("source", source), ("generated", generated), ("target", target)):
            pictures[name] += list(to_uint8(picture[None]))
    shown = {name: np.stack(each) for name, each in pictures.items()}
    near = _Nearest(train, cropping)
    nearest, nearest_names, distance = near.of(shown["generated"])
    sets = None
    if features is not None:
        sets = _compare_sets(shown["generated"], shown["target"], near.random_targets(len(places)), features)
    progress(1.0)
    return Evaluation(
        names=tuple(_name(held_out, cropping, place) for place in places),
        values=values,
        nearest=nearest,
        nearest_names=nearest_names,
        distance=distance,
        target_distance=near.of(shown["target"])[2],
        sets=sets,
        setup=setup,
        **shown,
    )


def _compare_sets(
    generated: NDArray[np.uint8], target: NDArray[np.uint8], other: NDArray[np.uint8], features: Features
) -> SetComparison:
    """Of pictures (N, S, S, 3) each; `other` real ones may be fewer."""
    real = features.of(target)
    floor = SetFigures.of(real, features.of(other)) if len(other) == len(target) else None
    return SetComparison(SetFigures.of(real, features.of(generated)), floor, features.label, features.sha256, len(real))


class _Nearest:
    """Finds the training target that is nearest to a picture, also mirrored: by L2 of pictures of `REDUCED_PX`."""

    def __init__(self, train: PairSet, cropping: PairCropping) -> None:
        self._train, self._cropping = train, PairCropping(cropping.size_px, cropping.cut)
        self._places = pair_places(train, self._cropping) if len(train) else np.zeros((0, 3), np.int64)
        batches = [
            _reduced(self._targets(self._places[start : start + _BATCH]))
            for start in range(0, len(self._places), _BATCH)
        ]
        self._keys = np.concatenate(batches) if batches else np.zeros((0, 1), np.float32)

    def of(self, pictures: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], tuple[str, ...], NDArray[np.float64]]:
        """Of pictures (N, S, S, 3): the nearest targets, their names, and (N,) distances; NaN without training."""
        if not len(self._keys):
            return np.full_like(pictures, 255), ("",) * len(pictures), np.full(len(pictures), np.nan)
        best = [self._best(picture) for picture in pictures]
        places = self._places[[index for index, _ in best]]
        names = tuple(_name(self._train, self._cropping, place) for place in places)
        return self._targets(places), names, np.array([distance for _, distance in best])

    def random_targets(self, count: int) -> NDArray[np.uint8]:
        """(N, S, S, 3) random training targets, at most `count`, the same in each call."""
        chosen = np.random.default_rng(0).permutation(len(self._places))[:count]
        size = self._cropping.size_px
        batches = [self._targets(self._places[chosen[start : start + _BATCH]])
                   for start in range(0, len(chosen), _BATCH)]  # fmt: skip
        return np.concatenate([np.zeros((0, size, size, 3), np.uint8), *batches])

    def _best(self, picture: NDArray[np.uint8]) -> tuple[int, float]:
        both = _reduced(np.stack([picture, picture[:, ::-1]]))
        squares = np.stack([np.square(self._keys - query).mean(axis=1) for query in both])
        index = int(squares.min(axis=0).argmin())
        return index, float(np.sqrt(squares[:, index].min()))

    def _targets(self, places: NDArray[np.int64]) -> NDArray[np.uint8]:
        return to_uint8(fixed_pairs(self._train, self._cropping, places).target)


def _reduced(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(N, S, S, 3) uint8 → (N, 3 * REDUCED_PX²) in -1..1: the means of equal parts of the pictures."""
    colours = torch.from_numpy(pictures).movedim(-1, 1).float() / 127.5 - 1
    return functional.adaptive_avg_pool2d(colours, REDUCED_PX).flatten(1).numpy()


def _name(pairs: PairSet, cropping: PairCropping, place: NDArray[np.int64]) -> str:
    pair, row, col = place.tolist()
    return pairs.names[pair] if cropping.cut is PairCut.RESIZE else f"{pairs.names[pair]} ({row}, {col})"


def _summary(column: NDArray[np.float64]) -> dict[str, float]:
    return {"mean": float(column.mean()), "minimum": float(column.min()), "maximum": float(column.max()),
            "standard deviation": float(column.std())}  # fmt: skip
