"""The status bar shows the pixel under the pointer; the variants dialog shows other seeds."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from terrainpaint.core.project import Project, Settings, ZoomedFrom
from terrainpaint.core.rects import Rect
from terrainpaint.gui.dialogs.variants import VariantsDialog
from terrainpaint.gui.document import Document
from terrainpaint.gui.panels.status_bar import MessageKind, Quality, Reading, StatusInfo
from terrainpaint.gui.panels.style_box import StyleBox
from terrainpaint.gui.theme import apply_theme

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def document(qapp: QApplication) -> Document:
    return Document(Project.empty((64, 100), Settings(500.0, "atlas")))


@pytest.fixture
def info(document: Document, qtbot: QtBot) -> StatusInfo:
    info = StatusInfo(document)
    qtbot.addWidget(info)
    info.resize(1200, 28)
    info.show()
    return info


def test_it_shows_the_pixel_under_the_pointer(info: StatusInfo) -> None:
    info.set_position(Reading(3, 7, 5, -1234.4, 12.34))
    assert info.place_label.text() == "row 3  col 7"
    assert info.ground_label.text() == "3.8, 1.8 km"
    assert (info.class_label.text(), info.swatch.class_id) == ("mountain", 5)
    assert info.height_label.text() == "−1234 m"
    assert info.slope_label.text() == "12.3°"
    info.set_position(Reading(3, 7, 0))
    assert (info.height_label.text(), info.slope_label.text()) == ("", "")
    info.set_position(None)
    assert (info.place_label.text(), info.class_label.text(), info.swatch.class_id) == ("", "", None)


def test_labels_keep_their_places(info: StatusInfo) -> None:
    info.set_position(Reading(0, 0, 0, 1, 1))
    before = info.height_label.x()
    info.set_position(Reading(16383, 16383, 5, -10234.4, 89.9))
    assert info.height_label.x() == before


def test_small_ground_has_more_decimals(document: Document, info: StatusInfo) -> None:
    document.open(Project.empty((64, 100), Settings(2.0, "atlas")), None, document.view)
    info.set_position(Reading(3, 7, 5))
    assert info.ground_label.text() == "0.015, 0.007 km"


def test_the_name_of_another_document_is_no_markup(document: Document, info: StatusInfo) -> None:
    source = ZoomedFrom("<b>x</b>", Rect(0, 0, 16, 25), 4, 1)
    document.open(replace(Project.empty((64, 100), document.settings), zoomed_from=source), None, document.view)
    assert "&lt;b&gt;x&lt;/b&gt;" in info.size_label.toolTip()


def test_names_of_the_numbers_of_a_style_are_no_markup(document: Document, qtbot: QtBot) -> None:
    box = StyleBox(document)
    qtbot.addWidget(box)
    box.set_names(["<i>warmth</i>"])
    text = next(found for found in box.findChildren(QLabel) if "warmth" in found.text())
    assert text.textFormat() == Qt.TextFormat.PlainText
    assert "&lt;i&gt;warmth&lt;/i&gt;" in box.sliders[0].toolTip()


def test_size_and_zoom(document: Document, info: StatusInfo) -> None:
    assert info.size_label.text() == "100 × 64 px"
    assert "50 × 32 km" in info.size_label.toolTip()
    document.resize((128, 200))
    assert info.size_label.text() == "200 × 128 px"
    info.set_zoom(2)
    assert info.zoom_label.text() == "200 %"
    info.set_zoom(0.033)
    assert info.zoom_label.text() == "3.3 %"


def test_the_state_of_the_terrain(info: StatusInfo) -> None:
    assert info.state.text() == ""
    info.set_quality(Quality.PREVIEW)
    info.set_progress(0.426)
    assert info.state.text() == "Preview 42 %"
    info.set_progress(None)
    info.set_quality(Quality.EXACT)
    assert info.state.text() == "Exact"


def test_a_message_is_shown_for_a_while(info: StatusInfo, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    sentence = (
        "The file land.terrainpaint cannot be written because the disk is full; make some room on it and save again."
    )
    monkeypatch.setattr(MessageKind.WARNING, "shown_ms", 30)
    info.say(sentence, MessageKind.WARNING)
    assert info.message.label.accessibleName() == sentence
    assert info.message.label.text().endswith("…")
    assert info.message.label.toolTip() == sentence
    assert info.message.label.property("role") == "warning"
    qtbot.waitUntil(lambda: info.message.label.text() == "")


def test_it_gives_way_in_a_narrow_window(info: StatusInfo) -> None:
    info.set_position(Reading(3, 7, 5, 12, 3))
    info.resize(600, 28)
    assert not info.ground_label.isVisible()
    assert info.class_label.isVisible()
    assert info.minimumSizeHint().width() <= 400
    info.resize(1400, 28)
    assert info.ground_label.isVisible()


@pytest.mark.parametrize("fraction", [0.0, 0.5, 1.0])
def test_the_ring_closes(info: StatusInfo, fraction: float) -> None:
    def ink() -> int:
        image = info.ring.grab().toImage()
        pixels = [image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height())]
        return sum(item.green() > 150 and item.red() < 130 for item in pixels)

    app = QApplication.instance()
    assert isinstance(app, QApplication)
    apply_theme(app, "dark")
    info.set_progress(fraction)
    counted = ink()
    info.set_progress(1.0)
    full = ink()
    assert full > 10
    assert counted <= 1 if fraction == 0 else counted >= full * fraction * 0.7
    info.set_progress(None)
    assert ink() == 0


@pytest.fixture
def variants(qtbot: QtBot) -> VariantsDialog:
    dialog = VariantsDialog(range(100, 109))
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def test_a_click_takes_a_seed_and_closes(variants: VariantsDialog, qtbot: QtBot) -> None:
    with qtbot.waitSignal(variants.chosen) as got:
        qtbot.mouseClick(variants.tiles[4], LEFT)
    assert got.args == [104]
    assert not variants.isVisible()


@pytest.mark.parametrize(("key", "seed"), [(Qt.Key.Key_1, 100), (Qt.Key.Key_9, 108)])
def test_a_number_takes_a_seed(variants: VariantsDialog, qtbot: QtBot, key: Qt.Key, seed: int) -> None:
    with qtbot.waitSignal(variants.chosen) as got:
        qtbot.keyClick(variants, key)
    assert got.args == [seed]


def test_arrows_go_around_and_enter_takes(variants: VariantsDialog, qtbot: QtBot) -> None:
    variants.tiles[0].setFocus()
    for key in (Qt.Key.Key_Left, Qt.Key.Key_Up, Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Down):
        qtbot.keyClick(QApplication.focusWidget() or variants.focusWidget(), key)
    assert variants.focusWidget() is variants.tiles[5]
    with qtbot.waitSignal(variants.chosen) as got:
        qtbot.keyClick(variants.tiles[5], Qt.Key.Key_Return)
    assert got.args == [105]


def test_more_shows_other_seeds_without_the_old_pictures(variants: VariantsDialog, qtbot: QtBot) -> None:
    variants.set_picture(2, np.full((20, 30, 3), (10, 200, 30), np.uint8))
    assert variants.tiles[2].has_picture
    centre = variants.tiles[2].grab().toImage().pixelColor(variants.tiles[2].rect().center())
    assert (centre.red(), centre.green(), centre.blue()) == (10, 200, 30)
    with qtbot.waitSignal(variants.more_requested):
        qtbot.keyClick(variants, Qt.Key.Key_M)
    variants.set_seeds(range(9))
    assert variants.seeds == tuple(range(9))
    assert not variants.tiles[2].has_picture
    with pytest.raises(ValueError):
        variants.set_seeds(range(8))
