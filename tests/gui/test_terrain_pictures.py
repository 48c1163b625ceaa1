from __future__ import annotations

import numpy as np
import pytest

from terrainpaint.core.classes import PALETTE
from terrainpaint.gui.icons import icon_names
from terrainpaint.gui.terrain_pictures import FROM_ABOVE, IN_3D, PICTURES, Sample, from_above


@pytest.fixture
def slope() -> Sample:
    """(60, 80): a plane that rises 100 m to the east with each pixel of 100 m."""
    draw = np.random.default_rng(3)
    albedo, shaded = draw.integers(0, 256, (2, 60, 80, 3), dtype=np.uint8)
    height = np.broadcast_to(np.arange(80, dtype=np.float32) * 100, (60, 80)).copy()
    return Sample(draw.integers(0, 7, (60, 80), dtype=np.uint8), albedo, shaded, height, 1.0, 100.0, 90.0, 45.0, 1.0)


def test_each_picture_has_its_own_name_and_an_icon() -> None:
    assert {picture.icon for picture in PICTURES.values()} <= set(icon_names())
    assert len({picture.name for picture in PICTURES.values()}) == len(PICTURES)
    assert set(FROM_ABOVE) | set(IN_3D) == set(PICTURES)


def test_pictures_show_what_they_are_named_after(slope: Sample) -> None:
    assert np.array_equal(from_above("shaded", slope), slope.shaded)
    assert np.array_equal(from_above("albedo", slope), slope.albedo)
    assert np.array_equal(PICTURES["map"].paint(slope), PALETTE[slope.ids])
    away_from_the_sun = from_above("sunlit", slope).mean()
    assert away_from_the_sun < slope.albedo.mean()
    assert len(np.unique(from_above("slope", slope).reshape(-1, 3), axis=0)) == 1, "it is as steep everywhere"


def test_contour_lines_are_in_the_view_from_above_alone(slope: Sample) -> None:
    tint = PICTURES["height"].paint(slope)
    lined = from_above("height", slope)
    dark = (lined != tint).any(axis=2)
    assert np.array_equal(lined[dark], tint[dark] // 2)
    assert 5 < dark[0].sum() < 30
    assert (dark == dark[0]).all(), "a plane has straight lines"
