"""Heights with a texture become a map; RAW files are shown in their likely format."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFileDialog,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from terrainpaint.core.classes import WATER
from terrainpaint.core.importing import (
    HeightMap,
    HeightUnit,
    RawFormat,
    RawNumber,
    classes_of_earth,
    classes_of_heights,
    read_raw_heights,
)
from terrainpaint.core.progress import Cancel, Progress, check_cancel
from terrainpaint.errors import InputFileError
from terrainpaint.gui.background_jobs import NewestJob
from terrainpaint.gui.dialogs.import_heights import ImportHeightsDialog
from terrainpaint.gui.dialogs.raw_format import RawFormatDialog
from terrainpaint.gui.dialogs.texture import TexturePanel
from terrainpaint.gui.widgets.basics import accept_button
from terrainpaint.gui.widgets.class_colours import ClassBar, percent

LONG_MS = 20_000


def heights(rows: int = 96, cols: int = 144) -> NDArray[np.float32]:
    """Sea in the west, land that rises to the east."""
    ramp = np.linspace(-800, 1600, cols, dtype=np.float32)
    waves = 40 * np.sin(np.arange(rows, dtype=np.float32) / 3)[:, None]
    return np.where(ramp > 0, ramp + waves, 0).clip(0).astype(np.float32)


def texture(height: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.uint8]:
    """The sea blue, the land green."""
    rgb = np.where(height[..., None] > 0, np.array([70, 100, 45]), np.array([15, 35, 75])).astype(np.uint8)
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_NEAREST), np.uint8)


def saved(path: Path, rgb: NDArray[np.uint8]) -> Path:
    assert cv2.imwrite(str(path), rgb[:, :, ::-1])
    return path


@pytest.fixture
def dialog(qtbot: QtBot, tmp_path: Path) -> ImportHeightsDialog:
    created = ImportHeightsDialog(HeightMap(heights(), pixel_size_m=2000.0), tmp_path / "dem.tif")
    qtbot.addWidget(created)
    created.show()
    return created


def answer(qtbot: QtBot, path: Path | None) -> None:
    """Type a name into the file dialog that is going to be opened; None presses Escape."""

    def type_name() -> None:
        asked = QApplication.activeModalWidget()
        assert isinstance(asked, QFileDialog)
        if path is None:
            qtbot.keyClick(asked, Qt.Key.Key_Escape)
            return
        line = asked.findChild(QLineEdit)
        assert line is not None
        line.setText(str(path))
        qtbot.keyClick(line, Qt.Key.Key_Return)

    QTimer.singleShot(100, type_name)


def origin(dialog: QWidget) -> QComboBox:
    return combo_of(dialog, "A texture of the same ground")


def combo_of(dialog: QWidget, choice: str) -> QComboBox:
    """The list that has this choice."""
    (combo,) = [child for child in dialog.findChildren(QComboBox) if child.findText(choice) >= 0]
    return combo


def choose_texture(qtbot: QtBot, dialog: QWidget, path: Path | None) -> None:
    answer(qtbot, path)
    qtbot.keyClick(origin(dialog), Qt.Key.Key_Down)


def choose_another(qtbot: QtBot, dialog: QWidget, path: Path | None) -> None:
    answer(qtbot, path)
    press(qtbot, dialog, "Choose a picture…")


def button(dialog: QWidget, text: str) -> QPushButton:
    (match,) = [child for child in dialog.findChildren(QPushButton) if child.text() == text]
    return match


def press(qtbot: QtBot, dialog: QWidget, text: str) -> None:
    qtbot.mouseClick(button(dialog, text), Qt.MouseButton.LeftButton)


def field(dialog: QWidget, name: str) -> QDoubleSpinBox:
    (label,) = [item for item in dialog.findChildren(QLabel) if item.text().replace("&", "") == name]
    buddy = label.buddy()
    assert isinstance(buddy, QDoubleSpinBox)
    return buddy


def words(dialog: QWidget) -> str:
    return " ".join(label.text() for label in dialog.findChildren(QLabel) if label.isVisible())


def can_import(dialog: ImportHeightsDialog) -> bool:
    return accept_button(dialog.findChild(QDialogButtonBox)).isEnabled()


def test_a_texture_of_another_size_gives_the_classes_of_the_labeller(
    qtbot: QtBot, tmp_path: Path, dialog: ImportHeightsDialog
) -> None:
    rgb = texture(heights(), (225, 150))
    choose_texture(qtbot, dialog, saved(tmp_path / "sky.png", rgb))
    assert not can_import(dialog)
    with pytest.raises(ValueError, match="no result yet"):
        dialog.values()
    qtbot.waitUntil(lambda: can_import(dialog), timeout=LONG_MS)
    expected = classes_of_earth(rgb, heights(), 2000.0)
    choice = dialog.values()
    np.testing.assert_array_equal(choice.classes(), expected)
    assert {WATER} < set(np.unique(expected))
    assert f"water {percent((expected == WATER).mean())}" in dialog.findChild(ClassBar).accessibleName()
    assert "sky.png\n225 × 150 px" in words(dialog) and "Sea level" not in words(dialog)
    assert not any(child.isVisible() for child in dialog.findChildren(QProgressBar))


def test_another_pixel_size_finds_the_classes_again(qtbot: QtBot, tmp_path: Path, dialog: ImportHeightsDialog) -> None:
    rgb = texture(heights(), (144, 96))
    choose_texture(qtbot, dialog, saved(tmp_path / "sky.png", rgb))
    qtbot.waitUntil(lambda: can_import(dialog), timeout=LONG_MS)
    (size,) = [child for child in dialog.findChildren(QDoubleSpinBox) if child.isVisible()]
    for typed in (3000.0, 3500.0, 1000.0):
        size.setValue(typed)
        assert not can_import(dialog)
    qtbot.waitUntil(lambda: can_import(dialog), timeout=LONG_MS)
    np.testing.assert_array_equal(dialog.values().classes(), classes_of_earth(rgb, heights(), 1000.0))


def test_heights_without_a_unit_are_labelled_in_metres(qtbot: QtBot, tmp_path: Path) -> None:
    grey = HeightMap(np.round(heights() / 1700 * 255), unit=None, suggested=HeightUnit.RANGE, numbers=(0.0, 255.0))
    dialog = ImportHeightsDialog(grey, tmp_path / "dem.png")
    qtbot.addWidget(dialog)
    dialog.show()
    field(dialog, "Pixel size").setValue(2000)
    field(dialog, "Highest").setValue(1700)
    rgb = texture(heights(), (144, 96))
    choose_texture(qtbot, dialog, saved(tmp_path / "sky.png", rgb))
    qtbot.waitUntil(lambda: can_import(dialog), timeout=LONG_MS)
    choice = dialog.values()
    np.testing.assert_array_equal(choice.classes(), classes_of_earth(rgb, choice.height, 2000.0))
    assert choice.height.max() == pytest.approx(heights().max(), abs=4)


def test_other_proportions_are_refused_and_change_nothing(
    qtbot: QtBot, tmp_path: Path, dialog: ImportHeightsDialog
) -> None:
    choose_texture(qtbot, dialog, saved(tmp_path / "wide.png", texture(heights(), (200, 100))))
    qtbot.waitUntil(lambda: "wide.png has 200 × 100 pixels" in words(dialog), timeout=LONG_MS)
    assert not can_import(dialog)
    # A border of a few pixels is accepted.
    choose_another(qtbot, dialog, saved(tmp_path / "sky.png", texture(heights(), (148, 97))))
    qtbot.waitUntil(lambda: can_import(dialog), timeout=LONG_MS)
    assert "wide.png" not in words(dialog)
    ids = dialog.values().classes()
    choose_another(qtbot, dialog, tmp_path / "wide.png")
    qtbot.waitUntil(lambda: "wide.png has" in words(dialog), timeout=LONG_MS)
    np.testing.assert_array_equal(dialog.values().classes(), ids)


def test_a_land_too_small_for_the_labeller_proposes_its_pixel_size(qtbot: QtBot, tmp_path: Path) -> None:
    dialog = ImportHeightsDialog(HeightMap(heights()), tmp_path / "dem.tif")
    qtbot.addWidget(dialog)
    dialog.show()
    assert "the labeller sees" not in words(dialog)
    choose_texture(qtbot, dialog, saved(tmp_path / "sky.png", texture(heights(), (144, 96))))
    assert "the labeller sees 48 × 32 px of the land" in words(dialog)
    press(qtbot, dialog, "Use 2000 m")
    assert field(dialog, "Pixel size").value() == 2000 and "the labeller sees" not in words(dialog)
    qtbot.waitUntil(lambda: can_import(dialog), timeout=LONG_MS)
    qtbot.keyClick(origin(dialog), Qt.Key.Key_Up)
    field(dialog, "Pixel size").setValue(500)
    assert "the labeller sees" not in words(dialog)


def test_a_see_through_sea_is_taken_as_sea(qtbot: QtBot, tmp_path: Path, dialog: ImportHeightsDialog) -> None:
    rgb = texture(heights(), (144, 96))
    sea = (rgb == (15, 35, 75)).all(axis=2)
    clear = np.dstack([np.where(sea[..., None], np.uint8(255), rgb)[:, :, ::-1], np.where(sea, 0, 255)])
    assert cv2.imwrite(str(tmp_path / "sky.png"), clear.astype(np.uint8))
    choose_texture(qtbot, dialog, tmp_path / "sky.png")
    qtbot.waitUntil(lambda: can_import(dialog), timeout=LONG_MS)
    np.testing.assert_array_equal(dialog.values().classes(), classes_of_earth(rgb, heights(), 2000.0))
    assert f"{percent(sea.mean())} of it is see-through and is taken as sea." in words(dialog)


def test_a_file_that_is_no_picture_is_refused(qtbot: QtBot, tmp_path: Path, dialog: ImportHeightsDialog) -> None:
    path = tmp_path / "no.png"
    path.write_bytes(b"no picture")
    choose_texture(qtbot, dialog, path)
    qtbot.waitUntil(lambda: "is not a picture that can be read" in words(dialog), timeout=LONG_MS)
    assert not can_import(dialog)


def test_without_a_texture_the_limits_come_back(qtbot: QtBot, dialog: ImportHeightsDialog) -> None:
    choose_texture(qtbot, dialog, None)
    assert not can_import(dialog) and "Choose a picture" in button(dialog, "Choose a picture…").text()
    qtbot.keyClick(origin(dialog), Qt.Key.Key_Up)
    assert can_import(dialog) and "Sea level" in words(dialog)
    choice = dialog.values()
    np.testing.assert_array_equal(choice.classes(), classes_of_heights(heights(), 2000.0, choice.limits))


def test_finding_classes_can_be_stopped_and_started_again(
    qtbot: QtBot, tmp_path: Path, dialog: ImportHeightsDialog
) -> None:
    rgb = texture(heights(), (144, 96))
    choose_texture(qtbot, dialog, saved(tmp_path / "sky.png", rgb))
    qtbot.waitUntil(lambda: can_import(dialog), timeout=LONG_MS)
    field(dialog, "Pixel size").setValue(1500)
    assert "Finding the classes" in words(dialog)
    press(qtbot, dialog, "Stop")
    assert "Stopped." in words(dialog) and not can_import(dialog)
    qtbot.wait(300)
    assert not can_import(dialog)
    press(qtbot, dialog, "Find the classes again")
    qtbot.waitUntil(lambda: can_import(dialog), timeout=LONG_MS)
    np.testing.assert_array_equal(dialog.values().classes(), classes_of_earth(rgb, heights(), 1500.0))


def test_a_dialog_that_is_closed_stops_its_work(qtbot: QtBot, tmp_path: Path, dialog: ImportHeightsDialog) -> None:
    choose_texture(qtbot, dialog, saved(tmp_path / "sky.png", texture(heights(), (144, 96))))
    press(qtbot, dialog, "Cancel")
    panel = dialog.findChild(TexturePanel)
    assert not dialog.isVisible() and not panel.is_busy
    qtbot.wait(300)
    assert panel.ids is None


def waiting(name: str, started: list[str]) -> Callable[[Progress, Cancel], str]:
    def work(progress: Progress, cancel: Cancel) -> str:
        started.append(name)
        while name == "endless":
            check_cancel(cancel)
        progress(1.0)
        return name

    return work


def test_only_the_newest_job_counts(qtbot: QtBot) -> None:
    started: list[str] = []
    job = NewestJob()
    results: list[object] = []
    job.done.connect(results.append)
    job.start(waiting("endless", started))
    job.start(waiting("overtaken", started))
    with qtbot.waitSignal(job.done):
        job.start(waiting("last", started))
    assert results == ["last"] and "overtaken" not in started and not job.is_wanted


def test_a_stopped_job_emits_nothing(qtbot: QtBot) -> None:
    job = NewestJob()
    with qtbot.assertNotEmitted(job.done, wait=200), qtbot.assertNotEmitted(job.failed):
        job.start(waiting("quick", []))
        job.stop()
    with qtbot.waitSignal(job.done) as heard:
        job.start(waiting("again", []))
    assert heard.args == ["again"]


def test_a_raw_file_is_shown_in_its_likely_format(qtbot: QtBot, tmp_path: Path) -> None:
    path = tmp_path / "a.raw"
    rough = np.random.default_rng(5).normal(30_000, 8_000, (12, 16)).astype(np.float32)
    land = cv2.resize(rough, (240, 96), interpolation=cv2.INTER_CUBIC).clip(0, 65535)
    land.astype(">u2").tofile(path)
    dialog = RawFormatDialog(path)
    qtbot.addWidget(dialog)
    dialog.show()
    assert dialog.values() == RawFormat(96, 240, True)
    sizes, order = combo_of(dialog, "240 × 96 px"), combo_of(dialog, "Big-endian (Mac)")
    offered = [sizes.itemText(number) for number in range(sizes.count())]
    assert "240 × 96 px" in offered and "96 × 240 px" in offered and "32 × 720 px" in offered
    qtbot.keyClick(sizes, Qt.Key.Key_Home)
    qtbot.keyClick(order, Qt.Key.Key_Up)
    assert dialog.values() == RawFormat(720, 32, False)


def test_raw_files_of_other_numbers(qtbot: QtBot, tmp_path: Path) -> None:
    rows, cols = np.indices((96, 120))
    land = 100 + 50 * np.sin(rows / 20) + 40 * np.cos(cols / 25)
    for number in RawNumber:
        path = tmp_path / f"{number}.raw"
        land.astype(number.value).tofile(path)
        dialog = RawFormatDialog(path)
        qtbot.addWidget(dialog)
        numbers = combo_of(dialog, "32-bit float")
        numbers.setCurrentIndex(list(RawNumber).index(number))
        assert combo_of(dialog, "Big-endian (Mac)").isEnabled() == (number is not RawNumber.UINT8)
        combo_of(dialog, "120 × 96 px").setCurrentText("120 × 96 px")
        combo_of(dialog, "Big-endian (Mac)").setCurrentIndex(0)
        assert dialog.values() == RawFormat(96, 120, False, number)
        np.testing.assert_array_equal(read_raw_heights(path, dialog.values()).height, land.astype(number.value))


def test_numbers_that_no_size_fits_cannot_be_chosen(qtbot: QtBot, tmp_path: Path) -> None:
    path = tmp_path / "a.raw"
    path.write_bytes(bytes(35 * 47))
    dialog = RawFormatDialog(path)
    qtbot.addWidget(dialog)
    assert dialog.values().number is RawNumber.UINT8
    model = combo_of(dialog, "32-bit float").model()
    assert [bool(model.flags(model.index(row, 0)) & Qt.ItemFlag.ItemIsEnabled) for row in range(4)] == [
        True, False, False, False
    ]  # fmt: skip


def test_a_raw_file_of_no_size_is_refused(qtbot: QtBot, tmp_path: Path) -> None:
    path = tmp_path / "a.raw"
    path.write_bytes(bytes(99))
    parent = QWidget()
    qtbot.addWidget(parent)
    with pytest.raises(InputFileError, match="not the size of heights"):
        RawFormatDialog(path, parent)
    assert not parent.children()
