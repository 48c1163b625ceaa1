"""The results of a study: one dictionary of plain numbers, which `results.json` holds, and its tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from trainer.metrics.set_figures import figure_name
from trainer.reports.tables import NOT_MEASURED, Table, number
from trainer.studies.measuring import StudyFigures
from trainer.studies.plan import StudyPlan
from trainer.studies.study import StudySetup, StudyState

DIGITS: Mapping[str, int] = {"fid": 1, "kid": 4, "precision": 3, "recall": 3, "diversity": 2, "nearest": 2,
                             "nearest_held_out": 2}  # fmt: skip


def results(plan: StudyPlan, setup: StudySetup, state: StudyState, features: Mapping[str, str]) -> dict[str, Any]:
    """All results so far; `features` has the `name`, `label` and `sha256` of the features."""
    first = plan.runs[0]
    run_config = setup.configs[first.name][0]
    return {
        "features": dict(features),
        "N": len(plan.held_out),
        "size_px": plan.size_px,
        "images": state.compared_at(),
        "images planned": setup.images(first, setup.rounds),
        "batch": run_config.batch,
        "runs": [
            {
                "name": run.name,
                "label": run.label,
                "set": run.set_name,
                "fraction": str(run.fraction),
                "pictures": run.pictures,
                "left out as held out": run.left_out,
                "size_px": run.tiles.tile_px,
                "failure": state.failures.get(run.name),
                "real": asdict(state.real[run.name]),
                "figures": {str(images): asdict(figures)
                            for images, figures in sorted(state.figures[run.name].items())},
            }
            for run in plan.runs
        ],
    }  # fmt: skip


def result_tables(figures: dict[str, Any]) -> list[Table]:
    """The comparison after the images that most runs have reached, and how each figure developed."""
    tables = [_comparison(figures)]
    counts = sorted({int(images) for run in figures["runs"] for images in run["figures"]})
    if len(counts) > 1:
        tables.append(_development(figures, counts))
    return tables


def real_figures(figures: dict[str, Any]) -> StudyFigures:
    """Those of real pictures, against the largest part of the first set."""
    first = figures["runs"][0]["set"]
    return StudyFigures(**[run for run in figures["runs"] if run["set"] == first][-1]["real"])


def titles(figures: dict[str, Any]) -> dict[str, str]:
    """Field of `StudyFigures` → its name, with the features and the number of pictures that it depends on."""
    label, count = figures["features"]["label"], figures["N"]
    named = {kind: figure_name(kind, label, count) for kind in ("fid", "kid", "precision", "recall", "diversity")}
    return {**named, "nearest": f"distance from the nearest training picture ({label}, N = {count})"}


def _comparison(figures: dict[str, Any]) -> Table:
    images = figures["images"]
    rows = []
    for run in figures["runs"]:
        measured = run["figures"].get(str(images))
        values = [number(measured[kind], digits) if measured else NOT_MEASURED for kind, digits in DIGITS.items()]
        label = f"{run['label']} (failed)" if run["failure"] else run["label"]
        rows.append((label, f"{run['pictures']:,}", *values))
    real = asdict(real_figures(figures))
    rows.append(("real pictures, not held out", "", *(number(real[kind], digits) for kind, digits in DIGITS.items())))
    label, count = figures["features"]["label"], figures["N"]
    seen = NOT_MEASURED if images is None else f"{images:,}"
    failures = "".join(f" {run['label']} failed: {run['failure']}" for run in figures["runs"] if run["failure"])
    return Table(
        f"Runs after {seen} images each",
        ("run", "pictures", "FID", "KID", "precision", "recall", "diversity", "nearest", "nearest, held-out"),
        tuple(rows),
        f"Features {label}, N = {count} generated and {count} held-out real pictures, the same for all runs, at "
        f"{figures['size_px']} px. FID and KID: lower is nearer to the real pictures. Precision: generated pictures "
        "that are like real ones; recall: real ones that are like generated ones. Diversity: mean distance of two "
        "generated pictures. Nearest: mean distance from the nearest picture that the run was trained on, and the same "
        f"of the held-out pictures: far below it, pictures are learned by heart.{failures}",
    )


def _development(figures: dict[str, Any], counts: list[int]) -> Table:
    rows = []
    for run in figures["runs"]:
        for kind in ("fid", "kid", "diversity"):
            values = (run["figures"].get(str(images)) for images in counts)
            texts = (number(each[kind], DIGITS[kind]) if each else NOT_MEASURED for each in values)
            name = kind.upper() if kind != "diversity" else kind
            rows.append((f"{run['label']}: {name}", *texts))
    return Table("By the images seen", ("run", *(f"{images:,}" for images in counts)), tuple(rows),
                 "The same figures during the training.")  # fmt: skip
