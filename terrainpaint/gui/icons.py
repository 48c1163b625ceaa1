"""Icons in the colours of the theme, sharp at any size and on any screen."""

from __future__ import annotations

from functools import cache

from PySide6.QtCore import QByteArray, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QIconEngine, QPainter, QPixmap, QPixmapCache
from PySide6.QtSvg import QSvgRenderer

from terrainpaint.core.assets import asset_path
from terrainpaint.gui.theme import Theme, current_theme

_DRAWN_IN = "currentColor"


@cache
def icon_names() -> tuple[str, ...]:
    """The names of all icons, sorted."""
    return tuple(sorted(path.stem for path in asset_path("icons").glob("*.svg")))


@cache
def icon(name: str) -> QIcon:
    """The icon `name` of assets/icons, in the text colour of the theme, which it follows.

    It has another colour when disabled, and the accent when checked. Raises ValueError for an unknown name.
    """
    if name not in icon_names():
        raise ValueError(f"there is no icon {name!r}, only {', '.join(icon_names())}")
    return QIcon(_Engine(name))


def pixmap(name: str, size_px: int, colour: str, device_pixel_ratio: float) -> QPixmap:
    """The icon `name`, `size_px` logical pixels a side, drawn in `colour` "#rrggbb" in every theme.

    Raises ValueError for an unknown name.
    """
    if name not in icon_names():
        raise ValueError(f"there is no icon {name!r}, only {', '.join(icon_names())}")
    side = round(size_px * device_pixel_ratio)
    drawn = _drawn(name, QSize(side, side), colour)
    drawn.setDevicePixelRatio(device_pixel_ratio)
    return drawn


class _Engine(QIconEngine):
    """Draws the icon in the colours of the present theme, so that it need not be set again when the theme changes."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self._clones: list[_Engine] = []

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        _renderer(self._name, _colour(current_theme(), mode, state)).render(painter, QRectF(rect))

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        return _drawn(self._name, size, _colour(current_theme(), mode, state))

    def isNull(self) -> bool:
        return False

    def iconName(self) -> str:
        return self._name

    def clone(self) -> QIconEngine:
        # Qt owns the copy but does not keep the Python half of it alive.
        copy = _Engine(self._name)
        self._clones.append(copy)
        return copy


def _colour(theme: Theme, mode: QIcon.Mode, state: QIcon.State) -> str:
    if mode == QIcon.Mode.Disabled:
        return theme.disabled
    return theme.accent_text if state == QIcon.State.On else theme.text


def _drawn(name: str, size: QSize, colour: str) -> QPixmap:
    key = f"terrainpaint {name} {size.width()}x{size.height()} {colour}"
    pixmap = QPixmap()
    if not QPixmapCache.find(key, pixmap):
        pixmap = QPixmap(size)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        side = min(size.width(), size.height())
        square = QRectF((size.width() - side) / 2, (size.height() - side) / 2, side, side)
        _renderer(name, colour).render(painter, square)
        painter.end()
        QPixmapCache.insert(key, pixmap)
    return QPixmap(pixmap)


@cache
def _renderer(name: str, colour: str) -> QSvgRenderer:
    drawing = asset_path(f"icons/{name}.svg").read_text("utf-8").replace(_DRAWN_IN, colour)
    return QSvgRenderer(QByteArray(drawing.encode()))
