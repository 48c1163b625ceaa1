"""Pictures of any colours → classes: by what land of such colours usually is, or by clusters that the user names."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import CLASS_COUNT, CLASSES

_SAMPLE_PX = 50_000
_STRIP_PX = 1 << 20
_ITERATIONS = 60
_FORCED_AT_MOST = 3.0
"""Difference, as in `likely_classes`, by which the class of a one-to-one assignment may be worse than the likeliest."""
_BITS = 6
"""Of each channel in the table of colours: near enough, as all class colours are likely to be their own class."""
_LIGHTNESS_WEIGHT = 0.55
"""Of a difference in lightness: land in shadow has the hue of land in the sun."""
_CHANGED = 7.0
"""Difference in CIELAB by which a class colour may be changed and still counts as exact: about half of the least
difference of two class colours."""
_TYPICAL = {
    "water": (
        "0a1a3c 02050f 0f2d50 142f6b 1e4678 2a5f8f 0000a0 0064c8 5082b4 6eaad2 a0c8e6 bfdcec 3c8c96 "
        "64b4b4 93cfd0 124b50 99b3cc aad3df"
    ),
    "grassland": (
        "8ca050 a0b464 b4c878 c8d796 969b5a afaf6e 9bc35a 7cc850 c8e6a0 dcebc3 78873c 64d23c e6f0b4 f5f5c8 cdebb0 "
        "b9d7a5"
    ),
    "forest": (
        "0f1e0c 1e3214 283c1e 324b28 3c5a32 46643c 50783c 006400 148c28 228b22 5a8c5a 8cb48c add19e "
        "1e3c32 37503c 4b5f37 a0c896 aac8a5"
    ),
    "hills": ("5a3c28 6e4b32 785a3c 8c6446 a06e4b 8b4513 a0703c 967850 aa825a 7d5546 c88c64 46321e 2d1e12 824628"),
    "desert": "d2b48c c8aa82 e1be91 ebd7aa f0e1be e6c896 d7af7d f5deb3 cd9b69 e6af82 ffd28c ffc864 f0d7c8 aa9673",
    "mountain": "464442 5a5855 6e6b68 828080 8c8782 a0a0a0 787d82 9b958c 282828",
    "tundra": "ffffff fafafa f0f0f0 ebf0f5 e1e6eb d7d7d2 d2cdc3 c3c8c8 e6e6dc beb9aa dce4ee ccd6e4",
}
"""Colours RRGGBB of each class in photographs from above and on maps, besides the class colour: oceans and shallows,
forests in the sun and in shadow, snow."""


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


def k_means(rgb: NDArray[np.uint8], count: int = 7, seed: int = 0, seen: NDArray[np.bool_] | None = None) -> Clusters:
    """At most `count` clusters of the colours of (H, W, 3) uint8 sRGB, by k-means in CIELAB.

    Only pixels that are `seen` (H, W) make clusters and are counted; all pixels belong to one.

    A picture with fewer colours than `count` gets one cluster per colour. The result depends only on the picture, count
    and seed. Raises ValueError when `count` is not 1..255.
    """
    if not 1 <= count <= 255:
        raise ValueError(f"count must be 1..255, not {count}")
    pixels = rgb.reshape(-1, 3) if seen is None or not seen.any() else rgb[seen]
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
    counted = labels.ravel() if seen is None or not seen.any() else labels[seen]
    sizes = np.bincount(counted, minlength=len(centres))
    order = np.argsort(-sizes, kind="stable")
    rank = np.zeros(256, np.uint8)
    rank[order] = np.arange(len(order), dtype=np.uint8)
    centres = centres[order]
    labels = np.asarray(cv2.LUT(labels, rank), np.uint8).reshape(labels.shape)
    return Clusters(_rgb(centres), labels, _suggestion(centres))


def likely_classes(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(...) uint8 class ids: what land with the colour of each pixel of (..., 3) uint8 sRGB usually is.

    Hue counts more than lightness: blue is water, green is grassland or forest, brown hills, yellow desert, grey
    mountain and white tundra. Class colours, and colours close to them, are their class.
    """
    table = _class_table()
    ids = np.empty(rgb.shape[:-1], np.uint8)
    pixels, flat = rgb.reshape(-1, 3), ids.reshape(-1)
    for start in range(0, len(pixels), _STRIP_PX):
        red, green, blue = (pixels[start : start + _STRIP_PX] >> (8 - _BITS)).T
        flat[start : start + _STRIP_PX] = table[red, green, blue]
    return ids


@functools.cache
def _class_table() -> NDArray[np.uint8]:
    """(64, 64, 64) uint8: the likeliest class of each colour."""
    steps = (np.arange(1 << _BITS) * (1 << (8 - _BITS)) + (1 << (7 - _BITS))).astype(np.uint8)
    colours = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1)
    return np.asarray(_class_distances(_lab(colours.reshape(-1, 1, 3))[:, 0]).argmin(axis=1), np.uint8).reshape(
        colours.shape[:3]
    )


def _class_distances(lab: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, 7) distances of colours (n, 3) in CIELAB to the nearest typical colour of each class."""
    weights = np.array([_LIGHTNESS_WEIGHT, 1.0, 1.0], np.float32)
    nearest = []
    for terrain_class in CLASSES:
        typical = [tuple(bytes.fromhex(colour)) for colour in _TYPICAL[terrain_class.name].split()]
        known = _lab(np.array([terrain_class.colour, *typical], np.uint8))
        # A class colour that was slightly changed, as in a JPEG, stays its class.
        own = np.maximum(np.sqrt(np.square(lab - known[0]).sum(axis=1)) - _CHANGED, 0)
        # |x - c|^2 = |x|^2 - 2 x c + |c|^2, without an array of all differences.
        seen, colours = lab * weights, known * weights
        products = np.square(colours).sum(axis=1) - 2 * (seen @ colours.T)
        distance = products.min(axis=1) + np.square(seen).sum(axis=1)
        nearest.append(np.minimum(own, np.sqrt(np.maximum(distance, 0))))
    return np.stack(nearest, axis=1)


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
    """A class for each cluster: the best one-to-one assignment, or the likeliest class where that is far away."""
    distance = _class_distances(centres)
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
