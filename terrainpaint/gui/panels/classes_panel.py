"""The panel of the seven classes: choose what is painted, see how much of the map each has."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QContextMenuEvent, QIcon, QPainter, QPaintEvent, QPen, QPixmap, QShowEvent
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QMenu, QVBoxLayout, QWidget

from terrainpaint.core.classes import CLASSES, TerrainClass, class_fractions
from terrainpaint.core.painting import where
from terrainpaint.core.rects import Rect
from terrainpaint.gui.document import Document
from terrainpaint.gui.icons import icon
from terrainpaint.gui.theme import current_theme
from terrainpaint.gui.tools import ToolSettings
from terrainpaint.gui.widgets.class_colours import Marks, paint_swatch

_EVERY_MS = 1000
_SAMPLES = 100_000


class ClassesPanel(QWidget):
    """Seven rows. A click or a key chooses what is painted; the menu of a row changes the map."""

    def __init__(self, document: Document, tools: ToolSettings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document, self._tools = document, tools
        self._marks = Marks()
        self.rows = [ClassRow(each) for each in CLASSES]
        group = QButtonGroup(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(2)
        for row in self.rows:
            group.addButton(row, row.terrain_class.id)
            column.addWidget(row)
        column.addStretch(1)
        # The map changes with every move of the brush; it is counted when there was time for more of them.
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_EVERY_MS)
        self._timer.timeout.connect(self._count)
        group.idClicked.connect(lambda class_id: ToolSettings.class_id.set(tools, class_id))
        tools.changed.connect(self._show_current)
        document.settings_changed.connect(self._show_base)
        document.map_changed.connect(self._count_soon)
        document.replaced.connect(self._replaced)
        self._show_current()
        self._show_base()

    def set_patterns(self, shown: bool) -> None:
        """Show the patterns that the canvas shows too, or not."""
        self._set_marks(dataclasses.replace(self._marks, patterns=shown))

    def set_letters(self, shown: bool) -> None:
        """Show the letters that the canvas shows too, or not."""
        self._set_marks(dataclasses.replace(self._marks, letters=shown))

    def menu(self, class_id: int) -> QMenu:
        """What can be done with a class besides painting it."""
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        base = menu.addAction("Make base class")
        base.setToolTip("The class where nothing is painted")
        base.setEnabled(class_id != self._document.settings.base_class)
        base.triggered.connect(lambda: self._make_base(class_id))
        others = menu.addMenu("Replace by")
        refusal = self._document.refusal
        others.setEnabled(not refusal)
        others.menuAction().setToolTip(refusal or "On the whole map, or where it is selected")
        for each in CLASSES:
            if each.id != class_id:
                action = others.addAction(self._icon(each.id), each.name.capitalize())
                action.triggered.connect(lambda _, new=each.id: self._replace(class_id, new))
        select = menu.addAction("Select all of it")
        select.triggered.connect(lambda: self._select(class_id))
        return menu

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            row = next((each for each in self.rows if each.hasFocus()), self.rows[self._tools.class_id])
            at = row.mapToGlobal(row.rect().center())
        else:
            found = self.childAt(event.pos())
            if not isinstance(found, ClassRow):
                return
            row, at = found, event.globalPos()
        menu = self.menu(row.terrain_class.id)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.exec(at)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._count()

    def _set_marks(self, marks: Marks) -> None:
        self._marks = marks
        for row in self.rows:
            row.set_marks(marks)

    def _show_current(self) -> None:
        self.rows[self._tools.class_id].setChecked(True)

    def _show_base(self) -> None:
        for row in self.rows:
            row.set_base(row.terrain_class.id == self._document.settings.base_class)

    def _replaced(self) -> None:
        self._show_base()
        self._count()

    def _count_soon(self) -> None:
        if self.isVisible() and not self._timer.isActive():
            self._timer.start()

    def _count(self) -> None:
        if self.isVisible():
            for row, share in zip(self.rows, shares(self._document.ids), strict=True):
                row.set_share(share)

    def _make_base(self, class_id: int) -> None:
        settings = dataclasses.replace(self._document.settings, base_class=class_id)
        self._document.change_settings("Base class", settings)

    def _replace(self, old: int, new: int) -> None:
        self._document.paint_mark("Replace class", where(self._document.ids, old, self._area()), new)

    def _area(self) -> Rect:
        selection = self._document.selection
        return Rect.of_shape(self._document.shape) if selection is None else selection.rect

    def _select(self, class_id: int) -> None:
        found = where(self._document.ids, class_id, Rect.of_shape(self._document.shape))
        if not found.rect.is_empty:
            self._document.set_selection(found)

    def _icon(self, class_id: int) -> QIcon:
        ratio = self.devicePixelRatioF()
        drawn = QPixmap(QSize(16, 16) * ratio)
        drawn.setDevicePixelRatio(ratio)
        drawn.fill(Qt.GlobalColor.transparent)
        painter = QPainter(drawn)
        paint_swatch(painter, QRectF(1, 1, 14, 14), class_id, Marks())
        painter.end()
        return QIcon(drawn)


def shares(ids: NDArray[np.uint8]) -> list[float]:
    """How much of a map (H, W) uint8 each class has, 0..1; of a large one from every n-th pixel of every n-th row."""
    step = max(1, math.ceil(math.sqrt(ids.size / _SAMPLES)))
    return [float(each) for each in class_fractions(ids[::step, ::step])]


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
