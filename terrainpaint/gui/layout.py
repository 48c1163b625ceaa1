"""The layout of docks and tool bars: default, remembered, and hidden behind the welcome page."""

from __future__ import annotations

import itertools

from PySide6.QtCore import QByteArray, QSettings, QSize, Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow, QMenu, QScrollArea, QTabBar, QToolBar, QWidget

_VERSION = 1
_SIZE = QSize(1500, 940)
_FRACTION_OF_SCREEN = 0.95
_LEFT_PX, _CLASSES_PX, _RIGHT_HEIGHTS_PX = 250, 316, (460, 380)
_BARS_PX, _LEAST_BELOW_PX = 145, 120
"""Height of the menus, tool bars and status bar; least height of the panels below the classes."""
_RIGHT_FRACTION, _RIGHT_PX = 0.32, 560
"""Width of the docks at the right, as a fraction of the window, and at most. The map gets more than the 3D view."""
_NARROW_PX, _NARROW_FRACTION = 720, 0.4
"""In a window that is narrower than this, all docks are tabs of one place, with this fraction of its width."""
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
        self._left: list[QDockWidget] = []
        self._right: list[QDockWidget] = []
        self._behind: list[QDockWidget] = []
        self._hidden = QByteArray()

    def add_docks(self, left: dict[str, QWidget], right: dict[str, QWidget], behind: dict[str, QWidget]) -> None:
        """Add docks, title → widget. Left: the first on top, the others as tabs below it, with the last one in front.
        Right: below each other; `behind`: as tabs before the first of the right ones, which is in front."""
        for docks, widgets in ((self._left, left), (self._right, right), (self._behind, behind)):
            for title, widget in widgets.items():
                dock = QDockWidget(title, self._window)
                dock.setObjectName(title)
                dock.setWidget(widget)
                docks.append(dock)
        order = (*self._left, *self._behind, *self._right)
        self._docks = {dock.objectName(): dock for dock in order}

    def show_dock(self, title: str) -> None:
        """Show a dock, in front of others in the same place."""
        self._docks[title].show()
        self._docks[title].raise_()

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

    def focus_parts(self) -> list[QWidget]:
        """The tool bars, the docks in the window and their tabs, in the order in which Tab goes through them."""
        docks = [dock for dock in self._docks.values() if not dock.isFloating()]
        return [*self._tool_bars, *docks, *self._tabs()]

    def restore(self) -> None:
        """Lay everything out for the size of the screen, then restore the layout of the last session."""
        room = self._window.screen().availableSize() * _FRACTION_OF_SCREEN
        self._window.resize(_SIZE.boundedTo(room))
        self._arrange()
        geometry, layout = QSettings().value("geometry"), QSettings().value("layout")
        if isinstance(geometry, QByteArray):
            self._window.restoreGeometry(geometry)
        if isinstance(layout, QByteArray):
            self._window.restoreState(layout, _VERSION)
        self._hidden = self._window.saveState(_VERSION)

    def reset(self) -> None:
        """Go back to the default layout for the size of the window."""
        for bar in self._tool_bars:
            bar.show()
        self._arrange()

    def _arrange(self) -> None:
        """Put all docks where they belong in a window of this width."""
        window, width = self._window, self._window.width()
        for dock in self._docks.values():
            dock.setFloating(False)
            if window.dockWidgetArea(dock) != Qt.DockWidgetArea.NoDockWidgetArea:
                # Tabs of a dock that is added again elsewhere would remain.
                window.removeDockWidget(dock)
                dock.show()
        if width < _NARROW_PX:
            first, *others = self._docks.values()
            window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, first)
            for dock in others:
                window.tabifyDockWidget(first, dock)
            sizes = [(first, round(width * _NARROW_FRACTION))]
            front = first
        else:
            top, *below = self._left
            for dock in (top, below[0]):
                window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, dock)
            for dock in below[1:]:
                window.tabifyDockWidget(below[0], dock)
            # The last tab is in front when the window is shown for the first time.
            tabs = [*self._behind, self._right[0]]
            for dock in (tabs[0], *self._right[1:]):
                window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock)
            for before, dock in itertools.pairwise(tabs):
                window.tabifyDockWidget(before, dock)
            self._right[0].raise_()
            sizes = [(top, _LEFT_PX), (self._right[0], min(_RIGHT_PX, round(width * _RIGHT_FRACTION)))]
            front = below[-1]
        front.raise_()
        window.resizeDocks([dock for dock, _ in sizes], [size for _, size in sizes], Qt.Orientation.Horizontal)
        if width >= _NARROW_PX:
            window.resizeDocks(
                self._left[:2],
                [_CLASSES_PX, max(_LEAST_BELOW_PX, window.height() - _BARS_PX - _CLASSES_PX)],
                Qt.Orientation.Vertical,
            )
            window.resizeDocks(self._right, list(_RIGHT_HEIGHTS_PX), Qt.Orientation.Vertical)
        self._hide_forgotten_tabs()

    def _tabs(self) -> list[QTabBar]:
        """The bars of tabs that are direct children of the window, the oldest first."""
        return self._window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly)

    def _hide_forgotten_tabs(self) -> None:
        """Hide the bars that Qt forgets.

        In a window that is not shown yet it makes two bars for a place and forgets the first one, which would stay
        where it is when the docks move.
        """
        used = set[tuple[str, ...]]()
        for bar in reversed(self._tabs()):
            titles = tuple(bar.tabText(index) for index in range(bar.count()))
            if titles in used:
                bar.hide()
            used.add(titles)

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
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # what is in it takes the keys
    area.setWidget(widget)
    return area
