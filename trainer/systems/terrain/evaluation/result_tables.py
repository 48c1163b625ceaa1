"""The results of an evaluation as tables."""

from __future__ import annotations

from typing import Any

from terrainpaint.core.classes import CLASS_NAMES
from trainer.metrics.set_figures import figure_name
from trainer.reports.tables import NOT_MEASURED, Table, number, percent
from trainer.systems.terrain.evaluation.class_squares import SQUARE_FIGURES, SQUARE_PX

_SQUARE_DIGITS = tuple(zip(SQUARE_FIGURES, (3, 1, 1), strict=True))
"""The figures of squares with the decimals they are shown with."""
_FINEST_NAMES = {"shaded": "shaded terrain", "albedo": "albedo", "height": "height"}
_DRAINAGE_NAMES = {
    "density": "channels, px in 100 px of land",
    "junctions": "junctions in 100 px of channels",
    "bifurcation": "streams of the first order for each of the second",
}


def result_tables(results: dict[str, Any]) -> dict[str, Table]:
    """Key → table of the results that `results.results` returns."""
    tables = {
        "distances": _distances(results),
        "places": _places(results["distances"]),
        "pairs": _pairs(results),
        "segmentation": _segmentation(results),
        "elevation": _by_class("Elevation", "m", 1, 0, results["elevation"]),
        "slope": _by_class("Slope", "m per km", 1000, 1, results["slope"]),
        "relief": _relief(results),
        "squares": _squares(results["squares"]["generated"], results["squares"]["real"]),
        "colours": _colours(results["colours"]),
        "leak": _leak(results),
        "diversity": _diversity(results),
    }
    if "checks" in results:
        tables |= {
            "uniform": _uniform(results["repetition"], results["squares"]["real"]),
            "checks": _checks(results["checks"]),
        }
    return tables


def _distances(results: dict[str, Any]) -> Table:
    setup = results["setup"]
    rows = []
    # Parts that an older version measured do not say.
    is_seen = setup.get("features seen in training")
    flattered = (
        "The training compared features of the same network, so these figures are flattered. " if is_seen else ""
    )
    for view, distances in results["distances"].items():
        for kind, digits in (("KID", 4), ("FID", 2)):
            value, floor = distances[kind], distances[f"{kind} floor"]
            ratio = value / floor if floor > 0 else None
            name = figure_name(kind.lower(), setup["features"], setup["crops"])
            rows.append((f"{name}, {view}", number(value, digits), number(floor, digits), number(ratio, 2)))
    return Table(
        "Distances between sets of pictures",
        ("measure", "generated", "floor: real against real", "ratio"),
        tuple(rows),
        f"{flattered}0 is best. The floor is the distance of the held-out land from as many crops of other real land. "
        "Compare these figures only with those of the same name. The albedo of real land is estimated: the "
        f"picture without the {percent(results['setup']['shading explained'])} of its fine lightness that slopes "
        "explain.",
    )


def _places(distances: dict[str, Any]) -> Table:
    def shown(figures: dict[str, float] | None) -> str:
        if figures is None:
            return NOT_MEASURED
        return f"{number(1000 * figures['value'], 1)} ± {number(1000 * figures['error'], 1)}"

    return Table(
        "KID of different places, times 1000",
        ("pictures", "generated", "floor: real against real"),
        tuple((view, shown(values["places"]), shown(values["places floor"])) for view, values in distances.items()),
        "Crops of one tile overlap and look alike, which brings the KID of all pairs up, for generated and for real "
        "land. Here only pairs of different tiles count. After ±, the standard error over the held-out tiles: two "
        "figures that differ by less cannot be told apart.",
    )


def _pairs(results: dict[str, Any]) -> Table:
    columns = ("mean", "minimum", "maximum", "standard deviation")
    rows = tuple(
        (name, *(number(values[column], 3) for column in columns)) for name, values in results["pairs"].items()
    )
    return Table(
        "Generated against real, crop by crop",
        ("shaded terrain", *columns),
        rows,
        "SSIM and PSNR (dB): higher is nearer. L1 and Laplacian L1 (after that filter): lower is nearer, colours "
        "from -1 to 1. A map leaves open where a ridge lies, so other land of the same kind scores low.",
    )


def _segmentation(results: dict[str, Any]) -> Table:
    real, generated = (results["segmentation consistency"][name] for name in ("real", "generated"))
    values = [(name, generated[name], real[name]) for name in ("mIoU", "accuracy")]
    values += [(f"IoU of {name}", generated["IoU"][name], real["IoU"][name]) for name in CLASS_NAMES]
    rows = tuple(
        (name, number(ours, 3), number(theirs, 3), number(ours / theirs, 2) if theirs else NOT_MEASURED)
        for name, ours, theirs in values
    )
    return Table(
        "Segmentation consistency",
        ("measure", "generated", "floor: real land", "ratio"),
        rows,
        "A segmenter that was trained on real land predicts the classes of finished land, which are compared with the "
        "map. 1 is best.",
    )


def _by_class(kind: str, unit: str, scale: float, digits: int, distribution: dict[str, Any]) -> Table:
    rows = []
    for name, values in distribution.items():
        means = (None if mean is None else scale * mean for mean in (values["generated mean"], values["real mean"]))
        rows.append(
            (name, number(values["W1"], 2), number(values["W1 floor"], 2), *(number(mean, digits) for mean in means))
        )
    return Table(
        f"{kind} by class",
        ("class", "W1", "floor", f"generated mean, {unit}", f"real mean, {unit}"),
        tuple(rows),
        "W1: Wasserstein-1 distance over the standard deviation of the real values; 0 is best. Floor: other real land "
        "against the held-out land.",
    )


def _relief(results: dict[str, Any]) -> Table:
    spectrum, coasts, depressions = results["spectrum"], results["coasts"], results["depressions"]
    rows = [("exponent of the power spectrum", number(spectrum["generated"], 2), number(spectrum["real"], 2))]
    rows += [
        (f"coast: {name}", percent(coasts["generated"][name]), percent(coasts["real"][name])) for name in coasts["real"]
    ]
    ours, theirs = depressions["generated"], depressions["real"]
    rows.append(("land in closed depressions over 5 m deep", percent(ours["fraction of land"]),
                 percent(theirs["fraction of land"])))  # fmt: skip
    rows.append(("closed depressions in 10,000 px of land", number(ours["for 10,000 px"], 1),
                 number(theirs["for 10,000 px"], 1)))  # fmt: skip
    streams, real_streams = (results["drainage"][name] for name in ("generated", "real"))
    rows += [(name, number(streams[figure], 2), number(real_streams[figure], 2))
             for figure, name in _DRAINAGE_NAMES.items()]  # fmt: skip
    rows += [(f"power of the {_FINEST_NAMES[layer]} beyond 0.45 cycles a pixel", number(ratio, 2), "1")
             for layer, ratio in results["finest"].items()]  # fmt: skip
    return Table(
        "The shape of the land",
        ("measure", "generated", "real land"),
        tuple(rows),
        "Coast: within 3 px of the border of painted sea and land. The map of real land is smoothed, so real land does "
        "not keep to it exactly either. Painted water is an outlet of depressions. Power beyond 0.45 cycles is divided "
        "by that of real land; the albedo of real land is an estimate.",
    )


def _leak(results: dict[str, Any]) -> Table:
    names = {
        "albedo generated": "generated albedo",
        "shaded generated": "generated, shaded",
        "albedo real": "real, shading removed",
        "shaded real": "real picture",
    }
    correlations = {name: results["leak"][key] for key, name in names.items()}
    directions = tuple(next(iter(correlations.values())))[:4]
    rows = tuple(
        (name, *(f"{values[direction]:+.3f}" for direction in directions)) for name, values in correlations.items()
    )
    return Table(
        "Shading leak",
        ("light from", *directions),
        rows,
        "Correlation of lightness with the slope that faces the light, on hills and mountains, finer than "
        "about 8 px; the opposite direction has the opposite sign. 0 is best for an albedo.",
    )


def _diversity(results: dict[str, Any]) -> Table:
    diversity = results["diversity"]
    rows = [(f"features of {view}", number(diversity[view], 2), number(diversity[f"{view}, of different maps"], 2))
            for view in ("shaded terrain", "hillshade")]  # fmt: skip
    rows += [
        ("colour, 0..1", number(diversity["colour"], 3), NOT_MEASURED),
        ("height of land, m", number(diversity["height_m"], 0), NOT_MEASURED),
    ]
    return Table(
        "Diversity between seeds",
        ("mean distance of pairs", "seeds of one map", "different maps"),
        tuple(rows),
        "Between 0, where a seed changes nothing, and the distance of different maps.",
    )


def _squares(generated: dict[str, Any], real: dict[str, Any]) -> Table:
    rows = []
    for name, theirs in real.items():
        if theirs["squares"] and generated[name]["squares"]:
            figures = (f"{number(generated[name][figure], digits)} ({number(theirs[figure], digits)})"
                       for figure, digits in _SQUARE_DIGITS)  # fmt: skip
            rows.append((name, f"{theirs['squares']:.0f}", *figures))
    return Table(
        "Direction, crests and valleys by class",
        ("class", "real squares", *SQUARE_FIGURES),
        tuple(rows),
        f"Of squares of {SQUARE_PX} px that are nearly all of one class, generated and, in brackets, real. Direction: "
        "0 where slopes face all sides alike, 1 for parallel ridges. Lengths are means over the pixels of the lines.",
    )


def _colours(colours: dict[str, Any]) -> Table:
    rows = []
    for name, by_source in colours.items():
        ours, theirs = by_source["generated"], by_source["real"]
        if ours is None or theirs is None:
            continue
        shades = (" ".join(f"{value:.0f}" for value in colour) for colour in (ours, theirs))
        ratio = sum(ours) / sum(theirs) if sum(theirs) else None
        rows.append((name, *shades, number(ratio, 2)))
    return Table(
        "Colours by class",
        ("class", "generated, red green blue", "real", "ratio of lightness"),
        tuple(rows),
        "Mean colours of shaded terrain, 0 to 255. Lightness is the mean of the three.",
    )


def _uniform(repetition: dict[str, Any], real: dict[str, Any]) -> Table:
    side, squares = repetition["side"], repetition["squares"]
    rows = []
    for name, peak in repetition["peaks"].items():
        figures = (f"{number(squares[name][figure], digits)} ({number(real[name][figure], digits)})"
                   for figure, digits in _SQUARE_DIGITS)  # fmt: skip
        rows.append((name, number(peak, 3), *figures))
    return Table(
        "Maps of one class",
        ("class", "largest autocorrelation", *SQUARE_FIGURES),
        tuple(rows),
        f"{side} x {side} px of one class. Autocorrelation: of relief finer than about 8 px, at shifts over 32 px; 0 "
        f"is best. The others: of squares of {SQUARE_PX} px, in brackets of real land that is nearly all of the class.",
    )


def _checks(checks: dict[str, Any]) -> Table:
    rows = (
        ("the same bits twice, and from weights loaded again", "yes" if checks["repeats"] else "no"),
        ("tiles against the whole, colour (of 255)", str(checks["seam_colour"])),
        ("tiles against the whole, height", f"{checks['seam_height_m']:.4f} m"),
        ("seconds for 512 x 512 px", f"{checks['seconds_512']:.2f} ({checks['device']})"),
    )
    return Table(
        "Seams, determinism, speed",
        ("check", "result"),
        rows,
        "The time depends on the machine and its load; all other figures repeat.",
    )
