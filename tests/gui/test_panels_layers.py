"""Layers are shown, renamed, reordered and hidden in their list, and undo brings the list back too."""

import dataclasses

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QModelIndex, QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QColor, QContextMenuEvent, QDragEnterEvent, QDropEvent, QKeyEvent
from PySide6.QtWidgets import QApplication, QLineEdit
from pytestqt.qtbot import QtBot

from terrainpaint.core.project import EMPTY, Project, Settings, Underlay
from terrainpaint.core.rects import Rect
from terrainpaint.gui.document import Document
from terrainpaint.gui.panels.layer_model import LayerRole
from terrainpaint.gui.panels.layer_view import zones
from terrainpaint.gui.panels.layers_panel import LayersPanel

FOREST, DESERT = 2, 4


@pytest.fixture
def document(qapp: QApplication) -> Document:
    document = Document(Project.painted(np.full((64, 96), FOREST, np.uint8), Settings(450.0, "atlas")))
    document.add_layer()
    document.add_layer()
    return document


@pytest.fixture
def panel(document: Document, qtbot: QtBot) -> LayersPanel:
    panel = LayersPanel(document)
    panel.resize(240, 500)
    qtbot.addWidget(panel)
    panel.show()
    return panel


def names(panel: LayersPanel) -> list[str]:
    return [panel.model.index(row).data() for row in range(panel.model.rowCount())]


def at(panel: LayersPanel, row: int) -> QPoint:
    return panel.view.visualRect(panel.model.index(row)).center()


def icon_at(panel: LayersPanel, row: int, role: LayerRole) -> QPoint:
    return zones(panel.view.visualRect(panel.model.index(row)))[role].center()


def test_the_highest_layer_is_on_top_and_the_active_one_is_chosen(panel: LayersPanel) -> None:
    assert names(panel) == ["Layer 3", "Layer 2", "Layer 1"]
    assert panel.view.currentIndex().row() == 0


def test_a_click_makes_a_layer_the_active_one_without_a_step_of_undo(
    panel: LayersPanel, document: Document, qtbot: QtBot
) -> None:
    steps = document.undo_stack.count()
    qtbot.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=at(panel, 2))
    assert document.active_layer.name == "Layer 1"
    assert document.undo_stack.count() == steps
    qtbot.keyClick(panel.view, Qt.Key.Key_Up)
    assert document.active_layer.name == "Layer 2"


def test_the_list_follows_what_others_do(panel: LayersPanel, document: Document) -> None:
    document.set_active(1)
    assert panel.view.currentIndex().row() == 2
    document.change_layer("Rename layer", dataclasses.replace(document.active_layer, name="Land"))
    assert names(panel)[2] == "Land"
    document.undo_stack.undo()
    assert names(panel)[2] == "Layer 1"
    document.open(Project.empty((32, 32), Settings(450.0, "atlas")), None, document.view)
    assert names(panel) == ["Layer 1"]
    assert not panel.remove.isEnabled()


@pytest.mark.parametrize("role", [LayerRole.VISIBLE, LayerRole.LOCKED])
def test_eye_and_lock_leave_the_active_layer_as_it_is(
    panel: LayersPanel, document: Document, qtbot: QtBot, role: LayerRole
) -> None:
    before = panel.model.index(2).data(role)
    qtbot.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=icon_at(panel, 2, role))
    assert panel.model.index(2).data(role) is not before
    assert document.active_layer.name == "Layer 3"
    document.undo_stack.undo()
    assert panel.model.index(2).data(role) is before


def test_a_hidden_layer_leaves_the_map(panel: LayersPanel, document: Document, qtbot: QtBot) -> None:
    qtbot.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=icon_at(panel, 2, LayerRole.VISIBLE))
    assert (document.ids == document.settings.base_class).all()
    qtbot.keyClick(panel.view, Qt.Key.Key_End)
    qtbot.keyClick(panel.view, Qt.Key.Key_Space)
    assert (document.ids == FOREST).all()


def test_a_double_click_on_the_eye_does_not_rename(panel: LayersPanel, document: Document, qtbot: QtBot) -> None:
    where = icon_at(panel, 0, LayerRole.VISIBLE)
    qtbot.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=where)
    qtbot.mouseDClick(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=where)
    assert panel.view.viewport().findChild(QLineEdit) is None
    assert document.active_layer.visible


@pytest.mark.parametrize("by_key", [False, True])
def test_a_layer_is_renamed_in_its_row(panel: LayersPanel, document: Document, qtbot: QtBot, by_key: bool) -> None:
    qtbot.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=at(panel, 1))
    if by_key:
        qtbot.keyClick(panel.view, Qt.Key.Key_F2)
    else:
        qtbot.mouseDClick(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=at(panel, 1))
    editor = panel.view.viewport().findChild(QLineEdit)
    assert editor is not None
    editor.selectAll()
    qtbot.keyClicks(editor, "Islands")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: document.project.layers[1].name == "Islands")
    assert names(panel)[1] == "Islands"
    document.undo_stack.undo()
    assert names(panel)[1] == "Layer 2"


def test_a_name_of_blanks_is_refused(panel: LayersPanel, document: Document) -> None:
    steps = document.undo_stack.count()
    panel.model.setData(panel.model.index(0), "   ")
    assert names(panel)[0] == "Layer 3"
    assert document.undo_stack.count() == steps


def drop(panel: LayersPanel, row: int, position: QPoint) -> None:
    """Send the events of Qt for a drop of a row at a position."""
    data = panel.model.mimeData([panel.model.index(row)])
    viewport, none = panel.view.viewport(), Qt.KeyboardModifier.NoModifier
    action, left = Qt.DropAction.MoveAction, Qt.MouseButton.LeftButton
    try:
        enter = QDragEnterEvent(QPointF(position), action, data, left, none)
    except TypeError:  # before Qt 6.12
        enter = QDragEnterEvent(position, action, data, left, none)
    QApplication.sendEvent(viewport, enter)
    QApplication.sendEvent(viewport, QDropEvent(QPointF(position), action, data, left, none))


def test_rows_are_reordered_by_dragging(panel: LayersPanel, document: Document) -> None:
    bottom = panel.view.visualRect(panel.model.index(2)).bottomLeft() + QPoint(60, 0)
    drop(panel, 0, bottom)
    assert names(panel) == ["Layer 2", "Layer 1", "Layer 3"]
    assert panel.view.currentIndex().data() == "Layer 3"
    top = panel.view.visualRect(panel.model.index(0)).topLeft() + QPoint(60, 1)
    drop(panel, 2, top)
    assert names(panel) == ["Layer 3", "Layer 2", "Layer 1"]
    middle = panel.view.visualRect(panel.model.index(1)).topLeft() + QPoint(60, 1)
    drop(panel, 2, middle)
    assert names(panel) == ["Layer 3", "Layer 1", "Layer 2"]
    document.undo_stack.undo()
    assert names(panel) == ["Layer 3", "Layer 2", "Layer 1"]


def test_a_row_that_is_dropped_below_all_is_the_lowest(panel: LayersPanel) -> None:
    drop(panel, 1, panel.view.viewport().rect().bottomLeft() + QPoint(60, -5))
    assert names(panel) == ["Layer 3", "Layer 1", "Layer 2"]


def test_a_row_that_is_dropped_where_it_was_is_no_step(panel: LayersPanel, document: Document) -> None:
    steps = document.undo_stack.count()
    drop(panel, 1, panel.view.visualRect(panel.model.index(1)).topLeft() + QPoint(60, 1))
    drop(panel, 1, panel.view.visualRect(panel.model.index(1)).bottomLeft() + QPoint(60, 0))
    assert document.undo_stack.count() == steps


def test_a_layer_of_another_document_is_refused(panel: LayersPanel, document: Document) -> None:
    other = LayersPanel(document)
    data = other.model.mimeData([other.model.index(0)])
    assert not panel.model.dropMimeData(data, Qt.DropAction.MoveAction, 3, 0, QModelIndex())
    assert names(panel) == ["Layer 3", "Layer 2", "Layer 1"]
    other.deleteLater()


def test_keys_of_the_list_do_not_reach_the_window(panel: LayersPanel) -> None:
    for key in (Qt.Key.Key_Delete, Qt.Key.Key_Space, Qt.Key.Key_F2):
        event = QKeyEvent(QEvent.Type.ShortcutOverride, key, Qt.KeyboardModifier.NoModifier)
        event.ignore()
        QApplication.sendEvent(panel.view, event)
        assert event.isAccepted()


def test_layers_are_moved_and_removed_by_keys(panel: LayersPanel, document: Document, qtbot: QtBot) -> None:
    qtbot.keyClick(panel.view, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert names(panel) == ["Layer 2", "Layer 3", "Layer 1"]
    qtbot.keyClick(panel.view, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert names(panel) == ["Layer 3", "Layer 2", "Layer 1"]
    qtbot.keyClick(panel.view, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert names(panel) == ["Layer 3", "Layer 2", "Layer 1"]
    qtbot.keyClick(panel.view, Qt.Key.Key_Delete)
    assert names(panel) == ["Layer 2", "Layer 1"]
    assert document.active_layer.name == "Layer 2"


def test_buttons_do_what_they_say_and_undo_shows(panel: LayersPanel, document: Document) -> None:
    panel.add.trigger()
    assert names(panel)[0] == "Layer 4"
    panel.duplicate.trigger()
    assert names(panel)[:2] == ["Layer 4 copy", "Layer 4"]
    panel.merge.trigger()
    assert names(panel) == ["Layer 4", "Layer 3", "Layer 2", "Layer 1"]
    for _ in range(3):
        document.undo_stack.undo()
    assert names(panel) == ["Layer 3", "Layer 2", "Layer 1"]
    assert (panel.up.isEnabled(), panel.down.isEnabled()) == (False, True)


def test_what_cannot_be_merged_says_why(panel: LayersPanel, document: Document) -> None:
    document.change_layer("Lock layer", dataclasses.replace(document.project.layers[1], locked=True))
    assert not panel.merge.isEnabled()
    assert '"Layer 2" is locked' in panel.merge.toolTip()
    document.set_active(1)
    assert not panel.merge.isEnabled()


def middle(panel: LayersPanel, row: int) -> QColor:
    image = panel.model.index(row).data(Qt.ItemDataRole.DecorationRole).toImage()
    return image.pixelColor(image.width() // 2, image.height() // 2)


def test_thumbnails_show_what_was_painted(panel: LayersPanel, document: Document) -> None:
    assert middle(panel, 0).alpha() == 0
    assert middle(panel, 2) == QColor(127, 173, 123)
    document.put_cells("Fill", Rect(0, 0, 64, 96), np.full((64, 96), DESERT, np.uint8))
    assert middle(panel, 0) == QColor(230, 200, 181)
    document.undo_stack.undo()
    assert middle(panel, 0).alpha() == 0
    # Painted below what hides it, the map is the same but the layer is not.
    document.undo_stack.redo()
    document.set_active(1)
    document.put_cells("Erase", Rect(0, 0, 64, 96), np.full((64, 96), EMPTY, np.uint8))
    assert middle(panel, 2).alpha() == 0


def test_a_thumbnail_of_a_long_map_keeps_its_proportions(qtbot: QtBot, qapp: QApplication) -> None:
    panel = LayersPanel(Document(Project.empty((32, 2048), Settings(450.0, "atlas"))))
    qtbot.addWidget(panel)
    picture = panel.model.index(0).data(Qt.ItemDataRole.DecorationRole)
    assert (picture.width(), picture.height()) == (96, 2)


def test_the_menu_offers_what_the_layer_can(panel: LayersPanel, document: Document) -> None:
    texts = [action.text() for action in panel.menu().actions() if action.text()]
    assert texts[:3] == ["Rename", "Hide", "Lock"]
    next(action for action in panel.menu().actions() if action.text() == "Lock").trigger()
    assert document.active_layer.locked
    assert "Unlock" in [action.text() for action in panel.menu().actions()]


def test_a_right_click_opens_the_menu_for_its_row(panel: LayersPanel, qtbot: QtBot) -> None:
    opened: list[str] = []

    def close() -> None:
        menu = QApplication.activePopupWidget()
        assert menu is not None
        opened.append(panel.view.currentIndex().data())
        menu.close()

    where = at(panel, 1)
    qtbot.mouseClick(panel.view.viewport(), Qt.MouseButton.RightButton, pos=where)
    QTimer.singleShot(50, close)
    reason = QContextMenuEvent.Reason.Mouse
    QApplication.sendEvent(
        panel.view.viewport(), QContextMenuEvent(reason, where, panel.view.viewport().mapToGlobal(where))
    )
    assert opened == ["Layer 2"]


def test_the_reference_picture_is_shown_faded_and_removed(panel: LayersPanel, document: Document, qtbot: QtBot) -> None:
    box = panel.underlay
    assert not box.opacity.isVisible()
    with qtbot.waitSignal(panel.load_underlay_requested):
        qtbot.mouseClick(box.load, Qt.MouseButton.LeftButton)
    document.set_underlay(Underlay(np.zeros((4, 4, 3), np.uint8), 0.25))
    assert box.opacity.isVisible()
    assert box.opacity.value == 25
    qtbot.mouseClick(box.shown, Qt.MouseButton.LeftButton)
    assert document.project.underlay is not None
    assert not document.project.underlay.visible
    document.undo_stack.undo()
    steps = document.undo_stack.count() - 1
    slider = box.opacity.slider
    qtbot.mousePress(slider, Qt.MouseButton.LeftButton, pos=QPoint(slider.width() // 4, slider.height() // 2))
    for x in range(slider.width() // 4, slider.width() * 3 // 4, 7):
        qtbot.mouseMove(slider, QPoint(x, slider.height() // 2))
    qtbot.mouseRelease(slider, Qt.MouseButton.LeftButton, pos=QPoint(slider.width() * 3 // 4, slider.height() // 2))
    assert document.project.underlay.opacity > 0.6
    assert document.undo_stack.count() == steps + 1
    document.undo_stack.undo()
    assert box.opacity.value == 25
    qtbot.mouseClick(box.remove, Qt.MouseButton.LeftButton)
    assert document.project.underlay is None
    assert not box.opacity.isVisible()


def test_the_fields_of_the_reference_picture_fit_into_a_narrow_dock(panel: LayersPanel, document: Document) -> None:
    document.set_underlay(Underlay(np.zeros((4, 4, 3), np.uint8)))
    panel.underlay.show_moving(True)
    assert panel.underlay.placement.isVisible() and panel.minimumSizeHint().width() <= 230
