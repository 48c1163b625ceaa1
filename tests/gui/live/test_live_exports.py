"""What is exported from the real window, and its water."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import trimesh
from PySide6.QtWidgets import QCheckBox, QDialogButtonBox, QDoubleSpinBox, QLineEdit
from pytestqt.qtbot import QtBot

from terrainpaint.core.hydrology import FlowingWater, find_waters, with_flowing_water
from terrainpaint.core.map_files import write_map
from terrainpaint.core.painting import ellipse
from terrainpaint.core.project import Project, Settings, ViewSettings
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.core.terrain import Recipe
from terrainpaint.core.water import with_level_water
from terrainpaint.generation.generator import Generator
from terrainpaint.gui.dialogs.export import ExportDialog
from terrainpaint.gui.widgets.basics import accept_button
from tests.gui.live.steps import SHAPE, scribbles, settled
from tests.gui.windows import Buttons, Person


def test_an_export_waits_for_the_exact_terrain(
    person: Person, qtbot: QtBot, tmp_path: Path, generator: Generator
) -> None:
    window = person.window

    def accept(dialog: ExportDialog) -> None:
        named = {field.accessibleName(): field for field in dialog.findChildren(QLineEdit)}
        named["Folder"].setText(str(tmp_path / "out"))
        numbers = {field.accessibleName(): field for field in dialog.findChildren(QDoubleSpinBox)}
        numbers["Exaggeration"].setValue(1.0)
        named["Name"].setText("land")
        next(box for box in dialog.findChildren(QCheckBox) if box.text() == "terrain").setChecked(True)
        accept_button(dialog.findChild(QDialogButtonBox)).click()

    qtbot.waitUntil(lambda: window.generation.live is not None)
    scribbles(person, 15, 1)
    (tmp_path / "out").mkdir()
    written: list[list[Path]] = []
    window.exporting.written.connect(written.append)
    with person.in_dialog(ExportDialog, accept):
        window.actions_["export"].trigger()
    qtbot.waitUntil(lambda: bool(written))
    names = "land.obj, land.mtl, land.png, land_height16.png, land_height16.json, land_terrain.png"
    assert person.sentence == f"{names} were written to {tmp_path / 'out'}."
    mesh = trimesh.load(tmp_path / "out" / "land.obj", process=False)
    assert len(mesh.vertices) == SHAPE[0] * SHAPE[1]
    height = with_level_water(window.generation.copies.terrain(), window.document.ids).height
    tall = np.ptp(mesh.vertices, axis=0)
    assert any(abs(item - np.ptp(height)) < 0.01 * np.ptp(height) for item in tall)
    assert mesh.visual.uv is not None
    # The picture has the light of the levelled heights, where they are within the range of the weights.
    whole = generator.terrain(SegmentationMap(window.document.ids), window.document.settings.recipe)
    level = dataclasses.replace(whole, height=height / np.float32(window.generation.height_scale))
    shown = cv2.cvtColor(cv2.imread(str(tmp_path / "out" / "land_terrain.png")), cv2.COLOR_BGR2RGB).astype(int)
    assert np.abs(shown - generator.shaded(level)).max() <= 1
    assert np.abs(shown - generator.shaded(whole)).max() > 1, "there was water to be levelled"


def test_what_is_exported_is_what_is_shown(person: Person, qtbot: QtBot, tmp_path: Path) -> None:
    """Blend, character, re-rolls, relief and the heights of the 3D view; once more with a key; and a failure."""
    window, document = person.window, person.window.document
    recipe = Recipe(5, other_seed=9, blend=0.4, style=(0.5, -0.5, 1.0, 0.0, 0.0), variety=1.5)
    document.change_settings("Recipe", dataclasses.replace(document.settings, recipe=recipe, relief=1.7))
    document.reroll(ellipse((40, 40), (90, 120), SHAPE))
    document.view = ViewSettings(exaggeration=12.0, is_exaggeration_automatic=False)
    live = settled(person, qtbot).live
    assert live is not None
    folder = tmp_path / "out"
    folder.mkdir()

    def accept(dialog: ExportDialog) -> None:
        field = next(line for line in dialog.findChildren(QLineEdit) if line.text() == window.recent_files.folder())
        field.setText(str(folder))
        next(box for box in dialog.findChildren(QCheckBox) if "Level" in box.text()).setChecked(False)
        accept_button(dialog.findChild(QDialogButtonBox)).click()

    with qtbot.waitSignal(window.exporting.written), person.in_dialog(ExportDialog, accept):
        window.actions_["export"].trigger()

    def assert_written() -> None:
        height = live.height * np.float32(window.generation.height_scale)
        mesh = trimesh.load(folder / "Untitled.obj", process=False)
        assert np.abs(mesh.vertices[:, 1].reshape(SHAPE) - height * 12).max() < 0.001
        texture = cv2.cvtColor(cv2.imread(str(folder / "Untitled.png")), cv2.COLOR_BGR2RGB)
        assert np.array_equal(texture, live.albedo)
        facts = json.loads((folder / "Untitled_height16.json").read_text())
        assert (facts["seed"], facts["other_seed"], facts["blend"], facts["variety"]) == (5, 9, 0.4, 1.5)
        assert facts["rerolled_in_places"]
        assert facts["height_max_m"] == pytest.approx(float(height.max()))

    assert_written()
    shutil.rmtree(folder)
    folder.write_bytes(b"")
    document.paint_mark("Land", ellipse((60, 60), (130, 130), SHAPE), 5)
    with qtbot.waitSignal(window.exporting.failed):
        window.actions_["export_again"].trigger()
    assert "Untitled" in person.sentence and "is a file" in person.sentence
    folder.unlink()
    folder.mkdir()
    settled(person, qtbot)
    with qtbot.waitSignal(window.exporting.written):
        window.exporting.try_again()
    assert_written()
    assert "were written to" in person.sentence

    assert window.saving.save_to(tmp_path / "a.terrainpaint")
    person.opens(Project.empty(SHAPE, Settings(500.0, "atlas")))
    assert window.message_bar.texts == {}
    with qtbot.waitSignal(document.opened):
        window.opening.open_path(tmp_path / "a.terrainpaint")
    shutil.rmtree(folder)
    folder.mkdir()
    with qtbot.waitSignal(window.exporting.written):
        window.actions_["export_again"].trigger()
    live = settled(person, qtbot).live
    assert live is not None
    assert_written()


def test_an_export_replaces_no_map(person: Person, qtbot: QtBot, tmp_path: Path) -> None:
    """The texture of an OBJ has the name of the map next to which it is written."""
    window = person.window
    settled(person, qtbot)
    path = tmp_path / "Untitled.png"
    write_map(path, SegmentationMap(np.full((40, 40), 3, np.uint8)), None)
    before = path.read_bytes()

    def accept(dialog: ExportDialog) -> None:
        field = next(line for line in dialog.findChildren(QLineEdit) if line.text() == str(dialog.choice().folder))
        field.setText(str(tmp_path))
        accept_button(dialog.findChild(QDialogButtonBox)).click()

    with qtbot.waitSignal(window.exporting.failed), person.in_dialog(ExportDialog, accept):
        window.actions_["export"].trigger()
    assert "Untitled.png is a map in the class colours and would be replaced" in person.sentence
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_an_export_that_waits_can_be_cancelled(person: Person, qtbot: QtBot, tmp_path: Path) -> None:
    window = person.window
    qtbot.waitUntil(lambda: window.generation.live is not None)

    def accept(dialog: ExportDialog) -> None:
        field = next(line for line in dialog.findChildren(QLineEdit) if line.text() == window.recent_files.folder())
        field.setText(str(tmp_path))
        window.generation.make_again()
        accept_button(dialog.findChild(QDialogButtonBox)).click()

    with person.in_dialog(ExportDialog, accept):
        window.actions_["export"].trigger()
    assert "as soon as the terrain is exact" in person.sentence
    person.answer, before = Buttons.Cancel, window.document.project
    window.opening.sample("coast")
    assert "The export is not written yet" in person.asked[-1]
    assert window.document.project is before
    window.exporting.cancel()
    assert window.message_bar.texts == {}
    assert window.exporting.may_stop()
    settled(person, qtbot)
    qtbot.wait(100)
    assert list(tmp_path.iterdir()) == []


def test_carved_rivers_are_shown_exported_and_undone(person: Person, qtbot: QtBot, tmp_path: Path) -> None:
    window, document = person.window, person.window.document
    ids = np.full(SHAPE, 5, np.uint8)
    ids[:, :30] = 0
    ids[70:73, 25:190] = 0
    person.opens(Project.painted(ids, Settings(500.0, "atlas")))
    generation = settled(person, qtbot)
    assert generation.live is not None and generation.heights is generation.live.height
    raw = generation.live.height.copy()
    window.actions_["carve_rivers"].trigger()
    assert window.generation_panel.carve_rivers.isChecked() and window.actions_["carve_rivers"].isChecked()
    assert document.settings.flowing_water == FlowingWater(carve_rivers=True)
    qtbot.waitUntil(lambda: generation.heights is not raw and not np.array_equal(generation.heights, raw))
    river = find_waters(generation.copies.shown_terrain(), ids).rivers[0]
    assert len(river.line) > 150 and (np.diff(river.height_m) < 0).all()
    assert generation.height_m(10, 10) == 0, "the sea is level"
    np.testing.assert_array_equal(generation.live.height, raw)

    def accept(dialog: ExportDialog) -> None:
        named = {field.accessibleName(): field for field in dialog.findChildren(QLineEdit)}
        named["Folder"].setText(str(tmp_path))
        named["Name"].setText("river")
        boxes = {box.text(): box for box in dialog.findChildren(QCheckBox)}
        boxes["rivers"].setChecked(True)
        assert not next(box for text, box in boxes.items() if text.startswith("&Level lakes")).isEnabled()
        accept_button(dialog.findChild(QDialogButtonBox)).click()

    written: list[list[Path]] = []
    window.exporting.written.connect(written.append)
    with person.in_dialog(ExportDialog, accept):
        window.actions_["export"].trigger()
    qtbot.waitUntil(lambda: bool(written))
    facts = json.loads((tmp_path / "river_height16.json").read_text())
    assert facts["rivers_carved"] and facts["water_levelled"]
    expected = with_flowing_water(generation.copies.terrain(), ids, FlowingWater(carve_rivers=True))
    assert facts["height_min_m"] == pytest.approx(float(expected.height.min()), abs=0.01)
    assert np.abs(generation.copies.shown_terrain().height - expected.height).max() < 0.01
    assert json.loads((tmp_path / "river_rivers.geojson").read_text())["features"][0]["properties"]["mouth"] == "sea"

    document.undo_stack.undo()
    assert generation.heights is generation.live.height and not document.settings.flowing_water
    assert not window.generation_panel.carve_rivers.isChecked()
    assert not window.actions_["carve_rivers"].isChecked()
    np.testing.assert_array_equal(generation.heights, raw)


def test_the_flow_is_computed_when_a_view_shows_it(person: Person, qtbot: QtBot) -> None:
    generation = settled(person, qtbot)
    window = person.window
    window.terrain.show_picture("flow")
    qtbot.waitUntil(lambda: generation.flow() is not None)
    first = generation.flow()
    assert first is not None and first.shape == SHAPE and first.max() > 100
    window.document.paint_mark("Lake", ellipse((60, 80), (90, 120), SHAPE), 0)
    settled(person, qtbot)
    qtbot.waitUntil(lambda: generation.flow() is not first)
    window.terrain.show_picture("shaded")
