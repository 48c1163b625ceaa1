"""What a RAW file does not say of itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtCore import QSize
from PySide6.QtWidgets import QComboBox, QDialog, QHBoxLayout, QVBoxLayout, QWidget

from terrainpaint.core.importing import RawFormat, likely_raw_format, raw_sizes, sample_raw_heights
from terrainpaint.errors import InputFileError
from terrainpaint.gui.dialogs.parts import GAP_PX, MARGIN_PX, Form, PictureView, decision, paragraph

_PREVIEW_PX = 512


class RawFormatDialog(QDialog):
    """Asks for the sides and the byte order of the RAW file at `path`, and shows the heights that they make.

    Only sides that fit the file are offered, and the likeliest first chosen. Raises InputFileError when none fit, or
    the file cannot be read.
    """

    def __init__(self, path: Path, parent: QWidget | None = None) -> None:
        # What can fail comes first, so that no half of a dialog stays with the parent.
        sides, likely = raw_sizes(path), likely_raw_format(path)
        super().__init__(parent)
        self.setWindowTitle(f"Import {path.name}")
        self._path, self._sides = path, sides
        self._size, self._order = QComboBox(), QComboBox()
        self._size.addItems([f"{cols:,} × {rows:,} px" for rows, cols in self._sides])
        self._size.setCurrentIndex(self._sides.index((likely.height, likely.width)))
        self._order.addItems(["Little-endian (PC)", "Big-endian (Mac)"])
        self._order.setCurrentIndex(int(likely.big_endian))
        self._view = PictureView("The heights", QSize(280, 280))
        self._build()
        self._size.currentIndexChanged.connect(self._show)
        self._order.currentIndexChanged.connect(self._show)
        self._show()

    def values(self) -> RawFormat:
        """What is chosen now."""
        return RawFormat(*self._sides[self._size.currentIndex()], big_endian=self._order.currentIndex() == 1)

    def _build(self) -> None:
        form = Form()
        form.add("&Size", self._size)
        form.add("&Byte order", self._order)
        side = QVBoxLayout()
        side.setSpacing(GAP_PX)
        side.addLayout(form)
        side.addWidget(
            paragraph("A RAW file does not say how it is laid out. It is right when the picture shows land.")
        )
        side.addStretch(1)
        panel = QWidget()
        panel.setFixedWidth(290)
        panel.setLayout(side)
        side.setContentsMargins(0, 0, 0, 0)
        picture = QVBoxLayout()
        picture.addWidget(self._view)
        picture.addStretch(1)
        upper = QHBoxLayout()
        upper.setSpacing(24)
        upper.addWidget(panel)
        upper.addLayout(picture, 1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(MARGIN_PX, MARGIN_PX, MARGIN_PX, MARGIN_PX)
        whole.setSpacing(GAP_PX)
        whole.addLayout(upper, 1)
        whole.addWidget(decision(self, "Continue"))
        self.resize(700, 450)

    def _show(self) -> None:
        try:
            seen = sample_raw_heights(self._path, self.values(), _PREVIEW_PX).astype(np.float32)
        except InputFileError as error:
            self._view.show_text(str(error))
            return
        grey = (seen - seen.min()) * (255 / max(float(np.ptp(seen)), 1.0))
        self._view.show_picture(np.repeat(grey.astype(np.uint8)[..., None], 3, axis=2))
