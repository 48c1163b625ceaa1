"""Full screen, and only the map: modes of the whole window, each with a way back that can be seen."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMainWindow, QPushButton, QWidget

from terrainpaint.gui.layout import Layout
from terrainpaint.gui.widgets.basics import push_button, with_key

_MARGIN_PX = 12


class ViewModes(QObject):
    """Switches the modes of `window`; `centre` is what stays when all else is hidden."""

    def __init__(self, window: QMainWindow, layout: Layout, centre: QWidget, actions: Mapping[str, QAction]) -> None:
        super().__init__(window)
        self._window, self._layout = window, layout
        self._full_screen, self._map_only = actions["full_screen"], actions["map_only"]
        self._is_map_only = False
        self.way_back: QPushButton = push_button("", "pill")
        self.way_back.setParent(centre)
        self.way_back.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.way_back.clicked.connect(lambda: self.set_map_only(on=False))
        self.way_back.hide()

    @property
    def is_map_only(self) -> bool:
        """Whether panels and bars are hidden."""
        return self._is_map_only

    def toggle_full_screen(self) -> None:
        """Fill the screen with the window, or no longer."""
        self.set_full_screen(on=not self._window.isFullScreen())

    def toggle_map_only(self) -> None:
        """Hide panels and bars, or show them again."""
        self.set_map_only(on=not self._is_map_only)

    def set_full_screen(self, on: bool) -> None:
        """Fill the screen with the window, or stop that."""
        state = self._window.windowState()
        full = Qt.WindowState.WindowFullScreen
        self._window.setWindowState(state | full if on else state & ~full)

    def set_map_only(self, on: bool) -> None:
        """Hide panels, tool bars, menu bar and status bar, or show again those that were there."""
        if on != self._is_map_only:
            self._is_map_only = on
            self._layout.hide_all() if on else self._layout.show_all()
            self._window.menuBar().setVisible(not on)
            self._window.statusBar().setVisible(not on)
        self._map_only.setChecked(on)
        self.way_back.setVisible(on)
        if on:
            key = self._map_only.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
            self.way_back.setText(with_key("Show the panels", key))
            self.way_back.adjustSize()
            self.way_back.move(_MARGIN_PX, _MARGIN_PX)
            self.way_back.raise_()

    def follow_window(self) -> None:
        """The system changed the state of the window, and can end full screen too."""
        self._full_screen.setChecked(self._window.isFullScreen())
