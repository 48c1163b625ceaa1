import threading
import time

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QDialog, QWidget
from pytestqt.qtbot import QtBot

from terrainpaint.core.progress import Cancel, Cancelled, Progress
from terrainpaint.errors import OutputError
from terrainpaint.gui import background_jobs
from terrainpaint.gui.background_jobs import ProgressDialog, WindowJobs


@pytest.fixture
def jobs(qtbot: QtBot) -> WindowJobs:
    window = QWidget()
    qtbot.addWidget(window)
    return WindowJobs(window)


def test_modal_work_succeeds(jobs: WindowJobs) -> None:
    done: list[float] = []

    def work(progress: Progress, cancel: Cancel) -> None:
        progress(0.5)
        assert not cancel()
        done.append(0.5)

    assert jobs.run_modal("Working", work)
    assert done == [0.5]


def test_modal_work_that_is_cancelled_has_not_succeeded(jobs: WindowJobs) -> None:
    messages: list[str] = []
    jobs.failed.connect(messages.append)

    def work(progress: Progress, cancel: Cancel) -> None:
        raise Cancelled

    assert not jobs.run_modal("Working", work)
    assert messages == []


def test_modal_work_that_fails_has_not_succeeded_and_says_why(jobs: WindowJobs) -> None:
    messages: list[str] = []
    jobs.failed.connect(messages.append)

    def work(progress: Progress, cancel: Cancel) -> None:
        raise OutputError("a.txt could not be written: the disk is full.")

    assert not jobs.run_modal("Working", work)
    assert messages == ["a.txt could not be written: the disk is full."]


def test_reading_ends_at_once_when_it_is_cancelled(jobs: WindowJobs, qtbot: QtBot) -> None:
    """Work in a library does not look at the cancel; its result comes too late for everybody."""
    results: list[object] = []
    is_open, may_end = threading.Event(), threading.Event()

    def work(progress: Progress, cancel: Cancel) -> str:
        is_open.set()
        may_end.wait()
        return "late"

    jobs.read("Reading", work, results.append)
    is_open.wait(30)
    qtbot.waitUntil(lambda: bool(jobs.window.findChildren(ProgressDialog)))
    (dialog,) = jobs.window.findChildren(ProgressDialog)
    dialog.canceled.emit()
    assert jobs.close()
    may_end.set()
    qtbot.wait(100)
    assert results == []


def test_closing_cancels_and_does_not_wait_for_ever(
    jobs: WindowJobs, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background_jobs, "_CLOSED_WITHIN_S", 60.0)
    cancelled, may_end = threading.Event(), threading.Event()

    def obedient(progress: Progress, cancel: Cancel) -> None:
        while not cancel():
            time.sleep(0.001)
        cancelled.set()

    jobs.run("Working", obedient, lambda result: None)
    assert jobs.close() and cancelled.is_set()
    monkeypatch.setattr(background_jobs, "_CLOSED_WITHIN_S", 0.2)
    jobs.run("Working", lambda progress, cancel: may_end.wait(), lambda result: None)
    assert not jobs.close()
    may_end.set()
    qtbot.waitUntil(lambda: jobs.close())


def test_the_progress_is_gone_before_the_result_opens_a_dialog(jobs: WindowJobs, qtbot: QtBot) -> None:
    shown: list[bool] = []

    def work(progress: Progress, cancel: Cancel) -> None:
        step = 0
        while not shown:
            progress(step % 1000 / 1000)
            step += 1
            time.sleep(0.01)

    def is_progress_shown() -> bool:
        return any(child.isVisible() for child in jobs.window.findChildren(ProgressDialog))

    def finished(result: object) -> None:
        dialog = QDialog(jobs.window)
        QTimer.singleShot(50, lambda: (shown.append(is_progress_shown()), dialog.accept()))
        dialog.exec()

    jobs.run("Reading", work, finished)
    qtbot.waitUntil(is_progress_shown)
    shown.append(True)
    qtbot.waitUntil(lambda: len(shown) == 2)
    assert shown == [True, False]
