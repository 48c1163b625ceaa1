"""The country at a place, from small outlines in TopoJSON."""

import json
from pathlib import Path

import numpy as np
import pytest

from terrainpaint.errors import TrainingError
from trainer.data.country_names import CountryNames


def outlines(path: Path) -> Path:
    """Two neighbours of 10 degrees with a common border, a large country on both sides of 180°, and an island."""
    arcs = [
        [[0, 0], [0, 10]],  # the common border, at 0° E northwards
        [[0, 10], [-10, 0], [0, -10], [10, 0]],  # the west of it
        [[0, 10], [10, 0], [0, -10], [-10, 0]],  # the east of it
        [[150, 40], [30, 0], [0, 30], [-30, 0], [0, -30]],
        [[-180, 40], [30, 0], [0, 30], [-30, 0], [0, -30]],
        [[50, -20], [2, 0], [0, 2], [-2, 0], [0, -2]],
    ]
    geometries = [
        {"type": "Polygon", "arcs": [[0, 1]], "properties": {"name": "Westia"}},
        {"type": "Polygon", "arcs": [[~0, ~2]], "properties": {"name": "Dem. Rep. Congo"}},
        {"type": "MultiPolygon", "arcs": [[[3]], [[4]]], "properties": {"name": "Largia"}},
        {"type": "Polygon", "arcs": [[5]], "properties": {"name": "Isle"}},
        {"type": None, "properties": {"name": "Nowhere"}},
    ]
    steps = [[[round(2 * x), round(2 * y)] for x, y in arc] for arc in arcs]
    topology = {
        "type": "Topology", "transform": {"scale": [0.5, 0.5], "translate": [0, 0]}, "arcs": steps,
        "objects": {"countries": {"type": "GeometryCollection", "geometries": geometries}},
    }  # fmt: skip
    path.write_text(json.dumps(topology))
    return path


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> CountryNames:
    return CountryNames.load(outlines(tmp_path_factory.mktemp("countries") / "countries.json"))


@pytest.mark.parametrize(
    ("latitude", "longitude", "name"),
    [
        (5, -5, "Westia"),
        (5, 5, "DR Congo"),
        (-19, 51, "Isle"),
        (-5, 5, None),
        (55, 179, "central Largia"),
        (55, -179, "central Largia"),
        (42, 152, "south-western Largia"),
        (68, -152, "north-eastern Largia"),
        (55, -152, "eastern Largia"),
    ],
)
def test_the_country_at_a_place(names: CountryNames, latitude: float, longitude: float, name: str | None) -> None:
    assert names.at(np.array([[latitude, longitude]]), (latitude, longitude)) == name


def test_most_places_decide_and_the_sea_does_not_count(names: CountryNames) -> None:
    places = np.array([(5, -1), (5, 1), (5, 2), (-30, 1), (-31, 1), (-32, 1)], np.float64)
    assert names.at(places, (5, 0)) == "DR Congo"


@pytest.mark.parametrize("content", ["", "{}", '{"type": "FeatureCollection", "features": []}', "[1]"])
def test_other_files_are_one_sentence(tmp_path: Path, content: str) -> None:
    path = tmp_path / "countries.json"
    path.write_text(content)
    with pytest.raises(TrainingError, match=r"countries\.json does not hold countries"):
        CountryNames.load(path)
    with pytest.raises(TrainingError, match=r"none\.json cannot be read"):
        CountryNames.load(tmp_path / "none.json")
