"""How many pixels a map shall have."""

from __future__ import annotations

from PySide6.QtWidgets import QCheckBox, QDialog, QSpinBox, QVBoxLayout, QWidget

from terrainpaint.core.project import MAX_SIDE_PX, MIN_SIDE_PX
from terrainpaint.gui.dialogs.parts import GAP_PX, MARGIN_PX, Form, decision, paragraph


class ResizeDialog(QDialog):
    """Asks for a new size of a map of (H, W); the ground stays the same."""

    def __init__(self, shape: tuple[int, int], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Resize")
        self._ratio = shape[1] / shape[0]
        self._rows, self._cols = _side(shape[0]), _side(shape[1])
        self._keeps = QCheckBox("Keep the proportions")
        self._keeps.setChecked(True)
        self._cols.valueChanged.connect(lambda cols: self._follow(self._rows, cols / self._ratio))
        self._rows.valueChanged.connect(lambda rows: self._follow(self._cols, rows * self._ratio))
        form = Form()
        form.add("&Width", self._cols)
        form.add("&Height", self._rows)
        form.add_below(self._keeps)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN_PX, MARGIN_PX, MARGIN_PX, MARGIN_PX)
        layout.setSpacing(GAP_PX)
        layout.addLayout(form)
        layout.addWidget(paragraph("The map keeps its ground: with more pixels each stands for fewer metres, and the "
                                   "land that is generated becomes smaller and finer on it.", "muted"))  # fmt: skip
        layout.addWidget(decision(self, "Resize"))

    def shape(self) -> tuple[int, int]:
        """(H, W) in pixels."""
        return self._rows.value(), self._cols.value()

    def _follow(self, other: QSpinBox, value: float) -> None:
        if self._keeps.isChecked():
            blocked = other.blockSignals(True)
            other.setValue(round(value))
            other.blockSignals(blocked)


def _side(value: int) -> QSpinBox:
    field = QSpinBox()
    field.setRange(MIN_SIDE_PX, MAX_SIDE_PX)
    field.setValue(value)
    field.setSuffix(" px")
    field.setGroupSeparatorShown(True)
    return field
