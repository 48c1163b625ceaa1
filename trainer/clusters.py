"""Unsupervised classes of land: sampled features → clusters → a table, which a person edits, of what each one is.

Features of a pixel and its surroundings are standardised, reduced by a non-linear map (a Nyström approximation of an
RBF kernel followed by PCA, or UMAP, McInnes and others 2018, when asked for) and clustered by k-means.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import CLASS_NAMES
from terrainpaint.core.files import FileTransaction
from terrainpaint.core.labeller import FEATURE_NAMES, features
from terrainpaint.errors import TrainingError
from trainer.data.tile_set import TileSet

COLOUR_FEATURES = 10
"""The first features are of colour; further textures of the same land add theirs to the clustering."""
EDGE_PX = 17
"""Pixels this near to no data are not sampled: their surroundings are not real."""


@dataclass(frozen=True)
class Samples:
    """`values` (M, F) float32 features of M pixels, one array a texture style; `tile` and `pixel` (M,) where."""

    values: tuple[NDArray[np.float32], ...]
    tile: NDArray[np.int64]
    pixel: NDArray[np.int64]


def sample(sets: Sequence[TileSet], per_tile: int, seed: int) -> Samples:
    """Features of the same random pixels in every set. Raises TrainingError when the sets are of other tiles or
    without heights."""
    for each in sets:
        each.require_heights()
    first = sets[0]
    for other in sets[1:]:
        if other.height.shape != first.height.shape or not np.array_equal(other.height, first.height):
            raise TrainingError("The prepared sets are not of the same tiles; prepare them with the same height raster "
                                "and options.")  # fmt: skip
    random = np.random.default_rng(seed)
    values: list[list[NDArray[np.float32]]] = [[] for _ in sets]
    tiles, pixels = [], []
    for tile in range(len(first)):
        inside = np.flatnonzero(cv2.erode(first.valid[tile].astype(np.uint8), np.ones((EDGE_PX, EDGE_PX), np.uint8)))
        if not len(inside):
            continue
        chosen = random.choice(inside, per_tile)
        tiles.append(np.full(per_tile, tile))
        pixels.append(chosen)
        for one, prepared in zip(values, sets, strict=True):
            found = features(prepared.texture[tile], prepared.height[tile].astype(np.float32))
            one.append(found.reshape(-1, found.shape[-1])[chosen])
    if not tiles:
        raise TrainingError("No tile of the prepared set has valid pixels away from its gaps; prepare larger rasters.")
    return Samples(tuple(np.concatenate(one) for one in values), np.concatenate(tiles), np.concatenate(pixels))


def cluster(samples: Samples, count: int, reduction: str, seed: int) -> NDArray[np.int64]:
    """(M,) cluster number of each sample, 0 the largest. `reduction` is "kernel" or "umap"."""
    from sklearn.cluster import KMeans
    from sklearn.preprocessing import StandardScaler

    joined = np.hstack([samples.values[0], *(one[:, :COLOUR_FEATURES] for one in samples.values[1:])])
    reduced = _reduce(StandardScaler().fit_transform(joined), reduction, seed)
    found = KMeans(count, n_init=4, random_state=seed).fit_predict(reduced)
    by_size = np.argsort(-np.bincount(found, minlength=count), kind="stable")
    rank = np.empty(count, dtype=np.int64)
    rank[by_size] = np.arange(count)
    return np.asarray(rank[found])


def _reduce(values: NDArray[Any], reduction: str, seed: int) -> NDArray[Any]:
    from sklearn.decomposition import PCA
    from sklearn.kernel_approximation import Nystroem

    if reduction == "umap":
        try:
            from umap import UMAP
        except ImportError as error:
            raise TrainingError("UMAP is not installed; run: pip install 'terrainpaint[umap]', or use "
                                "--reduction kernel.") from error  # fmt: skip
        return np.asarray(UMAP(n_components=6, n_neighbors=30, min_dist=0.0, random_state=seed).fit_transform(values))
    kernel = Nystroem(gamma=0.5 / values.shape[1], n_components=min(300, len(values)), random_state=seed)
    mapped = kernel.fit_transform(values)
    return np.asarray(PCA(min(12, mapped.shape[1]), random_state=seed).fit_transform(mapped))


def propose(mean: dict[str, float]) -> str:
    """A first guess of the class of a cluster, from the means of its features; the table is there to be edited.

    The thresholds were read off clusters of the Earth with hypsometric tints: metres of relief are e**x - 1.
    """
    if mean["flatness"] > 0.5 or mean["blue_yellow"] < -12:
        return "water"
    if mean["relief_middle"] > 5.25 or mean["elevation"] > 62:
        return "mountain"
    if mean["relief_middle"] > 4.3:
        return "hills"
    if mean["green_red_wide"] < -11.5:
        return "forest"
    if mean["green_red_wide"] < -4.5 and mean["blue_yellow_wide"] > 11:
        return "grassland"
    if mean["blue_yellow_wide"] > 10.5:
        return "desert"
    return "tundra"


def write_table(path: Path, samples: Samples, clusters: NDArray[np.int64], centre_deg: NDArray[np.float32]) -> None:
    """Write the table of clusters as TOML: a name for each, and under it the means that it was guessed from."""
    lines = [
        "# What each cluster of land is. Edit the right-hand sides; the comments tell what the cluster looks like.",
        f"# Names: {', '.join(CLASS_NAMES)}.",
        "",
        "[classes]",
    ]
    for number in range(int(clusters.max()) + 1):
        chosen = clusters == number
        mean = dict(zip(FEATURE_NAMES, samples.values[0][chosen].mean(axis=0).tolist(), strict=True))
        latitude = np.abs(centre_deg[samples.tile[chosen], 0])
        told = ", ".join(f"{name} {value:.1f}" for name, value in mean.items())
        lines += [
            f"# share {chosen.mean():.3f}, latitude {latitude.mean():.0f}, {told}",
            f'{number} = "{propose(mean)}"',
        ]
    with FileTransaction() as files:
        files.path(path).write_text("\n".join(lines) + "\n", encoding="utf-8")


def read_table(path: Path, count: int) -> NDArray[np.uint8]:
    """(count,) class id of each cluster. Raises TrainingError when the table does not name them all."""
    try:
        named = tomllib.loads(path.read_text(encoding="utf-8"))["classes"]
        names = [str(named[str(number)]) for number in range(count)]
        if len(named) != count:
            raise ValueError(f"it names {len(named)} clusters, there are {count}")
        return np.array([CLASS_NAMES.index(name) for name in names], dtype=np.uint8)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainingError(f"{path} is not a table of {count} clusters ({error}); write a new one without --table.") \
            from error  # fmt: skip
