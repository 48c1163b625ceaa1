"""The layout of docks and tool bars: default, remembered, and hidden behind the welcome page."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QSettings, QSize, Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow, QMenu, QScrollArea, QToolBar, QWidget

_VERSION = 1
_SIZE = QSize(1500, 940)
_FRACTION_OF_SCREEN = 0.95
_LEFT_PX, _RIGHT_PX, _HALF_PX = 250, 620, 420
_LEAST_CENTRE_PX = 240
"""Least width of the map: without it a small window gives all its width to the docks."""


class Layout:
    """The docks and tool bars of a window around `centre`. Call `restore` after adding all of them."""

    def __init__(self, window: QMainWindow, centre: QWidget) -> None:
        self._window = window
        centre.setMinimumWidth(_LEAST_CENTRE_PX)
        window.setCentralWidget(centre)
        self._docks: dict[str, QDockWidget] = {}
        self._tool_bars: list[QToolBar] = []
        self._default = self._hidden = QByteArray()

    def add_docks(self, left: dict[str, QWidget], right: dict[str, QWidget]) -> None:
        """Add docks, title → widget. Left: the first on top, the others as tabs below it, with the last one in front.
        Right: below each other."""
        for area, widgets in (
            (Qt.DockWidgetArea.LeftDockWidgetArea, left),
            (Qt.DockWidgetArea.RightDockWidgetArea, right),
        ):
            for title, widget in widgets.items():
                dock = QDockWidget(title, self._window)
                dock.setObjectName(title)
                dock.setWidget(widget)
                self._window.addDockWidget(area, dock)
                self._docks[title] = dock
        top, *below = (self._docks[title] for title in left)
        for dock in below[1:]:
            self._window.tabifyDockWidget(below[0], dock)
        below[-1].raise_()
        at_right = [self._docks[title] for title in right]
        self._window.resizeDocks([top, at_right[0]], [_LEFT_PX, _RIGHT_PX], Qt.Orientation.Horizontal)
        self._window.resizeDocks(at_right, [_HALF_PX] * len(at_right), Qt.Orientation.Vertical)

    def add_tool_bar(self, bar: QToolBar, area: Qt.ToolBarArea = Qt.ToolBarArea.TopToolBarArea) -> None:
        """Add a tool bar; at the top it gets its own row."""
        if area == Qt.ToolBarArea.TopToolBarArea and self._tool_bars:
            self._window.addToolBarBreak()
        self._window.addToolBar(area, bar)
        self._tool_bars.append(bar)

    def fill_menu(self, menu: QMenu) -> None:
        """Add an entry for each dock, which shows or hides it."""
        for dock in self._docks.values():
            menu.addAction(dock.toggleViewAction())

    def restore(self) -> None:
        """Take the current layout as the default one, then restore the layout of the last session."""
        room = self._window.screen().availableSize() * _FRACTION_OF_SCREEN
        self._window.resize(_SIZE.boundedTo(room))
        self._default = self._window.saveState(_VERSION)
        geometry, layout = QSettings().value("geometry"), QSettings().value("layout")
        if isinstance(geometry, QByteArray):
            self._window.restoreGeometry(geometry)
        if isinstance(layout, QByteArray):
            self._window.restoreState(layout, _VERSION)
        self._hidden = self._window.saveState(_VERSION)

    def reset(self) -> None:
        """Go back to the default layout."""
        self._window.restoreState(self._default, _VERSION)

    def hide_all(self) -> None:
        """Hide all docks and tool bars, until `show_all`."""
        self._hidden = self._window.saveState(_VERSION)
        for widget in (*self._docks.values(), *self._tool_bars):
            widget.hide()

    def show_all(self) -> None:
        """Restore the layout from before `hide_all`."""
        self._window.restoreState(self._hidden, _VERSION)

    def save(self, is_hidden: bool) -> None:
        """Store the layout for the next session; `is_hidden` means between `hide_all` and `show_all`."""
        QSettings().setValue("geometry", self._window.saveGeometry())
        QSettings().setValue("layout", self._hidden if is_hidden else self._window.saveState(_VERSION))


def scrolled(widget: QWidget) -> QScrollArea:
    """A scroll area for a dock that may be lower than its contents."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFrameShape(QScrollArea.Shape.NoFrame)
    area.setWidget(widget)
    return area
