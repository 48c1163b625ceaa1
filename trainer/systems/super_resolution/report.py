"""The report of an evaluation of super-resolution: an HTML page with what is real, a Markdown file with the figures."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from terrainpaint.core.files import FileTransaction
from trainer.reports.page import render_page
from trainer.reports.tables import Table, markdown, number
from trainer.systems.super_resolution.evaluation import COLOURS, Evaluation
from trainer.systems.super_resolution.picture_evaluation import OURS, PICTURES

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
_PICTURE_NOTE = (
    "KID as for land. The difference is that from the picture that was reduced, 0 to 255; power is that of the real "
    "pictures = 1, of waves that the reduced picture does not have."
)


@dataclass(frozen=True)
class _Shape:
    """How a part of an evaluation is shown: its title, what is compared, the rows of its picture, and what the figures
    mean."""

    title: str
    kinds: tuple[str, ...]
    rows: tuple[str, ...]
    note: str


_COLOURS = _Shape("Colours at 2 km", ("fine land", "bicubic", "real"), ("bicubic", "fine land", "real"), _COLOUR_NOTE)
_PICTURES = _Shape("Pictures", (OURS, "bicubic", "real"), ("bicubic", OURS, "real"), _PICTURE_NOTE)


def _shape(name: str) -> _Shape:
    if name in (COLOURS, PICTURES):
        return _COLOURS if name == COLOURS else _PICTURES
    return _Shape(
        f"Heights at {name}", ("fine land", "bicubic", "noise", "real"), ("bicubic", "noise", "fine land", "real"),
        _HEIGHT_NOTE,
    )  # fmt: skip


def write_report(folder: Path, evaluation: Evaluation) -> list[Table]:
    """Write results.json, report.html and report.md into a folder, all or none; returns the tables. Only the page shows
    real land or pictures. Raises OutputError."""
    figures, tables = evaluation.figures, _tables(evaluation.figures)
    rows = {name: ", ".join(_shape(name).rows) for name in evaluation.pictures}
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
        shape = _shape(name)
        rows = tuple(
            (figure, *(number(found[kind][figure], 4) for kind in shape.kinds)) for figure in found[shape.kinds[0]]
        )
        tables.append(Table(shape.title, ("figure", *shape.kinds), rows, f"{found['crops']} crops. {shape.note}"))
    return tables
