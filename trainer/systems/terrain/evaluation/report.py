"""The report of an evaluation: an HTML page, and a Markdown file with the figures and a picture of generated land."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import CLASS_NAMES, CLASSES, PALETTE
from terrainpaint.core.files import FileTransaction
from terrainpaint.core.shading import hypsometric
from trainer.metrics.set_figures import figure_name
from trainer.reports import charts
from trainer.reports.page import encode_jpeg, render_page
from trainer.reports.tables import Table, markdown, number
from trainer.systems.terrain.evaluation import height_statistics as heights
from trainer.systems.terrain.evaluation.measure import Land
from trainer.systems.terrain.evaluation.measurements import Measurements
from trainer.systems.terrain.evaluation.result_tables import result_tables
from trainer.systems.terrain.evaluation.results import results

TEMPLATE = Path(__file__).with_name("report.html.j2")
_PICTURE_CROPS = 6
_LAND_NAMES = ("map", "real", "generated", "real height", "generated height", "real hillshade", "generated hillshade",
               "generated albedo")  # fmt: skip


def write_report(folder: Path, measurements: Measurements) -> list[Table]:
    """Write results.json, report.html, report.md and report.jpg into a folder, all or none; returns the tables.

    Raises OutputError.
    """
    figures = results(measurements)
    picture = generated_picture(measurements, figures["setup"]["pixel_size_m"])
    with FileTransaction() as files:
        files.path(folder / "results.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
        files.path(folder / "report.html").write_text(report_html(measurements, figures), encoding="utf-8")
        files.path(folder / "report.md").write_text(report_markdown(figures, "report.jpg"), encoding="utf-8")
        files.path(folder / "report.jpg").write_bytes(encode_jpeg(picture))
    return list(result_tables(figures).values())


def report_html(measurements: Measurements, figures: dict[str, Any]) -> str:
    """A page that needs no other file: pictures first, then charts, then all figures."""
    shaded = measurements.rows["shaded@seeds"]  # (maps, seeds, C, C, 3)
    maps = [PALETTE[ids] for ids in measurements.rows["ids@seeds"]]
    return render_page(
        TEMPLATE,
        setup=figures["setup"],
        tables=result_tables(figures),
        cards=_cards(figures),
        land_names=_LAND_NAMES,
        land_pictures=_land_pictures(measurements, figures["setup"]["pixel_size_m"]),
        seed_names=("map", *("" for _ in shaded[0])),
        seed_pictures=[picture for row, lands in zip(maps, shaded, strict=True) for picture in (row, *lands)],
        distance_charts=_distance_charts(figures),
        confusion_charts=_confusion_charts(measurements, figures),
        distribution_charts=_distribution_charts(measurements, figures),
        spectrum_chart=charts.spectra(
            *(measurements.rows[f"spectrum {name}@all"].mean(axis=0) for name in ("real", "generated"))
        ),
        leak_chart=_leak_chart(figures),
    )


def report_markdown(figures: dict[str, Any], picture: str) -> str:
    """The figures, with a picture of this file name. Nothing in it shows real land."""
    setup = figures["setup"]
    facts = "\n".join(f"| {key} | {value} |" for key, value in setup.items() if value is not None)
    return (
        f"# Evaluation of {setup['weights']}\n\n"
        f"{setup['crops']} crops of {setup['crop_px']} px from {setup['held-out tiles']} tiles of land that training "
        "never saw. [evaluation.md](evaluation.md) says how each figure is measured, and how to repeat it.\n\n"
        f"![Generated land]({picture})\n\n"
        "From top to bottom: map, generated land, its albedo, height, hillshade.\n\n"
        f"{markdown(list(result_tables(figures).values()))}\n## What was measured\n\n| | |\n| --- | --- |\n{facts}\n"
    )


def generated_picture(measurements: Measurements, pixel_size_m: float) -> NDArray[np.uint8]:
    """(5 * (S + 6), N * (S + 6), 3) uint8 sRGB: map, generated land, albedo, height and hillshade of some crops."""
    columns = []
    for index in range(min(_PICTURE_CROPS, len(measurements.rows["crop@shown"]))):
        land = _land(measurements, "generated", index)
        column = [PALETTE[measurements.rows["ids@shown"][index]], land.shaded, land.albedo, hypsometric(land.height),
                  land.relief(pixel_size_m)]  # fmt: skip
        columns.append(np.vstack([_with_margin(picture) for picture in column]))
    return np.hstack(columns)


def _with_margin(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.pad(picture, ((3, 3), (3, 3), (0, 0)), constant_values=255)


def _land(measurements: Measurements, name: str, index: int) -> Land:
    return Land(*(measurements.rows[f"{layer} {name}@shown"][index] for layer in ("albedo", "shaded", "height")))


def _land_pictures(measurements: Measurements, pixel_size_m: float) -> list[NDArray[np.uint8]]:
    """One row of `_LAND_NAMES` for each crop."""
    pictures = []
    for index, ids in enumerate(measurements.rows["ids@shown"]):
        real, generated = (_land(measurements, name, index) for name in ("real", "generated"))
        pictures += [PALETTE[ids], real.shaded, generated.shaded, hypsometric(real.height),
                     hypsometric(generated.height), real.relief(pixel_size_m), generated.relief(pixel_size_m),
                     generated.albedo]  # fmt: skip
    return pictures


def _cards(figures: dict[str, Any]) -> list[tuple[str, str]]:
    """The figures to read first: (value, text)."""
    cards = []
    for view in ("shaded terrain", "hillshade"):
        value, floor = (figures["distances"][view][kind] for kind in ("KID", "KID floor"))
        # With few crops both can be 0 or negative, and then a ratio means nothing.
        if value > 0 and floor > 0:
            cards.append((f"{number(value / floor, 1)} ×", f"KID of {view}, in floors of real land"))
        else:
            cards.append((number(value, 3), f"KID of {view}; floor {number(floor, 3)}"))
    real, generated = (figures["segmentation consistency"][name]["mIoU"] for name in ("real", "generated"))
    cards.append((number(generated, 2), f"mIoU of what was painted; real land reaches {number(real, 2)}"))
    for kind in ("elevation", "slope"):
        land = figures[kind]["all land"]
        floor = number(land["W1 floor"], 2)
        cards.append((number(land["W1"], 2), f"distance of {kind}s of land, in deviations; floor {floor}"))
    leak = max(map(abs, figures["leak"]["albedo generated"].values()), default=None)
    cards.append((number(leak, 3), "largest correlation of albedo and light"))
    return cards


def _distance_charts(figures: dict[str, Any]) -> dict[str, charts.Chart]:
    setup = figures["setup"]
    by_kind = {}
    for kind, digits in (("KID", 4), ("FID", 2)):
        rows = [(view, values[kind], values[f"{kind} floor"]) for view, values in figures["distances"].items()]
        by_kind[figure_name(kind.lower(), setup["features"], setup["crops"])] = charts.bars_with_floor(rows, digits)
    return by_kind


def _confusion_charts(measurements: Measurements, figures: dict[str, Any]) -> dict[str, charts.Chart]:
    colours = ["#{:02x}{:02x}{:02x}".format(*terrain_class.colour) for terrain_class in CLASSES]
    by_title = {}
    for name, title in (("generated", "Generated land"), ("real", "Real land")):
        miou = figures["segmentation consistency"][name]["mIoU"]
        chart = charts.confusion_matrix(measurements.sums[f"confusion {name}"], CLASS_NAMES, colours)
        by_title[f"{title}, mIoU {miou:.3f}"] = chart
    return by_title


def _distribution_charts(measurements: Measurements, figures: dict[str, Any]) -> list[dict[str, charts.Chart]]:
    """Charts of elevation, then those of slope, a chart for each class."""
    rows = []
    for kind, edges, unit in (("elevation", heights.ELEVATION_EDGES_M, "m"), ("slope", heights.SLOPE_EDGES, "m/m")):
        by_title = {}
        for class_id, name in enumerate(CLASS_NAMES):
            real, generated = (measurements.sums[f"{kind} {source}"][class_id] for source in ("real", "generated"))
            chart = charts.distributions(real, generated, edges, unit)
            # Water is level: its slopes are all 0.
            if chart and (class_id or kind == "elevation"):
                by_title[f"{name}, {kind}: W1 {number(figures[kind][name]['W1'], 2)}"] = chart
        rows.append(by_title)
    return rows


def _leak_chart(figures: dict[str, Any]) -> charts.Chart:
    looks = {
        "albedo generated": (charts.GENERATED, "-"),
        "shaded generated": (charts.GENERATED, "--"),
        "albedo real": (charts.REAL, "-"),
        "shaded real": (charts.REAL, "--"),
    }
    return charts.correlations_by_direction({key: (figures["leak"][key], *look) for key, look in looks.items()})
