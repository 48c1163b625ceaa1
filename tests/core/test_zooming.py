"""A part of a map as a new map at a finer scale."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from terrainpaint.core.guide_lines import GuideLine, GuideLines, LineKind
from terrainpaint.core.project import Project, Settings, ViewSettings, ZoomedFrom
from terrainpaint.core.project_file import load_project, save_project
from terrainpaint.core.rects import Rect
from terrainpaint.core.terrain import Recipe
from terrainpaint.core.zooming import MOST_SIDE_PX, allowed_factors, zoomed, zoomed_classes
from terrainpaint.errors import OptionError


def patches() -> np.ndarray:
    """(160, 140) classes in patches of 8 px."""
    return np.random.default_rng(4).integers(0, 7, (20, 18), dtype=np.uint8).repeat(8, 0).repeat(8, 1)[:, :140]


@pytest.mark.parametrize("factor", [4, 16])
def test_a_part_has_the_classes_of_the_whole(factor: int) -> None:
    ids = patches()
    whole = zoomed_classes(ids, Rect(0, 0, 160, 140), factor, 7)
    assert whole.shape == (160 * factor, 140 * factor)
    part = Rect(3, 31, 140, 40)
    rows, cols = (slice(factor * start, factor * stop) for start, stop in ((3, 143), (31, 71)))
    np.testing.assert_array_equal(zoomed_classes(ids, part, factor, 7), whole[rows, cols])
    again = whole[factor // 2 :: factor, factor // 2 :: factor]
    assert (again == ids).mean() > 0.9, "most cells have their class in the middle"
    assert not np.array_equal(whole, zoomed_classes(ids, Rect(0, 0, 160, 140), factor, 8)), "bends follow the seed"


def test_the_new_map_knows_its_scale_and_where_it_came_from(tmp_path: Path) -> None:
    settings = Settings(2000.0, "atlas", recipe=Recipe(seed=12), relief=1.5)
    source, rect = Project.painted(patches(), settings), Rect(20, 30, 40, 50)
    child = zoomed(source, zoomed_classes(patches(), rect, 4, 12), rect, 4, "coast")
    assert child.shape == (160, 200) and child.settings == dataclasses.replace(
        settings, pixel_size_m=500.0, true_scale=True
    )
    assert child.zoomed_from == ZoomedFrom("coast", rect, 4, 12)
    path = tmp_path / "child.terrainpaint"
    save_project(path, child, ViewSettings(), None)
    loaded, _ = load_project(path)
    assert loaded.zoomed_from == child.zoomed_from
    save_project(path, source, ViewSettings(), None)
    assert load_project(path)[0].zoomed_from is None


def test_sizes_are_limited_with_the_number_that_fits() -> None:
    assert allowed_factors(Rect(0, 0, 200, 100)) == (4, 16)
    assert allowed_factors(Rect(0, 0, 600, 100)) == (4,)
    assert allowed_factors(Rect(0, 0, 5, 7)) == (16,)
    with pytest.raises(OptionError, match="at most 1024 × 1024"):
        allowed_factors(Rect(0, 0, MOST_SIDE_PX // 4 + 1, 300))
    with pytest.raises(OptionError, match="at least 2 pixels"):
        allowed_factors(Rect(0, 0, 1, 300))


def test_drawn_lines_go_with_the_land() -> None:
    drawn = GuideLines((GuideLine(LineKind.RIVER, ((25.0, 10.0), (25.0, 60.0), (45.0, 60.0)), 2),))
    source = dataclasses.replace(Project.painted(patches(), Settings(2000.0, "atlas")), lines=drawn)
    rect = Rect(20, 30, 40, 50)
    child = zoomed(source, zoomed_classes(patches(), rect, 4, 12), rect, 4, "coast")
    (line,) = child.lines.lines
    assert line == GuideLine(LineKind.RIVER, ((20.0, 0.0), (20.0, 120.0), (100.0, 120.0)), 8)
