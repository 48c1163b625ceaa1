"""Saving in the window, and what is asked and said about it."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEventLoop, QSettings, QStandardPaths, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton
from pytestqt.qtbot import QtBot

from terrainpaint.core.project import Project, Settings, ViewSettings
from terrainpaint.core.project_file import load_project, save_project
from terrainpaint.gui import import_contents, saving
from terrainpaint.gui.notices import Topic
from terrainpaint.gui.window import MainWindow
from tests.core.projects import VIEW, assert_same, full_project
from tests.core.test_journal import full_disk
from tests.gui.files.conftest import SHAPE
from tests.gui.files.steps import opened, press
from tests.gui.windows import Buttons, Person, chooses


def welcome_button(window: MainWindow, text: str) -> QAbstractButton:
    return next(child for child in window.welcome.findChildren(QAbstractButton) if child.text() == text)


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


def test_what_a_killed_save_left_is_removed_at_the_next_start(person: Person, qtbot: QtBot, tmp_path: Path) -> None:
    folder = tmp_path / "projects"
    folder.mkdir()
    person.window.recent_files.add(folder / "a.terrainpaint")
    left = [folder / ".writing-12ab-0.terrainpaint", folder / ".writing-12ab.lock"]
    for path in left:
        path.touch()
    person.window.start(None)
    qtbot.waitUntil(lambda: not any(path.exists() for path in left))


def test_the_folder_of_the_last_file_is_offered(
    person: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert person.window.saving.save_to(tmp_path / "a.terrainpaint")
    assert QSettings().value("folder") == str(tmp_path)
    assert person.window.recent_files.folder() == str(tmp_path)
