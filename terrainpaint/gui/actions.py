"""Every command of the window: its words, icon and keys, in the order of the menus."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu

from terrainpaint.gui.icons import icon


@dataclass(frozen=True)
class Spec:
    """One command. `text` has its full stops and ellipsis as in the menu; `keys` in Qt's portable words."""

    name: str
    text: str
    keys: tuple[str, ...] = ()
    icon: str = ""
    tip: str = ""
    checkable: bool = False


SEPARATOR = Spec("", "")

MENUS: tuple[tuple[str, tuple[Spec, ...]], ...] = (
    (
        "&File",
        (
            Spec("new", "&New map…", ("Ctrl+N",), "new", "Start with an empty map or a sample"),
            Spec("open", "&Open…", ("Ctrl+O",), "open", "Open a project"),
            Spec("recent", "Open &recent"),
            Spec("welcome", "&Welcome page", (), "home", "Samples, recent files, recovered work"),
            SEPARATOR,
            Spec("save", "&Save", ("Ctrl+S",), "save", "Save the project"),
            Spec("save_as", "Save &as…", ("Ctrl+Shift+S",), "", "Save the project under another name"),
            SEPARATOR,
            Spec("import", "&Import…", ("Ctrl+I",), "import", "A map, any picture, heights, OpenRaster"),
            Spec("export", "&Export…", ("Ctrl+Shift+E",), "export", "OBJ and everything else that 3D tools want"),
            Spec("export_map", "Export the painted &map…", (), "map", "The classes as a PNG"),
            SEPARATOR,
            Spec("quit", "&Quit", ("Ctrl+Q",)),
        ),
    ),
    (
        "&Edit",
        (
            Spec("undo", "&Undo", ("Ctrl+Z",), "undo"),
            Spec("redo", "&Redo", ("Ctrl+Shift+Z", "Ctrl+Y"), "redo"),
            SEPARATOR,
            Spec("cut", "Cu&t", ("Ctrl+X",)),
            Spec("copy", "&Copy", ("Ctrl+C",)),
            Spec("paste", "&Paste", ("Ctrl+V",)),
            Spec("delete", "&Delete what is selected", ("Delete",)),
            Spec("fill_selection", "&Fill the selection", ("Shift+Backspace",), "fill"),
            SEPARATOR,
            Spec("select_all", "Select &all", ("Ctrl+A",)),
            Spec("deselect", "D&eselect", ("Ctrl+Shift+A", "Ctrl+D")),
            Spec("invert", "&Invert the selection", ("Ctrl+Shift+I",)),
        ),
    ),
    (
        "&Map",
        (
            Spec("smooth_all", "&Smooth edges", (), "smooth", "Of the selection, or of the whole layer"),
            Spec("replace_class", "&Replace a class…", (), "replace"),
            Spec("resize", "&Resize…", (), "", "More or fewer pixels on the same ground"),
            Spec("crop", "&Crop to the selection"),
            SEPARATOR,
            Spec("layer_add", "&Add layer", ("Ctrl+Shift+N",), "layer-add"),
            Spec("layer_duplicate", "&Duplicate layer", ("Ctrl+J",)),
            Spec("layer_remove", "Remo&ve layer", (), "layer-remove"),
            Spec("layer_merge", "Merge layer d&own", ("Ctrl+E",), "layer-merge"),
            SEPARATOR,
            Spec("underlay", "Re&ference picture…", (), "picture", "Show a picture under the map"),
        ),
    ),
    (
        "&Terrain",
        (
            Spec("dice", "Roll the &dice", ("Ctrl+R",), "dice", "Another seed: other land on the same map"),
            Spec("variants", "&Variants…", ("Ctrl+Shift+R",), "variants", "Nine seeds to pick from"),
            Spec("reroll", "&Re-roll the selection", ("Ctrl+Alt+R",), "reroll", "New details there and nowhere else"),
            SEPARATOR,
            Spec("again", "&Generate again", ("Ctrl+Return",), "", "All of it, also after the process failed"),
            Spec("add_style", "&Load weights…", (), "", "Use a style that was trained elsewhere"),
        ),
    ),
    (
        "&View",
        (
            Spec("zoom_in", "Zoom &in", ("Ctrl++", "Ctrl+="), "zoom-in"),
            Spec("zoom_out", "Zoom &out", ("Ctrl+-",), "zoom-out"),
            Spec("fit", "&Fit", ("Ctrl+0",), "fit"),
            Spec("actual", "&100 %", ("Ctrl+1",)),
            Spec("linked", "&Move map and terrain together", (), "", "", checkable=True),
            SEPARATOR,
            Spec("grid", "&Grid", ("Ctrl+'",), "grid", "Squares of a round number of kilometres", checkable=True),
            Spec("scale_bar", "&Scale bar", (), "ruler", "", checkable=True),
            Spec("patterns", "Class &patterns", ("Ctrl+Shift+P",), "pattern", "For colour-blind eyes", checkable=True),
            Spec("letters", "Class &letters", (), "", "For colour-blind eyes", checkable=True),
            SEPARATOR,
            Spec("panels", "Pa&nels"),
            Spec("reset_layout", "Reset the &layout"),
            Spec("theme", "&Dark or light", (), "theme"),
        ),
    ),
    (
        "&Help",
        (
            Spec("shortcuts", "&Keys", ("F1",), "help"),
            Spec("about", "&About TerrainPaint"),
        ),
    ),
)
SUBMENUS = ("recent", "panels")


def make_actions(
    window: QMainWindow, handlers: Mapping[str, Callable[[], object]]
) -> tuple[dict[str, QAction], dict[str, QMenu]]:
    """Fill the menu bar; returns the actions and the submenus by name. Every Spec needs a handler."""
    actions: dict[str, QAction] = {}
    submenus: dict[str, QMenu] = {}
    for title, specs in MENUS:
        menu = window.menuBar().addMenu(title)
        for spec in specs:
            if spec is SEPARATOR:
                menu.addSeparator()
            elif spec.name in SUBMENUS:
                submenus[spec.name] = menu.addMenu(spec.text)
            else:
                action = QAction(spec.text, window)
                action.setShortcuts([QKeySequence(each) for each in spec.keys])
                action.setCheckable(spec.checkable)
                if spec.icon:
                    action.setIcon(icon(spec.icon))
                plain = spec.text.replace("&", "").rstrip("…")
                shown = f"{spec.tip or plain}  ({action.shortcut().toString()})" if spec.keys else spec.tip or plain
                action.setToolTip(shown)
                action.setStatusTip(spec.tip)
                action.triggered.connect(lambda checked=False, act=handlers[spec.name]: act())
                menu.addAction(action)
                actions[spec.name] = action
    return actions, submenus


def shortcut_table() -> list[tuple[str, str, str]]:
    """(group, keys, what they do) of every command that has keys."""
    return [
        (title.replace("&", ""), " or ".join(spec.keys), spec.text.replace("&", "").rstrip("…"))
        for title, specs in MENUS
        for spec in specs
        if spec.keys
    ]
