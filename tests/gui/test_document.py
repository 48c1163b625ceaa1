"""The document: strokes, undo, layers, the selection, the star in the title, and how little a stroke takes."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication

from terrainpaint.core.dreamed import Dreamed
from terrainpaint.core.painting import Brush, Mark, dab, rectangle
from terrainpaint.core.project import EMPTY, Project, Settings, Underlay, ViewSettings
from terrainpaint.core.rects import Rect
from terrainpaint.gui.document import Document
from terrainpaint.gui.panels.settings_changes import Merge
from terrainpaint.gui.step_texts import action_of, class_of
from terrainpaint.gui.undo import PaintCommand

ROOT = Path(__file__).resolve().parents[2]
WATER, FOREST, DESERT, SNOW = 0, 2, 4, 6
SHAPE = (96, 130)
SETTINGS = Settings(100.0, "atlas", base_class=WATER)
RELIEF = 6


@pytest.fixture
def document(qapp: QApplication) -> Document:
    return Document(Project.empty(SHAPE, SETTINGS))


def square(row: int, col: int, side: int) -> Mark:
    return rectangle((row, col), (row + side - 1, col + side - 1), SHAPE)


def expected(*squares: tuple[int, int, int, int], base: int = WATER) -> np.ndarray:
    ids = np.full(SHAPE, base, np.uint8)
    for row, col, side, value in squares:
        ids[row : row + side, col : col + side] = value
    return ids


def change_layer(document: Document, key: int, **values: object) -> None:
    document.change_layer("Change", dataclasses.replace(document.project.layer(key), **values))


def heard(document: Document) -> list[Rect]:
    rects: list[Rect] = []
    document.map_changed.connect(rects.append)
    return rects


# Strokes


def test_a_stroke_is_seen_at_once_and_is_one_step(document: Document) -> None:
    rects = heard(document)
    stroke = document.begin_stroke("Brush")
    assert stroke is not None
    stroke.paint(square(10, 20, 5), FOREST)
    stroke.paint(square(12, 20, 5), DESERT)
    assert np.array_equal(document.ids, expected((10, 20, 5, FOREST), (12, 20, 5, DESERT)))
    assert rects == [Rect(10, 20, 5, 5), Rect(12, 20, 5, 5)]
    assert document.undo_stack.count() == 0
    stroke.end()
    assert document.undo_stack.count() == 1
    assert document.undo_stack.undoText() == "Brush", "it painted two classes"
    assert len(rects) == 2, "the end changes nothing"
    document.undo_stack.undo()
    assert np.array_equal(document.ids, expected())
    assert rects[2:] == [Rect(10, 20, 7, 5)]


def test_a_stroke_that_changes_nothing_is_no_step(document: Document) -> None:
    rects = heard(document)
    document.paint_mark("Erase", square(10, 20, 5), EMPTY)
    document.put_cells("Smooth", Rect(0, 0, 9, 9), np.full((9, 9), EMPTY, np.uint8))
    document.paint_mark("Beside", rectangle((200, 200), (300, 300), SHAPE), FOREST)
    assert document.undo_stack.count() == 0
    assert not document.is_dirty
    assert rects == []


def test_a_cancelled_stroke_was_never_there(document: Document) -> None:
    document.paint_mark("Fill", square(5, 5, 80), SNOW)
    before = document.ids.copy()
    stroke = document.begin_stroke("Brush")
    assert stroke is not None
    stroke.paint(square(0, 0, 70), FOREST)
    stroke.put(Rect(50, 50, 4, 4), np.full((4, 4), DESERT, np.uint8))
    stroke.cancel()
    assert np.array_equal(document.ids, before)
    assert np.array_equal(np.where(document.active_layer.cells == EMPTY, WATER, document.active_layer.cells), before)
    assert document.undo_stack.count() == 1
    document.finish_stroke()
    assert document.undo_stack.count() == 1


def test_cells_are_put_where_they_are_on_the_map(document: Document) -> None:
    cells = np.arange(9 * 7, dtype=np.uint8).reshape(9, 7) % 7
    document.put_cells("Smooth", Rect(-3, 126, 9, 7), cells)
    ids = expected()
    ids[:6, 126:] = cells[3:, :4]
    assert np.array_equal(document.ids, ids)


def test_painting_what_a_higher_layer_covers_changes_no_map(document: Document) -> None:
    document.add_layer()
    document.paint_mark("Fill", square(0, 0, 96), SNOW)
    document.set_active(1)
    rects = heard(document)
    document.paint_mark("Below", square(10, 10, 20), FOREST)
    assert rects == []
    document.paint_mark("Partly", rectangle((0, 90), (9, 99), SHAPE), FOREST)
    assert rects == [Rect(0, 96, 10, 4)]
    assert document.undo_stack.count() == 4


@pytest.mark.parametrize("index", [0, 1, 2])
def test_undo_by_the_list_in_the_middle_of_a_stroke(document: Document, index: int) -> None:
    """Nothing of the stroke may stay where neither undo nor a save knows of it."""
    document.paint_mark("One", square(10, 10, 20), FOREST)
    document.paint_mark("Two", square(20, 20, 20), DESERT)
    states = [expected(), expected((10, 10, 20, FOREST)), expected((10, 10, 20, FOREST), (20, 20, 20, DESERT))]
    stroke = document.begin_stroke("Brush")
    assert stroke is not None
    stroke.paint(square(15, 15, 40), SNOW)
    document.undo_stack.setIndex(index)
    if index < 2:
        assert np.array_equal(document.ids, states[index])
        assert document.undo_stack.count() == 2
    stroke.end()
    for step in (2, 1, 0, 2):
        document.undo_stack.setIndex(step)
        assert np.array_equal(document.ids, states[step])


def test_redo_by_the_list_in_the_middle_of_a_stroke(document: Document) -> None:
    document.paint_mark("One", square(10, 10, 20), FOREST)
    document.undo_stack.undo()
    stroke = document.begin_stroke("Brush")
    assert stroke is not None
    stroke.paint(square(15, 15, 40), SNOW)
    document.undo_stack.redo()
    stroke.end()
    assert np.array_equal(document.ids, expected((10, 10, 20, FOREST)))
    assert (document.undo_stack.count(), document.undo_stack.index()) == (1, 1)


def test_a_layer_command_ends_the_stroke_first(document: Document) -> None:
    stroke = document.begin_stroke("Brush")
    assert stroke is not None
    stroke.paint(square(10, 10, 20), FOREST)
    document.duplicate_layer()
    assert [document.undo_stack.text(i) for i in range(2)] == ["Brush · forest", "Duplicate layer"]
    assert np.array_equal(document.project.layers[0].cells, document.project.layers[1].cells)
    document.undo_stack.setIndex(0)
    assert np.array_equal(document.ids, expected())
    document.undo_stack.setIndex(2)
    assert (document.project.layers[1].cells == FOREST).sum() == 400


# Layers that cannot be painted


@pytest.mark.parametrize(("values", "word"), [({"locked": True}, "locked"), ({"visible": False}, "hidden")])
def test_a_layer_that_is_locked_or_hidden_is_not_painted(
    document: Document, values: dict[str, bool], word: str
) -> None:
    document.paint_mark("Fill", square(0, 0, 50), FOREST)
    change_layer(document, 1, **values)
    cells, steps = document.active_layer.cells.copy(), document.undo_stack.count()
    assert word in document.refusal
    assert '"Layer 1"' in document.refusal
    assert document.begin_stroke("Brush") is None
    document.paint_mark("Fill", square(0, 0, 90), SNOW)
    document.put_cells("Put", Rect(0, 0, 9, 9), np.zeros((9, 9), np.uint8))
    document.put_dream("Dream", np.zeros(cells.shape, np.uint8), Dreamed(7))
    document.add_layer()
    document.set_active(1)
    document.merge_down()
    document.set_active(2)
    document.merge_down()
    assert np.array_equal(document.project.layer(1).cells, cells)
    assert document.undo_stack.count() == steps + 1, "a layer was added, no more"
    assert document.refusal == ""
    document.reroll(square(0, 0, 5))
    assert document.project.rerolls.sum() == 25, "noise is of no layer"


def test_hiding_a_layer_shows_what_is_below(document: Document) -> None:
    document.paint_mark("Low", square(0, 0, 60), FOREST)
    document.add_layer()
    document.paint_mark("High", square(30, 30, 60), SNOW)
    rects = heard(document)
    change_layer(document, 2, visible=False)
    assert np.array_equal(document.ids, expected((0, 0, 60, FOREST)))
    assert rects == [Rect(30, 30, 60, 60)]
    document.undo_stack.undo()
    assert np.array_equal(document.ids, expected((0, 0, 60, FOREST), (30, 30, 60, SNOW)))
    change_layer(document, 1, visible=False)
    assert np.array_equal(document.ids, expected((30, 30, 60, SNOW)))


def test_layers_keep_their_order_and_keys(document: Document) -> None:
    document.add_layer()
    document.set_active(1)
    document.add_layer()
    assert [layer.key for layer in document.project.layers] == [1, 3, 2]
    document.move_layer(1, 2)
    assert [layer.key for layer in document.project.layers] == [3, 2, 1]
    document.remove_layer()
    assert document.project.active == 2
    document.undo_stack.undo()
    document.add_layer()
    assert [layer.key for layer in document.project.layers] == [3, 4, 2, 1], "no key is used twice"
    for _ in range(5):
        document.remove_layer()
    assert len(document.project.layers) == 1, "the last one stays"


def test_cells_are_not_changed_past_undo(document: Document) -> None:
    with pytest.raises(ValueError, match="strokes"):
        change_layer(document, 1, cells=np.zeros(SHAPE, np.uint8))


# Selection


def test_the_selection_clips_all_that_paints(document: Document) -> None:
    selection = dab(Brush(40.0), (40.0, 50.0), SHAPE)
    inside = selection.part(Rect.of_shape(SHAPE))
    document.set_selection(selection)
    document.paint_mark("Fill", square(30, 30, 60), FOREST)
    document.put_cells("Put", Rect(20, 20, 20, 60), np.full((20, 60), SNOW, np.uint8))
    document.reroll(square(0, 0, 45))
    ids = expected((30, 30, 60, FOREST))
    ids[20:40, 20:80] = SNOW
    assert np.array_equal(document.ids, np.where(inside, ids, WATER))
    assert np.array_equal(document.project.rerolls, inside & (expected((0, 0, 45, 1)) == 1))


def test_a_selection_far_away_leaves_nothing_to_paint(document: Document) -> None:
    document.set_selection(square(80, 100, 10))
    document.paint_mark("Fill", square(0, 0, 60), FOREST)
    document.reroll(square(0, 0, 60))
    assert document.undo_stack.count() == 0


def test_a_selection_goes_with_the_size_of_the_map(document: Document) -> None:
    document.set_selection(square(10, 10, 10))
    document.change_settings("Base", dataclasses.replace(SETTINGS, base_class=SNOW))
    assert document.selection is not None
    document.resize((64, 64))
    assert document.selection is None


# Settings


def test_steps_of_a_slider_are_one_until_it_rests(document: Document, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    for relief in (1.5, 2.0, 3.0):
        now += 1.0
        document.change_settings("Relief", dataclasses.replace(SETTINGS, relief=relief), RELIEF)
    assert document.undo_stack.count() == 1
    now += 2.0
    document.change_settings("Relief", dataclasses.replace(SETTINGS, relief=4.0), RELIEF)
    document.change_settings("Size", dataclasses.replace(SETTINGS, relief=4.0, pixel_size_m=5.0), RELIEF + 1)
    assert document.undo_stack.count() == 3
    reliefs = []
    for _ in range(3):
        document.undo_stack.undo()
        reliefs.append((document.settings.relief, document.settings.pixel_size_m))
    assert reliefs == [(4.0, 100.0), (3.0, 100.0), (1.0, 100.0)]


def test_a_stroke_between_two_moves_of_a_slider_parts_them(document: Document) -> None:
    document.change_settings("Relief", dataclasses.replace(SETTINGS, relief=2.0), RELIEF)
    document.paint_mark("Fill", square(0, 0, 9), FOREST)
    document.change_settings("Relief", dataclasses.replace(SETTINGS, relief=3.0), RELIEF)
    assert document.undo_stack.count() == 3


def test_a_save_parts_two_moves_of_a_slider(document: Document, tmp_path: Path) -> None:
    document.change_settings("Relief", dataclasses.replace(SETTINGS, relief=2.0), RELIEF)
    document.saved(tmp_path / "a.terrainpaint")
    document.change_settings("Relief", dataclasses.replace(SETTINGS, relief=3.0), RELIEF)
    assert document.is_dirty
    document.undo_stack.undo()
    assert document.settings.relief == 2.0
    assert not document.is_dirty


def test_the_same_settings_are_no_step(document: Document) -> None:
    document.change_settings("Relief", dataclasses.replace(SETTINGS), RELIEF)
    assert document.undo_stack.count() == 0


def test_the_base_class_shows_where_nothing_is_painted(document: Document) -> None:
    document.paint_mark("Fill", square(10, 10, 30), FOREST)
    rects = heard(document)
    document.change_settings("Base", dataclasses.replace(SETTINGS, base_class=DESERT))
    assert np.array_equal(document.ids, expected((10, 10, 30, FOREST), base=DESERT))
    assert rects == [Rect.of_shape(SHAPE)]
    document.undo_stack.undo()
    assert np.array_equal(document.ids, expected((10, 10, 30, FOREST)))


def test_a_reference_picture_comes_and_goes(document: Document) -> None:
    picture = np.zeros((9, 12, 3), np.uint8)
    rects = heard(document)
    document.set_underlay(Underlay(picture))
    document.set_underlay(Underlay(picture, 0.7), 1)
    document.set_underlay(Underlay(picture, 0.8), 1)
    assert document.undo_stack.count() == 2
    document.set_underlay(None)
    assert document.undo_stack.undoText() == "Remove reference picture"
    document.undo_stack.undo()
    assert document.project.underlay is not None
    assert document.project.underlay.opacity == 0.8
    assert rects == []


# The star in the title


def test_the_star_is_there_when_the_file_has_another_state(document: Document, tmp_path: Path) -> None:
    path = tmp_path / "island.terrainpaint"
    stars: list[bool] = []
    document.title_changed.connect(lambda: stars.append(document.is_dirty))
    assert (document.is_dirty, document.name) == (False, "Untitled")
    document.paint_mark("One", square(0, 0, 9), FOREST)
    assert stars[-1]
    document.undo_stack.undo()
    assert not stars[-1]
    document.undo_stack.redo()
    document.saved(path)
    assert not stars[-1]
    assert (document.path, document.name) == (path, "island")
    document.undo_stack.undo()
    assert stars[-1]
    document.paint_mark("Two", square(0, 0, 8), DESERT)
    document.undo_stack.undo()
    assert stars[-1], "the state in the file cannot be reached any more"
    document.saved(path)
    assert not stars[-1]


def test_an_unsaved_document_is_dirty_until_it_is_saved(document: Document, tmp_path: Path) -> None:
    project = Project.painted(expected((5, 5, 9, SNOW)), SETTINGS)
    document.open_unsaved(project, None, ViewSettings(), "Found", "Recovered from 10:32")
    assert (document.is_dirty, document.name, document.origin) == (True, "Found", "Recovered from 10:32")
    document.paint_mark("One", square(50, 50, 9), FOREST)
    document.undo_stack.undo()
    assert document.is_dirty
    document.saved(tmp_path / "recovered.terrainpaint")
    assert not document.is_dirty
    document.open_unsaved(project, None, ViewSettings(), "Found", "Recovered from 10:32")
    document.open(project, tmp_path / "recovered.terrainpaint", ViewSettings())
    assert (document.is_dirty, document.origin) == (False, "Opened")


def test_choosing_a_layer_and_looking_at_it_are_no_changes(document: Document, tmp_path: Path) -> None:
    document.add_layer()
    document.saved(tmp_path / "a.terrainpaint")
    document.set_active(1)
    document.view = ViewSettings(sun_azimuth_deg=10.0)
    document.set_selection(square(0, 0, 5))
    assert not document.is_dirty
    assert document.undo_stack.count() == 1


def test_another_document_has_another_history(document: Document) -> None:
    document.paint_mark("One", square(0, 0, 9), FOREST)
    stroke = document.begin_stroke("Brush")
    assert stroke is not None
    stroke.paint(square(30, 30, 20), SNOW)
    document.set_selection(square(0, 0, 5))
    document.open(Project.empty((70, 64), SETTINGS), None, ViewSettings(), "New")
    assert (document.shape, document.undo_stack.count(), document.selection) == ((70, 64), 0, None)
    assert (document.name, document.path, document.is_dirty) == ("New", None, False)
    document.finish_stroke()
    assert document.undo_stack.count() == 0, "the stroke went with the document that it was painted in"


# Copies and memory


def test_a_snapshot_is_not_painted(document: Document) -> None:
    document.paint_mark("One", square(0, 0, 9), FOREST)
    snapshot, segmentation = document.snapshot(), document.segmentation()
    document.paint_mark("Two", square(5, 5, 9), DESERT)
    document.reroll(square(0, 0, 9))
    assert np.array_equal(segmentation.ids, expected((0, 0, 9, FOREST)))
    assert (snapshot.layers[0].cells != EMPTY).sum() == 81
    assert not snapshot.rerolls.any()


def test_a_stroke_on_a_large_map_takes_its_tiles_and_no_more(qapp: QApplication) -> None:
    shape = (4096, 4096)
    noise = np.random.default_rng(1).integers(0, 7, shape, dtype=np.uint8)
    document = Document(Project.painted(noise, SETTINGS))
    rects = heard(document)
    document.paint_mark("Dab", dab(Brush(40.0), (1000.0, 1000.0), shape), SNOW)
    command = document.undo_stack.step(0)
    assert isinstance(command, PaintCommand)
    # 40 px around (1000, 1000) lie in the tiles 960..1024 of both directions alone.
    assert 2 * 64 * 64 < command.nbytes < 3 * 64 * 64
    assert len(rects) == 1
    assert rects[0].clipped(shape) == rects[0]
    assert Rect(980, 980, 40, 40).intersection(rects[0]) == rects[0]
    document.paint_mark("All", rectangle((0, 0), shape, shape), SNOW)
    document.undo_stack.undo()
    document.undo_stack.undo()
    assert np.array_equal(document.ids, np.random.default_rng(1).integers(0, 7, shape, dtype=np.uint8))


FORGOTTEN = """
import gc
from itertools import islice
from PySide6.QtWidgets import QApplication
from tests.gui.painter import new_document, steps

application = QApplication([])
for seed in range(3):
    document = new_document()
    for _ in islice(steps(document, seed), 50):
        pass
    del document
gc.collect()
"""


def test_a_document_that_nobody_has_any_more_ends_cleanly() -> None:
    # glibc overwrites memory that was freed, so that its use is noticed.
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "MALLOC_PERTURB_": "165"}
    subprocess.run([sys.executable, "-c", FORGOTTEN], check=True, cwd=ROOT, env=environment)


@pytest.mark.parametrize(
    ("values", "text"),
    [((FOREST,), "Brush · forest"), ((FOREST, EMPTY), "Brush · forest"), ((FOREST, DESERT), "Brush")],
)
def test_a_step_names_the_one_class_that_it_painted(document: Document, values: tuple[int, ...], text: str) -> None:
    stroke = document.begin_stroke("Brush")
    assert stroke is not None
    for place, value in enumerate(values):
        stroke.paint(square(4 * place + 2, 3, 3), value)
    stroke.end()
    assert document.undo_stack.undoText() == text
    assert action_of(text) == "Brush" and class_of(text) == (FOREST if DESERT not in values else None)
    document.paint_mark("Eraser", square(2, 3, 3), EMPTY)
    assert document.undo_stack.undoText() == "Eraser"


def test_a_slider_that_moves_on_is_one_step_with_its_last_number(document: Document) -> None:
    for relief in (2.0, 3.0):
        settings = dataclasses.replace(document.settings, relief=relief)
        document.change_settings(f"Heights · ×{relief:g}", settings, merge=Merge.RELIEF)
    assert document.undo_stack.count() == 1 and document.undo_stack.undoText() == "Heights · ×3"


def test_old_steps_take_little_memory_and_come_back(document: Document) -> None:
    random = np.random.default_rng(1)
    states = [document.ids.copy()]
    for number in range(60):
        at, to = (tuple(random.uniform(0, 96, 2)) for _ in range(2))
        document.paint_mark("Brush", rectangle(at, to, document.shape), number % 7)
        states.append(document.ids.copy())
    steps = [document.undo_stack.step(index) for index in range(document.undo_stack.count())]
    sizes = [step.nbytes for step in steps if isinstance(step, PaintCommand)]
    assert len(sizes) == len(steps) > 50
    assert sum(sizes[:20]) < 0.2 * sum(sizes[-20:])
    for index in (0, len(steps), 25, 3, 40, 0):
        document.undo_stack.setIndex(index)
    assert np.array_equal(document.ids, states[0])
    document.undo_stack.setIndex(len(steps))
    assert np.array_equal(document.ids, states[-1])
