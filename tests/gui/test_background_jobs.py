import pytest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from terrainpaint.core.progress import Cancel, Cancelled, Progress
from terrainpaint.errors import OutputError
from terrainpaint.gui.background_jobs import WindowJobs


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
