"""The status bar: messages, the pixel under the pointer, and the state of the terrain."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLayout, QWidget

from terrainpaint.core.classes import CLASS_NAMES, CLASSES
from terrainpaint.core.quantities import metres_text
from terrainpaint.gui.document import Document
from terrainpaint.gui.icons import pixmap
from terrainpaint.gui.theme import current_theme, set_role
from terrainpaint.gui.widgets.basics import ElidedLabel, hide_what_has_no_room, value_label, vertical_rule
from terrainpaint.gui.widgets.class_colours import Swatch
from terrainpaint.gui.widgets.notation import format_number, list_text, local
from terrainpaint.gui.widgets.plain_text import tip as plain_tip

_ICON_PX = 15
_MIN_PX = 360
_MESSAGE_PX = 160


@dataclass(frozen=True)
class Reading:
    """The values of a pixel (row, col) of the map. Height and slope are None where there is no terrain yet."""

    row: int
    col: int
    class_id: int
    height_m: float | None = None
    slope_deg: float | None = None


class MessageKind(Enum):
    """How important a message is: its icon, its role in the theme, and for how many milliseconds it is shown."""

    NOTE = "info", "muted", 6_000
    WARNING = "warning", "warning", 15_000

    def __init__(self, picture: str, role: str, shown_ms: int) -> None:
        self.picture, self.role, self.shown_ms = picture, role, shown_ms


class Quality(Enum):
    """The quality of the visible terrain: text and tooltip."""

    NONE = "", ""
    PREVIEW = "Preview", "The visible terrain is a fast preview; the exact one follows"
    EXACT = "Exact", "The visible terrain is what an export writes"


class StatusInfo(QWidget):
    """One line of labels, which keep their places while the numbers change."""

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._quality = Quality.NONE
        self._fraction: float | None = None
        self.message = _Message()
        self.place_label = value_label("row 16384  col 16384", "Pixel under the pointer: row, column")
        self.ground_label = value_label(
            "00000.0, 00000.0 km", "Place on the ground: east, south of the north-west corner"
        )
        self.swatch = Swatch(12)
        self.class_label = value_label(max(CLASS_NAMES, key=len), "Class under the pointer")
        self.height_label = value_label("-00000.0 m", "Height of the terrain under the pointer")
        self.slope_label = value_label("00.0°", "Slope of the terrain under the pointer")
        self.size_label = QLabel()
        self.size_label.setToolTip("Size of the map")
        self.zoom_label = value_label("0000 %", "Zoom of the map")
        self.recovery_label = QLabel("Recovery off")
        self.recovery_label.setToolTip("Unsaved work cannot be written for recovery; save the project.")
        self.recovery_label.hide()
        self.ring = _Ring()
        self.state = value_label("Preview 100 %")

        row = QHBoxLayout(self)
        row.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        row.setContentsMargins(8, 2, 8, 2)
        row.setSpacing(10)
        self.message.setMinimumWidth(_MESSAGE_PX)
        row.addWidget(self.message, 1)
        row.addWidget(self.place_label)
        row.addWidget(self.ground_label)
        row.addWidget(self.swatch)
        row.addWidget(self.class_label)
        for widget in (
            self.height_label,
            self.slope_label,
            vertical_rule(),
            self.size_label,
            self.zoom_label,
            self.recovery_label,
            vertical_rule(),
            self.ring,
            self.state,
        ):
            row.addWidget(widget)
        self._optional = (self.ground_label, self.slope_label, self.size_label, self.zoom_label, self.place_label)
        document.replaced.connect(self._show_size)
        document.settings_changed.connect(self._show_size)
        self._show_size()
        self.set_position(None)
        self._show_state()

    def minimumSizeHint(self) -> QSize:
        # The window may be narrower than all labels: `resizeEvent` hides the less important ones.
        return QSize(_MIN_PX, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        for widget in self._optional:
            widget.show()
        hide_what_has_no_room(self, self._optional)

    def set_position(self, reading: Reading | None) -> None:
        """Show the pixel under the pointer, None when the pointer is not on the map."""
        self.swatch.set_class(reading.class_id if reading else None)
        if reading is None:
            for label in (self.place_label, self.ground_label, self.class_label, self.height_label, self.slope_label):
                label.setText("")
            return
        metres = self._document.settings.pixel_size_m
        self.place_label.setText(f"row {reading.row}  col {reading.col}")
        east, south = ((index + 0.5) * metres / 1000 for index in (reading.col, reading.row))
        decimals = 1 if metres >= 50 else 3
        self.ground_label.setText(list_text(f"{east:.{decimals}f}", f"{south:.{decimals}f}") + " km")
        self.class_label.setText(CLASSES[reading.class_id].name)
        self.height_label.setText("" if reading.height_m is None else local(metres_text(reading.height_m)))
        self.slope_label.setText("" if reading.slope_deg is None else local(f"{reading.slope_deg:.1f}°"))

    def set_zoom(self, zoom: float) -> None:
        """Show the zoom, in screen pixels per map pixel."""
        self.zoom_label.setText(f"{format_number(zoom * 100, 0 if zoom >= 0.1 else 1)} %")

    def set_progress(self, fraction: float | None) -> None:
        """Show which fraction of the terrain is exact, 0..1; None when nothing is being generated."""
        self._fraction = fraction
        self._show_state()

    def set_quality(self, quality: Quality) -> None:
        """Show whether the visible terrain is a preview or exact."""
        self._quality = quality
        self._show_state()

    def set_recovery(self, works: bool) -> None:
        """Show whether unsaved work can be recovered after a crash; only a failure is visible."""
        self.recovery_label.setHidden(works)

    def say(self, message: str, kind: MessageKind = MessageKind.NOTE) -> None:
        """Show a message for a while, in place of the one before; "" for none."""
        self.message.say(message, kind)

    def _show_size(self) -> None:
        height, width = self._document.shape
        metres = self._document.settings.pixel_size_m
        self.size_label.setText(f"{width} × {height} px")
        ground = " × ".join(local(f"{side * metres / 1000:.4g}") for side in (width, height))
        source = self._document.project.zoomed_from
        origin = "" if source is None else f"; {source.sentence}"
        size = f"Size of the map: {ground} km, {format_number(metres, 2)} m per pixel"
        self.size_label.setToolTip(plain_tip(size + origin))

    def _show_state(self) -> None:
        name, tip = self._quality.value
        self.ring.set_fraction(self._fraction)
        percent = "" if self._fraction is None else f"{int(self._fraction * 100)} %"
        self.state.setText(" ".join(text for text in (name, percent) if text))
        self.state.setToolTip(tip)


class _Message(QWidget):
    """An icon and a text, which is in the tooltip too."""

    def __init__(self) -> None:
        super().__init__()
        self._kind = MessageKind.NOTE
        self._picture, self.label = QLabel(), ElidedLabel()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self._picture)
        row.addWidget(self.label, 1)
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(lambda: self.say("", MessageKind.NOTE))
        self.say("", MessageKind.NOTE)

    def say(self, text: str, kind: MessageKind) -> None:
        self._kind = kind
        set_role(self.label, kind.role)
        self.label.show_text(text)
        self._picture.setVisible(bool(text))
        self._draw_picture()
        self._timer.stop()
        if text:
            self._timer.start(kind.shown_ms)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._draw_picture()

    def _draw_picture(self) -> None:
        theme = current_theme()
        colour = {MessageKind.NOTE: theme.muted, MessageKind.WARNING: theme.warning}[self._kind]
        self._picture.setPixmap(pixmap(self._kind.picture, _ICON_PX, colour, self.devicePixelRatioF()))


class _Ring(QWidget):
    """A ring that closes with the progress. It is not animated."""

    def __init__(self) -> None:
        super().__init__()
        self._fraction: float | None = None
        self.setFixedSize(14, 14)

    def set_fraction(self, fraction: float | None) -> None:
        self._fraction = fraction
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._fraction is None:
            return
        theme = current_theme()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        circle = QRectF(self.rect()).adjusted(2, 2, -2, -2)
        painter.setPen(QPen(QColor(theme.edge), 2))
        painter.drawEllipse(circle)
        painter.setPen(QPen(QColor(theme.accent_text), 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawArc(circle, 90 * 16, -round(self._fraction * 360 * 16))
        painter.end()
