"""The terrain follows the map in the real window, with the real process and the shipped weights."""

from __future__ import annotations

import dataclasses
import os
import signal
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

import terrainpaint as tp
from terrainpaint.core.assets import shipped_fine_land
from terrainpaint.core.fine_land import coarse_window
from terrainpaint.core.painting import Mark, ellipse
from terrainpaint.core.project import Project, Settings, ViewSettings
from terrainpaint.core.project_file import save_project
from terrainpaint.core.rects import Rect
from terrainpaint.core.selection import added
from terrainpaint.core.terrain import Recipe
from terrainpaint.generation.generator import Generator
from terrainpaint.generation.messages import Hardware
from terrainpaint.generation.refiner import Refiner
from terrainpaint.generation.scaled import ScaledGenerator
from terrainpaint.gui.dialogs.import_questions import ChoiceDialog
from tests.gui.live.steps import SHAPE, assert_exact, scribbles, settled
from tests.gui.windows import Person


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
    qtbot.waitUntil(lambda: bool(made))
    live = generation.live
    assert live is not None and live.fraction_done() == 0 and live.known(whole).all()
    draft, height = live.albedo.copy(), live.height.copy()
    assert_exact(person, qtbot, generator)
    colour = np.abs(draft.reshape(540, 6, 100, 3).mean((0, 2)) - live.albedo.reshape(540, 6, 100, 3).mean((0, 2)))
    assert colour.max() < 60, "each stripe has about its colour"
    assert height[:, :100].mean() < 50 < height[:, 500:].mean(), "water is low and mountains are high"

    window.document.change_settings("Seed", dataclasses.replace(window.document.settings, recipe=Recipe(9)))
    made.clear()
    qtbot.waitUntil(lambda: bool(made))
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


def test_a_process_that_dies_while_one_paints_is_replaced(person: Person, qtbot: QtBot, generator: Generator) -> None:
    settled(person, qtbot)
    first = person.process.pid
    assert first is not None
    scribbles(person, 11, 2)
    os.kill(first, signal.SIGKILL)
    scribbles(person, 12, 3)
    assert_exact(person, qtbot, generator)
    assert person.process.pid not in (None, first)


def test_other_hardware_generates_the_same_terrain_and_a_device_that_is_missing_is_replaced(
    person: Person, qtbot: QtBot, generator: Generator
) -> None:
    generation = settled(person, qtbot)
    warnings: list[str] = []
    generation.warned.connect(warnings.append)
    with qtbot.waitSignal(generation.weights.changed):
        generation.weights.use_hardware(Hardware("no such device", 1))
    assert len(warnings) == 1 and "no such device" in warnings[0]
    assert_exact(person, qtbot, generator)
    with qtbot.waitSignal(generation.weights.changed):
        generation.weights.use_hardware(Hardware())
    assert_exact(person, qtbot, generator)
    assert len(warnings) == 1
