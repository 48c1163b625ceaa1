"""The page of dreamed layouts beside the training crops that are most like them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from terrainpaint.core.classes import PALETTE
from trainer.reports import charts
from trainer.reports.page import render_page
from trainer.reports.tables import percent
from trainer.systems.layouts.novelty import QUANTILE, LayoutNovelty, turned_like

TEMPLATE = Path(__file__).with_name("novelty.html.j2")
MOST_ALIKE, FIRST_SEEDS = 24, 96
"""Layouts that are shown: those that are most like a training crop, and the first ones, which nobody has chosen."""
_BINS = 60


def layout_novelty_page(novelty: LayoutNovelty, setup: dict[str, Any]) -> str:
    """HTML in one file. `setup` has the names of the files and numbers that it was made with, and `seed`, that of the
    first layout."""
    order = np.argsort(-novelty.likeness[:, 0], kind="stable")
    return render_page(
        TEMPLATE,
        setup=setup,
        figures=novelty.figures,
        cards=_cards(novelty),
        chart=_chart(novelty),
        copies=[_row(novelty, index, setup) for index in order if novelty.may_be_copy[index]][:MOST_ALIKE],
        alike=[_row(novelty, index, setup) for index in order if not novelty.may_be_copy[index]][:MOST_ALIKE],
        first=[_row(novelty, index, setup, 1) for index in range(min(FIRST_SEEDS, len(order)))],
    )


def _row(novelty: LayoutNovelty, index: int, setup: dict[str, Any], count: int | None = None) -> dict[str, Any]:
    sample = novelty.samples[index]
    nearest = turned_like(novelty.nearest[index, :count], sample)
    return {
        "name": f"seed {setup['seed'] + int(index)}",
        "picture": PALETTE[sample],
        "percentile": float(novelty.percentile[index]),
        "nearest": [
            (PALETTE[ids], float(likeness), bool(likeness > novelty.threshold))
            for ids, likeness in zip(nearest, novelty.likeness[index], strict=False)
        ],
    }


def _cards(novelty: LayoutNovelty) -> list[tuple[str, str]]:
    figures = novelty.figures
    return [
        (f"{figures['may be copies']} of {len(novelty.samples):,}",
         f"layouts may be copies. Of land that the training has not seen, {percent(1 - QUANTILE)} would be named"),
        (f"{figures['median likeness of samples']:.3f}", "likeness of a dreamed layout to the nearest training crop, "
                                                         "median"),
        (f"{figures['median likeness of held out']:.3f}", "the same of real land that the training has not seen"),
        (f"{figures['median likeness of training']:.3f}", "the same of other crops of the land of training: copies "
                                                          "would be like this"),
    ]  # fmt: skip


def _chart(novelty: LayoutNovelty) -> charts.Chart | None:
    sets = (novelty.of_unseen, novelty.likeness[:, 0])
    edges = np.linspace(min(float(values.min()) for values in sets), 1.0 + 1e-6, _BINS + 1)
    real, dreamed = (np.histogram(np.minimum(values, 1.0), edges)[0] for values in sets)
    return charts.distributions(real, dreamed, edges, "")
