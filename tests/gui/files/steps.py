"""Steps of tests that open, save, import and export in the window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QDialog, QDialogButtonBox, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from terrainpaint.gui.widgets.basics import accept_button
from terrainpaint.gui.window import MainWindow
from tests.core.projects import blotches
from tests.gui.windows import Person


def painted(shape: tuple[int, int]) -> np.ndarray:
    return blotches(shape, 3) % 7


def opened(person: Person, qtbot: QtBot, path: Path) -> None:
    with qtbot.waitSignal(person.window.document.opened, timeout=20_000):
        person.window.opening.open_path(path)


def refused(person: Person, qtbot: QtBot, path: Path) -> str:
    """The message about a file that cannot be used."""
    with qtbot.waitSignal(person.window.jobs.failed, timeout=20_000) as heard:
        person.window.opening.open_path(path)
    assert person.sentence == heard.args[0]
    return person.sentence


def accepted(qtbot: QtBot) -> Callable[[QDialog], None]:
    """Press the button of the dialog once it has read the picture."""

    def accept(dialog: QDialog) -> None:
        qtbot.waitUntil(accept_button(dialog.findChild(QDialogButtonBox)).isEnabled, timeout=20_000)
        dialog.accept()

    return accept


def press(window: MainWindow, text: str) -> None:
    """A button of the bar of messages."""
    (button,) = [
        child for child in window.message_bar.findChildren(QAbstractButton)
        if child.text() == text and child.isVisible()
    ]  # fmt: skip
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def texts(dialog: QDialog) -> str:
    """All labels of a dialog."""
    return " ".join(label.text() for label in dialog.findChildren(QLabel))


def button(dialog: QDialog, text: str) -> QPushButton:
    return next(child for child in dialog.findChildren(QPushButton) if child.text() == text)
