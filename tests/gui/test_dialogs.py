"""The dialogs return what was chosen in them."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QDialog,
    QDoubleSpinBox,
    QLabel,
    QPlainTextEdit,
    QSpinBox,
    QWidget,
)
from pytestqt.qtbot import QtBot

from terrainpaint import __version__
from terrainpaint.core.classes import CLASS_NAMES
from terrainpaint.gui.dialogs.help import AboutDialog
from terrainpaint.gui.dialogs.map_size import NewDialog, NewMap


def button(dialog: QWidget, text: str) -> QAbstractButton:
    (match,) = [item for item in dialog.findChildren(QAbstractButton) if item.text() == text]
    return match


def side(dialog: QWidget, name: str) -> QSpinBox:
    (match,) = [child for child in dialog.findChildren(QSpinBox) if child.accessibleName() == name]
    return match


def words(dialog: QWidget) -> str:
    return " ".join(label.text() for label in dialog.findChildren(QLabel) if label.isVisible())


@pytest.fixture
def new(qtbot: QtBot) -> NewDialog:
    dialog = NewDialog(2000.0)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def test_a_new_map_is_empty_sea_at_the_native_scale(new: NewDialog) -> None:
    assert new.values() == NewMap(512, 512, 2000.0, 0, None)


def test_everything_about_a_new_map_can_be_chosen(new: NewDialog) -> None:
    side(new, "Width in pixels").setValue(640)
    side(new, "Height in pixels").setValue(480)
    button(new, "Desert").click()
    button(new, "Highlands").click()
    assert new.values() == NewMap(640, 480, 2000.0, CLASS_NAMES.index("desert"), "highlands")


def test_another_size_in_pixels_keeps_the_scale(new: NewDialog) -> None:
    ground = new.findChild(QDoubleSpinBox)
    button(new, "1024").click()
    assert (new.values().width_px, new.values().height_px) == (1024, 1024)
    assert ground.value() == 2048
    ground.setValue(30.72)
    assert new.values().pixel_size_m == pytest.approx(30)
    button(new, "256").click()
    assert new.values().pixel_size_m == pytest.approx(30)
    assert ground.value() == pytest.approx(7.68)


def test_the_way_back_to_the_native_scale(new: NewDialog) -> None:
    back = button(new, "Use 2000 m per pixel")
    assert back.isHidden()
    new.findChild(QDoubleSpinBox).setValue(512)
    assert back.isVisible() and "1000 m per pixel" in words(new)
    back.click()
    assert new.values().pixel_size_m == 2000 and back.isHidden()


def test_a_new_map_can_have_land_of_its_own_scale(qtbot: QtBot) -> None:
    dialog = NewDialog(2000.0, None, (2000.0, 500.0, 125.0))
    qtbot.addWidget(dialog)
    dialog.show()
    assert button(dialog, "2000 m a pixel").isChecked() and not dialog.values().true_scale
    button(dialog, "125 m a pixel").click()
    assert (dialog.values().pixel_size_m, dialog.values().true_scale) == (125.0, True)
    assert "64 × 64 km" in words(dialog) and "as large as on such ground" in words(dialog)
    # The same by the size of the ground; any other size has the land of the style, scaled.
    ground = dialog.findChild(QDoubleSpinBox)
    ground.setValue(256)
    assert button(dialog, "500 m a pixel").isChecked() and dialog.values().true_scale
    ground.setValue(100)
    assert not dialog.values().true_scale and "mountains get lower" in words(dialog)
    assert not any(item.isChecked() for item in dialog.findChildren(QAbstractButton) if "a pixel" in item.text())
    button(dialog, "2000 m a pixel").click()
    assert dialog.values() == NewMap(512, 512, 2000.0, 0, None)


def test_a_very_large_map_is_allowed_with_a_warning_about_memory(new: NewDialog) -> None:
    side(new, "Width in pixels").setValue(16384)
    assert "GB" not in words(new)
    side(new, "Height in pixels").setValue(16384)
    assert "at least 2.7 GB of memory" in words(new)
    assert new.values().height_px == 16384


def test_return_creates_the_map(new: NewDialog, qtbot: QtBot) -> None:
    qtbot.keyClick(side(new, "Width in pixels"), Qt.Key.Key_Return)
    assert new.result() == QDialog.DialogCode.Accepted


def test_about_shows_version_and_credits(qtbot: QtBot) -> None:
    dialog = AboutDialog("Made of the Earth.")
    qtbot.addWidget(dialog)
    dialog.show()
    assert __version__ in words(dialog)
    assert dialog.findChild(QPlainTextEdit).toPlainText() == "Made of the Earth."
