"""The reference picture under the map: load, show, fade, remove."""

from __future__ import annotations

import dataclasses

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from terrainpaint.core.project import Underlay
from terrainpaint.gui.document import Document
from terrainpaint.gui.icons import icon
from terrainpaint.gui.panels.settings_changes import Merge
from terrainpaint.gui.widgets.basics import icon_button, label, push_button
from terrainpaint.gui.widgets.numbers import Linear, SliderField


class UnderlayBox(QWidget):
    """Without a reference picture it shows only a button to load one."""

    load_requested = Signal()

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self.load = push_button("Load…", "compact")
        self.load.setToolTip("A picture to paint over: a scan, a sketch, a map")
        self.shown = icon_button("eye", "Show or hide the reference picture")
        self.remove = icon_button("close", "Remove the reference picture")
        self.opacity = SliderField("Opacity of the reference picture", Linear(0, 100), 0, suffix=" %")
        self.opacity.setToolTip("How strongly the reference picture covers the map")
        self.title = label("", "heading")

        column = QVBoxLayout(self)
        column.setContentsMargins(0, 6, 0, 0)
        column.setSpacing(4)
        row = QHBoxLayout()
        row.setSpacing(2)
        row.addWidget(self.title, 1)
        for button in (self.shown, self.remove, self.load):
            row.addWidget(button)
        column.addLayout(row)
        column.addWidget(self.opacity)

        self.load.clicked.connect(self.load_requested)
        self.remove.clicked.connect(lambda: document.set_underlay(None))
        self.shown.clicked.connect(self._show_or_hide)
        self.opacity.changed.connect(self._fade)
        document.underlay_changed.connect(self._refresh)
        document.replaced.connect(self._refresh)
        self._refresh()

    def _present(self) -> Underlay:
        underlay = self._document.project.underlay
        if underlay is None:
            raise RuntimeError("there is no reference picture")
        return underlay

    def _show_or_hide(self) -> None:
        underlay = self._present()
        self._document.set_underlay(dataclasses.replace(underlay, visible=not underlay.visible))

    def _fade(self, percent: float) -> None:
        underlay = dataclasses.replace(self._present(), opacity=percent / 100)
        self._document.set_underlay(underlay, merge=Merge.UNDERLAY_OPACITY)

    def _refresh(self) -> None:
        underlay = self._document.project.underlay
        for widget in (self.shown, self.remove, self.opacity):
            widget.setVisible(underlay is not None)
        # The buttons leave less room for the title.
        self.title.setText("Reference" if underlay else "Reference picture")
        self.load.setText("Other…" if underlay else "Load…")
        if underlay is not None:
            self.shown.setIcon(icon("eye" if underlay.visible else "eye-off"))
            self.opacity.show_value(underlay.opacity * 100)
            self.opacity.setEnabled(underlay.visible)
