import dataclasses
import math

import numpy as np
import pytest

from terrainpaint.core.placement import Placement
from terrainpaint.core.project import Project, Settings, Underlay

PLACED = Placement(40.0, 70.0, 30.0, 60.0, 90.0)
"""Turned by a quarter, so that its upper edge is at the right."""


def test_a_fitted_picture_keeps_its_proportions_and_touches_two_edges() -> None:
    placement = Placement.fitted((50, 100), (300, 400))
    assert (placement.row, placement.col, placement.height, placement.width) == (150, 200, 200, 400)


def test_the_corners_of_a_turned_picture() -> None:
    corners = [PLACED.at(*corner) for corner in ((0, 0), (0, 1), (1, 1), (1, 0))]
    assert np.allclose(corners, [(10, 85), (70, 85), (70, 55), (10, 55)])
    assert np.allclose(PLACED.along(0, 1), (-1, 0)), "the east of the map is the top of the picture"


@pytest.mark.parametrize("turn_deg", [0.0, 33.0, 90.0, -120.0])
def test_positions_go_to_the_picture_and_back(turn_deg: float) -> None:
    placement = dataclasses.replace(PLACED, turn_deg=turn_deg)
    matrix = placement.to_picture((15, 20))
    for down, across in ((0, 0), (0.3, 0.8), (1, 0.25)):
        row, col = placement.at(down, across)
        assert np.allclose(matrix @ (col, row, 1), (across * 20, down * 15))


@pytest.mark.parametrize(
    "values", [{"height": 0.5}, {"width": 2e6}, {"row": math.inf}, {"col": math.nan}, {"turn_deg": math.nan}]
)
def test_impossible_numbers_are_refused(values: dict[str, float]) -> None:
    with pytest.raises(ValueError):
        dataclasses.replace(PLACED, **values)


def test_a_picture_stays_on_its_ground_when_the_map_is_cropped_or_has_more_pixels() -> None:
    project = Project.empty((80, 100), Settings(100.0, "atlas"))
    picture = np.zeros((8, 10, 3), np.uint8)
    placed = dataclasses.replace(project, underlay=Underlay(picture, placement=PLACED))
    cropped, larger = placed.cropped(10, 20, (50, 60)).underlay, placed.resized((160, 200)).underlay
    assert cropped is not None and cropped.placement == Placement(30, 50, 30, 60, 90)
    assert larger is not None and larger.placement == Placement(80, 140, 60, 120, 90)
    over_all = dataclasses.replace(project, underlay=Underlay(picture)).cropped(10, 20, (50, 60)).underlay
    assert over_all is not None and over_all.placement == Placement(30, 30, 80, 100)
