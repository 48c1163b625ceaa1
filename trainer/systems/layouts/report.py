"""The report of an evaluation of layouts: an HTML page, and a Markdown file with figures and a picture of samples."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from terrainpaint.core.classes import PALETTE
from terrainpaint.core.files import FileTransaction
from trainer.reports.page import encode_jpeg, render_page
from trainer.reports.tables import Table, markdown, number
from trainer.sampling.grid import picture_grid
from trainer.systems.layouts.evaluation import LayoutEvaluation
from trainer.systems.layouts.novelty_page import layout_novelty_page

TEMPLATE = Path(__file__).with_name("report.html.j2")
_GRID_COLUMNS, _GRID_GAP_PX = 10, 2
_NOTE = (
    "Means of a layout. Distances are those of Wasserstein between the distributions over layouts, in standard "
    "deviations of the training crops. Other crops of the training are the floor; held-out land is other land, and its "
    "distances are those that a part of the Earth may have."
)


def write_layout_report(folder: Path, evaluation: LayoutEvaluation) -> list[Table]:
    """Write results.json, report.html, report.md, report.jpg and novelty.html into a folder, all or none; returns the
    tables.

    Only the pages show real layouts. Raises OutputError.
    """
    figures, tables = evaluation.figures, _tables(evaluation.figures)
    layouts = {"dreamed": evaluation.novelty.samples, "held-out, real": evaluation.held_out}
    grids = {
        name: picture_grid(PALETTE[ids[: _GRID_COLUMNS**2]], _GRID_COLUMNS, _GRID_GAP_PX)
        for name, ids in layouts.items()
    }
    page = render_page(TEMPLATE, figures=figures, tables=tables, grids=grids)
    with FileTransaction() as files:
        files.path(folder / "results.json").write_text(json.dumps(_finite(figures), indent=2) + "\n", encoding="utf-8")
        files.path(folder / "report.html").write_text(page, encoding="utf-8")
        novelty = layout_novelty_page(evaluation.novelty, figures["setup"])
        files.path(folder / "novelty.html").write_text(novelty, encoding="utf-8")
        files.path(folder / "report.md").write_text(_markdown(figures, tables), encoding="utf-8")
        files.path(folder / "report.jpg").write_bytes(encode_jpeg(np.ascontiguousarray(grids["dreamed"])))
    return tables


def _tables(figures: dict[str, Any]) -> list[Table]:
    means, distances = figures["means"], figures["distances to training"]
    rows = [
        (name, *(number(means[name][kind], 3) for kind in ("samples", "training", "held out")),
         *(number(distances[kind][name], 2) for kind in ("samples", "training", "held out")))
        for name in means
    ]  # fmt: skip
    borders, novelty = figures["adjacency"], figures["novelty"]
    others = (
        ("borders that would have to be between other classes", number(borders["samples to training"], 3),
         number(borders["training to training"], 3), number(borders["held out to training"], 3)),
        ("median likeness to the nearest training crop", number(novelty["median likeness of samples"], 3),
         number(novelty["median likeness of training"], 3),
         number(novelty["median likeness of held out"], 3)),
        (f"layouts that may be copies (likeness above {novelty['threshold']:.3f})", str(novelty["may be copies"]), "",
         f"{1 - novelty['quantile']:.0%}"),
    )  # fmt: skip
    return [
        Table("Figures of layouts",
              ("figure", "dreamed", "training", "held out", "distance dreamed", "distance training",
               "distance held out"),
              tuple(rows), _NOTE),
        Table("Neighbours and novelty", ("measure", "dreamed", "training", "held out"), others,
              "Against training crops. Likeness: the fraction of the area with the same class in a grid of 16 px, "
              "whichever way the layouts are turned or mirrored."),
    ]  # fmt: skip


def _finite(value: Any) -> Any:
    """The same without NaN, which JSON does not have."""
    if isinstance(value, dict):
        return {name: _finite(each) for name, each in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _markdown(figures: dict[str, Any], tables: list[Table]) -> str:
    facts = "\n".join(f"| {key} | {value} |" for key, value in figures["setup"].items())
    return (
        f"# Evaluation of {figures['setup']['weights']}\n\n![Dreamed layouts](report.jpg)\n\n{markdown(tables)}\n"
        f"## What was measured\n\n| | |\n| --- | --- |\n{facts}\n"
    )
