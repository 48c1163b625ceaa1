"""`terrainpaint places`: the real places that the terrain of a map or a project is most like."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terrainpaint.cli.arguments import DEFAULT_STYLE, PlacesArguments
from terrainpaint.cli.generate import check_seed, weights_path
from terrainpaint.cli.reading import kind_of_content, read_project
from terrainpaint.cli.terminal import ProgressLine, say
from terrainpaint.core.classes import WATER
from terrainpaint.core.importing import Kind
from terrainpaint.core.map_files import read_map, say_nothing
from terrainpaint.core.places import Place, places_like, shipped_places
from terrainpaint.core.project import flattened
from terrainpaint.core.rects import Rect
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.core.terrain import Recipe
from terrainpaint.errors import InputFileError


def places(arguments: PlacesArguments) -> list[str]:
    """Lines with the name, the position and the similarity of each place, or those of one JSON object.

    Raises the errors of reading and generating, and OptionError for an impossible value or too little land.
    """
    if arguments.seed is not None:
        check_seed(arguments.seed)
    land = _read(arguments)
    weights = weights_path(land.style, arguments.weights)
    index = shipped_places()
    with ProgressLine(arguments.quiet) as line:
        line.stage("Loading")
        from terrainpaint.generate.generator import Generator

        generator = Generator.load(weights, arguments.device)
        segmentation = SegmentationMap(land.ids)
        terrain = generator.terrain(segmentation, land.recipe, land.rerolls, line.stage("Generating"))
        shaded = generator.shaded(terrain)
    style = generator.header.style
    found = places_like(index, land.ids, terrain.height, shaded, terrain.pixel_size_m, style, arguments.count)
    return _json(arguments.file, style, land.recipe.seed, found) if arguments.json else _table(found)


@dataclass(frozen=True, eq=False)
class _Land:
    """What is generated: class ids (H, W), re-rolls (H, W) or None, the recipe and the name of the style."""

    ids: NDArray[np.uint8]
    rerolls: NDArray[np.uint8] | None
    recipe: Recipe
    style: str


def _read(arguments: PlacesArguments) -> _Land:
    """The map, or what a project generates; options replace what it stores."""
    note = say_nothing if arguments.quiet else say
    if _is_project(arguments.file):
        found = read_project(arguments.file)
        for sentence in found.notes:
            note(f"{arguments.file}: {sentence}")
        project, settings = found.project, found.project.settings
        ids = flattened(project.layers, settings.base_class, Rect.of_shape(project.shape))
        land = _Land(ids, project.rerolls, settings.recipe, settings.style_name or DEFAULT_STYLE)
    else:
        land = _Land(read_map(arguments.file, WATER, note).ids, None, Recipe(), DEFAULT_STYLE)
    if arguments.seed is not None:
        land = replace(land, recipe=replace(land.recipe, seed=arguments.seed, style=None))
    if arguments.style is not None and arguments.style != land.style:
        # The numbers of a style vector mean something else in other weights.
        land = replace(land, style=arguments.style, recipe=replace(land.recipe, style=None))
    return land


def _is_project(path: Path) -> bool:
    try:
        return kind_of_content(path) is Kind.PROJECT
    except InputFileError:  # `read_map` says what it is
        return False


def _table(found: list[Place]) -> list[str]:
    width = max(len(place.name) for place in found)
    return [f"{place.name:{width}}  {place.position:>14}  {place.similarity:4.0%}" for place in found]


def _json(path: Path, style: str, seed: int, found: list[Place]) -> list[str]:
    listed = [
        {
            "name": place.name,
            "latitude": round(place.latitude, 4),
            "longitude": round(place.longitude, 4),
            "similarity": round(place.similarity, 4),
            "map": place.map_address,
        }
        for place in found
    ]
    record = {"file": str(path), "style": style, "seed": seed, "places": listed}
    return json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False).splitlines()
