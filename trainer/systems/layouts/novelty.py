"""Are dreamed layouts new, or copies of the Earth that the training saw?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import CLASS_COUNT
from terrainpaint.core.progress import Progress

QUANTILE = 0.99
"""A layout may be a copy when it is more like a training crop than this fraction of the unseen land is."""
NEAREST = 5
_COMPARED_PX = 16
_CHUNK = 256


@dataclass(frozen=True, eq=False)
class LayoutNovelty:
    """N layouts (N, S, S) uint8 and the training crops that are most like each.

    `likeness` (N, K) float32 in 0..1, largest first, and `nearest` (N, K, S, S) uint8. For comparison the likeness to
    the nearest training crop of land that the training has not seen, `of_unseen` (M,), and of other crops of the land
    of training, `of_seen` (M,), both float32 ascending: the network copies if its layouts are like the latter.
    """

    samples: NDArray[np.uint8]
    likeness: NDArray[np.float32]
    nearest: NDArray[np.uint8]
    of_unseen: NDArray[np.float32]
    of_seen: NDArray[np.float32]
    searched: int

    @property
    def threshold(self) -> float:
        """The likeness above which a layout may be a copy."""
        return float(np.quantile(self.of_unseen, QUANTILE))

    @property
    def may_be_copy(self) -> NDArray[np.bool_]:
        """(N,) bool."""
        return self.likeness[:, 0] > self.threshold

    @property
    def percentile(self) -> NDArray[np.float64]:
        """(N,) float64 in 0..1: the fraction of the unseen land that is less like a training crop than the layout."""
        return np.asarray(np.searchsorted(self.of_unseen, self.likeness[:, 0]) / len(self.of_unseen), np.float64)

    @property
    def figures(self) -> dict[str, Any]:
        """As `results.json` holds them."""
        best = self.likeness[:, 0]
        return {
            "training crops searched": self.searched,
            "median likeness of samples": float(np.median(best)),
            "median likeness of held out": float(np.median(self.of_unseen)),
            "median likeness of training": float(np.median(self.of_seen)),
            "most alike": float(best.max()),
            "threshold": self.threshold,
            "quantile": QUANTILE,
            "may be copies": int(self.may_be_copy.sum()),
        }


def layout_novelty(
    samples: NDArray[np.uint8],
    unseen: NDArray[np.uint8],
    seen: NDArray[np.uint8],
    searched: NDArray[np.uint8],
    progress: Progress,
) -> LayoutNovelty:
    """Compare layouts (N, S, S) uint8, land that the training has not seen, and other crops of the land of training
    with the crops `searched` of it."""
    likeness, places = nearest_layouts(samples, searched, NEAREST)
    progress(0.5)
    of_unseen = np.sort(nearest_layouts(unseen, searched, 1)[0][:, 0])
    progress(0.8)
    of_seen = np.sort(nearest_layouts(seen, searched, 1)[0][:, 0])
    progress(1.0)
    return LayoutNovelty(samples, likeness, searched[places], of_unseen, of_seen, len(searched))


def nearest_layouts(
    layouts: NDArray[np.uint8], searched: NDArray[np.uint8], count: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """(N, `count`) likenesses 0..1 of the most alike of `searched`, and their places: the fraction of the area with the
    same class, by the shares of the classes in a grid of 16 px, whichever way the layouts are turned or mirrored."""
    count = min(count, len(searched))
    others = _shares(searched)
    best = np.full((len(layouts), count), -1, np.float32)
    places = np.zeros((len(layouts), count), np.int64)
    for start in range(0, len(layouts), _CHUNK):
        part = slice(start, start + _CHUNK)
        alike = np.full((len(layouts[part]), len(searched)), -1, np.float32)
        for turned in _turned(layouts[part]):
            np.maximum(alike, _shares(turned) @ others.T, out=alike)
        order = np.argsort(-alike, axis=1, kind="stable")[:, :count]
        places[part], best[part] = order, np.take_along_axis(alike, order, axis=1)
    return best, places


def turned_like(layouts: NDArray[np.uint8], sample: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Layouts (K, S, S), each turned and mirrored so that it is as like a layout (S, S) as it can be."""
    wanted = _shares(sample[None])[0]
    ways = np.stack(_turned(layouts))
    alike = np.stack([_shares(np.ascontiguousarray(way)) @ wanted for way in ways])
    return np.asarray(ways[alike.argmax(axis=0), np.arange(len(layouts))], np.uint8)


def _turned(layouts: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    turned = [np.rot90(layouts, times, axes=(1, 2)) for times in range(4)]
    return [*turned, *(each[:, :, ::-1] for each in turned)]


def _shares(layouts: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(N, 7 * 16 * 16) float32, of which the product with itself is about 1."""
    side = min(_COMPARED_PX, layouts.shape[1])
    box = layouts.shape[1] // side
    parts = layouts.reshape(len(layouts), side, box, side, box)
    shares = [(parts == class_id).mean(axis=(2, 4), dtype=np.float32) for class_id in range(CLASS_COUNT)]
    return np.asarray(np.stack(shares, axis=1).reshape(len(layouts), -1) / np.float32(side), np.float32)
