"""`terrainpaint info`: describe heights, maps, pictures, projects, weights files and looks, for people or as JSON."""

from __future__ import annotations

import dataclasses
import json
import math
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrainpaint.api.painted_maps import kind_of_content, read_project
from terrainpaint.cli.reading import UNIT_NAMES, measure
from terrainpaint.core.assets import shipped_styles
from terrainpaint.core.classes import CLASS_NAMES, PALETTE, class_fractions, nearest_classes
from terrainpaint.core.decoding import describe_picture
from terrainpaint.core.importing import HeightUnit, Kind, read_colours
from terrainpaint.core.map_files import map_pixel_size_m, read_map_cells
from terrainpaint.core.project import EMPTY
from terrainpaint.core.weights_formats import is_fine_land, is_layout, is_look
from terrainpaint.errors import InputFileError

_KEYS = ("kind", "width", "height", "min_m", "max_m", "pixel_size_m", "gaps")
"""The keys that every JSON object has, null where they do not apply or the file does not tell."""


@dataclass(frozen=True)
class _Description:
    """A file as names and values for people, and as keys and values of JSON."""

    facts: list[tuple[str, str]]
    record: dict[str, Any]


def info(path: Path) -> list[str]:
    """Lines with a name and a value. Raises InputFileError or DeviceError when the file cannot be read."""
    facts = _described(path).facts
    width = max(len(name) for name, _ in facts) + 2
    return [
        f"{name if number == 0 else '':{width}}{line}"
        for name, value in facts
        for number, line in enumerate(value.splitlines() or ["-"])
    ]


def info_json(path: Path) -> list[str]:
    """The lines of one JSON object, with `_KEYS` and more. Raises as `info` does."""
    record = dict.fromkeys(_KEYS) | {"file": str(path)} | _described(path).record
    return json.dumps(record, indent=2, allow_nan=False).splitlines()


def _described(path: Path) -> _Description:
    kind = kind_of_content(path)
    description = _DESCRIBED[kind](path)
    return dataclasses.replace(description, record={"kind": kind.value} | description.record)


def _of_heights(path: Path) -> _Description:
    read = measure(path)
    heights, gaps, header = read.facts, read.facts.gaps, read.facts.info
    low, high = _shown(heights.low), _shown(heights.high)
    low_m, high_m = (None, None) if heights.range_m is None else map(_shown, heights.range_m)
    pixel_size_m = None if header.pixel_size_m is None else float(f"{header.pixel_size_m:.9g}")
    facts = [("heights", str(path)), ("format", read.format), ("size", f"{header.width} x {header.height} px")]
    if low_m is not None:
        facts.append(("range", f"{low_m:g} to {high_m:g} m"))
    if heights.unit is not HeightUnit.METRES:
        facts.append(("numbers", f"{low:g} to {high:g}"))
    if heights.unit is None:
        facts.append(("unit", f"the file does not tell; the numbers look like {UNIT_NAMES[heights.suggested]}"))
    else:
        facts.append(("unit", UNIT_NAMES[heights.unit]))
    facts += _ground(header.width, header.height, pixel_size_m)
    facts.append(("gaps", f"{gaps.fraction:.2%} of the pixels" if gaps.count else "none"))
    facts += [("note", note) for note in read.notes]
    record = {
        "width": header.width,
        "height": header.height,
        "min_m": low_m,
        "max_m": high_m,
        "pixel_size_m": pixel_size_m,
        "gaps": gaps.fraction,
        "format": read.format,
        "unit": None if heights.unit is None else heights.unit.value,
        "suggested_unit": heights.suggested.value,
        "min": low,
        "max": high,
        "suspected_gap_values": list(gaps.values),
        "notes": list(read.notes),
    }
    return _Description(facts, record)


def _of_map(path: Path) -> _Description:
    notes: list[str] = []
    cells = read_map_cells(path, lambda note: notes.append(note.removeprefix(f"{path}: ")))
    rows, cols = cells.shape
    pixel_size_m = map_pixel_size_m(path)
    facts = [("map", str(path)), ("size", f"{cols} x {rows} px")]
    if pixel_size_m is None:
        for style, weights in shipped_styles().items():
            km = _pixel_size_m(weights) / 1000
            facts.append(("ground size", f"{cols * km:g} x {rows * km:g} km, with the style {style}"))
    else:
        facts += _ground(cols, rows, pixel_size_m)
    seen = cells != EMPTY
    classes = _classes(cells[seen])
    clear = float(1 - np.count_nonzero(seen) / seen.size)
    facts += [*_percentages(classes), *_see_through(clear), *(("note", note) for note in notes)]
    record = {"width": cols, "height": rows, "pixel_size_m": pixel_size_m, "classes": classes, "see_through": clear}
    return _Description(facts, record | {"notes": notes})


def _of_picture(path: Path) -> _Description:
    picture, form = read_colours(path), {}
    with suppress(InputFileError):  # rasters that only GDAL reads
        header = describe_picture(path)
        form = {"format": header.format, "mode": header.mode}
    rows, cols = picture.file_shape
    clear = 0.0 if picture.see_through is None else float(picture.see_through.mean())
    colours = picture.rgb.reshape(-1, 3) if picture.see_through is None else picture.rgb[~picture.see_through]
    ids = nearest_classes(colours)
    # A picture that is wholly see-through has no colours, of which there is no mean.
    classes, inexact = _classes(ids), np.count_nonzero((PALETTE[ids] != colours).any(axis=1)) / max(1, len(ids))
    facts = [
        ("picture", str(path)),
        *([("format", ", ".join(form.values()))] if form else []),
        ("size", f"{cols} x {rows} px"),
        *_percentages(classes),
        ("not exact", f"{inexact:7.2%} of the pixels; counted as the nearest class"),
        *_see_through(clear),
        *(("note", note) for note in picture.notes),
    ]
    record = {
        "width": cols,
        "height": rows,
        **form,
        "classes": classes,
        "inexact": inexact,
        "see_through": clear,
        "notes": list(picture.notes),
    }
    return _Description(facts, record)


def _of_project(path: Path) -> _Description:
    read = read_project(path)
    project, settings = read.project, read.project.settings
    rows, cols = project.shape
    classes = _classes(project.classes())
    names = [layer.name for layer in project.layers]
    facts = [("project", str(path)), ("format", read.format), ("size", f"{cols} x {rows} px")]
    facts += _ground(cols, rows, read.pixel_size_m)
    facts += [("layers", "\n".join(map(_plain, reversed(names)))), ("base", CLASS_NAMES[settings.base_class])]
    record: dict[str, Any] = {
        "width": cols,
        "height": rows,
        "pixel_size_m": read.pixel_size_m,
        "format": read.format,
        "layers": names,
        "base_class": CLASS_NAMES[settings.base_class],
        "classes": classes,
    }
    if (source := project.zoomed_from) is not None:
        facts.append(("zoomed", _plain(source.sentence)))
        record["zoomed_from"] = dataclasses.asdict(source)
    if project.lines:
        counts = Counter(line.kind.word for line in project.lines.lines)
        facts.append(("lines", ", ".join(f"{count} x {word}" for word, count in sorted(counts.items()))))
        record["lines"] = dict(counts)
    dreamed = [(layer.name, layer.dreamed) for layer in project.layers if layer.dreamed is not None]
    if dreamed:
        facts.append(("dreamed", "\n".join(f"{_plain(name)}: {origin.sentence}" for name, origin in dreamed)))
        record["dreamed"] = [{"layer": name, **dataclasses.asdict(origin)} for name, origin in dreamed]
    if read.pixel_size_m is not None:  # a project, with settings of its own
        facts += [("style", _plain(settings.style_name)), ("seed", str(settings.recipe.seed))]
        record |= {"style": settings.style_name, "seed": settings.recipe.seed, "look": settings.look_name}
        if settings.look_name is not None:
            facts.append(("look", _plain(settings.look_name)))
    facts += [*_percentages(classes), *(("note", note) for note in read.notes)]
    return _Description(facts, record | {"notes": list(read.notes)})


def _of_weights(path: Path) -> _Description:
    if is_look(path):
        return _of_look(path)
    if is_layout(path):
        return _of_layouts(path)
    if is_fine_land(path):
        return _of_fine_land(path)
    import torch

    from terrainpaint.models.weights import load_weights

    # The whole file and not only its header, so that a damaged file is reported.
    weights = load_weights(path, torch.device("cpu"))
    header = weights.header
    counts = {"generator": _parameters(weights.generator), "shadow": _parameters(weights.shadow)}
    origin = _origin(header.licence, header.credits, header.training, weights.sha256)
    facts = [
        ("weights", str(path)),
        ("style", header.style),
        ("network", header.network),
        ("parameters", ", ".join(f"{count:,} {name}" for name, count in counts.items())),
        ("pixel size", f"{header.pixel_size_m:g} m"),
        ("reach", _reach(weights.generator.reach_px)),
        ("classes", ", ".join(CLASS_NAMES)),
        *origin.facts,
    ]
    record = {
        "pixel_size_m": header.pixel_size_m,
        "style": header.style,
        "network": header.network,
        "parameters": counts,
        "reach_px": weights.generator.reach_px,
    }
    return _Description(facts, record | origin.record)


def _of_look(path: Path) -> _Description:
    import torch

    from terrainpaint.models.look_weights import load_look

    look = load_look(path, torch.device("cpu"))
    header, count, reach_px = look.header, _parameters(look.network), look.network.reach_px
    origin = _origin(header.licence, header.credits, header.training, look.sha256)
    facts = [
        ("look", str(path)),
        ("repaints", f"{header.source} as {header.target}"),
        ("parameters", f"{count:,}"),
        ("pixel size", f"{header.pixel_size_m:g} m"),
        ("reach", _reach(reach_px)),
        *origin.facts,
    ]
    record = {
        "kind": "look",
        "pixel_size_m": header.pixel_size_m,
        "source": header.source,
        "target": header.target,
        "parameters": count,
        "reach_px": reach_px,
    }
    return _Description(facts, record | origin.record)


def _of_fine_land(path: Path) -> _Description:
    import torch

    from terrainpaint.models.fine_land_means import FACTOR
    from terrainpaint.models.fine_land_weights import load_fine_land

    fine = load_fine_land(path, torch.device("cpu"))
    header = fine.header
    origin = _origin(header.licence, header.credits, header.training, fine.sha256)
    counts = [_parameters(step) for step in fine.steps]
    cells_m = [config.cell_m for config in header.configs]
    margins = [step.margin for step in fine.steps]
    facts = [
        ("fine land", str(path)),
        ("steps", "\n".join(f"{cell_m:g} to {cell_m / FACTOR:g} m" for cell_m in cells_m)),
        ("parameters", ", ".join(f"{count:,}" for count in counts)),
        (
            "reach",
            ", ".join(f"{margin} cells of {cell_m:g} m" for margin, cell_m in zip(margins, cells_m, strict=True)),
        ),
        *origin.facts,
    ]
    record = {
        "kind": "fine land",
        "pixel_sizes_m": cells_m,
        "parameters": counts,
        "reach_cells": margins,
    }
    return _Description(facts, record | origin.record)


def _of_layouts(path: Path) -> _Description:
    import torch

    from terrainpaint.models.layout_weights import load_layouts

    layouts = load_layouts(path, torch.device("cpu"))
    header, count = layouts.header, _parameters(layouts.networks)
    origin = _origin(header.licence, header.credits, header.training, layouts.sha256)
    facts = [
        ("dreams", str(path)),
        ("layouts", f"{header.shape.size_px} x {header.shape.size_px} px"),
        ("ground", f"{header.km[0]:,g} to {header.km[1]:,g} km"),
        ("parameters", f"{count:,}"),
        *origin.facts,
    ]
    record = {
        "kind": "dreams",
        "width": header.shape.size_px,
        "height": header.shape.size_px,
        "ground_km": list(header.km),
        "parameters": count,
    }
    return _Description(facts, record | origin.record)


def _origin(licence: str, credits: str, training: Mapping[str, Any] | None, sha256: str) -> _Description:
    """What the descriptions of all weights end with."""
    facts = [
        ("licence", licence),
        ("credits", credits),
        *((f"training: {_plain(key)}", _plain(value)) for key, value in (training or {}).items()),
        ("sha256", sha256),
    ]
    record = {"licence": licence, "credits": credits, "training": dict(training or {}), "sha256": sha256}
    return _Description(facts, record)


_DESCRIBED: dict[Kind, Callable[[Path], _Description]] = {
    Kind.HEIGHTS: _of_heights,
    Kind.MAP: _of_map,
    Kind.PICTURE: _of_picture,
    Kind.PROJECT: _of_project,
    Kind.WEIGHTS: _of_weights,
}


def _shown(height: float) -> float:
    """Without the digits that float32 does not have."""
    return float(f"{height:.7g}")


def _ground(width: int, height: int, pixel_size_m: float | None) -> list[tuple[str, str]]:
    if pixel_size_m is None:
        return [("pixel size", "the file does not tell")]
    km = pixel_size_m / 1000
    return [("pixel size", f"{pixel_size_m:.6g} m"), ("ground size", f"{width * km:.5g} x {height * km:.5g} km")]


def _classes(ids: NDArray[np.uint8]) -> dict[str, float]:
    return dict(zip(CLASS_NAMES, class_fractions(ids).tolist(), strict=True))


def _percentages(classes: dict[str, float]) -> list[tuple[str, str]]:
    return [(name, f"{fraction:7.2%}") for name, fraction in classes.items()]


def _see_through(fraction: float) -> list[tuple[str, str]]:
    return [("see-through", f"{fraction:7.2%} of the pixels")] if fraction else []


def _reach(reach_px: int | None) -> str:
    from terrainpaint.generation.tiles import WHOLE_AREA_PX

    if reach_px is not None:
        return f"{reach_px} px"
    side = math.isqrt(WHOLE_AREA_PX)
    return f"the whole map: generated as a whole up to the area of {side} x {side} px, beyond that in tiles with seams"


def _parameters(network: Any) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def _plain(value: object) -> str:
    """A value of a file for a terminal; control characters are escaped."""
    if isinstance(value, str) and value.isprintable():
        return value
    return json.dumps(value)


def _pixel_size_m(weights: Path) -> float:
    from terrainpaint.models.weights import read_header

    return read_header(weights).pixel_size_m
