"""The report of an evaluation of pix2pix: all figures as JSON, and a page to look at."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.files import FileTransaction
from trainer.metrics.pairwise import PUBLISHED_MEASURES
from trainer.metrics.set_figures import DIGITS, KINDS, figure_name
from trainer.reports.page import render_page
from trainer.reports.tables import Table, number
from trainer.systems.pix2pix.evaluation import GENERATED, REDUCED_PX, SOURCE, TABLE, Evaluation, SetComparison

TEMPLATE = Path(__file__).with_name("evaluation.html.j2")
WORST = 10
TYPICAL = 5
_DIGITS = {"SSIM": 4, "PSNR": 2, "L1": 4, "HP-L1": 4}
_SHORT = {"SSIM": 3, "PSNR": 1, "L1": 3, "HP-L1": 3}
_L1 = PUBLISHED_MEASURES.index("L1")
_COLUMNS = ("mean", "minimum", "maximum", "standard deviation")


def write_report(folder: Path, evaluation: Evaluation) -> list[Table]:
    """Write results.json and report.html into a folder, both or none; returns the tables. Raises OutputError."""
    page = report_html(evaluation)
    with FileTransaction() as files:
        files.path(folder / "results.json").write_text(json.dumps(results(evaluation), indent=2) + "\n", "utf-8")
        files.path(folder / "report.html").write_text(page, encoding="utf-8")
    return _tables(evaluation)


def results(evaluation: Evaluation) -> dict[str, Any]:
    """All figures: of the set, and of each crop."""
    crops = [
        {
            "name": name,
            **{measure: float(value) for measure, value in zip(PUBLISHED_MEASURES, values, strict=True)},
            "nearest training target": nearest or None,
            "distance": None if np.isnan(distance) else float(distance),
        }
        for name, values, nearest, distance in zip(
            evaluation.names, evaluation.values[0], evaluation.nearest_names, evaluation.distance, strict=True
        )
    ]
    has_training = not np.isnan(evaluation.distance).any()
    nearest = {
        "generated": float(evaluation.distance.mean()) if has_training else None,
        "held-out targets": float(evaluation.target_distance.mean()) if has_training else None,
        "ratio": evaluation.memorising if has_training else None,
    }
    sets = evaluation.sets
    compared = None if sets is None else {
        "N": sets.count,
        "generated": asdict(sets.generated),
        "training targets": None if sets.floor is None else asdict(sets.floor),
    }  # fmt: skip
    return {"setup": dict(evaluation.setup), "measures": evaluation.figures, "sets": compared,
            "nearest training target": nearest, "crops": crops}  # fmt: skip


def figures_table(evaluation: Evaluation) -> Table:
    """The measures of the generator, and the means of what it should beat."""
    figures = evaluation.figures
    rows = tuple(
        (
            name,
            *(number(figures[GENERATED][name][column], _DIGITS[name]) for column in _COLUMNS),
            *(number(figures[output][name]["mean"], _DIGITS[name]) for output in (SOURCE, TABLE)),
        )
        for name in PUBLISHED_MEASURES
    )
    return Table(
        "Generated against target, crop by crop",
        ("", *_COLUMNS, f"{SOURCE}, mean", f"{TABLE}, mean"),
        rows,
        "SSIM and PSNR (dB): higher is nearer. L1 and HP-L1: lower is nearer; colours count from -1 to 1. The last two "
        "columns are what needs no network: the source as it is, and each of its colours replaced by the mean colour "
        "that targets of the training have there.",
    )


def sets_table(sets: SetComparison) -> Table:
    """What compares all generated pictures with all targets, and the floor."""
    rows = tuple(
        (
            figure_name(kind, sets.label, sets.count),
            number(getattr(sets.generated, kind), DIGITS[kind]),
            number(None if sets.floor is None else getattr(sets.floor, kind), DIGITS[kind]),
        )
        for kind in KINDS
    )
    return Table(
        "Generated against held-out targets, as sets",
        ("", "generated", "targets of the training"),
        rows,
        "Lower FID and KID, higher precision and recall are better: they say whether the pictures are like real ones, "
        "not whether each is like its own target. The last column is what as many real targets reach.",
    )


def report_html(evaluation: Evaluation) -> str:
    """A page that needs no other file: figures, typical crops, the worst ones, and all in a table."""
    by_l1 = np.argsort(evaluation.values[0, :, _L1], kind="stable")
    typical = np.unique(np.linspace(0, len(by_l1) - 1, TYPICAL).astype(int))
    return render_page(
        TEMPLATE,
        setup=evaluation.setup,
        cards=_cards(evaluation),
        tables=_tables(evaluation),
        names=("source", GENERATED, "target", "nearest training target"),
        typical=_rows(evaluation, by_l1[typical]),
        worst=_rows(evaluation, by_l1[::-1][:WORST]),
        all_crops=_crops_table(evaluation, by_l1[::-1]),
        reduced_px=REDUCED_PX,
    )


def _tables(evaluation: Evaluation) -> list[Table]:
    tables = [figures_table(evaluation)]
    return tables if evaluation.sets is None else [*tables, sets_table(evaluation.sets)]


def _cards(evaluation: Evaluation) -> list[tuple[str, str]]:
    figures = evaluation.figures
    cards = []
    for name in PUBLISHED_MEASURES:
        ours, table = (number(figures[output][name]["mean"], _SHORT[name]) for output in (GENERATED, TABLE))
        cards.append((ours, f"{name}; the mean colour alone has {table}"))
    sets = evaluation.sets
    if sets is not None:
        floor = "" if sets.floor is None else f"; real targets of the training have {number(sets.floor.kid, 2)}"
        cards.append((number(sets.generated.kid, 2), f"KID{floor}"))
    ratio = evaluation.memorising
    if ratio is not None and not np.isnan(ratio):
        cards.append((f"{ratio:.2f}", "distance from the nearest training target: 1 as held-out targets, 0 a copy"))
    return cards


def _rows(evaluation: Evaluation, indices: Sequence[int] | NDArray[np.int64]) -> list[dict[str, Any]]:
    """What the page shows of each crop: its pictures, its figures and the names."""
    rows = []
    for index in np.asarray(indices).tolist():
        values = zip(PUBLISHED_MEASURES, evaluation.values[0, index], strict=True)
        layers = (evaluation.source, evaluation.generated, evaluation.target, evaluation.nearest)
        rows.append({
            "name": evaluation.names[index],
            "figures": ", ".join(f"{name} {number(value, _SHORT[name])}" for name, value in values),
            "nearest": evaluation.nearest_names[index],
            "distance": number(evaluation.distance[index], 3),
            "pictures": [layer[index] for layer in layers],
        })  # fmt: skip
    return rows


def _crops_table(evaluation: Evaluation, order: NDArray[np.int64]) -> Table:
    rows = tuple(
        (
            evaluation.names[index],
            *(number(value, _DIGITS[name]) for name, value in
              zip(PUBLISHED_MEASURES, evaluation.values[0, index], strict=True)),
            evaluation.nearest_names[index],
            number(evaluation.distance[index], 3),
        )
        for index in order.tolist()
    )  # fmt: skip
    return Table("All crops", ("crop", *PUBLISHED_MEASURES, "nearest training target", "distance"), rows, "")
