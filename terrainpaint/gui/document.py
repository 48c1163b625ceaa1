"""The document of the window: a project, the map of its layers, and the undo stack of all its changes."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from terrainpaint.core.dreamed import Dreamed
from terrainpaint.core.edits import Tiles
from terrainpaint.core.files import FileStamp
from terrainpaint.core.guide_lines import GuideLines, changed_rects
from terrainpaint.core.height_guide import CELL_PX, HeightGuide
from terrainpaint.core.painting import Mark
from terrainpaint.core.project import (
    EMPTY,
    HEIGHT_GUIDE,
    REROLLS,
    Layer,
    Project,
    Settings,
    Underlay,
    ViewSettings,
    empty_cells,
    flattened,
)
from terrainpaint.core.rects import Rect
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.core.selection import Selection
from terrainpaint.gui.height_stroke import HeightStroke
from terrainpaint.gui.line_edit import LinesEdit
from terrainpaint.gui.step_texts import step_text
from terrainpaint.gui.undo import PaintStroke, ProjectCommand, arrays_of
from terrainpaint.gui.undo_stack import NOT_MERGED, Step, UndoStack

_USUAL_UNDO_BYTES = 512 << 20
_SEPARATE_TILES = 256
"""An edit of more tiles than this is announced as one rectangle."""


class Document(QObject):
    """A project being edited. `ids` (H, W) uint8 are the classes of all layers together with the drawn rivers, always
    up to date."""

    map_changed = Signal(object)
    """Rect: `ids` changed there."""
    rerolls_changed = Signal(object)
    """Rect: there is new noise there."""
    guides_changed = Signal(object)
    """Tuple of Rect: the drawn ridges and valleys are others there."""
    lines_changed = Signal()
    """There are other drawn lines, or they are shown or locked otherwise."""
    guide_changed = Signal(object)
    """Rect of the map, or None for all of it: the height guide is another there."""
    layers_changed = Signal()
    settings_changed = Signal()
    underlay_changed = Signal()
    selection_changed = Signal()
    stroke_interrupted = Signal()
    """Something other than its owner ended the stroke that was under way."""
    missed = Signal()
    """A stroke lay outside of the selection, so nothing was painted."""
    replaced = Signal()
    """There is another project, or one of another size; `opened` or `resized` says which."""
    opened = Signal()
    resized = Signal()
    stored = Signal()
    """The present state is in the file `path`."""
    title_changed = Signal()
    written = Signal(int, object)
    """Key of a layer, REROLLS or HEIGHT_GUIDE, and the Tiles that a step wrote there."""
    restructured = Signal()
    """`project` is another object: layers or settings changed, the size did not."""

    def __init__(self, project: Project, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.undo_stack = UndoStack(lambda: arrays_of(self._project), _USUAL_UNDO_BYTES, self)
        self.undo_stack.cleanChanged.connect(self.title_changed)
        self.view = ViewSettings()
        self._stroke: PaintStroke | LinesEdit | None = None
        self._selection: Selection | None = None
        self._path: Path | None = None
        self._stamp: FileStamp | None = None
        self._origin = ""
        self._project: Project = project
        self._take(project, None)

    @property
    def project(self) -> Project:
        """What is edited; replaced as a whole when layers or settings change."""
        return self._project

    @property
    def settings(self) -> Settings:
        """The settings of the project."""
        return self._project.settings

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) in pixels."""
        return self._project.shape

    @property
    def path(self) -> Path | None:
        """The file of the project, None while it has none."""
        return self._path

    @property
    def stamp(self) -> FileStamp | None:
        """The stamp of the file when it was opened or saved, None without a file."""
        return self._stamp

    @property
    def is_file_changed(self) -> bool:
        """Whether another program has written the file since it was opened or saved."""
        stamp = FileStamp.of(self._path) if self._path else None
        return stamp is not None and stamp != self._stamp

    @property
    def name(self) -> str:
        """The name of the document in the title."""
        return self._path.stem if self._path else self._name

    @property
    def is_dirty(self) -> bool:
        """Whether there are changes that are not in the file."""
        return not self.undo_stack.isClean()

    @property
    def origin(self) -> str:
        """Where the document came from: the text of the history before its first step."""
        return self._origin

    @property
    def selection(self) -> Selection | None:
        """What is selected, None for everything."""
        return self._selection

    @property
    def active_layer(self) -> Layer:
        """The layer that is painted."""
        return self._project.layer(self._project.active)

    @property
    def refusal(self) -> str:
        """Why the active layer cannot be painted now, "" if it can."""
        layer = self.active_layer
        if layer.locked:
            return f'The layer "{layer.name}" is locked; unlock it or choose another one.'
        if not layer.visible:
            return f'The layer "{layer.name}" is hidden; show it or choose another one.'
        return ""

    @property
    def painted(self) -> NDArray[np.uint8]:
        """(H, W) uint8, not to be changed: the classes of all layers together without the drawn rivers."""
        if not self._project.lines.rivers:
            return self.ids
        return flattened(self._project.layers, self.settings.base_class, Rect.of_shape(self.shape))

    @property
    def lines_refusal(self) -> str:
        """Why the drawn lines cannot be changed now, "" if they can."""
        lines = self._project.lines
        if lines and lines.locked:
            return "The drawn lines are locked; unlock them in the Layers panel."
        if lines and not lines.visible:
            return "The drawn lines are hidden; show them in the Layers panel."
        return ""

    def segmentation(self) -> SegmentationMap:
        """A copy of the map, for another thread."""
        return SegmentationMap(self.ids.copy())

    def snapshot(self) -> Project:
        """The project with copies of all arrays, for another thread."""
        layers = tuple(dataclasses.replace(layer, cells=layer.cells.copy()) for layer in self._project.layers)
        # Counts that were never written take no memory, and a copy of them should not either.
        rerolls, guide = self._project.rerolls, self._project.height_guide
        return dataclasses.replace(
            self._project,
            layers=layers,
            rerolls=rerolls.copy() if rerolls.any() else np.zeros_like(rerolls),
            height_guide=None if guide is None else guide.copy(),
        )

    # Another document

    def open(
        self,
        project: Project,
        path: Path | None,
        view: ViewSettings,
        name: str = "Untitled",
        stamp: FileStamp | None = None,
    ) -> None:
        """Edit another project; the undo stack is emptied. `stamp` is that of its file before it was read, None for
        the present one."""
        self._take(project, path, name, stamp)
        self._origin = "Opened" if path else "New map"
        self._announce(view)

    def open_unsaved(
        self,
        project: Project,
        path: Path | None,
        view: ViewSettings,
        name: str,
        origin: str,
        stamp: FileStamp | None = None,
    ) -> None:
        """Edit a project that is in no file in this state, because it was imported or recovered: `origin` says so.

        `stamp` is that of the file that it comes from, None for the present one.
        """
        self._take(project, path, name, stamp)
        self._origin = origin
        self.undo_stack.resetClean()
        self._announce(view)

    def saved(self, path: Path, stamp: FileStamp | None = None) -> None:
        """Called when the present state has been written to a file; `stamp` is that of the file, None for the present
        one."""
        self._path, self._stamp = path, stamp or FileStamp.of(path)
        self.undo_stack.setClean()
        self.stored.emit()
        self.title_changed.emit()

    # Painting

    def begin_stroke(self, text: str) -> PaintStroke | None:
        """Start a stroke on the active layer; None when `refusal` says why not. One stroke at a time."""
        return None if self.refusal else self._begin(text, self._project.active)

    def paint_mark(self, text: str, mark: Mark, value: int) -> None:
        """One step: write a class id or EMPTY where the mark is."""
        if (stroke := self.begin_stroke(text)) is not None:
            stroke.paint(mark, value)
            stroke.end()

    def put_cells(self, text: str, rect: Rect, cells: NDArray[np.uint8]) -> None:
        """One step: replace the cells (h, w) uint8 of a rectangle of the active layer."""
        if (stroke := self.begin_stroke(text)) is not None:
            stroke.put(rect, cells)
            stroke.end()

    def reroll(self, mark: Mark) -> None:
        """One step: new noise where the mark is."""
        stroke = self._begin("Re-roll", REROLLS)
        stroke.count_up(mark)
        stroke.end()

    def begin_height_stroke(self, text: str) -> HeightStroke:
        """Start a stroke on the height guide, an empty one if there is none yet."""
        self.finish_stroke()
        guide = self._project.height_guide
        stroke = HeightStroke(self, text, guide or HeightGuide.empty(self.shape, self.settings.pixel_size_m))
        self._stroke = stroke
        return stroke

    def take_guide(self, guide: HeightGuide | None) -> None:
        """Have another guide, without a step of undo: the stroke that paints it becomes one."""
        self._project = dataclasses.replace(self._project, height_guide=guide)
        self.guide_changed.emit(None)

    def show_heights(self, cells: Rect) -> None:
        """A stroke wrote into a rectangle of the bytes of the height guide."""
        self.guide_changed.emit(guided_part(cells))

    def selected_cells(self) -> NDArray[np.float32] | None:
        """(h, w) float32: how much of each cell of a height guide is selected, 0..1; None without a selection."""
        if self._selection is None:
            return None
        mask = np.zeros(self.shape, np.float32)
        mask[self._selection.rect.slices] = self._selection.mask
        return HeightGuide.of(mask, self.shape, 1.0).heights

    def finish_stroke(self) -> None:
        """End the stroke that is under way, if any. Saving and other steps call this first."""
        if self._stroke is not None:
            self._stroke.end()
            self.stroke_interrupted.emit()

    def stroke_ended(self, stroke: PaintStroke, step: Step | None, missed: bool) -> None:
        """Put the step of a stroke on the undo stack, or say that it missed the selection. The stroke calls this."""
        if self._stroke is stroke:
            self._stroke = None
        if step is not None:
            self.undo_stack.push(step)
        elif missed and self._selection is not None:
            self.missed.emit()

    def selected_part(self, mark: Mark) -> tuple[Rect, NDArray[np.bool_]]:
        """The part of a mark that is on the map and selected."""
        rect = mark.rect.clipped(self.shape)
        if self._selection is not None:
            rect = rect.intersection(self._selection.rect)
        mask = mark.mask[rect.moved(-mark.rect.row, -mark.rect.col).slices] if not rect.is_empty else mark.mask[:0, :0]
        if self._selection is not None and not rect.is_empty:
            inside = rect.moved(-self._selection.rect.row, -self._selection.rect.col)
            mask = mask & self._selection.mask[inside.slices]
        return rect, mask

    def set_selection(self, selection: Selection | None) -> None:
        """Select a part of the map, None for everything."""
        self._selection = selection
        self.selection_changed.emit()

    # Drawn lines

    def begin_lines(self, text: str) -> LinesEdit | None:
        """Start to change the drawn lines; None when `lines_refusal` says why not. One edit or stroke at a time."""
        if self.lines_refusal:
            return None
        self.finish_stroke()
        self._stroke = LinesEdit(self, text)
        return self._stroke

    def show_lines(self, lines: GuideLines) -> None:
        """Show other lines than those of the last step. An edit calls this."""
        before, self._project = self._project.lines, dataclasses.replace(self._project, lines=lines)
        self._announce_lines(before)

    def lines_edit_ended(self, edit: LinesEdit, step: ProjectCommand | None) -> None:
        """Put the step of an edit on the undo stack. The edit calls this."""
        if self._stroke is edit:
            self._stroke = None
        if step is not None:
            self.undo_stack.push(step)

    def change_lines(self, text: str, lines: GuideLines, merge: int = NOT_MERGED) -> None:
        """One step: replace the drawn lines or their switches; `merge` as in `change_settings`."""
        if lines != self._project.lines:
            self._push(text, dataclasses.replace(self._project, lines=lines), merge)

    # Layers and settings, each one step of undo

    def change_settings(self, text: str, settings: Settings, merge: int = NOT_MERGED) -> None:
        """Replace the settings. Steps in a row with the same `merge` number become one, such as those of a slider."""
        if settings != self.settings:
            self._push(text, dataclasses.replace(self._project, settings=settings), merge)

    def set_underlay(self, underlay: Underlay | None, merge: int = NOT_MERGED, detail: str = "") -> None:
        """Replace the reference picture; `merge` as in `change_settings`, `detail` as in `step_text`."""
        text = step_text("Reference picture", detail) if underlay else "Remove reference picture"
        self._push(text, dataclasses.replace(self._project, underlay=underlay), merge)

    def set_height_guide(self, guide: HeightGuide | None, text: str = "") -> None:
        """Let the land follow other heights, whose array nobody else may write, or none."""
        text = text or ("Height guide" if guide else "Remove height guide")
        self._push(text, dataclasses.replace(self._project, height_guide=guide))

    def set_active(self, key: int) -> None:
        """Paint another layer from now on. This is no step of undo."""
        if key != self._project.active:
            self.finish_stroke()
            self._project = dataclasses.replace(self._project, active=key)
            self.layers_changed.emit()
            self.restructured.emit()

    def add_layer(self) -> None:
        """A layer with nothing painted, above the active one."""
        key = self._new_key()
        layer = Layer(key, f"Layer {key}", empty_cells(self.shape))
        self._insert("Add layer", layer)

    def insert_dream(self, text: str, name: str, cells: NDArray[np.uint8], dreamed: Dreamed) -> None:
        """One step: a dreamed layer with cells (H, W) uint8, which nobody else may write, above the active one."""
        self._insert(text, Layer(self._new_key(), name, cells, dreamed=dreamed))

    def put_dream(self, text: str, cells: NDArray[np.uint8], dreamed: Dreamed) -> None:
        """One step: other cells (H, W) uint8 for the active layer, which nobody else may write, and what was dreamed.

        Nothing happens while `refusal` says why the layer cannot be painted.
        """
        if self.refusal:
            return
        active, key = self.active_layer, self._new_key()
        new = dataclasses.replace(active, key=key, cells=cells, dreamed=dreamed)
        self._push_layers(text, [new if layer is active else layer for layer in self._project.layers], key)

    def duplicate_layer(self) -> None:
        """A copy of the active layer above it."""
        source = self.active_layer
        layer = dataclasses.replace(source, key=self._new_key(), name=f"{source.name} copy", cells=source.cells.copy())
        self._insert("Duplicate layer", layer)

    def remove_layer(self) -> None:
        """Remove the active layer, if it is not the only one."""
        layers = list(self._project.layers)
        if len(layers) > 1:
            at = layers.index(self.active_layer)
            del layers[at]
            self._push_layers("Remove layer", layers, layers[max(0, at - 1)].key)

    def merge_down(self) -> None:
        """Make one layer of the active one and the one below it."""
        layers = list(self._project.layers)
        at = layers.index(self.active_layer)
        if at == 0 or self.refusal or layers[at - 1].locked or not layers[at - 1].visible:
            return
        below, above = layers[at - 1 : at + 1]
        cells = np.where(above.cells == EMPTY, below.cells, above.cells)
        dreamed = below.dreamed or above.dreamed
        layers[at - 1 : at + 1] = [dataclasses.replace(below, key=self._new_key(), cells=cells, dreamed=dreamed)]
        self._push_layers("Merge layers", layers, layers[at - 1].key)

    def move_layer(self, key: int, to: int) -> None:
        """Put a layer at a place in the order from the lowest to the highest."""
        layers = list(self._project.layers)
        layer = self._project.layer(key)
        if 0 <= to < len(layers) and layers.index(layer) != to:
            layers.remove(layer)
            layers.insert(to, layer)
            self._push_layers("Move layer", layers, self._project.active)

    def change_layer(self, text: str, layer: Layer) -> None:
        """Replace name, visibility or lock of the layer with the same key. Raises ValueError for other cells."""
        if layer.cells is not self._project.layer(layer.key).cells:
            raise ValueError("cells are changed by strokes")
        layers = [layer if other.key == layer.key else other for other in self._project.layers]
        self._push_layers(text, layers, self._project.active)

    def resize(self, shape: tuple[int, int]) -> None:
        """The same map with more or fewer pixels, `shape` (H, W)."""
        if shape != self.shape:
            self._push("Resize", self._project.resized(shape))

    def crop(self, top: int, left: int, shape: tuple[int, int]) -> None:
        """Another rectangle of the same ground, which may go beyond the map."""
        if (top, left, shape) != (0, 0, self.shape):
            self._push("Crop", self._project.cropped(top, left, shape))

    # For commands

    def write(self, key: int, tiles: Tiles) -> None:
        """Put tiles into a layer or the counts of re-rolls."""
        self._drop_stroke()
        if key == HEIGHT_GUIDE:
            self._write_heights(tiles)
            return
        tiles.write(self._project.cells(key))
        rects = tiles.rects if len(tiles.rects) <= _SEPARATE_TILES else (tiles.rect,)
        for rect in rects:
            if key == REROLLS:
                self.rerolls_changed.emit(rect)
            else:
                self.refresh(rect)
        self.written.emit(key, tiles)

    def _write_heights(self, tiles: Tiles) -> None:
        cells = self._project.cells(HEIGHT_GUIDE)
        # After a stroke they are there already.
        has_changed = any(
            not (cells[rect.slices] == new).all() for rect, new in zip(tiles.rects, tiles.contents, strict=True)
        )
        tiles.write(cells)
        if has_changed:
            self.guide_changed.emit(guided_part(tiles.rect))
        self.written.emit(HEIGHT_GUIDE, tiles)

    def replace(self, project: Project) -> None:
        """Go to a later or an earlier state of the project."""
        self._drop_stroke()
        before, self._project = self._project, project
        if before.rerolls is not project.rerolls:
            self._selection = None
            self.ids = project.classes()
            self.replaced.emit()
            self.resized.emit()
            return
        if before.layers != project.layers or before.settings.base_class != project.settings.base_class:
            self.refresh(Rect.of_shape(project.shape))
        self._announce_lines(before.lines)
        if before.layers != project.layers or before.active != project.active:
            self.layers_changed.emit()
        if before.settings != project.settings:
            self.settings_changed.emit()
        if before.underlay is not project.underlay:
            self.underlay_changed.emit()
        if before.height_guide is not project.height_guide:
            self.guide_changed.emit(None)
        self.restructured.emit()

    def refresh(self, rect: Rect) -> None:
        """Compute `ids` of a rectangle from the layers, and emit `map_changed` for what is different."""
        rect = rect.clipped(self.shape)
        if rect.is_empty:
            return
        now = self._project.classes(rect)
        different = now != self.ids[rect.slices]
        rows = np.flatnonzero(different.any(axis=1))
        if rows.size == 0:
            return
        cols = np.flatnonzero(different.any(axis=0))
        self.ids[rect.slices] = now
        top, bottom, left, right = (int(edge) for edge in (rows[0], rows[-1] + 1, cols[0], cols[-1] + 1))
        self.map_changed.emit(Rect.spanned(top, left, bottom, right).moved(rect.row, rect.col))

    def _announce_lines(self, before: GuideLines) -> None:
        """Show what is different about the drawn lines."""
        lines = self._project.lines
        if lines == before:
            return
        for rect in changed_rects(before.rivers, lines.rivers, self.shape):
            self.refresh(rect)
        guides = changed_rects(before.guiding, lines.guiding, self.shape)
        if guides:
            self.guides_changed.emit(tuple(guides))
        self.lines_changed.emit()

    def _drop_stroke(self) -> None:
        """Take back a stroke under way. To push its step while another one is undone would break the stack."""
        if self._stroke is not None:
            self._stroke.cancel()
            self.stroke_interrupted.emit()

    def _take(
        self, project: Project, path: Path | None, name: str = "Untitled", stamp: FileStamp | None = None
    ) -> None:
        if self._stroke is not None:
            self._stroke.abandon()
            self.stroke_interrupted.emit()
        self._project, self._path, self._name = project, path, name
        self._stamp = stamp or (FileStamp.of(path) if path else None)
        self._selection = None
        self._last_key = max(layer.key for layer in project.layers)
        self.ids = project.classes()
        self.undo_stack.clear()

    def _announce(self, view: ViewSettings) -> None:
        self.view = view
        self.replaced.emit()
        self.opened.emit()
        self.title_changed.emit()

    def _begin(self, text: str, key: int) -> PaintStroke:
        self.finish_stroke()
        self._stroke = PaintStroke(self, text, key)
        return self._stroke

    def _new_key(self) -> int:
        self._last_key += 1
        return self._last_key

    def _insert(self, text: str, layer: Layer) -> None:
        layers = list(self._project.layers)
        layers.insert(layers.index(self.active_layer) + 1, layer)
        self._push_layers(text, layers, layer.key)

    def _push_layers(self, text: str, layers: list[Layer], active: int) -> None:
        self._push(text, dataclasses.replace(self._project, layers=tuple(layers), active=active))

    def _push(self, text: str, after: Project, merge: int = NOT_MERGED) -> None:
        self.finish_stroke()
        # `after` was built before the stroke ended, but both share the arrays that the stroke wrote into.
        self.undo_stack.push(ProjectCommand(self, text, self._project, after, merge))


def guided_part(cells: Rect) -> Rect:
    """The part of the map that belongs to a rectangle of the bytes of a height guide."""
    left, right = cells.col // 4, -(-cells.right // 4)
    return Rect(cells.row * CELL_PX, left * CELL_PX, cells.height * CELL_PX, (right - left) * CELL_PX)
