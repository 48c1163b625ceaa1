"""Pieces that several dialogs and the welcome page are made of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QImage, QPainter, QPainterPath, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import (
    QAbstractButton,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QGridLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QWidget,
)

from terrainpaint.core.classes import CLASS_COUNT, CLASSES
from terrainpaint.gui.theme import current_theme, set_role

MARGIN_PX = 20
GAP_PX = 12
PICTURE_FILES = "Pictures (*.png *.jpg *.jpeg *.tif *.tiff *.bmp *.webp);;All files (*)"
"""What a file dialog offers where a picture is asked for."""
_SWATCH_PX = 16
_CORNER_PX = 6.0


def label(text: str, role: str = "") -> QLabel:
    """A text in one of the roles of the theme."""
    made = QLabel(text)
    set_role(made, role)
    return made


def paragraph(text: str, role: str = "muted") -> QLabel:
    """A text that is broken into lines."""
    made = label(text, role)
    made.setWordWrap(True)
    made.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
    return made


def push_button(text: str, role: str = "") -> QPushButton:
    """A button that Return does not press from elsewhere in the dialog."""
    made = QPushButton(text)
    made.setAutoDefault(False)
    set_role(made, role)
    return made


def decision(dialog: QDialog, accept_text: str) -> QDialogButtonBox:
    """Cancel and `accept_text`, which Return presses, in the order of the system; they close `dialog`."""
    box = QDialogButtonBox()
    box.addButton("Cancel", QDialogButtonBox.ButtonRole.RejectRole).setAutoDefault(False)
    box.addButton(accept_text, QDialogButtonBox.ButtonRole.AcceptRole).setDefault(True)
    box.accepted.connect(dialog.accept)
    box.rejected.connect(dialog.reject)
    return box


def accept_button(box: QDialogButtonBox) -> QAbstractButton:
    """The button of a `decision` that accepts."""
    return next(each for each in box.buttons() if box.buttonRole(each) == QDialogButtonBox.ButtonRole.AcceptRole)


def metre_field(low: float, high: float, value: float) -> QDoubleSpinBox:
    """A field for a length or a height; lengths, which are above 0, have centimetres."""
    field = QDoubleSpinBox()
    field.setRange(low, high)
    field.setDecimals(2 if low > 0 else 1)
    field.setSuffix(" m")
    field.setGroupSeparatorShown(True)
    field.setValue(value)
    return field


class Form(QGridLayout):
    """Fields below each other, each with its name at the left, in line with it."""

    def __init__(self) -> None:
        super().__init__()
        self.setHorizontalSpacing(16)
        self.setVerticalSpacing(10)
        self.setColumnStretch(1, 1)

    def add(self, text: str, field: QWidget) -> QLabel:
        """A field in the next row; Alt and the letter after "&" in `text` goes to it."""
        row = self.rowCount()
        name = label(text, "muted")
        name.setBuddy(field)
        self.addWidget(name, row, 0, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.addWidget(field, row, 1)
        return name

    def add_below(self, widget: QWidget) -> None:
        """Something below the last field, in line with it."""
        self.addWidget(widget, self.rowCount(), 1)


def pixmap_of(rgb: NDArray[np.uint8]) -> QPixmap:
    """(H, W, 3) uint8 sRGB as a pixmap of its own memory."""
    rows, cols = rgb.shape[:2]
    packed = np.ascontiguousarray(rgb)
    return QPixmap.fromImage(QImage(packed.data, cols, rows, 3 * cols, QImage.Format.Format_RGB888).copy())


def thinned(picture: NDArray[np.uint8], longest_px: int) -> NDArray[np.uint8]:
    """Each n-th pixel of each n-th row of (H, W) or (H, W, 3) uint8, enough to look at; no values are mixed."""
    step = max(1, max(picture.shape[:2]) // longest_px)
    return np.ascontiguousarray(picture[::step, ::step])


def swatch(colour: Sequence[int]) -> QIcon:
    """A small square of an sRGB colour, 0..255 each."""
    ratio = 4  # sharp on every screen there is
    drawn = QPixmap(QSize(_SWATCH_PX, _SWATCH_PX) * ratio)
    drawn.setDevicePixelRatio(ratio)
    drawn.fill(Qt.GlobalColor.transparent)
    painter = QPainter(drawn)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    # The rim is seen on light and on dark surfaces, whatever the colour.
    painter.setPen(QPen(QColor(128, 128, 128, 160), 1))
    painter.setBrush(QColor(*(int(each) for each in colour)))
    painter.drawRoundedRect(QRectF(1, 1, _SWATCH_PX - 2, _SWATCH_PX - 2), 3, 3)
    painter.end()
    return QIcon(drawn)


class ClassCombo(QComboBox):
    """A choice of one of the seven classes, with their colours."""

    def __init__(self, class_id: int) -> None:
        super().__init__()
        for each in CLASSES:
            self.addItem(swatch(each.colour), each.name.capitalize())
        self.setIconSize(QSize(_SWATCH_PX, _SWATCH_PX))
        self.setCurrentIndex(class_id)

    @property
    def class_id(self) -> int:
        """The id of the chosen class."""
        return self.currentIndex()


class PictureView(QWidget):
    """A picture as wide as there is room, with round corners. Small ones show their pixels."""

    _TALLEST = 1.25  # times its width

    def __init__(self, description: str, smallest: QSize) -> None:
        super().__init__()
        self.setAccessibleName(description)
        self.setMinimumSize(smallest)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self._picture = QPixmap()
        self._text = ""

    def show_picture(self, rgb: NDArray[np.uint8]) -> None:
        """Show (H, W, 3) uint8 sRGB."""
        self._picture = pixmap_of(rgb)
        self._text = ""
        self.updateGeometry()
        self.update()

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        size = self._picture.size()
        return round(width * min(size.height() / size.width(), self._TALLEST)) if size.width() else width

    def sizeHint(self) -> QSize:
        side = max(self.minimumWidth(), self.minimumHeight())
        return QSize(side, self.heightForWidth(side))

    def show_text(self, text: str) -> None:
        """Show a line of text over what is there, until the next picture."""
        self._text = text
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme = current_theme()
        rect = self.rect() if self._picture.isNull() else fitted(self._picture.size(), self.rect())
        outline = QPainterPath()
        outline.addRoundedRect(QRectF(rect), _CORNER_PX, _CORNER_PX)
        if self._picture.isNull():
            painter.fillPath(outline, QColor(theme.canvas))
        else:
            draw_rounded(painter, rect, self._picture)
        if self._text:
            painter.fillPath(outline, QColor(0, 0, 0, 150))
            painter.setPen(QColor("#ffffff"))
            wrapped = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(rect.adjusted(GAP_PX, 0, -GAP_PX, 0), wrapped, self._text)


def fitted(size: QSize, into: QRect) -> QRect:
    """The largest rectangle with the proportions of `size` at the top of `into`, in its middle from left to right."""
    found = size.scaled(into.size(), Qt.AspectRatioMode.KeepAspectRatio)
    return QRect(QPoint(into.left() + (into.width() - found.width()) // 2, into.top()), found)


def draw_rounded(painter: QPainter, rect: QRect, picture: QPixmap) -> None:
    """Fill `rect` with `picture`, cut round at the corners."""
    painter.save()
    outline = QPainterPath()
    outline.addRoundedRect(QRectF(rect), _CORNER_PX, _CORNER_PX)
    painter.setClipPath(outline)
    screen_px = round(rect.width() * painter.device().devicePixelRatio())
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, picture.width() > screen_px)
    painter.drawPixmap(rect, picture)
    painter.restore()


class ShareBar(QWidget):
    """How much of a map each class covers: one bar, and the shares in words below it."""

    _BAR_PX = 10

    def __init__(self) -> None:
        super().__init__()
        self._shares: NDArray[np.float64] = np.zeros(CLASS_COUNT)
        self.setMinimumHeight(self._BAR_PX + 8 + 2 * self.fontMetrics().height())

    def show_classes(self, ids: NDArray[np.uint8]) -> None:
        """Show the shares of (H, W) class ids."""
        counted = np.bincount(ids.ravel(), minlength=CLASS_COUNT)[:CLASS_COUNT]
        self._shares = counted / max(1, ids.size)
        self.setAccessibleName("Shares: " + ", ".join(self._words()))
        self.update()

    def _words(self) -> list[str]:
        present = [(each.name, self._shares[each.id]) for each in CLASSES if self._shares[each.id] > 0]
        return [f"{name} {share:.0%}" if share >= 0.005 else f"{name} <1%" for name, share in present]

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme = current_theme()
        outline = QPainterPath()
        outline.addRoundedRect(QRectF(0, 0, self.width(), self._BAR_PX), 4, 4)
        painter.fillPath(outline, QColor(theme.well))
        painter.setClipPath(outline)
        left = 0.0
        for each in CLASSES:
            if (width := float(self._shares[each.id]) * self.width()) > 0:
                painter.fillRect(QRectF(left, 0, width + 0.5, self._BAR_PX), QColor(*each.colour))
            left += width
        painter.setClipping(False)
        self._paint_words(painter)

    def _paint_words(self, painter: QPainter) -> None:
        theme, metrics = current_theme(), self.fontMetrics()
        left, top = 0, self._BAR_PX + 6
        painter.setPen(QColor(theme.muted))
        for text in self._words():
            width = metrics.horizontalAdvance(text)
            if left and left + width > self.width():
                left, top = 0, top + metrics.height()
            painter.drawText(left, top + metrics.ascent(), text)
            left += width + 14
