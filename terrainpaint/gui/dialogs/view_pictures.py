"""The dialogs that ask for a picture and for a film of the 3D view."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSettings, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QDialog, QHBoxLayout, QVBoxLayout, QWidget

from terrainpaint.core.films import FORMATS, Timing
from terrainpaint.errors import DeviceError
from terrainpaint.gui.view3d.motions import MOTIONS, FilmOptions
from terrainpaint.gui.view3d.pictures import PictureOptions
from terrainpaint.gui.view3d.widget import TerrainView3D
from terrainpaint.gui.widgets.basics import GAP_PX, Form, column_of_width, decision, dialog_column, label, row_of
from terrainpaint.gui.widgets.numbers import unit_field
from terrainpaint.gui.widgets.pictures import PictureView

_SIZES = (
    ("As on the screen", (0, 0)),
    ("HD", (1280, 720)),
    ("Full HD", (1920, 1080)),
    ("4K", (3840, 2160)),
    ("8K", (7680, 4320)),
    ("Square", (2048, 2048)),
    ("Upright", (1080, 1920)),
)
_OWN = "Own size"
_LEAST_PX, _MOST_PX = 64, 16_384
_FORM_PX, _PREVIEW, _TALLEST_PX = 370, QSize(360, 120), 300
_PREVIEW_MS = 60
_CHECKER_PX, _CHECKER = 8, (150, 200)
_MOST_SECONDS, _MOST_FPS = 600.0, 120.0

Preview = Callable[[PictureOptions], NDArray[np.uint8]]
"""Options with a small size → picture (h, w, 3) or (h, w, 4) uint8 sRGB. Raises DeviceError."""


class _PictureFields(QWidget):
    """Size, water, pin and background. `settings` is the group of QSettings in which the size is remembered,
    `first_size` a name of `_SIZES`."""

    changed = Signal()

    def __init__(self, form: Form, view: TerrainView3D, settings: str, first_size: str) -> None:
        super().__init__()
        self._settings, self._first_size = settings, first_size
        self._screen = view.screen_size
        self._choice = QComboBox()
        for name, size in _SIZES:
            width, height = self._screen if size == (0, 0) else size
            self._choice.addItem(f"{name}, {width} x {height}", (width, height))
        self._choice.addItem(_OWN)
        self._width = unit_field(_LEAST_PX, _MOST_PX, self._screen[0], 0, " px")
        self._height = unit_field(_LEAST_PX, _MOST_PX, self._screen[1], 0, " px")
        self._width.setAccessibleName("Width")
        self._height.setAccessibleName("Height")
        self._water, self._pin = QCheckBox("Water"), QCheckBox("Pin")
        self._background = QCheckBox("Transparent background")
        form.add("&Size", self._choice)
        form.add_below(row_of(self._width, label("x", "muted"), self._height))
        form.add("&Show", row_of(self._water, self._pin))
        form.add_below(self._background)
        self._water.setChecked(view.settings.water_level_m is not None)
        self._water.setEnabled(view.settings.water_level_m is not None)
        self._pin.setChecked(view.marker is not None)
        self._pin.setEnabled(view.marker is not None)
        self._recall()
        self._choice.currentIndexChanged.connect(self._choose_size)
        for field in (self._width, self._height):
            field.valueChanged.connect(self._type_size)
        for box in (self._water, self._pin, self._background):
            box.toggled.connect(lambda _on: self.changed.emit())

    def options(self) -> PictureOptions:
        """What the fields say."""
        return PictureOptions(
            (round(self._width.value()), round(self._height.value())),
            self._water.isChecked(), self._pin.isChecked(), not self._background.isChecked(),
        )  # fmt: skip

    def allow_transparent(self, allowed: bool) -> None:
        """Whether the format can be transparent."""
        self._background.setEnabled(allowed)
        if not allowed:
            self._background.setChecked(False)
        self._background.setToolTip("" if allowed else "This format cannot be transparent.")

    def remember(self) -> None:
        """Store the size for the next time."""
        QSettings().setValue(f"{self._settings}/size", self._choice.currentText().split(",")[0])
        QSettings().setValue(f"{self._settings}/width", round(self._width.value()))
        QSettings().setValue(f"{self._settings}/height", round(self._height.value()))

    def _recall(self) -> None:
        name = str(QSettings().value(f"{self._settings}/size", self._first_size))
        names = [self._choice.itemText(row).split(",")[0] for row in range(self._choice.count())]
        row = names.index(name) if name in names else 0
        self._choice.setCurrentIndex(row)
        size = self._choice.itemData(row)
        width, height = size or (
            QSettings().value(f"{self._settings}/{side}", self._screen[axis], int)
            for axis, side in enumerate(("width", "height"))
        )
        self._show_size(width, height)

    def _choose_size(self) -> None:
        size = self._choice.currentData()
        if size:
            self._show_size(*size)
        self.changed.emit()

    def _show_size(self, width: int, height: int) -> None:
        for field, value in ((self._width, width), (self._height, height)):
            field.blockSignals(True)
            field.setValue(value)
            field.blockSignals(False)

    def _type_size(self) -> None:
        self._choice.blockSignals(True)
        self._choice.setCurrentText(_OWN)
        self._choice.blockSignals(False)
        self.changed.emit()


class _ViewDialog(QDialog):
    """A preview and a form next to each other."""

    def __init__(self, title: str, accept_text: str, preview: Preview, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self._preview, self._is_fitted = preview, False
        self._shown = PictureView("Preview", _PREVIEW)
        self._shown.setMaximumHeight(_TALLEST_PX)
        self._note = label("", "muted")
        self._note.setWordWrap(True)
        self._timer = QTimer(self, singleShot=True, interval=_PREVIEW_MS)
        self._timer.timeout.connect(self._show_preview)
        self._form = Form()
        self._decision = decision(self, accept_text)

    def _build(self) -> None:
        fields = QVBoxLayout()
        fields.setSpacing(GAP_PX)
        fields.addLayout(self._form)
        fields.addWidget(self._note)
        fields.addStretch(1)
        row = QHBoxLayout()
        row.setSpacing(2 * GAP_PX)
        row.addWidget(self._shown, 1, Qt.AlignmentFlag.AlignTop)
        row.addWidget(column_of_width(fields, _FORM_PX))
        column = dialog_column(self)
        column.addLayout(row, 1)
        column.addWidget(self._decision)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._timer.start()

    def _options(self) -> PictureOptions:
        raise NotImplementedError

    def _show_preview(self) -> None:
        options = self._options()
        width, height = options.size
        scale = min(1.0, self._shown.width() * self.devicePixelRatioF() / max(width, height))
        small = max(1, round(width * scale)), max(1, round(height * scale))
        try:
            picture = self._preview(PictureOptions(small, options.has_water, options.has_pin, options.has_background))
        except DeviceError as error:
            self._shown.show_text(str(error))
            return
        self._shown.show_picture(_on_checkers(picture))
        if not self._is_fitted:
            self._is_fitted = True
            self.adjustSize()


class PictureDialog(_ViewDialog):
    """Asks for the size and the content of a picture."""

    def __init__(self, view: TerrainView3D, parent: QWidget) -> None:
        super().__init__("Picture of the 3D view", "Save…", view.preview, parent)
        self._fields = _PictureFields(self._form, view, "picture_3d", "Full HD")
        self._fields.changed.connect(self._timer.start)
        self._build()

    def options(self) -> PictureOptions:
        """What was chosen."""
        return self._fields.options()

    def accept(self) -> None:
        self._fields.remember()
        super().accept()

    def _options(self) -> PictureOptions:
        return self.options()


class FilmDialog(_ViewDialog):
    """Asks for motion, length, format, size and content of a film."""

    def __init__(self, view: TerrainView3D, parent: QWidget) -> None:
        super().__init__("Film of the 3D view", "Save…", view.preview, parent)
        stored = QSettings()
        self._motion, self._kind = QComboBox(), QComboBox()
        for key, (name, _) in MOTIONS.items():
            self._motion.addItem(name, key)
        for key, (name, _writer) in FORMATS.items():
            self._kind.addItem(name, key)
        self._seconds = unit_field(0.1, _MOST_SECONDS, _number("seconds", 8.0), 1, " s")
        self._fps = unit_field(1, _MOST_FPS, _number("fps", 30.0), 0, " a second")
        self._seconds.setAccessibleName("Length")
        self._fps.setAccessibleName("Pictures a second")
        self._kind.setCurrentIndex(max(0, self._kind.findData(str(stored.value("film_3d/format", "mp4")))))
        self._form.add("&Motion", self._motion)
        self._form.add("&Length", self._seconds)
        self._form.add("&Pictures", self._fps)
        self._form.add("&Format", self._kind)
        self._fields = _PictureFields(self._form, view, "film_3d", "HD")
        self._fields.changed.connect(self._changed)
        for field in (self._seconds, self._fps):
            field.valueChanged.connect(self._changed)
        self._kind.currentIndexChanged.connect(self._changed)
        self._changed()
        self._build()

    def options(self) -> FilmOptions:
        """What was chosen."""
        timing = Timing(self._seconds.value(), self._fps.value())
        return FilmOptions(self._fields.options(), timing, self._motion.currentData(), self._kind.currentData())

    def accept(self) -> None:
        self._fields.remember()
        stored, options = QSettings(), self.options()
        stored.setValue("film_3d/seconds", options.timing.seconds)
        stored.setValue("film_3d/fps", options.timing.fps)
        stored.setValue("film_3d/format", options.kind)
        super().accept()

    def _options(self) -> PictureOptions:
        return self._fields.options()

    def _changed(self) -> None:
        kind = self._kind.currentData()
        self._fields.allow_transparent(FORMATS[kind][1].has_alpha)
        timing = self.options().timing
        self._note.setText(f"{timing.frames} pictures.")
        self._timer.start()


def _number(name: str, otherwise: float) -> float:
    """A number of the last film."""
    stored = QSettings().value(f"film_3d/{name}", otherwise, float)
    return stored if isinstance(stored, float) else otherwise


def _on_checkers(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(h, w, 3) uint8 of a picture; checkers show through its transparent parts."""
    if picture.shape[2] == 3:
        return picture
    rows, cols = picture.shape[:2]
    row, col = np.mgrid[:rows, :cols] // _CHECKER_PX
    behind = np.where((row + col) % 2, *_CHECKER).astype(np.float32)[..., None]
    alpha = picture[..., 3:].astype(np.float32) / 255
    return np.asarray(behind + (picture[..., :3] - behind) * alpha, np.uint8)
