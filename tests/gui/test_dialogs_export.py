"""The export dialog returns the arguments of `export`, and shows what will be written."""

import dataclasses
import itertools
import shutil
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QCheckBox,
    QComboBox,
    QDialogButtonBox,
    QDoubleSpinBox,
    QLabel,
    QLineEdit,
    QMessageBox,
    QPushButton,
    QScrollArea,
    QTabWidget,
    QToolButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from terrainpaint.core.classes import WATER
from terrainpaint.core.project import ViewSettings
from terrainpaint.core.rects import GroundRect, Rect
from terrainpaint.core.sea_choice import AS_PAINTED, Sea
from terrainpaint.core.terrain import Provenance, Recipe, Terrain
from terrainpaint.errors import OptionError
from terrainpaint.export import FORMATS, GROUPS, TileOptions, export, export_paths
from terrainpaint.export.file_options import FileOptions, TerrainEncoding, Texture
from terrainpaint.export.mesh import mesh_shape
from terrainpaint.export.mesh_picture import Sun
from terrainpaint.export.output_checks import free_bytes
from terrainpaint.gui.dialogs import mesh_preview
from terrainpaint.gui.dialogs.engine_numbers import ENGINES, NumbersPage, TerrainExtent, nearest, unity, unreal
from terrainpaint.gui.dialogs.export import ExportDialog
from terrainpaint.gui.dialogs.file_options import FileOptionsPage
from terrainpaint.gui.dialogs.format_list import FormatList
from terrainpaint.gui.dialogs.mesh_preview import MeshPreview, PreviewSource
from terrainpaint.gui.dialogs.parts_page import PartsPage
from terrainpaint.gui.export_choice import ExportChoice
from terrainpaint.gui.theme import apply_theme
from terrainpaint.gui.widgets.basics import accept_button
from tests.export.terrains import lopsided, source


@pytest.fixture
def dialog(qtbot: QtBot, tmp_path: Path) -> ExportDialog:
    return shown(qtbot, tmp_path, (48, 64))


def shown(qtbot: QtBot, folder: Path, shape: tuple[int, int], choice: ExportChoice | None = None) -> ExportDialog:
    height = np.linspace(-10, 990, shape[0] * shape[1], dtype=np.float32).reshape(shape)
    terrain = Terrain(np.zeros((*shape, 3), np.uint8), height, 30.0, Provenance("", "atlas", Recipe(), ""))
    ids = np.where(height < 0, WATER, 1).astype(np.uint8)
    created = ExportDialog(
        TerrainExtent(shape, 30.0, (-10.0, 990.0)),
        PreviewSource.of(terrain, ids, Sun()),
        choice or ExportChoice.usual(folder, "island", shape, VIEW),
        VIEW,
    )
    qtbot.addWidget(created)
    created.show()
    return created


VIEW = ViewSettings(exaggeration=20.0, water_level_m=300.0)


def tick(dialog: QWidget, names: set[str]) -> None:
    for box in dialog.findChildren(QCheckBox):
        box.setChecked(box.text() in names)


def words(dialog: QWidget) -> str:
    return " ".join(label.text() for label in dialog.findChildren(QLabel) if label.isVisible())


def name_field(dialog: ExportDialog) -> QLineEdit:
    return name_field_of(dialog, "island")


def name_field_of(dialog: ExportDialog, name: str) -> QLineEdit:
    (match,) = [child for child in dialog.findChildren(QLineEdit) if child.text() == name]
    return match


def mesh_field(dialog: ExportDialog) -> QComboBox:
    (match,) = [box for box in dialog.findChildren(QComboBox) if "one for each pixel" in box.itemText(box.count() - 1)]
    return match


def exaggeration_field(dialog: ExportDialog) -> QDoubleSpinBox:
    (match,) = [field for field in dialog.findChildren(QDoubleSpinBox) if field.prefix()]
    return match


def test_every_format_of_the_table_is_offered(dialog: ExportDialog) -> None:
    assert [box.text() for box in dialog.findChildren(QCheckBox)][: len(FORMATS)] == list(FORMATS)
    assert all(form.description[1:] in words(dialog) for form in FORMATS.values())


def test_the_choice_becomes_the_arguments_of_export(dialog: ExportDialog, tmp_path: Path) -> None:
    assert dialog.choice() == ExportChoice(
        tmp_path, "island", ("obj", "height16"), None, None, level_water=True, has_water=True
    )
    tick(dialog, {"albedo", "obj"})
    mesh = mesh_field(dialog)
    mesh.setCurrentIndex(0)
    exaggeration = exaggeration_field(dialog)
    exaggeration.setValue(2.5)
    choice = dialog.choice()
    assert choice == ExportChoice(tmp_path, "island", ("obj", "albedo"), 256, 2.5, level_water=False)
    request = choice.request((48, 64), VIEW)
    written = export(source(lopsided()), request.folder, request.name, request.formats, request.options)
    assert all(path.name in words(dialog) for path in written)


def test_options_of_single_formats_are_asked_and_remembered(qtbot: QtBot, tmp_path: Path) -> None:
    files = FileOptions(glb_texture=Texture.JPEG)
    choice = ExportChoice(tmp_path, "land", ("glb",), None, 1.0, level_water=False, files=files)
    assert shown(qtbot, tmp_path, (48, 64), choice).choice() == choice
    dialog = shown(qtbot, tmp_path, (48, 64))
    (texture,) = [box for box in dialog.findChildren(QComboBox) if "JPEG" in box.itemText(1)]
    texture.setCurrentIndex(1)
    assert dialog.choice().request((48, 64), VIEW).options.files == files


def preset_field(dialog: ExportDialog) -> QComboBox:
    (match,) = [box for box in dialog.findChildren(QComboBox) if box.accessibleName() == "Preset"]
    return match


def choose_preset(dialog: ExportDialog, name: str) -> None:
    field = preset_field(dialog)
    field.setCurrentIndex(field.findData(name))
    field.activated.emit(field.currentIndex())


def test_a_preset_chooses_formats_options_and_sizes(dialog: ExportDialog, tmp_path: Path) -> None:
    choose_preset(dialog, "unity")
    choice = dialog.choice()
    assert (choice.formats, choice.preset) == (("r16", "albedo", "splat"), "unity")
    assert choice.files.raw_south_first and "65 × 65" in words(dialog)
    request = choice.request((48, 64), VIEW)
    assert request.options.picture_shape == (65, 65)
    assert request.paths()[-1] == tmp_path / "island_README.txt"
    pages = dialog.findChild(QTabWidget)
    assert [pages.tabText(tab) for tab in range(pages.count()) if pages.isTabVisible(tab)] == [
        "Mesh", "Options", "Parts"
    ]  # fmt: skip
    choose_preset(dialog, "print")
    choice = dialog.choice()
    assert choice.formats == ("stl", "3mf") and not choice.files.raw_south_first
    assert choice.request((48, 64), VIEW).options.picture_shape is None
    choose_preset(dialog, "")
    assert dialog.choice().preset == "" and len([tab for tab in range(pages.count()) if pages.isTabVisible(tab)]) == 6


def test_a_preset_is_remembered_and_one_that_is_gone_is_said(qtbot: QtBot, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('formats = ["glb"]\nsides = [512]')
    choice = ExportChoice(tmp_path, "land", ("glb",), None, 1.0, level_water=False, preset=str(file))
    dialog = shown(qtbot, tmp_path, (48, 64), choice)
    assert dialog.choice() == choice and "512 × 512" in words(dialog)
    file.write_text('formats = ["glb"]\ncolour = 1')
    name_field_of(dialog, "land").setText("other")
    assert '"colour"' in words(dialog)
    assert not accept_button(dialog.findChild(QDialogButtonBox)).isEnabled()


def test_the_formats_are_in_groups_and_the_files_of_those_that_are_chosen_are_named(dialog: ExportDialog) -> None:
    assert {label.text() for label in dialog.findChildren(QLabel)} >= set(GROUPS)
    assert "island.obj, island.mtl, island.png" in words(dialog) and "island.glb" not in words(dialog)
    tick(dialog, {"glb"})
    assert "island.glb" in words(dialog) and "island.obj" not in words(dialog)
    assert "No mesh" not in words(dialog)


def test_the_heights_are_those_of_the_3d_view_until_they_are_changed(dialog: ExportDialog) -> None:
    field = exaggeration_field(dialog)
    (follows,) = [box for box in dialog.findChildren(QCheckBox) if "As in" in box.text()]
    assert (field.value(), follows.isChecked()) == (20.0, True)
    field.setValue(3.0)
    assert not follows.isChecked() and dialog.choice().exaggeration == 3.0
    follows.click()
    assert field.value() == 20.0 and dialog.choice().exaggeration is None
    follows.click()
    assert dialog.choice().exaggeration == 20.0


def test_the_last_choice_is_suggested(qtbot: QtBot, tmp_path: Path) -> None:
    for last in (
        ExportChoice(tmp_path, "land", ("albedo",), 1024, 2.5, level_water=False),
        ExportChoice(tmp_path, "land", ("terrain", "obj"), 700, None, level_water=True),
        ExportChoice(tmp_path, "land", ("obj",), None, 1.0, level_water=True),
    ):
        again = shown(qtbot, tmp_path, (600, 2000), last).choice()
        assert dataclasses.replace(again, formats=last.formats) == last
        assert set(again.formats) == set(last.formats)


def test_the_full_mesh_has_a_vertex_for_each_pixel(qtbot: QtBot, tmp_path: Path) -> None:
    dialog = shown(qtbot, tmp_path, (1500, 2000))
    mesh = mesh_field(dialog)
    mesh.setCurrentIndex(mesh.count() - 1)
    assert mesh_shape((1500, 2000), dialog.choice().request((1500, 2000), VIEW).options.mesh_size) == (1500, 2000)


def test_the_size_follows_the_mesh(qtbot: QtBot, tmp_path: Path) -> None:
    dialog = shown(qtbot, tmp_path, (1024, 1024))
    tick(dialog, {"obj"})
    mesh_field(dialog).setCurrentIndex(1)
    assert "about 55 MB" in words(dialog)
    mesh_field(dialog).setCurrentIndex(2)
    assert "about 221 MB" in words(dialog)


def test_free_space_is_shown_and_too_little_of_it_is_a_warning(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = shutil.disk_usage(tmp_path).free
    assert free_bytes(tmp_path / "not" / "there") == pytest.approx(real, rel=0.2)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**9, 10**9 - 4000, 4000))
    dialog = shown(qtbot, tmp_path, (48, 64))
    assert "4 kB free" in words(dialog)
    assert "that disk has only 4 kB left" in words(dialog)
    tick(dialog, {"albedo"})
    assert "about 4.3 kB" in words(dialog) and "only" in words(dialog)


def test_time_and_memory_are_told_before(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("terrainpaint.export.estimates.slowness", lambda: 10.0)
    dialog = shown(qtbot, tmp_path, (1024, 1024))
    mesh_field(dialog).setCurrentIndex(2)
    tick(dialog, {"3mf"})
    assert "45 s, 76 MB of memory" in words(dialog)
    monkeypatch.setattr("terrainpaint.gui.dialogs.export_warnings.free_memory", lambda: 50 * 10**6)
    tick(dialog, {"3mf", "albedo"})
    assert "needs about 76 MB of memory, but only 50 MB are free" in words(dialog)


@pytest.mark.parametrize("answer", [QMessageBox.StandardButton.Yes, QMessageBox.StandardButton.Cancel])
def test_a_missing_folder_is_made_only_when_asked(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: QMessageBox.StandardButton
) -> None:
    monkeypatch.setattr(QMessageBox, "exec", lambda box: answer)
    dialog = shown(qtbot, tmp_path / "new" / "folder", (48, 64))
    assert "does not exist yet" in words(dialog)
    accept_button(dialog.findChild(QDialogButtonBox)).click()
    wanted = answer == QMessageBox.StandardButton.Yes
    assert (tmp_path / "new" / "folder").is_dir() == wanted
    assert dialog.isVisible() != wanted
    assert not (tmp_path / "new").exists() or wanted


def test_a_folder_that_cannot_be_made_is_said_in_the_dialog(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QMessageBox, "exec", lambda box: QMessageBox.StandardButton.Yes)
    (tmp_path / "file").write_bytes(b"")
    dialog = shown(qtbot, tmp_path / "file" / "folder", (48, 64))
    accept_button(dialog.findChild(QDialogButtonBox)).click()
    assert dialog.isVisible()
    assert "part of the path is a file" in words(dialog)


def test_files_that_would_be_replaced_are_named(dialog: ExportDialog, tmp_path: Path) -> None:
    tick(dialog, {"height16"})
    assert "replaced" not in words(dialog)
    for path in export_paths(tmp_path, "other", ["height16"]):
        path.write_bytes(b"")
    name_field(dialog).setText("other")
    assert "other_height16.png, other_height16.json" in words(dialog)
    assert dialog.choice().name == "other"


@pytest.mark.parametrize("name", ["", "  ", "..", "a/b"])
def test_an_impossible_name_is_refused_at_once(dialog: ExportDialog, name: str) -> None:
    name_field(dialog).setText(name)
    assert "cannot be the name of a file" in words(dialog)
    assert not accept_button(dialog.findChild(QDialogButtonBox)).isEnabled()
    with pytest.raises(OptionError):
        dialog.choice()


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
    assert "1009 × 1009" in unreal(TerrainExtent((1024, 1000), 30.0, (0.0, 1.0))).note


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


def test_the_numbers_are_those_of_the_heights_that_are_written(dialog: ExportDialog, qtbot: QtBot) -> None:
    """The sea is at 0 m in a file with level water."""
    (level,) = [box for box in dialog.findChildren(QCheckBox) if "Level" in box.text()]

    def number(name: str) -> str:
        return next(field.text() for field in dialog.findChildren(QLineEdit) if field.accessibleName() == name)

    qtbot.waitUntil(lambda: number("Position Y") == "0", timeout=20_000)
    assert number("Terrain Height") == "990"
    level.click()
    qtbot.waitUntil(lambda: number("Position Y") == "-10", timeout=20_000)
    assert number("Terrain Height") == "1000"


def test_the_picture_of_the_mesh_follows_the_options(dialog: ExportDialog, qtbot: QtBot) -> None:
    preview = dialog.findChild(MeshPreview)
    assert preview is not None

    def tall() -> int:
        """Rows of the picture that show something of the mesh."""
        background = preview.palette().window().color().rgb()
        image = preview.grab().toImage()
        middle = image.width() // 2
        return sum(image.pixel(middle, row) != background for row in range(image.height()))

    drawing = tall()
    qtbot.waitUntil(lambda: tall() != drawing, timeout=20_000)
    steep = tall()
    exaggeration_field(dialog).setValue(0.01)
    qtbot.waitUntil(lambda: tall() != steep, timeout=20_000)
    assert "No mesh" not in words(dialog)
    tick(dialog, {"albedo"})
    assert "No mesh is written" in words(dialog)


def test_water_is_on_the_picture(dialog: ExportDialog, qtbot: QtBot) -> None:
    preview = dialog.findChild(MeshPreview)
    (water,) = [box for box in dialog.findChildren(QCheckBox) if "Water" in box.text()]
    assert preview is not None and water.isChecked()
    exaggeration_field(dialog).setValue(0.1)

    def blue() -> bool:
        """The ground is black, with water over its lower part."""
        image = preview.grab().toImage()
        places = itertools.product(range(0, image.width(), 4), range(0, image.height(), 4))
        colours = [image.pixelColor(*place) for place in places]
        return any(colour.blue() > colour.red() + 40 for colour in colours)

    qtbot.waitUntil(blue, timeout=20_000)
    water.click()
    assert dialog.choice().request((48, 64), VIEW).options.water_surface_m is None
    qtbot.waitUntil(lambda: not blue(), timeout=20_000)


def test_a_map_of_any_size_is_shown_in_few_pixels(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mesh_preview, "_WHOLE_AREA_PX", 64 * 64)
    height = np.zeros((100, 200), np.float32)
    terrain = Terrain(np.zeros((100, 200, 3), np.uint8), height, 30.0, Provenance("", "atlas", Recipe(), ""))
    source = PreviewSource.of(terrain, np.ones((100, 200), np.uint8), Sun())
    assert source.terrain.shape == source.ids.shape == (32, 64)
    assert source.terrain.pixel_size_m == pytest.approx(30 * 200 / 64)
    ground, choice = TerrainExtent((100, 200), 30.0, (0.0, 0.0)), ExportChoice.usual(Path("/"), "a", (100, 200), VIEW)
    dialog = ExportDialog(ground, source, choice, VIEW)
    qtbot.addWidget(dialog)
    assert any("estimates" in text.text() for text in dialog.findChildren(QLabel))


def test_numbers_are_offered_when_they_are_known(dialog: ExportDialog, qtbot: QtBot) -> None:
    def copies() -> list[bool]:
        buttons = dialog.findChildren(QToolButton)
        return [button.isEnabled() for button in buttons if button.accessibleName().startswith("Copy")]

    assert not any(copies())
    qtbot.waitUntil(lambda: all(copies()), timeout=20_000)
    (level,) = [box for box in dialog.findChildren(QCheckBox) if "Level" in box.text()]
    level.click()
    assert not any(copies())
    qtbot.waitUntil(lambda: all(copies()), timeout=20_000)


def test_a_number_is_copied(dialog: ExportDialog, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: dialog.findChild(MeshPreview).is_measured, timeout=20_000)
    (copy,) = [child for child in dialog.findChildren(QToolButton) if child.accessibleName() == "Copy Scale X"]
    copy.click()
    assert QGuiApplication.clipboard().text() == "3000"


def test_a_place_on_the_earth_is_chosen_and_shown_again(qtbot: QtBot) -> None:
    for options in (
        FileOptions(),
        FileOptions(place=(-33.9, 18.4), terrain_encoding=TerrainEncoding.TERRARIUM),
        FileOptions(crs="EPSG:32632", origin=(1000.0, 2000.0)),
    ):
        page = FileOptionsPage(options)
        qtbot.addWidget(page)
        assert page.value() == options


def numbers(dialog: ExportDialog) -> set[str]:
    """What the pages of other programs show."""
    return {label.text() for page in dialog.findChildren(NumbersPage) for label in page.findChildren(QLineEdit)}


def test_a_chosen_range_of_heights_changes_the_numbers_for_engines(qtbot: QtBot, tmp_path: Path) -> None:
    files = FileOptions(height_range=(-200.0, 4000.0))
    assert FileOptionsPage(files).value() == files
    choice = dataclasses.replace(ExportChoice.usual(tmp_path, "island", (48, 64), VIEW), files=files)
    dialog = shown(qtbot, tmp_path, (48, 64), choice)
    scale = f"{4200 * 100 / 512:.4f}".rstrip("0")
    assert scale in numbers(dialog) and dialog.choice().files == files
    page = dialog.findChild(FileOptionsPage)
    box = next(box for box in page.findChildren(QCheckBox) if box.text().startswith("A chosen range"))
    box.setChecked(False)
    assert scale not in numbers(dialog) and dialog.choice().files.height_range is None


def test_tiles_and_the_selection(qtbot: QtBot, tmp_path: Path) -> None:
    terrain = lopsided(300, 400)
    choice = ExportChoice(
        tmp_path, "island", ("glb", "r16"), None, 1.0, False,
        is_cropped=True, tiles=TileOptions(count=(2, 1), lods=2, skirt_m=30), max_error_m=None,
    )  # fmt: skip
    source = PreviewSource.of(terrain, np.zeros(terrain.shape, np.uint8), Sun())
    dialog = ExportDialog(TerrainExtent((300, 400), 30.0, (0, 1)), source, choice, VIEW, None, Rect(10, 20, 129, 257))
    qtbot.addWidget(dialog)
    assert dialog.choice() == choice
    dialog.show()
    pages = dialog.findChild(QTabWidget)
    assert pages is not None
    pages.setCurrentIndex(2)
    assert "2 × 1 = 2 tiles of 129 × 129 pixels, each in 2 levels" in words(dialog)
    assert "island_x0_y0_lod0.glb and those of 3 more tiles" in words(dialog)
    request = dialog.choice().request((300, 400), VIEW, Rect(10, 20, 129, 257))
    assert request.options.crop == (20, 10, 257, 129)
    assert tmp_path / "island_x1_y0_lod1_height.r16" in request.paths() and len(request.paths()) == 4 * 3 + 1
    parts = dialog.findChild(PartsPage)
    assert parts is not None
    names = parts.findChild(QLineEdit)
    assert names is not None
    names.setText("{name}_{x}")
    assert not accept_button(dialog.findChild(QDialogButtonBox)).isEnabled()
    assert "replace each other" in words(dialog)
    names.setText("{name}_{x}_{lod}")
    assert accept_button(dialog.findChild(QDialogButtonBox)).isEnabled()


def test_without_a_selection_the_whole_map_is_exported(qtbot: QtBot, tmp_path: Path) -> None:
    terrain = lopsided(48, 64)
    choice = ExportChoice(tmp_path, "island", ("glb",), None, 1.0, False, is_cropped=True)
    assert choice.request((48, 64), VIEW, None).options.crop is None
    source = PreviewSource.of(terrain, np.zeros(terrain.shape, np.uint8), Sun())
    dialog = ExportDialog(TerrainExtent((48, 64), 30.0, (0, 1)), source, choice, VIEW)
    qtbot.addWidget(dialog)
    parts = [box for box in dialog.findChildren(QComboBox) if box.findText("The whole map") >= 0]
    assert len(parts) == 1 and parts[0].count() == 2
    assert not dialog.choice().is_cropped


def test_a_rectangle_in_kilometres_at_a_finer_scale(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terrain = lopsided(48, 64)
    ground = GroundRect(12_000, 8_000, 40_000, 22_500)
    choice = ExportChoice(tmp_path, "valley", ("height16",), None, 1.0, False, ground=ground, detail=16)
    source = PreviewSource.of(terrain, np.zeros(terrain.shape, np.uint8), Sun())
    extent = TerrainExtent((48, 64), 2000.0, (0, 1))
    dialog = ExportDialog(extent, source, choice, VIEW, has_detail=True)
    qtbot.addWidget(dialog)
    assert dialog.choice() == choice
    dialog.show()
    dialog.findChild(QTabWidget).setCurrentIndex(2)
    assert "320 × 180 pixels" in words(dialog)
    options = dialog.choice().request((48, 64), VIEW, None, 2000.0).options
    assert options.crop == (96, 64, 320, 180) and options.detail == 16
    detail = next(box for box in dialog.findChildren(QComboBox) if box.findData(16) >= 0 and box.count() == 3)
    detail.setCurrentIndex(detail.findData(4))
    assert "80 × 45 pixels" in words(dialog)
    width = next(field for field in dialog.findChildren(QAbstractSpinBox) if field.accessibleName() == "Width")
    width.setValue(128)
    assert not accept_button(dialog.findChild(QDialogButtonBox)).isEnabled()
    assert "is not within the map of 128 x 96 km; from there at most" in words(dialog)
    width.setValue(40)
    assert accept_button(dialog.findChild(QDialogButtonBox)).isEnabled()
    monkeypatch.setattr("terrainpaint.gui.dialogs.export.free_bytes", lambda folder: 1000)
    detail.setCurrentIndex(detail.findData(16))
    assert not accept_button(dialog.findChild(QDialogButtonBox)).isEnabled()
    assert "choose a rectangle of at most about" in words(dialog) and "or another folder" in words(dialog)


def test_without_its_networks_no_finer_scale_is_offered(qtbot: QtBot, tmp_path: Path) -> None:
    terrain = lopsided(48, 64)
    choice = ExportChoice(tmp_path, "valley", ("height16",), None, 1.0, False, detail=16)
    source = PreviewSource.of(terrain, np.zeros(terrain.shape, np.uint8), Sun())
    dialog = ExportDialog(TerrainExtent((48, 64), 2000.0, (0, 1)), source, choice, VIEW)
    qtbot.addWidget(dialog)
    assert dialog.choice().detail == 1


def test_a_largest_error_is_chosen(qtbot: QtBot, tmp_path: Path) -> None:
    pytest.importorskip("pydelatin")
    terrain = lopsided(48, 64)
    choice = ExportChoice(tmp_path, "island", ("glb",), None, 1.0, False, max_error_m=2.5)
    source = PreviewSource.of(terrain, np.zeros(terrain.shape, np.uint8), Sun())
    dialog = ExportDialog(TerrainExtent((48, 64), 30.0, (0, 1)), source, choice, VIEW)
    qtbot.addWidget(dialog)
    assert dialog.choice() == choice and dialog.choice().request((48, 64), VIEW).options.max_error_m == 2.5


def test_links_scroll_to_the_groups(dialog: ExportDialog) -> None:
    dialog.show()
    formats = dialog.findChild(FormatList)
    assert formats is not None
    links = [button for button in dialog.findChildren(QPushButton) if button.text() in GROUPS]
    assert [link.text() for link in links] == list(GROUPS)
    places = []
    for link in links:
        link.click()
        places.append(formats.verticalScrollBar().value())
    assert places == sorted(places) and places[0] == 0 < places[1] < places[-1]


def sea_level_field(dialog: ExportDialog) -> QDoubleSpinBox:
    return next(box for box in dialog.findChildren(QDoubleSpinBox) if box.accessibleName() == "Sea level")


def test_a_sea_floor_and_another_level_of_the_sea(qtbot: QtBot, tmp_path: Path) -> None:
    dialog = shown(qtbot, tmp_path, (48, 64))
    boxes = {box.text().replace("&", ""): box for box in dialog.findChildren(QCheckBox)}
    level, floor = boxes["Level lakes and sea"], boxes["Sea floor"]
    level.setChecked(False)
    assert dialog.choice().sea == AS_PAINTED and not dialog.choice().level_water
    before = words(dialog)
    floor.setChecked(True)
    assert level.isChecked() and not level.isEnabled() and words(dialog) != before
    sea_level_field(dialog).setValue(-40)
    choice = dialog.choice()
    assert choice.sea == Sea(True, -40) == choice.request((48, 64), VIEW).sea and not choice.level_water
    floor.setChecked(False)
    sea_level_field(dialog).setValue(0)
    assert level.isEnabled() and not level.isChecked() and dialog.choice().sea == AS_PAINTED
    again = shown(qtbot, tmp_path, (48, 64), choice)
    assert again.choice() == choice and sea_level_field(again).value() == -40


def test_numbers_for_engines_are_above_the_chosen_sea(dialog: ExportDialog, qtbot: QtBot) -> None:
    preview = dialog.findChild(MeshPreview)
    qtbot.waitUntil(lambda: preview.is_measured, timeout=20_000)
    with qtbot.waitSignal(preview.measured, timeout=20_000) as told:
        sea_level_field(dialog).setValue(100)
    assert told.args == pytest.approx([0, 890], abs=1)


def test_a_preset_brings_its_sea(dialog: ExportDialog) -> None:
    sea_level_field(dialog).setValue(20)
    choose_preset(dialog, "unreal")
    assert dialog.choice().sea == Sea(True, 20)
    choose_preset(dialog, "gis")
    assert dialog.choice().sea == Sea(False, 20)


def test_every_page_leaves_the_name_of_the_files_in_sight(qapp: QApplication, qtbot: QtBot, tmp_path: Path) -> None:
    apply_theme(qapp, "dark")
    dialog = shown(qtbot, tmp_path, (600, 900))
    dialog.resize(980, 620)
    pages, name = dialog.findChild(QTabWidget), name_field(dialog)
    for index in range(pages.count()):
        pages.setCurrentIndex(index)
        qtbot.wait(20)
        assert name.visibleRegion().boundingRect() == name.rect(), pages.tabText(index)
        for area in pages.currentWidget().findChildren(QScrollArea):
            assert not area.horizontalScrollBar().isVisible()
