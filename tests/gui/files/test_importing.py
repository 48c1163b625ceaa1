"""Importing pictures, maps and heights in the window."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from PySide6.QtWidgets import QComboBox, QDialog
from pytestqt.qtbot import QtBot

from terrainpaint.core.classes import PALETTE
from terrainpaint.core.map_files import write_map
from terrainpaint.core.project import EMPTY
from terrainpaint.core.project_file import load_project
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.gui.dialogs.import_heights import ImportHeightsDialog
from terrainpaint.gui.dialogs.import_picture import ImportPictureDialog
from terrainpaint.gui.dialogs.import_questions import ChoiceDialog, SeeThroughDialog
from terrainpaint.gui.document import Document
from terrainpaint.gui.panels.history_panel import HistoryPanel
from terrainpaint.gui.widgets.class_colours import percent
from terrainpaint.gui.window import MainWindow
from tests.core.projects import full_project
from tests.gui.files.steps import accepted, button, opened, painted, refused, texts
from tests.gui.windows import Buttons, Person, chooses


def first_row(window: MainWindow) -> str:
    """The text of the history before its first step."""
    return window.findChild(HistoryPanel).view.model().index(0, 0).data()


def test_a_class_map_is_imported_exactly(
    person: Person, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "classes.png"
    write_map(path, SegmentationMap(painted((50, 60))), 25.0)
    before = path.read_bytes()
    chooses(monkeypatch, path)
    with qtbot.waitSignal(person.window.document.opened):
        person.window.actions_["import"].trigger()
    assert np.array_equal(person.window.document.ids, painted((50, 60)))
    assert path.read_bytes() == before
    assert person.window.document.settings.pixel_size_m == 25


def test_an_import_is_unsaved_work(
    person: Person, qtbot: QtBot, project_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = person.window
    write_map(tmp_path / "classes.png", SegmentationMap(painted((50, 60))))
    with qtbot.waitSignal(window.autosave.begun):
        opened(person, qtbot, tmp_path / "classes.png")
    assert window.windowTitle() == "*classes – TerrainPaint"
    assert first_row(window) == "Imported from classes.png"
    person.answer = Buttons.Cancel
    window.opening.open_path(project_file)
    assert not window.close()
    assert person.asked == ['"classes" has unsaved changes.'] * 2
    chooses(monkeypatch, tmp_path / "kept")
    window.actions_["save"].trigger()
    assert np.array_equal(load_project(tmp_path / "kept.terrainpaint")[0].layers[0].cells, painted((50, 60)))
    opened(person, qtbot, project_file)
    assert len(person.asked) == 2
    assert first_row(window) == "Opened"


def test_a_photo_is_imported_through_its_dialog(person: Person, qtbot: QtBot, tmp_path: Path) -> None:
    ids = painted((60, 80))
    noise = np.random.default_rng(1).integers(-8, 9, (60, 80, 3))
    rgb = np.clip(PALETTE[ids].astype(int) + noise, 0, 255).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "photo.png"), rgb[:, :, ::-1])

    with qtbot.waitSignal(person.window.document.opened), person.in_dialog(ImportPictureDialog, accepted(qtbot)):
        person.window.opening.open_path(tmp_path / "photo.png")
    assert np.array_equal(person.window.document.ids, ids)
    assert "photo.png was imported" in person.sentence


def test_heights_are_imported_through_their_dialog(person: Person, qtbot: QtBot, tmp_path: Path) -> None:
    rows, cols = np.indices((70, 90))
    height = (np.hypot(rows - 35, cols - 45) * -40 + 1200).astype(np.float32)
    cv2.imwrite(str(tmp_path / "heights.tif"), height)
    with qtbot.waitSignal(person.window.document.opened), person.in_dialog(ImportHeightsDialog, QDialog.accept):
        person.window.opening.open_path(tmp_path / "heights.tif")
    ids = person.window.document.ids
    assert ids.shape == (70, 90)
    assert ids[0, 0] == 0, "below the sea"
    assert ids[35, 45] != 0


def test_a_map_with_see_through_parts_asks_what_lies_under_it(person: Person, qtbot: QtBot, tmp_path: Path) -> None:
    ids = painted((50, 60))
    shown = np.where(ids == 2, np.uint8(0), np.uint8(255))
    cv2.imwrite(str(tmp_path / "holes.png"), np.dstack([PALETTE[ids][:, :, ::-1], shown]))

    def answer(dialog: SeeThroughDialog) -> None:
        assert f"{percent((ids == 2).mean())} of the picture is see-through" in texts(dialog)
        dialog.findChild(QComboBox).setCurrentIndex(4)
        dialog.accept()

    with qtbot.waitSignal(person.window.document.opened), person.in_dialog(SeeThroughDialog, answer):
        person.window.opening.open_path(tmp_path / "holes.png")
    document = person.window.document
    assert np.array_equal(document.ids, np.where(ids == 2, 4, ids))
    assert document.settings.base_class == 4
    assert np.array_equal(document.project.layers[0].cells == EMPTY, ids == 2)


def test_the_first_picture_of_an_animation_is_imported(person: Person, qtbot: QtBot, tmp_path: Path) -> None:
    frames = [Image.fromarray(PALETTE[ids]) for ids in (painted((50, 60)), 6 - painted((50, 60)))]
    frames[0].save(tmp_path / "map.gif", save_all=True, append_images=frames[1:])
    opened(person, qtbot, tmp_path / "map.gif")
    assert np.array_equal(person.window.document.ids, painted((50, 60)))
    assert "It has 2 pictures; the first one is used." in person.sentence


def terrarium(path: Path) -> np.ndarray:
    """Write heights as colours and return them, (64, 80) metres."""
    rows, cols = np.indices((64, 80))
    height = (1500 - 40 * np.hypot(rows - 32, cols - 40)).astype(np.float32)
    numbers = np.round((height + 32768) * 256).astype(np.int64)
    rgb = np.dstack([numbers >> 16, numbers >> 8 & 255, numbers & 255]).astype(np.uint8)
    cv2.imwrite(str(path), rgb[:, :, ::-1])
    return height


def test_heights_as_colours_are_offered_as_heights(person: Person, qtbot: QtBot, tmp_path: Path) -> None:
    height = terrarium(tmp_path / "tile.png")
    shown: list[float] = []

    def look(dialog: ImportHeightsDialog) -> None:
        shown.append(float(np.abs(dialog.values().height - height).max()))
        dialog.accept()

    with (
        qtbot.waitSignal(person.window.document.opened, timeout=20_000),
        person.in_dialog(ImportHeightsDialog, look),
        person.in_dialog(ChoiceDialog, lambda dialog: button(dialog, "Heights").click()),
    ):
        person.window.opening.open_path(tmp_path / "tile.png")
    assert shown[0] < 0.01
    assert person.window.document.ids[0, 0] == 0 and person.window.document.ids[32, 40] != 0


def test_heights_as_colours_can_be_a_picture(person: Person, qtbot: QtBot, tmp_path: Path) -> None:
    terrarium(tmp_path / "tile.png")
    with (
        qtbot.waitSignal(person.window.document.opened, timeout=20_000),
        person.in_dialog(ImportPictureDialog, accepted(qtbot)),
        person.in_dialog(ChoiceDialog, lambda dialog: button(dialog, "Picture").click()),
    ):
        person.window.opening.open_path(tmp_path / "tile.png")
    assert person.window.document.shape == (64, 80)


@pytest.mark.parametrize(("answer", "kind"), [("Heights", ImportHeightsDialog), ("Picture", ImportPictureDialog)])
def test_a_grey_picture_can_be_heights_or_a_picture(
    person: Person, qtbot: QtBot, tmp_path: Path, answer: str, kind: type[QDialog]
) -> None:
    grey = np.linspace(0, 255, 80).astype(np.uint8)[None].repeat(60, axis=0)
    cv2.imwrite(str(tmp_path / "grey.png"), grey)
    with (
        qtbot.waitSignal(person.window.document.opened, timeout=20_000),
        person.in_dialog(kind, accepted(qtbot)),
        person.in_dialog(ChoiceDialog, lambda dialog: button(dialog, answer).click()),
    ):
        person.window.opening.open_path(tmp_path / "grey.png")
    assert person.window.document.shape == (60, 80)


def test_a_class_map_larger_than_a_document_is_offered_reduced(person: Person, qtbot: QtBot, tmp_path: Path) -> None:
    ids = np.repeat(np.arange(5, dtype=np.uint8), 4000)[None].repeat(80, axis=0)
    write_map(tmp_path / "wide.png", SegmentationMap(ids))

    def answer(dialog: ChoiceDialog) -> None:
        assert "20000 × 80 pixels" in texts(dialog) and "16384 × 66" in texts(dialog)
        button(dialog, "Reduce").click()

    with qtbot.waitSignal(person.window.document.opened), person.in_dialog(ChoiceDialog, answer):
        person.window.opening.open_path(tmp_path / "wide.png")
    assert person.window.document.shape == (66, 16_384)
    assert person.window.document.ids[0, [0, 5000, 16_383]].tolist() == [0, 1, 4]


def test_a_cancelled_dialog_imports_nothing(person: Person, tmp_path: Path) -> None:
    before = person.window.document.project
    cv2.imwrite(str(tmp_path / "photo.png"), np.full((60, 80, 3), 77, np.uint8))
    with person.in_dialog(QDialog, QDialog.reject):
        person.window.opening.open_path(tmp_path / "photo.png")
    assert person.window.document.project is before


def test_openraster_is_imported_with_its_layers(person: Person, qtbot: QtBot, project_file: Path) -> None:
    """A project is an OpenRaster file; with another suffix it is imported as one."""
    path = project_file.with_suffix(".ora")
    project_file.rename(path)
    opened(person, qtbot, path)
    document = person.window.document
    assert document.shape == full_project().shape
    own = Document(full_project())
    assert np.array_equal(document.ids, own.ids)
    assert len(document.project.layers) >= len(own.project.layers)
    assert document.path is None


def test_a_reference_picture_is_loaded(
    person: Person, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cv2.imwrite(str(tmp_path / "photo.png"), np.full((60, 80, 3), (10, 20, 30), np.uint8))
    chooses(monkeypatch, tmp_path / "photo.png")
    with qtbot.waitSignal(person.window.document.underlay_changed):
        person.window.actions_["underlay"].trigger()
    underlay = person.window.document.project.underlay
    assert underlay is not None
    assert underlay.picture.shape == (60, 80, 3)
    assert tuple(underlay.picture[0, 0]) == (30, 20, 10)
    placed = underlay.placed(person.window.document.shape)
    assert placed.width / placed.height == pytest.approx(80 / 60), "it keeps its proportions"


def test_a_see_through_reference_picture_asks_for_a_colour(
    person: Person, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels = np.full((60, 80, 4), (10, 20, 30, 255), np.uint8)
    pixels[:, :20, 3] = 0
    cv2.imwrite(str(tmp_path / "photo.png"), pixels)
    chooses(monkeypatch, tmp_path / "photo.png")

    def answer(dialog: SeeThroughDialog) -> None:
        dialog.findChild(QComboBox).setCurrentText("Black")
        dialog.accept()

    with (
        qtbot.waitSignal(person.window.document.underlay_changed),
        person.in_dialog(SeeThroughDialog, answer),
    ):
        person.window.actions_["underlay"].trigger()
    underlay = person.window.document.project.underlay
    assert underlay is not None
    assert underlay.picture[5, [5, 50]].tolist() == [[0, 0, 0], [30, 20, 10]]


@pytest.mark.parametrize("shape", [(8, 8), (20, 300)])
def test_a_picture_that_is_too_small_is_enlarged(
    person: Person, qtbot: QtBot, tmp_path: Path, shape: tuple[int, int]
) -> None:
    cv2.imwrite(str(tmp_path / "tiny.png"), np.broadcast_to(PALETTE[2][::-1], (*shape, 3)))
    with qtbot.waitSignal(person.window.document.opened), person.in_dialog(ImportPictureDialog, accepted(qtbot)):
        person.window.opening.open_path(tmp_path / "tiny.png")
    assert (person.window.document.ids == 2).all()
    assert min(person.window.document.shape) == 32


@pytest.mark.parametrize("shape", [(8, 8), (20, 300)])
def test_too_few_heights_get_a_message(person: Person, qtbot: QtBot, tmp_path: Path, shape: tuple[int, int]) -> None:
    before = person.window.document.project
    cv2.imwrite(str(tmp_path / "tiny.tif"), np.arange(shape[0] * shape[1], dtype=np.float32).reshape(shape))
    assert "tiny.tif" in refused(person, qtbot, tmp_path / "tiny.tif")
    assert person.window.document.project is before
