"""Pieces that float with handles: lifted by the transform tool or pasted, scaled and turned by mouse and numbers."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from terrainpaint.core.painting import rectangle
from terrainpaint.core.project import EMPTY
from terrainpaint.core.transforming import Pose, placed
from terrainpaint.gui.panels.tool_bars import ToolOptions
from terrainpaint.gui.panels.transform_bar import OptionsBar
from tests.gui.canvases import ALT, SHAPE, SHIFT, Desk

PIECE = np.repeat(np.array([[1, 2, 3], [4, 5, 6]], np.uint8), 20, axis=0).repeat(20, axis=1)
"""(40, 60) uint8: six squares."""


@pytest.fixture
def desk(qtbot: QtBot) -> Desk:
    """A piece of 40 x 60 px at (60, 100) in the sea, selected and lifted."""
    desk = Desk(qtbot, np.zeros(SHAPE, np.uint8))
    desk.document.set_selection(None)
    for row in range(2):
        for col in range(3):
            mark = rectangle((60 + 20 * row, 100 + 20 * col), (79 + 20 * row, 119 + 20 * col), SHAPE)
            desk.document.paint_mark("", mark, 1 + 3 * row + col)
    desk.document.undo_stack.clear()
    desk.document.set_selection(rectangle((60, 100), (99, 159), SHAPE))
    desk.canvas.set_tool("transform")
    return desk


def expected(pose: Pose) -> np.ndarray:
    """The map with the piece there and nothing where it was; an empty layer shows the base class, water."""
    ids = np.zeros(SHAPE, np.uint8)
    clip = placed(PIECE, pose, SHAPE)
    rect = clip.rect.clipped(SHAPE)
    cells = clip.cells[rect.moved(-clip.row, -clip.col).slices]
    ids[rect.slices] = np.where(cells == EMPTY, 0, cells)
    return ids


def test_a_corner_scales_from_the_opposite_one(desk: Desk) -> None:
    desk.drag((100, 160), (140, 190))
    desk.key(Qt.Key.Key_Return)
    assert np.array_equal(desk.ids, expected(Pose((100.0, 145.0), (2.0, 1.5))))
    assert desk.steps == 1 and desk.document.undo_stack.undoText() == "Transform"
    selection = desk.document.selection
    assert selection is not None and (selection.rect.height, selection.rect.width) == (80, 90)
    desk.document.undo_stack.undo()
    assert np.array_equal(desk.ids, expected(Pose((80.0, 130.0))))


def test_shift_keeps_the_proportions_and_alt_the_middle(desk: Desk) -> None:
    desk.drag((100, 160), (140, 220), held=SHIFT)
    floating = desk.canvas.pieces.floating
    assert floating is not None
    assert floating.pose.scale == pytest.approx((2, 2))
    assert floating.pose.centre == pytest.approx((100, 160))
    desk.key(Qt.Key.Key_Escape)
    desk.click(80, 130)
    desk.drag((80, 160), (80, 175), held=ALT)
    floating = desk.canvas.pieces.floating
    assert floating is not None
    assert floating.pose == Pose((80.0, 130.0), (1.0, 1.5))


def test_a_handle_dragged_to_the_other_side_mirrors(desk: Desk) -> None:
    desk.drag((80, 160), (80, 40))
    desk.key(Qt.Key.Key_Return)
    assert np.array_equal(desk.ids, expected(Pose((80.0, 70.0), (1.0, -1.0))))


def test_a_drag_outside_a_corner_turns_and_shift_in_steps(desk: Desk) -> None:
    desk.drag((50, 170), (120, 165), held=SHIFT)
    floating = desk.canvas.pieces.floating
    assert floating is not None and floating.pose.angle_deg == 90
    desk.key(Qt.Key.Key_Return)
    assert np.array_equal(desk.ids, expected(Pose((80.0, 130.0), angle_deg=90.0)))


def test_the_round_handle_turns(desk: Desk) -> None:
    desk.drag((60 - 28, 130), (80, 200))
    floating = desk.canvas.pieces.floating
    assert floating is not None and floating.pose.angle_deg == pytest.approx(90, abs=1)


def test_a_drag_inside_and_arrows_move(desk: Desk) -> None:
    desk.drag((80, 130), (100, 120))
    desk.key(Qt.Key.Key_Right)
    desk.key(Qt.Key.Key_Down, SHIFT)
    desk.key(Qt.Key.Key_Return)
    assert np.array_equal(desk.ids, expected(Pose((110.0, 121.0))))


def test_esc_leaves_the_map_and_the_selection(desk: Desk) -> None:
    before = desk.ids.copy()
    desk.drag((100, 160), (140, 190))
    desk.key(Qt.Key.Key_Escape)
    assert desk.canvas.pieces.floating is None
    assert np.array_equal(desk.ids, before) and desk.steps == 0
    desk.canvas.set_tool("brush")
    assert np.array_equal(desk.ids, before) and desk.steps == 0


def test_a_pasted_piece_has_handles_with_any_tool_and_keeps_them_in_the_transform_tool(desk: Desk) -> None:
    desk.canvas.cancel()
    desk.canvas.pieces.copy()
    desk.canvas.set_tool("brush")
    desk.canvas.paste()
    desk.drag((100, 160), (140, 160))
    desk.canvas.transform()
    floating = desk.canvas.pieces.floating
    assert floating is not None and floating.text == "Paste"
    desk.key(Qt.Key.Key_Return)
    copied = np.where(expected(Pose((100.0, 130.0), (2.0, 1.0))) > 0, 1, 0)
    assert ((desk.ids > 0) == copied).all() and desk.steps == 1


def test_the_piece_is_seen_scaled_and_turned_before_it_is_put_down(desk: Desk) -> None:
    pose = Pose((90.0, 120.0), (1.5, -0.8), 30.0)
    desk.canvas.pieces.place(pose)
    rows, cols = np.arange(10, 190, 2), np.arange(5, 290, 3)
    ids = desk.ids[rows][:, cols].copy()
    desk.canvas.pieces.draw_into(ids, rows, cols)
    assert np.array_equal(ids, expected(pose)[rows][:, cols])


def test_numbers_in_the_bar(desk: Desk, qtbot: QtBot) -> None:
    bar = OptionsBar(desk.canvas, ToolOptions(desk.settings))
    qtbot.addWidget(bar)
    bar.resize(1100, 42)
    bar.show()
    desk.canvas.cancel()
    assert bar.currentIndex() == 0
    desk.canvas.transform()
    assert bar.currentWidget() is bar.transform
    bar.transform.wide.setValue(200)
    floating = desk.canvas.pieces.floating
    assert floating is not None and floating.pose.scale == (2.0, 2.0), "in proportion"
    bar.transform.keeps.setChecked(False)
    bar.transform.tall.setValue(50)
    bar.transform.angle.setValue(-45)
    bar.transform.mirror_x.click()
    assert desk.canvas.pieces.floating is not None
    assert desk.canvas.pieces.floating.pose == Pose((80.0, 130.0), (0.5, -2.0), 45.0)
    assert (bar.transform.tall.value(), bar.transform.wide.value(), bar.transform.angle.value()) == (50, 200, 45)
    bar.transform.apply.click()
    assert bar.currentIndex() == 0
    assert np.array_equal(desk.ids, expected(Pose((80.0, 130.0), (0.5, -2.0), 45.0)))


def test_a_locked_layer_is_not_lifted(desk: Desk, qtbot: QtBot) -> None:
    desk.canvas.set_tool("brush")
    desk.document.change_layer("Lock", dataclasses.replace(desk.document.active_layer, locked=True))
    with qtbot.waitSignal(desk.canvas.refused):
        desk.canvas.transform()
    assert desk.canvas.pieces.floating is None
