"""Questions before a file is written: may a missing folder be made, may a file be replaced."""

from __future__ import annotations

import os
from enum import Enum, auto
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QMessageBox, QWidget

from terrainpaint.core.files import output_error
from terrainpaint.gui.widgets.plain_text import shortened

_Buttons = QMessageBox.StandardButton


def answer(box: QMessageBox) -> QMessageBox.StandardButton:
    """Show a question and return the button that was pressed. Its buttons have no icons, as everywhere else."""
    for button in box.buttons():
        button.setIcon(QIcon())
    return QMessageBox.StandardButton(box.exec())


def question(parent: QWidget | None, title: str, text: str) -> QMessageBox:
    """A question whose text is no markup; the caller adds its buttons."""
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle(title)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(shortened(text))
    return box


def folder_is_there(folder: Path, parent: QWidget | None) -> bool:
    """Whether a folder is there; when it is missing, the user may let it be made. Raises OutputError when that fails.

    True also where a file is in its place: only writing tells what is wrong there.
    """
    if os.path.lexists(folder):
        return True
    if not _ask(parent, "Missing folder", f'The folder "{folder}" does not exist.', "Create the folder"):
        return False
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(folder, error) from error
    return True


def may_replace(path: Path, parent: QWidget | None) -> bool:
    """Whether there is no such file yet, or the user lets it be replaced."""
    return not os.path.lexists(path) or _ask(parent, "Replace a file", f'"{path}" exists already.', "Replace it")


class ChangedFile(Enum):
    """What to do with a file that another program has changed."""

    KEEP = auto()
    SAVE_AS = auto()
    REPLACE = auto()


def changed_file(path: Path, parent: QWidget | None) -> ChangedFile:
    """Ask what to do when the file that is to be saved was changed by another program."""
    box = question(
        parent, "Changed by another program",
        f'"{path}" was changed by another program since you opened it. Saving here replaces what it wrote.',
    )  # fmt: skip
    box.setStandardButtons(_Buttons.Save | _Buttons.Yes | _Buttons.Cancel)
    box.button(_Buttons.Save).setText("Save &as…")
    box.button(_Buttons.Yes).setText("&Replace it")
    box.setDefaultButton(_Buttons.Save)
    answers = {_Buttons.Save: ChangedFile.SAVE_AS, _Buttons.Yes: ChangedFile.REPLACE}
    return answers.get(answer(box), ChangedFile.KEEP)


def _ask(parent: QWidget | None, title: str, text: str, yes: str) -> bool:
    box = question(parent, title, text)
    box.setStandardButtons(_Buttons.Yes | _Buttons.Cancel)
    box.button(_Buttons.Yes).setText(yes)
    box.setDefaultButton(_Buttons.Cancel)
    return answer(box) == _Buttons.Yes
