"""The reference picture under the map: load, show, fade, move, remove."""

from __future__ import annotations

import dataclasses

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from terrainpaint.core.placement import LEAST_SIDE_PX, Placement
from terrainpaint.core.project import Underlay
from terrainpaint.gui.document import Document
from terrainpaint.gui.icons import icon
from terrainpaint.gui.panels.settings_changes import Merge
from terrainpaint.gui.undo_stack import NOT_MERGED
from terrainpaint.gui.widgets.basics import icon_button, label, push_button
from terrainpaint.gui.widgets.numbers import Linear, NumberField, SliderField

_FIELD_MOST_PX = 99_999.0
_FIELD_PX = 58
"""Width of a field, so that two of them and a button fit into a narrow dock."""


class UnderlayBox(QWidget):
    """Without a reference picture it shows only a button to load one."""

    load_requested = Signal()
    move_toggled = Signal(bool)
    """The button for moving the picture on the map was pressed or released."""

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self.load = push_button("Load…", "compact")
        self.load.setToolTip("A picture to paint over: a scan, a sketch, a map")
        self.other = icon_button("folder", "Load another reference picture")
        self.moving = icon_button("move", "Move, scale and turn the reference picture on the map")
        self.moving.setCheckable(True)
        self.shown = icon_button("eye", "Show or hide the reference picture")
        self.remove = icon_button("close", "Remove the reference picture")
        self.opacity = SliderField("Opacity of the reference picture", Linear(0, 100), 0, suffix=" %")
        self.opacity.setToolTip("How strongly the reference picture covers the map")
        self.title = label("", "heading")
        self.placement = _PlacementFields()

        column = QVBoxLayout(self)
        column.setContentsMargins(0, 6, 0, 0)
        column.setSpacing(4)
        row = QHBoxLayout()
        row.setSpacing(2)
        row.addWidget(self.title, 1)
        for button in (self.moving, self.shown, self.other, self.remove, self.load):
            row.addWidget(button)
        column.addLayout(row)
        column.addWidget(self.opacity)
        column.addWidget(self.placement)

        for button in (self.load, self.other):
            button.clicked.connect(self.load_requested)
        self.moving.clicked.connect(self.move_toggled)
        self.remove.clicked.connect(lambda: document.set_underlay(None))
        self.shown.clicked.connect(self._show_or_hide)
        self.opacity.changed.connect(self._fade)
        self.placement.changed.connect(self._place)
        self.placement.fit.clicked.connect(self._fit)
        self.placement.stretch.clicked.connect(self._stretch)
        document.underlay_changed.connect(self._refresh)
        document.replaced.connect(self._refresh)
        self._refresh()

    def show_moving(self, on: bool) -> None:
        """Show whether the picture is moved on the map now, with its numbers."""
        self.moving.setChecked(on)
        self._refresh()

    def _present(self) -> Underlay:
        underlay = self._document.project.underlay
        if underlay is None:
            raise RuntimeError("there is no reference picture")
        return underlay

    def _show_or_hide(self) -> None:
        underlay = self._present()
        detail = "hidden" if underlay.visible else "shown"
        self._document.set_underlay(dataclasses.replace(underlay, visible=not underlay.visible), detail=detail)

    def _fade(self, percent: float) -> None:
        underlay = dataclasses.replace(self._present(), opacity=percent / 100)
        self._document.set_underlay(underlay, Merge.UNDERLAY_OPACITY, f"{percent:.0f} %")

    def _place(self, placement: Placement) -> None:
        self._set(placement, Merge.UNDERLAY_PLACE, "placed")

    def _fit(self) -> None:
        self._set(Placement.fitted(self._present().picture_shape, self._document.shape), detail="fitted")

    def _stretch(self) -> None:
        self._set(Placement.stretched(self._document.shape), detail="stretched")

    def _set(self, placement: Placement, merge: int = NOT_MERGED, detail: str = "") -> None:
        underlay = self._present()
        if placement != underlay.placed(self._document.shape):
            moved = dataclasses.replace(underlay, placement=placement)
            self._document.set_underlay(moved, merge, detail)

    def _refresh(self) -> None:
        underlay = self._document.project.underlay
        for widget in (self.moving, self.shown, self.other, self.remove, self.opacity):
            widget.setVisible(underlay is not None)
        self.load.setVisible(underlay is None)
        self.placement.setVisible(underlay is not None and self.moving.isChecked())
        # The buttons leave less room for the title.
        self.title.setText("Reference" if underlay else "Reference picture")
        if underlay is not None:
            self.shown.setIcon(icon("eye" if underlay.visible else "eye-off"))
            self.opacity.show_value(underlay.opacity * 100)
            self.opacity.setEnabled(underlay.visible)
            self.placement.show_placement(underlay.placed(self._document.shape))


class _PlacementFields(QWidget):
    """The numbers of a placement. `changed` (Placement) comes for changes by the user, not for `show_placement`."""

    changed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._placement = Placement.stretched((1, 1))
        self.col, self.row, self.width_px, self.height_px, self.turn_deg = (NumberField(1) for _ in range(5))
        for field, name, tip in (
            (
                self.col,
                "Middle of the picture from the left",
                "Middle of the picture, in pixels from the left of the map",
            ),
            (
                self.row,
                "Middle of the picture from the top",
                "Middle of the picture, in pixels from the top of the map",
            ),
            (self.width_px, "Width of the picture", "Width of the picture in pixels of the map"),
            (self.height_px, "Height of the picture", "Height of the picture in pixels of the map"),
            (self.turn_deg, "Turn of the picture", "Turned clockwise by so many degrees"),
        ):
            field.setAccessibleName(name)
            field.setToolTip(tip)
            field.setRange(-_FIELD_MOST_PX, _FIELD_MOST_PX)
            field.setMinimumWidth(_FIELD_PX)
        for field in (self.width_px, self.height_px):
            field.setRange(LEAST_SIDE_PX, _FIELD_MOST_PX)
        self.turn_deg.setRange(-360, 360)
        self.turn_deg.setSuffix("°")
        self.turn_deg.setMinimumWidth(_FIELD_PX)
        self.locked = icon_button("link", "Keep the proportions")
        self.locked.setCheckable(True)
        self.locked.setChecked(True)
        self.fit, self.stretch = push_button("Fit", "compact"), push_button("Stretch", "compact")
        self.fit.setToolTip("As large as fits into the map, with its proportions, and not turned")
        self.stretch.setToolTip("Over all of the map, without its proportions")
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(4)
        grid.setVerticalSpacing(2)
        for number, (text, fields) in enumerate(
            (
                ("Middle", (self.col, self.row)),
                ("Size", (self.width_px, self.height_px, self.locked)),
                ("Turn", (self.turn_deg,)),
            )
        ):
            grid.addWidget(label(text, "muted"), number, 0)
            for place, widget in enumerate(fields):
                grid.addWidget(widget, number, 1 + place)
        # In a row of their own: below the fields they would make the columns too wide for a narrow dock.
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        for button in (self.fit, self.stretch):
            buttons.addWidget(button)
        grid.addLayout(buttons, 3, 0, 1, 4)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(2, 1)
        for field in (self.col, self.row, self.turn_deg, self.width_px, self.height_px):
            field.valueChanged.connect(self._changed)

    def show_placement(self, placement: Placement) -> None:
        """Show the numbers of another placement."""
        self._placement = placement
        for field, value in (
            (self.col, placement.col),
            (self.row, placement.row),
            (self.width_px, placement.width),
            (self.height_px, placement.height),
            (self.turn_deg, placement.turn_deg),
        ):
            with QSignalBlocker(field):
                field.setValue(value)

    def _changed(self) -> None:
        """Take the number that was changed; the others keep more decimals than they show."""
        old, field = self._placement, self.sender()
        width, height = old.width, old.height
        if field is self.width_px:
            width = self.width_px.value()
            height = height * width / old.width if self.locked.isChecked() else height
        elif field is self.height_px:
            height = self.height_px.value()
            width = width * height / old.height if self.locked.isChecked() else width
        self.changed.emit(
            Placement(
                self.row.value() if field is self.row else old.row,
                self.col.value() if field is self.col else old.col,
                min(max(height, LEAST_SIDE_PX), _FIELD_MOST_PX),
                min(max(width, LEAST_SIDE_PX), _FIELD_MOST_PX),
                self.turn_deg.value() if field is self.turn_deg else old.turn_deg,
            )
        )
