"""The undo stack: the steps of a document, as many of the latest ones as fit into a bound of memory."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

NOT_MERGED = -1
"""The number of steps that never become one with the step before."""
_UNPACKED_STEPS = 20
"""So many steps are undone without unpacking them first; older ones take a few percent of the memory."""
_PACKED_AT_ONCE = 8 << 20
"""Bytes of a step. To pack a larger one would delay the next stroke by more than 50 ms, so it waits for the bound."""
_LARGEST_PACKED = 128 << 20
"""Bytes. Larger steps are never packed, which would take over a second."""

Array = NDArray[np.uint8]


class Step(ABC):
    """A change that can be undone. `merge` is a number that steps share which may become one, such as a slider's."""

    def __init__(self, text: str, merge: int = NOT_MERGED) -> None:
        self.text, self.merge = text, merge

    @property
    @abstractmethod
    def nbytes(self) -> int:
        """Memory that the step takes for itself, about."""

    @property
    def arrays(self) -> Iterable[Array]:
        """What it may share with other steps and with the document."""
        return ()

    @abstractmethod
    def redo(self) -> None:
        """Make the change, also when it is pushed."""

    @abstractmethod
    def undo(self) -> None:
        """Take it back."""

    def absorb(self, later: Step) -> bool:
        """Take over the next step, which has the same `merge`; False when they stay two."""
        return False

    @abstractmethod
    def pack(self) -> None:
        """Take less memory from now on, if that can be done."""


class UndoStack(QObject):
    """The steps of a document. Methods and signals are those of Qt's QUndoStack, which cannot drop its oldest steps.

    `in_use` returns the arrays of the present state, which are no memory of the history.
    """

    indexChanged = Signal(int)
    """Emitted after every change of the steps, also when the number is the same."""
    cleanChanged = Signal(bool)
    canUndoChanged = Signal(bool)
    canRedoChanged = Signal(bool)
    undoTextChanged = Signal(str)
    redoTextChanged = Signal(str)
    dropping_began = Signal()
    """The oldest steps of the document were dropped for the first time, because all took more memory than allowed."""

    def __init__(self, in_use: Callable[[], Iterable[Array]], most_bytes: int, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._in_use, self._most_bytes = in_use, most_bytes
        self._steps: list[Step] = []
        self._index = self._clean = self._dropped = self._nbytes = 0
        self._tightened = 0  # so many of the oldest steps cannot take less memory any more
        self._users: Counter[int] = Counter()

    @property
    def dropped(self) -> int:
        """How many of the oldest steps were dropped."""
        return self._dropped

    @property
    def most_bytes(self) -> int:
        """The bound of memory."""
        return self._most_bytes

    @property
    def nbytes(self) -> int:
        """Memory that the steps take beyond the present state, about."""
        present = {id(array): array for array in map(_owner, self._in_use())}
        return self._nbytes - sum(array.nbytes for key, array in present.items() if self._users[key])

    def set_most_bytes(self, most_bytes: int) -> None:
        """Change the bound of memory. The last step is kept even if it takes more."""
        self._most_bytes = most_bytes
        self._keep_within_bound(self.isClean())

    def count(self) -> int:
        """Number of steps, also of those that were undone."""
        return len(self._steps)

    def index(self) -> int:
        """Number of steps that are not undone."""
        return self._index

    def step(self, index: int) -> Step:
        """One of the steps, the oldest is 0."""
        return self._steps[index]

    def text(self, index: int) -> str:
        """What a step did."""
        return self._steps[index].text

    def canUndo(self) -> bool:
        """Whether there is a step to undo."""
        return self._index > 0

    def canRedo(self) -> bool:
        """Whether a step was undone."""
        return self._index < len(self._steps)

    def undoText(self) -> str:
        """What the step did that is undone next, "" without one."""
        return self.text(self._index - 1) if self.canUndo() else ""

    def redoText(self) -> str:
        """What the step did that is redone next, "" without one."""
        return self.text(self._index) if self.canRedo() else ""

    def cleanIndex(self) -> int:
        """`index` of the state that is in the file, -1 when no step leads there."""
        return self._clean

    def isClean(self) -> bool:
        """Whether the present state is in the file."""
        return self._clean == self._index

    def setClean(self) -> None:
        """The present state is in the file from now on."""
        self._set_clean(self._index)

    def resetClean(self) -> None:
        """No state is in the file."""
        self._set_clean(-1)

    def clear(self) -> None:
        """Forget all steps; the present state is clean."""
        was_clean = self.isClean()
        self._steps.clear()
        self._users.clear()
        self._index = self._clean = self._dropped = self._nbytes = self._tightened = 0
        self._announce(was_clean)

    def push(self, step: Step) -> None:
        """Make a step; those that were undone are gone. It becomes part of the last step if both have one number."""
        was_clean = self.isClean()
        step.redo()
        while len(self._steps) > self._index:
            self._uncount(self._steps.pop())
        if self._clean > self._index:
            self._clean = -1
        self._tightened = min(self._tightened, self._index)
        if not self._is_absorbed(step):
            self._steps.append(step)
            self._count(step)
            self._index += 1
            if self._index > _UNPACKED_STEPS:
                self._pack(self._steps[self._index - _UNPACKED_STEPS - 1], _PACKED_AT_ONCE)
        self._keep_within_bound(was_clean)

    def undo(self) -> None:
        """Undo the last step, if there is one."""
        self.setIndex(self._index - 1)

    def redo(self) -> None:
        """Redo the step that was undone last, if there is one."""
        self.setIndex(self._index + 1)

    def setIndex(self, index: int) -> None:
        """Undo or redo steps until `index` of them are done."""
        index = min(max(index, 0), len(self._steps))
        was_clean = self.isClean()
        if index == self._index:
            return
        while self._index > index:
            self._steps[self._index - 1].undo()
            self._index -= 1
        while self._index < index:
            self._steps[self._index].redo()
            self._index += 1
        self._announce(was_clean)

    def _is_absorbed(self, step: Step) -> bool:
        last = self._steps[-1] if self._steps else None
        if last is None or self.isClean() or step.merge == NOT_MERGED or step.merge != last.merge:
            return False
        self._uncount(last)
        is_absorbed = last.absorb(step)
        self._count(last)
        return is_absorbed

    def _keep_within_bound(self, was_clean: bool) -> None:
        """Pack what is large, then drop the oldest steps until the rest fits. The last one that is done stays."""
        while self._tightened < self._index - 1 and self.nbytes > self._most_bytes:
            self._pack(self._steps[self._tightened], _LARGEST_PACKED)
            self._tightened += 1
        count = 0
        while count < self._index - 1 and self.nbytes > self._most_bytes:
            self._uncount(self._steps[count])
            count += 1
        del self._steps[:count]
        self._index -= count
        self._clean = max(self._clean - count, -1)
        self._tightened = max(self._tightened - count, 0)
        is_first = count > 0 and self._dropped == 0
        self._dropped += count
        self._announce(was_clean)
        if is_first:
            self.dropping_began.emit()

    def _pack(self, step: Step, most_bytes: int) -> None:
        if step.nbytes <= most_bytes:
            self._nbytes -= step.nbytes
            step.pack()
            self._nbytes += step.nbytes

    def _count(self, step: Step) -> None:
        """Add the memory of a step. An array that many share counts once."""
        self._nbytes += step.nbytes
        for array in map(_owner, step.arrays):
            self._nbytes += 0 if self._users[id(array)] else array.nbytes
            self._users[id(array)] += 1

    def _uncount(self, step: Step) -> None:
        self._nbytes -= step.nbytes
        for array in map(_owner, step.arrays):
            self._users[id(array)] -= 1
            if not self._users[id(array)]:
                del self._users[id(array)]
                self._nbytes -= array.nbytes

    def _set_clean(self, index: int) -> None:
        was_clean = self.isClean()
        self._clean = index
        if self.isClean() != was_clean:
            self.cleanChanged.emit(self.isClean())

    def _announce(self, was_clean: bool) -> None:
        self.indexChanged.emit(self._index)
        self.canUndoChanged.emit(self.canUndo())
        self.undoTextChanged.emit(self.undoText())
        self.canRedoChanged.emit(self.canRedo())
        self.redoTextChanged.emit(self.redoText())
        if self.isClean() != was_clean:
            self.cleanChanged.emit(self.isClean())


def _owner(array: Array) -> Array:
    """The array that owns the memory of a view."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array
