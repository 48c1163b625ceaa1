"""The report of an evaluation of fine land: an HTML page with real land, a Markdown file with the figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from terrainpaint.core.files import FileTransaction
from trainer.reports.page import render_page
from trainer.reports.tables import Table, markdown, number
from trainer.systems.super_resolution.evaluation import Evaluation

TEMPLATE = Path(__file__).with_name("report.html.j2")
_HEIGHT_NOTE = (
    "KID compares one half of the crops with the other half of the real ones, so that of real land is the floor. Noise "
    "has the power spectrum of what the real land has beyond its area means. Power is that of the real land = 1; cells "
    "are 4 px wide, so waves of 8 px are at the seam of the scales. Crests and valleys are mean lengths."
)
_COLOUR_NOTE = (
    "KID as above. Leak is the largest correlation of the lightness with the slope that faces a light, over eight "
    "directions; that of the detail is of what was added to the bicubic enlargement, which has the light that is left "
    "in the coarse colours."
)
_HEIGHT_KINDS, _COLOUR_KINDS = ("fine land", "bicubic", "noise", "real"), ("fine land", "bicubic", "real")


def write_report(folder: Path, evaluation: Evaluation) -> list[Table]:
    """Write results.json, report.html and report.md into a folder, all or none; returns the tables. Only the page shows
    real land. Raises OutputError."""
    figures, tables = evaluation.figures, _tables(evaluation.figures)
    rows = {name: "bicubic, fine land, real" if name == "colours" else "bicubic, noise, fine land, real"
            for name in evaluation.pictures}  # fmt: skip
    page = render_page(TEMPLATE, figures=figures, tables=tables, pictures=evaluation.pictures, rows=rows)
    with FileTransaction() as files:
        files.path(folder / "results.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
        files.path(folder / "report.html").write_text(page, encoding="utf-8")
        files.path(folder / "report.md").write_text(
            f"# Evaluation of {figures['setup']['weights']}\n\n{markdown(tables)}\n", encoding="utf-8"
        )
    return tables


def _tables(figures: dict[str, Any]) -> list[Table]:
    tables = []
    for name, found in figures.items():
        if name == "setup":
            continue
        kinds = _COLOUR_KINDS if name == "colours" else _HEIGHT_KINDS
        title = "Colours at 2 km" if name == "colours" else f"Heights at {name}"
        rows = tuple((figure, *(number(found[kind][figure], 4) for kind in kinds)) for figure in found[kinds[0]])
        note = f"{found['crops']} crops. {_COLOUR_NOTE if name == 'colours' else _HEIGHT_NOTE}"
        tables.append(Table(title, ("figure", *kinds), rows, note))
    return tables
