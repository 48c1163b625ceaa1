"""The palette that a right click on the map opens: classes, size of the brush, what was used last, and the picker."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QGuiApplication, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QFrame, QHBoxLayout, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from terrainpaint.core.classes import CLASSES
from terrainpaint.core.painting import MAX_BRUSH_PX, MIN_BRUSH_PX
from terrainpaint.core.rects import Rect
from terrainpaint.gui.document import Document
from terrainpaint.gui.icons import icon
from terrainpaint.gui.theme import current_theme, set_role
from terrainpaint.gui.tools import ToolSettings
from terrainpaint.gui.tools.settings import Used
from terrainpaint.gui.widgets.basics import label, with_key
from terrainpaint.gui.widgets.class_colours import Marks, colour_icon, paint_swatch
from terrainpaint.gui.widgets.numbers import Logarithmic, SliderField

_SWATCH_PX = 38
_KEY_PX = 11
_MARGIN_PX = 10
_GAP_PX = 8


class PaintPalette(QFrame):
    """Opens at the pointer, and closes on a choice, on a click outside it and on Esc. The size does not close it."""

    def __init__(self, document: Document, tools: ToolSettings, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Popup | Qt.WindowType.FramelessWindowHint)
        set_role(self, "palette")
        self._document, self._tools = document, tools
        self._class_here: int | None = None
        self.classes = [ClassButton(terrain_class.id) for terrain_class in CLASSES]
        classes = QHBoxLayout()
        classes.setSpacing(4)
        for button in self.classes:
            button.clicked.connect(lambda _=False, class_id=button.class_id: self._choose(class_id))
            classes.addWidget(button)
        self.size_px = SliderField("Size of the brush", Logarithmic(MIN_BRUSH_PX, MAX_BRUSH_PX), 0, suffix=" px")
        self.size_px.changed.connect(lambda size_px: ToolSettings.size_px.set(tools, size_px))
        size = QHBoxLayout()
        size.setSpacing(_GAP_PX)
        size.addWidget(label("Size", "muted"))
        size.addWidget(self.size_px, 1)
        self._recent_label = label("Recent", "muted")
        self._recent = QHBoxLayout()
        self._recent.setSpacing(2)
        recent = QHBoxLayout()
        recent.setSpacing(_GAP_PX)
        recent.addWidget(self._recent_label)
        recent.addLayout(self._recent)
        recent.addStretch(1)
        self.recent: list[QToolButton] = []
        self.picker = QToolButton()
        self.picker.setIcon(icon("picker"))
        self.picker.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.picker.setAutoRaise(True)
        self.picker.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.picker.clicked.connect(self._pick)
        column = QVBoxLayout(self)
        column.setContentsMargins(_MARGIN_PX, _MARGIN_PX, _MARGIN_PX, _MARGIN_PX)
        column.setSpacing(_GAP_PX)
        column.addLayout(classes)
        column.addLayout(size)
        column.addLayout(recent)
        column.addWidget(self.picker)
        tools.changed.connect(self._show_settings)
        self._show_settings()

    def set_patterns(self, shown: bool) -> None:
        """Show the patterns of the classes, or none."""
        for button in self.classes:
            button.set_marks(Marks(shown, button.marks.letters))

    def set_letters(self, shown: bool) -> None:
        """Show the letters of the classes, or none."""
        for button in self.classes:
            button.set_marks(Marks(button.marks.patterns, shown))

    def show_keys(self, keys: Sequence[str]) -> None:
        """Show and use other keys, those of the classes in their order; "" is none."""
        for button, key in zip(self.classes, keys, strict=True):
            button.show_key(key)

    def open_at(self, place: QPoint, row: float, col: float) -> None:
        """Open around a place of the screen, which shows a position of the map."""
        at = math.floor(row), math.floor(col)
        inside = Rect.of_shape(self._document.shape).contains(*at)
        self._class_here = int(self._document.ids[at]) if inside else None
        self.picker.setEnabled(inside)
        name = CLASSES[self._class_here].name if self._class_here is not None else "outside of the map"
        self.picker.setText(f"Pick the class here: {name}")
        self._fill_recent()
        self._show_settings()
        self.adjustSize()
        # The pointer is over the class in use, so that a second click keeps it.
        current = self.classes[self._tools.class_id]
        corner = place - current.mapTo(self, current.rect().center())
        screen = QGuiApplication.screenAt(place) or self.screen()
        self.move(_within(QRect(corner, self.size()), screen.availableGeometry()))
        self.show()
        current.setFocus(Qt.FocusReason.PopupFocusReason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """The keys of the classes choose, [ and ] change the size; Esc closes, as in every popup."""
        key = event.text()
        chosen = [button.class_id for button in self.classes if key and button.key == key.upper()]
        if chosen:
            self._choose(chosen[0])
        elif key in ("[", "]"):
            self._tools.step_size(1 if key == "]" else -1)
        else:
            super().keyPressEvent(event)

    def _choose(self, class_id: int) -> None:
        self._tools.class_id = class_id
        self.close()

    def _pick(self) -> None:
        if self._class_here is not None:
            self._choose(self._class_here)

    def _use(self, used: Used) -> None:
        if used.size_px is not None:
            self._tools.size_px = used.size_px
        self._choose(used.class_id)

    def _show_settings(self) -> None:
        self.size_px.show_value(self._tools.size_px)
        for button in self.classes:
            button.setChecked(button.class_id == self._tools.class_id)

    def _fill_recent(self) -> None:
        for old in self.recent:
            self._recent.removeWidget(old)
            old.deleteLater()
        self.recent = [self._recent_button(used) for used in self._tools.recent]
        self._recent_label.setVisible(bool(self.recent))
        for button in self.recent:
            self._recent.addWidget(button)
            button.show()

    def _recent_button(self, used: Used) -> QToolButton:
        button = QToolButton(self)
        terrain_class = CLASSES[used.class_id]
        button.setIcon(colour_icon(terrain_class.colour))
        text = "" if used.size_px is None else f"{used.size_px:.0f} px"
        button.setText(text)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setAutoRaise(True)
        tip = f"Used before: {terrain_class.name}" + (f" with {text}" if text else "")
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        button.clicked.connect(lambda: self._use(used))
        return button


class ClassButton(QAbstractButton):
    """A swatch of a class with the key that chooses it."""

    def __init__(self, class_id: int) -> None:
        super().__init__()
        self.class_id, self.marks = class_id, Marks()
        self.setCheckable(True)
        self.setAccessibleName(CLASSES[class_id].name.capitalize())
        self.show_key(str(class_id + 1))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)

    def show_key(self, key: str) -> None:
        """Show another key, "" for none."""
        self.key = key
        self.setToolTip(with_key(self.accessibleName(), key))
        self.update()

    def set_marks(self, marks: Marks) -> None:
        """Show other marks."""
        self.marks = marks
        self.update()

    def sizeHint(self) -> QSize:
        """A square and the key below it."""
        return QSize(_SWATCH_PX, _SWATCH_PX + _KEY_PX + 6)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the swatch, a ring around the class in use, and the key."""
        theme = current_theme()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        square = QRectF(0, 0, _SWATCH_PX, _SWATCH_PX)
        paint_swatch(painter, square.adjusted(4, 4, -4, -4), self.class_id, self.marks)
        if self.isChecked() or self.hasFocus() or self.underMouse():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(theme.accent_text if self.isChecked() else theme.muted), 2))
            painter.drawRoundedRect(square.adjusted(1, 1, -1, -1), 6, 6)
        font = self.font()
        font.setPixelSize(_KEY_PX)
        painter.setFont(font)
        painter.setPen(QColor(theme.text if self.isChecked() else theme.muted))
        below = QRectF(0, _SWATCH_PX, _SWATCH_PX, _KEY_PX + 6)
        painter.drawText(below, Qt.AlignmentFlag.AlignCenter, self.key)
        painter.end()


def _within(rect: QRect, area: QRect) -> QPoint:
    """The nearest upper left corner with which a rectangle is within an area."""
    return QPoint(
        max(area.left(), min(rect.left(), area.right() - rect.width())),
        max(area.top(), min(rect.top(), area.bottom() - rect.height())),
    )
