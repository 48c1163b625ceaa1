"""Heights that are painted for the land to follow."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from terrainpaint.core.height_guide import HeightGuide
from terrainpaint.core.height_painting import HeightDabs, HeightMode
from terrainpaint.core.painting import rectangle
from terrainpaint.core.project import HEIGHT_GUIDE
from terrainpaint.core.rects import Rect
from terrainpaint.gui.panels.guide_box import GuideBox
from tests.gui.canvases import ALT, SHAPE, Desk

LAND_M = 400.0


@pytest.fixture
def desk(qtbot: QtBot) -> Desk:
    desk = Desk(qtbot)
    desk.canvas.find_land = lambda: np.full((50, 75), LAND_M, np.float32)
    desk.canvas.set_tool("height")
    desk.settings.size_px = 80
    desk.settings.height_amount_m = 100
    return desk


def heights(desk: Desk) -> NDArray[np.float32]:
    guide = desk.document.project.height_guide
    assert guide is not None
    return guide.heights


def test_a_stroke_raises_the_land_that_is_shown(desk: Desk) -> None:
    desk.drag((100, 80), (100, 160), (100, 160))
    found = heights(desk)
    assert found[25, 20:40] == pytest.approx(LAND_M + 100, abs=1)
    assert found[25 - 8, 30] == pytest.approx(LAND_M + 100 * 0.19, abs=3)
    assert np.isnan(found[:14]).all() and np.isnan(found[:, 60:]).all()
    # Going over a place again in another stroke raises it again.
    desk.drag((100, 80), (100, 160), (100, 80))
    assert heights(desk)[25, 20:40] == pytest.approx(LAND_M + 200, abs=1)


def test_alt_lowers_and_heights_end_at_the_sea(desk: Desk) -> None:
    desk.settings.height_amount_m = 300
    desk.click(100, 100, ALT)
    assert heights(desk)[25, 25] == pytest.approx(LAND_M - 300, abs=3)
    desk.click(100, 100, ALT)
    assert heights(desk)[25, 25] == 0


def test_smoothing_and_letting_go(desk: Desk) -> None:
    desk.settings.height_amount_m = 1000
    desk.settings.size_px = 24
    desk.click(100, 100)
    peak = heights(desk)[25, 25]
    desk.settings.height_mode = HeightMode.SMOOTH
    desk.settings.size_px = 80
    desk.click(100, 100)
    assert LAND_M < heights(desk)[25, 25] < peak - 100
    desk.settings.height_mode = HeightMode.FREE
    desk.click(100, 100)
    assert np.isnan(heights(desk)[25, 25])


def test_strokes_are_undone_and_taken_back(desk: Desk) -> None:
    changed: list[Rect | None] = []
    desk.document.guide_changed.connect(changed.append)
    desk.click(100, 100)
    after = heights(desk).copy()
    assert changed[0] is None and changed[1] is not None and changed[1].contains(100, 100)
    assert len(changed) == 2  # the step of undo changes nothing
    desk.document.undo_stack.undo()
    assert desk.document.project.height_guide is None and changed[2:] == [None]
    desk.document.undo_stack.redo()
    assert heights(desk).tobytes() == after.tobytes()
    desk.press(60, 60)
    desk.move(60, 200)
    assert heights(desk).tobytes() != after.tobytes()
    desk.key(Qt.Key.Key_Escape)
    assert heights(desk).tobytes() == after.tobytes()
    desk.click(60, 200)
    assert desk.steps == 2 and heights(desk)[15, 50] > LAND_M
    desk.document.undo_stack.undo()
    assert heights(desk).tobytes() == after.tobytes()


def test_a_first_stroke_that_is_taken_back_leaves_no_guide(desk: Desk) -> None:
    desk.press(60, 60)
    desk.move(60, 200)
    assert desk.document.project.height_guide is not None
    desk.key(Qt.Key.Key_Escape)
    assert desk.document.project.height_guide is None and desk.steps == 0


def test_only_what_is_selected_is_raised(desk: Desk) -> None:
    desk.document.set_selection(rectangle((0, 0), (199, 91), SHAPE))
    desk.click(100, 100)
    found = heights(desk)
    assert found[25, 22] > LAND_M and np.isnan(found[25, 26:]).all()


def test_without_a_terrain_nothing_is_painted(desk: Desk) -> None:
    said: list[str] = []
    desk.canvas.refused.connect(said.append)
    desk.canvas.find_land = lambda: None
    desk.click(100, 100)
    assert desk.document.project.height_guide is None and "still being generated" in said[0]


def test_heights_are_those_of_the_guide_when_pixels_became_larger(desk: Desk) -> None:
    """A guide of pixels half as large has metres half as high."""
    size_m = desk.document.settings.pixel_size_m
    desk.document.set_height_guide(HeightGuide.empty(SHAPE, size_m / 2))
    desk.click(100, 100)
    assert heights(desk)[25, 25] == pytest.approx((LAND_M + 100) / 2, abs=1)


def test_a_stroke_does_the_same_however_often_it_goes_over_a_place() -> None:
    land = np.full((40, 40), 10, np.float32)
    once, twice = (HeightDabs(land, land, HeightMode.RAISE, 50) for _ in range(2))
    cells = once.sweep((20, 10), (20, 30), 6)
    for start, end in (((20.0, 10.0), (20.0, 20.0)), ((20.0, 20.0), (20.0, 30.0)), ((20.0, 30.0), (20.0, 10.0))):
        twice.sweep(start, end, 6)
    np.testing.assert_allclose(once.result(cells, None), twice.result(cells, None), atol=1e-3)


def test_the_panel_sets_the_strength_and_removes_the_guide(desk: Desk, qtbot: QtBot) -> None:
    box = GuideBox(desk.document)
    qtbot.addWidget(box)
    assert box.strength.isHidden() and box.remove.isHidden()
    desk.click(100, 100)
    assert not box.strength.isHidden() and box.strength.value == 100
    box.strength.changed.emit(40.0)
    assert desk.document.settings.recipe.guide_strength == pytest.approx(0.4) and box.strength.value == 40
    with qtbot.waitSignal(box.load_requested):
        box.load.click()
    box.remove.click()
    assert desk.document.project.height_guide is None and box.strength.isHidden()
    desk.document.undo_stack.undo()
    assert desk.document.project.cells(HEIGHT_GUIDE).any()
