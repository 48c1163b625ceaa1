"""The report of an evaluation of a DCGAN: an HTML page, and a Markdown file with figures and a picture of samples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from terrainpaint.core.files import FileTransaction
from trainer.metrics.set_figures import DIGITS, KINDS, figure_name
from trainer.reports.page import encode_jpeg, render_page
from trainer.reports.tables import Table, markdown, number
from trainer.sampling.grid import picture_grid
from trainer.systems.dcgan.picture_evaluation import PictureEvaluation

TEMPLATE = Path(__file__).with_name("picture_report.html.j2")
_GRID_COLUMNS = 8


def write_picture_report(folder: Path, evaluation: PictureEvaluation) -> list[Table]:
    """Write results.json, report.html, report.md and report.jpg into a folder, all or none; returns the tables.

    Only the page shows real pictures. Raises OutputError.
    """
    figures, table = evaluation.figures, _table(evaluation.figures)
    pictures = {"generated": evaluation.samples, "held-out, real": evaluation.held_out}
    grids = {name: picture_grid(each[: _GRID_COLUMNS**2], _GRID_COLUMNS) for name, each in pictures.items()}
    page = render_page(TEMPLATE, figures=figures, table=table, grids=grids, nearest=evaluation.nearest)
    with FileTransaction() as files:
        files.path(folder / "results.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
        files.path(folder / "report.html").write_text(page, encoding="utf-8")
        files.path(folder / "report.md").write_text(_markdown(figures, table), encoding="utf-8")
        files.path(folder / "report.jpg").write_bytes(encode_jpeg(grids["generated"]))
    return [table]


def _table(figures: dict[str, Any]) -> Table:
    setup, novelty = figures["setup"], figures["novelty"]
    rows = [(figure_name(kind, setup["features"], setup["N"]),
             *(number(figures[source][kind], DIGITS[kind]) for source in ("generated", "real")))
            for kind in KINDS]  # fmt: skip
    rows.append(("authenticity", number(novelty["authenticity"], 2), ""))
    rows.append(("samples that may be copies", str(novelty["may be copies"]), ""))
    return Table(
        "Generated against held-out pictures",
        ("measure", "generated", "real pictures of the training"),
        tuple(rows),
        "Lower FID and KID, higher precision and recall are better; the last column is what as many real pictures "
        "reach. Authenticity: fraction of samples that are farther from their nearest training picture than that is "
        "from another one, about one half for new pictures. Nearer than "
        f"{100 * novelty['quantile']:.0f} % of the pairs of real pictures, a sample may be a copy.",
    )


def _markdown(figures: dict[str, Any], table: Table) -> str:
    facts = "\n".join(f"| {key} | {value} |" for key, value in figures["setup"].items())
    return (
        f"# Evaluation of {figures['setup']['weights']}\n\n![Generated pictures](report.jpg)\n\n{markdown([table])}\n"
        f"## What was measured\n\n| | |\n| --- | --- |\n{facts}\n"
    )
