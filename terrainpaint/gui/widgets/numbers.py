"""Fields and sliders for numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from PySide6.QtCore import QRect, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QSlider,
    QStyle,
    QStyleOptionSlider,
    QWidget,
)

from terrainpaint.gui.theme import current_theme

_SLIDER_STEPS = 1000
_WIDEST = 6
"""More digits than this make a field no wider; it scrolls."""
_NO_ARROWS = """
QAbstractSpinBox { padding-right: 0; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button,
QAbstractSpinBox::up-button:hover, QAbstractSpinBox::down-button:hover {
    width: 7px; margin: 0; background: transparent;
}
QAbstractSpinBox::up-arrow, QAbstractSpinBox::down-arrow { image: none; width: 0; }
"""


class Scale(Protocol):
    """How the way along a slider, 0..1, stands for numbers."""

    @property
    def low(self) -> float:
        """The number at the left end."""

    @property
    def high(self) -> float:
        """The number at the right end."""

    def value(self, share: float) -> float:
        """The number at a share 0..1 of the way."""

    def share(self, value: float) -> float:
        """The share 0..1 of the way at which a number is."""


@dataclass(frozen=True)
class Linear:
    """Even steps from `low` to `high`."""

    low: float
    high: float

    def value(self, share: float) -> float:
        """The number at a share 0..1 of the way."""
        return self.low + share * (self.high - self.low)

    def share(self, value: float) -> float:
        """The share 0..1 of the way at which a number is."""
        return min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))


@dataclass(frozen=True)
class Logarithmic:
    """Even factors from `low` to `high`, both more than 0."""

    low: float
    high: float

    def value(self, share: float) -> float:
        """The number at a share 0..1 of the way."""
        return float(self.low * (self.high / self.low) ** share)

    def share(self, value: float) -> float:
        """The share 0..1 of the way at which a number is."""
        return min(1.0, max(0.0, math.log(max(value, 1e-12) / self.low) / math.log(self.high / self.low)))


class SliderField(QWidget):
    """A slider and a field for one number. `changed` (float) tells what the user chose, never what `show_value` sets.

    The number is rounded to `decimals`, as the field shows it. `mark` is the number that a small line on the slider
    stands at. The field takes what is typed at Enter, so that no number half typed does anything.
    """

    changed = Signal(float)

    def __init__(
        self,
        name: str,
        scale: Scale,
        decimals: int,
        *,
        suffix: str = "",
        mark: float | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._scale = scale
        self.slider = _Slider(None if mark is None else scale.share(mark))
        self.slider.setRange(0, _SLIDER_STEPS)
        self.slider.setAccessibleName(name)
        self.field = NumberField(decimals)
        self.field.setRange(scale.low, scale.high)
        self.field.setSuffix(suffix)
        self.field.setAccessibleName(name)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self.slider, 1)
        row.addWidget(self.field)
        self.setFocusProxy(self.slider)
        self.slider.valueChanged.connect(self._slid)
        self.field.valueChanged.connect(self._typed)

    @property
    def value(self) -> float:
        """The number that is shown."""
        return self.field.value()

    def show_value(self, value: float) -> None:
        """Show a number, the nearest one of the scale if it is beyond."""
        with QSignalBlocker(self.field), QSignalBlocker(self.slider):
            self.field.setValue(value)
            # A slider that is being dragged is where the pointer is, not where rounding would put it.
            if not self.slider.isSliderDown():
                self.slider.setValue(round(self._scale.share(value) * _SLIDER_STEPS))

    def setToolTip(self, text: str) -> None:
        """The same for the slider and the field."""
        super().setToolTip(text)
        self.slider.setToolTip(text)
        self.field.setToolTip(text)

    def _slid(self, position: int) -> None:
        before = self.field.value()
        with QSignalBlocker(self.field):
            self.field.setValue(self._scale.value(position / _SLIDER_STEPS))
        if self.field.value() != before:
            self.changed.emit(self.field.value())

    def _typed(self, value: float) -> None:
        with QSignalBlocker(self.slider):
            self.slider.setValue(round(self._scale.share(value) * _SLIDER_STEPS))
        self.changed.emit(value)


class _Slider(QSlider):
    """Jumps to where it is clicked; turned by the wheel only when it has the focus, so that a panel can be scrolled."""

    def __init__(self, mark: float | None) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self._mark = mark
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSingleStep(_SLIDER_STEPS // 100)
        self.setPageStep(_SLIDER_STEPS // 10)
        self.setMinimumWidth(50)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        handle = self._part(QStyle.SubControl.SC_SliderHandle)
        if event.button() == Qt.MouseButton.LeftButton and not handle.contains(event.position().toPoint()):
            span = self.width() - handle.width()
            at = round(event.position().x() - handle.width() / 2)
            self.setSliderPosition(QStyle.sliderValueFromPosition(self.minimum(), self.maximum(), at, span))
        super().mousePressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._mark is not None:
            half = self._part(QStyle.SubControl.SC_SliderHandle).width() / 2
            x = round(half + self._mark * (self.width() - 2 * half))
            painter = QPainter(self)
            painter.fillRect(x - 1, self.height() // 2 - 6, 2, 12, QColor(current_theme().edge))
            painter.end()
        super().paintEvent(event)

    def _part(self, part: QStyle.SubControl) -> QRect:
        option = QStyleOptionSlider()
        self.initStyleOption(option)
        return self.style().subControlRect(QStyle.ComplexControl.CC_Slider, option, part, self)


class NumberField(QDoubleSpinBox):
    """A number without needless zeros, taken at Enter; turned by the wheel only when it has the focus."""

    def __init__(self, decimals: int) -> None:
        super().__init__()
        self.setDecimals(decimals)
        self.setKeyboardTracking(False)
        hide_arrows(self)
        self.setStepType(QAbstractSpinBox.StepType.AdaptiveDecimalStepType)
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def textFromValue(self, value: float) -> str:
        return format_number(value, self.decimals())

    def sizeHint(self) -> QSize:
        whole = max(len(f"{each:.0f}") for each in (self.minimum(), self.maximum()))
        text = f"{'0' * min(whole, _WIDEST)}{'.' if self.decimals() else ''}{'0' * self.decimals()}{self.suffix()}"
        # Room for the border and the padding of the style sheet.
        return QSize(self.fontMetrics().horizontalAdvance(text) + 22, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


def metre_field(low: float, high: float, value: float) -> QDoubleSpinBox:
    """A field for a length or a height; lengths, which are above 0, have centimetres."""
    field = QDoubleSpinBox()
    field.setRange(low, high)
    field.setDecimals(2 if low > 0 else 1)
    field.setSuffix(" m")
    field.setGroupSeparatorShown(True)
    field.setValue(value)
    return field


def hide_arrows(field: QAbstractSpinBox) -> None:
    """Leave the room of the arrows to the number; the keys Up and Down do the same.

    A field without buttons gives the number no room at all once a style sheet draws the arrows.
    """
    field.setStyleSheet(_NO_ARROWS)


def format_number(value: float, decimals: int) -> str:
    """A number with at most so many decimals, without zeros at its end, and never "-0"."""
    text = f"{value:.{decimals}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text
