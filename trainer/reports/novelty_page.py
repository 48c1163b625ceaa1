"""The page of samples with their nearest training pictures, and of training pictures with their nearest samples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from trainer.reports import charts
from trainer.reports.page import render_page
from trainer.reports.tables import percent

TEMPLATE = Path(__file__).with_name("novelty_page.html.j2")
THUMBNAIL_PX = 96
LAYERS = {
    "late": "late layer: what is in the picture",
    "early": "early layer: edges and colours, place by place",
    "pixels": "pixels: both reduced to 16 px",
}
_BINS = 60


def novelty_page(figures: dict[str, Any], samples: NDArray[np.uint8], training: NDArray[np.uint8]) -> str:
    """HTML in one file: `figures` as `nearest.json` has them, and the pictures (N, S, S, 3) uint8 sRGB of both."""
    by_percentile = sorted(figures["samples"], key=_highest_percentile, reverse=True)
    used = {found["index"] for sample in by_percentile for layer in LAYERS for found in sample[layer]["nearest"]}
    used |= {row["index"] for row in figures["training"]}
    copies = [sample for sample in by_percentile if sample["may be a copy"]]
    return render_page(
        TEMPLATE,
        setup=figures["setup"],
        figures=figures,
        layers=LAYERS,
        cards=_cards(figures, len(copies)),
        charts={text: _similarities(figures, layer) for layer, text in LAYERS.items()},
        copies=copies,
        others=[sample for sample in by_percentile if not sample["may be a copy"]],
        sample_pictures=dict(enumerate(map(_thumbnail, samples))),
        training_pictures={index: _thumbnail(training[index]) for index in sorted(used)},
    )


def figures_json(figures: dict[str, Any]) -> str:
    """The figures as JSON; of the similarities between real pictures, which are many, only some quantiles."""
    layers = {}
    for name, layer in figures["layers"].items():
        values = np.asarray(layer["similarity between real pictures"])
        quantiles = {str(q): round(float(np.quantile(values, q)), 4) for q in (0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99)}
        layers[name] = {**layer, "similarity between real pictures": {"count": len(values), "quantiles": quantiles}}
    return json.dumps({**figures, "layers": layers}, indent=1, ensure_ascii=False) + "\n"


def _highest_percentile(sample: dict[str, Any]) -> tuple[float, float]:
    """What samples are sorted by: how near they are for real pictures, and then how near at all."""
    return (max(sample[layer]["percentile"] for layer in LAYERS),
            max(sample[layer]["nearest"][0]["similarity"] for layer in LAYERS))  # fmt: skip


def _cards(figures: dict[str, Any], copies: int) -> list[tuple[str, str]]:
    setup, late = figures["setup"], figures["layers"]["late"]
    return [
        (f"{copies} of {len(figures['samples'])}", "samples may be copies. Of new pictures of the same kind, "
                                                   f"{percent(1 - setup['quantile'])} would be named in each kind"),
        (percent(late["authenticity"]), "authenticity: samples farther from their nearest training picture than that "
                                        "is from another one. About half is usual, 0 is copying"),
        (f"{late['mean similarity']:.2f}", "mean similarity to the nearest training picture (late layer); between real "
                                           f"pictures the median is "
                                           f"{late['median similarity between real pictures']:.2f}"),
        (percent(figures["fraction of duplicates"]), f"of {setup['number of training pictures']:,} training pictures "
                                                     "have a duplicate, which is left out of the threshold"),
    ]  # fmt: skip


def _similarities(figures: dict[str, Any], layer: str) -> charts.Chart | None:
    """Histograms of the similarity to the nearest training picture, of real pictures and of samples."""
    real = figures["layers"][layer]["similarity between real pictures"]
    ours = [sample[layer]["nearest"][0]["similarity"] for sample in figures["samples"]]
    edges = np.linspace(min(0.0, *real, *ours), 1.0 + 1e-6, _BINS + 1)
    counts = [np.histogram(np.minimum(values, 1.0), edges)[0] for values in (real, ours)]
    return charts.distributions(counts[0], counts[1], edges, "")


def _thumbnail(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if len(picture) <= THUMBNAIL_PX:
        return picture
    return np.asarray(cv2.resize(picture, (THUMBNAIL_PX, THUMBNAIL_PX), interpolation=cv2.INTER_AREA), np.uint8)
