"""What is measured of layouts: shares of the classes, neighbours, coasts, islands and lakes."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import CLASS_COUNT, CLASS_NAMES, WATER, class_fractions

SMALLEST_PX = 2
"""Islands and lakes of one pixel are not counted."""
_BOX_SIDES = (1, 2, 4, 8)


def layout_figures(ids: NDArray[np.uint8]) -> dict[str, float]:
    """Figures of one layout (S, S) uint8; those of coasts, islands and lakes are NaN where there are none.

    `share of X`: fraction of the area. `coast`: length of the coast by the side of the map. `coast by area`: perimeter
    of the land by the square root of its area. `box dimension` of the coast, 1 for a line, 2 for one that fills the
    plane. `islands` and `lakes`: their number; `island size` and `lake size`: median of the logarithm of their area in
    parts of the map; a lake is water that does not touch the border. `largest land`: fraction of the land in one piece.
    `patches`: number of areas of one class.
    """
    figures = {f"share of {name}": float(share)
               for name, share in zip(CLASS_NAMES, class_fractions(ids), strict=True)}  # fmt: skip
    land = ids != WATER
    coast = _edge_length(land)
    figures["coast"] = coast / len(ids)
    figures["coast by area"] = coast / float(np.sqrt(land.sum())) if coast else np.nan
    figures["box dimension"] = _box_dimension(land)
    islands, lakes = _pieces(land), _pieces(~land)
    figures["islands"], figures["lakes"] = float(len(islands)), float(len(lakes))
    for name, areas in (("island size", islands), ("lake size", lakes)):
        figures[name] = float(np.median(np.log(areas / ids.size))) if len(areas) else np.nan
    areas = _areas(land)
    figures["largest land"] = float(areas.max() / areas.sum()) if len(areas) else np.nan
    figures["patches"] = float(sum(len(_areas(ids == each)) for each in range(CLASS_COUNT)))
    return figures


def figures_of(layouts: NDArray[np.uint8]) -> dict[str, NDArray[np.float64]]:
    """The figures (N,) of layouts (N, S, S) by name."""
    rows = [layout_figures(ids) for ids in layouts]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def adjacency(layouts: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(7, 7) float64: of all borders between pixels of different classes in layouts (N, S, S), the fraction between
    each two classes; symmetric, the half above the diagonal adds up to 1 (0 without borders)."""
    counts = np.zeros((CLASS_COUNT, CLASS_COUNT))
    for one, other in ((layouts[:, 1:], layouts[:, :-1]), (layouts[:, :, 1:], layouts[:, :, :-1])):
        pairs = one.astype(np.int64) * CLASS_COUNT + other
        counts += np.bincount(pairs.ravel(), minlength=CLASS_COUNT**2).reshape(CLASS_COUNT, CLASS_COUNT)
    counts += counts.T
    np.fill_diagonal(counts, 0)
    return np.asarray(counts / max(1.0, counts.sum() / 2))


def adjacency_distance(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Half the sum of the differences of two results of `adjacency`, 0..1: the fraction of borders that would have to
    be others."""
    return float(np.abs(one - other).sum() / 4)


def distances(one: Mapping[str, NDArray[np.float64]], other: Mapping[str, NDArray[np.float64]]) -> dict[str, float]:
    """The distance of each figure between two sets: that of Wasserstein, in standard deviations of `other`.

    NaN where all values of a set are NaN.
    """
    return {name: _wasserstein(one[name], other[name]) for name in other}


def _wasserstein(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    one, other = one[np.isfinite(one)], other[np.isfinite(other)]
    if not len(one) or not len(other):
        return float("nan")
    steps = (np.arange(256) + 0.5) / 256
    difference = np.abs(np.quantile(one, steps) - np.quantile(other, steps)).mean()
    return float(difference / max(1e-6, float(other.std())))


def _edge_length(inside: NDArray[np.bool_]) -> float:
    return float((inside[1:] != inside[:-1]).sum() + (inside[:, 1:] != inside[:, :-1]).sum())


def _box_dimension(land: NDArray[np.bool_]) -> float:
    coast = np.zeros_like(land)
    coast[:-1] |= land[1:] != land[:-1]
    coast[:, :-1] |= land[:, 1:] != land[:, :-1]
    if coast.sum() < 16:
        return float("nan")
    side = len(land)
    boxes = [coast.reshape(side // box, box, side // box, box).any(axis=(1, 3)).sum() for box in _BOX_SIDES]
    slope, _ = np.polyfit(-np.log(_BOX_SIDES), np.log(boxes), 1)
    return float(slope)


def _areas(inside: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Areas in pixels of the pieces, from SMALLEST_PX on."""
    _, _, statistics, _ = cv2.connectedComponentsWithStats(inside.view(np.uint8), connectivity=4)
    areas = statistics[1:, cv2.CC_STAT_AREA].astype(np.float64)
    return np.asarray(areas[areas >= SMALLEST_PX])


def _pieces(inside: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Areas of the pieces that do not touch the border of the map."""
    _, labels, statistics, _ = cv2.connectedComponentsWithStats(inside.view(np.uint8), connectivity=4)
    border = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    keep = np.ones(len(statistics), bool)
    keep[0], keep[border] = False, False
    areas = statistics[keep, cv2.CC_STAT_AREA].astype(np.float64)
    return np.asarray(areas[areas >= SMALLEST_PX])
