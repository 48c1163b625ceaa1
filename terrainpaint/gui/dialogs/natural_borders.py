"""The dialog that makes borders of the map natural, with the result on the map while it is open."""

from __future__ import annotations

import dataclasses

from PySide6.QtCore import QPoint
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QDialog, QProgressBar, QWidget

from terrainpaint.core.natural_borders import (
    MAX_AMOUNT_PX,
    MAX_SCALE_PX,
    MIN_AMOUNT_PX,
    MIN_SCALE_PX,
    Roughness,
)
from terrainpaint.gui.border_roughening import BorderRoughening
from terrainpaint.gui.panels.seed_box import SeedField
from terrainpaint.gui.widgets.basics import Form, accept_button, decision, dialog_column, paragraph
from terrainpaint.gui.widgets.class_colours import ClassCombo
from terrainpaint.gui.widgets.numbers import Logarithmic, SliderField

_WIDTH_PX = 380
_MARGIN_PX = 16


class NaturalBordersDialog(QDialog):
    """Amount, scale and seed of natural borders, and whose borders. It ends `roughening` when it closes.

    `roughness` has the numbers that were chosen last.
    """

    def __init__(
        self, roughening: BorderRoughening, roughness: Roughness, in_selection: bool, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Natural borders")
        self.setMinimumWidth(_WIDTH_PX)
        self.roughness = roughness
        self._roughening = roughening
        self._is_accepting = self._has_ended = False
        self.classes = ClassCombo(0)
        self.classes.insertItem(0, "All classes")
        self.classes.setCurrentIndex(0)
        self.classes.setAccessibleName("Borders of")
        self.amount = SliderField("Amount", Logarithmic(MIN_AMOUNT_PX, MAX_AMOUNT_PX), 0, suffix=" px")
        self.amount.setToolTip("How far the largest bends displace a border, at most 0.6 of the scale")
        self.scale = SliderField("Scale", Logarithmic(MIN_SCALE_PX, MAX_SCALE_PX), 0, suffix=" px")
        self.scale.setToolTip("Size of the largest bends; there are finer ones down to a few pixels")
        self.seed = SeedField("Seed", "Other bends")
        self.progress = QProgressBar()
        self.progress.setRange(0, 1000)
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(4)
        self._buttons = decision(self, "Apply")
        self._build("the selection" if in_selection else "the layer")
        self.amount.show_value(roughness.amount_px)
        self.scale.show_value(roughness.scale_px)
        self.seed.show_seed(roughness.seed)
        self.classes.currentIndexChanged.connect(self._start)
        self.amount.changed.connect(lambda value: self._take(dataclasses.replace(self.roughness, amount_px=value)))
        self.scale.changed.connect(lambda value: self._take(dataclasses.replace(self.roughness, scale_px=value)))
        self.seed.changed.connect(lambda seed: self._take(dataclasses.replace(self.roughness, seed=seed)))
        self.seed.thrown.connect(self.seed.field.setValue)
        roughening.progressed.connect(lambda fraction: self.progress.setValue(round(1000 * fraction)))
        roughening.done.connect(self._computed)
        roughening.interrupted.connect(self._interrupted)
        self._start()

    def accept(self) -> None:
        """Apply, as soon as all of the map is computed."""
        if self._roughening.is_running:
            self._is_accepting = True
            accept_button(self._buttons).setEnabled(False)
            return
        if not self._has_ended:
            self._has_ended = True
            self._roughening.apply()
        super().accept()

    def reject(self) -> None:
        """Leave the map as it was."""
        if not self._has_ended:
            self._has_ended = True
            self._roughening.cancel()
        super().reject()

    def showEvent(self, event: QShowEvent) -> None:
        """Lie over the panels at the left, not over the map."""
        super().showEvent(event)
        parent = self.parentWidget()
        if parent is not None:
            lower_left = QPoint(_MARGIN_PX, parent.height() - self.sizeHint().height() - 4 * _MARGIN_PX)
            self.move(parent.mapToGlobal(lower_left))

    def _build(self, area: str) -> None:
        form = Form()
        form.add("&Borders of", self.classes)
        form.add("&Amount", self.amount)
        form.add("&Scale", self.scale)
        form.add("Se&ed", self.seed)
        column = dialog_column(self)
        column.addWidget(
            paragraph(f"Makes the borders in {area} as rough as coasts. Rivers and other thin parts stay connected.")
        )
        column.addLayout(form)
        column.addWidget(self.progress)
        column.addWidget(self._buttons)

    def _take(self, roughness: Roughness) -> None:
        self.roughness = roughness
        self._start()

    def _start(self) -> None:
        index = self.classes.currentIndex()
        self.progress.setValue(0)
        self._roughening.start(self.roughness, index - 1 if index else None)

    def _computed(self) -> None:
        self.progress.setValue(self.progress.maximum())
        if self._is_accepting:
            self.accept()

    def _interrupted(self) -> None:
        self._has_ended = True
        super().reject()
