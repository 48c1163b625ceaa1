"""Long work in the interface thread, such as drawing with OpenGL: one step between two events of the window."""

from __future__ import annotations

import math
from collections.abc import Generator
from typing import Any, TypeVar

from PySide6.QtCore import QObject, QTimer, Signal

from terrainpaint.errors import TerrainPaintError

_LEAST_S, _MINUTES_FROM_S = 3.0, 90.0
_Value = TypeVar("_Value")


def finished(steps: Generator[float, None, _Value]) -> _Value:
    """Run all steps at once and return the result."""
    while True:
        try:
            next(steps)
        except StopIteration as done:
            value: _Value = done.value
            return value


class SteppedJob(QObject):
    """Runs the steps of a generator, which yields the fraction 0..1 that is done. Emits exactly one of `finished`,
    `failed` and `cancelled`, once."""

    progressed = Signal(float)
    finished = Signal(object)
    """What the generator returned."""
    failed = Signal(str)
    """The message of a TerrainPaintError."""
    cancelled = Signal()

    def __init__(self, steps: Generator[float, None, Any], parent: QObject) -> None:
        super().__init__(parent)
        self._steps = steps
        self._is_stepping = False
        self._timer = QTimer(self)
        self._timer.setInterval(0)  # when there are no events
        self._timer.timeout.connect(self._step)
        self._timer.start()

    def cancel(self) -> None:
        """Stop after the step that is under way; nothing happens when the job has ended."""
        if self._timer.isActive():
            self._end()
            self.cancelled.emit()

    def _step(self) -> None:
        # A progress dialog handles events while it shows the progress.
        if self._is_stepping:
            return
        self._is_stepping = True
        self._take_step()
        self._is_stepping = False

    def _take_step(self) -> None:
        try:
            fraction = next(self._steps)
        except StopIteration as done:
            self._end()
            self.finished.emit(done.value)
        except TerrainPaintError as error:
            self._end()
            self.failed.emit(str(error))
        except MemoryError:
            self._end()
            self.failed.emit("Memory ran out; close other programs or choose a smaller size.")
        except BaseException:
            self._end()
            self.cancelled.emit()
            raise
        else:
            self.progressed.emit(fraction)

    def _end(self) -> None:
        self._timer.stop()
        self._steps.close()
        self.deleteLater()


def time_left(passed_s: float, fraction: float) -> str:
    """How long work of which `fraction` 0..1 is done after `passed_s` takes from now on, "" while that is a guess."""
    if passed_s < _LEAST_S or fraction <= 0:
        return ""
    left_s = passed_s * (1 - fraction) / fraction
    return (
        f"about {left_s / 60:.0f} min left"
        if left_s >= _MINUTES_FROM_S
        else f"about {math.ceil(left_s / 5) * 5} s left"
    )
