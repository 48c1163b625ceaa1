"""Work in background threads, with progress and cancel: one job, or only the newest of many."""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QProgressDialog, QWidget

from terrainpaint.core.progress import Cancel, Progress, check_cancel
from terrainpaint.errors import Cancelled, TerrainPaintError

Work = Callable[[Progress, Cancel], Any]
_SHOWN_AFTER_MS = 400


class Job(QObject):
    """One piece of work in a thread of its own. Its signals arrive in the thread that made it."""

    progressed = Signal(float)
    done = Signal(object)
    """What the work returned."""
    failed = Signal(str)
    """The sentence of a TerrainPaintError."""
    ended = Signal()
    """After done, failed or a cancel."""

    def __init__(self, work: Work, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._work = work
        self._cancelled = threading.Event()
        self._thread = threading.Thread(target=self._run, name="terrainpaint-job", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def cancel(self) -> None:
        """Ask the work to stop; `ended` follows."""
        self._cancelled.set()

    def wait(self) -> None:
        """Block until the work is over."""
        self._thread.join()

    def _run(self) -> None:
        try:
            result = self._work(self.progressed.emit, self._cancelled.is_set)
            # Not all work looks; what it made is not wanted any more all the same.
            check_cancel(self._cancelled.is_set)
        except Cancelled:
            pass
        except TerrainPaintError as error:
            self.failed.emit(str(error))
        except MemoryError:
            self.failed.emit("Memory ran out; close other programs or choose a smaller map.")
        except Exception:
            # A bug: its traceback is for us, the sentence for the person at the screen.
            traceback.print_exc(file=sys.stderr)
            self.failed.emit("Something went wrong inside TerrainPaint; your document is as it was.")
        else:
            self.done.emit(result)
        self.ended.emit()


def show_progress(parent: QWidget, text: str, job: Job) -> None:
    """A small dialog with a bar and Cancel while a job runs, if it takes long enough to be seen."""
    dialog = QProgressDialog(text, "Cancel", 0, 1000, parent)
    dialog.setWindowModality(Qt.WindowModality.WindowModal)
    dialog.setMinimumDuration(_SHOWN_AFTER_MS)
    dialog.setAutoClose(False)
    dialog.setAutoReset(False)
    dialog.setWindowTitle("TerrainPaint")
    dialog.canceled.connect(job.cancel)
    job.progressed.connect(lambda share: dialog.setValue(int(share * 1000)))

    def close() -> None:
        dialog.canceled.disconnect(job.cancel)
        dialog.close()
        dialog.deleteLater()

    job.ended.connect(close)


class NewestJob(QObject):
    """One job at a time. A newer one stops the one that runs, and starts when that is over.

    So two of them never share the memory, and what comes is of what was asked last. A job may outlive this object; it
    is stopped with `stop`, and nothing comes of it.
    """

    progressed = Signal(float)
    done = Signal(object)
    """What the newest work returned."""
    failed = Signal(str)
    """The sentence of a TerrainPaintError of the newest work."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._running: Job | None = None
        self._next: Work | None = None
        self._wanted = False

    @property
    def is_wanted(self) -> bool:
        """Whether something is being worked on of which the result is awaited."""
        return self._wanted

    def start(self, work: Work) -> None:
        """Do this, and nothing that was asked for before."""
        self.stop()
        self._wanted, self._next = True, work
        if self._running is None:
            self._go_on()

    def stop(self) -> None:
        """Do nothing more."""
        self._wanted, self._next = False, None
        if self._running is not None:
            self._running.cancel()

    def _go_on(self) -> None:
        """The one before is over: the next, if there is one."""
        self._running = None
        if self._next is not None:
            # Without a parent: its thread may outlive this.
            self._running = Job(self._next)
            self._next = None
            self._running.progressed.connect(self._progressed)
            self._running.done.connect(self._done)
            self._running.failed.connect(self._failed)
            self._running.ended.connect(self._go_on)
            self._running.start()

    @property
    def _is_newest(self) -> bool:
        return self._wanted and self._next is None

    def _progressed(self, share: float) -> None:
        if self._is_newest:
            self.progressed.emit(share)

    def _done(self, result: object) -> None:
        if self._is_newest:
            self._wanted = False
            self.done.emit(result)

    def _failed(self, sentence: str) -> None:
        if self._is_newest:
            self._wanted = False
            self.failed.emit(sentence)
