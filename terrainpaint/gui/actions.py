"""Every command of the window: its words, icon and keys, what it does and what it needs, in the order of the menus."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Flag, auto
from typing import Protocol

from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar, QToolBar

from terrainpaint.gui.canvas.canvas import Canvas
from terrainpaint.gui.document import Document
from terrainpaint.gui.exporting import ExportActions
from terrainpaint.gui.help_actions import HelpActions
from terrainpaint.gui.icons import icon
from terrainpaint.gui.live_generation import LiveGeneration
from terrainpaint.gui.map_actions import MapActions, SeedActions
from terrainpaint.gui.opening import OpenActions
from terrainpaint.gui.panels.generation_panel import GenerationPanel
from terrainpaint.gui.places import PlaceActions
from terrainpaint.gui.preference_actions import PreferenceActions
from terrainpaint.gui.relief_dock import ReliefDock
from terrainpaint.gui.saving import SaveActions
from terrainpaint.gui.style_actions import StyleActions
from terrainpaint.gui.tools import ToolSettings
from terrainpaint.gui.view_modes import ViewModes
from terrainpaint.gui.view_options import ViewOptions
from terrainpaint.gui.widgets.basics import with_key
from terrainpaint.gui.zooming import ZoomActions


class Window(Protocol):
    """What the commands act on."""

    document: Document
    tools: ToolSettings
    generation: LiveGeneration
    canvas: Canvas
    saving: SaveActions
    exporting: ExportActions
    opening: OpenActions
    seeds: SeedActions
    places: PlaceActions
    map_actions: MapActions
    zooming: ZoomActions
    generation_panel: GenerationPanel
    styles: StyleActions
    options: ViewOptions
    modes: ViewModes
    preferences: PreferenceActions
    relief: ReliefDock
    help: HelpActions

    def show_welcome(self) -> None:
        """Show the first page."""

    def paste(self) -> None:
        """Paste what is on the clipboard."""

    def show_dreams(self) -> None:
        """Show the dock of dreamed maps."""

    def reset_layout(self) -> None:
        """Put docks and tool bars where they were at the first start."""

    def close(self) -> bool:
        """End the program, unless the user wants to keep unsaved work."""


class Need(Flag):
    """What must be there for a command to be enabled."""

    NOTHING = 0
    DOCUMENT = auto()
    """There is a document, on the first page too."""
    EDITOR = auto()
    """The map is shown, not the first page."""
    SELECTION = auto()
    UNDO = auto()
    """There is a step to undo, or something is under way."""
    REDO = auto()


@dataclass(frozen=True)
class Command:
    """One command. `text` has its ampersand and ellipsis as in the menu, `keys` are in Qt's portable words."""

    name: str
    text: str
    act: Callable[[Window], object]
    keys: tuple[str, ...] = ()
    icon: str = ""
    tip: str = ""
    needs: Need = Need.NOTHING
    bar: int = 0
    """Its group on the tool bar, 0 if it is not there."""
    is_on: bool | None = None
    """Of a switch: whether it is on at the first start. None for a command that is no switch."""
    is_remembered: bool = True
    """Of a switch: whether the next start begins with it as it is."""
    choice: str = ""
    """The name of the group of commands of which exactly one is on; "" for none."""

    @property
    def plain_text(self) -> str:
        """The text for anywhere but the menu."""
        return self.text.replace("&", "").rstrip("…")


@dataclass(frozen=True)
class Submenu:
    """A menu in a menu, with `rows`, or which the window fills."""

    name: str
    text: str
    rows: tuple[Command, ...] = ()


SEPARATOR = None
TURN_STEP_DEG = 15
Row = Command | Submenu | None
_SELECTION = Need.EDITOR | Need.SELECTION

MENUS: tuple[tuple[str, tuple[Row, ...]], ...] = (
    (
        "&File",
        (
            Command("new", "&New map…", lambda window: window.opening.new(),
                    ("Ctrl+N",), icon="new", tip="Start with an empty map or a sample", bar=1),
            Command("open", "&Open…", lambda window: window.opening.open(),
                    ("Ctrl+O",), icon="open", tip="Open a project", bar=1),
            Submenu("recent", "Open &recent"),
            Command("welcome", "&Welcome page", lambda window: window.show_welcome(),
                    icon="home", tip="Samples, recent files, recovered work"),
            SEPARATOR,
            Command("save", "&Save", lambda window: window.saving.save(),
                    ("Ctrl+S",), icon="save", tip="Save the project", needs=Need.DOCUMENT, bar=1),
            Command("save_as", "Save &as…", lambda window: window.saving.save_as(),
                    ("Ctrl+Shift+S",), tip="Save the project under another name", needs=Need.DOCUMENT),
            SEPARATOR,
            Command("import", "&Import…", lambda window: window.opening.import_any(),
                    ("Ctrl+I",), icon="import", tip="A map, any picture, heights, OpenRaster", bar=5),
            Command("export", "&Export…", lambda window: window.exporting.export(),
                    ("Ctrl+Shift+E",), icon="export", tip="OBJ and everything else that 3D tools want",
                    needs=Need.EDITOR, bar=5),
            Command("export_again", "Expor&t again", lambda window: window.exporting.export_again(),
                    ("Ctrl+Alt+E",), tip="Write the last export of this document once more, without questions",
                    needs=Need.EDITOR),
            Command("export_map", "Export the painted &map…", lambda window: window.exporting.export_map(),
                    icon="map", tip="The classes as a PNG", needs=Need.EDITOR),
            SEPARATOR,
            Command("quit", "&Quit", lambda window: window.close(), ("Ctrl+Q",)),
        ),
    ),
    (
        "&Edit",
        (
            Command("undo", "&Undo", lambda window: window.map_actions.undo(),
                    ("Ctrl+Z",), icon="undo", needs=Need.EDITOR | Need.UNDO, bar=2),
            Command("redo", "&Redo", lambda window: window.map_actions.redo(),
                    ("Ctrl+Shift+Z", "Ctrl+Y"), icon="redo", needs=Need.EDITOR | Need.REDO, bar=2),
            SEPARATOR,
            Command("cut", "Cu&t", lambda window: window.canvas.pieces.cut(), ("Ctrl+X",), needs=_SELECTION),
            Command("copy", "&Copy", lambda window: window.canvas.pieces.copy(), ("Ctrl+C",), needs=_SELECTION),
            Command("paste", "&Paste", lambda window: window.paste(), ("Ctrl+V",), needs=Need.EDITOR),
            Command("transform", "Transfor&m", lambda window: window.canvas.transform(),
                    ("Ctrl+T",), icon="transform", tip="Scale and turn what is selected, or a pasted piece",
                    needs=Need.EDITOR),
            Command("delete", "&Delete what is selected", lambda window: window.canvas.pieces.delete(),
                    ("Delete",), needs=_SELECTION),
            Command("fill_selection", "&Fill the selection",
                    lambda window: window.canvas.pieces.fill(window.tools.class_id),
                    ("Shift+Backspace",), icon="fill", needs=_SELECTION),
            SEPARATOR,
            Command("select_all", "Select &all", lambda window: window.map_actions.select_all(),
                    ("Ctrl+A",), needs=Need.EDITOR),
            Command("deselect", "D&eselect", lambda window: window.map_actions.deselect(),
                    ("Ctrl+Shift+A", "Ctrl+D"), needs=_SELECTION),
            Command("invert", "&Invert the selection", lambda window: window.map_actions.invert_selection(),
                    ("Ctrl+Shift+I",), needs=_SELECTION),
            SEPARATOR,
            Command("preferences", "P&references…", lambda window: window.preferences.ask(),
                    ("Ctrl+,",), icon="settings", tip="Theme, numbers, autosave, folders, device"),
        ),
    ),
    (
        "&Map",
        (
            Command("smooth_all", "&Smooth edges", lambda window: window.canvas.smooth_all(),
                    icon="smooth", tip="Of the selection, or of the whole layer", needs=Need.EDITOR),
            Command("natural_borders", "&Natural borders…", lambda window: window.map_actions.natural_borders(),
                    ("Ctrl+Shift+B",), icon="borders", tip="Borders as rough as coasts, with a preview",
                    needs=Need.EDITOR),
            Command("replace_class", "&Replace a class…", lambda window: window.canvas.set_tool("replace"),
                    icon="replace", needs=Need.EDITOR),
            Command("dream", "&Dream a map…", lambda window: window.show_dreams(),
                    icon="dream", tip="Layouts that a network dreams, variants of the map, and the rest of it",
                    needs=Need.EDITOR),
            Command("resize", "&Resize…", lambda window: window.map_actions.resize(),
                    tip="More or fewer pixels on the same ground", needs=Need.EDITOR),
            Command("crop", "&Crop to the selection", lambda window: window.map_actions.crop(), needs=_SELECTION),
            Command("zoom_into", "&Zoom into the selection as a new map…", lambda window: window.zooming.zoom(),
                    icon="zoom-in", tip="A finer map of what is selected, or of what is in view", needs=Need.EDITOR),
            SEPARATOR,
            Command("layer_add", "&Add layer", lambda window: window.document.add_layer(),
                    ("Ctrl+Shift+N",), icon="layer-add", needs=Need.EDITOR),
            Command("layer_duplicate", "&Duplicate layer", lambda window: window.document.duplicate_layer(),
                    ("Ctrl+J",), needs=Need.EDITOR),
            Command("layer_remove", "Remo&ve layer", lambda window: window.document.remove_layer(),
                    icon="layer-remove", needs=Need.EDITOR),
            Command("layer_merge", "Merge layer d&own", lambda window: window.document.merge_down(),
                    ("Ctrl+E",), icon="layer-merge", needs=Need.EDITOR),
            SEPARATOR,
            Command("underlay", "Re&ference picture…", lambda window: window.opening.load_underlay(),
                    icon="picture", tip="Show a picture under the map", needs=Need.EDITOR),
        ),
    ),
    (
        "&Terrain",
        (
            Command("dice", "Roll the &dice", lambda window: window.generation_panel.roll_dice(),
                    ("Ctrl+R",), icon="dice", tip="Another seed: other land on the same map", needs=Need.EDITOR, bar=3),
            Command("variants", "&Variants…", lambda window: window.seeds.show_variants(),
                    ("Ctrl+Shift+R",), icon="variants", tip="Nine seeds to pick from", needs=Need.EDITOR, bar=3),
            Command("reroll", "&Re-roll the selection", lambda window: window.seeds.reroll_selection(),
                    ("Ctrl+Alt+R",), icon="reroll", tip="New details there and nowhere else", needs=_SELECTION, bar=3),
            SEPARATOR,
            Command("carve_rivers", "&Carve rivers", lambda window: window.generation_panel.carve_rivers.click(),
                    icon="flow", tip="Painted rivers run downhill to their mouths; lakes and sea are level",
                    needs=Need.EDITOR, is_on=False, is_remembered=False),
            Command("breach", "&Open depressions", lambda window: window.generation_panel.breach.click(),
                    tip="All water runs to the sea or off the map", needs=Need.EDITOR,
                    is_on=False, is_remembered=False),
            SEPARATOR,
            Command("places", "Similar real &places…", lambda window: window.places.find(),
                    icon="globe", tip="Where on the Earth it looks like this", needs=Need.EDITOR, bar=3),
            SEPARATOR,
            Command("again", "&Generate again", lambda window: window.generation.make_again(),
                    ("Ctrl+Return",), tip="All of it, also after the process failed", needs=Need.EDITOR),
            Command("add_style", "&Load weights…", lambda window: window.styles.load(),
                    tip="Use a style or a look that was trained elsewhere"),
        ),
    ),
    (
        "&View",
        (
            Command("zoom_in", "Zoom &in", lambda window: window.canvas.zoom_by(1),
                    ("Ctrl++", "Ctrl+="), icon="zoom-in", needs=Need.EDITOR),
            Command("zoom_out", "Zoom &out", lambda window: window.canvas.zoom_by(-1),
                    ("Ctrl+-",), icon="zoom-out", needs=Need.EDITOR),
            Command("fit", "&Fit", lambda window: window.canvas.zoom_to_fit(),
                    ("Ctrl+0",), icon="fit", needs=Need.EDITOR, bar=4),
            Command("actual", "&100 %", lambda window: window.canvas.zoom_to_actual_size(),
                    ("Ctrl+1",), needs=Need.EDITOR),
            SEPARATOR,
            Command("turn_left", "&Turn left", lambda window: window.canvas.turn_by(-TURN_STEP_DEG),
                    ("Ctrl+[",), icon="turn-left", tip="Turn the view by 15° against the clock; the map stays",
                    needs=Need.EDITOR),
            Command("turn_right", "Turn &right", lambda window: window.canvas.turn_by(TURN_STEP_DEG),
                    ("Ctrl+]",), icon="turn-right", tip="Turn the view by 15° with the clock; the map stays",
                    needs=Need.EDITOR),
            Command("mirror_view", "Mirror the &view", lambda window: window.canvas.mirror(),
                    ("Shift+M",), icon="flip-h", tip="Left and right; the map stays", needs=Need.EDITOR,
                    is_on=False, is_remembered=False),
            Command("upright", "&Upright", lambda window: window.canvas.reset_turn(),
                    ("Ctrl+Alt+0",), tip="Neither turned nor mirrored", needs=Need.EDITOR),
            SEPARATOR,
            Command("live_detail", "Live &detail", lambda window: window.options.apply(),
                    tip="Finer land where the terrain is enlarged", needs=Need.EDITOR, is_on=True),
            Command("linked", "&Move map and terrain together", lambda window: window.options.apply(), is_on=True),
            SEPARATOR,
            Command("grid", "&Grid", lambda window: window.options.apply(),
                    ("Ctrl+'",), icon="grid", tip="Squares of a round number of kilometres",
                    needs=Need.EDITOR, bar=4, is_on=False),
            Command("scale_bar", "&Scale bar", lambda window: window.options.apply(),
                    icon="ruler", needs=Need.EDITOR, is_on=True),
            Command("legend", "L&egend", lambda window: window.options.apply(),
                    tip="The colours of heights and slopes with numbers", needs=Need.EDITOR, is_on=True),
            Command("lines", "Drawn l&ines", lambda window: window.options.apply(),
                    tip="The ridges, valleys and rivers that were drawn; the land follows them also when they are "
                    "not shown", needs=Need.EDITOR, is_on=True),
            Command("patterns", "Class &patterns", lambda window: window.options.apply(),
                    ("Ctrl+Shift+P",), icon="pattern", tip="For colour-blind eyes",
                    needs=Need.EDITOR, bar=4, is_on=False),
            Command("letters", "Class &letters", lambda window: window.options.apply(),
                    tip="For colour-blind eyes", needs=Need.EDITOR, is_on=False),
            SEPARATOR,
            Command("full_screen", "F&ull screen", lambda window: window.modes.toggle_full_screen(),
                    ("F11",), is_on=False, is_remembered=False),
            Command("map_only", "Map &only", lambda window: window.modes.toggle_map_only(),
                    ("Shift+F11",), tip="Without panels and bars",
                    needs=Need.EDITOR, is_on=False, is_remembered=False),
            Submenu("relief", "&3D view", (
                Command("relief_home", "&Show the whole terrain", lambda window: window.relief.home(),
                        icon="home", needs=Need.EDITOR),
                Command("remove_pin", "&Remove the pin", lambda window: window.relief.remove_pin(),
                        icon="close", tip="As Esc in the 3D view, or a click on the pin", needs=Need.EDITOR),
                Command("relief_picture", "Save a &picture…", lambda window: window.relief.save_picture(),
                        icon="camera", tip="The 3D view in any size, with a background or without",
                        needs=Need.EDITOR),
                Command("relief_film", "Save a &film…", lambda window: window.relief.save_film(),
                        icon="turntable", tip="A turn around the terrain, or a day", needs=Need.EDITOR),
            )),
            Submenu("panels", "Pa&nels"),
            Command("reset_layout", "Reset the &layout", lambda window: window.reset_layout(), needs=Need.EDITOR),
            Submenu("theme", "&Theme", (
                Command("theme_dark", "&Dark", lambda window: window.preferences.use_theme("dark"), choice="theme"),
                Command("theme_light", "&Light", lambda window: window.preferences.use_theme("light"), choice="theme"),
            )),
        ),
    ),
    (
        "&Help",
        (
            Command("guide", "&Guide", lambda window: window.help.show_guide(),
                    ("F1",), icon="help", tip="How to use the program; no network is needed"),
            Command("tour", "&First steps", lambda window: window.help.show_tour(),
                    tip="Five cards that show the parts of the window", needs=Need.EDITOR),
            Command("shortcuts", "&Keys…", lambda window: window.help.show_keys(),
                    ("Ctrl+F1",), icon="keyboard", tip="All keys, and other keys for any command"),
            Command("about", "&About TerrainPaint", lambda window: window.help.show_about()),
        ),
    ),
)  # fmt: skip


def commands() -> Iterator[Command]:
    """All commands, in the order of the menus."""
    for _, rows in MENUS:
        for row in rows:
            if isinstance(row, Command):
                yield row
            elif isinstance(row, Submenu):
                yield from row.rows


def remembered_switches(actions: Mapping[str, QAction]) -> dict[str, QAction]:
    """The switches that the next start sets as they were."""
    return {
        command.name: actions[command.name]
        for command in commands()
        if command.is_on is not None and command.is_remembered
    }


def fill_menus(menu_bar: QMenuBar, window: Window) -> tuple[dict[str, QAction], dict[str, QMenu]]:
    """Fill the menu bar; returns the actions and the submenus by name."""
    actions = {command.name: _action(command, menu_bar, window) for command in commands()}
    submenus: dict[str, QMenu] = {}
    for title, rows in MENUS:
        menu = menu_bar.addMenu(title)
        for row in rows:
            match row:
                case Command():
                    menu.addAction(actions[row.name])
                case Submenu():
                    submenus[row.name] = menu.addMenu(row.text)
                    submenus[row.name].addActions([actions[command.name] for command in row.rows])
                case _:
                    menu.addSeparator()
    groups: dict[str, QActionGroup] = {}
    for command in commands():
        if command.choice:
            group = groups.setdefault(command.choice, QActionGroup(menu_bar))
            actions[command.name].setCheckable(True)
            group.addAction(actions[command.name])
    return actions, submenus


def fill_tool_bar(tool_bar: QToolBar, actions: Mapping[str, QAction]) -> None:
    """Add the commands that are on the tool bar, with a line between the groups."""
    on_bar = sorted((command for command in commands() if command.bar), key=lambda command: command.bar)
    group = on_bar[0].bar
    for command in on_bar:
        if command.bar != group:
            tool_bar.addSeparator()
            group = command.bar
        tool_bar.addAction(actions[command.name])


def enable(actions: Mapping[str, QAction], met: Need) -> None:
    """Enable the commands of which all needs are met, and disable the others."""
    for command in commands():
        actions[command.name].setEnabled(command.needs in met)


def show_keys(action: QAction, name: str, keys: Sequence[str]) -> None:
    """Give the action of a command these keys, also in its tip."""
    command = next(command for command in commands() if command.name == name)
    action.setShortcuts([QKeySequence(key) for key in keys])
    shown = command.tip or command.plain_text
    action.setToolTip(with_key(shown, action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)))


def _action(command: Command, menu_bar: QMenuBar, window: Window) -> QAction:
    action = QAction(command.text, menu_bar)
    if command.is_on is not None:
        action.setCheckable(True)
        action.setChecked(command.is_on)
        action.setIconVisibleInMenu(False)  # a menu shows there whether it is on
    if command.icon:
        action.setIcon(icon(command.icon))
    action.setStatusTip(command.tip)
    show_keys(action, command.name, command.keys)
    action.triggered.connect(lambda checked=False: command.act(window))
    return action
