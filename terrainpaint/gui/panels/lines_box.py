"""The drawn lines in the panel of layers: how many, show, lock, erase all of them."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from terrainpaint.core.guide_lines import GuideLines, LineKind
from terrainpaint.gui.document import Document
from terrainpaint.gui.icons import icon
from terrainpaint.gui.step_texts import step_text
from terrainpaint.gui.widgets.basics import icon_button, label, push_button

_PLURALS = {LineKind.RIDGE: "ridges", LineKind.VALLEY: "valleys", LineKind.RIVER: "rivers"}


class LinesBox(QWidget):
    """Without drawn lines it has only a button that chooses the tool."""

    draw_requested = Signal()

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self.draw = push_button("Draw…", "compact")
        self.draw.setToolTip("Ridges, valleys and rivers as lines, which the land follows")
        self.shown = icon_button("eye", "Show or hide the drawn lines; the land follows those that are shown")
        self.locked = icon_button("unlock", "Lock or unlock the drawn lines")
        self.erase = icon_button("close", "Erase all drawn lines")
        self.title, self.counts = label("Drawn lines", "heading"), label("", "muted")
        self.counts.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 6, 0, 0)
        column.setSpacing(2)
        row = QHBoxLayout()
        row.setSpacing(2)
        row.addWidget(self.title, 1)
        for button in (self.shown, self.locked, self.erase, self.draw):
            row.addWidget(button)
        column.addLayout(row)
        column.addWidget(self.counts)
        self.draw.clicked.connect(self.draw_requested)
        self.shown.clicked.connect(lambda: self._switch("visible", "hidden", "shown"))
        self.locked.clicked.connect(lambda: self._switch("locked", "unlocked", "locked"))
        self.erase.clicked.connect(self._erase)
        document.lines_changed.connect(self._refresh)
        document.replaced.connect(self._refresh)
        self._refresh()

    def _switch(self, name: str, off: str, on: str) -> None:
        lines = self._document.project.lines
        to = not getattr(lines, name)
        changes: dict[str, Any] = {name: to}
        self._document.change_lines(step_text("Drawn lines", on if to else off), dataclasses.replace(lines, **changes))

    def _erase(self) -> None:
        self._document.change_lines(step_text("Drawn lines", "all erased"), GuideLines())

    def _refresh(self) -> None:
        lines = self._document.project.lines
        for widget in (self.shown, self.locked, self.erase, self.counts):
            widget.setVisible(bool(lines))
        self.draw.setVisible(not lines)
        self.shown.setIcon(icon("eye" if lines.visible else "eye-off"))
        self.locked.setIcon(icon("lock" if lines.locked else "unlock"))
        self.erase.setEnabled(not lines.locked)
        counts = Counter(line.kind for line in lines.lines)
        words = {kind: kind.word if count == 1 else _PLURALS[kind] for kind, count in counts.items()}
        self.counts.setText(", ".join(f"{counts[kind]} {words[kind]}" for kind in LineKind if counts[kind]))
