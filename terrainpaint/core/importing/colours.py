"""Pictures of any colours → classes, by clusters of colours to which the user assigns classes."""

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
"""Difference in CIELAB by which the class of a one-to-one assignment may be worse than the nearest class."""


@dataclass(frozen=True, eq=False)
class Clusters:
    """The main colours of a picture, from the most to the least frequent.

    `centres` (k, 3) uint8 sRGB; `labels` (H, W) uint8 is the cluster of each pixel; `suggested` is a class id for each
    cluster, by its colour. It is a guess: a forest in a photograph is nearly as dark as a lake.
    """

    centres: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    suggested: tuple[int, ...]

    def ids(self, classes: Sequence[int]) -> NDArray[np.uint8]:
        """(H, W) uint8 class ids when cluster i becomes `classes[i]`.

        Raises ValueError unless there is one class, 0..6, for each cluster.
        """
        if len(classes) != len(self.centres) or any(class_id not in range(CLASS_COUNT) for class_id in classes):
            raise ValueError(f"{len(self.centres)} clusters need a class 0..{CLASS_COUNT - 1} each, not {classes}")
        table = np.zeros(256, np.uint8)
        table[: len(classes)] = classes
        return np.asarray(cv2.LUT(self.labels, table), np.uint8).reshape(self.labels.shape)


def k_means(rgb: NDArray[np.uint8], count: int = 7, seed: int = 0) -> Clusters:
    """At most `count` clusters of the colours of (H, W, 3) uint8 sRGB, by k-means in CIELAB.

    A picture with fewer colours than `count` gets one cluster per colour. The result depends only on the picture, count
    and seed. Raises ValueError when `count` is not 1..255.
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
        _, _, centres_found = cv2.kmeans(_lab(sample), count, own, criteria, 3, cv2.KMEANS_PP_CENTERS)
        centres = np.asarray(centres_found, np.float32)
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
    """A class for each cluster: the best one-to-one assignment, or the nearest class where that is far away."""
    distance = np.sqrt(np.square(centres[:, None] - _lab(PALETTE)[None]).sum(axis=2))
    nearest = distance.argmin(axis=1)
    if len(centres) > CLASS_COUNT:
        return tuple(int(class_id) for class_id in nearest)
    ways = np.array(list(itertools.permutations(range(CLASS_COUNT), len(centres))))
    clusters = np.arange(len(centres))
    own = ways[distance[clusters, ways].sum(axis=1).argmin()]
    # Two tones of blue are both water, whichever class is not assigned yet.
    forced = distance[clusters, own] > distance.min(axis=1) + _FORCED_AT_MOST
    return tuple(int(class_id) for class_id in np.where(forced, nearest, own))


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
