"""Thousands of random steps on a document, each compared with a plain model that keeps a copy of every state.

`TERRAINPAINT_WALK_STEPS` and `TERRAINPAINT_WALK_SEED` walk further, or elsewhere.
"""

from __future__ import annotations

import copy
import dataclasses
import os
import random
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from terrainpaint.core.natural_borders import Roughness, roughened, tiles
from terrainpaint.core.painting import Brush, Edge, Mark, Shape, ellipse, flood, polygon, rectangle, segment
from terrainpaint.core.project import EMPTY, REROLLS, Project, Settings
from terrainpaint.core.rects import Rect
from terrainpaint.core.smoothing import smoothed
from terrainpaint.core.terrain import Recipe
from terrainpaint.core.transforming import Pose, placed
from terrainpaint.errors import OptionError
from terrainpaint.generation.process import TerrainProcess
from terrainpaint.gui import undo
from terrainpaint.gui.background_jobs import WindowJobs
from terrainpaint.gui.canvas.canvas import Canvas
from terrainpaint.gui.canvas.pieces import Pieces
from terrainpaint.gui.document import Document
from terrainpaint.gui.live_generation import LiveGeneration
from terrainpaint.gui.map_camera import Camera
from terrainpaint.gui.opening import OpenActions
from terrainpaint.gui.saving import RecentFiles, SaveActions
from terrainpaint.gui.tools import TOOLS, SelectionMode, ToolSettings
from tests.gui.canvases import Hand
from tests.gui.plain_model import Model, PlainLayer

STEPS = int(os.environ.get("TERRAINPAINT_WALK_STEPS", "5000"))
SEED = int(os.environ.get("TERRAINPAINT_WALK_SEED", "20240517"))
SIDES = 64, 200
MOST_LAYERS = 6
PAINTERS = [name for name in TOOLS if name != "lines"]
"""The model has no drawn lines, of which `test_line_edit` and `test_lines_tool` know what interrupts them."""
UNDO_BYTES = 400_000
"""So little that old steps are dropped all the time."""
RELIEF = 77
"""Number by which changes of the relief merge, as of a slider."""


class Walk:
    """A document, its model, and everything that can be done to both."""

    def __init__(self, draw: random.Random, folder: Path, qtbot: QtBot) -> None:
        self.draw, self.folder, self.qtbot = draw, folder, qtbot
        settings = Settings(100.0, "atlas", base_class=0)
        self.document = Document(Project.empty((90, 130), settings))
        self.model = Model(settings, (90, 130))
        self.document.undo_stack.set_most_bytes(UNDO_BYTES)
        self.model.dropped_by_document = lambda: self.document.undo_stack.dropped
        window = QWidget()
        qtbot.addWidget(window)
        self.generation = LiveGeneration(self.document, {}, TerrainProcess(), window)
        jobs, recent = WindowJobs(window), RecentFiles(window)
        self.saving = SaveActions(self.document, self.generation, jobs, recent)
        self.opening = OpenActions(self.document, self.generation, jobs, recent, self.saving)
        self.refused: list[str] = []
        for signal in (jobs.failed, self.saving.failed, self.opening.refused):
            signal.connect(self.refused.append)
        self.pieces = Pieces(self.document)
        self.tools = ToolSettings()
        self.canvas = Canvas(self.document, self.tools, window)
        self.canvas.resize(260, 260)
        self.hand = Hand(self.canvas)
        self.journal: dict[int, NDArray[np.uint8]] = {}
        self.document.written.connect(lambda key, tiles: tiles.write(self.journal[key]))
        self.document.restructured.connect(self.copy_new_arrays)
        for begun_again in (self.document.resized, self.document.opened):
            begun_again.connect(self.journal.clear)
            begun_again.connect(self.copy_new_arrays)
        self.copy_new_arrays()
        self.done: list[str] = []
        self.actions: dict[Callable[[], None], int] = {
            self.stroke: 22, self.stroke_left_open: 3, self.stroke_cancelled: 3, self.fill: 5, self.shape: 8,
            self.late_stroke: 4, self.tool_interrupted: 25, self.smooth: 1, self.borders: 1, self.reroll: 3,
            self.undo: 14, self.redo: 9, self.go: 2,
            self.add: 3, self.remove: 3, self.duplicate: 2, self.merge: 3, self.move: 3, self.hide: 3, self.lock: 2,
            self.rename: 1, self.choose: 5, self.base: 1, self.seed: 1, self.relief: 5,
            self.select: 5, self.deselect: 3, self.cut: 2, self.delete: 1, self.paste: 3, self.lift: 3,
            self.transform: 3,
            self.save: 1, self.open: 1, self.resize: 1, self.crop: 1,
        }  # fmt: skip

    def copy_new_arrays(self) -> None:
        """Copy them into the journal, which gets the tiles of later steps."""
        project = self.document.project
        arrays = {REROLLS: project.rerolls, **{layer.key: layer.cells for layer in project.layers}}
        for key, array in arrays.items():
            self.journal.setdefault(key, array.copy())

    def step(self) -> None:
        (action,) = self.draw.choices(list(self.actions), list(self.actions.values()))
        self.done.append(action.__name__)
        action()

    def compare(self) -> None:
        document, model = self.document, self.model
        project = document.project
        layers, expected = (
            [(layer.key, layer.name, layer.visible, layer.locked) for layer in layers]
            for layers in (project.layers, model.state.layers)
        )
        assert layers == expected
        assert project.active == model.active
        for layer, plain in zip(project.layers, model.state.layers, strict=True):
            assert np.array_equal(layer.cells, plain.cells), layer.name
        assert np.array_equal(project.rerolls, model.state.rerolls)
        assert np.array_equal(document.ids, model.ids)
        assert document.settings == model.state.settings
        assert document.undo_stack.index() == model.index
        assert document.undo_stack.count() == len(model.steps)
        assert document.undo_stack.nbytes <= UNDO_BYTES or model.index < len(model.steps) or model.index == 1
        assert document.is_dirty == (model.clean != model.index)
        assert (document.selection is None) == (model.selection is None)
        if document.selection is not None and model.selection is not None:
            assert np.array_equal(document.selection.part(Rect.of_shape(model.shape)), model.selection)
        assert not self.refused

    def compare_journal(self) -> None:
        """Unless a stroke is under way, the steps that were written down make the document."""
        project = self.document.project
        assert np.array_equal(self.journal[REROLLS], project.rerolls)
        for layer in project.layers:
            assert np.array_equal(self.journal[layer.key], layer.cells), layer.name

    # Painting

    def place(self, beyond: int = 20) -> tuple[float, float]:
        rows, cols = self.model.shape
        return self.draw.uniform(-beyond, rows + beyond), self.draw.uniform(-beyond, cols + beyond)

    def value(self) -> int:
        return self.draw.choice([0, 1, 2, 3, 4, 5, 6, EMPTY])

    def mark(self) -> Mark:
        shape = self.model.shape
        kind = self.draw.randrange(4)
        if kind == 0:
            return rectangle(self.place(), self.place(), shape)
        if kind == 1:
            return ellipse(self.place(), self.place(), shape)
        if kind == 2:
            return polygon([self.place() for _ in range(self.draw.randrange(1, 7))], shape)
        return self.brushed(self.place(), self.place())

    def brushed(self, start: tuple[float, float], end: tuple[float, float]) -> Mark:
        brush = Brush(self.draw.uniform(1, 50), self.draw.choice(list(Shape)), self.draw.choice(list(Edge)))
        return segment(brush, start, end, self.model.shape, self.draw.choice([None, 1.0, 30.0]))

    def write(self, mark: Mark, value: int) -> None:
        if self.model.may_paint:
            self.model.layer.cells[self.model.selected(mark.part(Rect.of_shape(self.model.shape)))] = value

    def finished(self) -> None:
        """A stroke that was left open is a step from now on."""
        self.document.finish_stroke()
        self.model.painted()

    def stroke(self) -> None:
        self.finished()
        stroke = self.document.begin_stroke("Brush")
        assert (stroke is not None) == self.model.may_paint
        at, value = self.place(), self.value()
        for _ in range(self.draw.randrange(1, 6)):
            to = at[0] + self.draw.uniform(-30, 30), at[1] + self.draw.uniform(-30, 30)
            mark = self.brushed(at, to)
            self.write(mark, value)
            if stroke is not None:
                stroke.paint(mark, value)
            at = to
        if stroke is not None:
            stroke.end()
            self.model.painted()

    def stroke_left_open(self) -> None:
        """The next action ends it. Until then it is painted, but it is no step."""
        self.finished()
        stroke = self.document.begin_stroke("Brush")
        if stroke is not None:
            mark, value = self.mark(), self.value()
            stroke.paint(mark, value)
            self.write(mark, value)

    def stroke_cancelled(self) -> None:
        self.finished()
        stroke = self.document.begin_stroke("Brush")
        if stroke is not None:
            for _ in range(self.draw.randrange(3)):
                stroke.paint(self.mark(), self.value())
            stroke.cancel()

    def late_stroke(self) -> None:
        """A stroke that is over writes nothing."""
        self.finished()
        stroke = self.document.begin_stroke("Brush")
        if stroke is None:
            return
        mark, value = self.mark(), self.value()
        stroke.paint(mark, value)
        self.draw.choice([stroke.end, self.document.finish_stroke])()
        self.write(mark, value)
        self.model.painted()
        rect = self.mark().rect
        for _ in range(3):
            stroke.paint(self.mark(), self.value())
            stroke.put(rect, np.full((rect.height, rect.width), self.value(), np.uint8))
            stroke.count_up(self.mark())
            self.draw.choice([stroke.end, stroke.cancel, self.document.finish_stroke])()
        self.compare_journal()

    def tool_interrupted(self) -> None:
        """A drag with any tool, something else in the middle of it, and the rest of the drag."""
        self.finished()
        self.canvas.set_tool(self.draw.choice(PAINTERS))
        turned = self.draw.choice([0.0, 90.0, 33.0]), self.draw.random() < 0.3
        self.canvas.set_camera(Camera(self.model.shape[0] / 2, self.model.shape[1] / 2, 1.0, *turned))
        self.tools.class_id = self.draw.randrange(7)
        self.tools.size_px = self.draw.choice([1, 9, 30, 60])
        self.tools.stabiliser_px = self.draw.choice([0, 0, 25])
        self.tools.selection_mode = self.draw.choice(list(SelectionMode))
        self.follow()
        self.hand.press(*self.pixel())
        for _ in range(self.draw.randrange(3)):
            self.hand.move(*self.pixel())
        self.follow()
        if self.draw.random() < 0.3:
            interruption = self.draw.choice([self.cancel_tool, self.choose_tool, self.lose_focus, self.press_pen])
        else:
            apart = self.tool_interrupted, self.stroke_left_open  # a tool may go on while the stroke is open
            interruption = self.draw.choice([action for action in self.actions if action not in apart])
        self.done.append(f"{self.canvas.tool_name} and {interruption.__name__}")
        interruption()
        self.compare()
        self.follow()
        for _ in range(self.draw.randrange(1, 4)):
            self.hand.move(*self.pixel())
            self.follow()
        self.hand.release(*self.pixel())
        self.canvas.set_tool(self.draw.choice(PAINTERS))
        self.lose_focus()
        self.follow()
        self.finished()
        self.compare_journal()

    def pixel(self) -> tuple[int, int]:
        row, col = self.place()
        return round(row), round(col)

    def follow(self) -> None:
        """Let the model have what a tool did. Its cells may differ without a step while a stroke is under way only."""
        self.model.layer.cells[:] = self.document.active_layer.cells
        selection = self.document.selection
        self.model.selection = None if selection is None else selection.part(Rect.of_shape(self.model.shape))
        stack = self.document.undo_stack
        if stack.index() + stack.dropped != self.model.index + self.model.dropped:
            self.model.painted()

    def cancel_tool(self) -> None:
        self.hand.key(Qt.Key.Key_Escape)
        self.follow()

    def choose_tool(self) -> None:
        self.canvas.set_tool(self.draw.choice(PAINTERS))
        self.follow()

    def lose_focus(self) -> None:
        QApplication.sendEvent(self.canvas, QFocusEvent(QEvent.Type.FocusOut))
        self.follow()

    def press_pen(self) -> None:
        """Its other end, which erases, while the mouse is held. It begins far out, so that the two strokes are two."""
        self.hand.tablet(QEvent.Type.TabletPress, -500, -500, 0.5, end=True)
        self.follow()
        self.hand.tablet(QEvent.Type.TabletMove, *self.pixel(), 0.5, end=True)
        self.hand.tablet(QEvent.Type.TabletRelease, *self.pixel(), 0.0, end=True)
        self.follow()

    def fill(self) -> None:
        self.finished()
        mark, value = flood(self.document.ids, self.place(0)), self.value()
        self.document.paint_mark("Fill", mark, value)
        self.write(mark, value)
        self.model.painted()

    def shape(self) -> None:
        self.finished()
        mark, value = self.mark(), self.value()
        self.document.paint_mark("Shape", mark, value)
        self.write(mark, value)
        self.model.painted()

    def smooth(self) -> None:
        self.finished()
        area = self.mark().rect
        if area.is_empty:
            return
        rect, cells = smoothed(self.document.active_layer.cells, 3.0, area)
        self.document.put_cells("Smooth", rect, cells)
        if self.model.may_paint:
            whole = np.zeros(self.model.shape, np.uint8)
            whole[rect.slices] = cells
            mask = np.zeros(self.model.shape, np.bool_)
            mask[rect.slices] = True
            mask = self.model.selected(mask)
            self.model.layer.cells[mask] = whole[mask]
            self.model.painted()

    def borders(self) -> None:
        """Natural borders as the dialog makes them, tile by tile within one stroke."""
        self.finished()
        stroke = self.document.begin_stroke("Natural borders")
        if stroke is None:
            return
        cells, roughness = self.model.layer.cells.copy(), Roughness(10, 40, self.draw.randrange(9))
        for tile in tiles(Rect.of_shape(self.model.shape)):
            stroke.put(*roughened(cells, tile, roughness))
        if self.draw.random() < 0.3:
            stroke.cancel()
            return
        assert np.array_equal(stroke.original(Rect.of_shape(cells.shape)), cells)
        stroke.end()
        mask = self.model.selected(np.ones(self.model.shape, np.bool_))
        self.model.layer.cells[mask] = roughened(cells, Rect.of_shape(cells.shape), roughness)[1][mask]
        self.model.painted()

    def reroll(self) -> None:
        self.finished()
        mark = self.mark()
        self.document.reroll(mark)
        mask = self.model.selected(mark.part(Rect.of_shape(self.model.shape)))
        self.model.state.rerolls[mask] = np.minimum(self.model.state.rerolls[mask].astype(int) + 1, 255)
        self.model.painted()

    # Undo

    def undo(self) -> None:
        self.finished()
        self.document.undo_stack.undo()
        self.model.go_to(max(0, self.model.index - 1))

    def redo(self) -> None:
        self.finished()
        self.document.undo_stack.redo()
        self.model.go_to(min(len(self.model.steps), self.model.index + 1))

    def go(self) -> None:
        """By the list of steps; a stroke that is under way is taken back."""
        index = max(0, min(len(self.model.steps), self.model.index + self.draw.randrange(-25, 20)))
        self.document.undo_stack.setIndex(index)
        self.model.go_to(index)

    # Layers

    def add(self) -> None:
        model, active = self.model, self.model.active
        if len(model.state.layers) < MOST_LAYERS:
            self.document.add_layer()
            model.painted()  # what was left open
            key = model.new_key()
            model.state.layers.insert(model.at + 1, PlainLayer(key, f"Layer {key}", np.full(model.shape, EMPTY, "u1")))
            model.active = key
            model.changed(active)

    def remove(self) -> None:
        model, active = self.model, self.model.active
        if len(model.state.layers) > 1:
            self.document.remove_layer()
            model.painted()
            at = model.at
            del model.state.layers[at]
            model.active = model.state.layers[max(0, at - 1)].key
            model.changed(active)

    def duplicate(self) -> None:
        model, active = self.model, self.model.active
        if len(model.state.layers) < MOST_LAYERS:
            self.document.duplicate_layer()
            model.painted()
            layer = copy.deepcopy(model.layer)
            layer.key, layer.name = model.new_key(), f"{layer.name} copy"
            model.state.layers.insert(model.at + 1, layer)
            model.active = layer.key
            model.changed(active)

    def merge(self) -> None:
        self.finished()
        model, at = self.model, self.model.at
        self.document.merge_down()
        if at == 0 or not model.may_paint:
            return
        below, above = model.state.layers[at - 1 : at + 1]
        if below.visible and not below.locked:
            cells = np.where(above.cells == EMPTY, below.cells, above.cells)
            merged = PlainLayer(model.new_key(), below.name, cells)
            model.state.layers[at - 1 : at + 1] = [merged]
            active, model.active = model.active, merged.key
            model.changed(active)

    def move(self) -> None:
        self.finished()
        model = self.model
        layers = model.state.layers
        layer, to = self.draw.choice(layers), self.draw.randrange(-1, len(layers) + 1)
        self.document.move_layer(layer.key, to)
        if 0 <= to < len(layers) and layers.index(layer) != to:
            layers.remove(layer)
            layers.insert(to, layer)
            model.changed(model.active)

    def hide(self) -> None:
        self.finished()
        self.change(visible=self.draw.random() < 0.6)

    def lock(self) -> None:
        self.finished()
        self.change(locked=self.draw.random() < 0.4)

    def rename(self) -> None:
        self.finished()
        self.change(name=f"Näme {self.draw.randrange(100)}")

    def change(self, **values: object) -> None:
        at = self.draw.randrange(len(self.model.state.layers))
        self.document.change_layer("Change", dataclasses.replace(self.document.project.layers[at], **values))
        for name, value in values.items():
            setattr(self.model.state.layers[at], name, value)
        self.model.changed(self.model.active)

    def choose(self) -> None:
        self.finished()
        self.model.active = self.draw.choice(self.model.state.layers).key
        self.document.set_active(self.model.active)

    # Settings

    def base(self) -> None:
        self.set(base_class=self.draw.randrange(7))

    def seed(self) -> None:
        self.set(recipe=Recipe(self.draw.randrange(2**31), style=self.draw.choice([None, (0.5, -1.0)])))

    def relief(self) -> None:
        for _ in range(self.draw.randrange(1, 4)):
            self.set(RELIEF, relief=self.draw.uniform(0.1, 10))

    def set(self, merge: int = -1, **values: object) -> None:
        self.finished()
        settings = dataclasses.replace(self.model.state.settings, **values)
        self.document.change_settings("Settings", settings, merge)
        if settings != self.model.state.settings:
            self.model.state.settings = settings
            self.model.changed(self.model.active, merge)

    # Selection and pieces

    def select(self) -> None:
        mark = self.mark()
        if mark.is_empty:
            return
        self.document.set_selection(mark)
        self.model.selection = mark.part(Rect.of_shape(self.model.shape))

    def deselect(self) -> None:
        self.document.set_selection(None)
        self.model.selection = None

    def cut(self) -> None:
        self.finished()
        self.pieces.cut()
        if self.model.may_paint:
            self.write(rectangle((0, 0), self.model.shape, self.model.shape), EMPTY)
            self.model.painted()

    def delete(self) -> None:
        self.finished()
        self.pieces.delete()
        if self.model.may_paint:
            self.write(rectangle((0, 0), self.model.shape, self.model.shape), EMPTY)
            self.model.painted()

    def piece(self) -> tuple[NDArray[np.bool_], NDArray[np.uint8]]:
        """(H, W): what is selected of the active layer, and the layer."""
        cells = self.model.layer.cells.copy()
        return self.model.selected(np.ones(self.model.shape, np.bool_)) & (cells != EMPTY), cells

    def put_down(self, mask: NDArray[np.bool_], cells: NDArray[np.uint8], by: tuple[int, int]) -> None:
        """The model paints cells elsewhere; what leaves the map is lost, and they are selected there."""
        there = np.zeros(self.model.shape, np.bool_)
        for row, col in np.argwhere(mask) + by:
            if 0 <= row < there.shape[0] and 0 <= col < there.shape[1]:
                there[row, col] = True
        rows, cols = np.nonzero(there)
        self.model.layer.cells[there] = cells[rows - by[0], cols - by[1]]
        self.model.selection = there if there.any() else None
        self.model.painted()

    def shift(self) -> tuple[int, int]:
        return self.draw.randrange(-40, 40), self.draw.randrange(-40, 40)

    def paste(self) -> None:
        self.finished()
        self.pieces.copy()
        self.pieces.paste(Rect.of_shape(self.model.shape))
        assert (self.pieces.floating is not None) == self.model.may_paint
        if self.pieces.floating is None:
            return
        mask, cells = self.piece()
        by, rect = self.shift(), self.pieces.floating.rect
        self.pieces.move_to(rect.row + by[0], rect.col + by[1])
        self.pieces.put_down()
        self.put_down(mask, cells, by)

    def lift(self) -> None:
        self.finished()
        mask, cells = self.piece()
        lifted = self.pieces.lift()
        assert lifted == (self.model.may_paint and bool(mask.any()))
        if not lifted or self.pieces.floating is None:
            return
        if self.draw.random() < 0.2:
            self.pieces.drop()
            return
        by, rect = self.shift(), self.pieces.floating.rect
        self.pieces.move_to(rect.row + by[0], rect.col + by[1])
        self.pieces.put_down()
        if by != (0, 0):
            self.model.layer.cells[mask] = EMPTY
            self.put_down(mask, cells, by)

    def transform(self) -> None:
        """Lift a piece, scale and turn it, and put it down."""
        self.finished()
        mask, _ = self.piece()
        lifted = self.pieces.lift("Transform", has_handles=True)
        assert lifted == (self.model.may_paint and bool(mask.any()))
        if not lifted or self.pieces.floating is None:
            return
        home = self.pieces.floating
        self.pieces.place(
            Pose(
                (home.pose.centre[0] + self.draw.uniform(-40, 40), home.pose.centre[1] + 3.0),
                (self.draw.choice([-1.0, 0.4, 1.7]), self.draw.choice([1.0, -0.7, 2.0])),
                self.draw.choice([0.0, 90.0, -37.0]),
            )
        )
        there = self.pieces.floating.pose
        self.pieces.put_down()
        expected = placed(home.cells, there, self.model.shape)
        self.model.layer.cells[mask] = EMPTY
        inside = expected.mark(self.model.shape).part(Rect.of_shape(self.model.shape))
        whole = np.full(self.model.shape, EMPTY, np.uint8)
        rect = expected.rect.clipped(self.model.shape)
        whole[rect.slices] = expected.cells[rect.moved(-expected.row, -expected.col).slices]
        self.model.layer.cells[inside] = whole[inside]
        self.model.painted()
        self.model.selection = inside if inside.any() else None

    # Files and sizes

    def save(self) -> None:
        assert self.saving.save()
        self.model.painted()  # what was left open
        self.model.clean = self.model.index

    def open(self) -> None:
        """Save, spoil it, and open it again."""
        self.save()
        path = self.document.path
        assert path is not None
        saved, active = copy.deepcopy(self.model.state), self.model.active
        self.document.paint_mark("Spoil", rectangle((0, 0), (40, 40), self.model.shape), self.value())
        with self.qtbot.waitSignal(self.document.opened):
            self.opening.open_path(path)
        self.model.state, self.model.active = saved, active
        self.model.begin_again()

    def resize(self) -> None:
        self.finished()
        shape = self.draw.randint(*SIDES), self.draw.randint(*SIDES)
        old = self.model.shape
        if not 0.01 <= self.model.state.settings.pixel_size_m * old[1] / shape[1] <= 1e6:
            with pytest.raises(OptionError):
                self.document.resize(shape)
            return
        self.document.resize(shape)
        if shape == old:
            return
        rows, cols = (nearest(before, new) for new, before in zip(shape, old, strict=True))
        for layer in self.model.state.layers:
            layer.cells = layer.cells[rows][:, cols]
        self.model.state.rerolls = self.model.state.rerolls[rows][:, cols]
        settings = self.model.state.settings
        self.model.state.settings = dataclasses.replace(
            settings, pixel_size_m=settings.pixel_size_m * old[1] / shape[1]
        )
        self.model.selection = None
        self.model.changed(self.model.active)

    def crop(self) -> None:
        self.finished()
        shape = self.draw.randint(*SIDES), self.draw.randint(*SIDES)
        top, left = self.draw.randrange(-30, 60), self.draw.randrange(-30, 60)
        self.document.crop(top, left, shape)
        if (top, left, shape) == (0, 0, self.model.shape):
            return

        def cut(cells: NDArray[np.uint8], outside: int) -> NDArray[np.uint8]:
            wide = np.pad(cells, 300, constant_values=outside)
            return wide[300 + top : 300 + top + shape[0], 300 + left : 300 + left + shape[1]].copy()

        for layer in self.model.state.layers:
            layer.cells = cut(layer.cells, EMPTY)
        self.model.state.rerolls = cut(self.model.state.rerolls, 0)
        self.model.selection = None
        self.model.changed(self.model.active)


def nearest(before: int, new: int) -> NDArray[np.intp]:
    """(new,): which of `before` pixels is nearest to each of `new` ones. Where two are as near, OpenCV says which."""
    ramp = np.arange(before, dtype=np.float32)[:, None]
    picked = cv2.resize(ramp, (1, new), interpolation=cv2.INTER_NEAREST_EXACT)[:, 0]
    middles = (np.arange(new) + 0.5) * before / new
    assert np.abs(picked + 0.5 - middles).max() < 0.5 + 1e-3
    return picked.astype(np.intp)


def test_random_walk(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *args: (str(tmp_path / "walk"), ""))
    monkeypatch.setattr(QMessageBox, "exec", lambda box: QMessageBox.StandardButton.Discard)
    monkeypatch.setattr(undo, "MERGED_WITHIN_S", float("inf"))  # a slow computer is no slow hand
    walk = Walk(random.Random(SEED), tmp_path, qtbot)
    most_dropped = 0
    for number in range(STEPS):
        try:
            walk.step()
            walk.compare()
        except AssertionError as error:
            raise AssertionError(f"seed {SEED}, step {number}, after {', '.join(walk.done[-8:])}: {error}") from error
        most_dropped = max(most_dropped, walk.model.dropped)
    assert {action.__name__ for action in walk.actions} <= set(walk.done)
    assert most_dropped > 20
