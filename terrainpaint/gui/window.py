"""The main window: what is where, and what is connected to what."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QByteArray, QSettings, QSize, QStandardPaths, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QApplication,
    QDockWidget,
    QFileDialog,
    QMainWindow,
    QScrollArea,
    QStackedWidget,
    QToolBar,
    QWidget,
)

from terrainpaint.core.assets import shipped_styles
from terrainpaint.core.project import MIN_SIDE_PX, NATIVE_PIXEL_SIZE_M, Project, Settings
from terrainpaint.core.selection import inverted, select_all
from terrainpaint.core.tints import round_step
from terrainpaint.generate.process import TerrainProcess
from terrainpaint.gui.actions import make_actions, shortcut_table
from terrainpaint.gui.autosave import Autosave
from terrainpaint.gui.canvas import Canvas
from terrainpaint.gui.dialogs.about import AboutDialog
from terrainpaint.gui.dialogs.resize import ResizeDialog
from terrainpaint.gui.dialogs.shortcuts import ShortcutsDialog
from terrainpaint.gui.document import Document
from terrainpaint.gui.files import FileActions
from terrainpaint.gui.icons import icon
from terrainpaint.gui.inspection import Inspection
from terrainpaint.gui.linking import CameraLink
from terrainpaint.gui.live import LiveGeneration
from terrainpaint.gui.panels.classes import ClassesPanel
from terrainpaint.gui.panels.generation import GenerationPanel
from terrainpaint.gui.panels.history import HistoryPanel
from terrainpaint.gui.panels.layers import LayersPanel
from terrainpaint.gui.panels.options import ToolOptions
from terrainpaint.gui.panels.status import Kind, Quality, StatusInfo
from terrainpaint.gui.recovery import Recovery
from terrainpaint.gui.relief_dock import ReliefDock
from terrainpaint.gui.seeding import SeedActions
from terrainpaint.gui.terrain_dock import TerrainDock
from terrainpaint.gui.theme import DEFAULT_THEME, THEMES, apply_theme, current_theme
from terrainpaint.gui.toolbox import Toolbox
from terrainpaint.gui.tools import TOOLS, ToolSettings
from terrainpaint.gui.welcome import Welcome

_LAYOUT_VERSION = 1
_SIZE = (1500, 940)
_SHARE_OF_SCREEN = 0.95
_BLANK_PX = 512
_LEFT_PX = 250
_SMALLEST_GRID_PX = 8
_GRID_SQUARES = 16
_MISSED = "Only what is selected is painted; Ctrl+D selects nothing, and then everything is painted."
_CANVAS_KEYS = [
    ("Painting", "[ and ]", "Smaller and larger brush, with Shift in larger steps"),
    ("Painting", "1 to 7", "Class"),
    ("Painting", "X", "Swap the last two classes"),
    ("Painting", "Shift+click", "Straight line from the last point"),
    ("Painting", "Alt or Ctrl", "Pick a class while painting"),
    ("Painting", "Esc", "Cancel what is under way"),
    ("Looking", "Wheel", "Zoom at the pointer"),
    ("Looking", "Space or middle button", "Drag the map"),
]
_ON_TOOL_BAR = (
    "new", "open", "save", "", "undo", "redo", "", "dice", "variants", "reroll", "", "fit", "grid", "patterns", "",
    "import", "export",
)  # fmt: skip
_NEEDS_SELECTION = ("reroll", "crop", "deselect", "invert", "cut", "copy", "delete", "fill_selection")
_NEEDS_EDITOR = (
    "save", "save_as", "export", "export_map", "paste", "select_all", "smooth_all", "replace_class", "resize",
    "layer_add", "layer_duplicate", "layer_remove", "layer_merge", "underlay", "dice", "variants", "finish",
    "zoom_in", "zoom_out", "fit", "actual", "grid", "scale_bar", "patterns", "letters", "reset_layout",
)  # fmt: skip


class MainWindow(QMainWindow):
    """The window. `start` begins what takes time, once it is on the screen; it owns `process`."""

    def __init__(self, process: TerrainProcess) -> None:
        super().__init__()
        theme = str(QSettings().value("theme", DEFAULT_THEME))
        apply_theme(QApplication.instance(), theme if theme in THEMES else DEFAULT_THEME)  # type: ignore[arg-type]
        self.setWindowIcon(icon("app"))
        self.setAcceptDrops(True)
        self.setDockNestingEnabled(True)
        data = Path(QStandardPaths.writableLocation(QStandardPaths.StandardLocation.AppDataLocation))
        self._weights_folder = data / "weights"
        styles = _styles(self._weights_folder)
        first = Settings(NATIVE_PIXEL_SIZE_M, next(iter(styles), ""))
        self.document = Document(Project.empty((_BLANK_PX, _BLANK_PX), first), self)
        self.tools = ToolSettings(self)
        self.generation = LiveGeneration(self.document, styles, process, self)
        self.canvas = Canvas(self.document, self.tools, self)
        self.files = FileActions(self, self.document, self.generation)
        self.seeds = SeedActions(self, self.document, self.generation)
        self.recovery = Recovery(self.document, data / "recovery", self)
        self.autosave = Autosave(self.document, data / "recovery", self)
        self.status = StatusInfo(self.document, self)
        self.statusBar().addPermanentWidget(self.status, 1)
        self.statusBar().setSizeGripEnabled(False)

        self.welcome = Welcome(self)
        self._pages = QStackedWidget(self)
        self._pages.addWidget(self.welcome)
        self._pages.addWidget(self.canvas)
        self.setCentralWidget(self._pages)
        self.terrain = TerrainDock(self.document, self.generation, self)
        self.relief = ReliefDock(self.document, self.generation, self)
        self.generation_panel = GenerationPanel(self.document, self)
        self.layers_panel = LayersPanel(self.document, self)
        self.classes_panel = ClassesPanel(self.document, self.tools, self)
        self._docks = self._make_docks()
        self.inspection = Inspection(self.document, self.generation, self.status, self.canvas, self.terrain.view)
        self._link = CameraLink(self.canvas, self.terrain.view)
        self.actions_, self._submenus = make_actions(self, self._handlers())
        self._make_tool_bars()
        self._connect()
        self._show_panels_menu()
        room = self.screen().availableSize() * _SHARE_OF_SCREEN
        self.resize(QSize(*_SIZE).boundedTo(room))
        self._default_layout = self.saveState(_LAYOUT_VERSION)
        self._restore_layout()
        self.show_welcome()
        self._show_title()

    def start(self, path: Path | None) -> None:
        """Begin to load weights, look for work to recover, and open a file if one is given."""
        self.generation.start()
        self.recovery.look()
        if path is not None:
            self.files.open_path(path)

    # Pages

    def show_welcome(self) -> None:
        """The page with samples and recent files."""
        self.welcome.set_recent(self.files.recent())
        self._show_page(0)

    def show_editor(self) -> None:
        """The map and its panels."""
        self._show_page(1)
        self.canvas.setFocus()

    def _show_page(self, index: int) -> None:
        if self._pages.currentIndex() != index or not self.isVisible():
            self._pages.setCurrentIndex(index)
            if index == 0:
                self._layout_behind = self.saveState(_LAYOUT_VERSION)
                for each in (*self._docks.values(), *self._tool_bars):
                    each.hide()
            else:
                self.restoreState(self._layout_behind, _LAYOUT_VERSION)
        self.status.setVisible(index == 1)
        for name in _NEEDS_EDITOR:
            self.actions_[name].setEnabled(index == 1)

    # Docks and tool bars

    def _make_docks(self) -> dict[str, QDockWidget]:
        left, right = Qt.DockWidgetArea.LeftDockWidgetArea, Qt.DockWidgetArea.RightDockWidgetArea
        docks = {
            "classes": self._dock("Classes", self.classes_panel, left),
            "layers": self._dock("Layers", self.layers_panel, left),
            "history": self._dock("History", HistoryPanel(self.document, self), left),
            "relief": self._dock("3D", self.relief, right),
            "terrain": self._dock("Terrain from above", self.terrain, right),
            "generation": self._dock("Generation", _scrolled(self.generation_panel), left),
        }
        self.tabifyDockWidget(docks["layers"], docks["history"])
        self.tabifyDockWidget(docks["layers"], docks["generation"])
        docks["generation"].raise_()
        self.resizeDocks([docks["classes"], docks["relief"]], [_LEFT_PX, 620], Qt.Orientation.Horizontal)
        self.resizeDocks([docks["relief"], docks["terrain"]], [420, 420], Qt.Orientation.Vertical)
        return docks

    def _dock(self, title: str, widget: QWidget, area: Qt.DockWidgetArea) -> QDockWidget:
        dock = QDockWidget(title, self)
        dock.setObjectName(title)
        dock.setWidget(widget)
        self.addDockWidget(area, dock)
        return dock

    def _make_tool_bars(self) -> None:
        main = QToolBar("Commands", self)
        main.setObjectName("commands")
        for name in _ON_TOOL_BAR:
            main.addAction(self.actions_[name]) if name else main.addSeparator()
        self.addToolBar(main)
        options = QToolBar("Tool options", self)
        options.setObjectName("options")
        tool_options = ToolOptions(self.tools, options)
        tool_options.show_tool(self.canvas.tool_name)
        self.canvas.tool_changed.connect(tool_options.show_tool)
        options.addWidget(tool_options)
        self.addToolBarBreak()
        self.addToolBar(options)
        toolbox = Toolbox(self.canvas, self.tools, self)
        self.addToolBar(Qt.ToolBarArea.LeftToolBarArea, toolbox)
        self._tool_bars = (main, options, toolbox)

    def _show_panels_menu(self) -> None:
        for dock in self._docks.values():
            self._submenus["panels"].addAction(dock.toggleViewAction())

    def _restore_layout(self) -> None:
        settings = QSettings()
        geometry, layout = settings.value("geometry"), settings.value("layout")
        if isinstance(geometry, QByteArray):
            self.restoreGeometry(geometry)
        if isinstance(layout, QByteArray):
            self.restoreState(layout, _LAYOUT_VERSION)
        self._layout_behind = self.saveState(_LAYOUT_VERSION)

    def _reset_layout(self) -> None:
        self.restoreState(self._default_layout, _LAYOUT_VERSION)

    # Connections

    def _handlers(self) -> dict[str, Callable[[], object]]:
        document, files, canvas = self.document, self.files, self.canvas
        return {
            "new": files.new,
            "open": files.open,
            "welcome": self.show_welcome,
            "save": files.save,
            "save_as": files.save_as,
            "import": files.import_any,
            "export": files.export,
            "export_map": files.export_map,
            "quit": self.close,
            "undo": self._undo,
            "redo": self._redo,
            "cut": canvas.pieces.cut,
            "copy": canvas.pieces.copy,
            "paste": canvas.paste,
            "delete": canvas.pieces.delete,
            "fill_selection": lambda: canvas.pieces.fill(self.tools.class_id),
            "select_all": lambda: document.set_selection(select_all(document.shape)),
            "deselect": lambda: document.set_selection(None),
            "invert": self._invert_selection,
            "smooth_all": canvas.smooth_all,
            "replace_class": lambda: canvas.set_tool("replace"),
            "resize": self._resize,
            "crop": self._crop,
            "layer_add": document.add_layer,
            "layer_duplicate": document.duplicate_layer,
            "layer_remove": document.remove_layer,
            "layer_merge": document.merge_down,
            "underlay": files.load_underlay,
            "dice": self.generation_panel.roll_dice,
            "variants": self.seeds.show_variants,
            "reroll": self.seeds.reroll_selection,
            "finish": self.generation.retry,
            "add_style": self._add_style,
            "zoom_in": lambda: canvas.zoom_by(1),
            "zoom_out": lambda: canvas.zoom_by(-1),
            "fit": canvas.zoom_to_fit,
            "actual": canvas.zoom_to_actual_size,
            "linked": self._link_views,
            "grid": self._show_grid,
            "scale_bar": self._show_scale_bar,
            "patterns": self._show_patterns,
            "letters": self._show_letters,
            "reset_layout": self._reset_layout,
            "theme": self._switch_theme,
            "shortcuts": self._show_shortcuts,
            "about": self._show_about,
        }

    def _connect(self) -> None:
        document, generation, files, seeds = self.document, self.generation, self.files, self.seeds
        document.title_changed.connect(self._show_title)
        document.replaced.connect(self.show_editor)
        document.opened.connect(self.canvas.zoom_to_fit)
        document.undo_stack.canUndoChanged.connect(self.actions_["undo"].setEnabled)
        document.undo_stack.canRedoChanged.connect(self.actions_["redo"].setEnabled)
        document.undo_stack.undoTextChanged.connect(lambda text: self.actions_["undo"].setText(f"&Undo {text}"))
        document.undo_stack.redoTextChanged.connect(lambda text: self.actions_["redo"].setText(f"&Redo {text}"))
        document.selection_changed.connect(self._show_selection_actions)

        generation.state_changed.connect(self._show_progress)
        generation.weights_changed.connect(self._show_weights)
        generation.style_known.connect(self.generation_panel.set_seed_style)
        generation.warned.connect(lambda sentence: self.status.say(sentence, Kind.WARNING))
        self.generation_panel.set_styles(list(generation.styles))
        self.generation_panel.variants_requested.connect(seeds.show_variants)
        self.generation_panel.reroll_requested.connect(seeds.reroll_selection)
        self.layers_panel.load_underlay_requested.connect(files.load_underlay)
        for source in (generation.failed, files.refused, seeds.refused, self.autosave.failed, self.recovery.failed):
            source.connect(lambda sentence: self.status.say(sentence, Kind.ERROR))
        document.missed.connect(lambda: self.status.say(_MISSED, Kind.WARNING))
        self.canvas.refused.connect(lambda sentence: self.status.say(sentence, Kind.WARNING))
        files.said.connect(self.status.say)
        files.recent_changed.connect(self._show_recent)

        self.canvas.camera_changed.connect(lambda camera: self.status.set_zoom(camera.zoom))
        for view in (self.canvas, self.terrain.view):
            view.camera_changed.connect(lambda camera: self._focus())
        self.relief.made.connect(self.inspection.add_relief)
        self.relief.said.connect(self.status.say)
        self.relief.refused.connect(lambda sentence: self.status.say(sentence, Kind.ERROR))
        self.relief.view_changed.connect(self.terrain.view.redraw)

        welcome = self.welcome
        welcome.sample_chosen.connect(files.sample)
        welcome.new_requested.connect(files.new)
        welcome.open_requested.connect(files.open)
        welcome.import_requested.connect(files.import_any)
        welcome.recent_chosen.connect(files.open_path)
        welcome.recover_requested.connect(self._recover)
        welcome.discard_requested.connect(self.recovery.discard)
        self.recovery.changed.connect(welcome.set_recoverable)
        self.recovery.recovered.connect(self.autosave.begin)
        self.autosave.begun.connect(self.recovery.drop_recovered)

        settings = QSettings()
        for name, usual in (("linked", True), ("scale_bar", True), ("patterns", False), ("letters", False)):
            self.actions_[name].setChecked(bool(settings.value(name, usual, bool)))
        self._show_patterns()
        self._show_letters()
        self._link_views()
        self._show_scale_bar()
        self._show_recent()
        self._show_selection_actions()
        for name in ("undo", "redo"):
            self.actions_[name].setEnabled(False)

    # What is shown

    def _show_title(self) -> None:
        star = "*" if self.document.is_dirty else ""
        self.setWindowTitle(f"{star}{self.document.name} – TerrainPaint")

    def _show_progress(self) -> None:
        generation = self.generation
        self.status.set_busy(None if generation.is_exact or generation.live is None else generation.share_done)
        if generation.live is None:
            quality = Quality.NONE
        else:
            quality = Quality.EXACT if generation.live.is_exact(generation.focus) else Quality.PREVIEW
        self.status.set_quality(quality)

    def _show_weights(self) -> None:
        if self.generation.info is not None:
            self.generation_panel.set_style_names(self.generation.info.style_names)

    def _show_recent(self) -> None:
        menu = self._submenus["recent"]
        menu.clear()
        for path in self.files.recent():
            menu.addAction(str(path)).triggered.connect(lambda checked=False, path=path: self.files.open_path(path))
        menu.addSeparator()
        menu.addAction("Clear the list").triggered.connect(self.files.clear_recent)
        menu.setEnabled(bool(self.files.recent()))
        self.welcome.set_recent(self.files.recent())

    def _show_selection_actions(self) -> None:
        for name in _NEEDS_SELECTION:
            self.actions_[name].setEnabled(self.document.selection is not None)

    def _focus(self) -> None:
        seen = self.terrain.view.visible_rect() if self.terrain.isVisible() else self.canvas.visible_rect()
        self.generation.set_focus(seen)

    def _link_views(self) -> None:
        self._link.set_on(self.actions_["linked"].isChecked())
        QSettings().setValue("linked", self._link.is_on)

    def _show_grid(self) -> None:
        """Squares of a round number of kilometres, about 16 of them across the map."""
        spacing = None
        if self.actions_["grid"].isChecked():
            width_m = self.document.shape[1] * self.document.settings.pixel_size_m
            spacing = max(round_step(width_m, _GRID_SQUARES) / self.document.settings.pixel_size_m, _SMALLEST_GRID_PX)
        for view in (self.canvas, self.terrain.view):
            view.set_grid(spacing)

    def _show_scale_bar(self) -> None:
        shown = self.actions_["scale_bar"].isChecked()
        for view in (self.canvas, self.terrain.view):
            view.set_scale_bar(shown)
        QSettings().setValue("scale_bar", shown)

    def _show_patterns(self) -> None:
        shown = self.actions_["patterns"].isChecked()
        self.canvas.set_patterns(shown)
        self.classes_panel.set_patterns(shown)
        QSettings().setValue("patterns", shown)

    def _show_letters(self) -> None:
        shown = self.actions_["letters"].isChecked()
        self.canvas.set_letters(shown)
        self.classes_panel.set_letters(shown)
        QSettings().setValue("letters", shown)

    def _switch_theme(self) -> None:
        name = "light" if current_theme().name == "dark" else "dark"
        apply_theme(QApplication.instance(), name)  # type: ignore[arg-type]
        QSettings().setValue("theme", name)
        self.relief.follow_theme()

    # Commands

    def _recover(self) -> None:
        if self.files.may_discard():
            self.recovery.recover()

    def _undo(self) -> None:
        """Take back what is under way, else the last step."""
        if self.canvas.is_busy:
            self.canvas.cancel()
        else:
            self.document.undo_stack.undo()

    def _redo(self) -> None:
        if not self.canvas.is_busy:
            self.document.undo_stack.redo()

    def _invert_selection(self) -> None:
        if self.document.selection is not None:
            self.document.set_selection(inverted(self.document.selection, self.document.shape))

    def _resize(self) -> None:
        dialog = ResizeDialog(self.document.shape, self)
        if dialog.exec():
            self.document.resize(dialog.shape())

    def _crop(self) -> None:
        selection = self.document.selection
        if selection is None:
            return
        rect = selection.rect
        if min(rect.height, rect.width) < MIN_SIDE_PX:
            self.status.say(f"A map needs at least {MIN_SIDE_PX} pixels a side; select a larger part.", Kind.WARNING)
        else:
            self.document.crop(rect.row, rect.col, (rect.height, rect.width))

    def _add_style(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Load weights", "", "Weights (*.safetensors)")
        if path:
            self.generation.add_style(Path(path))
            self.generation_panel.set_styles(list(self.generation.styles))

    def _show_shortcuts(self) -> None:
        tools = [("Tools", " or ".join(kind.keys), kind.text) for kind in TOOLS.values()]
        ShortcutsDialog([*shortcut_table(), *tools, *_CANVAS_KEYS], self).exec()

    def _show_about(self) -> None:
        info = self.generation.info
        AboutDialog(info.credits if info else "", self).exec()

    # Events

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Files may be dropped anywhere."""
        if event.mimeData().hasUrls() and event.mimeData().urls()[0].isLocalFile():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open or import the first file."""
        path = Path(event.mimeData().urls()[0].toLocalFile())
        event.acceptProposedAction()
        # The program that the file came from waits until this returns; questions come after.
        QTimer.singleShot(0, lambda: self.files.open_path(path))

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask about unsaved work, remember the layout, end the worker."""
        if not self.files.may_discard():
            event.ignore()
            return
        settings = QSettings()
        settings.setValue("geometry", self.saveGeometry())
        on_welcome = self._pages.currentIndex() == 0
        settings.setValue("layout", self._layout_behind if on_welcome else self.saveState(_LAYOUT_VERSION))
        self.files.wait()
        self.autosave.forget()
        self.leave()
        event.accept()

    def tell_bug(self) -> None:
        """Something was raised that nobody caught."""
        self.status.say("Something went wrong inside TerrainPaint; what you did is kept, save it now.", Kind.ERROR)

    def tell_no_memory(self) -> None:
        """There was not enough memory for what was asked."""
        self.status.say("Memory ran out; close other programs or choose a smaller map.", Kind.ERROR)

    def leave(self) -> None:
        """End the program as it is; unsaved work stays to be recovered."""
        self.autosave.close()
        self.generation.stop()
        # quit() would ask every window whether it may close.
        QApplication.exit(0)


def _styles(folder: Path) -> dict[str, Path]:
    """The styles that come with the program, then those in the user's folder."""
    own = {each.stem: each for each in sorted(folder.glob("*.safetensors"))}
    return {**shipped_styles(), **{name: path for name, path in own.items() if name not in shipped_styles()}}


def _scrolled(widget: QWidget) -> QScrollArea:
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFrameShape(QScrollArea.Shape.NoFrame)
    area.setWidget(widget)
    return area
