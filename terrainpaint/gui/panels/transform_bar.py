"""The options of a piece that floats: size and angle in numbers, mirror, apply and cancel."""

from __future__ import annotations

import dataclasses

from PySide6.QtCore import QSignalBlocker, QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLayout, QStackedWidget, QWidget

from terrainpaint.core.transforming import MAX_SCALE
from terrainpaint.gui.canvas.canvas import Canvas
from terrainpaint.gui.panels.tool_bars import BAR_HEIGHT_PX, ToolOptions
from terrainpaint.gui.theme import set_role
from terrainpaint.gui.widgets.basics import ElidedLabel, hide_what_has_no_room, icon_button, label
from terrainpaint.gui.widgets.numbers import NumberField

_HINT = "Enter applies, Esc cancels. A drag on a handle scales: Shift keeps the proportions, Alt the middle"


class TransformBar(QWidget):
    """Width and height in percent, angle in degrees, of the piece that floats over a canvas."""

    def __init__(self, canvas: Canvas, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._canvas = canvas
        name = label("Transform", "heading")
        self.wide = _percent("Width of the piece")
        self.tall = _percent("Height of the piece")
        self.keeps = icon_button("link", "Width and height in proportion")
        self.keeps.setCheckable(True)
        self.keeps.setChecked(True)
        self.angle = NumberField(1)
        self.angle.setRange(-360, 360)
        self.angle.setSuffix("°")
        self.angle.setAccessibleName("Angle of the piece")
        self.angle.setToolTip(
            "Angle, clockwise; a drag outside a corner or on the handle above turns in steps with Shift"
        )
        self.mirror_x = icon_button("flip-h", "Mirror left and right")
        self.mirror_y = icon_button("flip-v", "Mirror top and bottom")
        self.apply = icon_button("check", "Apply  (Enter)")
        self.cancel = icon_button("close", "Cancel  (Esc)")
        hint = ElidedLabel()
        set_role(hint, "muted")
        hint.show_text(_HINT)
        wide_label, tall_label, angle_label = label("Width", "muted"), label("Height", "muted"), label("Angle", "muted")
        row = QHBoxLayout(self)
        row.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        row.setContentsMargins(12, 4, 12, 4)
        row.setSpacing(8)
        for widget in (name, wide_label, self.wide, self.keeps, tall_label, self.tall, angle_label, self.angle,
                       self.mirror_x, self.mirror_y, self.apply, self.cancel):  # fmt: skip
            row.addWidget(widget)
        row.addWidget(hint, 1)
        self._optional = (name, wide_label, tall_label, angle_label, self.mirror_y, self.mirror_x)
        self.setFixedHeight(BAR_HEIGHT_PX)
        self.wide.valueChanged.connect(lambda percent: self._scale(1, percent))
        self.tall.valueChanged.connect(lambda percent: self._scale(0, percent))
        self.angle.valueChanged.connect(self._turn)
        self.mirror_x.clicked.connect(lambda: self._mirror(1))
        self.mirror_y.clicked.connect(lambda: self._mirror(0))
        self.apply.clicked.connect(canvas.put_down)
        self.cancel.clicked.connect(canvas.cancel)
        for button in (self.apply, self.cancel):
            button.clicked.connect(lambda: canvas.setFocus())
        canvas.pieces.placed.connect(self.show_pose)

    def show_pose(self) -> None:
        """Show the numbers of the piece that floats."""
        floating = self._canvas.pieces.floating
        if floating is None:
            return
        pose = floating.pose
        for field, value in (
            (self.tall, 100 * abs(pose.scale[0])),
            (self.wide, 100 * abs(pose.scale[1])),
            (self.angle, pose.angle_deg),
        ):
            with QSignalBlocker(field):
                field.setValue(value)

    def minimumSizeHint(self) -> QSize:
        return QSize(0, BAR_HEIGHT_PX)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        for widget in self._optional:
            widget.show()
        hide_what_has_no_room(self, self._optional)

    def _scale(self, axis: int, percent: float) -> None:
        floating = self._canvas.pieces.floating
        if floating is None:
            return
        scale = list(floating.pose.scale)
        factor = percent / 100 / abs(scale[axis])
        for i in (0, 1) if self.keeps.isChecked() else (axis,):
            scale[i] *= factor
        self._canvas.pieces.place(dataclasses.replace(floating.pose, scale=(scale[0], scale[1])))

    def _turn(self, angle_deg: float) -> None:
        floating = self._canvas.pieces.floating
        if floating is not None:
            self._canvas.pieces.place(dataclasses.replace(floating.pose, angle_deg=angle_deg))

    def _mirror(self, axis: int) -> None:
        """Mirror the piece as it is seen on the map, whatever its angle."""
        floating = self._canvas.pieces.floating
        if floating is None:
            return
        scale = list(floating.pose.scale)
        # Mirrored on the map, a turned piece is the mirrored piece, turned the other way.
        scale[axis] = -scale[axis]
        pose = dataclasses.replace(floating.pose, scale=(scale[0], scale[1]), angle_deg=-floating.pose.angle_deg)
        self._canvas.pieces.place(pose)


class OptionsBar(QStackedWidget):
    """The options of the tool, and those of a piece while one with handles floats."""

    def __init__(self, canvas: Canvas, tool_options: ToolOptions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._canvas = canvas
        self.transform = TransformBar(canvas)
        self.addWidget(tool_options)
        self.addWidget(self.transform)
        self.setFixedHeight(BAR_HEIGHT_PX)
        canvas.pieces.placed.connect(self._show_bar)

    def _show_bar(self) -> None:
        floating = self._canvas.pieces.floating
        self.setCurrentIndex(int(floating is not None and floating.has_handles))


def _percent(name: str) -> NumberField:
    field = NumberField(1)
    field.setRange(0.1, 100 * MAX_SCALE)
    field.setSuffix(" %")
    field.setAccessibleName(name)
    field.setToolTip(f"{name}; Enter applies the number")
    return field
