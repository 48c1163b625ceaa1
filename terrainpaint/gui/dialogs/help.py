"""The dialogs of the Help menu: keyboard shortcuts, and about the program."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby

from PySide6.QtCore import Qt, qVersion
from PySide6.QtWidgets import (
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from terrainpaint import __version__
from terrainpaint.gui.widgets.basics import GAP_PX, close_box, dialog_column, label, logo, paragraph

Shortcut = tuple[str, str, str]
"""Group, keys such as "Ctrl+Shift+Z, Ctrl+Y" or "B or P", and what they do."""

_LOGO_PX = 64
_LICENCES = (
    "TerrainPaint is free software under the MIT licence. It uses Qt and PySide6 (LGPL 3), PyTorch, NumPy and PyOpenGL "
    "(BSD), OpenCV and safetensors (Apache 2.0), Pillow (MIT-CMU), pyqtgraph and filelock (MIT)."
)


class ShortcutsDialog(QDialog):
    """Lists the shortcuts by group, in two columns, with a search field."""

    def __init__(self, shortcuts: Sequence[Shortcut], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keyboard shortcuts")
        self._groups: list[tuple[QWidget, list[tuple[str, list[QWidget]]]]] = []
        search = QLineEdit()
        search.setPlaceholderText("Find a shortcut")
        search.setClearButtonEnabled(True)
        search.textChanged.connect(self.show_matching)

        group_names = [group for group, _, _ in shortcuts]
        in_order = sorted(shortcuts, key=lambda shortcut: group_names.index(shortcut[0]))
        columns = QVBoxLayout(), QVBoxLayout()
        filled = [0, 0]
        for name, rows in groupby(in_order, key=lambda shortcut: shortcut[0]):
            group = list(rows)
            shorter = 0 if filled[0] <= filled[1] else 1
            columns[shorter].addWidget(self._group(name, group))
            filled[shorter] += len(group) + 2
        holder = QWidget()
        side_by_side = QHBoxLayout(holder)
        side_by_side.setContentsMargins(0, 0, GAP_PX, 0)
        side_by_side.setSpacing(40)
        for column in columns:
            column.setSpacing(20)
            column.addStretch(1)
            side_by_side.addLayout(column, 1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(holder)

        whole = dialog_column(self)
        whole.setSpacing(16)
        whole.addWidget(search)
        whole.addWidget(scroll, 1)
        whole.addWidget(close_box(self))
        self.resize(820, 600)

    def show_matching(self, words: str) -> None:
        """Show only the shortcuts whose group, keys or text contain `words`; all of them for ""."""
        for group, rows in self._groups:
            matches = [words.casefold().strip() in text for text, _ in rows]
            for (_, widgets), shown in zip(rows, matches, strict=True):
                for widget in widgets:
                    widget.setVisible(shown)
            group.setVisible(any(matches))

    def _group(self, name: str, shortcuts: list[Shortcut]) -> QWidget:
        holder = QWidget()
        grid = QGridLayout(holder)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(0, 1)
        grid.addWidget(label(name, "heading"), 0, 0, 1, 2)
        rows: list[tuple[str, list[QWidget]]] = []
        for row, (_, keys, text) in enumerate(shortcuts, 1):
            what, pressed = label(text), _keys(keys)
            grid.addWidget(what, row, 0)
            grid.addWidget(pressed, row, 1, Qt.AlignmentFlag.AlignRight)
            rows.append((f"{name} {keys} {text}".casefold(), [what, pressed]))
        self._groups.append((holder, rows))
        return holder


def _keys(keys: str) -> QWidget:
    """A small cap for each key: "Ctrl+Z, Ctrl+Y" has two caps, "or", and two caps."""
    holder = QWidget()
    row = QHBoxLayout(holder)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(4)
    for number, combination in enumerate(re.split(", | or ", keys)):
        if number:
            row.addWidget(label("or", "muted"))
        for cap in _caps(combination):
            row.addWidget(label(cap, "key"))
    return holder


def _caps(combination: str) -> list[str]:
    """ "Ctrl+Shift+Z" → Ctrl, Shift, Z; a plus at the end is a key."""
    before, _, key = combination[:-1].rpartition("+")
    return [*(before.split("+") if before else []), key + combination[-1:]]


class AboutDialog(QDialog):
    """Shows the version, the licences, and `weights_credits`: the data that the loaded weights were trained on."""

    def __init__(self, weights_credits: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("About TerrainPaint")
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(label("TerrainPaint", "title"))
        version = label(f"Version {__version__}, Qt {qVersion()}", "muted")
        version.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        words.addWidget(version)
        head = QHBoxLayout()
        head.setSpacing(16)
        head.addWidget(logo(_LOGO_PX))
        head.addLayout(words, 1)

        credits_field = QPlainTextEdit(weights_credits)
        credits_field.setReadOnly(True)
        credits_field.setAccessibleName("Credits of the weights")
        column = dialog_column(self)
        column.setSpacing(14)
        column.addLayout(head)
        column.addWidget(
            paragraph("Paint a map of seven terrain classes, and get a generated texture and height map.", "")
        )
        column.addWidget(paragraph(_LICENCES))
        column.addWidget(label("Weights", "heading"))
        column.addWidget(credits_field, 1)
        column.addWidget(close_box(self))
        self.resize(520, 480)
