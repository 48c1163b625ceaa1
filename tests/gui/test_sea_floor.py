"""The floor of the sea in the 3D view."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from terrainpaint.core.classes import MOUNTAIN, WATER
from terrainpaint.core.painting import ellipse
from terrainpaint.core.project import Project, Settings, ViewSettings
from terrainpaint.core.project_file import load_project, save_project
from terrainpaint.core.rects import Rect
from terrainpaint.core.sea_depth import with_sea_floor
from terrainpaint.generation.live import LiveTerrain
from terrainpaint.generation.process import TerrainPatch, TerrainProcess
from terrainpaint.gui.document import Document
from terrainpaint.gui.live_generation import LiveGeneration
from terrainpaint.gui.sea_floor import SeaFloor
from terrainpaint.gui.view3d.relief import Relief
from terrainpaint.gui.view3d.scene import Scene
from terrainpaint.gui.view3d.view_controls import ViewControls
from terrainpaint.gui.view3d.widget import TerrainView3D

SHAPE = 96, 128
WHOLE = Rect(0, 0, *SHAPE)


def island(relief: float = 1.0) -> tuple[Document, LiveGeneration]:
    """A mountain of 1500 m in a sea at 2 m; all of it is exact."""
    document = Document(Project.empty(SHAPE, Settings(2000.0, "atlas", base_class=WATER, relief=relief)))
    document.paint_mark("Land", ellipse((30, 40), (66, 90), SHAPE), MOUNTAIN)
    generation = LiveGeneration(document, {}, TerrainProcess())
    height = np.where(document.ids == MOUNTAIN, 1500, 2).astype(np.float32)
    generate(generation, height)
    return document, generation


def generate(generation: LiveGeneration, height: NDArray[np.float32]) -> None:
    live = generation.live = LiveTerrain(SHAPE, 16)
    while (job := live.next_job(WHOLE, None)) is not None:
        colours = np.zeros((job.rect.height, job.rect.width, 3), np.uint8)
        live.accept(job, TerrainPatch(job.rect, colours, height[job.rect.slices], colours, job.exact))
    generation.patch_made.emit(WHOLE)


def test_the_sea_has_its_floor_while_it_is_shown(qtbot: QtBot) -> None:
    document, generation = island()
    owner = QObject()
    floor = SeaFloor(document, generation, owner)
    assert floor.heights is generation.heights
    with qtbot.waitSignal(floor.changed, timeout=60_000):
        floor.show_floor(True)
    expected = with_sea_floor(generation.heights, document.ids, 2000.0)
    assert np.array_equal(floor.heights, expected) and expected.min() < -1000
    floor.show_floor(False)
    assert floor.heights is generation.heights and floor.depths is None


def test_the_floor_stays_below_water_while_the_user_paints(qtbot: QtBot) -> None:
    document, generation = island()
    owner = QObject()
    floor = SeaFloor(document, generation, owner)
    with qtbot.waitSignal(floor.changed, timeout=60_000):
        floor.show_floor(True)
    before = floor.heights.copy()
    document.paint_mark("Land", ellipse((4, 4), (20, 20), SHAPE), MOUNTAIN)
    floor.update(Rect(0, 0, 32, 32))
    assert floor.heights[12, 12] == 2 and floor.heights[12, 28] == before[12, 28] < 0
    with qtbot.waitSignal(floor.changed, timeout=60_000):
        generate(generation, np.where(document.ids == MOUNTAIN, 1500, 2).astype(np.float32))
    assert np.array_equal(floor.heights, with_sea_floor(generation.heights, document.ids, 2000.0))


def test_the_floor_follows_relief_and_is_that_of_the_export(qtbot: QtBot) -> None:
    document, generation = island(relief=2.0)
    owner = QObject()
    floor = SeaFloor(document, generation, owner)
    with qtbot.waitSignal(floor.changed, timeout=60_000):
        floor.show_floor(True)
    metres = generation.heights * np.float32(2)
    assert np.allclose(floor.heights * 2, with_sea_floor(metres, document.ids, 2000.0), atol=1e-2)


def test_the_switch_is_a_setting_of_the_view_and_is_saved(qtbot: QtBot, tmp_path: Path) -> None:
    view = TerrainView3D()
    controls = ViewControls(view, {"albedo": "Albedo"})
    qtbot.addWidget(view)
    qtbot.addWidget(controls)
    menu = controls.findChild(QMenu)
    assert isinstance(menu, QMenu)
    switch = next(action for action in menu.actions() if action.text() == "Sea floor")
    assert not switch.isChecked() and not view.settings.has_sea_floor
    with qtbot.waitSignal(controls.settings_changed):
        switch.trigger()
    assert view.settings.has_sea_floor
    controls.set_settings(ViewSettings())
    assert not switch.isChecked() and not view.settings.has_sea_floor
    path = tmp_path / "a.terrainpaint"
    save_project(path, Project.empty((64, 64), Settings(2000.0, "atlas")), ViewSettings(has_sea_floor=True), None)
    assert load_project(path)[1].has_sea_floor


def test_the_water_is_clear_enough_to_see_a_deep_floor() -> None:
    height = np.full((64, 64), -3500, np.float32)
    relief = Relief(np.zeros((64, 64, 3), np.uint8), height, 2000.0)
    murky, clear = (Scene(relief, ViewSettings(has_sea_floor=on)).clear_depth for on in (False, True))
    scene = Scene(relief, ViewSettings())
    assert clear > 3 * murky and clear == 3500 * scene.lift
