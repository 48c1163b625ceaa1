"""Unsupervised clusters of land: features of sampled pixels, reduced and clustered.

The features describe a pixel and its surroundings. They are standardised, reduced by a non-linear map (a Nyström
approximation of an RBF kernel followed by PCA, or UMAP, McInnes and others 2018) and clustered by k-means.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.installing import install_extra
from terrainpaint.core.labeller import features
from terrainpaint.errors import TrainingError
from trainer.data.tile_set import TileSet

COLOUR_FEATURES = 10
"""The first features are colours. The clustering uses those of every texture style, and the rest once."""
EDGE_PX = 17
"""Pixels nearer to no data than half of this are not sampled, because their surroundings are not real."""


@dataclass(frozen=True)
class Samples:
    """M sampled pixels: `values` (M, F) float32 features, one array for each texture style; `tile` (M,) index of the
    tile; `pixel` (M,) index in the flattened tile."""

    values: tuple[NDArray[np.float32], ...]
    tile: NDArray[np.int64]
    pixel: NDArray[np.int64]


def sample_features(sets: Sequence[TileSet], per_tile: int, seed: int) -> Samples:
    """Features of the same random pixels in every set.

    Raises TrainingError when the sets hold different tiles, have no heights, or have no pixels to sample.
    """
    for tiles in sets:
        tiles.require_heights()
    first = sets[0]
    for other in sets[1:]:
        if other.height.shape != first.height.shape or not np.array_equal(other.height, first.height):
            raise TrainingError("The tile sets do not hold the same tiles; prepare them with the same height raster "
                                "and options.")  # fmt: skip
    random = np.random.default_rng(seed)
    values: list[list[NDArray[np.float32]]] = [[] for _ in sets]
    tile_indices, pixels = [], []
    for tile in range(len(first)):
        inside = np.flatnonzero(cv2.erode(first.valid[tile].astype(np.uint8), np.ones((EDGE_PX, EDGE_PX), np.uint8)))
        if not len(inside):
            continue
        chosen = random.choice(inside, per_tile)
        tile_indices.append(np.full(per_tile, tile))
        pixels.append(chosen)
        for style_values, tiles in zip(values, sets, strict=True):
            all_features = features(tiles.texture[tile], tiles.height[tile].astype(np.float32))
            style_values.append(all_features.reshape(-1, all_features.shape[-1])[chosen])
    if not tile_indices:
        raise TrainingError("No tile of the set has valid pixels away from its gaps; prepare larger rasters.")
    return Samples(
        tuple(np.concatenate(style_values) for style_values in values),
        np.concatenate(tile_indices),
        np.concatenate(pixels),
    )


def cluster(samples: Samples, count: int, reduction: str, seed: int) -> NDArray[np.int64]:
    """(M,) number of the cluster of each sample, 0 the largest. `reduction` is "kernel" or "umap".

    Raises TrainingError when UMAP is not installed.
    """
    from sklearn.cluster import KMeans
    from sklearn.preprocessing import StandardScaler

    joined = np.hstack([samples.values[0], *(values[:, :COLOUR_FEATURES] for values in samples.values[1:])])
    reduced = _reduce(StandardScaler().fit_transform(joined), reduction, seed)
    clusters = KMeans(count, n_init=4, random_state=seed).fit_predict(reduced)
    by_size = np.argsort(-np.bincount(clusters, minlength=count), kind="stable")
    rank = np.empty(count, dtype=np.int64)
    rank[by_size] = np.arange(count)
    return np.asarray(rank[clusters])


def _reduce(values: NDArray[Any], reduction: str, seed: int) -> NDArray[Any]:
    from sklearn.decomposition import PCA
    from sklearn.kernel_approximation import Nystroem

    if reduction == "umap":
        try:
            from umap import UMAP
        except ImportError as error:
            raise TrainingError(
                f"UMAP is not installed; run: {install_extra('umap')}, or use --reduction kernel."
            ) from error
        return np.asarray(UMAP(n_components=6, n_neighbors=30, min_dist=0.0, random_state=seed).fit_transform(values))
    kernel = Nystroem(gamma=0.5 / values.shape[1], n_components=min(300, len(values)), random_state=seed)
    mapped = kernel.fit_transform(values)
    return np.asarray(PCA(min(12, mapped.shape[1]), random_state=seed).fit_transform(mapped))
