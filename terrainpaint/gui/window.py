"""The main window: what is where, and what is connected to what."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QSettings, QStandardPaths, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QKeyEvent
from PySide6.QtWidgets import QApplication, QMainWindow, QStackedWidget, QToolBar, QWidget

from terrainpaint.core.assets import shipped_fine_land
from terrainpaint.core.project import NATIVE_PIXEL_SIZE_M, Project, Settings
from terrainpaint.generation.process import TerrainProcess
from terrainpaint.gui import clipboard
from terrainpaint.gui.actions import Need, enable, fill_menus, fill_tool_bar, remembered_switches
from terrainpaint.gui.background_jobs import WindowJobs
from terrainpaint.gui.canvas.canvas import Canvas
from terrainpaint.gui.dialogs.file_questions import may_delete
from terrainpaint.gui.document import Document
from terrainpaint.gui.dreaming import DreamActions
from terrainpaint.gui.exporting import ExportActions
from terrainpaint.gui.first_steps import first_steps
from terrainpaint.gui.focus_order import move_focus
from terrainpaint.gui.help_actions import HelpActions
from terrainpaint.gui.icons import icon
from terrainpaint.gui.layout import Layout, scrolled
from terrainpaint.gui.linked_views import Inspection
from terrainpaint.gui.live_generation import LiveGeneration
from terrainpaint.gui.map_actions import MapActions, SeedActions
from terrainpaint.gui.notices import Notices
from terrainpaint.gui.opening import OpenActions
from terrainpaint.gui.panels.classes_panel import ClassesPanel
from terrainpaint.gui.panels.dream_panel import DreamPanel
from terrainpaint.gui.panels.generation_panel import GenerationPanel
from terrainpaint.gui.panels.history_panel import HistoryPanel
from terrainpaint.gui.panels.layers_panel import LayersPanel
from terrainpaint.gui.panels.paint_palette import PaintPalette
from terrainpaint.gui.panels.status_bar import MessageKind, Quality, StatusInfo
from terrainpaint.gui.panels.tool_bars import Toolbox, ToolOptions
from terrainpaint.gui.panels.transform_bar import OptionsBar
from terrainpaint.gui.places import PlaceActions
from terrainpaint.gui.preference_actions import PreferenceActions
from terrainpaint.gui.recovery import Autosave, Recovery
from terrainpaint.gui.relief_dock import ReliefDock
from terrainpaint.gui.saving import RecentFiles, SaveActions
from terrainpaint.gui.style_actions import StyleActions, installed_looks, installed_styles
from terrainpaint.gui.terrain_view import TerrainDock
from terrainpaint.gui.timed_saving import TimedSaving
from terrainpaint.gui.tools import ToolSettings
from terrainpaint.gui.tour import Tour
from terrainpaint.gui.view_modes import ViewModes
from terrainpaint.gui.view_options import ViewOptions, apply_remembered_theme
from terrainpaint.gui.welcome import Welcome
from terrainpaint.gui.widgets.basics import fill
from terrainpaint.gui.widgets.message_bar import MessageBar
from terrainpaint.gui.window_keys import WindowKeys
from terrainpaint.gui.zooming import ZoomActions

_BLANK_PX = 512
_MISSED = "Only what is selected is painted; with Edit > Deselect{} everything is painted."
_DROPPING = "Undo reached its limit of memory, so its oldest steps are dropped; Edit > Preferences has the limit."


class MainWindow(QMainWindow):
    """The window, which owns `process`. Call `start` when it is on the screen: it begins all that takes time."""

    def __init__(self, process: TerrainProcess) -> None:
        super().__init__()
        apply_remembered_theme()
        self.setWindowIcon(icon("app"))
        self.setAcceptDrops(True)
        self.setDockNestingEnabled(True)
        data = Path(QStandardPaths.writableLocation(QStandardPaths.StandardLocation.AppDataLocation))
        styles = installed_styles(data)
        first = Settings(NATIVE_PIXEL_SIZE_M, next(iter(styles), ""))
        self.document = Document(Project.empty((_BLANK_PX, _BLANK_PX), first), self)
        self._has_document = False
        self.tools = ToolSettings(self)
        self.tools.keep_in(QSettings())
        self.generation = LiveGeneration(
            self.document, styles, process, self, next(iter(shipped_fine_land().values()), None)
        )
        self.generation.weights.looks.update(installed_looks(data))
        self._tool_before = "brush"  # the tool before the reference picture was moved
        self.canvas = Canvas(self.document, self.tools, self)
        self.jobs = WindowJobs(self)
        self.recent_files = RecentFiles(self)
        self.saving = SaveActions(self.document, self.generation, self.jobs, self.recent_files)
        self.exporting = ExportActions(self.document, self.generation, self.jobs, self.recent_files)
        self.opening = OpenActions(self.document, self.generation, self.jobs, self.recent_files, self.saving)
        self.zooming = ZoomActions(self.document, self.canvas, self.jobs, self.saving, self.generation)
        self.seeds = SeedActions(self, self.document, self.generation)
        self.places = PlaceActions(self, self.document, self.generation, self.jobs)
        self.recovery = Recovery(self.document, data / "recovery", self)
        self.autosave = Autosave(self.document, data / "recovery", self)
        # After a crash, what is recovered must not be older than the file.
        self.saving.before_writing.append(self.autosave.catch_up)
        self.status = StatusInfo(self.document, self)
        self.statusBar().addPermanentWidget(self.status, 1)
        self.statusBar().setSizeGripEnabled(False)

        self.welcome = Welcome(self)
        centre = QWidget(self)
        self._pages = QStackedWidget(centre)
        self._pages.addWidget(self.welcome)
        self._pages.addWidget(self.canvas)
        fill(centre, self._pages)
        self.message_bar = MessageBar(centre)
        self.message_bar.height_changed.connect(self.welcome.leave_room)
        self.terrain = TerrainDock(self.document, self.generation, self)
        self.relief = ReliefDock(self.document, self.generation, self.jobs, self)
        self.notices = Notices(
            self.message_bar, self.document, self.jobs, saving=self.saving, exporting=self.exporting,
            opening=self.opening, autosave=self.autosave, recovery=self.recovery,
            generation=self.generation, relief=self.relief,
        )  # fmt: skip
        self.generation_panel = GenerationPanel(self.document, self)
        self.styles = StyleActions(self, self.generation, self.generation_panel, data)
        self.dream_panel = DreamPanel(self)
        self.dreams = DreamActions(self.dream_panel, self.document, self.generation, self.jobs, self)
        self.layers_panel = LayersPanel(self.document, self)
        self.classes_panel = ClassesPanel(self.document, self.tools, self)
        self.inspection = Inspection(self.document, self.generation, self.status, self.canvas, self.terrain.view)
        self.palette_ = PaintPalette(self.document, self.tools, self)
        self.options = ViewOptions(
            self.document,
            self.canvas,
            self.terrain.view,
            (self.canvas, self.classes_panel, self.palette_),
            (self.terrain.view, self.relief),
            (self.canvas, self.terrain.view),
            self.generation.detail,
        )
        self.map_actions = MapActions(self, self.document, self.canvas)
        self.actions_, self._submenus = fill_menus(self.menuBar(), self)
        self._layout = Layout(self, centre)
        self.modes = ViewModes(self, self._layout, self._pages, self.actions_)
        self._lay_out()
        # A window that was closed in full screen begins as it was before.
        self.modes.set_full_screen(on=False)
        self._connect()
        naming = (
            lambda keys: self._toolbox.show_keys(keys.tools()),
            lambda keys: self.classes_panel.show_keys(keys.classes()),
            lambda keys: self.palette_.show_keys(keys.classes()),
            lambda keys: self.generation_panel.show_keys(keys.commands()),
            lambda keys: self.layers_panel.show_keys(keys.commands()),
        )
        self.keys = WindowKeys(self, self.actions_, self.canvas, self.tools, naming)
        self.relief.view_created.connect(self.keys.router.add_relief)
        steps = first_steps(self.classes_panel, self.canvas, self.terrain, self.relief, self._export_button)
        tour = Tour(self, steps, self.keys.map.commands, self.canvas)
        self.help = HelpActions(self, self.generation, self.keys.map, tour)
        self.timed_saving = TimedSaving(self.document, self.saving, self.canvas)
        self.preferences = PreferenceActions(
            self, self.actions_, self.options, self.relief, self.generation, self.timed_saving, self.document.undo_stack
        )
        self.preferences.use()
        self.show_welcome()
        self._show_title()

    def start(self, path: Path | None) -> None:
        """Begin to load weights, look for work to recover, and open a file if there is a path."""
        self.generation.start()
        self.recovery.look()
        self.recent_files.tidy()
        if path is not None:
            self.opening.open_path(path)

    # Pages

    def show_welcome(self) -> None:
        """The page with samples and recent files."""
        self.modes.set_map_only(on=False)
        self.welcome.set_recent(self.recent_files.paths())
        self._show_page(0)
        self.welcome.focus_first()

    def show_editor(self) -> None:
        """The map and its panels."""
        self._show_page(1)
        self.canvas.setFocus()

    def _show_page(self, index: int) -> None:
        if self._pages.currentIndex() != index or not self.isVisible():
            self._pages.setCurrentIndex(index)
            self._layout.hide_all() if index == 0 else self._layout.show_all()
        self.status.setVisible(index == 1)
        self._enable_actions()

    def _lay_out(self) -> None:
        self._layout.add_docks(
            {
                "Classes": scrolled(self.classes_panel),
                "Layers": scrolled(self.layers_panel),
                "History": HistoryPanel(self.document, self),
                "Generation": scrolled(self.generation_panel),
            },
            {"3D": self.relief, "Terrain from above": self.terrain},
            {"Dream": scrolled(self.dream_panel)},
        )
        commands = QToolBar("Commands", self)
        commands.setObjectName("commands")
        fill_tool_bar(commands, self.actions_)
        self._export_button: QWidget = commands.widgetForAction(self.actions_["export"])
        self._layout.add_tool_bar(commands)
        options = QToolBar("Tool options", self)
        options.setObjectName("options")
        tool_options = ToolOptions(self.tools, options)
        tool_options.show_tool(self.canvas.tool_name)
        self.canvas.tool_changed.connect(tool_options.show_tool)
        options.addWidget(OptionsBar(self.canvas, tool_options, options))
        self._layout.add_tool_bar(options)
        self._toolbox: Toolbox = Toolbox(self.canvas, self)
        self._layout.add_tool_bar(self._toolbox, Qt.ToolBarArea.LeftToolBarArea)
        self._layout.fill_menu(self._submenus["panels"])
        self._layout.restore()

    # Connections

    def _connect(self) -> None:
        document, generation, seeds = self.document, self.generation, self.seeds
        saving, opening = self.saving, self.opening
        document.opened.connect(self._note_document)
        document.title_changed.connect(self._show_title)
        document.replaced.connect(self.show_editor)
        document.opened.connect(self.canvas.zoom_to_fit)
        for changed in (
            document.undo_stack.canUndoChanged,
            document.undo_stack.canRedoChanged,
            document.selection_changed,
            self.canvas.busy_changed,
        ):
            changed.connect(self._enable_actions)
        document.undo_stack.dropping_began.connect(lambda: self.say(_DROPPING))
        document.undo_stack.undoTextChanged.connect(lambda text: self.actions_["undo"].setText(f"&Undo {text}"))
        document.undo_stack.redoTextChanged.connect(lambda text: self.actions_["redo"].setText(f"&Redo {text}"))

        generation.state_changed.connect(self._show_progress)
        generation.style_known.connect(self.generation_panel.set_seed_style)
        self.generation_panel.variants_requested.connect(seeds.show_variants)
        self.generation_panel.reroll_requested.connect(seeds.reroll_selection)
        self.generation_panel.places_requested.connect(self.places.find)
        self.layers_panel.draw_lines_requested.connect(lambda: self.canvas.set_tool("lines"))
        self.generation_panel.guide_requested.connect(opening.load_height_guide)
        self.canvas.find_land = generation.copies.land_in_cells
        self.layers_panel.load_underlay_requested.connect(opening.load_underlay)
        self.layers_panel.move_underlay_toggled.connect(self._move_underlay)
        self.canvas.tool_changed.connect(lambda name: self.layers_panel.underlay.show_moving(name == "reference"))
        saving.guards.append(self.exporting.may_stop)
        refusing = (seeds, self.places, self.dreams, self.map_actions, self.canvas, self.styles, self.zooming)
        for source in (generation.warned, *(part.refused for part in refusing)):
            source.connect(lambda sentence: self.say(sentence, MessageKind.WARNING))
        self.autosave.works.connect(self.status.set_recovery)
        document.missed.connect(self._say_missed)
        for source in (opening.said, saving.said, self.relief.said):
            source.connect(self.say)
        self.recent_files.changed.connect(self._show_recent)

        self.canvas.palette_requested.connect(self.palette_.open_at)
        for changed in (document.settings_changed, document.replaced):
            changed.connect(self._show_water)
        mirror = self.actions_["mirror_view"]
        self.canvas.camera_changed.connect(lambda camera: mirror.setChecked(camera.is_mirrored))
        self.canvas.camera_changed.connect(lambda camera: self.status.set_zoom(camera.zoom))
        for view in (self.canvas, self.terrain.view):
            view.camera_changed.connect(lambda camera: self._focus())
        self.relief.view_created.connect(self.inspection.add_relief)
        self.relief.view_changed.connect(self.terrain.view.redraw)

        welcome = self.welcome
        welcome.back_requested.connect(self.show_editor)
        welcome.sample_chosen.connect(opening.sample)
        welcome.new_requested.connect(opening.new)
        welcome.open_requested.connect(opening.open)
        welcome.import_requested.connect(opening.import_any)
        welcome.recent_chosen.connect(opening.open_path)
        welcome.recover_requested.connect(self._recover)
        welcome.discard_requested.connect(self._discard_recovery)
        self.recovery.changed.connect(welcome.set_recoverable)
        self.autosave.begun.connect(self.recovery.drop_recovered)

        self.options.take_actions(remembered_switches(self.actions_))
        self._show_recent()

    # What is shown

    def say(self, sentence: str, kind: MessageKind = MessageKind.NOTE) -> None:
        """Show a message at the bottom of the window."""
        if self._pages.currentIndex() == 1:
            self.status.say(sentence, kind)
        else:
            self.statusBar().showMessage(sentence, kind.shown_ms)

    def _show_water(self) -> None:
        flowing = self.document.settings.flowing_water
        self.actions_["carve_rivers"].setChecked(flowing.carve_rivers)
        self.actions_["breach"].setChecked(flowing.breach)

    def _say_missed(self) -> None:
        self.say(_MISSED.format(self.keys.text_of("deselect")), MessageKind.WARNING)

    def _show_title(self) -> None:
        star = "*" if self.document.is_dirty else ""
        self.setWindowTitle(f"{star}{self.document.name} – TerrainPaint" if self._has_document else "TerrainPaint")
        self.welcome.set_document(self.document.name if self._has_document else None, self.document.is_dirty)

    def _note_document(self) -> None:
        self._has_document = True
        self._enable_actions()

    def _show_progress(self) -> None:
        generation = self.generation
        self.status.set_progress(None if generation.is_exact or generation.live is None else generation.fraction_done)
        if generation.live is None:
            quality = Quality.NONE
        else:
            quality = Quality.EXACT if generation.live.is_exact(generation.focus) else Quality.PREVIEW
        self.status.set_quality(quality)

    def _show_recent(self) -> None:
        menu = self._submenus["recent"]
        menu.clear()
        for path in self.recent_files.paths():
            menu.addAction(str(path).replace("&", "&&")).triggered.connect(
                lambda checked=False, path=path: self.opening.open_path(path)
            )
        menu.addSeparator()
        menu.addAction("Clear the list").triggered.connect(self.recent_files.clear)
        menu.setEnabled(bool(self.recent_files.paths()))
        self.welcome.set_recent(self.recent_files.paths())

    def _enable_actions(self) -> None:
        met, stack = Need.NOTHING, self.document.undo_stack
        for need, is_met in (
            (Need.DOCUMENT, self._has_document),
            (Need.EDITOR, self._pages.currentIndex() == 1),
            (Need.SELECTION, self.document.selection is not None),
            (Need.UNDO, stack.canUndo() or self.canvas.is_busy),
            (Need.REDO, stack.canRedo()),
        ):
            if is_met:
                met |= need
        enable(self.actions_, met)

    def _focus(self) -> None:
        # Behind another tab it is "visible" for Qt.
        above = self.terrain.view
        view = self.canvas if above.visibleRegion().isEmpty() else above
        self.generation.set_focus(view.visible_rect())

    # Commands

    def show_dreams(self) -> None:
        """Show the dock of dreamed maps."""
        self._layout.show_dock("Dream")

    def reset_layout(self) -> None:
        """Put docks and tool bars where they were at the first start."""
        self._layout.reset()

    def _discard_recovery(self) -> None:
        if may_delete(f"The unsaved changes from {self.recovery.newest} are lost for good.", self):
            self.recovery.discard()

    def _recover(self) -> None:
        if self.saving.may_discard():
            self.recovery.recover()

    def _move_underlay(self, on: bool) -> None:
        if on:
            self._tool_before = self.canvas.tool_name
        self.canvas.set_tool("reference" if on else self._tool_before)

    def paste(self) -> None:
        """Paste a piece of a map or a picture; open a file that was copied in a file manager."""
        path = clipboard.file_in(QApplication.clipboard().mimeData())
        if path is None:
            self.canvas.paste()
        else:
            self.opening.open_path(path)

    # Events

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Files may be dropped anywhere."""
        if clipboard.file_in(event.mimeData()) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open or import the first file."""
        path = clipboard.file_in(event.mimeData())
        if path is None:
            return
        event.acceptProposedAction()
        # The program that the file came from waits until this returns, so questions come later.
        QTimer.singleShot(0, lambda: self.opening.open_path(path))

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask about unsaved work, remember the layout, end the worker."""
        if not self.saving.may_discard():
            event.ignore()
            return
        self.modes.set_map_only(on=False)
        self._layout.save(is_hidden=self._pages.currentIndex() == 0)
        if self.jobs.close():
            # Otherwise a save may be unfinished.
            self.autosave.forget()
        self.leave()
        event.accept()

    def changeEvent(self, event: QEvent) -> None:
        """The check mark of the full screen follows the window."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.WindowStateChange:
            self.modes.follow_window()

    def focusNextPrevChild(self, next: bool) -> bool:
        """Tab goes from the map to the tool bars and panels, in the order in which they are seen."""
        parts = [self.canvas, *self._layout.focus_parts()] if self._pages.currentIndex() == 1 else []
        return move_focus(parts, 1 if next else -1) or super().focusNextPrevChild(next)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc, when nothing else uses it, ends the first steps, or leads back from the map without panels."""
        if event.key() == Qt.Key.Key_Escape and self.help.tour.is_shown:
            self.help.tour.end()
        elif event.key() == Qt.Key.Key_Escape and self.modes.is_map_only:
            self.modes.set_map_only(on=False)
        else:
            super().keyPressEvent(event)

    def say_bug(self) -> None:
        """Say that an exception was not caught."""
        self.notices.program_failed("Something went wrong inside TerrainPaint; what you did is kept, save it now.")

    def say_no_memory(self) -> None:
        """Say that there was not enough memory."""
        self.notices.program_failed("Memory ran out; save, then close other programs or choose a smaller map.")

    def leave(self) -> None:
        """End the program without a question. Unsaved work can be recovered at the next start."""
        self.autosave.close()
        self.dreams.stop()
        self.generation.stop()
        # quit() would send another close event to every window.
        QApplication.exit(0)
