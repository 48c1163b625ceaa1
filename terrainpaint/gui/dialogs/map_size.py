"""The dialogs for the size of a map: a new map with its ground and first contents, and resize."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRect, QSignalBlocker, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import (
    QAbstractButton,
    QButtonGroup,
    QCheckBox,
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QWidget,
)

from terrainpaint.core.classes import CLASSES, WATER
from terrainpaint.core.project import MAX_PROJECT_SIDE_PX
from terrainpaint.core.segmentation import MIN_SIDE_PX
from terrainpaint.gui.samples import SAMPLES, map_picture
from terrainpaint.gui.theme import current_theme
from terrainpaint.gui.widgets.basics import GAP_PX, Form, decision, dialog_column, label, paragraph, push_button, row_of
from terrainpaint.gui.widgets.class_colours import colour_icon
from terrainpaint.gui.widgets.notation import local
from terrainpaint.gui.widgets.numbers import ArrowField, WholeField
from terrainpaint.gui.widgets.pictures import draw_rounded

PRESETS_PX = (256, 512, 1024, 2048, 4096)
DEFAULT_PX = 512
LARGE_PX = 4096 * 4096
"""Above this number of pixels the dialog shows the memory that they need."""

_PIXEL_SIZES_M = 0.01, 1e6
# Layer, map of all layers, re-roll counts: 1 each; texture: 3; height: 4.
_BYTES_PER_PX = 10
_CLASS_COLUMNS = 4
_ALIKE = 1e-3
"""Relative difference of two sizes of a pixel that the field of the ground may not tell apart."""


@dataclass(frozen=True)
class NewMap:
    """Sides in pixels, ground size of a pixel in metres, and class where nothing is painted.

    `template` is the sample map to start from, resampled to this size; None starts empty. `true_scale` is that of
    `Settings`.
    """

    width_px: int
    height_px: int
    pixel_size_m: float
    base_class: int
    template: str | None
    true_scale: bool = False


class NewDialog(QDialog):
    """Asks for a new map. `native_pixel_size_m` is the ground size of a pixel in the training data of the weights;
    `true_sizes_m` are the sizes that have land of their own scale, that one among them."""

    def __init__(
        self, native_pixel_size_m: float, parent: QWidget | None = None, true_sizes_m: Sequence[float] = ()
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("New map")
        self._native_m = native_pixel_size_m
        self._scales = {size_m: self._scale_button(size_m) for size_m in true_sizes_m}
        self._pixel_size_m = native_pixel_size_m
        self._templates = QButtonGroup(self)
        self._classes = QButtonGroup(self)
        self._width, self._height = (
            _side_field("Width in pixels", DEFAULT_PX),
            _side_field("Height in pixels", DEFAULT_PX),
        )
        self._ground = ArrowField(3)
        self._ground.setRange(MIN_SIDE_PX * _PIXEL_SIZES_M[0] / 1000, MAX_PROJECT_SIDE_PX * _PIXEL_SIZES_M[1] / 1000)
        self._ground.setSuffix(" km wide")
        self._scale = paragraph("")
        self._native = push_button(f"Use {_metres(native_pixel_size_m)} per pixel", "link")
        self._warning = paragraph("", "warning")
        self._build()
        self._width.valueChanged.connect(self._resized)
        self._height.valueChanged.connect(self._resized)
        self._ground.valueChanged.connect(self._rescaled)
        self._native.clicked.connect(lambda: self._use_pixel_size(self._native_m))
        self._resized()
        self._width.setFocus()

    def values(self) -> NewMap:
        """The current choice."""
        return NewMap(
            width_px=self._width.value(),
            height_px=self._height.value(),
            pixel_size_m=self._pixel_size_m,
            base_class=self._classes.checkedId(),
            template=(None, *SAMPLES)[self._templates.checkedId()],
            true_scale=self._pixel_size_m != self._native_m and self._true_size_m is not None,
        )

    def _build(self) -> None:
        buttons = decision(self, "Create")
        column = dialog_column(self)
        column.addWidget(label("Start from", "heading"))
        column.addLayout(self._template_row())
        column.addSpacing(8)
        self.setMinimumWidth(600)
        form = Form()
        form.add("Presets", row_of(*self._preset_buttons()))
        form.add("&Size", row_of(self._width, label("×", "muted"), self._height))
        if len(self._scales) > 1:
            form.add("Scale", row_of(*self._scales.values()))
        form.add("&Ground", row_of(self._ground, self._native))
        form.add_below(self._scale)
        form.add("Base class", self._class_grid())
        form.add_below(paragraph("The class where nothing is painted."))
        column.addLayout(form)
        column.addWidget(self._warning)
        column.addStretch(1)
        column.addWidget(buttons)

    def _template_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(GAP_PX)
        titles = ["Empty", *(sample.title for sample in SAMPLES.values())]
        for number, (name, title) in enumerate(zip((None, *SAMPLES), titles, strict=True)):
            card = _TemplateCard(map_picture(name) if name else QPixmap(), title)
            card.setChecked(name is None)
            self._templates.addButton(card, number)
            row.addWidget(card)
        return row

    def _preset_buttons(self) -> list[QWidget]:
        buttons: list[QWidget] = []
        for side in PRESETS_PX:
            button = push_button(str(side), "pill")
            button.setToolTip(f"{side} × {side} pixels")
            button.clicked.connect(lambda _=False, side=side: self._use_preset(side))
            buttons.append(button)
        return buttons

    def _class_grid(self) -> QWidget:
        holder = QWidget()
        grid = QGridLayout(holder)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(6)
        for terrain_class in CLASSES:
            button = push_button(terrain_class.name.capitalize(), "swatch")
            button.setIcon(colour_icon(terrain_class.colour))
            button.setCheckable(True)
            button.setChecked(terrain_class.id == WATER)
            self._classes.addButton(button, terrain_class.id)
            grid.addWidget(button, terrain_class.id // _CLASS_COLUMNS, terrain_class.id % _CLASS_COLUMNS)
        self._classes.idToggled.connect(self._show_base_class)
        self._show_base_class()
        return holder

    def _show_base_class(self) -> None:
        empty = self._templates.button(0)
        assert isinstance(empty, _TemplateCard)
        empty.fill_with(CLASSES[self._classes.checkedId()].colour)

    def _use_preset(self, side: int) -> None:
        self._width.setValue(side)
        self._height.setValue(side)

    def _scale_button(self, size_m: float) -> QPushButton:
        button = push_button(f"{_metres(size_m)} a pixel", "pill")
        button.setCheckable(True)
        button.clicked.connect(lambda: self._use_pixel_size(size_m))
        return button

    def _use_pixel_size(self, size_m: float) -> None:
        self._pixel_size_m = size_m
        self._resized()

    @property
    def _true_size_m(self) -> float | None:
        """The size with land of its own scale that a pixel has, within the accuracy of the field; None for others."""
        return next((size_m for size_m in self._scales if abs(self._pixel_size_m / size_m - 1) < _ALIKE), None)

    def _resized(self) -> None:
        """The number of pixels changed: the ground size of a pixel stays, that of the map changes."""
        with QSignalBlocker(self._ground):
            self._ground.setValue(self._width.value() * self._pixel_size_m / 1000)
        self._show_scale()

    def _rescaled(self, width_km: float) -> None:
        self._pixel_size_m = min(max(width_km * 1000 / self._width.value(), _PIXEL_SIZES_M[0]), _PIXEL_SIZES_M[1])
        self._show_scale()

    def _show_scale(self) -> None:
        rows, cols = self._height.value(), self._width.value()
        tall_km = rows * self._pixel_size_m / 1000
        native, true_size_m = self._pixel_size_m == self._native_m, self._true_size_m
        for size_m, button in self._scales.items():
            button.setChecked(size_m == true_size_m)
        if native:
            about = "This is the scale of the style."
        elif true_size_m is not None:
            about = "Mountains and valleys are as large as on such ground."
        else:
            about = (
                f"The scale of the style is {_metres(self._native_m)} per pixel: its land is scaled, and mountains get "
                f"{'lower' if self._pixel_size_m < self._native_m else 'higher'} with it."
            )
        wide_km = cols * self._pixel_size_m / 1000
        size = f"{local(f'{wide_km:.4g}')} × {local(f'{tall_km:.4g}')} km"
        self._scale.setText(f"{_metres(self._pixel_size_m)} per pixel, {size}. {about}")
        self._native.setVisible(not native and len(self._scales) < 2)
        large = rows * cols > LARGE_PX
        self._warning.setVisible(large)
        self._warning.setText(
            f"This map is very large: its {rows * cols / 1e6:.0f} million pixels need at least "
            f"{rows * cols * _BYTES_PER_PX / 1e9:.1f} GB of memory."
            if large
            else ""
        )


class _TemplateCard(QAbstractButton):
    """A picture to choose, with its name below."""

    _PICTURE_PX = 112
    _PADDING_PX = 6

    def __init__(self, picture: QPixmap, title: str) -> None:
        super().__init__()
        self._picture = picture
        self.setText(title)
        self.setCheckable(True)
        self.setAutoExclusive(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)

    def fill_with(self, colour: tuple[int, int, int]) -> None:
        """Show one sRGB colour as the picture."""
        self._picture = QPixmap(1, 1)
        self._picture.fill(QColor(*colour))
        self.update()

    def sizeHint(self) -> QSize:
        side = self._PICTURE_PX + 2 * self._PADDING_PX
        return QSize(side, side + self.fontMetrics().height() + self._PADDING_PX)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        chosen = self.isChecked()
        rim = theme.accent_text if chosen or self.hasFocus() else theme.muted if self.underMouse() else theme.border
        painter.setPen(QPen(QColor(rim), 2 if chosen or self.hasFocus() else 1))
        painter.setBrush(QColor(theme.accent_soft if chosen else theme.hover if self.hasFocus() else theme.panel))
        painter.drawRoundedRect(self.rect().adjusted(1, 1, -1, -1), 8, 8)
        side = self.width() - 2 * self._PADDING_PX
        frame = QRect(self._PADDING_PX, self._PADDING_PX, side, min(side, self._PICTURE_PX))
        draw_rounded(painter, frame, self._picture)
        painter.setPen(QColor(theme.text))
        words = self.rect().adjusted(0, frame.bottom(), 0, -2)
        painter.drawText(words, Qt.AlignmentFlag.AlignCenter, self.text())


def _side_field(name: str, value: int) -> WholeField:
    field = WholeField()
    field.setRange(MIN_SIDE_PX, MAX_PROJECT_SIDE_PX)
    field.setValue(value)
    field.setSuffix(" px")
    field.setAccessibleName(name)
    return field


def _metres(length_m: float) -> str:
    return local(f"{length_m:.10g} m" if length_m >= 100 else f"{length_m:.4g} m")


class ResizeDialog(QDialog):
    """Asks for a new size of a map of (H, W). The ground size of the map stays."""

    def __init__(self, shape: tuple[int, int], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Resize")
        self._ratio = shape[1] / shape[0]
        self._rows, self._cols = (
            _side_field("Height in pixels", shape[0]),
            _side_field("Width in pixels", shape[1]),
        )
        self._keeps = QCheckBox("Keep the proportions")
        self._keeps.setChecked(True)
        self._cols.valueChanged.connect(lambda cols: self._follow(self._rows, cols / self._ratio))
        self._rows.valueChanged.connect(lambda rows: self._follow(self._cols, rows * self._ratio))
        form = Form()
        form.add("&Width", self._cols)
        form.add("&Height", self._rows)
        form.add_below(self._keeps)
        column = dialog_column(self)
        column.addLayout(form)
        column.addWidget(
            paragraph(
                "The ground size of the map stays: more pixels stand for fewer metres each, so terrain features "
                "become smaller and finer."
            )
        )
        column.addWidget(decision(self, "Resize"))

    def shape(self) -> tuple[int, int]:
        """(H, W) in pixels."""
        return self._rows.value(), self._cols.value()

    def _follow(self, other: WholeField, value: float) -> None:
        if self._keeps.isChecked():
            with QSignalBlocker(other):
                other.setValue(round(value))
