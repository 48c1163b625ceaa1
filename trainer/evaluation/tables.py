"""The figures as tables: one description of the rows for the terminal, for Markdown and for the report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from terrainpaint.core.classes import CLASS_NAMES

NOTHING = "–"


@dataclass(frozen=True)
class Table:
    """A title, the names of the columns, rows of texts, and a sentence or two on what they mean."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str


def tables(found: dict[str, Any]) -> list[Table]:
    """All tables of the figures that `results` gives."""
    made = [
        _distances(found),
        _pairs(found),
        _obedience(found),
        _by_class("Elevation", "m", 1, 0, found["elevation"]),
        _by_class("Slope", "m per km", 1000, 1, found["slope"]),
        _land(found),
        _leak(found),
        _seeds(found),
    ]
    return made + ([_repetition(found["repetition"]), _checks(found["checks"])] if "checks" in found else [])


def number(value: float | None, digits: int) -> str:
    """A number for people; what could not be measured is a dash."""
    return NOTHING if value is None else f"{value:.{digits}f}"


def percent(value: float | None) -> str:
    """A share for people."""
    return NOTHING if value is None else f"{100 * value:.1f} %"


def _distances(found: dict[str, Any]) -> Table:
    network = found["told"]["features"]
    rows = []
    for view, each in found["distances"].items():
        for kind, digits in (("KID", 4), ("FID", 2)):
            value, floor = each[kind], each[f"{kind} floor"]
            ratio = value / floor if floor > 0 else None
            rows.append((f"{kind} ({network}), {view}", number(value, digits), number(floor, digits), number(ratio, 2)))
    return Table(
        "Distances between sets of pictures",
        ("measure", "generated", "real-against-real floor", "ratio"),
        tuple(rows),
        "0 is best. The floor is the distance of the held-out land from as many crops of other real land. Figures with "
        f"these features compare with each other only, not with those of other networks. The albedo of real land is "
        f"estimated: the picture without the {percent(found['told']['shading explained'])} of its fine lightness that "
        "slopes explain.",
    )


def _pairs(found: dict[str, Any]) -> Table:
    columns = ("mean", "minimum", "maximum", "standard deviation")
    rows = tuple((name, *(number(each[column], 3) for column in columns)) for name, each in found["pairs"].items())
    return Table(
        "Generated against real, crop by crop",
        ("shaded terrain", *columns),
        rows,
        "SSIM and PSNR (dB): higher is nearer. L1 and HP-L1 (after a Laplacian): lower is nearer, colours "
        "from -1 to 1. A map leaves open where a ridge lies, so other land of the same kind scores low.",
    )


def _obedience(found: dict[str, Any]) -> Table:
    real, made = found["obedience"]["real"], found["obedience"]["made"]
    rows = [(name, number(made[name], 3), number(real[name], 3), number(made[name] / real[name], 2) if real[name] else
             NOTHING) for name in ("mIoU", "accuracy")]  # fmt: skip
    for name in CLASS_NAMES:
        ours, theirs = made["IoU"][name], real["IoU"][name]
        rows.append(
            (f"IoU of {name}", number(ours, 3), number(theirs, 3), number(ours / theirs, 2) if theirs else NOTHING)
        )
    return Table(
        "Obedience",
        ("measure", "generated", "floor: real land", "ratio"),
        tuple(rows),
        "A segmenter that was trained on real land names the classes of finished land; compared with the map. "
        "1 is best.",
    )


def _by_class(kind: str, unit: str, scale: float, digits: int, found: dict[str, Any]) -> Table:
    rows = []
    for name, each in found.items():
        means = (None if value is None else scale * value for value in (each["made mean"], each["real mean"]))
        rows.append(
            (name, number(each["W1"], 2), number(each["W1 floor"], 2), *(number(mean, digits) for mean in means))
        )
    return Table(
        f"{kind} by class",
        ("class", "W1", "floor", f"generated mean, {unit}", f"real mean, {unit}"),
        tuple(rows),
        "W1: Wasserstein-1 distance over the standard deviation of the real values; 0 is best. Floor: other real land "
        "against the held-out land.",
    )


def _land(found: dict[str, Any]) -> Table:
    spectrum, coasts, hollows = found["spectrum"], found["coasts"], found["depressions"]
    rows = [("fall of the power spectrum (exponent)", number(spectrum["made"], 2), number(spectrum["real"], 2))]
    rows += [
        (f"coast: {name}", percent(coasts["made"][name]), percent(coasts["real"][name])) for name in coasts["real"]
    ]
    rows.append(("land in closed depressions over 5 m deep", percent(hollows["made"]["share of land"]),
                 percent(hollows["real"]["share of land"])))  # fmt: skip
    rows.append(("closed depressions in 10,000 px of land", number(hollows["made"]["for 10,000 px"], 1),
                 number(hollows["real"]["for 10,000 px"], 1)))  # fmt: skip
    return Table(
        "The shape of the land",
        ("measure", "generated", "real land"),
        tuple(rows),
        "Coast: within 3 px of where painted sea and land meet; real land was smoothed to make the map, so it "
        "does not keep to it exactly either. Painted water is an outlet of depressions.",
    )


def _leak(found: dict[str, Any]) -> Table:
    names = {
        "albedo made": "generated albedo",
        "shaded made": "generated, shaded",
        "albedo real": "real, shading removed",
        "shaded real": "real picture",
    }
    values = {name: found["leak"][key] for key, name in names.items()}
    directions = tuple(next(iter(values.values())))[:4]
    rows = tuple((name, *(f"{each[direction]:+.3f}" for direction in directions)) for name, each in values.items())
    return Table(
        "Shading leak",
        ("light from", *directions),
        rows,
        "Correlation of lightness with the slope that faces the light, on hills and mountains, finer than "
        "about 8 px; the opposite direction has the opposite sign. 0 is best for an albedo.",
    )


def _seeds(found: dict[str, Any]) -> Table:
    seeds = found["seeds"]
    rows = [(f"features of {view}", number(seeds[view], 2), number(seeds[f"{view}, of different maps"], 2))
            for view in ("shaded terrain", "hillshade")]  # fmt: skip
    rows += [
        ("colour, 0..1", number(seeds["colour"], 3), NOTHING),
        ("height of land, m", number(seeds["height_m"], 0), NOTHING),
    ]
    return Table(
        "Diversity between seeds",
        ("mean distance of pairs", "seeds of one map", "different maps"),
        tuple(rows),
        "Between 0, where a seed changes nothing, and the distance of different maps.",
    )


def _repetition(found: dict[str, Any]) -> Table:
    return Table(
        "Repetition",
        ("map of one class", "largest autocorrelation"),
        tuple((name, number(value, 3)) for name, value in found["peaks"].items()),
        f"Of the relief of {found['side']} x {found['side']} px, finer than about 8 px, at shifts over 32 px. 0 is "
        "best.",
    )


def _checks(checks: dict[str, Any]) -> Table:
    rows = (
        ("the same bits twice, and from the file anew", "yes" if checks["repeats"] else "no"),
        ("tiles against the whole, colour (of 255)", str(checks["seam_colour"])),
        ("tiles against the whole, height", f"{checks['seam_height_m']:.4f} m"),
        ("seconds for 512 x 512 px", f"{checks['seconds_512']:.2f} ({checks['device']})"),
    )
    return Table(
        "Seams, determinism, speed",
        ("check", "result"),
        rows,
        "The time is of the machine that evaluated, with what else it did; all other figures repeat.",
    )


def markdown(found: Sequence[Table]) -> str:
    """The tables as a part of a Markdown file."""
    texts = []
    for table in found:
        lines = [f"## {table.title}", "", table.note, "", "| " + " | ".join(table.columns) + " |",
                 "| --- |" + " ---: |" * (len(table.columns) - 1)]  # fmt: skip
        texts.append("\n".join([*lines, *("| " + " | ".join(row) + " |" for row in table.rows)]))
    return "\n\n".join(texts) + "\n"
