"""The panel of the seven classes: choose what is painted, and see which fraction of the map each class covers."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QContextMenuEvent, QPainter, QPaintEvent, QPen, QShowEvent
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QMenu, QVBoxLayout, QWidget

from terrainpaint.core.classes import CLASSES, TerrainClass, class_fractions
from terrainpaint.core.painting import where
from terrainpaint.core.rects import Rect
from terrainpaint.gui.document import Document
from terrainpaint.gui.icons import icon
from terrainpaint.gui.panels.settings_changes import change_settings
from terrainpaint.gui.step_texts import step_text
from terrainpaint.gui.theme import current_theme
from terrainpaint.gui.tools import ToolSettings
from terrainpaint.gui.widgets.basics import with_key
from terrainpaint.gui.widgets.class_colours import Marks, colour_icon, paint_swatch, percent

_COUNT_EVERY_MS = 1000
_SAMPLES = 100_000
_ROW_PX = 34
_SWATCH_PX = 24
_CHECK_PX = 14
_GAP_PX = 8
_KEY_PX = 18
_BASE = "base"


class ClassesPanel(QWidget):
    """Seven rows. A click or a key chooses the class to paint; the context menu of a row changes the map."""

    def __init__(self, document: Document, tools: ToolSettings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document, self._tools = document, tools
        self._marks = Marks()
        self.rows = [ClassRow(terrain_class) for terrain_class in CLASSES]
        group = QButtonGroup(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(2)
        for row in self.rows:
            group.addButton(row, row.terrain_class.id)
            column.addWidget(row)
        column.addStretch(1)
        # The map changes with every move of the brush, so the classes are counted once in a while.
        self._timer = QTimer(self, singleShot=True, interval=_COUNT_EVERY_MS)
        self._timer.timeout.connect(self._count)
        group.idClicked.connect(lambda class_id: ToolSettings.class_id.set(tools, class_id))
        tools.changed.connect(self._show_current)
        document.settings_changed.connect(self._show_base)
        document.map_changed.connect(self._count_soon)
        document.replaced.connect(self._replaced)
        self._show_current()
        self._show_base()

    def set_patterns(self, shown: bool) -> None:
        """Show or hide the patterns of the canvas on the swatches."""
        self._set_marks(dataclasses.replace(self._marks, patterns=shown))

    def set_letters(self, shown: bool) -> None:
        """Show or hide the letters of the canvas on the swatches."""
        self._set_marks(dataclasses.replace(self._marks, letters=shown))

    def show_keys(self, keys: Sequence[str]) -> None:
        """Show the key of each class, in their order."""
        for row, key in zip(self.rows, keys, strict=True):
            row.set_key(key)

    def menu(self, class_id: int) -> QMenu:
        """The context menu of a class."""
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        base = menu.addAction("Make base class")
        base.setToolTip("The class where nothing is painted")
        base.setEnabled(class_id != self._document.settings.base_class)
        text = step_text("Base class", CLASSES[class_id].name)
        base.triggered.connect(lambda: change_settings(self._document, text, base_class=class_id))
        others = menu.addMenu("Replace by")
        refusal = self._document.refusal
        others.setEnabled(not refusal)
        others.menuAction().setToolTip(refusal or "On the whole map, or in the selection")
        for other in CLASSES:
            if other.id != class_id:
                action = others.addAction(colour_icon(other.colour), other.name.capitalize())
                action.triggered.connect(lambda _, new=other.id: self._replace(class_id, new))
        select = menu.addAction("Select all of it")
        select.triggered.connect(lambda: self._select(class_id))
        return menu

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            row = next((row for row in self.rows if row.hasFocus()), self.rows[self._tools.class_id])
            place = row.mapToGlobal(row.rect().center())
        else:
            child = self.childAt(event.pos())
            if not isinstance(child, ClassRow):
                return
            row, place = child, event.globalPos()
        menu = self.menu(row.terrain_class.id)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.exec(place)

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
            for row, fraction in zip(self.rows, sampled_fractions(self._document.ids), strict=True):
                row.set_fraction(float(fraction))

    def _replace(self, old: int, new: int) -> None:
        selection = self._document.selection
        area = Rect.of_shape(self._document.shape) if selection is None else selection.rect
        self._document.paint_mark("Replace class", where(self._document.painted, old, area), new)

    def _select(self, class_id: int) -> None:
        mark = where(self._document.ids, class_id, Rect.of_shape(self._document.shape))
        if not mark.rect.is_empty:
            self._document.set_selection(mark)


class ClassRow(QAbstractButton):
    """One class: check mark, swatch, name, "base" for the base class, fraction of the map, key."""

    def __init__(self, terrain_class: TerrainClass) -> None:
        super().__init__()
        self.terrain_class = terrain_class
        self._is_base = False
        self._fraction: float | None = None
        self._key = ""
        self._marks = Marks()
        self.setText(terrain_class.name.capitalize())
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.set_key("")

    @property
    def fraction_text(self) -> str:
        """The fraction of the map as a percentage; "" before it was counted."""
        return "" if self._fraction is None else percent(self._fraction)

    @property
    def is_base(self) -> bool:
        """Whether it is the class where nothing is painted."""
        return self._is_base

    def set_base(self, is_base: bool) -> None:
        """Set whether it is the class where nothing is painted."""
        if is_base != self._is_base:
            self._is_base = is_base
            self._describe()

    def set_fraction(self, fraction: float) -> None:
        """Set the fraction of the map that it covers, 0..1."""
        if fraction != self._fraction:
            self._fraction = fraction
            self._describe()

    def set_key(self, key: str) -> None:
        """Show the key that chooses the class, "" for none."""
        self._key = key
        self.setToolTip(f"{with_key(f'Paint {self.terrain_class.name}', key)} · right click for more")
        self.update()

    def set_marks(self, marks: Marks) -> None:
        """Show the marks of the canvas."""
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
        """Draw the key and the fraction; returns their left end."""
        theme = current_theme()
        key = QRect(rect.right() - _KEY_PX - 6, rect.center().y() - _KEY_PX // 2 + 1, _KEY_PX, _KEY_PX)
        if len(self._key) == 1:  # there is no room for "Ctrl+1"; the tip has it
            painter.setPen(QPen(QColor(theme.edge), 1))
            painter.setBrush(QColor(theme.raised))
            painter.drawRoundedRect(QRectF(key).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
            painter.setPen(QColor(theme.muted))
            painter.drawText(key, Qt.AlignmentFlag.AlignCenter, self._key)
        painter.setPen(QColor(theme.muted))
        widest = painter.fontMetrics().horizontalAdvance(percent(0.0004))
        area = QRect(key.left() - _GAP_PX - widest, rect.top(), widest, rect.height())
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, self.fraction_text)
        return area.left() - 4

    def _describe(self) -> None:
        base = ", base class" if self._is_base else ""
        fraction = f", {self.fraction_text} of the map" if self._fraction is not None else ""
        self.setAccessibleName(f"{self.text()}{base}{fraction}")
        self.update()


def sampled_fractions(ids: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(7,) float64: the fraction of each class in a map (H, W) uint8; of a large map from a sample of its pixels."""
    step = max(1, math.ceil(math.sqrt(ids.size / _SAMPLES)))
    return class_fractions(ids[::step, ::step])
