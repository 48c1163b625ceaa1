"""Calls to the worker process from the interface thread: a thread waits for their answers."""

from __future__ import annotations

import queue
import sys
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Signal

from terrainpaint.core.progress import Cancel, check_cancel
from terrainpaint.errors import Cancelled, TerrainPaintError, WorkerError

Answer = Callable[[Any], None]
Refuse = Callable[[str], None]
_Result = TypeVar("_Result")
_CANCEL_POLL_S = 0.1
"""How often a blocking call checks whether it is cancelled."""
_BUG = "Generation failed inside TerrainPaint; your map is unchanged."


class WorkerCalls(QObject):
    """Calls that wait, one after the other. What answers them is called in the interface thread."""

    _answered = Signal(object, object)
    _refused = Signal(object, str)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._work: queue.SimpleQueue[tuple[Callable[[], Any], Answer, Refuse] | None] = queue.SimpleQueue()
        self._is_stopped = False
        self._thread = threading.Thread(target=self._serve, name="terrainpaint-generation", daemon=True)
        self._answered.connect(lambda answer, result: answer(result))
        self._refused.connect(lambda refuse, message: refuse(message))

    def start(self) -> None:
        """Begin with the calls that were posted."""
        self._thread.start()

    def stop(self) -> None:
        """Wait for the end of the call that is under way, and do no other."""
        self._is_stopped = True
        self._work.put(None)
        if self._thread.is_alive():
            self._thread.join()

    def post(self, work: Callable[[], Any], answer: Answer, refuse: Refuse) -> None:
        """Do `work` in the thread, then call `answer` with its result, or `refuse` with a sentence."""
        self._work.put((work, answer, refuse))

    def result(self, work: Callable[[], _Result], cancel: Cancel) -> _Result:
        """The result of a call that is posted now. Blocks until then, so never call it in the interface thread.

        Raises WorkerError with the sentence of a refusal, or Cancelled, also after `stop`.
        """
        future: Future[_Result] = Future()
        self.post(work, future.set_result, lambda message: future.set_exception(WorkerError(message)))
        while not self._is_stopped:
            check_cancel(cancel)
            with suppress(TimeoutError):
                return future.result(_CANCEL_POLL_S)
        raise Cancelled

    def _serve(self) -> None:
        while (item := self._work.get()) is not None:
            work, answer, refuse = item
            try:
                result = work()
            except Cancelled:
                return
            except TerrainPaintError as error:
                self._refused.emit(refuse, str(error))
            except Exception:
                traceback.print_exc(file=sys.stderr)
                self._refused.emit(refuse, _BUG)
            else:
                self._answered.emit(answer, result)
