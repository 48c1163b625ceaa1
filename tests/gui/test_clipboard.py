"""Pieces on the clipboard: as they were put there, and data of other programs that claims to be one."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QMimeData
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from terrainpaint.core.selection import Clip
from terrainpaint.gui import clipboard

FORMAT = "application/x-terrainpaint-piece"
Change = Callable[[bytes, bytes], bytes]


@pytest.fixture
def piece(qapp: QApplication) -> tuple[bytes, bytes]:
    """The place and the picture of a piece, as they are put on the clipboard."""
    clipboard.put(Clip(3, -4, np.arange(7, dtype=np.uint8).reshape(1, 7)))
    data = bytes(QGuiApplication.clipboard().mimeData().data(FORMAT).data())
    place, _, png = data.partition(b"\n")
    return place, png


def declaring(png: bytes, side: int) -> bytes:
    """A PNG that says that it has sides of so many pixels."""
    head = b"IHDR" + struct.pack(">II", side, side) + png[24:29]
    return png[:12] + head + struct.pack(">I", zlib.crc32(head)) + png[33:]


def test_a_piece_comes_back_as_it_was(piece: tuple[bytes, bytes]) -> None:
    found = clipboard.get()
    assert found is not None and (found.row, found.col) == (3, -4)
    assert found.cells.tolist() == [list(range(7))]


@pytest.mark.parametrize(
    "change",
    [
        lambda place, png: b"[" * 100_000 + b"\n" + png,
        lambda place, png: b'{"row": 1e999, "col": 0}\n' + png,
        lambda place, png: b'{"row": 1e300, "col": 0}\n' + png,
        lambda place, png: b'{"row": "1", "col": 0}\n' + png,
        lambda place, png: b"\xff\xfe\n" + png,
        lambda place, png: place + b"\n" + png[:40],
        lambda place, png: place + b"\nno picture",
        lambda place, png: place + b"\n" + declaring(png, 30_000),
        lambda place, png: place,
        lambda place, png: b"",
    ],
)
def test_what_another_program_puts_under_this_format_is_not_pasted(piece: tuple[bytes, bytes], change: Change) -> None:
    data = QMimeData()
    data.setData(FORMAT, change(*piece))
    QGuiApplication.clipboard().setMimeData(data)
    assert clipboard.get() is None
