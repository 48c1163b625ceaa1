"""Measures → figures: one dictionary of plain numbers, which is also what `results.json` holds."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import CLASS_NAMES
from trainer.evaluation import heights, leak
from trainer.evaluation.distances import PAIR_MEASURES, between_all, fid, kid
from trainer.evaluation.parts import Part
from trainer.evaluation.segmenter import overlaps

VIEWS = ("shaded terrain", "albedo", "hillshade")
"""In the order in which the features were stored."""


def results(part: Part) -> dict[str, Any]:
    """All figures of a whole evaluation; None stands for what could not be measured on these crops."""
    return {
        "told": part.told,
        "distances": _distances(part),
        "pairs": _pairs(part.rows["pair@all"]),
        "obedience": _obedience(part),
        "elevation": _distribution(part, "elevation", heights.ELEVATION_EDGES_M),
        "slope": _distribution(part, "slope", heights.SLOPE_EDGES),
        "spectrum": _spectrum(part),
        "coasts": {name: _coasts(part.sums[f"coasts {name}"]) for name in ("real", "made")},
        "depressions": {name: _depressions(part.sums[f"depressions {name}"]) for name in ("real", "made")},
        "leak": {
            f"{kind} {name}": leak.correlations(part.rows[f"leak {kind} {name}@all"].sum(axis=0))
            for name in ("made", "real")
            for kind in ("albedo", "shaded")
        },
        "seeds": _seeds(part),
        **part.once,
    }


def _distances(part: Part) -> dict[str, dict[str, float]]:
    features = part.rows["features@all"]  # (N, 3 lands, 3 views, F)
    found = {}
    for view, name in enumerate(VIEWS):
        real, made, other = (np.ascontiguousarray(features[:, land, view]) for land in range(3))
        found[name] = {
            "KID": kid(real, made),
            "KID floor": kid(real, other),
            "FID": fid(real, made),
            "FID floor": fid(real, other),
        }
    return found


def _pairs(values: NDArray[np.float64]) -> dict[str, dict[str, float]]:
    return {
        name: {"mean": float(each.mean()), "minimum": float(each.min()), "maximum": float(each.max()),
               "standard deviation": float(each.std())}
        for name, each in zip(PAIR_MEASURES, values.T, strict=True)
    }  # fmt: skip


def _obedience(part: Part) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in ("real", "made"):
        counts = part.sums[f"confusion {name}"]
        ious = overlaps(counts)
        # A class that nobody painted says nothing, even where the segmenter sees it.
        painted = counts.sum(axis=1) > 0
        found[name] = {
            "mIoU": float(ious[painted].mean()),
            "accuracy": float(counts.diagonal().sum() / counts.sum()),
            "IoU": {
                each: float(iou) if used else None for each, iou, used in zip(CLASS_NAMES, ious, painted, strict=True)
            },
            "confusion": counts.tolist(),
        }
    return found


def _distribution(part: Part, kind: str, edges: NDArray[np.float64]) -> dict[str, Any]:
    """For each class, and for all land: distance in deviations of the real values, the same of other real land."""
    real, made, other = (part.sums[f"{kind} {name}"] for name in ("real", "made", "other"))
    pixels = [*zip(CLASS_NAMES, real, made, other, strict=True),
              ("all land", real[1:].sum(axis=0), made[1:].sum(axis=0), other[1:].sum(axis=0))]  # fmt: skip
    found = {}
    for name, wanted, got, elsewhere in pixels:
        distance, floor = heights.distance(wanted, got, edges), heights.distance(wanted, elsewhere, edges)
        found[name] = {
            "W1": distance and distance[0],
            "W1 floor": floor and floor[0],
            "real deviation": distance and distance[1],
            "real mean": _mean(wanted, edges),
            "made mean": _mean(got, edges),
        }
    return found


def _mean(counts: NDArray[np.int64], edges: NDArray[np.float64]) -> float | None:
    return float(np.average((edges[1:] + edges[:-1]) / 2, weights=counts)) if counts.sum() else None


def _spectrum(part: Part) -> dict[str, float | None]:
    real, made = (heights.fall(part.rows[f"spectrum {name}@all"].mean(axis=0)) for name in ("real", "made"))
    return {"real": real, "made": made, "relative difference": made / real - 1 if made and real else None}


def _coasts(counts: NDArray[np.int64]) -> dict[str, float | None]:
    sea, high, land, low, shore, cliffs = (int(each) for each in counts)
    return {
        "sea above 10 m": high / sea if sea else None,
        "land below sea level": low / land if land else None,
        "steps over 30 m": cliffs / shore if shore else None,
    }


def _depressions(counts: NDArray[np.int64]) -> dict[str, float | None]:
    land, closed, number = (int(each) for each in counts)
    return {"share of land": closed / land if land else None, "for 10,000 px": 1e4 * number / land if land else None}


def _seeds(part: Part) -> dict[str, float]:
    features = part.rows["features@all"]
    pictures, reliefs, colour, metres = part.rows["apart@seeds"].mean(axis=0)
    # Of different maps, each with a seed of its own: how far lands can be apart.
    everywhere = [between_all(np.ascontiguousarray(features[:, 1, view])) for view in (0, 2)]
    return {
        "shaded terrain": float(pictures),
        "shaded terrain, of different maps": everywhere[0],
        "hillshade": float(reliefs),
        "hillshade, of different maps": everywhere[1],
        "colour": float(colour),
        "height_m": float(metres),
    }
