"""Pictures of any colours → classes: by the nearest class colour, or by clusters that the user names."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import CLASS_COUNT, PALETTE

_SAMPLE_PX = 50_000
_STRIP_PX = 1 << 20
_ITERATIONS = 60
_FORCED_AT_MOST = 30.0
"""Difference in CIELAB by which a class of its own may be worse for a cluster than the class nearest to it."""


@dataclass(frozen=True, eq=False)
class Clusters:
    """The main colours of a picture, from the most to the least frequent.

    `centres` (k, 3) uint8 sRGB; `labels` (H, W) uint8 says which cluster each pixel belongs to; `suggested` holds a
    class id for each cluster. Names by colour are a guess: a forest in a photograph is nearly as dark as a lake.
    """

    centres: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    suggested: tuple[int, ...]

    def ids(self, classes: Sequence[int]) -> NDArray[np.uint8]:
        """(H, W) uint8 class ids when cluster i is named `classes[i]`.

        Raises ValueError when there is not one class, 0..6, for each cluster.
        """
        if len(classes) != len(self.centres) or any(each not in range(CLASS_COUNT) for each in classes):
            raise ValueError(f"{len(self.centres)} clusters need a class 0..{CLASS_COUNT - 1} each, not {classes}")
        table = np.zeros(256, np.uint8)
        table[: len(classes)] = classes
        return np.asarray(cv2.LUT(self.labels, table), np.uint8).reshape(self.labels.shape)


def k_means(rgb: NDArray[np.uint8], count: int = 7, seed: int = 0) -> Clusters:
    """At most `count` clusters of the colours of (H, W, 3) uint8 sRGB, by k-means in CIELAB.

    A picture with fewer colours than `count` gives a cluster for each. The same picture, count and seed give the same
    clusters. Raises ValueError when `count` is not 1..255.
    """
    if not 1 <= count <= 255:
        raise ValueError(f"count must be 1..255, not {count}")
    pixels = rgb.reshape(-1, 3)
    random = np.random.default_rng(seed)
    sample = pixels if len(pixels) <= _SAMPLE_PX else pixels[np.sort(random.integers(0, len(pixels), _SAMPLE_PX))]
    distinct = np.unique(sample, axis=0)
    if len(distinct) <= count:
        centres = _lab(distinct)
    else:
        cv2.setRNGSeed(seed)
        own = np.zeros((len(sample), 1), np.int32)
        criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, _ITERATIONS, 0.1)
        _, _, found = cv2.kmeans(_lab(sample), count, own, criteria, 3, cv2.KMEANS_PP_CENTERS)
        centres = np.asarray(found, np.float32)
    labels = _assigned(rgb, centres)
    sizes = np.bincount(labels.ravel(), minlength=len(centres))
    order = np.argsort(-sizes, kind="stable")
    rank = np.zeros(256, np.uint8)
    rank[order] = np.arange(len(order), dtype=np.uint8)
    centres = centres[order]
    labels = np.asarray(cv2.LUT(labels, rank), np.uint8).reshape(labels.shape)
    return Clusters(_rgb(centres), labels, _suggestion(centres))


def _assigned(rgb: NDArray[np.uint8], centres: NDArray[np.float32]) -> NDArray[np.uint8]:
    labels = np.empty(rgb.shape[:2], np.uint8)
    for rows in _strips(rgb.shape[:2]):
        lab = _lab(rgb[rows])
        best = np.full(lab.shape[:2], np.inf, np.float32)
        for index, centre in enumerate(centres):
            distance = np.square(lab - centre).sum(axis=2)
            nearer = distance < best
            labels[rows][nearer] = index
            best[nearer] = distance[nearer]
    return labels


def _suggestion(centres: NDArray[np.float32]) -> tuple[int, ...]:
    """A class for each cluster: one-to-one at the least total difference, as long as that is not far-fetched."""
    distance = np.sqrt(np.square(centres[:, None] - _lab(PALETTE)[None]).sum(axis=2))
    nearest = distance.argmin(axis=1)
    if len(centres) > CLASS_COUNT:
        return tuple(int(each) for each in nearest)
    ways = np.array(list(itertools.permutations(range(CLASS_COUNT), len(centres))))
    clusters = np.arange(len(centres))
    own = ways[distance[clusters, ways].sum(axis=1).argmin()]
    # Two tones of blue are both water, whatever class is left over.
    forced = distance[clusters, own] > distance.min(axis=1) + _FORCED_AT_MOST
    return tuple(int(each) for each in np.where(forced, nearest, own))


def _strips(shape: tuple[int, ...]) -> Iterator[slice]:
    rows = max(1, _STRIP_PX // max(1, shape[1]))
    return (slice(top, min(top + rows, shape[0])) for top in range(0, shape[0], rows))


def _lab(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    pixels = rgb if rgb.ndim == 3 else rgb[:, None]
    lab = np.asarray(cv2.cvtColor(pixels.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)
    return lab.reshape(rgb.shape)


def _rgb(lab: NDArray[np.float32]) -> NDArray[np.uint8]:
    rgb = np.asarray(cv2.cvtColor(lab[:, None], cv2.COLOR_LAB2RGB), np.float32)[:, 0]
    return np.clip(np.rint(rgb * 255), 0, 255).astype(np.uint8)
