"""Which widget of the window gets a key: the map, unless somebody is typing or the pointer is over the 3D view.

After a click into a panel its widget has the focus, and Qt would give it every key. A painter expects that Enter ends
the typing of a number, that Ctrl+Z takes back the last stroke, and that Esc leads back to the map.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QCursor, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QDockWidget,
    QLineEdit,
    QMainWindow,
    QPlainTextEdit,
    QTextEdit,
    QToolButton,
    QWidget,
)

from terrainpaint.gui.canvas.canvas import Canvas
from terrainpaint.gui.view3d.widget import TerrainView3D
from terrainpaint.gui.widgets.basics import ENTER_KEYS
from terrainpaint.gui.widgets.numbers import NumberField, WholeField

_COMMANDING = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier
_OF_NUMBERS = frozenset("0123456789.,+- \u2212\u066b")


class KeyRouter(QObject):
    """Watches the keys of `window` and of its floating docks. `undo_keys` returns the keys of Undo and Redo."""

    def __init__(self, window: QMainWindow, canvas: Canvas, undo_keys: Callable[[], Collection[QKeySequence]]) -> None:
        super().__init__(window)
        self._window, self._canvas, self._undo_keys = window, canvas, undo_keys
        self._relief: TerrainView3D | None = None
        self._is_flying = False
        # A filter of the whole application would see every event; keys go to the widget with the focus.
        window.installEventFilter(self)
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        application.focusChanged.connect(self._watch)
        canvas.hovered.connect(self._pointer_on_map)

    def add_relief(self, view: TerrainView3D) -> None:
        """Send F and Home, and Esc for its pin, to the 3D view while the pointer is over it."""
        self._relief = view
        view.flying_changed.connect(self._set_flying)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Handle a key before the widget with the focus does."""
        if isinstance(event, QKeyEvent) and isinstance(watched, QWidget) and not self._is_passed_on(watched):
            if event.type() == QEvent.Type.ShortcutOverride:
                return self._override(watched, event)
            if event.type() == QEvent.Type.KeyPress:
                return self._press(watched, event)
        return False

    def _set_flying(self, flying: bool) -> None:
        self._is_flying = flying

    def _watch(self, old: QWidget | None, new: QWidget | None) -> None:
        if old is not None and old is not self._window:
            old.removeEventFilter(self)
        if new is not None and new is not self._window and self._is_ours(new):
            new.installEventFilter(self)

    def _is_ours(self, widget: QWidget) -> bool:
        """Whether it is in the window or a dock of it that floats, not in a dialog."""
        top = widget.window()
        return top is self._window or (isinstance(top, QDockWidget) and top.parent() is self._window)

    def _pointer_on_map(self) -> None:
        """Give the keys to the map under the pointer, so that Space, Enter and the arrows are the map's."""
        focus = QApplication.focusWidget()
        if (
            focus is not self._canvas
            and self._window.isActiveWindow()
            and not self._is_flying
            and QApplication.mouseButtons() == Qt.MouseButton.NoButton
            and QApplication.activePopupWidget() is None
            and not (focus is not None and is_edited(focus))
        ):
            self._canvas.setFocus()

    def _is_passed_on(self, watched: QWidget) -> bool:
        """Whether the window gets a key that the widget with the focus did not use."""
        return watched is self._window and QApplication.focusWidget() not in (None, self._window)

    # Before the shortcuts

    def _override(self, focus: QWidget, event: QKeyEvent) -> bool:
        """Whether the widget is passed over when it would take a key from the shortcuts of the window."""
        if self._is_for_relief(focus, event):
            event.accept()
            return True
        if not isinstance(focus, NumberField | WholeField) or is_edited(focus):
            return False
        if event.modifiers() & _COMMANDING:
            is_others = QKeySequence(event.keyCombination()) in self._undo_keys()
        else:
            is_others = event.text().isprintable() and bool(event.text()) and event.text() not in _OF_NUMBERS
        if is_others:
            event.ignore()
        return is_others

    # After the shortcuts

    def _press(self, focus: QWidget, event: QKeyEvent) -> bool:
        if self._is_for_relief(focus, event):
            self._to_relief(event)
            return True
        if event.modifiers() & _COMMANDING:
            return False
        if event.key() in ENTER_KEYS:
            return self._enter(focus)
        return event.key() == Qt.Key.Key_Escape and self._escape(focus)

    def _enter(self, focus: QWidget) -> bool:
        """End the typing of a number, or lay down what floats, or press the button with the focus."""
        if isinstance(focus, NumberField | WholeField) and is_edited(focus):
            focus.enter()
            self._canvas.setFocus()
        elif is_edited(focus):
            return False
        elif self._canvas.isVisible() and self._canvas.pieces.floating is not None:
            self._canvas.pieces.put_down()
            self._canvas.setFocus()
        elif isinstance(focus, NumberField | WholeField):
            self._canvas.setFocus()
        elif isinstance(focus, QAbstractButton) and not _opens_menu(focus):
            focus.click()
        else:
            return False
        return True

    def _escape(self, focus: QWidget) -> bool:
        """Leave a field as it was, or take back what is under way on the map, and give the keys to the map."""
        if not self._canvas.isVisible() or self._is_flying or focus is self._canvas:
            return False
        if isinstance(focus, NumberField | WholeField):
            focus.show_again()
        elif is_edited(focus):
            return False
        elif self._relief is not None and self._relief.isAncestorOf(focus) and self._relief.marker is not None:
            return False  # the 3D view removes its pin
        elif self._canvas.is_busy:
            self._canvas.cancel()
        self._canvas.setFocus()
        return True

    # The 3D view

    def _is_for_relief(self, focus: QWidget, event: QKeyEvent) -> bool:
        """Whether the 3D view under the pointer uses a key that another widget would get."""
        view = self._relief
        if view is None or not view.available or not view.isVisible() or is_edited(focus):
            return False
        plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        has_pin = view.marker is not None and not self._canvas.is_busy
        keys = (Qt.Key.Key_F, Qt.Key.Key_Home, *([Qt.Key.Key_Escape] if has_pin else []))
        if not plain or event.key() not in keys or view.isAncestorOf(focus):
            return False
        under = QApplication.widgetAt(QCursor.pos())
        return under is not None and (under is view or view.isAncestorOf(under))

    def _to_relief(self, event: QKeyEvent) -> None:
        if self._relief is not None and not event.isAutoRepeat():
            if event.key() == Qt.Key.Key_Home:
                self._relief.home()
            elif event.key() == Qt.Key.Key_Escape:
                self._relief.clear_marker()
            else:
                self._relief.fly()


def is_edited(widget: QWidget) -> bool:
    """Whether somebody is typing in a widget: any text, or a number that was not entered yet."""
    if isinstance(widget, NumberField | WholeField):
        return widget.is_edited
    return isinstance(widget, QLineEdit | QPlainTextEdit | QTextEdit) and not widget.isReadOnly()


def _opens_menu(button: QAbstractButton) -> bool:
    return isinstance(button, QToolButton) and button.popupMode() == QToolButton.ToolButtonPopupMode.InstantPopup
