"""One class in the panel of classes."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton

from terrainpaint.core.classes import TerrainClass
from terrainpaint.gui.icons import icon
from terrainpaint.gui.panels.swatch import Marks, paint_swatch
from terrainpaint.gui.theme import current_theme

_ROW_PX = 34
_SWATCH_PX = 24
_CHECK_PX = 14
_GAP_PX = 8
_KEY_PX = 18
_BASE = "base"


class ClassRow(QAbstractButton):
    """Check mark, swatch, name, a word for the base class, share of the map, key."""

    def __init__(self, terrain_class: TerrainClass) -> None:
        super().__init__()
        self.terrain_class = terrain_class
        self._is_base = False
        self._share: float | None = None
        self._marks = Marks()
        self.setText(terrain_class.name.capitalize())
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setToolTip(f"Paint {terrain_class.name}  ({terrain_class.id + 1}) · right click for more")

    @property
    def share_text(self) -> str:
        """How much of the map has the class; "" before it was counted."""
        return "" if self._share is None else percent(self._share)

    @property
    def is_base(self) -> bool:
        """Whether it is the class where nothing is painted."""
        return self._is_base

    def set_base(self, is_base: bool) -> None:
        """Show that it is the class where nothing is painted, or not."""
        if is_base != self._is_base:
            self._is_base = is_base
            self._tell()

    def set_share(self, share: float) -> None:
        """Show how much of the map has it, 0..1."""
        if share != self._share:
            self._share = share
            self._tell()

    def set_marks(self, marks: Marks) -> None:
        """Show the same marks as the canvas."""
        self._marks = marks
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(220, _ROW_PX)

    def minimumSizeHint(self) -> QSize:
        return QSize(160, _ROW_PX)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = self.rect()
        if self.isChecked() or self.underMouse():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.accent_soft if self.isChecked() else theme.hover))
            painter.drawRoundedRect(rect, 5, 5)
        if self.hasFocus():
            painter.setPen(QPen(QColor(theme.focus), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(rect).adjusted(0.5, 0.5, -0.5, -0.5), 5, 5)
        middle = rect.center().y() + 1
        left = rect.left() + _GAP_PX
        if self.isChecked():
            icon("check").paint(painter, QRect(left, middle - _CHECK_PX // 2, _CHECK_PX, _CHECK_PX))
        left += _CHECK_PX + 6
        paint_swatch(
            painter, QRectF(left, middle - _SWATCH_PX / 2, _SWATCH_PX, _SWATCH_PX), self.terrain_class.id, self._marks
        )
        left += _SWATCH_PX + _GAP_PX
        right = self._paint_right(painter, rect)
        area = QRect(left, rect.top(), max(0, right - left), rect.height())
        align = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        painter.setPen(QColor(theme.text))
        name = painter.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area, align, name)
        area.setLeft(area.left() + painter.fontMetrics().horizontalAdvance(name) + _GAP_PX)
        if self._is_base and area.width() >= painter.fontMetrics().horizontalAdvance(_BASE):
            painter.setPen(QColor(theme.accent_text))
            painter.drawText(area, align, _BASE)
        painter.end()

    def _paint_right(self, painter: QPainter, rect: QRect) -> int:
        """Draw key and share; returns where there is room up to."""
        theme = current_theme()
        key = QRect(rect.right() - _KEY_PX - 6, rect.center().y() - _KEY_PX // 2 + 1, _KEY_PX, _KEY_PX)
        painter.setPen(QPen(QColor(theme.edge), 1))
        painter.setBrush(QColor(theme.raised))
        painter.drawRoundedRect(QRectF(key).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        painter.setPen(QColor(theme.muted))
        painter.drawText(key, Qt.AlignmentFlag.AlignCenter, str(self.terrain_class.id + 1))
        wide = painter.fontMetrics().horizontalAdvance(percent(0.0004))
        share = QRect(key.left() - _GAP_PX - wide, rect.top(), wide, rect.height())
        painter.drawText(share, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, self.share_text)
        return share.left() - 4

    def _tell(self) -> None:
        base = ", base class" if self._is_base else ""
        share = f", {self.share_text} of the map" if self._share is not None else ""
        self.setAccessibleName(f"{self.text()}{base}{share}")
        self.update()


def percent(share: float) -> str:
    """A share 0..1 in words that never call a little nothing."""
    if share == 0:
        return "0 %"
    if share < 0.001:
        return "<0.1 %"
    return f"{share:.1%}".replace("%", " %") if share < 0.0995 else f"{share:.0%}".replace("%", " %")
