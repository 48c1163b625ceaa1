"""Fields and sliders for numbers."""

from __future__ import annotations

import math
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from PySide6.QtCore import QRect, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QValidator, QWheelEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QSlider,
    QSpinBox,
    QStyle,
    QStyleOptionSlider,
    QWidget,
)
from shiboken6 import isValid

from terrainpaint.gui.theme import current_theme
from terrainpaint.gui.widgets.basics import ENTER_KEYS
from terrainpaint.gui.widgets.notation import format_number, is_negative, is_typed_number, read_number

if TYPE_CHECKING:

    class _SpinBox(QAbstractSpinBox):
        """What both spin boxes of Qt have, with numbers of their own types."""

        value: Any
        minimum: Any
        maximum: Any
        prefix: Any
        suffix: Any
        textFromValue: Any
else:
    # Beside Qt's class, not above it: both kinds of spin boxes have the methods of `_TypedField`.
    _SpinBox = object

_SLIDER_STEPS = 1000
_MOST_DIGITS = 6
"""A field is not wider than for this many digits before the point; longer numbers scroll."""
_NO_ARROWS = """
QAbstractSpinBox { padding-right: 0; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button,
QAbstractSpinBox::up-button:hover, QAbstractSpinBox::down-button:hover {
    width: 7px; margin: 0; background: transparent;
}
QAbstractSpinBox::up-arrow, QAbstractSpinBox::down-arrow { image: none; width: 0; }
"""


class Scale(Protocol):
    """How positions on a slider, 0..1, map to numbers `low`..`high`."""

    @property
    def low(self) -> float:
        """The number at position 0."""

    @property
    def high(self) -> float:
        """The number at position 1."""

    def value(self, position: float) -> float:
        """The number at a position 0..1."""

    def position(self, value: float) -> float:
        """The position 0..1 of a number; numbers beyond the ends are at the ends."""


@dataclass(frozen=True)
class Linear:
    """Even steps from `low` to `high`."""

    low: float
    high: float

    def value(self, position: float) -> float:
        return self.low + position * (self.high - self.low)

    def position(self, value: float) -> float:
        return min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))


@dataclass(frozen=True)
class Logarithmic:
    """Even factors from `low` to `high`, both above 0."""

    low: float
    high: float

    def value(self, position: float) -> float:
        return float(self.low * (self.high / self.low) ** position)

    def position(self, value: float) -> float:
        return min(1.0, max(0.0, math.log(max(value, 1e-12) / self.low) / math.log(self.high / self.low)))


class SliderField(QWidget):
    """A slider and a field for one number. `changed` (float) comes for changes by the user, not for `show_value`.

    The number is rounded to `decimals`, as in the field. `mark` is the number at which the slider has a small line.
    A typed number counts after Enter, so that half of a number has no effect.
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
        self.slider = _Slider(None if mark is None else scale.position(mark))
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
        return float(self.field.value())

    def show_value(self, value: float) -> None:
        """Show a number, or the nearer end of the scale."""
        with QSignalBlocker(self.field), QSignalBlocker(self.slider):
            self.field.setValue(value)
            # During a drag the slider stays at the pointer; rounding would move it away.
            if not self.slider.isSliderDown():
                self._move_slider(value)

    def setToolTip(self, text: str) -> None:
        """The same for the slider and the field."""
        super().setToolTip(text)
        self.slider.setToolTip(text)
        self.field.setToolTip(text)

    def _slid(self, step: int) -> None:
        before = self.field.value()
        with QSignalBlocker(self.field):
            self.field.setValue(self._scale.value(step / _SLIDER_STEPS))
        if self.field.value() != before:
            self.changed.emit(self.field.value())

    def _typed(self, value: float) -> None:
        with QSignalBlocker(self.slider):
            self._move_slider(value)
        self.changed.emit(value)

    def _move_slider(self, value: float) -> None:
        self.slider.setValue(round(self._scale.position(value) * _SLIDER_STEPS))


class _Slider(QSlider):
    """Jumps to a click. The wheel turns it only when it has the focus, so that a panel can be scrolled."""

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
        handle = self._control_rect(QStyle.SubControl.SC_SliderHandle)
        if event.button() == Qt.MouseButton.LeftButton and not handle.contains(event.position().toPoint()):
            span = self.width() - handle.width()
            at = round(event.position().x() - handle.width() / 2)
            self.setSliderPosition(QStyle.sliderValueFromPosition(self.minimum(), self.maximum(), at, span))
        super().mousePressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._mark is not None:
            half = self._control_rect(QStyle.SubControl.SC_SliderHandle).width() / 2
            x = round(half + self._mark * (self.width() - 2 * half))
            painter = QPainter(self)
            painter.fillRect(x - 1, self.height() // 2 - 6, 2, 12, QColor(current_theme().edge))
            painter.end()
        super().paintEvent(event)

    def _control_rect(self, control: QStyle.SubControl) -> QRect:
        option = QStyleOptionSlider()
        self.initStyleOption(option)
        return self.style().subControlRect(QStyle.ComplexControl.CC_Slider, option, control, self)


_FIELDS: weakref.WeakSet[_TypedField] = weakref.WeakSet()


class _TypedField(_SpinBox):
    """What a field for any kind of number does with what is typed, and with the wheel."""

    _entered: float
    """The number before something was typed."""

    def __init__(self) -> None:
        super().__init__()
        _FIELDS.add(self)

    def validate(self, text: str, pos: int) -> tuple[QValidator.State, str, int]:
        return _state(self, text), text, pos

    def fixup(self, text: str) -> str:
        return _corrected(self, text, self._entered)

    @property
    def is_edited(self) -> bool:
        """Whether something was typed and not entered."""
        return self.hasFocus() and self.lineEdit().isModified()

    def enter(self) -> None:
        """Use what was typed."""
        self.interpretText()
        self.lineEdit().setModified(False)
        self._entered = self.value()
        self.editingFinished.emit()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.lineEdit().setModified(False)
        self._entered = self.value()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self._leave_suffix(event)
        super().keyPressEvent(event)
        if event.key() in ENTER_KEYS:
            self.lineEdit().setModified(False)
            self._entered = self.value()

    def _leave_suffix(self, event: QKeyEvent) -> None:
        # A click behind the number puts the cursor behind its unit, where Qt takes no digits.
        line = self.lineEdit()
        end = len(line.text()) - len(self.suffix())
        if event.text() and event.text().isprintable() and not line.hasSelectedText() and line.cursorPosition() > end:
            line.setCursorPosition(end)

    def show_again(self) -> None:
        """Show the number as it is instead of what was typed and not entered."""
        _show_again(self, self.textFromValue(self.value()))

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class NumberField(_TypedField, QDoubleSpinBox):
    """A number without trailing zeros, without arrows, which counts after Enter.

    "." and "," are both read as decimal sign, groups of thousands never; a number beyond the limits becomes the nearer
    one. The wheel turns it only when it has the focus, so that a panel can be scrolled.
    """

    def __init__(self, decimals: int) -> None:
        super().__init__()
        self.setDecimals(decimals)
        self.setKeyboardTracking(False)
        hide_arrows(self)
        self.setStepType(QAbstractSpinBox.StepType.AdaptiveDecimalStepType)
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._entered = 0.0

    def textFromValue(self, value: float) -> str:
        return format_number(value, self.decimals())

    def valueFromText(self, text: str) -> float:
        value = read_number(_without_affixes(self, text))
        if value is None:
            return float(self.value())
        steps = 10.0 ** self.decimals()
        return math.floor(value * steps + 0.5) / steps

    def sizeHint(self) -> QSize:
        whole = max(len(f"{end:.0f}") for end in (self.minimum(), self.maximum()))
        text = f"{'0' * min(whole, _MOST_DIGITS)}{'.' if self.decimals() else ''}{'0' * self.decimals()}{self.suffix()}"
        # Room for the border and the padding of the style sheet.
        return QSize(self.fontMetrics().horizontalAdvance(text) + 22, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()


class ArrowField(NumberField):
    """A number with arrows, as wide as its form, which counts while it is typed."""

    def __init__(self, decimals: int) -> None:
        super().__init__(decimals)
        self.setStyleSheet("")
        self.setKeyboardTracking(True)
        self.setStepType(QAbstractSpinBox.StepType.DefaultStepType)
        self.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)

    def sizeHint(self) -> QSize:
        return QDoubleSpinBox.sizeHint(self)

    def minimumSizeHint(self) -> QSize:
        return QDoubleSpinBox.minimumSizeHint(self)


class WholeField(_TypedField, QSpinBox):
    """A whole number with arrows. What is typed is read as in a `NumberField`, and rounded."""

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._entered = 0

    def textFromValue(self, value: int) -> str:
        return str(value)

    def valueFromText(self, text: str) -> int:
        value = read_number(_without_affixes(self, text))
        return self.value() if value is None else math.floor(value + 0.5)


def _without_affixes(field: _TypedField, text: str) -> str:
    return text.removeprefix(field.prefix()).removesuffix(field.suffix()).strip()


def _state(field: _TypedField, text: str) -> QValidator.State:
    """Whether a text is a number in the limits, may become one, or cannot, so that it cannot be typed."""
    number = _without_affixes(field, text)
    value = read_number(number)
    if not is_typed_number(number) or (is_negative(number) and field.minimum() >= 0):
        return QValidator.State.Invalid
    if value is None or not field.minimum() <= value <= field.maximum():
        return QValidator.State.Intermediate
    return QValidator.State.Acceptable


def _corrected(field: _TypedField, text: str, entered: float) -> str:
    """The nearer limit instead of a number beyond the limits, the number before instead of what is none."""
    value = read_number(_without_affixes(field, text))
    number = entered if value is None else min(max(value, field.minimum()), field.maximum())
    decimals = field.decimals() if isinstance(field, NumberField) else 0
    return f"{field.prefix()}{format_number(number, decimals)}{field.suffix()}"


def _show_again(field: _TypedField, number: str) -> None:
    with QSignalBlocker(field):
        field.lineEdit().setText(f"{field.prefix()}{number}{field.suffix()}")
        field.interpretText()
    field.lineEdit().setModified(False)


def unit_field(low: float, high: float, value: float, decimals: int, suffix: str) -> ArrowField:
    """A field with arrows for a number with a unit."""
    field = ArrowField(decimals)
    field.setRange(low, high)
    field.setSuffix(suffix)
    field.setValue(value)
    return field


def show_numbers_again() -> None:
    """Show the numbers of all fields in the current notation."""
    # Not QApplication.allWidgets(): to wrap a widget that Qt is taking apart crashes the program.
    for field in tuple(_FIELDS):
        if isValid(field):
            field.show_again()


def hide_arrows(field: QAbstractSpinBox) -> None:
    """Hide the arrows of a field, so that it can be narrower; the keys Up and Down do the same.

    `setButtonSymbols(NoButtons)` does not work: with the style sheet of the program the number gets no room.
    """
    field.setStyleSheet(_NO_ARROWS)
