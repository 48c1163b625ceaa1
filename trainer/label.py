"""The seven classes for a prepared set: a classifier fitted to named clusters, and maps made with it.

The way is that of SPADE-Terrain-GAN: sample, reduce, cluster, adjust by hand, train a classifier on the result, run it
everywhere, and smooth into large areas with random parameters, so that no two maps of one place agree on its borders.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import CLASS_COUNT, PALETTE, WATER
from terrainpaint.core.labeller import Labeller
from terrainpaint.core.progress import Progress, no_progress
from terrainpaint.core.smoothing import Smoothing, smooth_map
from trainer.clusters import Samples
from trainer.data.tile_set import TileSet


def fit(samples: Samples, classes: NDArray[np.uint8], hidden: tuple[int, ...], seed: int) -> tuple[Labeller, float]:
    """A labeller, and its accuracy on a tenth of the samples that it did not see.

    `classes` (M,) are the ids of the samples. One classifier learns from all texture styles, so that it serves
    pictures of either kind.
    """
    from sklearn.neural_network import MLPClassifier

    values = np.concatenate(samples.values)
    targets = np.tile(classes, len(samples.values))
    tiles = np.tile(samples.tile, len(samples.values))
    # Whole tiles are kept back: neighbouring pixels are alike, and would flatter the figure.
    unseen = tiles % 10 == 0
    mean, scale = values.mean(axis=0), values.std(axis=0) + 1e-6
    network = MLPClassifier(
        hidden,
        alpha=1e-3,
        batch_size=min(512, max(1, int(0.9 * (~unseen).sum()))),
        learning_rate_init=2e-3,
        max_iter=80,
        random_state=seed,
        early_stopping=True,
        n_iter_no_change=6,
    )
    network.fit((values[~unseen] - mean) / scale, targets[~unseen])
    accuracy = float(network.score((values[unseen] - mean) / scale, targets[unseen])) if unseen.any() else float("nan")
    matrices, biases = list(network.coefs_), list(network.intercepts_)
    # A class that no cluster was named gets no output in the fit; here it is one that never wins.
    matrix, bias = np.zeros((matrices[-1].shape[0], CLASS_COUNT)), np.full(CLASS_COUNT, -1e4)
    if len(network.classes_) == 2:  # scikit-learn keeps one logistic output for two classes
        matrices[-1] = np.hstack([np.zeros_like(matrices[-1]), matrices[-1]])
        biases[-1] = np.array([0.0, biases[-1][0]])
    matrix[:, network.classes_], bias[network.classes_] = matrices[-1], biases[-1]
    layers = [*matrices[:-1], matrix], [*biases[:-1], bias]
    weights, shifts = (tuple(each.astype(np.float32) for each in layer) for layer in layers)
    return Labeller(mean.astype(np.float32), scale.astype(np.float32), weights, shifts), accuracy


def label(prepared: TileSet, labeller: Labeller, variants: int, seed: int, progress: Progress = no_progress
          ) -> TileSet:  # fmt: skip
    """The set with `variants` maps a tile, each smoothed with parameters of its own."""
    random = np.random.default_rng(seed)
    side = prepared.tile_px
    labels = np.zeros((len(prepared), variants, side, side), np.uint8)
    for index in range(len(prepared)):
        progress(index / len(prepared))
        found = labeller.probabilities(prepared.texture[index], prepared.height[index].astype(np.float32))
        # The sea is known, not guessed; lakes and rivers are what the classifier sees.
        found[prepared.sea[index]] = np.eye(CLASS_COUNT, dtype=np.float32)[WATER]
        for variant in range(variants):
            labels[index, variant] = smooth_map(found, random_smoothing(random), random)
    progress(1.0)
    return prepared.with_labels(labels)


def random_smoothing(random: np.random.Generator) -> Smoothing:
    """Blobs from 3 to 12 px; one map in two keeps its rivers, so that a painted river becomes one and the network
    invents drainage where none was painted."""
    return Smoothing(
        land_px=float(np.exp(random.uniform(np.log(3.0), np.log(12.0)))),
        water_px=float(random.uniform(0.6, 2.0)),
        thin_water=bool(random.random() < 0.5),
        warp_px=float(random.uniform(0.0, 3.0)),
    )


def shares(labels: NDArray[np.uint8], valid: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(7,) share of each class in the valid pixels of all maps (N, V, S, S)."""
    counts = np.zeros(CLASS_COUNT)
    for maps, use in zip(labels, valid, strict=True):
        counts += np.bincount(maps[:, use].ravel(), minlength=CLASS_COUNT)
    return np.asarray(counts / max(1.0, counts.sum()))


def sheet(prepared: TileSet, tiles: Sequence[int]) -> NDArray[np.uint8]:
    """A picture (3 * S / 2, len(tiles) * S / 2, 3) uint8: texture, then two maps, of some tiles."""
    half = prepared.tile_px // 2
    columns = []
    for tile in tiles:
        rows = [prepared.texture[tile], *(PALETTE[each] for each in prepared.labels[tile][:2])]
        columns.append(np.vstack([cv2.resize(each, (half, half), interpolation=cv2.INTER_AREA) for each in rows]))
    return np.hstack(columns)
