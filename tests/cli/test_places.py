"""`terrainpaint places`: the places that are printed, as text and as JSON, of maps and of projects."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from terrainpaint.core.map_files import write_map
from terrainpaint.core.project import Project, Settings, ViewSettings
from terrainpaint.core.project_file import save_project
from terrainpaint.core.segmentation import SegmentationMap
from tests.cli.files import Run, assert_one_sentence


@pytest.fixture
def ids() -> NDArray[np.uint8]:
    ids = np.full((64, 64), 4, np.uint8)
    ids[:, 40:] = 5
    return ids


def test_places_of_a_map_and_of_a_project(
    run: Run, tmp_path: Path, ids: np.ndarray[tuple[int, int], np.dtype[np.uint8]]
) -> None:
    write_map(tmp_path / "map.png", SegmentationMap(ids))
    settings = Settings(500.0, "satellite")
    save_project(tmp_path / "map.terrainpaint", Project.painted(ids, settings), ViewSettings(), None)
    printed = run("places", tmp_path / "map.png", "--count", "3", "--device", "cpu")
    assert printed.code == 0 and printed.err == ""
    lines = printed.out.splitlines()
    assert len(lines) == 3 and all("°" in line and line.endswith("%") for line in lines)
    of_map, of_project = (
        json.loads(run("places", tmp_path / name, *more, "--json", "--device", "cpu").out)
        for name, more in (("map.png", ("--style", "satellite")), ("map.terrainpaint", ()))
    )
    # The ground size of a pixel changes the heights of the project, and not what land it is.
    assert of_map["style"] == of_project["style"] == "satellite" and of_map["places"] == of_project["places"]
    assert len(of_map["places"]) == 5 and of_map["seed"] == 0
    first = of_map["places"][0]
    assert abs(first["latitude"]) <= 90 and 0 <= first["similarity"] <= 1
    assert first["map"].startswith("https://www.openstreetmap.org/?mlat=")
    other = json.loads(run("places", tmp_path / "map.terrainpaint", "--seed", "5", "--json", "--device", "cpu").out)
    assert other["seed"] == 5 and other["places"] != of_project["places"]


def test_bad_input_is_one_sentence(run: Run, tmp_path: Path) -> None:
    write_map(tmp_path / "sea.png", SegmentationMap(np.zeros((64, 64), np.uint8)))
    assert_one_sentence(run("places", tmp_path / "sea.png", "--device", "cpu"), "nearly all water")
    assert_one_sentence(run("places", tmp_path / "none.png"), "none.png")
    (tmp_path / "text.png").write_text("no map")
    assert_one_sentence(run("places", tmp_path / "text.png"), "text.png")
    assert_one_sentence(run("places", tmp_path / "sea.png", "--style", "none"), 'no style "none"')
    assert_one_sentence(run("places", tmp_path / "sea.png", "--seed", str(2**64)), "A seed of")
    assert run("places", tmp_path / "sea.png", "--count", "0").code == 2
