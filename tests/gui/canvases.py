"""A canvas with a document at 100 %, so that screen pixels are map pixels, and mouse, pen and keys for it."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QInputDevice, QMouseEvent, QPointingDevice, QTabletEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from terrainpaint.core.project import Project, Settings
from terrainpaint.core.rects import Rect
from terrainpaint.gui.canvas.canvas import Canvas
from terrainpaint.gui.document import Document
from terrainpaint.gui.map_camera import Camera
from terrainpaint.gui.tools import ToolSettings

SHAPE = (200, 300)
WHOLE = Rect.of_shape(SHAPE)
LEFT = Qt.MouseButton.LeftButton
NONE = Qt.KeyboardModifier.NoModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
ALT = Qt.KeyboardModifier.AltModifier


class Hand:
    """Mouse, pen and keys on a canvas. Positions are (row, col) of map pixels."""

    def __init__(self, canvas: Canvas) -> None:
        self.canvas = canvas
        self.pen, self.pen_end = (
            QPointingDevice(
                "pen", number, QInputDevice.DeviceType.Stylus, kind,
                QInputDevice.Capability.Position | QInputDevice.Capability.Pressure, 1, 1,
            )
            for number, kind in ((7, QPointingDevice.PointerType.Pen), (8, QPointingDevice.PointerType.Eraser))
        )  # fmt: skip

    def place(self, row: int, col: int) -> QPoint:
        return self.canvas.to_screen(row, col).toPoint()

    def press(self, row: int, col: int, held: Qt.KeyboardModifier = NONE) -> None:
        QTest.mousePress(self.canvas, LEFT, held, self.place(row, col))

    def move(self, row: int, col: int, held: Qt.KeyboardModifier = NONE) -> None:
        # QTest.mouseMove knows neither buttons nor keys.
        at = QPointF(self.place(row, col))
        event = QMouseEvent(QEvent.Type.MouseMove, at, self.canvas.mapToGlobal(at), Qt.MouseButton.NoButton, LEFT, held)
        QApplication.sendEvent(self.canvas, event)

    def release(self, row: int, col: int, held: Qt.KeyboardModifier = NONE) -> None:
        QTest.mouseRelease(self.canvas, LEFT, held, self.place(row, col))

    def click(self, row: int, col: int, held: Qt.KeyboardModifier = NONE) -> None:
        self.press(row, col, held)
        self.release(row, col, held)

    def drag(self, *places: tuple[int, int], held: Qt.KeyboardModifier = NONE) -> None:
        self.press(*places[0], held)
        for place in places[1:]:
            self.move(*place, held)
        self.release(*places[-1], held)

    def key(self, key: Qt.Key, held: Qt.KeyboardModifier = NONE) -> None:
        QTest.keyClick(self.canvas, key, held)

    def tablet(self, kind: QEvent.Type, row: int, col: int, pressure: float, end: bool = False) -> None:
        at = QPointF(self.place(row, col))
        pressed = kind != QEvent.Type.TabletMove
        event = QTabletEvent(
            kind, self.pen_end if end else self.pen, at, self.canvas.mapToGlobal(at), pressure, 0, 0, 0, 0, 0, NONE,
            LEFT if pressed else Qt.MouseButton.NoButton, LEFT,
        )  # fmt: skip
        QApplication.sendEvent(self.canvas, event)
        assert event.isAccepted()


class Desk(Hand):
    """A document with its canvas on the screen."""

    def __init__(self, qtbot: QtBot, ids: np.ndarray | None = None, kind: type[Canvas] = Canvas) -> None:
        settings = Settings(100.0, "atlas", base_class=0)
        project = Project.empty(SHAPE, settings) if ids is None else Project.painted(ids, settings)
        self.document = Document(project)
        self.settings = ToolSettings()
        super().__init__(kind(self.document, self.settings))
        qtbot.addWidget(self.canvas)
        self.canvas.resize(SHAPE[1] + 40, SHAPE[0] + 40)
        self.canvas.show()
        qtbot.waitExposed(self.canvas)
        self.canvas.setFocus()
        self.canvas.set_camera(Camera(SHAPE[0] / 2, SHAPE[1] / 2, 1.0))

    @property
    def ids(self) -> np.ndarray:
        return self.document.ids

    @property
    def steps(self) -> int:
        return self.document.undo_stack.index()


def checkers() -> np.ndarray:
    """(200, 300) uint8: squares of 20 pixels of all classes."""
    rows, cols = np.indices(SHAPE) // 20
    return ((rows * 3 + cols) % 7).astype(np.uint8)
