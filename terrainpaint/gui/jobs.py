"""Work that takes longer than a frame, beside the interface thread: with progress, cancel, a sentence when it fails."""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QProgressDialog, QWidget

from terrainpaint.core.jobs import Cancel, Progress, check_cancel
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
