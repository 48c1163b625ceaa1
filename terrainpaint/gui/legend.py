"""The legend of a picture of heights or slopes: its colours with numbers, drawn in a corner of a view."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from terrainpaint.core.quantities import metres_text
from terrainpaint.core.shading import hypsometric, round_step, slope_tint
from terrainpaint.gui.canvas.overlays import draw_panel
from terrainpaint.gui.terrain_ranges import TerrainRanges
from terrainpaint.gui.theme import current_theme
from terrainpaint.gui.widgets.notation import local

_STEPS = 256
_MARGIN_PX, _PADDING_PX, _GAP_PX = 8.0, 8.0, 6.0
_RAMP_PX = 12.0, 132.0
_LEAST_RAMP_PX = 48.0
_TICKS = 4


@dataclass(frozen=True, eq=False)
class Legend:
    """`colours` (n, 3) uint8 sRGB from the lowest value to the highest; `labels` are places 0..1 between them with
    their texts, the most important ones first; `note` is a line below, or ""."""

    title: str
    colours: NDArray[np.uint8]
    labels: tuple[tuple[float, str], ...]
    note: str = ""


def height_legend(ranges: TerrainRanges, height_scale: float, interval_m: float | None = None) -> Legend:
    """The heights that there are, in the colours of `hypsometric` with `height_scale`; contour lines, if there are any,
    are `interval_m` apart."""
    low, high = ranges.low_m, max(ranges.high_m, ranges.low_m + 1e-3)
    decimals = 0 if high - low >= 10 else 1 if high - low >= 1 else 2
    step = round_step(high - low, _TICKS)
    ticks = np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step
    labels = [(1.0, local(metres_text(high, decimals))), (0.0, local(metres_text(low, decimals)))]
    labels += [(float((tick - low) / (high - low)), local(metres_text(tick, decimals))) for tick in ticks]
    return Legend(
        "Height",
        hypsometric(np.linspace(low, high, _STEPS, dtype=np.float32)[None], height_scale)[0],
        tuple(labels),
        "" if interval_m is None else local(f"Lines: {interval_m:g} m"),
    )


def slope_legend(ranges: TerrainRanges) -> Legend:
    """The colours of slopes from 0° to the steepest one."""
    steepest = ranges.steepest_deg
    step = round_step(steepest, _TICKS)
    labels = [(1.0, local(f"≥ {steepest:g}°") if steepest < 90 else "90°"), (0.0, "0°")]
    labels += [(float(tick / steepest), local(f"{tick:g}°")) for tick in np.arange(1, steepest // step + 1) * step]
    colours = slope_tint(np.linspace(0, steepest, _STEPS, dtype=np.float32)[None], steepest)[0]
    return Legend("Slope", colours, tuple(labels))


def draw_legend(painter: QPainter, legend: Legend, area: QRectF, font: QFont) -> None:
    """Draw it in the upper right corner of `area`; not at all when there is too little room."""
    small, theme = QFont(font), current_theme()
    small.setPointSizeF(font.pointSizeF() * 0.88 if font.pointSizeF() > 0 else 9.0)
    metrics = QFontMetricsF(small)
    line = metrics.height()
    around = 2 * _PADDING_PX + line + _GAP_PX + line + (line + _GAP_PX if legend.note else 0)
    ramp_height = min(_RAMP_PX[1], area.height() - 2 * _MARGIN_PX - around)
    beside = max(metrics.horizontalAdvance(text) for _, text in legend.labels) + _GAP_PX + _RAMP_PX[0]
    across = max(beside, metrics.horizontalAdvance(legend.note), metrics.horizontalAdvance(legend.title))
    box = QRectF(0, 0, across + 2 * _PADDING_PX, around + ramp_height)
    box.moveTopRight(area.topRight() + QPointF(-_MARGIN_PX, _MARGIN_PX))
    if ramp_height < _LEAST_RAMP_PX or box.width() > area.width() / 2:
        return
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    draw_panel(painter, box)
    painter.setFont(small)
    painter.setPen(QColor(theme.text))
    left, top = box.left() + _PADDING_PX, box.top() + _PADDING_PX
    painter.drawText(QPointF(left, top + metrics.ascent()), legend.title)
    # Half of a line above and below, for the labels at the ends.
    ramp = QRectF(left, top + line + _GAP_PX + line / 2, _RAMP_PX[0], ramp_height)
    rows = np.ascontiguousarray(legend.colours[::-1])
    picture = QImage(rows.data, 1, len(rows), 3, QImage.Format.Format_RGB888)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.drawImage(ramp, picture)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(theme.edge), 1))
    painter.drawRect(ramp)
    painter.setPen(QColor(theme.text))
    taken: list[float] = []
    for place, text in legend.labels:
        y = ramp.bottom() - place * ramp.height()
        if all(abs(y - other) >= line for other in taken):
            taken.append(y)
            painter.drawLine(QPointF(ramp.right(), y), QPointF(ramp.right() + 3, y))
            baseline = y + (metrics.ascent() - metrics.descent()) / 2
            painter.drawText(QPointF(ramp.right() + _GAP_PX, baseline), text)
    if legend.note:
        painter.setPen(QColor(theme.muted))
        painter.drawText(QPointF(left, ramp.bottom() + line / 2 + _GAP_PX + metrics.ascent()), legend.note)
    painter.restore()


class LegendOverlay(QWidget):
    """A legend in the corner of another widget, which gets the mouse as if it was not there."""

    def __init__(self, covered: QWidget) -> None:
        super().__init__(covered)
        self._legend: Legend | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setGeometry(covered.rect())
        covered.installEventFilter(self)
        self.hide()

    def show_legend(self, legend: Legend | None) -> None:
        """Show another legend, None for none."""
        self._legend = legend
        self.setVisible(legend is not None)
        self.raise_()
        self.update()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the size of the widget below."""
        if event.type() == QEvent.Type.Resize and isinstance(watched, QWidget):
            self.setGeometry(watched.rect())
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._legend is not None:
            painter = QPainter(self)
            draw_legend(painter, self._legend, QRectF(self.rect()), self.font())
            painter.end()
