"""The land of the real window follows painted borders loosely, and is what the command line makes of the project."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

import terrainpaint as tp
from terrainpaint.core.hydrology import FlowingWater
from terrainpaint.core.loose_paint import loosened
from terrainpaint.core.painting import Mark, ellipse, rectangle
from terrainpaint.core.project import Project, Settings
from terrainpaint.core.project_file import save_project
from terrainpaint.core.rects import Rect
from terrainpaint.core.selection import added
from terrainpaint.core.terrain import Recipe
from terrainpaint.core.zooming import zoomed_classes
from terrainpaint.generation.process import TerrainPatch
from terrainpaint.gui.dialogs.import_questions import ChoiceDialog
from tests.gui.live.steps import SHAPE, settled
from tests.gui.windows import Buttons, Person


def opened(person: Person, qtbot: QtBot, follow: float, pixel_size_m: float = 2000.0) -> None:
    person.answer = Buttons.Discard
    ids = np.zeros(SHAPE, np.uint8)
    ids[ellipse((20, 20), (130, 190), SHAPE).part(Rect.of_shape(SHAPE))] = 1
    recipe = Recipe(7, follow=follow)
    true_scale = pixel_size_m < 2000
    person.opens(Project.painted(ids, Settings(pixel_size_m, "atlas", recipe=recipe, true_scale=true_scale)))
    settled(person, qtbot)


def compare(person: Person, qtbot: QtBot, path: Path) -> None:
    """The land of the window is that of the command line for the saved project."""
    settled(person, qtbot)
    document, generation = person.window.document, person.window.generation
    save_project(path, document.project, document.view, None)
    whole = tp.generate(tp.open_project(path))
    terrain = generation.copies.shown_terrain() if document.settings.flowing_water else generation.copies.terrain()
    np.testing.assert_array_equal(generation.classes, whole.classes)
    assert np.abs(terrain.height - whole.heights).max() < 1e-4 * np.ptp(whole.heights)
    assert (np.abs(terrain.albedo.astype(int) - whole.albedo).max(axis=2) > 2).mean() < 1e-3
    assert terrain.provenance.recipe == whole.terrain.provenance.recipe


def test_loose_land_is_that_of_the_command_line_while_the_map_is_painted(
    person: Person, qtbot: QtBot, tmp_path: Path
) -> None:
    opened(person, qtbot, 1.0)
    window, path = person.window, tmp_path / "loose.terrainpaint"
    document, generation = window.document, window.generation
    assert generation.classes is document.ids
    exact, painted = generation.copies.terrain().height.copy(), document.ids.copy()
    window.generation_panel.follow.field.setValue(20)
    assert document.settings.recipe.follow == pytest.approx(0.2) and not generation.is_exact
    compare(person, qtbot, path)
    assert (generation.classes != painted).mean() > 0.02 and np.array_equal(document.ids, painted)
    window.canvas.set_tool("brush")
    window.tools.class_id, window.tools.size_px = 5, 20
    person.paints((60, 60), (90, 150), pause_ms=15)
    compare(person, qtbot, path)
    assert 5 in generation.classes
    document.undo_stack.undo()
    compare(person, qtbot, path)
    document.undo_stack.undo()
    settled(person, qtbot)
    assert document.settings.recipe.follow == 1 and generation.classes is document.ids
    assert np.abs(generation.copies.terrain().height - exact).max() < 1e-4 * np.ptp(exact)


def test_water_flows_and_lies_where_the_land_has_it(person: Person, qtbot: QtBot, tmp_path: Path) -> None:
    opened(person, qtbot, 0.3)
    document, generation = person.window.document, person.window.generation
    document.paint_mark("River", rectangle((75, 60), (76, 205), SHAPE), 0)
    settings = dataclasses.replace(document.settings, flowing_water=FlowingWater(carve_rivers=True))
    document.change_settings("Carve rivers", settings)
    settled(person, qtbot)
    live = generation.live
    qtbot.waitUntil(lambda: live is not None and generation.heights is not live.height)
    compare(person, qtbot, tmp_path / "river.terrainpaint")


def test_variants_have_borders_of_their_own_seeds(person: Person, qtbot: QtBot) -> None:
    opened(person, qtbot, 0.2)
    document, generation = person.window.document, person.window.generation
    rect, recipe, patches = Rect(0, 0, 120, 130), dataclasses.replace(document.settings.recipe, seed=8), []
    generation.preview(rect, recipe, patches.append)
    qtbot.waitUntil(lambda: bool(patches))
    patch: TerrainPatch = patches[0]
    ids = loosened(document.ids, recipe)
    assert not np.array_equal(ids, generation.classes)
    whole = tp.generate(tp.from_classes(ids), style="atlas", seed=8).heights[rect.slices]
    assert np.corrcoef(patch.height.ravel(), whole.ravel())[0, 1] > 0.99


def test_loose_land_at_true_scale(person: Person, qtbot: QtBot, tmp_path: Path) -> None:
    opened(person, qtbot, 0.4, 500.0)
    document, path = person.window.document, tmp_path / "fine.terrainpaint"
    compare(person, qtbot, path)
    document.paint_mark("Mountain", ellipse((50, 80), (90, 130), SHAPE), 5)
    compare(person, qtbot, path)


def test_a_zoomed_map_has_the_borders_of_its_parent(person: Person, qtbot: QtBot) -> None:
    opened(person, qtbot, 0.2)
    window, rect = person.window, Rect(60, 10, 24, 30)
    document, land = window.document, window.generation.classes.copy()
    document.set_selection(added(None, Mark(rect, np.ones((24, 30), bool))))

    def answer(dialog: ChoiceDialog) -> None:
        next(button for button in dialog.findChildren(QPushButton) if "× 4" in button.text()).click()

    with qtbot.waitSignal(document.opened), person.in_dialog(ChoiceDialog, answer):
        window.actions_["zoom_into"].trigger()
    parent = document.project.parent
    assert parent is not None and parent.frame.recipe == document.settings.recipe == Recipe(7)
    np.testing.assert_array_equal(document.ids, zoomed_classes(land, rect, 4, 7))
