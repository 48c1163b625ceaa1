"""What this program is, whose work is in it, and on what terms."""

from __future__ import annotations

from PySide6.QtCore import Qt, qVersion
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QHBoxLayout, QLabel, QPlainTextEdit, QVBoxLayout, QWidget

from terrainpaint import __version__
from terrainpaint.gui.dialogs.parts import MARGIN_PX, label, paragraph, push_button
from terrainpaint.gui.icons import pixmap

_LOGO_PX = 64
_LICENCES = (
    "TerrainPaint is free software under the MIT licence. It uses Qt and PySide6 (LGPL 3), PyTorch, NumPy (BSD), "
    "OpenCV and safetensors (Apache 2.0), Pillow (MIT-CMU), trimesh and pyqtgraph (MIT)."
)


class AboutDialog(QDialog):
    """Shows the version, the licences, and `weights_credits`: whose data the weights in use learned from."""

    def __init__(self, weights_credits: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("About TerrainPaint")
        logo = QLabel()
        logo.setPixmap(pixmap("app", _LOGO_PX, "#000000", 4.0))
        logo.setScaledContents(True)
        logo.setFixedSize(_LOGO_PX, _LOGO_PX)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(label("TerrainPaint", "title"))
        version = label(f"Version {__version__}, Qt {qVersion()}", "muted")
        version.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        words.addWidget(version)
        head = QHBoxLayout()
        head.setSpacing(16)
        head.addWidget(logo)
        head.addLayout(words, 1)

        credits_field = QPlainTextEdit(weights_credits)
        credits_field.setReadOnly(True)
        credits_field.setAccessibleName("Credits of the weights")
        close = push_button("Close")
        close.clicked.connect(self.reject)
        box = QDialogButtonBox()
        box.addButton(close, QDialogButtonBox.ButtonRole.RejectRole)
        column = QVBoxLayout(self)
        column.setContentsMargins(MARGIN_PX, MARGIN_PX, MARGIN_PX, MARGIN_PX)
        column.setSpacing(14)
        column.addLayout(head)
        column.addWidget(
            paragraph("Paint a map of seven terrain classes, and get a learned texture and height map.", "")
        )
        column.addWidget(paragraph(_LICENCES))
        column.addWidget(label("Weights", "heading"))
        column.addWidget(credits_field, 1)
        column.addWidget(box)
        self.resize(520, 480)
