"""`terrainpaint places`: the real places that the terrain of a map or a project is most like."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from terrainpaint.api.generated_terrain import GeneratedTerrain
from terrainpaint.api.generators import Generators
from terrainpaint.api.painted_maps import PaintedMap, read_painted
from terrainpaint.cli.arguments import PlacesArguments
from terrainpaint.cli.terminal import ProgressLine, say
from terrainpaint.core.map_files import say_nothing
from terrainpaint.core.places import Place, places_like, shipped_places


def places(arguments: PlacesArguments) -> list[str]:
    """Lines with the name, the position and the similarity of each place, or those of one JSON object.

    Raises the errors of reading and generating, and OptionError for an impossible value or too little land.
    """
    note = say_nothing if arguments.quiet else say
    painted = read_painted(arguments.file, say=note)
    index = shipped_places()
    with ProgressLine(arguments.quiet) as line:
        generated = Generators().generate(_native(painted), arguments.terrain, line.stage, say=note)
        shaded, height = generated.shaded, generated.heights
    found = places_like(
        index, generated.classes, height, shaded, generated.pixel_size_m, generated.style, arguments.count
    )
    return _json(arguments.file, generated, found) if arguments.json else _table(found)


def _native(painted: PaintedMap) -> PaintedMap:
    """Land is compared as the networks know it: at their ground size of a pixel or at its true scale, without looks."""
    pixel_size_m = painted.pixel_size_m if painted.true_scale else None
    return replace(painted, pixel_size_m=pixel_size_m, relief=1.0, look=None)


def _table(found: list[Place]) -> list[str]:
    width = max(len(place.name) for place in found)
    return [f"{place.name:{width}}  {place.position:>14}  {place.similarity:4.0%}" for place in found]


def _json(path: Path, generated: GeneratedTerrain, found: list[Place]) -> list[str]:
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
    record = {"file": str(path), "style": generated.style, "seed": generated.seed, "places": listed}
    return json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False).splitlines()
