"""Fit the labeller: a small classifier that learns the named clusters."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import CLASS_COUNT
from terrainpaint.core.labeller import Labeller
from trainer.systems.terrain.labelling.clusters import Samples


def fit_labeller(
    samples: Samples, classes: NDArray[np.uint8], hidden: tuple[int, ...], seed: int
) -> tuple[Labeller, float]:
    """A labeller, and its accuracy 0..1 on the samples of a tenth of the tiles, which it was not fitted to.

    `classes` (M,) are the ids of the samples; `hidden` the widths of the hidden layers. One classifier is fitted to all
    texture styles, so that it serves pictures of any of them.
    """
    from sklearn.neural_network import MLPClassifier

    values = np.concatenate(samples.values)
    targets = np.tile(classes, len(samples.values))
    tiles = np.tile(samples.tile, len(samples.values))
    # Whole tiles are held out: neighbouring pixels are alike, and would make the accuracy too high.
    held_out = tiles % 10 == 0
    mean, scale = values.mean(axis=0), values.std(axis=0) + 1e-6
    network = MLPClassifier(
        hidden,
        alpha=1e-3,
        batch_size=min(512, max(1, int(0.9 * (~held_out).sum()))),
        learning_rate_init=2e-3,
        max_iter=80,
        random_state=seed,
        early_stopping=True,
        n_iter_no_change=6,
    )
    network.fit((values[~held_out] - mean) / scale, targets[~held_out])
    accuracy = float("nan")
    if held_out.any():
        accuracy = float(network.score((values[held_out] - mean) / scale, targets[held_out]))
    matrices, biases = list(network.coefs_), list(network.intercepts_)
    # The fit has outputs only for the classes of the clusters. The others get one that never wins.
    matrix, bias = np.zeros((matrices[-1].shape[0], CLASS_COUNT)), np.full(CLASS_COUNT, -1e4)
    if len(network.classes_) == 2:  # scikit-learn keeps one logistic output for two classes
        matrices[-1] = np.hstack([np.zeros_like(matrices[-1]), matrices[-1]])
        biases[-1] = np.array([0.0, biases[-1][0]])
    matrix[:, network.classes_], bias[network.classes_] = matrices[-1], biases[-1]
    weights = tuple(layer.astype(np.float32) for layer in (*matrices[:-1], matrix))
    shifts = tuple(layer.astype(np.float32) for layer in (*biases[:-1], bias))
    return Labeller(mean.astype(np.float32), scale.astype(np.float32), weights, shifts), accuracy
