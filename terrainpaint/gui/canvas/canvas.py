"""The view that the user paints in: it sends mouse, pen and keys to the chosen tool."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, Qt, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QInputEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPointingDevice,
    QTabletEvent,
)
from PySide6.QtWidgets import QWidget

from terrainpaint.core.rects import Rect
from terrainpaint.core.smoothing import smoothed
from terrainpaint.gui.canvas.map_view import MapView
from terrainpaint.gui.canvas.overlays import draw_axes, draw_smooth, outline_path
from terrainpaint.gui.canvas.piece_handles import PieceHandles
from terrainpaint.gui.canvas.raster_view import CLICK_PX
from terrainpaint.gui.document import Document
from terrainpaint.gui.tools import TOOLS, Option, Pointer, Tool, ToolSettings
from terrainpaint.gui.tools.navigation import PanTool
from terrainpaint.gui.widgets.basics import ENTER_KEYS, wait_cursor

_PEN_END = "eraser"
_TRANSFORM = "transform"
_SMOOTHING_RADIUS_PX = 4.0
_MAY_BEGIN_OR_END = (
    QEvent.Type.MouseButtonPress,
    QEvent.Type.MouseButtonRelease,
    QEvent.Type.TabletPress,
    QEvent.Type.TabletRelease,
    QEvent.Type.KeyPress,
    QEvent.Type.Paint,
)
"""Events that may change `Canvas.is_busy`; a command that does is followed by a paint event."""


class Canvas(MapView):
    """Sends what mouse, pen and keys do to the chosen tool, and shows what that is doing.

    Alt or Ctrl with a painting tool picks a class; Esc takes back what is under way; the other end of a pen erases.
    """

    tool_changed = Signal(str)
    """Key of `tools.TOOLS`."""
    palette_requested = Signal(QPoint, float, float)
    """A right click: place on the screen, row and column of the map."""
    refused = Signal(str)
    """Why something cannot be painted, one sentence."""
    busy_changed = Signal()
    """`is_busy` changed."""

    def __init__(self, document: Document, settings: ToolSettings, parent: QWidget | None = None) -> None:
        super().__init__(document, parent)
        self.settings = settings
        self.find_land: Callable[[], NDArray[np.float32] | None] = lambda: None
        """What `land_in_cells` returns."""
        self._tools: dict[str, Tool] = {name: kind.tool(kind, document, settings, self) for name, kind in TOOLS.items()}
        self._tool_name = "brush"
        self._pressed: Tool | None = None
        self._was_busy = False
        self._looked_at: QPointF | None = None
        self._pointer: Pointer | None = None
        self._handles = PieceHandles(self.pieces, self)
        self._outline = QPainterPath()
        self.setTabletTracking(True)
        settings.changed.connect(self._settings_changed)
        self.camera_changed.connect(self._show_outline)
        self.left.connect(self._pointer_left)
        self.pieces.refused.connect(self.refuse)
        self.pieces.placed.connect(self._piece_placed)
        document.stroke_interrupted.connect(self._interrupted)
        document.undo_stack.indexChanged.connect(self._interrupted)
        document.layers_changed.connect(self._interrupted)
        document.replaced.connect(self._interrupted)
        document.replaced.connect(self.pieces.drop)
        self.show_cursor()

    # For the window

    @property
    def tool_name(self) -> str:
        """Key of `tools.TOOLS`."""
        return self._tool_name

    def set_tool(self, name: str) -> None:
        """Choose a tool. The one before finishes, and a piece that floats is put down unless the tool transforms it."""
        if name == self._tool_name:
            return
        if name == _TRANSFORM and self.pieces.floating is not None and self.pieces.floating.has_handles:
            self._release_all()
        else:
            self.put_down()
        self._tool_name = name
        self.tool.begin()
        self._show_outline()
        self.show_cursor()
        self.update()
        self.tool_changed.emit(name)

    @property
    def tool(self) -> Tool:
        """The tool that is chosen."""
        return self._tools[self._tool_name]

    @property
    def is_busy(self) -> bool:
        """Whether something is under way that `cancel` takes back."""
        return self._pressed is not None or self.tool.is_busy or self.pieces.floating is not None

    def cancel(self) -> None:
        """Take back what is under way: a stroke, an outline, a piece that floats."""
        busy = self._pressed or self.tool
        self._pressed = None
        self._handles.release()
        busy.cancel()
        self.pieces.drop()

    def take_back(self) -> None:
        """Take back the last corner of what is clicked corner by corner, else all of what is under way."""
        if self._pressed is None and self.tool.is_busy and self.pieces.floating is None:
            self.tool.take_back()
        else:
            self.cancel()

    def put_down(self) -> None:
        """End what is under way as if another tool was chosen: a stroke, an outline, a piece that floats."""
        self._release_all()
        self.tool.finish()
        self.pieces.put_down()

    def land_in_cells(self) -> NDArray[np.float32] | None:
        """The mean heights that are shown, in the cells of a height guide."""
        return self.find_land()

    def say(self, sentence: str) -> None:
        """Say why nothing happens."""
        self.refused.emit(sentence)

    def refuse(self) -> None:
        """Say why nothing can be painted."""
        self.refused.emit(self.document.refusal)

    def paste(self) -> None:
        """Let the piece on the clipboard float in the part of the map that is in view."""
        self.tool.finish()
        self.pieces.paste(self.visible_rect())

    def transform(self) -> None:
        """Choose the tool that transforms, and let what is selected float."""
        if self._tool_name == _TRANSFORM:
            self.tool.begin()
        self.set_tool(_TRANSFORM)

    def smooth_all(self) -> None:
        """Smooth the borders between classes of the active layer, within the selection if there is one."""
        selection = self.document.selection
        if self.document.refusal:
            self.refuse()
            return
        area = Rect.of_shape(self.document.shape) if selection is None else selection.rect
        with wait_cursor():  # it takes seconds for the largest maps
            self.document.put_cells("Smooth", *smoothed(self.document.active_layer.cells, _SMOOTHING_RADIUS_PX, area))

    # What is drawn

    def paint_overlays(self, painter: QPainter, exposed: QRect) -> None:
        """The lines of the symmetry, what the tool is doing, and the outline of the brush."""
        super().paint_overlays(painter, exposed)
        shape = self.document.shape
        draw_axes(painter, self.settings.symmetry(shape), shape, self)
        self._handles.draw(painter)
        self.tool.paint_overlay(painter)
        if not self._outline.isEmpty():
            draw_smooth(painter, self._outline)

    def idle_cursor(self) -> Qt.CursorShape:
        """The pointer of the handle below it, else that of the tool."""
        handle = None if self._pointer is None else self._handles.cursor(self._pointer.at)
        return self.tool.cursor if handle is None else handle

    # Events

    def event(self, event: QEvent) -> bool:
        """Keep keys that the tool uses from the commands of the window, and tell what an event began or ended."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and self.tool.wants(event):
            event.accept()
            return True
        is_done = super().event(event)
        if event.type() in _MAY_BEGIN_OR_END and self.is_busy != self._was_busy:
            self._was_busy = not self._was_busy
            self.busy_changed.emit()
        return is_done

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin what the tool does; the middle button or Space moves the map."""
        if event.button() == Qt.MouseButton.LeftButton and not self.is_space_held:
            self._begin(self._pointer_of(event, event.position()), self._chosen(event))
        elif event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            self.begin_drag(event)
        elif event.button() == Qt.MouseButton.RightButton and self._pressed is None and not self.is_panning:
            self.palette_requested.emit(event.globalPosition().toPoint(), *self.to_map(event.position()))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """A second press in the same place."""
        if event.button() != Qt.MouseButton.LeftButton or self.is_space_held or self.pieces.floating is not None:
            self.mousePressEvent(event)
            return
        pointer = self._pointer_of(event, event.position())
        self._pressed = self._chosen(event)
        self._pressed.double_click(pointer)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Continue what the tool does."""
        if self.is_panning:
            self.pan_to(event.position())
        self._go_on(self._pointer_of(event, event.position()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End what the tool does."""
        if self.is_panning and not (self._pressed is not None and event.button() == Qt.MouseButton.LeftButton):
            self.stop_pan()
        elif event.button() == Qt.MouseButton.LeftButton:
            self._end(self._pointer_of(event, event.position()))

    def tabletEvent(self, event: QTabletEvent) -> None:
        """Do the same with a pen and its pressure."""
        if self.is_space_held or event.button() not in (Qt.MouseButton.NoButton, Qt.MouseButton.LeftButton):
            # Qt sends a mouse event instead.
            event.ignore()
            return
        pointer = self._pointer_of(event, event.position())
        match event.type():
            case QEvent.Type.TabletPress:
                erases = event.pointerType() == QPointingDevice.PointerType.Eraser
                tool = self._tools[_PEN_END] if erases else self._chosen(event)
                self._begin(dataclasses.replace(pointer, pressure=event.pressure()), tool)
            case QEvent.Type.TabletMove:
                if self.is_panning:
                    self.pan_to(event.position())
                self._go_on(dataclasses.replace(pointer, pressure=event.pressure()))
            case QEvent.Type.TabletRelease:
                self._end(pointer)
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc takes back, Enter puts a piece down. Other keys are for the tool and the view."""
        key = event.key()
        if key == Qt.Key.Key_Escape and self.is_busy:
            self.cancel()
        elif key in ENTER_KEYS and self.pieces.floating is not None:
            self.pieces.put_down()
        elif not self.tool.key(event):
            self._modifiers_changed(event)
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """Shift or Alt may change what is being drawn."""
        self._modifiers_changed(event)
        super().keyReleaseEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """End what is under way, because the release may go to another window."""
        super().focusOutEvent(event)
        self._release_all()
        self.release_space()

    # Inside

    def _chosen(self, event: QInputEvent) -> Tool:
        picks = event.modifiers() & (Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.ControlModifier)
        return self._tools["picker"] if picks and self.tool.kind.paints and not self.tool.is_busy else self.tool

    def _begin(self, pointer: Pointer, tool: Tool) -> None:
        if self._pressed is not None:
            # Mouse and pen at the same time.
            self._release_all()
        if self.pieces.floating is not None:
            if not self._handles.press(pointer.at):
                self.pieces.put_down()
            return
        self._pressed = tool
        tool.press(pointer)
        # A click with a tool that selects, picks or zooms means that only.
        self._looked_at = self.to_screen(*pointer.at) if isinstance(tool, PanTool) else None

    def _go_on(self, pointer: Pointer) -> None:
        self._pointer = pointer
        if self._handles.is_dragging:
            self._handles.move(pointer.at, pointer.shift, pointer.alt)
        elif self._pressed is not None:
            self._pressed.move(pointer)
        else:
            self.tool.hover(pointer)
            if self.pieces.floating is not None:
                self.show_cursor()
        self._show_outline()
        self.hovered.emit(*pointer.at)

    def _end(self, pointer: Pointer) -> None:
        pressed, self._pressed = self._pressed, None
        self._handles.release()
        if pressed is not None:
            if pressed.kind.paints and Option.CLASS in pressed.kind.options:
                self.settings.note_used(Option.BRUSH in pressed.kind.options)
            pressed.release(pointer)
            start, self._looked_at = self._looked_at, None
            if start is not None and (self.to_screen(*pointer.at) - start).manhattanLength() <= CLICK_PX:
                self.clicked.emit(*pointer.at)

    def _release_all(self) -> None:
        pressed, self._pressed = self._pressed, None
        self._handles.release()
        self.stop_pan()
        if pressed is not None:
            pressed.finish()

    def _interrupted(self) -> None:
        """Something else changed the document, so what is under way there is over."""
        pressed, self._pressed = self._pressed, None
        for tool in (pressed, self.tool):
            if tool is not None and tool.is_busy:
                tool.forget()
        self.pieces.layer_changed()

    def _modifiers_changed(self, event: QKeyEvent) -> None:
        held = event.type() == QEvent.Type.KeyPress
        changes = {Qt.Key.Key_Shift: "shift", Qt.Key.Key_Alt: "alt", Qt.Key.Key_Control: "ctrl"}
        name = changes.get(Qt.Key(event.key()))
        if name is None or self._pointer is None:
            return
        if self._pressed is not None or self._handles.is_dragging:
            self._go_on(dataclasses.replace(self._pointer, **{name: held}))

    def _pointer_of(self, event: QMouseEvent | QTabletEvent, at: QPointF) -> Pointer:
        row, col = self.to_map(at)
        held = event.modifiers()
        return Pointer(
            row,
            col,
            bool(held & Qt.KeyboardModifier.ShiftModifier),
            bool(held & Qt.KeyboardModifier.AltModifier),
            bool(held & Qt.KeyboardModifier.ControlModifier),
        )

    def _piece_placed(self) -> None:
        # Frame and handles reach beyond the piece.
        self._show_outline()
        self.show_cursor()
        self.update()

    def _settings_changed(self) -> None:
        self._show_outline()
        self.update()

    def _pointer_left(self) -> None:
        self._pointer = None
        self._show_outline()

    def _show_outline(self) -> None:
        before = self._outline
        self._outline = QPainterPath()
        floats = self.pieces.floating is not None
        if self._pointer is not None and not floats and Option.BRUSH in self.tool.kind.options:
            brush = self.settings.brush
            at = (self._pressed or self.tool).brush_at(self._pointer)
            for image in self.tool.images([brush.snapped(at)]):
                self._outline.addPath(outline_path(brush, image[0], self))
        for path in (before, self._outline):
            if not path.isEmpty():
                self.update(path.boundingRect().toAlignedRect().adjusted(-3, -3, 3, 3))
