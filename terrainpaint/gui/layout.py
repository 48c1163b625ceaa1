"""Where docks and tool bars are: at first, the last time, and while the welcome page hides them."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QSettings, QSize, Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow, QMenu, QScrollArea, QToolBar, QWidget

_VERSION = 1
_SIZE = QSize(1500, 940)
_SHARE_OF_SCREEN = 0.95
_LEFT_PX, _RIGHT_PX, _HALF_PX = 250, 620, 420


class Layout:
    """The docks and tool bars of a window. Call `remember_first` when all are there."""

    def __init__(self, window: QMainWindow) -> None:
        self._window = window
        self._docks: dict[str, QDockWidget] = {}
        self._tool_bars: list[QToolBar] = []
        self._first = self._behind = QByteArray()

    def add_docks(self, left: dict[str, QWidget], right: dict[str, QWidget]) -> None:
        """Title → widget of the docks on either side: the first of the left ones on top, the others as tabs below it,
        the last of which is shown; the right ones below each other."""
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
        beside = [self._docks[title] for title in right]
        self._window.resizeDocks([top, beside[0]], [_LEFT_PX, _RIGHT_PX], Qt.Orientation.Horizontal)
        self._window.resizeDocks(beside, [_HALF_PX] * len(beside), Qt.Orientation.Vertical)

    def add_tool_bar(self, bar: QToolBar, area: Qt.ToolBarArea = Qt.ToolBarArea.TopToolBarArea) -> None:
        """One more, in a row of its own."""
        if area == Qt.ToolBarArea.TopToolBarArea and self._tool_bars:
            self._window.addToolBarBreak()
        self._window.addToolBar(area, bar)
        self._tool_bars.append(bar)

    def fill_menu(self, menu: QMenu) -> None:
        """An entry for each dock, to show or hide it."""
        for dock in self._docks.values():
            menu.addAction(dock.toggleViewAction())

    def remember_first(self) -> None:
        """What there is now is what `reset` goes back to; then the layout of the last time is taken."""
        room = self._window.screen().availableSize() * _SHARE_OF_SCREEN
        self._window.resize(_SIZE.boundedTo(room))
        self._first = self._window.saveState(_VERSION)
        geometry, layout = QSettings().value("geometry"), QSettings().value("layout")
        if isinstance(geometry, QByteArray):
            self._window.restoreGeometry(geometry)
        if isinstance(layout, QByteArray):
            self._window.restoreState(layout, _VERSION)
        self._behind = self._window.saveState(_VERSION)

    def reset(self) -> None:
        """Everything where it was at the very first start."""
        self._window.restoreState(self._first, _VERSION)

    def hide_all(self) -> None:
        """Leave the window to its page, until `show_all`."""
        self._behind = self._window.saveState(_VERSION)
        for each in (*self._docks.values(), *self._tool_bars):
            each.hide()

    def show_all(self) -> None:
        """Everything where it was before `hide_all`."""
        self._window.restoreState(self._behind, _VERSION)

    def save(self, is_hidden: bool) -> None:
        """Remember it for the next start; `is_hidden` between `hide_all` and `show_all`."""
        QSettings().setValue("geometry", self._window.saveGeometry())
        QSettings().setValue("layout", self._behind if is_hidden else self._window.saveState(_VERSION))


def scrolled(widget: QWidget) -> QScrollArea:
    """A dock may be lower than what is in it."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFrameShape(QScrollArea.Shape.NoFrame)
    area.setWidget(widget)
    return area
