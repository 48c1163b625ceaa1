"""The real window in a test: opened, used with mouse and keys, and closed with all that it started."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog, QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from terrainpaint.core.project import Project, ViewSettings
from terrainpaint.generation.process import TerrainProcess
from terrainpaint.gui.map_camera import Camera
from terrainpaint.gui.window import MainWindow
from tests.gui.conftest import PatientBot, use_folders

LEFT = Qt.MouseButton.LeftButton
NO_KEY = Qt.KeyboardModifier.NoModifier
Buttons = QMessageBox.StandardButton
_Dialog = TypeVar("_Dialog", bound=QDialog)


class Person:
    """The user of the window. `answer` is the answer to questions about unsaved work, `asked` has those questions."""

    def __init__(self, window: MainWindow, process: TerrainProcess, qtbot: QtBot) -> None:
        self.window, self.process, self._qtbot = window, process, qtbot
        self.answer = Buttons.Discard
        self.asked: list[str] = []

    @property
    def sentence(self) -> str:
        """The newest message over the map, or else the one in the status bar."""
        if texts := list(self.window.message_bar.texts.values()):
            return texts[-1]
        return self.window.status.message.label.accessibleName()

    def say(self, box: QMessageBox) -> Buttons:
        """In place of QMessageBox.exec."""
        self.asked.append(box.text())
        return self.answer

    def opens(self, project: Project, path: Path | None = None) -> None:
        """Another document, as after a load, with all of its map on the canvas at a round zoom."""
        self.window.document.open(project, path, ViewSettings())
        self.looks_at(1.0)

    def looks_at(self, zoom: float) -> None:
        """Show the middle of the map."""
        rows, cols = self.window.document.shape
        self.window.canvas.set_camera(Camera(rows / 2, cols / 2, zoom))

    def paints(self, *places: tuple[float, float], pause_ms: int = 0) -> None:
        """Drag the left button over the canvas, from place to place (row, col) of the map."""
        canvas = self.window.canvas
        QTest.mousePress(canvas, LEFT, NO_KEY, self._on_canvas(*places[0]))
        for place in places[1:]:
            if pause_ms:
                self._qtbot.wait(pause_ms)
            self.drags(place)
        QTest.mouseRelease(canvas, LEFT, NO_KEY, self._on_canvas(*places[-1]))

    def drags(self, place: tuple[float, float]) -> None:
        """Move the pointer to a place with the left button held."""
        canvas, at = self.window.canvas, QPointF(self._on_canvas(*place))
        # QTest.mouseMove knows no buttons.
        move = QMouseEvent(QEvent.Type.MouseMove, at, canvas.mapToGlobal(at), Qt.MouseButton.NoButton, LEFT, NO_KEY)
        QApplication.sendEvent(canvas, move)

    def presses(self, key: Qt.Key, held: Qt.KeyboardModifier = NO_KEY) -> None:
        """A key, on the canvas."""
        self.window.canvas.setFocus()
        QTest.keyClick(self.window.canvas, key, held)

    def drops(self, path: Path) -> None:
        """Drop a file on the window."""
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(path))])
        place, action = QPoint(300, 300), Qt.DropAction.CopyAction
        entered = QDragEnterEvent(place, action, data, LEFT, NO_KEY)
        QApplication.sendEvent(self.window, entered)
        assert entered.isAccepted()
        QApplication.sendEvent(self.window, QDropEvent(QPointF(place), action, data, LEFT, NO_KEY))

    @contextmanager
    def in_dialog(self, kind: type[_Dialog], act: Callable[[_Dialog], None]) -> Iterator[None]:
        """While the body runs, wait for a modal dialog, and do something with it that ends it."""
        handled: list[QWidget] = []
        errors: list[BaseException] = []
        timer = QTimer(self.window)

        def look() -> None:
            dialog = QApplication.activeModalWidget()
            if not isinstance(dialog, kind) or dialog in handled:
                return
            timer.stop()
            handled.append(dialog)
            try:
                act(dialog)
            except BaseException as error:
                errors.append(error)
                dialog.reject()

        timer.timeout.connect(look)
        timer.start(10)
        yield
        self._qtbot.waitUntil(lambda: bool(handled))
        timer.stop()
        if errors:
            raise errors[0]

    def closes(self) -> None:
        """Close the window without saving; nothing that it started is left."""
        self.answer = Buttons.Discard
        self.window.close()
        assert self.process.pid is None
        # What tidies up after a save ends by itself, on a busy computer a little later.
        self._qtbot.waitUntil(
            lambda: not any(thread.name.startswith("terrainpaint") for thread in threading.enumerate())
        )

    def _on_canvas(self, row: float, col: float) -> QPoint:
        return self.window.canvas.to_screen(row, col).toPoint()


@contextmanager
def own_window(request: pytest.FixtureRequest, folder: Path) -> Iterator[Person]:
    """A window as `open_window` gives, with its files in `folder`, for fixtures of a module: loading weights takes
    seconds, so all its tests share one window and one process."""
    with pytest.MonkeyPatch.context() as patched:
        use_folders(folder, patched)
        with open_window(PatientBot(request), patched) as person:
            yield person


@contextmanager
def open_window(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[Person]:
    """A window on the screen. Nothing is generated until its `start`."""
    # In a test nobody runs the application, and to end it would end every loop that a later test waits in.
    monkeypatch.setattr(QApplication, "exit", lambda code: None)
    process = TerrainProcess()
    window = MainWindow(process)
    person = Person(window, process, qtbot)
    monkeypatch.setattr(QMessageBox, "exec", lambda box: person.say(box))
    window.show()
    try:
        qtbot.waitExposed(window)
        yield person
    finally:
        person.closes()
        window.deleteLater()
        qtbot.waitUntil(lambda: QApplication.activeModalWidget() is None)


def chooses(monkeypatch: pytest.MonkeyPatch, path: Path | str) -> None:
    """The dialog of the system for files answers with a path, "" for Cancel."""
    for name in ("getOpenFileName", "getSaveFileName"):
        monkeypatch.setattr(QFileDialog, name, lambda *args: (str(path), ""))
