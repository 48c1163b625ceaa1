"""The undo stack: as Qt's, and with a bound of memory."""

from __future__ import annotations

import dataclasses
import gc
import shutil
import tracemalloc
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtGui import QUndoCommand, QUndoStack
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from terrainpaint.core.journal import abandoned_journals, recover
from terrainpaint.core.painting import rectangle
from terrainpaint.core.project import Project, Settings, Underlay
from terrainpaint.gui.document import Document
from terrainpaint.gui.panels.history_panel import HistoryPanel
from terrainpaint.gui.panels.settings_changes import Merge
from terrainpaint.gui.recovery import Autosave
from terrainpaint.gui.undo_stack import NOT_MERGED, Step, UndoStack

SETTINGS = Settings(100.0, "atlas")
MB = 1 << 20


class Note(Step):
    """A step that adds itself to a list."""

    def __init__(self, done: list[str], text: str, merge: int, size: int = 0) -> None:
        super().__init__(text, merge)
        self.done, self.texts, self.size = done, [text], size

    @property
    def nbytes(self) -> int:
        return self.size

    def redo(self) -> None:
        self.done.extend(self.texts)

    def undo(self) -> None:
        del self.done[-len(self.texts) :]

    def pack(self) -> None:
        self.size = self.size // 2 if self.size > 500 else self.size

    def absorb(self, later: Step) -> bool:
        assert isinstance(later, Note)
        self.texts += later.texts
        self.text = later.text
        return True


class QtNote(QUndoCommand):
    """The same for Qt."""

    def __init__(self, done: list[str], text: str, merge: int) -> None:
        super().__init__(text)
        self.done, self.texts, self.merge = done, [text], merge

    def redo(self) -> None:
        self.done.extend(self.texts)

    def undo(self) -> None:
        del self.done[-len(self.texts) :]

    def id(self) -> int:
        return self.merge

    def mergeWith(self, other: QUndoCommand) -> bool:
        assert isinstance(other, QtNote)
        self.texts += other.texts
        self.setText(other.text())
        return True


ACTIONS = st.one_of(
    st.tuples(st.just("push"), st.sampled_from([NOT_MERGED, NOT_MERGED, 1, 2])),
    st.tuples(st.just("go"), st.integers(-1, 8)),
    st.tuples(st.sampled_from(["undo", "redo", "clean", "unclean", "clear"]), st.just(0)),
)


def heard(stack: UndoStack | QUndoStack) -> list[object]:
    """The last value of each signal, and whenever the clean state changed."""
    news: list[object] = []
    stack.cleanChanged.connect(news.append)
    return news


@settings(deadline=None, max_examples=200)
@given(st.lists(ACTIONS, max_size=40))
def test_without_a_bound_it_does_what_the_one_of_qt_does(actions: list[tuple[str, int]]) -> None:
    done: list[str] = []
    done_by_qt: list[str] = []
    ours, theirs = UndoStack(lambda: (), MB), QUndoStack()
    kept: list[QUndoCommand] = []
    clean, clean_of_qt = heard(ours), heard(theirs)
    for number, (action, value) in enumerate(actions):
        if action == "push":
            ours.push(Note(done, f"step {number}", value))
            kept.append(QtNote(done_by_qt, f"step {number}", value))
            theirs.push(kept[-1])
        else:
            if action == "clear":
                done.clear()
                done_by_qt.clear()
            value = min(max(value, 0), theirs.count())  # Qt warns of an index that does not exist
            for stack in (ours, theirs):
                names = {"clean": "setClean", "unclean": "resetClean", "go": "setIndex"}
                call = getattr(stack, names.get(action, action))
                call(*([value] if action == "go" else []))
            if action == "clear":
                theirs.setClean()  # Qt leaves an empty stack as it is
        for name in ("index", "count", "cleanIndex", "isClean", "canUndo", "canRedo", "undoText", "redoText"):
            assert getattr(ours, name)() == getattr(theirs, name)(), name
        assert [ours.text(i) for i in range(ours.count())] == [theirs.text(i) for i in range(theirs.count())]
        assert done == done_by_qt and clean == clean_of_qt


def test_the_oldest_steps_are_dropped_and_the_saved_state_stays_what_it_is(qapp: QApplication) -> None:
    done: list[str] = []
    stack = UndoStack(lambda: (), 100)
    began: list[bool] = []
    stack.dropping_began.connect(lambda: began.append(True))
    for number in range(5):
        stack.push(Note(done, str(number), NOT_MERGED, 20))
    stack.setClean()
    assert (stack.count(), stack.dropped, began) == (5, 0, [])
    for number in range(5, 8):
        stack.push(Note(done, str(number), NOT_MERGED, 20))
    assert (stack.count(), stack.index(), stack.dropped, stack.nbytes, began) == (5, 5, 3, 100, [True])
    assert stack.cleanIndex() == 2
    stack.setIndex(2)
    assert stack.isClean() and done == list("01234")
    stack.setIndex(0)
    assert done == list("012") and not stack.isClean()
    stack.setIndex(5)
    for number in range(8, 12):
        stack.push(Note(done, str(number), NOT_MERGED, 20))
    assert stack.cleanIndex() == -1, "no kept step leads to the saved state"
    stack.setIndex(0)
    assert not stack.isClean()


def test_a_last_step_that_is_too_large_can_be_undone(qapp: QApplication) -> None:
    done: list[str] = []
    stack = UndoStack(lambda: (), 100)
    stack.push(Note(done, "small", NOT_MERGED, 10))
    stack.push(Note(done, "large", NOT_MERGED, 1000))
    assert (stack.count(), stack.undoText(), stack.dropped) == (1, "large", 1)
    stack.push(Note(done, "next", NOT_MERGED, 10))
    assert (stack.count(), stack.undoText(), stack.dropped) == (1, "next", 2)


def test_a_lower_bound_drops_at_once_but_nothing_that_was_undone(qapp: QApplication) -> None:
    done: list[str] = []
    stack = UndoStack(lambda: (), 1000)
    for number in range(10):
        stack.push(Note(done, str(number), NOT_MERGED, 100))
    stack.setIndex(6)
    stack.set_most_bytes(700)
    assert (stack.count(), stack.index(), stack.dropped) == (7, 3, 3)
    stack.set_most_bytes(0)
    assert (stack.count(), stack.index()) == (5, 1)
    stack.setIndex(5)
    assert done == list("0123456789")


def noise(seed: int, shape: tuple[int, int]) -> np.ndarray:
    """Classes in patches, as of a map."""
    smooth = cv2.GaussianBlur(np.random.default_rng(seed).random(shape, np.float32), (0, 0), 4)
    return np.clip((smooth - smooth.min()) / np.ptp(smooth) * 7, 0, 6).astype(np.uint8)


def test_memory_stays_within_the_bound_whatever_is_done(qapp: QApplication) -> None:
    """Each kind of step, with arrays of 1 MB, against the memory that Python really has taken."""
    shape = (1024, 1024)
    document = Document(Project.empty(shape, SETTINGS))
    stack = document.undo_stack
    stack.set_most_bytes(12 * MB)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        highest = 0
        for number in range(120):
            kind = number % 8
            if kind == 0:
                document.put_cells("Natural borders", rectangle((0, 0), shape, shape).rect, noise(number, shape))
            elif kind == 1:
                document.duplicate_layer()
            elif kind == 2:
                document.remove_layer()
            elif kind == 3:
                picture = np.full((*shape, 3), number, np.uint8)
                document.set_underlay(Underlay(picture), detail="loaded")
            elif kind == 4:
                for opacity in (0.1, 0.2, 0.3):
                    document.set_underlay(dataclasses.replace(document.project.underlay, opacity=opacity))
            elif kind == 5:
                document.crop(0, 0, (shape[0] - number, shape[1]))
            elif kind == 6:
                document.resize(shape)
            else:
                document.change_settings("Heights", dataclasses.replace(SETTINGS, relief=1 + number / 10))
            if number % 10 == 9:
                gc.collect()
                present = sum(
                    array.nbytes
                    for array in (
                        *(layer.cells for layer in document.project.layers),
                        document.project.rerolls, document.ids, document.project.underlay.picture,
                    )
                )  # fmt: skip
                taken = tracemalloc.get_traced_memory()[0] - before - present
                highest = max(highest, taken)
                assert stack.nbytes <= 12 * MB
                assert taken <= stack.nbytes + MB, "every byte of the history is counted"
        assert highest > 6 * MB and stack.dropped > 50 and stack.index() > 3
    finally:
        tracemalloc.stop()


def test_large_steps_are_packed_before_any_is_dropped(qapp: QApplication) -> None:
    shape = (2048, 2048)
    document = Document(Project.empty(shape, SETTINGS))
    whole = rectangle((0, 0), shape, shape).rect
    document.undo_stack.set_most_bytes(24 * MB)
    states = []
    for number in range(8):
        document.put_cells("Natural borders", whole, noise(number, shape))
        states.append(document.ids.copy())
    assert document.undo_stack.dropped == 0 and document.undo_stack.nbytes < 24 * MB
    for number in range(7, -1, -1):
        assert np.array_equal(document.ids, states[number])
        document.undo_stack.undo()


def test_undo_down_to_the_oldest_kept_step_and_recovery(qtbot: QtBot, tmp_path: Path) -> None:
    shape = (96, 130)
    document = Document(Project.empty(shape, SETTINGS))
    document.open(Project.empty(shape, SETTINGS), None, document.view)
    panel = HistoryPanel(document)
    qtbot.addWidget(panel)
    model = panel.view.model()
    assert model.index(0, 0).data() == "New map"
    autosave = Autosave(document, tmp_path)
    document.undo_stack.set_most_bytes(60_000)
    random, states = np.random.default_rng(3), [document.ids.copy()]
    for number in range(200):
        at, to = (tuple(random.uniform(0, 96, 2)) for _ in range(2))
        if number % 9 == 8:
            document.change_settings(
                "Heights", dataclasses.replace(document.settings, relief=1 + number / 100), Merge.RELIEF + number
            )
        else:
            document.put_cells("Brush", rectangle(at, to, shape).rect, random.integers(0, 7, shape, dtype=np.uint8))
        if document.undo_stack.index() + document.undo_stack.dropped == len(states):
            states.append(document.ids.copy())
        assert document.undo_stack.nbytes <= 60_000
    dropped, count = document.undo_stack.dropped, document.undo_stack.count()
    assert dropped > 100 and count > 2 and dropped + count == len(states) - 1
    assert model.rowCount() == count + 1
    assert model.index(0, 0).data() == f"{dropped} older steps gone"
    assert "Preferences" in model.index(0, 0).data(3)
    for index in range(count, -1, -1):
        document.undo_stack.setIndex(index)
        assert np.array_equal(document.ids, states[dropped + index])
        assert document.is_dirty
    assert panel.view.currentIndex().row() == 0
    autosave.close()
    shutil.copytree(tmp_path, tmp_path / "killed", ignore=shutil.ignore_patterns("killed"))
    (journal,) = abandoned_journals(tmp_path / "killed")
    project = recover(journal)[0]
    assert np.array_equal(project.layers[0].cells, document.project.layers[0].cells)
    assert project.settings == document.settings
    document.open(Project.empty(shape, SETTINGS), None, document.view)
    assert document.undo_stack.dropped == 0 and model.index(0, 0).data() == "New map"


@pytest.mark.parametrize("times", [1, 3])
def test_a_picture_that_many_steps_share_counts_once(qapp: QApplication, times: int) -> None:
    document = Document(Project.empty((64, 64), SETTINGS))
    picture = np.zeros((1000, 1000, 3), np.uint8)
    for number in range(times):
        # A view of the picture is the same memory.
        document.set_underlay(Underlay(picture[:], opacity=(number + 1) / 10), detail=str(number))
    assert document.undo_stack.nbytes < MB, "it is shown, so it is no memory of the history"
    document.set_underlay(None)
    assert 3_000_000 <= document.undo_stack.nbytes < 3_100_000
