"""Grids of picture buttons: arrows walk, Space and Enter press."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from terrainpaint.gui.widgets.picture_tiles import PictureTile, move_focus

KEY = Qt.Key


def pressed(key: Qt.Key) -> QKeyEvent:
    return QKeyEvent(QEvent.Type.KeyPress, key, Qt.KeyboardModifier.NoModifier)


@pytest.fixture
def tiles(qtbot: QtBot) -> Iterator[list[PictureTile]]:
    """Five tiles in a window that has the focus, as a grid of 3 columns: the second row has two."""
    window = QWidget()
    qtbot.addWidget(window)
    row = QHBoxLayout(window)
    made = [PictureTile() for _ in range(5)]
    for tile in made:
        row.addWidget(tile)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    made[0].clearFocus()
    yield made  # while the window is there


@pytest.mark.parametrize(
    ("at", "key", "to"),
    [
        (0, KEY.Key_Right, 1), (2, KEY.Key_Right, 2), (3, KEY.Key_Left, 3), (1, KEY.Key_Down, 4), (2, KEY.Key_Down, 2),
        (4, KEY.Key_Up, 1), (1, KEY.Key_Up, 1),
    ],
)  # fmt: skip
def test_arrows_move_within_rows_and_columns(tiles: list[PictureTile], at: int, key: Qt.Key, to: int) -> None:
    tiles[at].setFocus()
    assert move_focus(tiles, 3, pressed(key))
    assert [tile.hasFocus() for tile in tiles].index(True) == to


def test_the_first_arrow_enters_the_grid_and_other_keys_are_left_alone(tiles: list[PictureTile]) -> None:
    assert not move_focus(tiles, 3, pressed(KEY.Key_A))
    assert not any(tile.hasFocus() for tile in tiles)
    assert move_focus(tiles, 3, pressed(KEY.Key_Down))
    assert tiles[0].hasFocus()


@pytest.mark.parametrize("key", [KEY.Key_Space, KEY.Key_Return, KEY.Key_Enter])
def test_space_and_enter_press(qtbot: QtBot, tiles: list[PictureTile], key: Qt.Key) -> None:
    with qtbot.waitSignal(tiles[2].clicked):
        qtbot.keyClick(tiles[2], key)
