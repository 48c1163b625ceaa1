"""Drawn lines of the document: shown while they change, one step each, kept by undo, recovery and other sizes."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication

from terrainpaint.core.guide_lines import GuideLine, GuideLines, LineKind
from terrainpaint.core.journal import abandoned_journals, recover
from terrainpaint.core.painting import flood, rectangle
from terrainpaint.core.project import Project, Settings
from terrainpaint.core.rects import Rect
from terrainpaint.gui.document import Document
from terrainpaint.gui.recovery import Autosave

SHAPE = (96, 130)
LAND, WATER = 1, 0
RIDGE = GuideLine(LineKind.RIDGE, ((10.5, 10.5), (10.5, 60.5)))
MOVED = GuideLine(LineKind.RIDGE, ((20.5, 10.5), (20.5, 60.5)))
RIVER = GuideLine(LineKind.RIVER, ((40.5, 10.5), (40.5, 60.5)), 2)


@pytest.fixture
def document(qapp: QApplication) -> Document:
    return Document(Project.empty(SHAPE, Settings(100.0, "atlas", base_class=LAND)))


def drawn(document: Document, *lines: GuideLine) -> None:
    document.change_lines("Draw", GuideLines(lines))


def test_lines_are_shown_while_they_change_and_are_one_step(document: Document) -> None:
    changed: list[Rect] = []
    document.guides_changed.connect(changed.extend)
    edit = document.begin_lines("Draw")
    assert edit is not None
    for line in (RIDGE, MOVED):
        edit.show(GuideLines((line,)))
        assert document.project.lines.lines == (line,)
    assert not document.undo_stack.count() and {rect.row for rect in changed} == {10} and changed[-1].bottom == 21
    edit.end()
    edit.show(GuideLines((RIVER,)))  # it is over
    assert [document.undo_stack.text(0)] == ["Draw"] and document.project.lines.lines == (MOVED,)
    document.undo_stack.undo()
    assert not document.project.lines
    document.undo_stack.redo()
    assert document.project.lines.lines == (MOVED,)


def test_a_cancelled_or_empty_edit_is_no_step(document: Document) -> None:
    drawn(document, RIDGE)
    edit = document.begin_lines("Move")
    assert edit is not None
    edit.show(GuideLines((MOVED,)))
    edit.cancel()
    assert document.project.lines.lines == (RIDGE,)
    edit = document.begin_lines("Move")
    assert edit is not None
    edit.end()
    assert document.undo_stack.count() == 1


def test_undo_and_other_steps_in_the_middle_of_an_edit(document: Document) -> None:
    drawn(document, RIDGE)
    interrupted: list[bool] = []
    document.stroke_interrupted.connect(lambda: interrupted.append(True))
    edit = document.begin_lines("Move")
    assert edit is not None
    edit.show(GuideLines((MOVED,)))
    document.undo_stack.undo()
    assert not document.project.lines and interrupted
    document.undo_stack.redo()
    assert document.project.lines.lines == (RIDGE,)
    edit = document.begin_lines("Move")
    assert edit is not None
    edit.show(GuideLines((MOVED,)))
    document.add_layer()  # ends the edit first
    assert [document.undo_stack.text(i) for i in range(3)] == ["Draw", "Move", "Add layer"]
    document.undo_stack.undo()
    assert document.project.lines.lines == (MOVED,) and len(document.project.layers) == 1


def test_rivers_are_water_of_the_map_above_its_layers(document: Document) -> None:
    heard: list[Rect] = []
    document.map_changed.connect(heard.append)
    drawn(document, RIVER)
    assert (document.ids[40, 10:60] == WATER).all() and heard == [Rect(40, 10, 2, 22), Rect(40, 32, 2, 30)]
    assert (document.painted == LAND).all()
    document.paint_mark("Paint", rectangle((30, 0), (60, 129), SHAPE), 3)
    assert (document.ids[40, 10:60] == WATER).all() and document.ids[45, 30] == 3
    document.change_lines("Erase", GuideLines())
    assert (document.ids[40] == 3).all(), "the land below is there again"
    document.undo_stack.setIndex(0)
    assert (document.ids == LAND).all()


def test_locked_and_hidden_lines_stay_as_they_are(document: Document) -> None:
    drawn(document, RIDGE)
    for switch, word in (("locked", "locked"), ("visible", "hidden")):
        lines = dataclasses.replace(document.project.lines, **{switch: switch == "locked"})
        document.change_lines("Switch", lines)
        assert document.begin_lines("Move") is None and word in document.lines_refusal
        document.undo_stack.undo()
    assert document.begin_lines("Move") is not None


def test_the_history_counts_the_points_of_lines_that_change(document: Document) -> None:
    many = GuideLine(LineKind.RIDGE, tuple((float(i % 90), float(i % 120)) for i in range(2000)))
    drawn(document, many)
    before = document.undo_stack.nbytes
    assert before > 2000 * 100
    drawn(document, many, RIDGE)
    assert document.undo_stack.nbytes - before < 5000, "the long line is shared"


def test_lines_are_recovered_and_go_with_the_size(document: Document, tmp_path: Path) -> None:
    autosave = Autosave(document, tmp_path / "running")
    try:
        document.add_layer()
        drawn(document, RIDGE, RIVER)
        document.crop(5, 5, (80, 100))
        autosave.catch_up()
        kept = document.project
        shutil.copytree(tmp_path / "running", tmp_path / "killed", ignore=shutil.ignore_patterns("*.lock"))
        (left,) = abandoned_journals(tmp_path / "killed")
        assert recover(left)[0].lines == kept.lines
        assert kept.lines.lines[0].points == ((5.5, 5.5), (5.5, 55.5))
    finally:
        autosave.close()
    document.undo_stack.undo()
    assert document.project.lines.lines == (RIDGE, RIVER)
    assert np.array_equal(document.ids, document.project.classes())


def test_fills_do_not_stop_at_drawn_rivers(document: Document) -> None:
    drawn(document, GuideLine(LineKind.RIVER, ((0.5, 65.5), (95.5, 65.5)), 3))
    mark = flood(document.painted, (50, 20))
    assert mark.part(Rect.of_shape(SHAPE)).all() and document.ids[50, 65] == WATER
