"""The dialog that asks for the layout of a RAW file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtCore import QSignalBlocker, QSize
from PySide6.QtGui import QStandardItemModel
from PySide6.QtWidgets import QComboBox, QDialog, QHBoxLayout, QVBoxLayout, QWidget

from terrainpaint.core.importing import (
    PREVIEW_PX,
    RawFormat,
    RawNumber,
    likely_raw_format,
    raw_sizes,
    sample_raw_heights,
)
from terrainpaint.errors import InputFileError
from terrainpaint.gui.widgets.basics import GAP_PX, Form, column_of_width, decision, dialog_column, paragraph
from terrainpaint.gui.widgets.pictures import PictureView

_NUMBERS = {
    RawNumber.UINT8: "8 bits",
    RawNumber.UINT16: "16 bits",
    RawNumber.INT16: "16 bits with a sign",
    RawNumber.FLOAT32: "32-bit float",
}


class RawFormatDialog(QDialog):
    """Asks for numbers, byte order and size of the RAW file at `path`, and shows the heights that they give.

    It offers what fits the size of the file and starts with the likeliest. Raises InputFileError when nothing fits or
    the file cannot be read.
    """

    def __init__(self, path: Path, parent: QWidget | None = None) -> None:
        # First, because they can fail: a half-built dialog would stay a child of the parent.
        likely = likely_raw_format(path)
        sides = {number: raw_sizes(path, number) for number in _NUMBERS}
        super().__init__(parent)
        self.setWindowTitle(f"Import {path.name}")
        self._path, self._sides = path, sides
        self._number, self._size, self._order = QComboBox(), QComboBox(), QComboBox()
        self._number.addItems(list(_NUMBERS.values()))
        self._order.addItems(["Little-endian (PC)", "Big-endian (Mac)"])
        self._order.setCurrentIndex(int(likely.big_endian))
        self._number.setCurrentIndex(list(_NUMBERS).index(likely.number))
        self._view = PictureView("The heights", QSize(280, 280))
        self._build()
        self._offer_sizes((likely.height, likely.width))
        self._number.currentIndexChanged.connect(lambda: self._offer_sizes(None))
        self._size.currentIndexChanged.connect(self._show)
        self._order.currentIndexChanged.connect(self._show)
        self._show()

    def values(self) -> RawFormat:
        """The current choice."""
        number = self._chosen_number
        height, width = self._sides[number][self._size.currentIndex()]
        return RawFormat(height, width, number.size > 1 and self._order.currentIndex() == 1, number)

    @property
    def _chosen_number(self) -> RawNumber:
        return list(_NUMBERS)[self._number.currentIndex()]

    def _build(self) -> None:
        form = Form()
        form.add("&Numbers", self._number)
        form.add("&Byte order", self._order)
        form.add("&Size", self._size)
        model = self._number.model()
        for row, number in enumerate(_NUMBERS):
            if isinstance(model, QStandardItemModel) and not self._sides[number]:
                model.item(row).setEnabled(False)
                model.item(row).setToolTip("No size of a map fits the file.")
        side = QVBoxLayout()
        side.setSpacing(GAP_PX)
        side.addLayout(form)
        side.addWidget(
            paragraph("A RAW file does not contain its layout. The layout is right when the picture shows terrain.")
        )
        side.addStretch(1)
        picture = QVBoxLayout()
        picture.addWidget(self._view)
        picture.addStretch(1)
        upper = QHBoxLayout()
        upper.setSpacing(24)
        upper.addWidget(column_of_width(side, 290))
        upper.addLayout(picture, 1)
        whole = dialog_column(self)
        whole.addLayout(upper, 1)
        whole.addWidget(decision(self, "Continue"))
        self.resize(700, 450)

    def _offer_sizes(self, size: tuple[int, int] | None) -> None:
        """Offer the sizes that fit the numbers, and choose `size`, the same as before, or the most square one."""
        sides = self._sides[self._chosen_number]
        if size is None:
            kept = self._size.currentText()
            same = [side for side in sides if _text(side) == kept]
            size = same[0] if same else min(sides, key=lambda side: abs(side[0] - side[1]))
        with QSignalBlocker(self._size):
            self._size.clear()
            self._size.addItems([_text(side) for side in sides])
            self._size.setCurrentIndex(sides.index(size))
        self._order.setEnabled(self._chosen_number.size > 1)
        self._show()

    def _show(self) -> None:
        try:
            sample = sample_raw_heights(self._path, self.values(), PREVIEW_PX)
        except InputFileError as error:
            self._view.show_text(str(error))
            return
        known = np.isfinite(sample)
        if not known.any():
            self._view.show_text("No numbers that can be heights")
            return
        # Single wild numbers must not make all others black.
        low, high = np.quantile(sample[known], (0.002, 0.998))
        grey = ((sample - low) * (255 / max(float(high - low), 1e-9))).clip(0, 255)
        rgb = np.repeat(np.nan_to_num(grey).astype(np.uint8)[..., None], 3, axis=2)
        self._view.show_picture(rgb)


def _text(side: tuple[int, int]) -> str:
    return f"{side[1]} × {side[0]} px"
