"""The dialogs for pictures and films of the 3D view return what was chosen, and remember it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QDialog, QDoubleSpinBox, QLabel, QWidget
from pytestqt.qtbot import QtBot

from terrainpaint.core.films import FORMATS, Timing
from terrainpaint.core.project import Project, Settings
from terrainpaint.generation.process import TerrainProcess
from terrainpaint.gui.background_jobs import WindowJobs
from terrainpaint.gui.dialogs.view_pictures import FilmDialog, PictureDialog
from terrainpaint.gui.document import Document
from terrainpaint.gui.live_generation import LiveGeneration
from terrainpaint.gui.relief_dock import ReliefDock
from terrainpaint.gui.view3d.motions import MOTIONS
from terrainpaint.gui.view3d.widget import TerrainView3D


@pytest.fixture
def view(qtbot: QtBot, empty_folders: Path) -> TerrainView3D:
    created = TerrainView3D()
    qtbot.addWidget(created)
    created.resize(400, 300)
    created.set_terrain(np.full((64, 80, 3), 130, np.uint8), np.zeros((64, 80), np.float32), 2000.0)
    return created


def picture_dialog(view: TerrainView3D, qtbot: QtBot) -> PictureDialog:
    dialog = PictureDialog(view, view)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def film_dialog(view: TerrainView3D, qtbot: QtBot) -> FilmDialog:
    dialog = FilmDialog(view, view)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def box(dialog: QDialog, text: str) -> QCheckBox:
    return next(item for item in dialog.findChildren(QCheckBox) if item.text() == text)


def size_choice(dialog: QDialog) -> QComboBox:
    return next(item for item in dialog.findChildren(QComboBox) if item.findText("Own size") >= 0)


def format_choice(dialog: QDialog) -> QComboBox:
    return next(item for item in dialog.findChildren(QComboBox) if item.findData("mp4") >= 0)


def field(dialog: QDialog, name: str) -> QDoubleSpinBox:
    return next(item for item in dialog.findChildren(QDoubleSpinBox) if item.accessibleName() == name)


def test_sizes_go_to_8k_and_to_any_other(view: TerrainView3D, qtbot: QtBot) -> None:
    dialog = picture_dialog(view, qtbot)
    assert dialog.options().size == (1920, 1080)
    sizes = set()
    for row in range(size_choice(dialog).count() - 1):
        size_choice(dialog).setCurrentIndex(row)
        sizes.add(dialog.options().size)
    assert {(400, 300), (3840, 2160), (7680, 4320)} <= sizes
    field(dialog, "Width").setValue(1234)
    assert dialog.options().size == (1234, dialog.options().size[1])
    assert size_choice(dialog).currentText() == "Own size"


def test_a_picture_can_be_without_water_pin_and_background(view: TerrainView3D, qtbot: QtBot) -> None:
    view.set_marker(3, 4)
    dialog = picture_dialog(view, qtbot)
    full = dialog.options()
    assert full.has_water and full.has_pin and full.has_background
    box(dialog, "Water").setChecked(False)
    box(dialog, "Pin").setChecked(False)
    box(dialog, "Transparent background").setChecked(True)
    bare = dialog.options()
    assert not bare.has_water and not bare.has_pin and not bare.has_background


def test_what_is_not_in_the_view_cannot_be_chosen(view: TerrainView3D, qtbot: QtBot) -> None:
    view.set_water(None)
    dialog = picture_dialog(view, qtbot)
    assert not box(dialog, "Water").isEnabled() and not box(dialog, "Pin").isEnabled()


def test_the_size_is_remembered(view: TerrainView3D, qtbot: QtBot) -> None:
    dialog = picture_dialog(view, qtbot)
    field(dialog, "Width").setValue(900)
    field(dialog, "Height").setValue(700)
    dialog.accept()
    again = picture_dialog(view, qtbot)
    assert again.options().size == (900, 700)
    size_choice(again).setCurrentIndex(size_choice(again).findText("8K", Qt.MatchFlag.MatchStartsWith))
    again.accept()
    assert picture_dialog(view, qtbot).options().size == (7680, 4320)


def test_a_film_has_length_rate_motion_and_format(view: TerrainView3D, qtbot: QtBot) -> None:
    dialog = film_dialog(view, qtbot)
    assert dialog.options().timing == Timing(8.0, 30.0)
    field(dialog, "Length").setValue(2.5)
    field(dialog, "Pictures a second").setValue(24)
    assert dialog.options().timing.frames == 60
    assert any("60" in item.text() for item in dialog.findChildren(QLabel))
    motions = next(item for item in dialog.findChildren(QComboBox) if item.findData("turn") >= 0)
    assert [motions.itemData(row) for row in range(motions.count())] == list(MOTIONS)
    motions.setCurrentIndex(1)
    format_choice(dialog).setCurrentIndex(format_choice(dialog).findData("webp"))
    assert (dialog.options().motion, dialog.options().kind) == ("back", "webp")
    dialog.accept()
    assert film_dialog(view, qtbot).options().kind == "webp"
    assert film_dialog(view, qtbot).options().timing == Timing(2.5, 24.0)


def test_only_formats_with_transparency_offer_it(view: TerrainView3D, qtbot: QtBot) -> None:
    dialog = film_dialog(view, qtbot)
    for row in range(format_choice(dialog).count()):
        format_choice(dialog).setCurrentIndex(row)
        kind = format_choice(dialog).currentData()
        clear = box(dialog, "Transparent background")
        assert clear.isEnabled() == FORMATS[kind][1].has_alpha
        clear.setChecked(clear.isEnabled())
        assert dialog.options().picture.has_background == (not FORMATS[kind][1].has_alpha)


def test_a_hidden_view_says_where_it_is(qtbot: QtBot, empty_folders: Path) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    document = Document(Project.empty((64, 80), Settings(2000.0, "atlas")))
    dock = ReliefDock(document, LiveGeneration(document, {}, TerrainProcess()), WindowJobs(window), window)
    for save in (dock.save_picture, dock.save_film):
        with qtbot.waitSignal(dock.refused) as refused:
            save()
        assert refused.args is not None and "View > Panels > 3D" in refused.args[0]
