"""The terrain follows the map in the real window, with the real process and the shipped weights."""

from __future__ import annotations

import dataclasses
import json
import os
import random
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import trimesh
from numpy.typing import NDArray
from PySide6.QtCore import QStandardPaths
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFileDialog,
    QLabel,
    QLineEdit,
    QPushButton,
)
from pytestqt.qtbot import QtBot

import terrainpaint as tp
from terrainpaint.core.assets import shipped_fine_land, shipped_styles
from terrainpaint.core.fine_land import coarse_window
from terrainpaint.core.hydrology import FlowingWater, find_waters, with_flowing_water
from terrainpaint.core.map_files import write_map
from terrainpaint.core.painting import Mark, ellipse
from terrainpaint.core.project import Project, Settings, ViewSettings
from terrainpaint.core.project_file import save_project
from terrainpaint.core.rects import Rect
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.core.selection import added
from terrainpaint.core.terrain import Recipe
from terrainpaint.core.water import with_level_water
from terrainpaint.generation.generator import Generator
from terrainpaint.generation.messages import Hardware
from terrainpaint.generation.refiner import Refiner
from terrainpaint.generation.scaled import ScaledGenerator
from terrainpaint.gui.dialogs.export import ExportDialog
from terrainpaint.gui.dialogs.import_questions import ChoiceDialog
from terrainpaint.gui.live_generation import LiveGeneration
from terrainpaint.gui.notices import Topic
from terrainpaint.gui.widgets.basics import accept_button
from terrainpaint.models.look_weights import save_look
from tests.gui.windows import Buttons, Person, chooses, own_window
from tests.models.small_looks import CONFIG, HEADER, look, write_look

SHAPE = (150, 210)
ATLAS = shipped_styles()["atlas"]
PATIENCE_MS = 120_000


@pytest.fixture(scope="module")
def generator() -> Generator:
    return Generator.load(ATLAS, "cpu")


@pytest.fixture(scope="module")
def window_of_all(
    request: pytest.FixtureRequest, qapp: QApplication, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Person]:
    """One window and one process for all tests of this file, because loading the weights takes seconds."""
    with own_window(request, tmp_path_factory.mktemp("live")) as person:
        person.window.start(None)
        yield person


@pytest.fixture
def person(window_of_all: Person) -> Person:
    """A new document with land in its middle."""
    window_of_all.answer = Buttons.Discard
    window_of_all.opens(Project.empty(SHAPE, Settings(500.0, "atlas", base_class=0)))
    window_of_all.window.document.paint_mark("Land", ellipse((20, 20), (130, 190), SHAPE), 1)
    return window_of_all


def settled(person: Person, qtbot: QtBot) -> LiveGeneration:
    """Wait until all of the terrain is exact."""
    generation = person.window.generation
    qtbot.waitUntil(lambda: generation.is_exact, timeout=PATIENCE_MS)
    return generation


def assert_exact(person: Person, qtbot: QtBot, generator: Generator) -> None:
    """The shown terrain equals a generation of the whole map."""
    live, document = settled(person, qtbot).live, person.window.document
    assert live is not None
    whole = generator.terrain(SegmentationMap(document.ids), document.settings.recipe, document.project.rerolls)
    assert np.abs(live.height - whole.height).max() < 1e-4 * np.ptp(whole.height)
    assert np.abs(live.albedo.astype(int) - whole.albedo).max() <= 1
    assert np.abs(live.shaded.astype(int) - generator.shaded(whole)).max() <= 1


def offered(box: QComboBox) -> list[str]:
    return [box.itemText(index) for index in range(box.count())]


def scribbles(person: Person, seed: int, count: int) -> None:
    draw = random.Random(seed)
    for _ in range(count):
        person.window.tools.class_id = draw.randrange(7)
        person.window.tools.size_px = draw.uniform(4, 40)
        at = [(draw.uniform(0, SHAPE[0]), draw.uniform(0, SHAPE[1])) for _ in range(draw.randrange(2, 5))]
        person.paints(*at, pause_ms=15)


def test_it_follows_what_is_painted(person: Person, qtbot: QtBot, generator: Generator) -> None:
    person.window.canvas.set_tool("brush")
    for seed in range(3):
        scribbles(person, seed, 4)
        assert_exact(person, qtbot, generator)
    person.window.document.undo_stack.setIndex(3)
    assert_exact(person, qtbot, generator)
    person.window.document.undo_stack.setIndex(12)
    assert_exact(person, qtbot, generator)


def test_edits_that_overtake_each_other(person: Person, qtbot: QtBot, generator: Generator) -> None:
    """The map changes while the terrain is being generated."""
    document = person.window.document
    scribbles(person, 5, 3)
    document.change_settings("Seed", dataclasses.replace(document.settings, recipe=Recipe(7)))
    scribbles(person, 6, 3)
    document.undo_stack.undo()
    document.reroll(ellipse((30, 30), (90, 90), SHAPE))
    document.crop(5, 8, (120, 190))
    document.paint_mark("Land", ellipse((0, 0), (50, 50), (120, 190)), 5)
    assert_exact(person, qtbot, generator)
    document.undo_stack.setIndex(1)
    assert_exact(person, qtbot, generator)


def test_a_large_map_gets_a_draft_of_all_of_it_first(person: Person, qtbot: QtBot, generator: Generator) -> None:
    window, generation = person.window, person.window.generation
    ids = np.tile(np.arange(6, dtype=np.uint8).repeat(100), (540, 1))
    whole = Rect.of_shape((540, 600))
    person.opens(Project.painted(ids, Settings(500.0, "atlas")))
    made: list[Rect] = []
    generation.patch_made.connect(made.append)
    qtbot.waitUntil(lambda: bool(made), timeout=PATIENCE_MS)
    live = generation.live
    assert live is not None and live.fraction_done() == 0 and live.known(whole).all()
    draft, height = live.albedo.copy(), live.height.copy()
    assert_exact(person, qtbot, generator)
    colour = np.abs(draft.reshape(540, 6, 100, 3).mean((0, 2)) - live.albedo.reshape(540, 6, 100, 3).mean((0, 2)))
    assert colour.max() < 60, "each stripe has about its colour"
    assert height[:, :100].mean() < 50 < height[:, 500:].mean(), "water is low and mountains are high"

    window.document.change_settings("Seed", dataclasses.replace(window.document.settings, recipe=Recipe(9)))
    made.clear()
    qtbot.waitUntil(lambda: bool(made), timeout=PATIENCE_MS)
    assert made[0] == whole and live.fraction_done() == 0, "no preview is as large"
    generation.patch_made.disconnect(made.append)
    assert_exact(person, qtbot, generator)


def test_seed_style_and_rerolls(person: Person, qtbot: QtBot, generator: Generator) -> None:
    window, document = person.window, person.window.document
    panel = window.generation_panel
    assert_exact(person, qtbot, generator)
    first = window.generation.copies.terrain()
    panel.roll_dice()
    assert document.settings.recipe.seed != 0
    assert_exact(person, qtbot, generator)
    assert np.abs(window.generation.copies.terrain().height - first.height).max() > 1
    style = tuple(0.5 for _ in generator.style_names)
    document.change_settings("Style", dataclasses.replace(document.settings, recipe=Recipe(3, style=style)))
    assert_exact(person, qtbot, generator)
    document.change_settings("Blend", dataclasses.replace(document.settings, recipe=Recipe(3, 9, 0.4)))
    assert_exact(person, qtbot, generator)
    window.document.set_selection(ellipse((50, 50), (80, 80), SHAPE))
    window.actions_["reroll"].trigger()
    assert document.project.rerolls.any()
    assert_exact(person, qtbot, generator)
    document.undo_stack.setIndex(1)
    assert_exact(person, qtbot, generator)
    again = window.generation.copies.terrain()
    assert np.abs(again.height - first.height).max() < 1e-4 * np.ptp(first.height)


def test_relief_and_ground_scale_the_heights_and_generate_nothing(person: Person, qtbot: QtBot) -> None:
    generation, document = settled(person, qtbot), person.window.document
    before = generation.copies.terrain().height
    document.change_settings("Relief", dataclasses.replace(document.settings, relief=2.0))
    assert generation.is_exact
    np.testing.assert_allclose(generation.copies.terrain().height, before * 2, rtol=1e-5)
    document.change_settings("Ground", dataclasses.replace(document.settings, pixel_size_m=1000.0))
    assert generation.is_exact
    np.testing.assert_allclose(generation.copies.terrain().height, before * 4, rtol=1e-5)


@pytest.mark.skipif(os.name != "posix", reason="signals are sent to the process")
def test_a_map_at_true_scale_gets_the_land_of_its_scale(person: Person, qtbot: QtBot, generator: Generator) -> None:
    document, generation = person.window.document, settled(person, qtbot)
    fine = next(iter(shipped_fine_land().values()))
    land = ScaledGenerator(generator, Refiner.load(fine, "cpu"), 4)
    scaled_down = generation.copies.terrain()
    assert scaled_down.provenance.painted_finer == 1
    document.change_settings("Scale", dataclasses.replace(document.settings, true_scale=True))
    settled(person, qtbot)

    def check() -> None:
        terrain, expected = generation.copies.terrain(), land.terrain(document.segmentation(), document.settings.recipe)
        assert np.abs(terrain.height - expected.height).max() < 0.05
        assert np.abs(terrain.albedo.astype(int) - expected.albedo).max() <= 2
        assert terrain.provenance.painted_finer == 4 and terrain.provenance.detail_sha256 == land.about.detail_sha256

    check()
    assert generation.height_scale == 1
    document.paint_mark("Hills", ellipse((60, 60), (64, 63), SHAPE), 3)  # smaller than a cell
    settled(person, qtbot)
    check()
    document.paint_mark("Mountain", ellipse((30, 100), (90, 180), SHAPE), 5)
    settled(person, qtbot)
    check()
    # Pixels of another size have no true scale, which is said, and the land of the style instead.
    document.change_settings("Width", dataclasses.replace(document.settings, pixel_size_m=300.0))
    settled(person, qtbot)
    assert "no true scale for pixels of 300 m" in person.sentence
    assert generation.copies.terrain().provenance.painted_finer == 1


def test_a_zoomed_map_goes_on_with_the_land_of_its_parent(person: Person, qtbot: QtBot, tmp_path: Path) -> None:
    window, document, generation = person.window, person.window.document, settled(person, qtbot)
    live, ids, rect = generation.live, document.ids.copy(), Rect(20, 60, 24, 20)
    assert live is not None
    refiner = Refiner.load(next(iter(shipped_fine_land().values())), "cpu")
    land = coarse_window(live.height, live.albedo, ids, rect, refiner.margin(4), 2000.0)
    detail = refiner.refine(land, 4, document.settings.recipe.seed)
    document.set_selection(added(None, Mark(rect, np.ones((24, 20), bool))))

    def answer(dialog: ChoiceDialog) -> None:
        next(button for button in dialog.findChildren(QPushButton) if "× 4" in button.text()).click()

    with qtbot.waitSignal(document.opened), person.in_dialog(ChoiceDialog, answer):
        window.actions_["zoom_into"].trigger()
    settled(person, qtbot)

    def difference() -> NDArray[np.float32]:
        assert generation.live is not None and generation.live.shape == (96, 80)
        return np.abs(generation.live.height - detail.height)

    assert difference().max() < 0.05
    assert generation.live is not None and np.abs(generation.live.albedo.astype(int) - detail.albedo).max() <= 2
    assert generation.height_scale == 0.25  # as of the parent, whose pixels are 500 m
    document.paint_mark("Lake", Mark(Rect(5, 5, 1, 1), np.ones((1, 1), bool)), 0)  # smaller than a cell
    settled(person, qtbot)
    changed = difference() > 0.05
    assert not changed[32:].any() and not changed[:, 32:].any()
    document.undo_stack.undo()
    # A map that is zoomed out of this one goes on with it down to a sixteenth; what cannot is said before it is made.
    asked: list[str] = []

    def cancel(dialog: ChoiceDialog) -> None:
        asked.extend(text.text() for text in dialog.findChildren(QLabel))
        dialog.reject()

    def question() -> str:
        asked.clear()
        with person.in_dialog(ChoiceDialog, cancel):
            window.actions_["zoom_into"].trigger()
        return " ".join(asked)

    assert "At 7.8125 m a pixel the new map does not go on with the land of this one" in question()
    document.reroll(Mark(Rect(5, 5, 8, 8), np.ones((8, 8), bool)))
    settled(person, qtbot)
    assert "The new map does not go on with the land of this one: it gets land scaled down from 2000 m" in question()
    document.change_settings("Width", dataclasses.replace(document.settings, pixel_size_m=500.0))
    settled(person, qtbot)
    assert "made for it alone; at 31.25 m a pixel, land scaled down from 2000 m" in question()
    document.undo_stack.undo()
    document.undo_stack.undo()
    settled(person, qtbot)
    # The file has that land too, for the command line.
    path = tmp_path / "part.terrainpaint"
    save_project(path, document.snapshot(), ViewSettings(), None)
    opened = tp.generate(tp.open_project(path))
    assert opened.pixel_size_m == 125 and np.abs(opened.heights / 0.25 - detail.height).max() < 0.05


def test_a_larger_map_that_needs_other_weights_is_shown_before_they_are_loaded(person: Person, qtbot: QtBot) -> None:
    window, generation = person.window, person.window.generation
    person.opens(Project.empty((64, 64), Settings(125.0, "atlas", base_class=1, true_scale=True)))
    settled(person, qtbot)
    person.opens(Project.empty(SHAPE, Settings(500.0, "atlas", base_class=3)))
    assert generation.live is None and not generation.is_exact
    assert not window.terrain.view.grab().isNull()  # painting it fails when land of the smaller map is looked for
    settled(person, qtbot)
    assert generation.live is not None and generation.live.shape == SHAPE


def test_a_process_that_dies_while_one_paints_is_replaced(person: Person, qtbot: QtBot, generator: Generator) -> None:
    settled(person, qtbot)
    first = person.process.pid
    assert first is not None
    scribbles(person, 11, 2)
    os.kill(first, signal.SIGKILL)
    scribbles(person, 12, 3)
    assert_exact(person, qtbot, generator)
    assert person.process.pid not in (None, first)


def test_broken_weights_keep_the_old_ones(person: Person, qtbot: QtBot, generator: Generator, tmp_path: Path) -> None:
    settled(person, qtbot)
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(ATLAS.read_bytes()[:5000])
    with qtbot.waitSignal(person.window.generation.failed, timeout=PATIENCE_MS):
        person.window.generation.weights.add_style(broken)
    assert "broken.safetensors" in person.sentence
    assert person.window.document.settings.style_name == "broken"
    shown = person.window.generation_panel.style_name
    assert shown.currentText() == "atlas", "the style that is in use"
    installed = list(shipped_styles())
    assert offered(shown) == installed, "the broken one is not offered again"
    scribbles(person, 13, 2)
    assert_exact(person, qtbot, generator)
    undo_stack = person.window.document.undo_stack
    undo_stack.setIndex(0)
    assert person.window.document.settings.style_name == "atlas" == shown.currentText()
    assert_exact(person, qtbot, generator)
    with qtbot.waitSignal(person.window.generation.failed, timeout=PATIENCE_MS):
        undo_stack.setIndex(undo_stack.count())
    assert_exact(person, qtbot, generator)
    assert (shown.currentText(), offered(shown)) == ("atlas", installed)


def test_broken_weights_with_the_name_of_others_leave_these(
    person: Person, qtbot: QtBot, generator: Generator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled(person, qtbot)
    broken = tmp_path / "atlas.safetensors"
    broken.write_bytes(ATLAS.read_bytes()[:5000])
    chooses(monkeypatch, broken)
    with qtbot.waitSignal(person.window.generation.failed, timeout=PATIENCE_MS):
        person.window.actions_["add_style"].trigger()
    shown = person.window.generation_panel.style_name
    assert (shown.currentText(), offered(shown)) == ("atlas", list(shipped_styles()))
    person.window.document.change_settings(
        "Style", dataclasses.replace(person.window.document.settings, style_name="satellite")
    )
    settled(person, qtbot)
    person.window.document.undo_stack.undo()
    assert_exact(person, qtbot, generator)


def test_a_project_of_an_unknown_style(person: Person, qtbot: QtBot, generator: Generator, tmp_path: Path) -> None:
    path = tmp_path / "mars.terrainpaint"
    project = Project.empty(SHAPE, Settings(500.0, "mars", base_class=3))
    save_project(path, project, ViewSettings(), None)
    sentences: list[str] = []
    person.window.generation.failed.connect(sentences.append)
    with qtbot.waitSignal(person.window.document.opened, timeout=PATIENCE_MS):
        person.window.opening.open_path(path)
    assert '"mars"' in person.sentence
    assert_exact(person, qtbot, generator)
    document = person.window.document
    assert document.settings.style_name == "mars", "a save must not change it"
    assert person.window.generation_panel.style_name.currentText() == "atlas", "the style that is in use"
    document.change_settings("Seed", dataclasses.replace(document.settings, recipe=Recipe(7)))
    document.change_settings("Relief", dataclasses.replace(document.settings, relief=2.0))
    assert person.window.generation.is_exact is False
    scribbles(person, 14, 2)
    assert_exact(person, qtbot, generator)
    assert len(sentences) == 1, "it is said once"
    assert list(person.window.message_bar.texts) == [Topic.TERRAIN], "as long as it is true"
    document.change_settings("Style", dataclasses.replace(document.settings, style_name="atlas"))
    assert person.window.message_bar.texts == {}
    assert_exact(person, qtbot, generator)


def test_numbers_of_another_style_are_an_error_message(person: Person, qtbot: QtBot, generator: Generator) -> None:
    settled(person, qtbot)
    document = person.window.document
    with qtbot.waitSignal(person.window.generation.failed, timeout=PATIENCE_MS):
        document.change_settings("Style", dataclasses.replace(document.settings, recipe=Recipe(1, style=(0.1,))))
    assert "style" in person.sentence and list(person.window.message_bar.texts) == [Topic.TERRAIN]
    document.undo_stack.undo()
    assert person.window.message_bar.texts == {}
    assert_exact(person, qtbot, generator)


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

    qtbot.waitUntil(lambda: window.generation.live is not None, timeout=PATIENCE_MS)
    scribbles(person, 15, 1)
    (tmp_path / "out").mkdir()
    written: list[list[Path]] = []
    window.exporting.written.connect(written.append)
    with person.in_dialog(ExportDialog, accept):
        window.actions_["export"].trigger()
    qtbot.waitUntil(lambda: bool(written), timeout=PATIENCE_MS)
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


def test_other_hardware_generates_the_same_terrain_and_a_device_that_is_missing_is_replaced(
    person: Person, qtbot: QtBot, generator: Generator
) -> None:
    generation = settled(person, qtbot)
    warnings: list[str] = []
    generation.warned.connect(warnings.append)
    with qtbot.waitSignal(generation.weights.changed, timeout=PATIENCE_MS):
        generation.weights.use_hardware(Hardware("no such device", 1))
    assert len(warnings) == 1 and "no such device" in warnings[0]
    assert_exact(person, qtbot, generator)
    with qtbot.waitSignal(generation.weights.changed, timeout=PATIENCE_MS):
        generation.weights.use_hardware(Hardware())
    assert_exact(person, qtbot, generator)
    assert len(warnings) == 1


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

    with qtbot.waitSignal(window.exporting.written, timeout=PATIENCE_MS), person.in_dialog(ExportDialog, accept):
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
    with qtbot.waitSignal(window.exporting.failed, timeout=PATIENCE_MS):
        window.actions_["export_again"].trigger()
    assert "Untitled" in person.sentence and "is a file" in person.sentence
    folder.unlink()
    folder.mkdir()
    settled(person, qtbot)
    with qtbot.waitSignal(window.exporting.written, timeout=PATIENCE_MS):
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
    with qtbot.waitSignal(window.exporting.written, timeout=PATIENCE_MS):
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
    qtbot.waitUntil(lambda: window.generation.live is not None, timeout=PATIENCE_MS)

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


def test_a_look_is_loaded_used_undone_and_exported(
    person: Person, qtbot: QtBot, generator: Generator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of the user, chosen with Terrain > Load weights."""
    window, document = person.window, person.window.document
    look = tmp_path / "painted.safetensors"
    write_look(look, source="atlas")
    before = settled(person, qtbot).live
    assert before is not None and document.settings.look_name is None
    albedo, height = before.albedo.copy(), before.height.copy()
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(look), ""))
    with qtbot.waitSignal(window.generation.weights.changed, timeout=PATIENCE_MS):
        window.actions_["add_style"].trigger()
    assert document.settings.look_name == "painted"
    assert all(slider.isEnabled() for slider in window.generation_panel.character.sliders), "the numbers are the same"
    assert window.generation_panel.look_name.currentText() == "painted"
    repainted = Generator.load(ATLAS, "cpu", look)
    assert_exact(person, qtbot, repainted)
    live = window.generation.live
    assert live is before, "the terrain stays shown until it is repainted"
    assert np.abs(live.height - height).max() < 1e-4 * np.ptp(height)
    assert np.abs(live.albedo.astype(int) - albedo).mean() > 5
    provenance = window.generation.copies.terrain().provenance
    assert (provenance.look, provenance.style) == ("satellite", generator.header.style)

    scribbles(person, 21, 3)
    assert_exact(person, qtbot, repainted)
    document.undo_stack.setIndex(1)
    assert document.settings.look_name is None
    scribbles(person, 22, 1)
    assert_exact(person, qtbot, generator)
    data = Path(QStandardPaths.writableLocation(QStandardPaths.StandardLocation.AppDataLocation))
    kept = data / "weights" / "looks"
    assert [path.name for path in kept.iterdir()] == ["painted.safetensors"], "it is there after the next start"


def test_switching_looks_while_the_terrain_is_generated(
    person: Person, qtbot: QtBot, generator: Generator, tmp_path: Path
) -> None:
    """Requests for what another look depends on must not reach the process."""
    window, document = person.window, person.window.document
    paths = {None: None, "near": tmp_path / "near.safetensors", "far": tmp_path / "far.safetensors"}
    write_look(tmp_path / "near.safetensors", source="atlas")
    far = dataclasses.replace(CONFIG, blocks=(3, 1, 1))
    save_look(tmp_path / "far.safetensors", dataclasses.replace(HEADER, config=far, source="satellite"), look(far))
    window.generation.weights.looks.update({name: path for name, path in paths.items() if name and path})
    warnings: list[str] = []
    window.generation.warned.connect(warnings.append)
    failures: list[str] = []
    window.generation.failed.connect(failures.append)
    for index, name in enumerate(("near", "far", None, "far", "near", None, "far")):
        scribbles(person, 30 + index, 1)
        document.change_settings("Look", dataclasses.replace(document.settings, look_name=name))
        scribbles(person, 40 + index, 1)
    assert_exact(person, qtbot, Generator.load(ATLAS, "cpu", paths["far"]))
    assert failures == [] and warnings and all('"far"' in warning for warning in warnings), "it is for satellite"
    document.change_settings("Look", dataclasses.replace(document.settings, look_name="near"))
    assert_exact(person, qtbot, Generator.load(ATLAS, "cpu", paths["near"]))


def test_a_look_that_is_missing_or_broken_leaves_the_style(
    person: Person, qtbot: QtBot, generator: Generator, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.safetensors"
    write_look(broken)
    broken.write_bytes(broken.read_bytes()[:-9])
    path = tmp_path / "land.terrainpaint"
    save_project(
        path, Project.empty(SHAPE, Settings(500.0, "atlas", base_class=3, look_name="mars")), ViewSettings(), None
    )
    warnings: list[str] = []
    person.window.generation.warned.connect(warnings.append)
    with qtbot.waitSignal(person.window.document.opened, timeout=PATIENCE_MS):
        person.window.opening.open_path(path)
    assert_exact(person, qtbot, generator)
    assert len(warnings) == 1 and '"mars"' in warnings[0]
    assert person.window.document.settings.look_name == "mars", "a save must not change it"
    person.window.generation.weights.add_look(broken)
    assert_exact(person, qtbot, generator)
    assert len(warnings) == 2 and "broken.safetensors is damaged" in warnings[1]
    looks = person.window.generation_panel.look_name
    assert looks.currentText() == "broken" and "broken" not in person.window.generation.weights.looks
    person.window.document.undo_stack.undo()
    assert looks.currentText() == "mars" and "broken" not in offered(looks)


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
    qtbot.waitUntil(lambda: bool(written), timeout=PATIENCE_MS)
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
