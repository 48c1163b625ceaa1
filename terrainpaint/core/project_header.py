"""All of a project except its arrays, as JSON for project files and recovery journals."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrainpaint import __version__
from terrainpaint.core.checked_json import JsonObject, parse_object
from terrainpaint.core.classes import CLASS_NAMES
from terrainpaint.core.dream_controls import CONTROL_NAMES, MAX_SEED, DreamControls
from terrainpaint.core.dreamed import Dreamed, DreamWay
from terrainpaint.core.guide_lines import (
    MAX_LINES,
    MAX_POINTS,
    MAX_RIVER_PX,
    NO_LINES,
    GuideLine,
    GuideLines,
    LineKind,
)
from terrainpaint.core.height_guide import HeightGuide
from terrainpaint.core.hydrology import NO_FLOW, FlowingWater
from terrainpaint.core.parent_land import ParentFrame, ParentLand
from terrainpaint.core.placement import LEAST_SIDE_PX, MOST_PX, Placement
from terrainpaint.core.project import (
    MAX_PROJECT_SIDE_PX,
    Layer,
    Project,
    Settings,
    Underlay,
    ViewSettings,
    ZoomedFrom,
)
from terrainpaint.core.quoting import shown
from terrainpaint.core.rects import Rect
from terrainpaint.core.segmentation import MIN_SIDE_PX
from terrainpaint.core.terrain import MAX_VARIETY, Recipe

FORMAT = 1
MAX_LAYERS = 1000
MAX_BYTES = 1 << 24
"""Size limit of a header that is read."""
_MAX_KEY = 2**31 - 1
_MAX_SEED = 2**64 - 1
_MAX_STYLE = 4096
_HUGE = 1e9
"""Largest number of a style or a view, so that computing with it does not overflow."""


class TooNewError(ValueError):
    """The header was written by a later version; the text is the name of that program."""


@dataclass(frozen=True)
class LayerHeader:
    """A layer except its cells."""

    key: int
    name: str
    visible: bool
    locked: bool
    dreamed: Dreamed | None = None


@dataclass(frozen=True)
class UnderlayHeader:
    """The reference picture except its pixels."""

    opacity: float
    visible: bool
    placement: Placement | None


@dataclass(frozen=True)
class Header:
    """A project except its arrays: `shape` (H, W), `layers` from the lowest to the highest.

    `rerolls`: whether the counts are stored; otherwise all are zero. `underlay` is None without a picture,
    `zoomed_from` for a document of its own, `parent` for one without the land of another. `guide_pixel_size_m` is that
    of the height guide, None without one.
    """

    shape: tuple[int, int]
    settings: Settings
    layers: tuple[LayerHeader, ...]
    active: int
    view: ViewSettings
    rerolls: bool
    underlay: UnderlayHeader | None
    zoomed_from: ZoomedFrom | None = None
    lines: GuideLines = NO_LINES
    guide_pixel_size_m: float | None = None
    parent: ParentFrame | None = None

    def project(
        self,
        cells: Mapping[int, NDArray[np.uint8]],
        rerolls: NDArray[np.uint8],
        picture: NDArray[np.uint8] | None,
        guide_heights: NDArray[np.float32] | None = None,
        land: ParentLand | None = None,
    ) -> Project:
        """The project with these arrays: cells by key of the layer, counts, picture of the underlay, heights of the
        height guide and land of the parent, if there are any.

        Raises ValueError when the arrays do not match, KeyError when a layer has no cells.
        """
        layers = tuple(
            Layer(layer.key, layer.name, cells[layer.key], layer.visible, layer.locked, layer.dreamed)
            for layer in self.layers
        )
        underlay = None
        if self.underlay is not None:
            if picture is None:
                raise ValueError("the reference picture is missing")
            underlay = Underlay(picture, self.underlay.opacity, self.underlay.visible, self.underlay.placement)
        guide = None
        if self.guide_pixel_size_m is not None:
            if guide_heights is None:
                raise ValueError("the height guide is missing")
            guide = HeightGuide(guide_heights, self.guide_pixel_size_m)
        if self.parent is not None and (land is None or land.frame != self.parent):
            raise ValueError("the land of the parent is missing")
        parent = None if self.parent is None else land
        return Project(
            layers, self.active, self.settings, rerolls, underlay, self.zoomed_from, self.lines, guide, parent
        )


def header_of(project: Project, view: ViewSettings, rerolls: bool) -> Header:
    """The header of a project; `rerolls` as in `Header`."""
    layers = tuple(
        LayerHeader(layer.key, layer.name, layer.visible, layer.locked, layer.dreamed) for layer in project.layers
    )
    below = project.underlay
    underlay = None if below is None else UnderlayHeader(below.opacity, below.visible, below.placement)
    parent = None if project.parent is None else project.parent.frame
    guide = project.height_guide
    return Header(
        project.shape, project.settings, layers, project.active, view, rerolls, underlay, project.zoomed_from,
        project.lines, None if guide is None else guide.pixel_size_m, parent,
    )  # fmt: skip


def encode_header(header: Header) -> bytes:
    """The header as ASCII JSON."""
    settings, recipe, view = header.settings, header.settings.recipe, header.view
    # What is left at its default is left out, so the header is that of the versions that did not have it.
    look = {} if settings.look_name is None else {"look_name": settings.look_name}
    flowing = {"flowing_water": asdict(settings.flowing_water)} if settings.flowing_water else {}
    scale = {"true_scale": True} if settings.true_scale else {}
    zoomed = {} if header.zoomed_from is None else {"zoomed_from": asdict(header.zoomed_from)}
    lines = {} if header.lines == NO_LINES else {"lines": _encoded_lines(header.lines)}
    guide = {} if header.guide_pixel_size_m is None else {"height_guide": {"pixel_size_m": header.guide_pixel_size_m}}
    parent = {} if header.parent is None else {"parent": _encoded_parent(header.parent)}
    content = {
        "format": FORMAT,
        "program": f"TerrainPaint {__version__}",
        "height": header.shape[0],
        "width": header.shape[1],
        "settings": {
            "pixel_size_m": settings.pixel_size_m,
            "style_name": settings.style_name,
            "base_class": CLASS_NAMES[settings.base_class],
            "relief": settings.relief,
            **_encoded_recipe(recipe),
            **look,
            **flowing,
            **scale,
        },
        "layers": [
            {"key": layer.key, "name": layer.name, "visible": layer.visible, "locked": layer.locked}
            | ({} if layer.dreamed is None else {"dreamed": _encoded_dream(layer.dreamed)})
            for layer in header.layers
        ],
        "active": header.active,
        "rerolls": header.rerolls,
        "underlay": None if header.underlay is None else _encoded(header.underlay),
        "view": {
            "sun_azimuth_deg": view.sun_azimuth_deg,
            "sun_elevation_deg": view.sun_elevation_deg,
            "exaggeration": view.exaggeration,
            "water_level_m": view.water_level_m,
            "automatic_exaggeration": view.is_exaggeration_automatic,
            "sea_floor": view.has_sea_floor,
        },
        **zoomed,
        **lines,
        **guide,
        **parent,
    }
    return json.dumps(content, indent=1, allow_nan=False).encode("ascii")


def _encoded_dream(dreamed: Dreamed) -> dict[str, Any]:
    controls = {name: value for name, value in asdict(dreamed.controls).items() if value is not None}
    walked = {} if dreamed.end_seed is None else {"end_seed": dreamed.end_seed, "part": float(dreamed.part)}
    return {"seed": dreamed.seed, "way": dreamed.way.value, "controls": controls, **walked}


def _encoded(underlay: UnderlayHeader) -> dict[str, Any]:
    placement = underlay.placement
    numbers = None if placement is None else {name: float(number) for name, number in asdict(placement).items()}
    return {"opacity": underlay.opacity, "visible": underlay.visible, "placement": numbers}


def _encoded_lines(lines: GuideLines) -> dict[str, Any]:
    drawn = [
        {
            "kind": line.kind.word,
            "width_px": line.width_px,
            "points": [float(number) for point in line.points for number in point],
        }
        for line in lines.lines
    ]
    return {"visible": lines.visible, "locked": lines.locked, **({"drawn": drawn} if drawn else {})}


def decode_header(data: bytes) -> Header:
    """The header of `encode_header`; every value is checked.

    Raises ValueError, whose text follows "is damaged: ", TooNewError for a later format.
    """
    top = parse_object(data)
    if top.whole("format", 1, _MAX_KEY) > FORMAT:
        program = top.values.get("program")
        raise TooNewError(shown(program) if isinstance(program, str) else "a later TerrainPaint")
    underlay = None if top.is_null("underlay") else top.object("underlay")
    shape = top.whole("height", MIN_SIDE_PX, MAX_PROJECT_SIDE_PX), top.whole("width", MIN_SIDE_PX, MAX_PROJECT_SIDE_PX)
    return Header(
        shape,
        _settings(top.object("settings")),
        tuple(
            LayerHeader(
                layer.whole("key", 1, _MAX_KEY),
                layer.text("name"),
                layer.flag("visible"),
                layer.flag("locked"),
                _dreamed(layer.object("dreamed")) if "dreamed" in layer else None,
            )
            for layer in top.objects("layers", MAX_LAYERS)
        ),
        top.whole("active", 1, _MAX_KEY),
        _view(top.object("view")),
        top.flag("rerolls"),
        None if underlay is None else _underlay(underlay),
        _zoomed_from(top.object("zoomed_from")) if "zoomed_from" in top else None,
        _lines(top.object("lines"), shape) if "lines" in top else NO_LINES,
        top.object("height_guide").number("pixel_size_m", 1e-6, 1e9) if "height_guide" in top else None,
        _parent(top.object("parent")) if "parent" in top else None,
    )


def _dreamed(values: JsonObject) -> Dreamed:
    way, controls, is_walk = values.text("way"), values.object("controls"), "end_seed" in values
    if way not in tuple(DreamWay):
        values.refuse("way", f"one of {', '.join(DreamWay)}")
    return Dreamed(
        values.whole("seed", 0, MAX_SEED),
        DreamControls(**{name: controls.number(name, 0, 1) for name in CONTROL_NAMES if name in controls}),
        values.whole("end_seed", 0, MAX_SEED) if is_walk else None,
        values.number("part", 0, 1) if is_walk else 0.0,
        DreamWay(way),
    )


def _lines(values: JsonObject, shape: tuple[int, int]) -> GuideLines:
    # Without any, they can be hidden or locked all the same.
    drawn = tuple(_line(line, shape) for line in values.objects("drawn", MAX_LINES)) if "drawn" in values else ()
    visible, locked = values.flag("visible"), values.flag("locked")
    try:
        return GuideLines(drawn, visible, locked)
    except ValueError as error:
        raise ValueError(f"lines.drawn is too long: {error}") from error


def _line(values: JsonObject, shape: tuple[int, int]) -> GuideLine:
    words = {kind.word: kind for kind in LineKind}
    word = values.text("kind")
    if word not in words:
        values.refuse("kind", f"one of {', '.join(words)}")
    kind = words[word]
    numbers = values.numbers("points", 2 * MAX_POINTS, 0, max(shape))
    rows, cols = numbers[::2], numbers[1::2]
    if len(numbers) < 4 or len(numbers) % 2 or max(rows) > shape[0] or max(cols) > shape[1]:
        values.refuse("points", "rows and columns of two or more points on the map")
    width_px = values.whole("width_px", 1, MAX_RIVER_PX if kind == LineKind.RIVER else 1)
    return GuideLine(kind, tuple(zip(rows, cols, strict=True)), width_px)


def _zoomed_from(values: JsonObject) -> ZoomedFrom:
    return ZoomedFrom(
        values.text("name"),
        _rect(values.object("rect")),
        values.whole("factor", 1, MAX_PROJECT_SIDE_PX),
        values.whole("seed", -_MAX_SEED, _MAX_SEED),
    )


def _rect(values: JsonObject) -> Rect:
    return Rect(
        values.whole("row", 0, MAX_PROJECT_SIDE_PX),
        values.whole("col", 0, MAX_PROJECT_SIDE_PX),
        values.whole("height", 1, MAX_PROJECT_SIDE_PX),
        values.whole("width", 1, MAX_PROJECT_SIDE_PX),
    )


def _encoded_parent(frame: ParentFrame) -> dict[str, Any]:
    return {
        "map_height": frame.map_shape[0],
        "map_width": frame.map_shape[1],
        "rect": asdict(frame.rect),
        "land": asdict(frame.land),
        "cell_m": frame.cell_m,
        "style_name": frame.style_name,
        "look_name": frame.look_name,
        "rerolls": frame.has_rerolls,
        **_encoded_recipe(frame.recipe),
    }


def _parent(values: JsonObject) -> ParentFrame:
    shape = values.whole("map_height", 1, MAX_PROJECT_SIDE_PX), values.whole("map_width", 1, MAX_PROJECT_SIDE_PX)
    rect, land = _rect(values.object("rect")), _rect(values.object("land"))
    if rect != rect.clipped(shape) or land != land.clipped(shape):
        raise ValueError("the land of the parent goes beyond its map")
    return ParentFrame(
        shape,
        rect,
        land,
        values.number("cell_m", 0.01, 1e6),
        _recipe(values),
        values.text("style_name"),
        None if values.is_null("look_name") else values.text("look_name"),
        values.flag("rerolls"),
    )


def _underlay(values: JsonObject) -> UnderlayHeader:
    # Files of the first versions lack the placement.
    placement = values.object("placement") if "placement" in values and not values.is_null("placement") else None
    return UnderlayHeader(
        values.number("opacity", 0, 1),
        values.flag("visible"),
        None if placement is None else _placement(placement),
    )


def _placement(values: JsonObject) -> Placement:
    return Placement(
        values.number("row", -MOST_PX, MOST_PX),
        values.number("col", -MOST_PX, MOST_PX),
        values.number("height", LEAST_SIDE_PX, MOST_PX),
        values.number("width", LEAST_SIDE_PX, MOST_PX),
        values.number("turn_deg", -_HUGE, _HUGE),
    )


def _settings(values: JsonObject) -> Settings:
    base = values.text("base_class")
    if base not in CLASS_NAMES:
        values.refuse("base_class", f"one of {', '.join(CLASS_NAMES)}")
    return Settings(
        values.number("pixel_size_m", 0.01, 1e6),
        values.text("style_name"),
        CLASS_NAMES.index(base),
        values.number("relief", 0.01, 1000),
        _recipe(values),
        values.text("look_name") if "look_name" in values else None,
        _flowing_water(values.object("flowing_water")) if "flowing_water" in values else NO_FLOW,
        values.flag("true_scale") if "true_scale" in values else False,
    )


def _encoded_recipe(recipe: Recipe) -> dict[str, Any]:
    return {
        "seed": recipe.seed,
        "other_seed": recipe.other_seed,
        "blend": recipe.blend,
        "style": None if recipe.style is None else [float(number) for number in recipe.style],
        "variety": recipe.variety,
        **({} if recipe.guide_strength == 1 else {"guide_strength": recipe.guide_strength}),
        **({"painted_rivers_only": True} if recipe.painted_rivers_only else {}),
        **({} if recipe.follow == 1 else {"follow": recipe.follow}),
    }


def _recipe(values: JsonObject) -> Recipe:
    return Recipe(
        values.whole("seed", -_MAX_SEED, _MAX_SEED),
        None if values.is_null("other_seed") else values.whole("other_seed", -_MAX_SEED, _MAX_SEED),
        values.number("blend", 0, 1),
        None if values.is_null("style") else values.numbers("style", _MAX_STYLE, -_HUGE, _HUGE),
        # Files of the first versions lack this field.
        values.number("variety", 0, MAX_VARIETY) if "variety" in values else 1.0,
        values.number("guide_strength", 0, 1) if "guide_strength" in values else 1.0,
        values.flag("painted_rivers_only") if "painted_rivers_only" in values else False,
        values.number("follow", 0, 1) if "follow" in values else 1.0,
    )


def _flowing_water(values: JsonObject) -> FlowingWater:
    return FlowingWater(values.flag("carve_rivers"), values.flag("breach"))


def _view(values: JsonObject) -> ViewSettings:
    return ViewSettings(
        values.number("sun_azimuth_deg", -_HUGE, _HUGE),
        values.number("sun_elevation_deg", -_HUGE, _HUGE),
        values.number("exaggeration", -_HUGE, _HUGE),
        None if values.is_null("water_level_m") else values.number("water_level_m", -_HUGE, _HUGE),
        # In files of the first versions the user chose it.
        values.flag("automatic_exaggeration") if "automatic_exaggeration" in values else False,
        values.flag("sea_floor") if "sea_floor" in values else False,
    )
