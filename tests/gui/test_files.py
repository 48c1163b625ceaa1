"""Opening, saving, importing and exporting in the window, with real files."""

from __future__ import annotations

import shutil
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QEventLoop, QMimeData, QSettings, QStandardPaths, Qt, QTimer, QUrl
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QComboBox, QDialog, QDialogButtonBox, QLabel, QMenu, QPushButton
from pytestqt.qtbot import QtBot

from terrainpaint.core.classes import PALETTE
from terrainpaint.core.map_files import read_map, write_map
from terrainpaint.core.project import EMPTY, Project, Settings, ViewSettings
from terrainpaint.core.project_file import load_project, save_project
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.gui import import_contents, saving
from terrainpaint.gui.dialogs.import_heights import ImportHeightsDialog
from terrainpaint.gui.dialogs.import_picture import ImportPictureDialog
from terrainpaint.gui.dialogs.import_questions import ChoiceDialog, SeeThroughDialog
from terrainpaint.gui.document import Document
from terrainpaint.gui.notices import Topic
from terrainpaint.gui.panels.history_panel import HistoryPanel
from terrainpaint.gui.widgets.basics import accept_button
from terrainpaint.gui.widgets.class_colours import percent
from terrainpaint.gui.window import MainWindow
from tests.core.projects import VIEW, assert_same, blotches, full_project
from tests.core.test_journal import full_disk
from tests.gui.windows import Buttons, Person, chooses, open_window

SHAPE = (160, 240)


def painted(shape: tuple[int, int]) -> np.ndarray:
    return blotches(shape, 3) % 7


@pytest.fixture
def person(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, empty_folders: Path) -> Iterator[Person]:
    with open_window(qtbot, monkeypatch) as person:
        person.opens(Project.empty(SHAPE, Settings(100.0, "atlas")))
        yield person


@pytest.fixture
def project_file(tmp_path: Path) -> Path:
    path = tmp_path / "land.terrainpaint"
    save_project(path, full_project(), VIEW, None)
    return path


def opened(person: Person, qtbot: QtBot, path: Path) -> None:
    with qtbot.waitSignal(person.window.document.opened, timeout=20_000):
        person.window.opening.open_path(path)


def refused(person: Person, qtbot: QtBot, path: Path) -> str:
    """The message about a file that cannot be used."""
    with qtbot.waitSignal(person.window.jobs.failed, timeout=20_000) as heard:
        person.window.opening.open_path(path)
    assert person.sentence == heard.args[0]
    return person.sentence


def accepted(qtbot: QtBot) -> Callable[[QDialog], None]:
    """Press the button of the dialog once it has read the picture."""

    def accept(dialog: QDialog) -> None:
        qtbot.waitUntil(accept_button(dialog.findChild(QDialogButtonBox)).isEnabled, timeout=20_000)
        dialog.accept()

    return accept


def press(window: MainWindow, text: str) -> None:
    """A button of the bar of messages."""
    (button,) = [
        child for child in window.message_bar.findChildren(QAbstractButton)
        if child.text() == text and child.isVisible()
    ]  # fmt: skip
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def texts(dialog: QDialog) -> str:
    """All labels of a dialog."""
    return " ".join(label.text() for label in dialog.findChildren(QLabel))


def button(dialog: QDialog, text: str) -> QPushButton:
    return next(child for child in dialog.findChildren(QPushButton) if child.text() == text)


def welcome_button(window: MainWindow, text: str) -> QAbstractButton:
    return next(child for child in window.welcome.findChildren(QAbstractButton) if child.text() == text)


def first_row(window: MainWindow) -> str:
    """The text of the history before its first step."""
    return window.findChild(HistoryPanel).view.model().index(0, 0).data()


def recent_menu(person: Person) -> QMenu:
    return next(menu for menu in person.window.findChildren(QMenu) if menu.title() == "Open &recent")


# Save and open


def test_save_as_save_and_open(person: Person, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    window, document = person.window, person.window.document
    chooses(monkeypatch, tmp_path / "bay")
    person.paints((50, 50), (60, 90))
    first = document.ids.copy()
    window.actions_["save"].trigger()
    path = tmp_path / "bay.terrainpaint"
    assert person.sentence == f"Saved to {path}."
    assert window.windowTitle() == "bay – TerrainPaint"
    person.paints((90, 50), (99, 90))
    assert window.windowTitle() == "*bay – TerrainPaint"
    assert np.array_equal(load_project(path)[0].layers[0].cells != 255, first != 0)
    window.actions_["save"].trigger()
    assert window.windowTitle() == "bay – TerrainPaint"
    second = document.ids.copy()

    chooses(monkeypatch, tmp_path / "other.v2.terrainpaint")
    document.view = ViewSettings(sun_azimuth_deg=17.0)
    window.actions_["save_as"].trigger()
    assert document.path == tmp_path / "other.v2.terrainpaint"
    assert sorted(entry.name for entry in tmp_path.glob("*.terrainpaint")) == [
        "bay.terrainpaint", "other.v2.terrainpaint",
    ]  # fmt: skip

    person.opens(Project.empty((64, 64), Settings(100.0, "atlas")))
    chooses(monkeypatch, tmp_path / "other.v2.terrainpaint")
    with qtbot.waitSignal(document.opened):
        window.actions_["open"].trigger()
    assert np.array_equal(document.ids, second)
    assert document.view.sun_azimuth_deg == 17.0
    assert not document.is_dirty
    assert [item.name for item in window.recent_files.paths()] == ["other.v2.terrainpaint", "bay.terrainpaint"]


def test_cancel_saves_and_opens_nothing(person: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chooses(monkeypatch, "")
    person.paints((50, 50), (60, 90))
    for name in ("save", "save_as", "export_map", "underlay"):
        person.window.actions_[name].trigger()
    for name in ("open", "import"):
        person.window.actions_[name].trigger()
    assert list(tmp_path.glob("*.*")) == []
    assert person.window.document.is_dirty
    assert person.asked == []


def test_all_of_a_project_comes_back(person: Person, qtbot: QtBot, project_file: Path, tmp_path: Path) -> None:
    opened(person, qtbot, project_file)
    document = person.window.document
    assert_same(document.project, full_project())
    assert document.view == VIEW
    assert person.window.saving.save_to(tmp_path / "again.terrainpaint")
    assert_same(load_project(tmp_path / "again.terrainpaint")[0], full_project())


def test_a_save_that_fails_leaves_the_star_until_it_succeeds(
    person: Person, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = person.window
    (tmp_path / "file").write_bytes(b"")
    target = tmp_path / "file" / "a.terrainpaint"
    person.paints((50, 50), (60, 90))
    for _ in range(5):  # it fails at once: nothing of it may get lost
        assert not window.saving.save_to(target)
        assert "part of the path is a file" in person.sentence
        assert window.document.is_dirty
        assert window.document.path is None
    assert window.recent_files.paths() == []
    with qtbot.waitSignal(window.saving.failed):
        press(window, "Try again")
    assert list(window.message_bar.texts) == [Topic.SAVE]
    (tmp_path / "file").unlink()
    (tmp_path / "file").mkdir()
    press(window, "Try again")
    qtbot.waitUntil(target.exists)
    assert not window.document.is_dirty
    assert window.message_bar.texts == {}


def test_save_as_is_offered_where_a_save_failed(
    person: Person, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.terrainpaint").mkdir()
    assert not person.window.saving.save_to(tmp_path / "a.terrainpaint")
    assert "it is a folder" in person.sentence
    chooses(monkeypatch, tmp_path / "b")
    press(person.window, "Save as…")
    qtbot.waitUntil((tmp_path / "b.terrainpaint").exists)
    qtbot.waitUntil(lambda: person.window.message_bar.texts == {})


@pytest.mark.parametrize("answer", [Buttons.Yes, Buttons.Cancel])
def test_a_folder_that_is_gone_is_made_only_when_asked(person: Person, tmp_path: Path, answer: Buttons) -> None:
    path = tmp_path / "disk" / "maps" / "a.terrainpaint"
    path.parent.mkdir(parents=True)
    assert person.window.saving.save_to(path)
    shutil.rmtree(tmp_path / "disk")
    person.paints((50, 50), (60, 90))
    person.answer = answer
    person.window.actions_["save"].trigger()
    assert len(person.asked) == 1 and 'maps" does not exist' in person.asked[0]
    assert path.exists() == (tmp_path / "disk").exists() == (answer == Buttons.Yes)
    assert person.window.document.is_dirty == (answer == Buttons.Cancel)
    if answer == Buttons.Cancel:
        assert person.window.recent_files.folder() == str(Path.home())
        person.window.saving.save_unasked()
        assert len(person.asked) == 1 and "does not exist any more" in person.sentence


@pytest.mark.parametrize("answer", [Buttons.Yes, Buttons.Cancel])
def test_a_file_that_the_added_suffix_meets_is_replaced_only_when_asked(
    person: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: Buttons
) -> None:
    (tmp_path / "bay.v2.terrainpaint").write_bytes(b"before")
    chooses(monkeypatch, tmp_path / "bay.v2")
    person.answer = answer
    person.window.actions_["save_as"].trigger()
    assert len(person.asked) == 1 and "bay.v2.terrainpaint" in person.asked[0]
    assert ((tmp_path / "bay.v2.terrainpaint").read_bytes() == b"before") == (answer == Buttons.Cancel)


def test_the_user_cannot_paint_during_a_save(
    person: Person, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would count as saved. Timers of the program keep running."""
    kinds, turned, run = [], threading.Event(), QEventLoop.exec

    def watched(loop: QEventLoop, kind: QEventLoop.ProcessEventsFlag = QEventLoop.ProcessEventsFlag.AllEvents) -> int:
        kinds.append(kind)
        return run(loop, kind)

    def slow(*args: object) -> None:
        assert turned.wait(60)
        save_project(*args)

    monkeypatch.setattr(QEventLoop, "exec", watched)
    monkeypatch.setattr(saving, "save_project", slow)
    QTimer.singleShot(0, turned.set)
    assert person.window.saving.save_to(tmp_path / "a.terrainpaint")
    assert kinds == [QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents]


@pytest.mark.parametrize("answer", [Buttons.Save, Buttons.Yes, Buttons.Cancel])
def test_a_file_that_another_program_changed_is_replaced_only_when_asked(
    person: Person, qtbot: QtBot, project_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: Buttons
) -> None:
    opened(person, qtbot, project_file)
    person.looks_at(1)
    chooses(monkeypatch, tmp_path / "mine.terrainpaint")
    person.paints((20, 20), (30, 30))
    assert person.window.saving.save() and not person.asked
    others = Project.empty((40, 50), Settings(100.0, "atlas"))
    save_project(project_file, others, VIEW, None)
    person.paints((30, 30), (40, 50))
    person.answer = answer
    person.window.saving.save_unasked()
    assert not person.asked and "was changed by another program" in person.sentence
    assert person.window.saving.save() == (answer != Buttons.Cancel)
    assert len(person.asked) == 1
    assert (load_project(project_file)[0].shape == (40, 50)) == (answer != Buttons.Yes)
    assert (tmp_path / "mine.terrainpaint").exists() == (answer == Buttons.Save)
    # Nothing is asked about a file that is the own one again.
    assert answer == Buttons.Cancel or (person.window.saving.save() and len(person.asked) == 1)


def test_a_file_that_another_program_writes_while_it_is_opened_or_saved_is_not_lost(
    person: Person, qtbot: QtBot, project_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = Project.empty((40, 50), Settings(100.0, "atlas"))

    def read_then_changed(*args: object) -> object:
        found = load_project(*args)
        save_project(project_file, others, VIEW, None)
        return found

    with monkeypatch.context() as patched:
        patched.setattr(import_contents, "load_project", read_then_changed)
        opened(person, qtbot, project_file)
    person.looks_at(1)
    person.paints((20, 20), (30, 30))
    person.answer = Buttons.Yes
    assert person.window.saving.save() and len(person.asked) == 1, "it is not the file that was opened"
    written = saving.save_project

    def changed_then_written(*args: object) -> object:
        save_project(project_file, others, VIEW, None)
        return written(*args)

    person.paints((30, 30), (40, 50))
    with monkeypatch.context() as patched:
        patched.setattr(saving, "save_project", changed_then_written)
        assert not person.window.saving.save()
    assert "changed by another program" in person.sentence
    assert load_project(project_file)[0].shape == (40, 50)
    assert person.window.saving.try_again() and len(person.asked) == 2
    assert load_project(project_file)[0].shape == person.window.document.shape


@pytest.mark.parametrize("answer", [Buttons.Save, Buttons.Discard, Buttons.Cancel])
def test_another_document_asks_about_unsaved_work(
    person: Person, qtbot: QtBot, project_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: Buttons
) -> None:
    document = person.window.document
    chooses(monkeypatch, tmp_path / "kept")
    person.paints((50, 50), (60, 90))
    painted = document.ids.copy()
    person.answer = answer
    person.window.opening.open_path(project_file)
    if answer == Buttons.Cancel:
        qtbot.wait(100)
        assert np.array_equal(document.ids, painted)
        assert document.is_dirty
    else:
        qtbot.waitUntil(lambda: document.path == project_file)
    assert len(person.asked) == 1
    kept = tmp_path / "kept.terrainpaint"
    assert kept.exists() == (answer == Buttons.Save)
    if answer == Buttons.Save:
        assert np.array_equal(load_project(kept)[0].layers[0].cells != 255, painted != 0)


def test_a_save_that_is_cancelled_keeps_the_document(
    person: Person, qtbot: QtBot, project_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chooses(monkeypatch, "")
    person.paints((50, 50), (60, 90))
    person.answer = Buttons.Save
    before = person.window.document.project
    person.window.opening.open_path(project_file)
    assert not person.window.close()
    qtbot.wait(100)
    assert person.window.document.project is before


def test_recovery_that_is_off_is_shown_until_it_works(
    person: Person, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = person.window
    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full_disk)
        with qtbot.waitSignal(window.autosave.failed):
            person.paints((50, 50), (60, 90))
        assert list(window.message_bar.texts) == [Topic.AUTOSAVE]
        assert "Recovery of unsaved work is off" in person.sentence
        assert window.status.recovery_label.isVisible()
    with qtbot.waitSignal(window.autosave.works):
        window.document.add_layer()
        window.autosave.begin()
    assert window.message_bar.texts == {}


def test_a_journal_that_cannot_be_read_is_said_until_there_is_another_document(
    person: Person, qtbot: QtBot, tmp_path: Path
) -> None:
    window = person.window
    folder = Path(QStandardPaths.writableLocation(QStandardPaths.StandardLocation.AppDataLocation)) / "recovery"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "broken.journal").write_bytes(b"nothing of ours")
    window.recovery.look()
    window.show_welcome()
    QTest.mouseClick(welcome_button(window, "Recover"), Qt.MouseButton.LeftButton)
    assert list(window.message_bar.texts) == [Topic.RECOVER]
    assert "cannot be recovered" in person.sentence
    for person.answer in (Buttons.Cancel, Buttons.Discard):
        assert (folder / "broken.journal").exists()
        QTest.mouseClick(welcome_button(window, "Discard"), Qt.MouseButton.LeftButton)
        assert '"broken"' in person.asked[-1]
    assert not (folder / "broken.journal").exists()
    assert not welcome_button(window, "Discard").isVisible()
    person.opens(Project.empty(SHAPE, Settings(100.0, "atlas")))
    assert window.message_bar.texts == {}


def test_a_failure_of_the_program_is_shown_until_the_document_is_saved(person: Person, tmp_path: Path) -> None:
    window = person.window
    window.say_bug()
    assert list(window.message_bar.texts) == [Topic.PROGRAM]
    assert window.saving.save_to(tmp_path / "a.terrainpaint")
    assert window.message_bar.texts == {}


# Recent files and drops


def test_recent_files_are_in_the_menu_and_on_the_welcome_page(
    person: Person, qtbot: QtBot, project_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = person.window
    menu = recent_menu(person)
    assert not menu.isEnabled()
    opened(person, qtbot, project_file)
    assert window.saving.save_to(tmp_path / "two.terrainpaint")
    assert [item.text() for item in menu.actions()][:2] == [str(tmp_path / "two.terrainpaint"), str(project_file)]
    with qtbot.waitSignal(window.document.opened):
        menu.actions()[1].trigger()
    assert window.document.path == project_file
    assert window.recent_files.paths() == [project_file, tmp_path / "two.terrainpaint"]
    window.show_welcome()
    with qtbot.waitSignal(window.document.opened):
        window.welcome.recent_chosen.emit(tmp_path / "two.terrainpaint")
    assert window.canvas.isVisible()
    person.closes()
    with open_window(qtbot, monkeypatch) as again:
        assert len(again.window.recent_files.paths()) == 2
        next(action for action in recent_menu(again).actions() if "Clear" in action.text()).trigger()
        assert again.window.recent_files.paths() == []
        assert not recent_menu(again).isEnabled()


def test_what_a_killed_save_left_is_removed_at_the_next_start(person: Person, qtbot: QtBot, tmp_path: Path) -> None:
    folder = tmp_path / "projects"
    folder.mkdir()
    person.window.recent_files.add(folder / "a.terrainpaint")
    left = [folder / ".writing-12ab-0.terrainpaint", folder / ".writing-12ab.lock"]
    for path in left:
        path.touch()
    person.window.start(None)
    qtbot.waitUntil(lambda: not any(path.exists() for path in left))


def test_recent_files_are_ten_at_most(person: Person, tmp_path: Path) -> None:
    for number in range(12):
        assert person.window.saving.save_to(tmp_path / f"{number}.terrainpaint")
    assert [path.stem for path in person.window.recent_files.paths()] == [str(number) for number in range(11, 1, -1)]


def test_a_recent_file_that_is_gone(person: Person, qtbot: QtBot, project_file: Path, tmp_path: Path) -> None:
    window, before = person.window, person.window.document.project
    assert "no such file" in refused(person, qtbot, tmp_path / "gone.terrainpaint")
    assert window.document.project is before
    window.show_welcome()
    assert list(window.message_bar.texts) == [Topic.OPEN] and window.message_bar.isVisible()
    shutil.copy(project_file, tmp_path / "gone.terrainpaint")
    with qtbot.waitSignal(window.document.opened):
        press(window, "Try again")
    assert window.document.path == tmp_path / "gone.terrainpaint"
    assert window.message_bar.texts == {}


def test_a_project_and_a_map_are_dropped(person: Person, qtbot: QtBot, project_file: Path, tmp_path: Path) -> None:
    document = person.window.document
    with qtbot.waitSignal(document.opened):
        person.drops(project_file)
    assert document.path == project_file
    write_map(tmp_path / "classes.png", SegmentationMap(painted((50, 60))))
    with qtbot.waitSignal(document.opened):
        person.drops(tmp_path / "classes.png")
    assert np.array_equal(document.ids, painted((50, 60)))
    assert (document.name, document.path, document.is_dirty) == ("classes", None, True)


# Import


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


def stripped(project_file: Path, path: Path) -> Path:
    """The project as another program saves it again: without the parts that OpenRaster does not know."""
    with zipfile.ZipFile(project_file) as archive, zipfile.ZipFile(path, "w") as again:
        for name in archive.namelist():
            if not name.startswith("terrain/"):
                again.writestr(name, archive.read(name))
    return path


@pytest.mark.parametrize("way", ["open_path", "import_path"])
def test_a_project_that_another_program_saved_opens_as_its_layers(
    person: Person, qtbot: QtBot, project_file: Path, tmp_path: Path, way: str
) -> None:
    path = stripped(project_file, tmp_path / "again.terrainpaint")
    document = person.window.document
    with qtbot.waitSignal(document.opened):
        getattr(person.window.opening, way)(path)
    assert np.array_equal(document.ids, Document(full_project()).ids)
    assert len(document.project.layers) == len(full_project().layers)
    assert (document.path, document.name, document.is_dirty) == (None, "again", True)
    assert "again.terrainpaint was saved by another program" in person.sentence


def test_a_project_is_opened_under_any_name(person: Person, qtbot: QtBot, project_file: Path, tmp_path: Path) -> None:
    project_file.rename(tmp_path / "land.zip")
    opened(person, qtbot, tmp_path / "land.zip")
    assert_same(person.window.document.project, full_project())
    assert person.window.document.path is None


def test_a_file_of_the_clipboard_is_opened(person: Person, qtbot: QtBot, tmp_path: Path) -> None:
    path = tmp_path / "my map & more.png"
    write_map(path, SegmentationMap(painted((50, 60))))
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    QGuiApplication.clipboard().setMimeData(data)
    with qtbot.waitSignal(person.window.document.opened):
        person.window.actions_["paste"].trigger()
    assert np.array_equal(person.window.document.ids, painted((50, 60)))
    person.opens(Project.empty(SHAPE, Settings(100.0, "atlas")))
    QGuiApplication.clipboard().setText(path.as_uri())
    with qtbot.waitSignal(person.window.document.opened):
        person.window.actions_["paste"].trigger()
    assert person.window.document.name == "my map & more"


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


def test_the_map_is_exported_as_a_picture(
    person: Person, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chooses(monkeypatch, tmp_path / "out")
    person.opens(Project.painted(painted((50, 60)), Settings(100.0, "atlas")))
    with qtbot.waitSignal(person.window.exporting.written):
        person.window.actions_["export_map"].trigger()
    assert np.array_equal(read_map(tmp_path / "out.png").ids, painted((50, 60)))
    assert person.sentence == f"out.png was written to {tmp_path}."


@pytest.mark.parametrize("answer", [Buttons.Yes, Buttons.Cancel])
def test_an_export_of_the_map_makes_no_folder_unasked(
    person: Person, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: Buttons
) -> None:
    chooses(monkeypatch, tmp_path / "new" / "out.v2")
    person.answer = answer
    person.window.actions_["export_map"].trigger()
    if answer == Buttons.Yes:
        qtbot.waitUntil(lambda: person.sentence == f"out.v2.png was written to {tmp_path / 'new'}.")
    assert len(person.asked) == 1
    assert (tmp_path / "new").exists() == (tmp_path / "new" / "out.v2.png").exists() == (answer == Buttons.Yes)


def test_a_failed_export_of_the_map_is_shown_until_it_succeeds(
    person: Person, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out.png").mkdir()
    chooses(monkeypatch, tmp_path / "out.png")
    with qtbot.waitSignal(person.window.exporting.failed):
        person.window.actions_["export_map"].trigger()
    assert "out.png could not be written: it is a folder" in person.sentence
    (tmp_path / "out.png").rmdir()
    with qtbot.waitSignal(person.window.exporting.written):
        press(person.window, "Try again")
    assert person.sentence == f"out.png was written to {tmp_path}."


def test_there_is_nothing_to_export_before_anything_was_generated(person: Person) -> None:
    person.window.actions_["export"].trigger()
    assert "no terrain to export yet" in person.sentence


# Files that cannot be used


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("foreign.terrainpaint", b"PK\x03\x04 nothing of ours"),
        ("empty.terrainpaint", b""),
        ("text.png", b"no picture"),
        ("text.tif", b"no picture"),
        ("text.ora", b"no archive"),
        ("odd.xyz", b"whatever"),
    ],
)
def test_foreign_files_get_a_message(person: Person, qtbot: QtBot, tmp_path: Path, name: str, content: bytes) -> None:
    before, ids = person.window.document.project, person.window.document.ids.copy()
    (tmp_path / name).write_bytes(content)
    sentence = refused(person, qtbot, tmp_path / name)
    assert name in sentence
    assert len(sentence.splitlines()) == 1
    assert sentence.endswith(".")
    assert person.window.document.project is before
    assert np.array_equal(person.window.document.ids, ids)
    assert person.window.recent_files.paths() == []


def test_a_picture_that_is_cut_short_says_so(person: Person, qtbot: QtBot, tmp_path: Path) -> None:
    noise = np.random.default_rng(2).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    whole = cv2.imencode(".png", noise)[1].tobytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    assert "cut.png is damaged or cut short" in refused(person, qtbot, tmp_path / "cut.png")


def test_a_damaged_project_gets_a_message(person: Person, qtbot: QtBot, project_file: Path, tmp_path: Path) -> None:
    before = person.window.document.project
    data = project_file.read_bytes()
    (tmp_path / "half.terrainpaint").write_bytes(data[: len(data) // 2])
    assert "half.terrainpaint" in refused(person, qtbot, tmp_path / "half.terrainpaint")
    assert person.window.document.project is before


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


def test_the_folder_of_the_last_file_is_offered(
    person: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert person.window.saving.save_to(tmp_path / "a.terrainpaint")
    assert QSettings().value("folder") == str(tmp_path)
    assert person.window.recent_files.folder() == str(tmp_path)
