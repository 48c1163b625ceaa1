"""Natural borders of the whole layer, a class or the selection: the dialog and what it does to the document."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from terrainpaint.core.natural_borders import Roughness, faded, roughened
from terrainpaint.core.painting import ellipse, rectangle
from terrainpaint.core.project import EMPTY, Project, Settings
from terrainpaint.core.rects import Rect
from terrainpaint.gui.border_roughening import BorderRoughening
from terrainpaint.gui.dialogs.natural_borders import NaturalBordersDialog
from terrainpaint.gui.document import Document

SHAPE = (600, 700)
WHOLE = Rect.of_shape(SHAPE)
ROUGH = Roughness(12, 40, 3)


@pytest.fixture
def document() -> Document:
    """An island of two classes in the sea, which is the base class."""
    document = Document(Project.empty(SHAPE, Settings(100.0, "atlas", base_class=0)))
    document.paint_mark("", ellipse((60, 80), (540, 600), SHAPE), 1)
    document.paint_mark("", rectangle((200, 200), (400, 400), SHAPE), 2)
    document.undo_stack.clear()
    return document


@pytest.fixture
def dialog(document: Document, qtbot: QtBot) -> Callable[[Roughness], NaturalBordersDialog]:
    def opened(roughness: Roughness = ROUGH) -> NaturalBordersDialog:
        stroke = document.begin_stroke("Natural borders")
        assert stroke is not None
        dialog = NaturalBordersDialog(BorderRoughening(document, stroke, WHOLE, document), roughness, False)
        qtbot.addWidget(dialog)
        dialog.show()
        return dialog

    return opened


Open = Callable[..., NaturalBordersDialog]


def test_the_map_shows_what_is_applied_as_one_step(document: Document, dialog: Open, qtbot: QtBot) -> None:
    cells = document.active_layer.cells.copy()
    expected = roughened(cells, WHOLE, ROUGH)[1]
    opened = dialog()
    qtbot.waitUntil(lambda: np.array_equal(document.active_layer.cells, expected))
    assert document.undo_stack.index() == 0
    opened.seed.field.setValue(4)
    other = roughened(cells, WHOLE, Roughness(12, 40, 4))[1]
    assert not np.array_equal(other, expected)
    qtbot.waitUntil(lambda: np.array_equal(document.active_layer.cells, other))
    QTest.keyClick(opened, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not opened.isVisible())
    assert document.undo_stack.index() == 1 and document.undo_stack.undoText() == "Natural borders"
    assert opened.roughness == Roughness(12, 40, 4)
    document.undo_stack.undo()
    assert np.array_equal(document.active_layer.cells, cells)


def test_apply_waits_until_all_is_computed(document: Document, dialog: Open, qtbot: QtBot) -> None:
    expected = roughened(document.active_layer.cells, WHOLE, ROUGH)[1]
    opened = dialog()
    opened.accept()
    qtbot.waitUntil(lambda: not opened.isVisible())
    assert np.array_equal(document.active_layer.cells, expected)
    assert document.undo_stack.index() == 1


def test_esc_leaves_the_map_as_it_was(document: Document, dialog: Open, qtbot: QtBot) -> None:
    cells, ids = document.active_layer.cells.copy(), document.ids.copy()
    opened = dialog()
    qtbot.waitUntil(lambda: not np.array_equal(document.ids, ids))
    QTest.keyClick(opened, Qt.Key.Key_Escape)
    qtbot.wait(100)
    assert np.array_equal(document.active_layer.cells, cells) and np.array_equal(document.ids, ids)
    assert document.undo_stack.count() == 0


@pytest.mark.parametrize(("class_id", "values"), [(2, {2}), (0, {0, EMPTY})])
def test_one_class(document: Document, dialog: Open, qtbot: QtBot, class_id: int, values: set[int]) -> None:
    """The base class is where the layer is empty."""
    expected = roughened(document.active_layer.cells.copy(), WHOLE, ROUGH, values)[1]
    opened = dialog()
    opened.classes.setCurrentIndex(class_id + 1)
    opened.accept()
    qtbot.waitUntil(lambda: not opened.isVisible())
    assert np.array_equal(document.active_layer.cells, expected)


def test_only_in_the_selection(document: Document, dialog: Open, qtbot: QtBot) -> None:
    selection = ellipse((150, 20), (450, 350), SHAPE)
    document.set_selection(selection)
    cells = document.active_layer.cells.copy()
    weight = faded(selection.part(WHOLE), ROUGH.fade_px)
    opened = dialog()
    opened.accept()
    qtbot.waitUntil(lambda: not opened.isVisible())
    after = document.active_layer.cells
    assert np.array_equal(after, roughened(cells, WHOLE, ROUGH, weight=weight)[1])
    assert not np.array_equal(after, cells)
    assert np.array_equal(after[~selection.part(WHOLE)], cells[~selection.part(WHOLE)])


def test_another_step_closes_the_dialog(document: Document, dialog: Open, qtbot: QtBot) -> None:
    opened = dialog()
    document.add_layer()
    assert not opened.isVisible()
    cells = document.ids.copy()
    qtbot.wait(100)
    assert np.array_equal(document.ids, cells)
