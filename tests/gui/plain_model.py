"""A document that is as simple as possible: it keeps a copy of every state."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.project import EMPTY, Settings


@dataclass
class PlainLayer:
    key: int
    name: str
    cells: NDArray[np.uint8]
    visible: bool = True
    locked: bool = False


@dataclass
class State:
    """Everything that undo brings back."""

    layers: list[PlainLayer]
    settings: Settings
    rerolls: NDArray[np.uint8]


@dataclass
class Step:
    """A step of undo leads to `state`. One that is no stroke sets the active layer too, both ways."""

    state: State
    active: tuple[int, int] | None
    merge: int = -1


class Model:
    """A document that is as simple as possible, and takes as much time and memory as that needs."""

    def __init__(self, settings: Settings, shape: tuple[int, int]) -> None:
        self.dropped_by_document: Callable[[], int] = lambda: 0
        layer = PlainLayer(1, "Layer 1", np.full(shape, EMPTY, np.uint8))
        self.state = State([layer], settings, np.zeros(shape, np.uint8))
        self.active = self.last_key = 1
        self.begin_again()

    def begin_again(self) -> None:
        self.origin, self.steps, self.index = copy.deepcopy(self.state), list[Step](), 0
        self.clean: int | None = 0
        self.dropped = 0
        self.selection: NDArray[np.bool_] | None = None
        self.last_key = max(layer.key for layer in self.state.layers)

    @property
    def shape(self) -> tuple[int, int]:
        return self.state.rerolls.shape[0], self.state.rerolls.shape[1]

    @property
    def at(self) -> int:
        return next(i for i, layer in enumerate(self.state.layers) if layer.key == self.active)

    @property
    def layer(self) -> PlainLayer:
        return self.state.layers[self.at]

    @property
    def may_paint(self) -> bool:
        return self.layer.visible and not self.layer.locked

    @property
    def ids(self) -> NDArray[np.uint8]:
        ids = np.full(self.shape, self.state.settings.base_class, np.uint8)
        for layer in self.state.layers:
            if layer.visible:
                ids = np.where(layer.cells == EMPTY, ids, layer.cells)
        return ids

    def selected(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        return mask if self.selection is None else mask & self.selection

    def new_key(self) -> int:
        self.last_key += 1
        return self.last_key

    def painted(self) -> None:
        """What was written into the state was a stroke; it is a step if it changed anything."""
        old = self.steps[self.index - 1].state if self.index else self.origin
        pairs = zip(old.layers, self.state.layers, strict=True)
        if not np.array_equal(old.rerolls, self.state.rerolls) or any(
            not np.array_equal(before.cells, after.cells) for before, after in pairs
        ):
            self._push(Step(copy.deepcopy(self.state), None))

    def changed(self, active_before: int, merge: int = -1) -> None:
        """The state was changed in any other way."""
        self._push(Step(copy.deepcopy(self.state), (active_before, self.active), merge))

    def go_to(self, index: int) -> None:
        while self.index > index:
            step = self.steps[self.index - 1]
            self.index -= 1
            self._take(step.active[0] if step.active else self.active)
        while self.index < index:
            step = self.steps[self.index]
            self.index += 1
            self._take(step.active[1] if step.active else self.active)

    def _take(self, active: int) -> None:
        before = self.state
        self.state = copy.deepcopy(self.steps[self.index - 1].state if self.index else self.origin)
        self.active = active
        if self.is_resize(before):
            self.selection = None

    def is_resize(self, before: State) -> bool:
        return before.rerolls.shape != self.state.rerolls.shape

    def _push(self, step: Step) -> None:
        del self.steps[self.index :]
        if self.clean is not None and self.clean > self.index:
            self.clean = None
        last = self.steps[-1] if self.steps else None
        if last is not None and last.merge == step.merge != -1 and self.clean != self.index:
            assert last.active is not None and step.active is not None
            last.state, last.active = step.state, (last.active[0], step.active[1])
        else:
            self.steps.append(step)
            self.index += 1
        self._drop(self.dropped_by_document() - self.dropped)

    def _drop(self, count: int) -> None:
        """Forget the oldest steps, which the document has forgotten."""
        assert 0 <= count < len(self.steps)
        if count:
            self.origin = self.steps[count - 1].state
            del self.steps[:count]
            self.index -= count
            self.dropped += count
            if self.clean is not None:
                self.clean = self.clean - count if self.clean >= count else None
