"""Questions before a file is written: where, may a missing folder be made, may a file be replaced."""

from __future__ import annotations

import os
import re
from enum import Enum, auto
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from terrainpaint.core.files import output_error
from terrainpaint.errors import OutputError
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


def ask_for_target(parent: QWidget | None, title: str, start: Path, kinds: str) -> Path | None:
    """Ask for a file to write; None when the user gives up, or does not want what it takes.

    `kinds` are the filters of the file dialog, such as "PNG (*.png)". The file gets the first suffix of the chosen
    filter, if it has none of any filter.
    """
    text, chosen = QFileDialog.getSaveFileName(parent, title, str(start), kinds)
    if not text:
        return None
    path = Path(text)
    if path.suffix.lower() not in suffixes(kinds):  # otherwise the dialog has asked whether it may be replaced
        path = path.with_name(path.name + suffixes(chosen or kinds)[0])
        if not may_replace(path, parent):
            return None
    try:
        return path if folder_is_there(path.parent, parent) else None
    except OutputError:
        return path  # to write it tells what is wrong


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


def may_delete(what: str, parent: QWidget | None) -> bool:
    """Whether the user wants to delete something; `what` is a sentence about it."""
    box = question(parent, "Discard", what)
    box.setStandardButtons(_Buttons.Discard | _Buttons.Cancel)
    box.setDefaultButton(_Buttons.Cancel)
    return answer(box) == _Buttons.Discard


def suffixes(kinds: str) -> list[str]:
    """The suffixes in the filters of a file dialog."""
    return re.findall(r"\*(\.\w+)", kinds)


def _ask(parent: QWidget | None, title: str, text: str, yes: str) -> bool:
    box = question(parent, title, text)
    box.setStandardButtons(_Buttons.Yes | _Buttons.Cancel)
    box.button(_Buttons.Yes).setText(yes)
    box.setDefaultButton(_Buttons.Cancel)
    return answer(box) == _Buttons.Yes
