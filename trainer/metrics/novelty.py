"""Are samples new, or copies of training pictures? Their nearest training pictures, and how near real pictures are to
one another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.progress import Cancel, Progress, never_cancel, no_progress
from trainer.metrics.features import TwoLayers
from trainer.metrics.nearest import Excluded, Neighbours, nearest

CALIBRATION_PICTURES = 4096
"""Number of training pictures whose nearest other one is searched, at most."""
_THUMBNAIL_PX = 16
DUPLICATE_RMS = 5.0
"""Two pictures are duplicates when their thumbnails of 16 px differ less than this, of 255."""


@dataclass(frozen=True, eq=False)
class LayerNovelty:
    """The comparison of Q samples with the training pictures in the features of one layer.

    `nearest_training` of each sample; `nearest_samples` of each of `Novelty.shown_training`; `between_real` (M,)
    float32 ascending, the similarity of training pictures to their nearest other one; `threshold` the quantile of it
    from which a sample may be a copy; `percentile` (Q,) float64 in 0..1, the fraction of `between_real` below a sample;
    `authenticity` the fraction of samples that are farther from their nearest training picture than that picture is
    from its own nearest other one (Alaa and others 2022): about one half for new pictures of the same kind, 0 for
    copies.
    """

    nearest_training: Neighbours
    nearest_samples: Neighbours
    between_real: NDArray[np.float32]
    threshold: float
    percentile: NDArray[np.float64]
    authenticity: float


@dataclass(frozen=True, eq=False)
class Novelty:
    """`layers` by name, "late", "early" and "pixels"; `may_be_copy` (Q,) bool, samples beyond the threshold of a layer;
    `shown_training` (T,) int64, training pictures whose nearest samples are given; `duplicates` the fraction of
    training pictures that have a duplicate among them."""

    layers: Mapping[str, LayerNovelty]
    may_be_copy: NDArray[np.bool_]
    shown_training: NDArray[np.int64]
    duplicates: float


def novelty(
    samples: TwoLayers,
    training: TwoLayers,
    sample_pictures: NDArray[np.uint8],
    training_pictures: NDArray[np.uint8],
    count: int,
    shown: int,
    quantile: float,
    seed: int,
    progress: Progress = no_progress,
    cancel: Cancel = never_cancel,
) -> Novelty:
    """Compare samples (Q, H, W, 3) uint8 with the training pictures (N, H, W, 3), N at least 2, by cosine of their
    features minus the mean of the training pictures, and of the pixels of their thumbnails in the same way: a network
    sees noise and blur that hide a copy from it, a thumbnail does not.

    `count` nearest ones are given each way, for all samples and for `shown` random training pictures. `quantile` of
    the similarities between real pictures is the threshold; duplicates of a picture do not count, since with them
    exact copies alone would be beyond it. Raises Cancelled.
    """
    random = np.random.default_rng(seed)
    shuffled = random.permutation(len(training_pictures))
    shown_training, rows = np.sort(shuffled[:shown]), np.sort(shuffled[:CALIBRATION_PICTURES])
    thumbnails = _Thumbnails(training_pictures)
    features = {
        "late": (samples.late, training.late),
        "early": (samples.early, training.early),
        "pixels": (_small(sample_pictures), thumbnails.values),
    }
    layers = {}
    for index, (name, (of_samples, of_training)) in enumerate(features.items()):
        mean = of_training.mean(axis=0)
        # Without it all pictures are alike, since few features are ever negative.
        ours, theirs = of_samples - mean, of_training - mean

        def part(fraction: float, index: int = index) -> None:
            progress((index + fraction) / len(features))

        to_training = nearest(ours, theirs, count, cancel=cancel)
        to_samples = nearest(theirs[shown_training], ours, count, cancel=cancel)
        of_real = nearest(theirs[rows], theirs, 1, thumbnails.duplicates_of(rows), part, cancel).best
        between_real = np.sort(of_real[np.isfinite(of_real)])
        if not len(between_real):  # nothing but duplicates
            between_real = np.ones(1, np.float32)
        hit = to_training.indices[:, 0]
        around_hit = nearest(theirs[hit], theirs, 1, thumbnails.duplicates_of(hit), cancel=cancel).best
        layers[name] = LayerNovelty(
            nearest_training=to_training,
            nearest_samples=to_samples,
            between_real=between_real,
            threshold=float(np.quantile(between_real, quantile)),
            percentile=np.searchsorted(between_real, to_training.best) / len(between_real),
            authenticity=float((to_training.best < around_hit).mean()),
        )
    is_beyond = [layer.nearest_training.best > layer.threshold for layer in layers.values()]
    progress(1.0)
    return Novelty(layers, np.any(is_beyond, axis=0), shown_training, thumbnails.fraction_of_duplicates(rows))


class _Thumbnails:
    """Small versions of N pictures, which tell the duplicates among them."""

    def __init__(self, pictures: NDArray[np.uint8]) -> None:
        self.values = _small(pictures)
        self._squares = np.square(self.values).sum(axis=1)

    def duplicates_of(self, rows: NDArray[np.int64]) -> Excluded:
        """For the queries `rows`, all pictures that are duplicates of them, and they themselves."""

        def excluded(block: slice) -> NDArray[np.bool_]:
            return self._are_duplicates(rows[block])

        return excluded

    def fraction_of_duplicates(self, rows: NDArray[np.int64]) -> float:
        """The fraction of these pictures that have a duplicate among all."""
        return float(np.mean([self._are_duplicates(rows[i : i + 1]).sum() > 1 for i in range(len(rows))]))

    def _are_duplicates(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        products = self.values[rows] @ self.values.T
        squares = self._squares[rows, None] + self._squares[None] - 2 * products
        found = squares <= DUPLICATE_RMS**2 * self.values.shape[1]
        found[np.arange(len(rows)), rows] = True
        return np.asarray(found, np.bool_)


def _small(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(N, V) float32 values of the thumbnails of pictures (N, H, W, 3)."""
    size = (_THUMBNAIL_PX, _THUMBNAIL_PX)
    small = [cv2.resize(picture, size, interpolation=cv2.INTER_AREA) for picture in pictures]
    return np.stack(small).reshape(len(small), -1).astype(np.float32)
