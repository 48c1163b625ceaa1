"""Work in background threads, with progress and cancel: one job, the newest of many, or the jobs of a window."""

from __future__ import annotations

import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QEventLoop, QObject, Qt, Signal
from PySide6.QtWidgets import QProgressDialog, QWidget

from terrainpaint.core.progress import Cancel, Progress, check_cancel
from terrainpaint.errors import Cancelled, TerrainPaintError
from terrainpaint.gui.widgets.basics import label
from terrainpaint.gui.widgets.plain_text import shortened

Work = Callable[[Progress, Cancel], Any]
_SHOWN_AFTER_MS = 400
_CLOSED_WITHIN_S = 5.0


class BackgroundJob(QObject):
    """One piece of work in its own thread. Its signals arrive in the thread that created it."""

    progressed = Signal(float)
    """Fraction that is done, 0..1."""
    ending = Signal()
    """Before `done` or `failed`, whose listeners may open a dialog and return when it is closed."""
    done = Signal(object)
    """What the work returned."""
    failed = Signal(str)
    """The message of a TerrainPaintError, or one for a bug."""
    ended = Signal()
    """After `done`, `failed` or a cancel."""
    _returned = Signal(object)
    """From the thread: the signal to emit with its value, or None after a cancel."""

    def __init__(self, work: Work, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._work = work
        self._cancelled = threading.Event()
        self._is_over = False
        self._returned.connect(self._end)
        self._thread = threading.Thread(target=self._run, name="terrainpaint-job", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def cancel(self) -> None:
        """Ask the work to stop; `ended` follows."""
        self._cancelled.set()

    def give_up(self) -> None:
        """Cancel, and end at once for whoever listens: work in the code of a library may see the cancel late. For work
        that reads only."""
        self.cancel()
        self._end(None)

    def wait(self, seconds: float) -> bool:
        """Block until the thread ends, not longer than this time; returns whether it has ended."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        self._returned.emit(self._outcome())

    def _outcome(self) -> tuple[Any, object] | None:
        try:
            result = self._work(self.progressed.emit, self._cancelled.is_set)
            # Not all work checks for a cancel; its result is dropped here.
            check_cancel(self._cancelled.is_set)
        except Cancelled:
            return None
        except TerrainPaintError as error:
            return self.failed, str(error)
        except MemoryError:
            return self.failed, "Memory ran out; close other programs or choose a smaller map."
        except Exception:
            # A bug: the traceback is for developers, the message for the user.
            traceback.print_exc(file=sys.stderr)
            return self.failed, "Something went wrong inside TerrainPaint; your document is unchanged."
        return self.done, result

    def _end(self, outcome: tuple[Any, object] | None) -> None:
        if self._is_over:
            return
        self._is_over = True
        self.ending.emit()
        if outcome is not None:
            signal, value = outcome
            signal.emit(value)
        self.ended.emit()


class NewestJob(QObject):
    """Runs one job at a time, of which only the newest counts.

    A newer job cancels the running one and starts when that has ended, so two never use memory at the same time. The
    thread of a job may outlive this object; after `stop` no signal comes.
    """

    progressed = Signal(float)
    done = Signal(object)
    """What the newest work returned."""
    failed = Signal(str)
    """The message of an error of the newest work."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._running: BackgroundJob | None = None
        self._next: Work | None = None
        self._wanted = False

    @property
    def is_wanted(self) -> bool:
        """Whether a result is still to come."""
        return self._wanted

    def start(self, work: Work) -> None:
        """Run `work` and drop all work before it."""
        self.stop()
        self._wanted, self._next = True, work
        if self._running is None:
            self._start_next()

    def stop(self) -> None:
        """Cancel the running work and forget the waiting one."""
        self._wanted, self._next = False, None
        if self._running is not None:
            self._running.cancel()

    def _start_next(self) -> None:
        self._running = None
        if self._next is not None:
            # No parent: the thread may outlive this object.
            self._running = BackgroundJob(self._next)
            self._next = None
            self._running.progressed.connect(self._progressed)
            self._running.done.connect(self._done)
            self._running.failed.connect(self._failed)
            self._running.ended.connect(self._start_next)
            self._running.start()

    @property
    def _is_newest(self) -> bool:
        return self._wanted and self._next is None

    def _progressed(self, fraction: float) -> None:
        if self._is_newest:
            self.progressed.emit(fraction)

    def _done(self, result: object) -> None:
        if self._is_newest:
            self._wanted = False
            self.done.emit(result)

    def _failed(self, message: str) -> None:
        if self._is_newest:
            self._wanted = False
            self.failed.emit(message)


class WindowJobs(QObject):
    """The jobs of one window. Each that takes longer shows a progress dialog with Cancel."""

    failed = Signal(str)
    """The message of an error of a job that has no `failed` of its own."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self.window = window
        self._running: set[BackgroundJob] = set()

    def run(
        self, text: str, work: Work, done: Callable[[Any], None], failed: Callable[[str], None] | None = None
    ) -> None:
        """Run `work` in the background; `text` is shown meanwhile.

        Calls `done` with its result, or `failed` with the message of an error.
        """
        job = self._job(work, failed)
        job.done.connect(done)
        self._start(text, job, job.cancel)

    def read(
        self, text: str, work: Work, done: Callable[[Any], None], failed: Callable[[str], None] | None = None
    ) -> None:
        """As `run`, for work that writes nothing: a cancel ends it at once, however late the work sees it."""
        job = self._job(work, failed)
        job.done.connect(done)
        self._start(text, job, job.give_up)

    def run_modal(self, text: str, work: Work, failed: Callable[[str], None] | None = None) -> bool:
        """Run `work` and return when it has ended: whether it succeeded. The user cannot do anything meanwhile.

        Calls `failed` with the message of an error.
        """
        succeeded = False

        def note_success(result: object) -> None:
            nonlocal succeeded
            succeeded = True

        job = self._job(work, failed)
        job.done.connect(note_success)
        loop = QEventLoop(self)
        job.ended.connect(loop.quit)
        self._start(text, job, job.cancel)
        loop.exec(QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents)
        loop.deleteLater()
        return succeeded

    def close(self) -> bool:
        """Cancel all jobs, and wait a few seconds for them to end; returns whether they have."""
        until = time.monotonic() + _CLOSED_WITHIN_S
        for job in self._running:
            job.cancel()
        return all(job.wait(max(0.0, until - time.monotonic())) for job in self._running)

    def _job(self, work: Work, failed: Callable[[str], None] | None) -> BackgroundJob:
        job = BackgroundJob(work, self)
        job.failed.connect(failed or self.failed)
        return job

    def _start(self, text: str, job: BackgroundJob, cancel: Callable[[], None]) -> None:
        self._running.add(job)
        job.ended.connect(lambda: self._running.discard(job))
        _show_progress(self.window, text, job, cancel)
        job.start()


class ProgressDialog(QProgressDialog):
    """A progress bar with Cancel, which stays open until its owner closes it."""

    _STEPS = 1000

    def __init__(self, text: str, parent: QWidget) -> None:
        super().__init__("", "Cancel", 0, self._STEPS, parent)
        self.setWindowTitle("TerrainPaint")
        self.setLabel(label(shortened(text)))
        self.setAutoClose(False)
        self.setAutoReset(False)

    def show_progress(self, fraction: float) -> None:
        """Show which fraction is done, 0..1."""
        self.setValue(int(fraction * self._STEPS))


def _show_progress(parent: QWidget, text: str, job: BackgroundJob, cancel: Callable[[], None]) -> None:
    dialog = ProgressDialog(text, parent)
    dialog.setWindowModality(Qt.WindowModality.WindowModal)
    dialog.setMinimumDuration(_SHOWN_AFTER_MS)
    dialog.canceled.connect(cancel)
    job.progressed.connect(dialog.show_progress)

    def close() -> None:
        dialog.canceled.disconnect(cancel)
        dialog.close()
        dialog.deleteLater()

    job.ending.connect(close)
