"""Recovery goes on after any error, and says while it cannot."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from terrainpaint.core.painting import rectangle
from terrainpaint.core.project_file import save_project
from terrainpaint.gui import recovery
from terrainpaint.gui.document import Document
from terrainpaint.gui.panels.history_panel import HistoryPanel
from terrainpaint.gui.panels.status_bar import StatusInfo
from terrainpaint.gui.recovery import Autosave, Recovery
from tests.core.projects import assert_same
from tests.core.test_journal import full_disk
from tests.gui.painter import SHAPE, new_document

MARK = rectangle((10, 10), (60, 80), SHAPE)


@pytest.fixture
def document(monkeypatch: pytest.MonkeyPatch) -> Document:
    monkeypatch.setattr(recovery, "RETRY_MS", 50)
    return new_document()


def test_a_layer_that_a_full_disk_lost_is_written_when_there_is_room(
    qtbot: QtBot, document: Document, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    autosave = Autosave(document, tmp_path / "journals")
    messages: list[str] = []
    autosave.failed.connect(messages.append)
    with qtbot.waitSignal(autosave.begun):
        document.paint_mark("Paint", MARK, 3)
    with monkeypatch.context() as patched:
        patched.setattr("os.write", full_disk)
        patched.setattr("os.fsync", full_disk)
        with qtbot.waitSignal(autosave.works) as works:
            document.add_layer()
            document.paint_mark("Paint", rectangle((0, 0), (40, 40), SHAPE), 5)
        assert works.args == [False]
        qtbot.wait(200)  # some retries that fail
    with qtbot.waitSignal(autosave.works) as works:
        document.paint_mark("Paint", rectangle((20, 20), (50, 50), SHAPE), 2)
    assert works.args == [True]
    assert len(messages) == 1 and "Recovery of unsaved work is off" in messages[0]
    autosave.close()
    (path,) = (tmp_path / "journals").glob("*.journal")
    (tmp_path / "killed").mkdir()
    os.link(path, tmp_path / "killed" / path.name)
    (journal,) = recovery.abandoned_journals(tmp_path / "killed")
    assert_same(recovery.recover(journal)[0], document.project)


def test_after_catching_up_the_journal_has_every_step(document: Document, tmp_path: Path) -> None:
    autosave = Autosave(document, tmp_path / "journals")
    for size in range(2, 60):
        document.paint_mark("Paint", rectangle((0, 0), (size, size), SHAPE), size % 7)
    autosave.catch_up()
    (path,) = (tmp_path / "journals").glob("*.journal")
    (tmp_path / "killed").mkdir()
    shutil.copy(path, tmp_path / "killed")
    autosave.close()
    autosave.catch_up()  # nobody writes any more, so it does not wait
    (journal,) = recovery.abandoned_journals(tmp_path / "killed")
    assert_same(recovery.recover(journal)[0], document.project)


def test_an_error_of_the_program_does_not_end_recovery(
    qtbot: QtBot,
    document: Document,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    autosave = Autosave(document, tmp_path / "journals")
    with monkeypatch.context() as patched:
        patched.setattr("os.write", lambda *_: 1 // 0)
        patched.setattr("os.fsync", lambda *_: 1 // 0)
        with qtbot.waitSignal(autosave.failed):
            document.paint_mark("Paint", MARK, 3)
    with qtbot.waitSignal(autosave.begun):
        pass
    autosave.close()
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_nothing_is_off_when_there_is_nothing_to_recover(
    qtbot: QtBot, document: Document, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    autosave = Autosave(document, tmp_path / "journals")
    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full_disk)
        with qtbot.waitSignal(autosave.works):  # after `failed`
            document.paint_mark("Paint", MARK, 3)
        with qtbot.waitSignal(autosave.works) as works:
            autosave.forget()
    assert works.args == [True]
    with qtbot.assertNotEmitted(autosave.begun, wait=200):
        pass
    autosave.close()
    assert list((tmp_path / "journals").glob("*.journal")) == []


def test_after_a_save_nothing_is_off_and_the_next_change_tells_whether_it_is(
    qtbot: QtBot, document: Document, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    autosave = Autosave(document, tmp_path / "journals")
    monkeypatch.setattr(recovery, "RETRY_MS", 100_000)
    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full_disk)
        with qtbot.waitSignal(autosave.failed):
            document.paint_mark("Paint", MARK, 3)
        with qtbot.waitSignal(autosave.works, check_params_cb=lambda works: works):
            document.saved(tmp_path / "a.terrainpaint")
        with qtbot.waitSignal(autosave.failed):
            document.paint_mark("Paint", MARK, 4)
    document.saved(tmp_path / "a.terrainpaint")
    with qtbot.waitSignal(autosave.begun):
        document.paint_mark("Paint", MARK, 5)
    autosave.close()


def test_recovered_work_is_unsaved_and_recoverable_again(qtbot: QtBot, document: Document, tmp_path: Path) -> None:
    autosave = Autosave(document, tmp_path / "journals")
    with qtbot.waitSignal(autosave.begun):
        document.paint_mark("Paint", MARK, 3)
    autosave.close()
    (path,) = (tmp_path / "journals").glob("*.journal")
    (tmp_path / "killed").mkdir()
    shutil.copy(path, tmp_path / "killed")

    again = new_document()
    panel, found, own = HistoryPanel(again), Recovery(again, tmp_path / "killed"), Autosave(again, tmp_path / "killed")
    qtbot.addWidget(panel)
    own.begun.connect(found.drop_recovered)
    found.look()
    with qtbot.waitSignal(own.begun):
        found.recover()
    assert np.array_equal(again.ids, document.ids)
    assert again.is_dirty
    assert panel.view.model().index(0, 0).data().startswith("Recovered from ")
    own.close()
    (left,) = (tmp_path / "killed").glob("*.journal")
    assert left.name != path.name
    (tmp_path / "killed again").mkdir()
    shutil.copy(left, tmp_path / "killed again")
    (journal,) = recovery.abandoned_journals(tmp_path / "killed again")
    assert_same(recovery.recover(journal)[0], document.project)


@pytest.mark.parametrize("is_changed", [False, True])
def test_recovered_work_does_not_replace_what_another_program_saved_since(
    qtbot: QtBot, document: Document, tmp_path: Path, is_changed: bool
) -> None:
    path = tmp_path / "a.terrainpaint"
    stamp = save_project(path, document.project, document.view, None)
    document.saved(path, stamp)
    autosave = Autosave(document, tmp_path / "journals")
    with qtbot.waitSignal(autosave.begun):
        document.paint_mark("Paint", MARK, 3)
    autosave.close()
    shutil.copytree(tmp_path / "journals", tmp_path / "killed")
    if is_changed:
        save_project(path, document.project, document.view, None)
        os.utime(path, (time.time() + 2, time.time() + 2))
    again = new_document()
    found = Recovery(again, tmp_path / "killed")
    found.look()
    found.recover()
    assert again.path == path and again.is_file_changed == is_changed


def test_the_status_bar_says_while_recovery_is_off(qtbot: QtBot, document: Document) -> None:
    status = StatusInfo(document)
    qtbot.addWidget(status)
    status.resize(1200, 30)
    status.show()
    assert not status.recovery_label.isVisible()
    status.set_recovery(False)
    assert status.recovery_label.isVisible() and "save" in status.recovery_label.toolTip()
    status.set_recovery(True)
    assert not status.recovery_label.isVisible()
