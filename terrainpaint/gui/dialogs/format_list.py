"""The formats of an export, in groups, with check boxes, the sizes and the names of their files."""

from __future__ import annotations

from collections.abc import Callable, Collection

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QCheckBox, QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout

from terrainpaint.export import FORMATS, GROUPS, Format
from terrainpaint.gui.theme import set_role
from terrainpaint.gui.widgets.basics import horizontal_rule, label, paragraph, push_button

_INDENT_PX, _TOP_PX = 28, 10


class FormatList(QScrollArea):
    """Check boxes of all formats."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._choices = {key: QCheckBox(form.name) for key, form in FORMATS.items()}
        self._sizes = {key: label("", "muted") for key in FORMATS}
        self._files = {key: paragraph("") for key in FORMATS}
        self._headings = dict[str, QLabel]()
        holder = _HeightForWidth()
        column = QVBoxLayout(holder)
        column.setContentsMargins(14, _TOP_PX, 14, _TOP_PX)
        column.setSpacing(2)
        for number, group in enumerate(GROUPS):
            formats = {key: form for key, form in FORMATS.items() if form.group == group}
            if not formats:
                continue
            if number:
                column.addSpacing(10)
            self._headings[group] = label(group, "accent")
            column.addWidget(self._headings[group])
            for key, form in formats.items():
                column.addWidget(horizontal_rule())
                column.addLayout(self._row(key, form))
        column.addStretch(1)
        set_role(self, "panel")
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidget(holder)
        for box in self._choices.values():
            box.toggled.connect(self.changed)

    def links(self) -> QHBoxLayout:
        """A button for each group that scrolls to it."""
        row = QHBoxLayout()
        row.setSpacing(2)
        for group, heading in self._headings.items():
            link = push_button(group, "link")
            link.setAutoDefault(False)
            link.setAccessibleName(f"Show the formats of the group {group}")
            link.clicked.connect(lambda checked=False, heading=heading: self._scroll_to(heading))
            row.addWidget(link)
        row.addStretch(1)
        return row

    def _scroll_to(self, heading: QLabel) -> None:
        self.verticalScrollBar().setValue(heading.y() - _TOP_PX)

    def _row(self, key: str, form: Format) -> QVBoxLayout:
        rows = QVBoxLayout()
        rows.setSpacing(2)
        first = QHBoxLayout()
        set_role(self._choices[key], "strong")
        first.addWidget(self._choices[key])
        first.addStretch(1)
        first.addWidget(self._sizes[key])
        rows.addLayout(first)
        description = paragraph(form.description[:1].upper() + form.description[1:], "")
        for text in (description, self._files[key]):
            text.setContentsMargins(_INDENT_PX, 0, 0, 4)
            rows.addWidget(text)
        return rows

    def chosen(self) -> tuple[str, ...]:
        """The names of the formats that are ticked."""
        return tuple(key for key, box in self._choices.items() if box.isChecked())

    def choose(self, formats: Collection[str]) -> None:
        """Tick these formats and no others, and scroll to the first one."""
        for key, box in self._choices.items():
            box.setChecked(key in formats)
        ticked = [box for key, box in self._choices.items() if key in formats]
        if ticked:
            self.ensureWidgetVisible(ticked[0])

    def show_files(self, size_of: Callable[[Format], str], names_of: Callable[[Format], str]) -> None:
        """Show the size of each format, and the names of the files of those that are ticked."""
        for key, form in FORMATS.items():
            self._sizes[key].setText(size_of(form))
            self._files[key].setText(names_of(form))
            self._files[key].setVisible(self._choices[key].isChecked())


class _HeightForWidth(QFrame):
    """Asks for the height of its wrapped texts at its real width; Qt takes their height at their smallest width."""

    def minimumSizeHint(self) -> QSize:
        layout = self.layout()
        hint = super().minimumSizeHint()
        return QSize(hint.width(), layout.heightForWidth(self.width())) if layout else hint

    def resizeEvent(self, event: QResizeEvent) -> None:
        if event.size().width() != event.oldSize().width():
            self.updateGeometry()
        super().resizeEvent(event)
