"""Measurements → results: one dictionary of plain numbers, which `results.json` holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import CLASS_NAMES
from trainer.metrics.features import mean_distance
from trainer.metrics.fid_kid import LEAST_PLACES, PlaceKid, fid, kid
from trainer.metrics.pairwise import PAIR_MEASURES
from trainer.metrics.relief import spectral_exponent
from trainer.systems.terrain.evaluation import height_statistics as heights
from trainer.systems.terrain.evaluation.class_squares import square_means
from trainer.systems.terrain.evaluation.drainage import drainage_figures
from trainer.systems.terrain.evaluation.measurements import Measurements
from trainer.systems.terrain.evaluation.segmenter import class_ious
from trainer.systems.terrain.evaluation.shading_leak import leak_correlations
from trainer.systems.terrain.evaluation.views import FINEST_LAYERS, HILLSHADE, SHADED, View, views_of

SOURCES = ("real", "generated")


def results(measurements: Measurements) -> dict[str, Any]:
    """All results of a whole evaluation. None stands for what could not be measured on these crops."""
    rows, sums = measurements.rows, measurements.sums
    return {
        "setup": measurements.setup,
        "distances": _distances(rows["features@all"], rows["places@all"], views_of(measurements.setup["crop_px"])),
        "pairs": _pairs(rows["pair@all"]),
        "segmentation consistency": {name: _segmentation(sums[f"confusion {name}"]) for name in SOURCES},
        "elevation": _distribution(sums, "elevation", heights.ELEVATION_EDGES_M),
        "slope": _distribution(sums, "slope", heights.SLOPE_EDGES),
        "spectrum": _spectrum(rows),
        "coasts": {name: _coasts(sums[f"coasts {name}"]) for name in SOURCES},
        "depressions": {name: _depressions(sums[f"depressions {name}"]) for name in SOURCES},
        "drainage": {name: drainage_figures(sums[f"drainage {name}"]) for name in SOURCES},
        "leak": {
            f"{layer} {name}": leak_correlations(rows[f"leak {layer} {name}@all"].sum(axis=0))
            for name in reversed(SOURCES)
            for layer in ("albedo", "shaded")
        },
        "finest": _finest(rows),
        "colours": _colours(rows),
        "squares": {name: _squares(rows[f"squares {name}@all"].sum(axis=0)) for name in SOURCES},
        "diversity": _diversity(rows, views_of(measurements.setup["crop_px"])),
        **measurements.checks,
    }


def _distances(
    features: NDArray[np.float32], places: NDArray[np.int64], views: Sequence[View]
) -> dict[str, dict[str, Any]]:
    """From features (N, 3 lands, V views, F) and the places (N, 2) of the held-out crops and of those elsewhere."""
    distances = {}
    here, there = places[:, 0], places[:, 1] + places[:, 0].max() + 1
    has_places = min(len(np.unique(here)), len(np.unique(there))) >= LEAST_PLACES
    for number, view in enumerate(views):
        real, generated, elsewhere = (np.ascontiguousarray(features[:, land, number]) for land in range(3))
        distances[view.name] = {
            "KID": kid(real, generated),
            "KID floor": kid(real, elsewhere),
            "FID": fid(real, generated),
            "FID floor": fid(real, elsewhere),
            "places": asdict(PlaceKid.of(real, generated, here, here)) if has_places else None,
            "places floor": asdict(PlaceKid.of(real, elsewhere, here, there)) if has_places else None,
        }
    return distances


def _pairs(values: NDArray[np.float64]) -> dict[str, dict[str, float]]:
    return {
        name: {"mean": float(column.mean()), "minimum": float(column.min()), "maximum": float(column.max()),
               "standard deviation": float(column.std())}
        for name, column in zip(PAIR_MEASURES, values.T, strict=True)
    }  # fmt: skip


def _segmentation(confusion: NDArray[np.int64]) -> dict[str, Any]:
    ious = class_ious(confusion)
    # A class that nobody painted says nothing, even where the segmenter predicts it.
    painted = confusion.sum(axis=1) > 0
    by_class = zip(CLASS_NAMES, ious, painted, strict=True)
    return {
        "mIoU": float(ious[painted].mean()),
        "accuracy": float(confusion.diagonal().sum() / confusion.sum()),
        "IoU": {name: float(iou) if used else None for name, iou, used in by_class},
        "confusion": confusion.tolist(),
    }


def _distribution(sums: dict[str, NDArray[np.int64]], kind: str, edges: NDArray[np.float64]) -> dict[str, Any]:
    """For each class, and for all land: distance in deviations of the real values, and that of other real land."""
    counts = [sums[f"{kind} {name}"] for name in ("real", "generated", "elsewhere")]
    by_class = {name: [count[class_id] for count in counts] for class_id, name in enumerate(CLASS_NAMES)}
    by_class["all land"] = [count[1:].sum(axis=0) for count in counts]
    distribution = {}
    for name, (real, generated, elsewhere) in by_class.items():
        distance = heights.histogram_distance(real, generated, edges)
        floor = heights.histogram_distance(real, elsewhere, edges)
        distribution[name] = {
            "W1": distance and distance[0],
            "W1 floor": floor and floor[0],
            "real deviation": distance and distance[1],
            "real mean": _mean(real, edges),
            "generated mean": _mean(generated, edges),
        }
    return distribution


def _mean(counts: NDArray[np.int64], edges: NDArray[np.float64]) -> float | None:
    return float(np.average((edges[1:] + edges[:-1]) / 2, weights=counts)) if counts.sum() else None


def _spectrum(rows: dict[str, NDArray[Any]]) -> dict[str, float | None]:
    real, generated = (spectral_exponent(rows[f"spectrum {name}@all"].mean(axis=0)) for name in SOURCES)
    difference = generated / real - 1 if generated and real else None
    return {"real": real, "generated": generated, "relative difference": difference}


def _coasts(counts: NDArray[np.int64]) -> dict[str, float | None]:
    sea, high, land, low, steps, cliffs = counts.tolist()
    return {
        "sea above 10 m": high / sea if sea else None,
        "land below sea level": low / land if land else None,
        "steps over 30 m": cliffs / steps if steps else None,
    }


def _depressions(counts: NDArray[np.int64]) -> dict[str, float | None]:
    land, closed, number = counts.tolist()
    return {
        "fraction of land": closed / land if land else None,
        "for 10,000 px": 1e4 * number / land if land else None,
    }


def _finest(rows: dict[str, NDArray[Any]]) -> dict[str, float | None]:
    real, generated = (rows[f"finest {name}@all"].sum(axis=0) for name in SOURCES)
    ratios = zip(FINEST_LAYERS, generated.tolist(), real.tolist(), strict=True)
    return {layer: ours / theirs if theirs else None for layer, ours, theirs in ratios}


def _colours(rows: dict[str, NDArray[Any]]) -> dict[str, dict[str, list[float] | None]]:
    colours: dict[str, dict[str, list[float] | None]] = {name: {} for name in CLASS_NAMES}
    for source in SOURCES:
        for name, (count, *sums) in zip(CLASS_NAMES, rows[f"colours {source}@all"].sum(axis=0).tolist(), strict=True):
            colours[name][source] = [each / count for each in sums] if count else None
    return colours


def _squares(sums: NDArray[np.float64]) -> dict[str, dict[str, float | None]]:
    return dict(zip(CLASS_NAMES, square_means(sums), strict=True))


def _diversity(rows: dict[str, NDArray[Any]], views: Sequence[View]) -> dict[str, float]:
    pictures, reliefs, colour, metres = rows["distances@diversity"].mean(axis=0)
    # The distance of lands of different maps, each with its own seed, is what seeds could reach at most.
    generated = rows["features@all"][:, 1]
    maps_shaded, maps_hillshade = (
        mean_distance(np.ascontiguousarray(generated[:, views.index(view)])) for view in (SHADED, HILLSHADE)
    )
    return {
        "shaded terrain": float(pictures),
        "shaded terrain, of different maps": maps_shaded,
        "hillshade": float(reliefs),
        "hillshade, of different maps": maps_hillshade,
        "colour": float(colour),
        "height_m": float(metres),
    }
