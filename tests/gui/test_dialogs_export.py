"""The export dialog returns the arguments of `export`, and shows what will be written."""

from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialogButtonBox,
    QDoubleSpinBox,
    QLabel,
    QLineEdit,
    QToolButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from terrainpaint.errors import OptionError
from terrainpaint.export import FORMATS, ExportOptions, export, export_paths
from terrainpaint.export.mesh import mesh_shape
from terrainpaint.gui.dialogs.engine_numbers import ENGINES, TerrainExtent, nearest, unity, unreal
from terrainpaint.gui.dialogs.export import ExportDialog, ExportRequest
from terrainpaint.gui.widgets.basics import accept_button
from tests.export.terrains import lopsided, source


@pytest.fixture
def dialog(qtbot: QtBot, tmp_path: Path) -> ExportDialog:
    created = ExportDialog((48, 64), 30.0, (-100.0, 900.0), tmp_path, "island")
    qtbot.addWidget(created)
    created.show()
    return created


def tick(dialog: QWidget, names: set[str]) -> None:
    for box in dialog.findChildren(QCheckBox):
        box.setChecked(box.text() in names)


def words(dialog: QWidget) -> str:
    return " ".join(label.text() for label in dialog.findChildren(QLabel) if label.isVisible())


def name_field(dialog: ExportDialog) -> QLineEdit:
    (match,) = [child for child in dialog.findChildren(QLineEdit) if child.text() == "island"]
    return match


def test_every_format_of_the_table_is_offered(dialog: ExportDialog) -> None:
    assert [box.text() for box in dialog.findChildren(QCheckBox)] == [*FORMATS, "&Level lakes and sea"]
    assert all(form.description[1:] in words(dialog) for form in FORMATS.values())


def test_the_request_has_the_arguments_of_export(dialog: ExportDialog, tmp_path: Path) -> None:
    assert dialog.request().level_water
    tick(dialog, {"albedo", "obj"})
    mesh = dialog.findChild(QComboBox)
    mesh.setCurrentIndex(0)
    exaggeration = dialog.findChild(QDoubleSpinBox)
    exaggeration.setValue(2.5)
    request = dialog.request()
    assert request == ExportRequest(tmp_path, "island", ("obj", "albedo"), ExportOptions(256, 2.5), False)
    written = export(source(lopsided()), request.folder, request.name, request.formats, request.options)
    assert all(path.name in words(dialog) for path in written)


def test_the_full_mesh_has_a_vertex_for_each_pixel(qtbot: QtBot, tmp_path: Path) -> None:
    dialog = ExportDialog((1500, 2000), 30.0, (0.0, 1.0), tmp_path, "island")
    qtbot.addWidget(dialog)
    mesh = dialog.findChild(QComboBox)
    mesh.setCurrentIndex(mesh.count() - 1)
    assert mesh_shape((1500, 2000), dialog.request().options.mesh_size) == (1500, 2000)


def test_the_size_follows_the_mesh(qtbot: QtBot, tmp_path: Path) -> None:
    dialog = ExportDialog((1024, 1024), 30.0, (0.0, 1.0), tmp_path, "island")
    qtbot.addWidget(dialog)
    dialog.show()
    tick(dialog, {"obj"})
    dialog.findChild(QComboBox).setCurrentIndex(1)
    assert "about 55 MB" in words(dialog)
    dialog.findChild(QComboBox).setCurrentIndex(2)
    assert "about 221 MB" in words(dialog)


def test_files_that_would_be_replaced_are_named(dialog: ExportDialog, tmp_path: Path) -> None:
    tick(dialog, {"height16"})
    assert "replaced" not in words(dialog)
    for path in export_paths(tmp_path, "other", ["height16"]):
        path.write_bytes(b"")
    name_field(dialog).setText("other")
    assert "other_height16.png, other_height16.json" in words(dialog)
    assert dialog.request().name == "other"


@pytest.mark.parametrize("name", ["", "  ", "..", "a/b"])
def test_an_impossible_name_is_refused_at_once(dialog: ExportDialog, name: str) -> None:
    name_field(dialog).setText(name)
    assert "cannot be the name of a file" in words(dialog)
    assert not accept_button(dialog.findChild(QDialogButtonBox)).isEnabled()
    with pytest.raises(OptionError):
        dialog.request()


def test_without_a_format_there_is_nothing_to_export(dialog: ExportDialog) -> None:
    tick(dialog, set())
    assert not accept_button(dialog.findChild(QDialogButtonBox)).isEnabled()
    tick(dialog, {"terrain"})
    assert accept_button(dialog.findChild(QDialogButtonBox)).isEnabled()


def test_the_numbers_for_unreal() -> None:
    # The rule of the engine: at Z scale 100 the 16 bits span 512 m, centred on the location.
    numbers = dict(unreal(TerrainExtent((1009, 1009), 30.0, (-100.0, 924.0))).rows)
    assert numbers == {"Scale X": "3000", "Scale Y": "3000", "Scale Z": "200", "Location Z": "41200"}
    assert "nearest" not in unreal(TerrainExtent((1009, 1009), 30.0, (0.0, 1.0))).note
    assert "1,009 × 1,009" in unreal(TerrainExtent((1024, 1000), 30.0, (0.0, 1.0))).note


def test_the_numbers_for_unity() -> None:
    numbers = dict(unity(TerrainExtent((500, 1000), 2.5, (-12.5, 100.0))).rows)
    assert numbers == {
        "Terrain Width": "2497.5",
        "Terrain Length": "1247.5",
        "Terrain Height": "112.5",
        "Position Y": "-12.5",
        "Heightmap Resolution": "1025",
    }


@pytest.mark.parametrize("engine", ENGINES)
def test_level_ground_has_the_range_that_its_picture_has(engine: str) -> None:
    numbers = dict(ENGINES[engine](TerrainExtent((64, 64), 30.0, (7.0, 7.0))).rows)
    assert "0" not in {numbers.get("Scale Z"), numbers.get("Terrain Height"), numbers.get("Displace Strength")}


def test_the_nearest_size() -> None:
    assert [nearest((127, 253, 505), value) for value in (1, 190, 191, 4000)] == [127, 253, 253, 505]


def test_a_number_is_copied(dialog: ExportDialog) -> None:
    (copy,) = [child for child in dialog.findChildren(QToolButton) if child.accessibleName() == "Copy Scale X"]
    copy.click()
    assert QGuiApplication.clipboard().text() == "3000"
