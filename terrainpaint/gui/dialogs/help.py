"""About the program."""

from __future__ import annotations

from PySide6.QtCore import Qt, qVersion
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from terrainpaint import __version__
from terrainpaint.gui.widgets.basics import close_box, dialog_column, label, logo, paragraph

_LOGO_PX = 64
_LICENCES = (
    "TerrainPaint is free software under the MIT licence. It uses Qt and PySide6 (LGPL 3), PyTorch, NumPy and PyOpenGL "
    "(BSD), OpenCV and safetensors (Apache 2.0), Pillow (MIT-CMU), pyqtgraph and filelock (MIT)."
)


class AboutDialog(QDialog):
    """Shows the version, the licences, and `weights_credits`: the data that the loaded weights were trained on."""

    def __init__(self, weights_credits: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("About TerrainPaint")
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(label("TerrainPaint", "title"))
        version = label(f"Version {__version__}, Qt {qVersion()}", "muted")
        version.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        words.addWidget(version)
        head = QHBoxLayout()
        head.setSpacing(16)
        head.addWidget(logo(_LOGO_PX))
        head.addLayout(words, 1)

        credits_field = QPlainTextEdit(weights_credits)
        credits_field.setReadOnly(True)
        credits_field.setAccessibleName("Credits of the weights")
        column = dialog_column(self)
        column.setSpacing(14)
        column.addLayout(head)
        column.addWidget(
            paragraph("Paint a map of seven terrain classes, and get a generated texture and height map.", "")
        )
        column.addWidget(paragraph(_LICENCES))
        column.addWidget(label("Weights", "heading"))
        column.addWidget(credits_field, 1)
        column.addWidget(close_box(self))
        self.resize(520, 480)
