"""The dialog of the real places that terrain is most like."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QDialog, QGridLayout, QProgressBar, QPushButton, QSizePolicy, QWidget

from terrainpaint.core.places import Place, latitude_text
from terrainpaint.gui.widgets.basics import close_box, dialog_column, label, paragraph, push_button

_BAR_PX = 120
_EXPLANATION = (
    "Compared are classes, heights, relief and colours with a few thousand pieces of land of 512 km. 100 % is the same "
    "land, 0 % as different as two places of the Earth usually are. Measured on Natural Earth, NASA Blue Marble and "
    "NASA/USGS SRTM30."
)


class PlacesDialog(QDialog):
    """Lists `places`, the most alike first; each can be shown on a map in the web browser. `is_selection`: a part of
    the terrain was compared."""

    def __init__(self, places: Sequence[Place], is_selection: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Similar real places")
        first = places[0]
        column = dialog_column(self)
        column.addWidget(paragraph(f"Most like: {first.name}, {latitude_text(first.latitude)}", "title"))
        column.addWidget(paragraph(f"{'The selected part' if is_selection else 'The terrain'} is most like these "
                                   "places of the Earth."))  # fmt: skip
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(10)
        grid.setColumnStretch(0, 1)
        self.buttons: list[QPushButton] = []
        for row, place in enumerate(places):
            for col, widget in enumerate(self._row(place)):
                grid.addWidget(widget, row, col)
        column.addLayout(grid)
        column.addSpacing(4)
        column.addWidget(paragraph(_EXPLANATION))
        column.addStretch(1)
        column.addWidget(close_box(self))
        self.setMinimumWidth(560)
        self.buttons[0].setFocus()

    def _row(self, place: Place) -> tuple[QWidget, ...]:
        percent = round(100 * place.similarity)
        bar = QProgressBar()
        bar.setRange(0, 100)
        bar.setValue(percent)
        bar.setTextVisible(False)
        bar.setFixedWidth(_BAR_PX)
        bar.setAccessibleName(f"Similarity of {place.name}")
        button = push_button("Show on a map", "link")
        button.setToolTip("Open OpenStreetMap in the web browser")
        button.setAccessibleName(f"Show {place.name} on a map")
        button.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        button.clicked.connect(lambda: QDesktopServices.openUrl(QUrl(place.map_address)))
        self.buttons.append(button)
        number = label(f"{percent} %", "muted")
        number.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return label(place.name), label(place.position, "muted"), bar, number, button
