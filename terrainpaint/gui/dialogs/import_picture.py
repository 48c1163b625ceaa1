"""The dialog that imports a picture: how its colours become classes, with a preview of the map."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QButtonGroup,
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QRadioButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from terrainpaint.core.classes import PALETTE, WATER
from terrainpaint.core.decoding import Picture
from terrainpaint.core.importing import Clusters, k_means, likely_classes
from terrainpaint.core.progress import Cancel, Progress
from terrainpaint.core.project import MAX_PROJECT_SIDE_PX
from terrainpaint.core.segmentation import MIN_SIDE_PX
from terrainpaint.gui.background_jobs import BackgroundJob
from terrainpaint.gui.widgets.basics import (
    GAP_PX,
    Form,
    accept_button,
    column_of_width,
    decision,
    dialog_column,
    label,
    paragraph,
)
from terrainpaint.gui.widgets.class_colours import ClassBar, ClassCombo, colour_icon, percent
from terrainpaint.gui.widgets.numbers import WholeField
from terrainpaint.gui.widgets.pictures import PictureView, thinned

CLUSTERS = 7
_PREVIEW_PX = 640
_USUAL_PX = 4096
_BAND_PX = 1 << 20
_WIDTH_PX, _HEIGHT_PX, _FRAME_PX = 1000, 720, 60
_SIDE_PX, _BAR_PX, _COLUMN_GAP_PX = 300, 12, 24


class ColourMode(Enum):
    """How the colours of a picture become classes."""

    EXACT = "Exact class colours"
    NEAREST = "Most similar class"
    CLUSTERS = "Seven clusters"


_EXPLAINED = {
    ColourMode.EXACT: "For maps that use the seven class colours only.",
    ColourMode.NEAREST: "By hue and lightness: blue is water, green grassland or forest, white tundra.",
    ColourMode.CLUSTERS: "Finds the main colours of the picture; you choose a class for each.",
}


@dataclass(frozen=True, eq=False)
class PictureImport:
    """`ids` (H, W) uint8 class ids, and the mode that gave them."""

    ids: NDArray[np.uint8]
    mode: ColourMode


@dataclass(frozen=True, eq=False)
class _Read:
    """What all modes need of the picture."""

    likely: NDArray[np.uint8]
    foreign: float  # fraction of the pixels without a class colour, 0..1
    clusters: Clusters


class ImportPictureDialog(QDialog):
    """Asks how a picture becomes a map, also what lies under its see-through parts; `name` is the name of its file."""

    def __init__(self, picture: Picture, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        rgb = picture.rgb
        self._picture = picture
        self._under = ClassCombo(WATER)
        self.setWindowTitle(f"Import {name}")
        self._read: _Read | None = None
        self._modes = QButtonGroup(self)
        self._notes: dict[ColourMode, QLabel] = {}
        self._combos: list[ClassCombo] = []
        self._clusters = QWidget()
        self._grid = QGridLayout(self._clusters)
        self._before = PictureView("The picture", QSize(280, 280))
        self._after = PictureView("The map", QSize(280, 280))
        self._class_bar = ClassBar()
        self._width = _width_field(rgb.shape)
        self._size = paragraph("")
        self._shape = rgb.shape[0], rgb.shape[1]
        self._see_through = picture.see_through
        self._buttons = decision(self, "Import")
        self._build()
        self._show_before()
        self._after.show_text("Reading the colours…")
        accept_button(self._buttons).setEnabled(False)
        self._width.valueChanged.connect(self._show_size)
        self._show_size()

        def read(progress: Progress, cancel: Cancel) -> _Read:
            likely = likely_classes(rgb)
            seen = None if picture.see_through is None else ~picture.see_through
            return _Read(likely, _foreign_fraction(rgb, likely, seen), k_means(rgb, CLUSTERS, seen=seen))

        # No parent: the thread may outlive the dialog.
        self._job = BackgroundJob(read)
        self._job.done.connect(self._ready)
        self._job.failed.connect(self._after.show_text)
        self._job.start()

    def choose(self, mode: ColourMode) -> None:
        """Select a mode."""
        self._modes.button(list(ColourMode).index(mode)).setChecked(True)
        self._show()

    def values(self) -> PictureImport:
        """The current choice. Raises ValueError while the picture is still being read."""
        ids = self._ids()
        size = self._width.value(), self._rows()
        if size != (ids.shape[1], ids.shape[0]):
            ids = np.asarray(cv2.resize(ids, size, interpolation=cv2.INTER_NEAREST_EXACT), np.uint8)
        return PictureImport(ids, self._mode)

    @property
    def _mode(self) -> ColourMode:
        return list(ColourMode)[self._modes.checkedId()]

    def _rows(self) -> int:
        """Rows of the map, in the proportions of the picture."""
        rows, cols = self._shape
        return int(np.clip(round(self._width.value() * rows / cols), MIN_SIDE_PX, MAX_PROJECT_SIDE_PX))

    def _ids(self) -> NDArray[np.uint8]:
        if self._read is None:
            raise ValueError("the picture is still being read")
        if self._mode is ColourMode.CLUSTERS:
            ids = self._read.clusters.ids([combo.class_id for combo in self._combos])
        else:
            ids = self._read.likely
        if self._see_through is not None:
            ids = np.where(self._see_through, np.uint8(self._under.class_id), ids)
        return ids

    def _build(self) -> None:
        side = QVBoxLayout()
        side.setSpacing(4)
        side.addWidget(label("Colours to classes", "heading"))
        side.addSpacing(4)
        for number, mode in enumerate(ColourMode):
            choice = QRadioButton(mode.value)
            choice.setChecked(mode is ColourMode.NEAREST)
            choice.clicked.connect(self._show)
            self._modes.addButton(choice, number)
            self._notes[mode] = paragraph(_EXPLAINED[mode])
            self._notes[mode].setContentsMargins(26, 0, 0, 6)
            side.addWidget(choice)
            side.addWidget(self._notes[mode])
        self._grid.setContentsMargins(26, 0, 0, 0)
        self._grid.setVerticalSpacing(4)
        side.addWidget(self._clusters)
        self._clusters.hide()
        side.addSpacing(8)
        size = Form()
        if self._see_through is not None:
            size.add("&Under it", self._under)
            part = float(np.count_nonzero(self._see_through) / self._see_through.size)
            size.add_below(paragraph(f"{percent(part)} of the picture is see-through."))
            self._under.currentIndexChanged.connect(self._show)
        size.add("Map &width", self._width)
        size.add_below(self._size)
        side.addLayout(size)
        for note in self._picture.notes:
            side.addWidget(paragraph(note))
        side.addStretch(1)

        pictures = QGridLayout()
        pictures.setSpacing(GAP_PX)
        for col, (text, view) in enumerate((("Picture", self._before), ("Map", self._after))):
            pictures.addWidget(label(text, "muted"), 0, col)
            pictures.addWidget(view, 1, col)
            pictures.setColumnStretch(col, 1)
        pictures.addWidget(self._class_bar, 2, 0, 1, 2)
        pictures.setRowStretch(3, 1)

        upper = QHBoxLayout()
        # On a low screen the fields scroll.
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(column_of_width(side, _SIDE_PX))
        scroll.setFixedWidth(_SIDE_PX + _BAR_PX)
        upper.setSpacing(_COLUMN_GAP_PX - _BAR_PX)
        upper.addWidget(scroll)
        upper.addLayout(pictures, 1)
        whole = dialog_column(self)
        whole.addLayout(upper, 1)
        whole.addWidget(self._buttons)
        self.resize(_WIDTH_PX, min(_HEIGHT_PX, self.screen().availableGeometry().height() - _FRAME_PX))
        self._modes.buttons()[list(ColourMode).index(ColourMode.NEAREST)].setFocus()

    def _ready(self, read: _Read) -> None:
        self._read = read
        exact = read.foreign == 0
        if not exact:
            self._modes.button(list(ColourMode).index(ColourMode.EXACT)).setEnabled(False)
            self._notes[ColourMode.EXACT].setText(f"{percent(read.foreign)} of the pixels have other colours.")
        self._add_clusters(read.clusters)
        accept_button(self._buttons).setEnabled(True)
        if self._mode is ColourMode.CLUSTERS:
            self._show()
        else:
            self.choose(ColourMode.EXACT if exact else ColourMode.NEAREST)

    def _add_clusters(self, clusters: Clusters) -> None:
        labels = clusters.labels if self._see_through is None else clusters.labels[~self._see_through]
        counts = np.bincount(labels.ravel(), minlength=len(clusters.centres)) / clusters.labels.size
        for row, (centre, class_id) in enumerate(zip(clusters.centres, clusters.suggested, strict=True)):
            colour = QLabel()
            colour.setPixmap(colour_icon(centre).pixmap(QSize(20, 20), self.devicePixelRatio()))
            combo = ClassCombo(class_id)
            combo.setAccessibleName(f"Class of colour {row + 1}")
            combo.currentIndexChanged.connect(self._show)
            self._combos.append(combo)
            self._grid.addWidget(colour, row, 0)
            self._grid.addWidget(label(percent(counts[row]), "muted"), row, 1, Qt.AlignmentFlag.AlignRight)
            self._grid.addWidget(combo, row, 2)
        self._grid.setColumnStretch(2, 1)

    def _show_before(self) -> None:
        small = thinned(self._picture.rgb, _PREVIEW_PX)
        if self._picture.alpha is not None:
            # Transparent in the view too, as far as the classes are concerned.
            small = np.dstack([small, thinned(self._picture.alpha, _PREVIEW_PX)])
        self._before.show_picture(small)

    def _show(self) -> None:
        self._clusters.setVisible(self._mode is ColourMode.CLUSTERS)
        if self._read is not None:
            ids = self._ids()
            self._after.show_picture(PALETTE[thinned(ids, _PREVIEW_PX)])
            self._class_bar.show_map(ids)

    def _show_size(self) -> None:
        rows, cols = self._picture.file_shape
        self._size.setText(f"× {self._rows()} px; the picture {cols} × {rows}")


def _foreign_fraction(rgb: NDArray[np.uint8], ids: NDArray[np.uint8], seen: NDArray[np.bool_] | None) -> float:
    """Fraction 0..1 of the pixels, of those that are `seen`, whose colour is not exactly that of their class."""
    rows = max(1, _BAND_PX // ids.shape[1])
    foreign = 0
    for top in range(0, len(ids), rows):
        band = slice(top, top + rows)
        wrong = (PALETTE[ids[band]] != rgb[band]).any(axis=2)
        foreign += int(np.count_nonzero(wrong if seen is None else wrong & seen[band]))
    return foreign / ids.size


def _width_field(shape: tuple[int, ...]) -> WholeField:
    """A field for the width of the map, limited so that both sides are allowed; the proportions are the picture's."""
    rows, cols = shape[:2]
    field = WholeField()
    smallest = max(MIN_SIDE_PX, round(MIN_SIDE_PX * cols / rows))
    largest = min(MAX_PROJECT_SIDE_PX, round(MAX_PROJECT_SIDE_PX * cols / rows))
    field.setRange(min(smallest, MAX_PROJECT_SIDE_PX), max(largest, MIN_SIDE_PX))
    field.setValue(round(cols * min(1.0, _USUAL_PX / max(rows, cols))))
    field.setSuffix(" px")
    return field
