"""Buttons and labels that several panels are made of."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QLabel,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from terrainpaint.gui.actions import MENUS
from terrainpaint.gui.icons import icon
from terrainpaint.gui.theme import set_role

ICON_PX = 18


class ElidedLabel(QLabel):
    """A sentence that is cut short with dots when there is no room; all of it is in the tooltip."""

    def __init__(self) -> None:
        super().__init__()
        self._whole = ""
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    @property
    def whole_text(self) -> str:
        """The sentence, also when it is cut."""
        return self._whole

    def show_text(self, text: str) -> None:
        """Show another sentence."""
        self._whole = text
        self.setToolTip(text)
        self.setAccessibleName(text)
        self._cut()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._cut()

    def _cut(self) -> None:
        room = self.contentsRect().width()
        self.setText(self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideRight, room))


def with_key(tip: str, command: str) -> str:
    """A tooltip with the keys of the command of the window that does the same."""
    (keys,) = (spec.keys for _, specs in MENUS for spec in specs if spec.name == command)
    return f"{tip}  ({keys[0]})" if keys else tip


def icon_button(name: str, tip: str) -> QToolButton:
    """A flat button with an icon; `tip` says what it does and its key."""
    button = QToolButton()
    button.setIcon(icon(name))
    button.setIconSize(QSize(ICON_PX, ICON_PX))
    button.setToolTip(tip)
    button.setAccessibleName(tip)
    button.setAutoRaise(True)
    return button


def caption(text: str) -> QLabel:
    """The name of a group of controls."""
    label = QLabel(text)
    set_role(label, "heading")
    return label


def menu_button(name: str, tip: str) -> QToolButton:
    """A flat button that opens a menu; no arrow beside the icon, which says enough and is narrower."""
    button = icon_button(name, tip)
    button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
    button.setStyleSheet("QToolButton { padding-right: 4px; } QToolButton::menu-indicator { image: none; width: 0; }")
    return button


def hide_what_has_no_room(row: QWidget, optional: Sequence[QWidget]) -> None:
    """Hide as many of the widgets in the layout of `row` as it takes to fit its width, the first ones first.

    They have to be shown before.
    """
    layout = row.layout()
    for each in optional:
        if layout is None or layout.minimumSize().width() <= row.width():
            return
        each.hide()


def muted(text: str) -> QLabel:
    """A label of what is less important; it gives way when there is little room."""
    label = QLabel(text)
    set_role(label, "muted")
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    return label


def rule() -> QFrame:
    """A thin line between groups of controls."""
    line = QFrame()
    line.setFrameShape(QFrame.Shape.HLine)
    return line
