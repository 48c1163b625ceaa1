"""What the user prefers in all documents, kept in the settings of the program."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from pathlib import Path

from PySide6.QtCore import QSettings

from terrainpaint.core.main_memory import installed_memory
from terrainpaint.core.path_kinds import is_folder
from terrainpaint.generation.messages import AUTO_DEVICE
from terrainpaint.gui.theme import DEFAULT_THEME, THEMES
from terrainpaint.gui.widgets.notation import Notation, remember_notation, remembered_notation

AUTOSAVE_MINUTES = 1, 120
"""The shortest and the longest interval of saving."""
_USUAL_MINUTES = 10
UNDO_MB = 32, max(64, installed_memory() // 2 >> 20)
"""The least and the most memory of undo: at most half of the main memory."""
_USUAL_UNDO_MB = min(512, UNDO_MB[1] // 4)
MOST_THREADS = os.cpu_count() or 1


@dataclass(frozen=True)
class Preferences:
    """`autosave_minutes` is kept when `autosaves` is False. A folder of "" is the one that was used last.

    `device` is a name of `models.devices`, and `threads` the number of threads of the processor, 0 for the usual one.
    `undo_mb` is the memory that the steps of undo may take. `sky_3d` and `smooth_edges_3d` are those of the menu of the
    3D view.
    """

    theme: str = DEFAULT_THEME
    notation: Notation = Notation.SYSTEM
    autosaves: bool = False
    autosave_minutes: int = _USUAL_MINUTES
    project_folder: str = ""
    export_folder: str = ""
    device: str = AUTO_DEVICE
    threads: int = 0
    sky_3d: bool = True
    smooth_edges_3d: bool = True
    undo_mb: int = _USUAL_UNDO_MB


def read_preferences() -> Preferences:
    """The preferences of the user; the usual ones for those that are missing or make no sense."""
    settings = QSettings()
    theme = str(settings.value("theme", DEFAULT_THEME))
    return Preferences(
        theme if theme in THEMES else DEFAULT_THEME,
        remembered_notation(),
        bool(settings.value("autosaves", False, bool)),
        _whole("autosave_minutes", _USUAL_MINUTES, AUTOSAVE_MINUTES),
        str(settings.value("project_folder", "")),
        str(settings.value("export_folder", "")),
        str(settings.value("device", AUTO_DEVICE)),
        _whole("threads", 0, (0, MOST_THREADS)),
        bool(settings.value("sky_3d", True, bool)),
        bool(settings.value("smooth_edges_3d", True, bool)),
        _whole("undo_mb", _USUAL_UNDO_MB, UNDO_MB),
    )


def write_preferences(preferences: Preferences) -> None:
    """Keep the preferences for the next start."""
    settings = QSettings()
    remember_notation(preferences.notation)
    for field in fields(preferences):
        if field.name != "notation":
            settings.setValue(field.name, getattr(preferences, field.name))


def project_folder(last: str) -> str:
    """The folder where file dialogs for projects begin: the preferred one if it is there, else the last one."""
    return _preferred("project_folder") or last


def export_folder(last: str) -> str:
    """The folder where the first export of a document goes: the preferred one if it is there, else the last one."""
    return _preferred("export_folder") or last


def _preferred(name: str) -> str:
    folder = str(QSettings().value(name, ""))
    return folder if folder and is_folder(Path(folder)) else ""


def _whole(name: str, usual: int, limits: tuple[int, int]) -> int:
    try:
        value = int(str(QSettings().value(name, usual)))
    except ValueError:
        return usual
    return min(max(value, limits[0]), limits[1])
