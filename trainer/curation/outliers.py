"""Pictures unlike all others, and pictures that represent the rest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NEIGHBOURS = 50
"""More than a handful, so that a few dozen strangers of one sort are not each other's neighbours."""
_ROWS = 1024


def isolation(features: NDArray[np.float32], neighbours: int = NEIGHBOURS) -> NDArray[np.float32]:
    """(N,) mean cosine distance, 0..2, of rows (N, F) of unit length to their nearest neighbours."""
    count = min(neighbours, len(features) - 1)
    distances = np.zeros(len(features), np.float32)
    if count < 1:
        return distances
    for start in range(0, len(features), _ROWS):
        similar = features[start : start + _ROWS] @ features.T
        rows = np.arange(len(similar))
        similar[rows, start + rows] = -2.0  # not itself
        distances[start : start + _ROWS] = 1 - np.partition(similar, -count, axis=1)[:, -count:].mean(axis=1)
    return distances


def representatives(features: NDArray[np.float32], count: int) -> list[int]:
    """Indices of at most `count` rows (N, F) near the centres of as many clusters, those of the largest first."""
    if len(features) <= count:
        return list(range(len(features)))
    from sklearn.cluster import MiniBatchKMeans

    # The batch is larger than one for each core on any machine, so the result does not depend on the cores.
    clusters = MiniBatchKMeans(count, batch_size=4096, n_init=3, random_state=0).fit(features)
    distances = clusters.transform(features)
    sizes = np.bincount(clusters.labels_, minlength=count)
    nearest = [int(distances[:, cluster].argmin()) for cluster in np.argsort(-sizes, kind="stable")]
    return list(dict.fromkeys(nearest))
