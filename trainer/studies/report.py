"""The report of a study: an HTML page, a Markdown file with the figures, and a picture of the sample grids."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.decoding import WHITE, UndecodableError, open_picture, picture_of
from terrainpaint.core.files import FileTransaction
from trainer.reports import charts
from trainer.reports.page import encode_jpeg, render_page
from trainer.reports.side_by_side import side_by_side
from trainer.reports.tables import Table, markdown
from trainer.sampling.grid import picture_grid
from trainer.studies.plan import StudyPlan
from trainer.studies.results import DIGITS, real_figures, result_tables, titles
from trainer.studies.study import GRID_COLUMNS, grid_path

TEMPLATE = Path(__file__).with_name("study.html.j2")


def write_report(folder: Path, plan: StudyPlan, figures: dict[str, Any]) -> list[Table]:
    """Write results.json, study.html, study.md and study.jpg into a folder, all or none; returns the tables.

    Raises OutputError.
    """
    tables = result_tables(figures)
    grids = _grids(folder, plan, figures)
    with FileTransaction() as files:
        files.path(folder / "results.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
        files.path(folder / "study.html").write_text(_page(plan, figures, tables, grids), encoding="utf-8")
        files.path(folder / "study.md").write_text("# Study\n\n" + markdown(tables), encoding="utf-8")
        if grids:
            files.path(folder / "study.jpg").write_bytes(encode_jpeg(side_by_side(grids)))
    return tables


def _grids(folder: Path, plan: StudyPlan, figures: dict[str, Any]) -> dict[str, NDArray[np.uint8]]:
    """The sample grid of each run at the images that most have reached, by its title."""
    grids = {}
    for run, entry in zip(plan.runs, figures["runs"], strict=True):
        if str(figures["images"]) not in entry["figures"]:
            continue
        try:
            with open_picture(grid_path(folder, run, figures["images"])) as opened:
                grids[f"{run.label}: {run.pictures:,} pictures"] = picture_of(opened).over(WHITE)
        except (OSError, UndecodableError):  # the page is of use without it
            continue
    return grids


def _page(plan: StudyPlan, figures: dict[str, Any], tables: list[Table], grids: dict[str, NDArray[np.uint8]]) -> str:
    held_out = picture_grid(plan.held_out[: GRID_COLUMNS**2], GRID_COLUMNS)
    return render_page(
        TEMPLATE,
        figures=figures,
        tables=tables,
        grids={**grids, "held-out real pictures": held_out},
        bars=_bars(figures),
        curves=_curves(figures),
    )


def _bars(figures: dict[str, Any]) -> dict[str, charts.Chart]:
    """A chart for each figure: a bar for each run, with a mark at the figure of real pictures."""
    measured = [(run["label"], run["figures"][str(figures["images"])]) for run in figures["runs"]
                if str(figures["images"]) in run["figures"]]  # fmt: skip
    if not measured:
        return {}
    real = real_figures(figures)
    by_title = {}
    for kind, title in titles(figures).items():
        if kind == "nearest":
            rows, mark = [(label, each["nearest"], each["nearest_held_out"]) for label, each in measured], "held-out"
        else:
            rows, mark = [(label, each[kind], getattr(real, kind)) for label, each in measured], "real"
        by_title[title] = charts.bars_with_floor(rows, DIGITS[kind], mark)
    return by_title


def _curves(figures: dict[str, Any]) -> dict[str, charts.Chart]:
    """KID, recall and diversity by the images seen, where there are several measurements."""
    if not any(len(run["figures"]) > 1 for run in figures["runs"]):
        return {}
    names = titles(figures)
    by_title = {}
    for kind in ("kid", "recall", "diversity"):
        series = {run["label"]: ([int(images) for images in run["figures"]],
                                 [each[kind] for each in run["figures"].values()])
                  for run in figures["runs"] if run["figures"]}  # fmt: skip
        by_title[names[kind]] = charts.curves(series, "images seen")
    return by_title
