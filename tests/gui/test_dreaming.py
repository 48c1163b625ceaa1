"""Dreamed maps in the window, with a small network in a real worker process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from terrainpaint.core.dream_controls import DreamControls
from terrainpaint.core.dreamed import Dreamed, DreamWay
from terrainpaint.core.painting import Mark
from terrainpaint.core.project import EMPTY, Project, Settings, ViewSettings
from terrainpaint.core.rects import Rect
from terrainpaint.core.selection import Selection
from terrainpaint.generation.process import TerrainProcess
from terrainpaint.gui.background_jobs import WindowJobs
from terrainpaint.gui.document import Document
from terrainpaint.gui.dreaming import DreamActions
from terrainpaint.gui.live_generation import LiveGeneration
from terrainpaint.gui.panels.dream_panel import DreamPanel
from tests.generation.dream_networks import write_dream_weights

LEFT = Qt.MouseButton.LeftButton
SLOW_MS = 60_000


class Dreaming:
    """A panel with its actions on an empty document of 64 px."""

    def __init__(self, qtbot: QtBot, window: QWidget) -> None:
        self._qtbot = qtbot
        self.document = Document(Project.empty((64, 64), Settings(2000.0, "none")))
        self.generation = LiveGeneration(self.document, {}, TerrainProcess())
        self.jobs = WindowJobs(window)
        self.panel = DreamPanel()
        self.actions = DreamActions(self.panel, self.document, self.generation, self.jobs)
        self.refused: list[str] = []
        self.actions.refused.connect(self.refused.append)
        qtbot.addWidget(self.panel)
        self.generation.start()

    def opens(self) -> None:
        """The panel is shown with a sheet of the seeds from 100 on."""
        self.panel.seed.show_seed(100)
        self.panel.seed_changed.emit(100)
        self.panel.show()
        self.waits(lambda: all(tile.has_picture for tile in self.panel.sheet.tiles))

    def paints(self, rect: Rect, class_id: int) -> None:
        mask = np.ones((rect.height, rect.width), np.bool_)
        self.document.paint_mark("Brush", Mark(rect, mask), class_id)

    def waits(self, condition: object) -> None:
        self._qtbot.waitUntil(condition, timeout=SLOW_MS)

    def uses(self, button: QWidget) -> None:
        before = self.document.undo_stack.index()
        self._qtbot.mouseClick(button, LEFT)
        self.waits(lambda: self.document.undo_stack.index() == before + 1)


@pytest.fixture
def dreaming(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Dreaming]:
    weights = write_dream_weights(tmp_path / "dream.safetensors")
    monkeypatch.setattr("terrainpaint.gui.dreaming.shipped_dreams", lambda: {"dream": weights})
    window = QWidget()
    qtbot.addWidget(window)
    found = Dreaming(qtbot, window)
    yield found
    found.actions.stop()
    found.jobs.close()
    found.generation.stop()


def test_a_layout_of_the_sheet_becomes_a_layer_in_one_step(qtbot: QtBot, dreaming: Dreaming) -> None:
    dreaming.opens()
    document, panel = dreaming.document, dreaming.panel
    qtbot.mouseClick(panel.sheet.tiles[4], LEFT)
    assert [tile.is_chosen for tile in panel.sheet.tiles].index(True) == 4
    dreaming.uses(panel.layer)
    assert [layer.name for layer in document.project.layers] == ["Layer 1", "Dream 104"]
    assert document.undo_stack.undoText() == "Dream · 104"
    assert (document.active_layer.cells != EMPTY).all()
    dreamed = document.active_layer.cells.copy()
    document.undo_stack.undo()
    assert len(document.project.layers) == 1
    # The same seed gives the same map again, within the selection only.
    mask = np.ones((64, 16), np.bool_)
    document.set_selection(Selection(Rect(0, 0, 64, 16), mask))
    dreaming.uses(panel.replace)
    assert np.array_equal(document.active_layer.cells[:, :16], dreamed[:, :16])
    assert (document.active_layer.cells[:, 16:] == EMPTY).all()


def test_the_sliders_and_the_walk_change_what_is_used(qtbot: QtBot, dreaming: Dreaming) -> None:
    dreaming.opens()
    panel = dreaming.panel
    assert not panel.walk.isEnabled()
    qtbot.mouseClick(panel.sheet.tiles[8], Qt.MouseButton.RightButton)
    assert panel.walk.isEnabled()
    dreaming.uses(panel.layer)
    start = dreaming.document.active_layer.cells.copy()
    panel.sliders["sea"].show_value(80)
    panel.switches["sea"].setChecked(True)
    assert panel.controls.sea == 0.8
    panel.walk.show_value(100)
    panel.walk.changed.emit(100.0)
    dreaming.waits(lambda: not (dreaming.actions.is_drawing))
    dreaming.uses(panel.layer)
    end = dreaming.document.active_layer.cells
    assert (end != start).mean() > 0.05
    assert (end == 0).mean() == pytest.approx(0.8, abs=0.08)


def test_the_map_keeps_what_it_was_dreamed_of_and_the_panel_shows_it_again(qtbot: QtBot, dreaming: Dreaming) -> None:
    dreaming.opens()
    document, panel = dreaming.document, dreaming.panel
    assert not panel.origin.isVisibleTo(panel) and not panel.again.isVisibleTo(panel)
    panel.sliders["sea"].show_value(80)
    panel.switches["sea"].setChecked(True)
    dreaming.waits(lambda: not dreaming.actions.is_drawing)
    qtbot.mouseClick(panel.sheet.tiles[2], LEFT)
    qtbot.mouseClick(panel.sheet.tiles[6], Qt.MouseButton.RightButton)
    panel.walk.show_value(40)
    panel.walk.changed.emit(40.0)
    dreaming.waits(lambda: not dreaming.actions.is_drawing)
    before = document.project.layers
    dreaming.uses(panel.replace)
    assert document.active_layer.dreamed == Dreamed(102, DreamControls(sea=0.8), 106, 0.4)
    assert (document.active_layer.name, document.project.active) == ("Layer 1", document.active_layer.key)
    assert panel.origin.accessibleName() == "Dreamed with seed 102, sea 80 %, 40 % of the way to seed 106"
    cells = document.active_layer.cells.copy()
    document.undo_stack.undo()
    assert document.project.layers == before and not panel.origin.isVisibleTo(panel)
    document.undo_stack.redo()
    # Another sheet, and back to the layout that the map was dreamed of.
    panel.switches["sea"].setChecked(False)
    panel.seed.show_seed(500)
    panel.seed_changed.emit(500)
    dreaming.waits(lambda: not dreaming.actions.is_drawing)
    assert dreaming.actions.seeds[0] == 500
    qtbot.mouseClick(panel.again, LEFT)
    dreaming.waits(lambda: panel.layer.isEnabled() and not dreaming.actions.is_drawing)
    assert dreaming.actions.seeds[0] == 102
    assert panel.controls == DreamControls(sea=0.8) and panel.walk.value == 40
    dreaming.uses(panel.layer)
    assert np.array_equal(document.active_layer.cells, cells)


def test_layouts_that_follow_the_map_say_so(qtbot: QtBot, dreaming: Dreaming) -> None:
    dreaming.opens()
    dreaming.paints(Rect(0, 0, 64, 24), 4)
    qtbot.mouseClick(dreaming.panel.like, LEFT)
    dreaming.waits(lambda: bool(dreaming.panel.note.text()) and dreaming.panel.layer.isEnabled())
    dreaming.uses(dreaming.panel.layer)
    assert dreaming.document.active_layer.dreamed == Dreamed(100, way=DreamWay.LIKE_MAP)
    assert dreaming.panel.origin.accessibleName() == "Dreamed like the map, with seed 100"


def test_a_selection_made_after_a_search_limits_what_is_painted(qtbot: QtBot, dreaming: Dreaming) -> None:
    dreaming.opens()
    dreaming.paints(Rect(0, 0, 64, 24), 4)
    qtbot.mouseClick(dreaming.panel.finish, LEFT)
    dreaming.waits(lambda: bool(dreaming.panel.note.text()) and dreaming.panel.layer.isEnabled())
    dreaming.document.set_selection(Selection(Rect(0, 0, 32, 64), np.ones((32, 64), np.bool_)))
    dreaming.uses(dreaming.panel.replace)
    cells = dreaming.document.active_layer.cells
    assert (cells[:, :24] == 4).all() and (cells[:32] != EMPTY).all() and (cells[32:, 24:] == EMPTY).all()


def test_the_rest_of_a_map_is_dreamed_and_what_is_painted_stays(qtbot: QtBot, dreaming: Dreaming) -> None:
    dreaming.opens()
    document, panel = dreaming.document, dreaming.panel
    qtbot.mouseClick(panel.finish, LEFT)
    assert "Nothing is painted yet" in dreaming.refused[-1]
    dreaming.paints(Rect(0, 0, 64, 24), 4)
    qtbot.mouseClick(panel.finish, LEFT)
    assert panel.stop.isVisibleTo(panel)
    dreaming.waits(lambda: bool(panel.note.text()) and not dreaming.actions.is_drawing)
    dreaming.uses(panel.layer)
    cells = document.active_layer.cells
    assert (cells[:, :24] == EMPTY).all() and (cells[:, 24:] != EMPTY).all()
    # No line along the end of what is painted.
    assert (document.ids[:, 25] == 4).mean() > 0.7
    dreaming.paints(Rect(0, 0, 64, 64), 2)
    qtbot.mouseClick(panel.finish, LEFT)
    assert "Everything is painted" in dreaming.refused[-1]


def test_a_search_can_be_stopped(qtbot: QtBot, dreaming: Dreaming) -> None:
    dreaming.opens()
    dreaming.paints(Rect(0, 0, 64, 64), 2)
    qtbot.mouseClick(dreaming.panel.like, LEFT)
    qtbot.mouseClick(dreaming.panel.stop, LEFT)
    assert dreaming.panel.like.isVisibleTo(dreaming.panel)
    qtbot.mouseClick(dreaming.panel.like, LEFT)
    dreaming.waits(lambda: dreaming.panel.note.text().startswith("The first is most like"))


def test_after_a_search_there_is_a_way_back_to_new_layouts(qtbot: QtBot, dreaming: Dreaming) -> None:
    dreaming.opens()
    panel = dreaming.panel
    dreaming.uses(panel.layer)
    plain = dreaming.document.active_layer.cells.copy()
    dreaming.document.undo_stack.undo()
    dreaming.paints(Rect(0, 0, 64, 24), 4)
    assert not panel.renew.isVisibleTo(panel)
    qtbot.mouseClick(panel.finish, LEFT)
    dreaming.waits(lambda: panel.renew.isVisibleTo(panel) and panel.layer.isEnabled())
    qtbot.mouseClick(panel.renew, LEFT)
    assert not panel.layer.isEnabled()  # nothing of the sheet before can be used
    dreaming.waits(lambda: panel.layer.isEnabled() and not dreaming.actions.is_drawing)
    assert not panel.renew.isVisibleTo(panel) and not panel.note.isVisibleTo(panel)
    dreaming.uses(panel.layer)
    assert np.array_equal(dreaming.document.active_layer.cells, plain)


def test_the_focus_goes_to_stop_and_back_not_to_a_button_that_paints(qtbot: QtBot, dreaming: Dreaming) -> None:
    panel = dreaming.panel
    panel.show()
    panel.activateWindow()
    qtbot.waitUntil(panel.isActiveWindow, timeout=SLOW_MS)
    for button in (panel.like, panel.finish):
        button.setFocus()
        panel.show_busy(0.0)
        assert panel.stop.hasFocus()
        panel.show_busy(None)
        assert panel.finish.hasFocus()


def test_another_document_forgets_what_was_found_for_the_one_before(qtbot: QtBot, dreaming: Dreaming) -> None:
    dreaming.opens()
    dreaming.document.open(Project.empty((32, 96), Settings(2000.0, "none")), None, ViewSettings())
    assert not dreaming.panel.layer.isEnabled()
    dreaming.waits(lambda: dreaming.panel.layer.isEnabled() and not dreaming.actions.is_drawing)
    dreaming.uses(dreaming.panel.layer)
    assert dreaming.document.active_layer.cells.shape == (32, 96)


def test_without_a_network_the_panel_says_so(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("terrainpaint.gui.dreaming.shipped_dreams", dict)
    window = QWidget()
    qtbot.addWidget(window)
    document = Document(Project.empty((64, 64), Settings(2000.0, "none")))
    panel = DreamPanel()
    qtbot.addWidget(panel)
    generation = LiveGeneration(document, {}, TerrainProcess())
    DreamActions(panel, document, generation, WindowJobs(window))
    assert "is installed" in panel.note.text()
    assert not panel.isEnabled()
