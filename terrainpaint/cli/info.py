"""`terrainpaint info`: describe a map or a weights file."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from terrainpaint.core.assets import shipped_styles
from terrainpaint.core.classes import CLASS_NAMES, class_fractions
from terrainpaint.core.map_files import read_map_nearest

_Facts = list[tuple[str, str]]


def info(path: Path) -> list[str]:
    """Lines with a name and a value. Raises WeightsError, MapError or DeviceError when the file cannot be read."""
    facts = _of_weights(path) if path.suffix.lower() == ".safetensors" else _of_map(path)
    width = max(len(name) for name, _ in facts) + 2
    return [
        f"{name if number == 0 else '':{width}}{line}"
        for name, value in facts
        for number, line in enumerate(value.splitlines() or ["-"])
    ]


def _of_weights(path: Path) -> _Facts:
    import torch

    from terrainpaint.models.weights import load_weights

    # The whole file and not only its header, so that a damaged file is reported.
    weights = load_weights(path, torch.device("cpu"))
    header = weights.header
    return [
        ("weights", str(path)),
        ("style", header.style),
        ("network", header.network),
        ("parameters", f"{_parameters(weights.generator):,} generator, {_parameters(weights.shadow):,} shadow"),
        ("pixel size", f"{header.pixel_size_m:g} m"),
        ("reach", _reach(weights.generator.reach_px)),
        ("classes", ", ".join(CLASS_NAMES)),
        ("licence", header.licence),
        ("credits", header.credits),
        *((f"training: {_plain(key)}", _plain(value)) for key, value in (header.training or {}).items()),
        ("sha256", weights.sha256),
    ]


def _reach(reach_px: int | None) -> str:
    from terrainpaint.generate.tiles import WHOLE_AREA_PX

    if reach_px is not None:
        return f"{reach_px} px"
    side = math.isqrt(WHOLE_AREA_PX)
    return f"the whole map: generated as a whole up to the area of {side} x {side} px, beyond that in tiles with seams"


def _parameters(network: Any) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def _plain(value: object) -> str:
    """A value of the training description for a terminal; control characters are escaped."""
    if isinstance(value, str) and value.isprintable():
        return value
    return json.dumps(value)


def _of_map(path: Path) -> _Facts:
    segmentation, inexact = read_map_nearest(path)
    rows, cols = segmentation.shape
    facts = [("map", str(path)), ("size", f"{cols} x {rows} px")]
    for style, weights in shipped_styles().items():
        pixel_km = _pixel_size_m(weights) / 1000
        facts.append(("ground size", f"{cols * pixel_km:g} x {rows * pixel_km:g} km, with the style {style}"))
    fractions = class_fractions(segmentation.ids)
    facts += [(name, f"{fraction:7.2%}") for name, fraction in zip(CLASS_NAMES, fractions, strict=True)]
    if inexact:
        facts.append(("not exact", f"{inexact:7.2%} of the pixels; counted as the nearest class"))
    return facts


def _pixel_size_m(weights: Path) -> float:
    from terrainpaint.models.weights import read_header

    return read_header(weights).pixel_size_m
