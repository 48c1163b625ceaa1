"""Save of the document, and the files that were used last."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QSettings, Signal
from PySide6.QtWidgets import QMessageBox

from terrainpaint.core.files import FileStamp
from terrainpaint.core.progress import Cancel, Progress
from terrainpaint.core.project_file import SUFFIX, save_project
from terrainpaint.core.unfinished_writes import sweep
from terrainpaint.errors import OutputError
from terrainpaint.gui.background_jobs import WindowJobs
from terrainpaint.gui.dialogs.file_questions import (
    ChangedFile,
    answer,
    ask_for_target,
    changed_file,
    folder_is_there,
    question,
)
from terrainpaint.gui.document import Document
from terrainpaint.gui.export_choice import ExportMemory
from terrainpaint.gui.live_generation import LiveGeneration
from terrainpaint.gui.preferences import project_folder

PROJECT_FILES = f"TerrainPaint project (*{SUFFIX})"
"""What a file dialog offers for projects."""
_RECENT_AT_MOST = 10
_LARGEST_PREVIEW_BYTES = 1 << 24


class RecentFiles(QObject):
    """The projects opened or saved last and the folder of the last one, kept in the user's settings."""

    changed = Signal()

    def paths(self) -> list[Path]:
        """The projects, newest first."""
        # QSettings returns a list with one entry as text.
        stored = QSettings().value("recent", [])
        listed = [stored] if isinstance(stored, str) else stored if isinstance(stored, list) else []
        return [Path(entry) for entry in listed if isinstance(entry, str)]

    def folder(self) -> str:
        """The folder for projects of the preferences, or that of the last project, or the home folder."""
        stored = str(QSettings().value("folder", ""))
        return project_folder(stored if os.access(stored, os.X_OK) else str(Path.home()))

    def add(self, path: Path) -> None:
        """Put a project at the front."""
        path = path.resolve()
        paths = [path, *(other for other in self.paths() if other != path)]
        QSettings().setValue("recent", [str(entry) for entry in paths[:_RECENT_AT_MOST]])
        QSettings().setValue("folder", str(path.parent))
        self.changed.emit()

    def tidy(self) -> None:
        """Complete or remove, in the background, what killed programs left in the folders of projects and exports."""
        folders = {path.parent for path in self.paths()} | ExportMemory().folders()
        # A thread that may be left behind: a folder of a network can take minutes to answer.
        work = partial(_sweep_all, folders)
        threading.Thread(target=work, name="terrainpaint-tidy", daemon=True).start()

    def clear(self) -> None:
        """Empty the list."""
        QSettings().setValue("recent", [])
        self.changed.emit()


class SaveActions(QObject):
    """Saves one document."""

    said = Signal(str)
    """A message about what was done."""
    failed = Signal(str)
    """Why the document could not be saved, one sentence."""

    def __init__(self, document: Document, generation: LiveGeneration, jobs: WindowJobs, recent: RecentFiles) -> None:
        super().__init__(jobs)
        self._document, self._generation = document, generation
        self._jobs, self._recent, self._window = jobs, recent, jobs.window
        self._target: Path | None = None
        self.guards: list[Callable[[], bool]] = []
        """Each is asked by `may_discard` too: whether what else is under way may be given up."""
        self.before_writing: list[Callable[[], None]] = []
        """Each is called before a file is replaced, in the thread that does it."""

    def save(self) -> bool:
        """Save to the file of the document, or ask for one; whether it was saved. A file that another program has
        changed meanwhile is replaced only if the user wants it."""
        path = self._document.path
        if path is None:
            return self.save_as()
        expected = self._document.stamp
        if self._document.is_file_changed:
            expected = FileStamp.of(path)
            match changed_file(path, self._window):
                case ChangedFile.SAVE_AS:
                    return self.save_as()
                case ChangedFile.KEEP:
                    return False
        return self.save_to(path, expected)

    def save_unasked(self) -> None:
        """Save to the file of the document, unless another program has changed it or its folder is missing."""
        path = self._document.path
        if path is None:
            return
        if not os.path.lexists(path.parent):
            self._target = path
            self.failed.emit(f"{path} was not saved: its folder does not exist any more; save it elsewhere.")
        elif self._document.is_file_changed:
            self._target = path
            self.failed.emit(f"{path} was changed by another program, so it was not saved; save it under another name.")
        else:
            self.save_to(path, self._document.stamp)

    def save_as(self) -> bool:
        """Ask for a file and save to it; whether it was saved."""
        path = self._document.path
        start = Path(self._recent.folder()) / f"{self._document.name}{SUFFIX}" if path is None else path
        target = ask_for_target(self._window, "Save as", start, PROJECT_FILES)
        return target is not None and self.save_to(target)

    def try_again(self) -> bool:
        """Save to the file that failed; whether it was saved."""
        return self.save() if self._target in (None, self._document.path) else self.save_to(self._target)

    def save_to(self, path: Path, expected: FileStamp | None = None) -> bool:
        """Save to a file; whether it was saved. A file with another stamp than `expected` is not replaced, None stands
        for any. The user cannot paint meanwhile: it would count as saved."""
        self._target = path
        stamp: FileStamp | None = None

        def write(progress: Progress, cancel: Cancel) -> None:
            nonlocal stamp
            for prepare in self.before_writing:
                prepare()
            stamp = save_project(path, project, view, preview, expected)

        try:
            if not folder_is_there(path.parent, self._window):
                return False
        except OutputError as error:
            self.failed.emit(str(error))
            return False
        self._document.finish_stroke()
        project, view = self._document.snapshot(), self._document.view
        live = self._generation.live
        preview = live.shaded.copy() if live is not None and live.shaded.size < _LARGEST_PREVIEW_BYTES else None
        if not self._jobs.run_modal(f"Saving {path.name}", write, self.failed.emit):
            return False
        self._document.saved(path, stamp)
        self._recent.add(path)
        self.said.emit(f"Saved to {path}.")
        return True

    def may_discard(self) -> bool:
        """Whether the document may be closed: it has no unsaved changes, or the user saves or discards them now."""
        return all(guard() for guard in self.guards) and self._may_discard_changes()

    def _may_discard_changes(self) -> bool:
        self._document.finish_stroke()
        if not self._document.is_dirty:
            return True
        box = question(self._window, "Unsaved changes", f'"{self._document.name}" has unsaved changes.')
        box.setInformativeText("Save them first? What is discarded cannot be brought back.")
        buttons = QMessageBox.StandardButton
        box.setStandardButtons(buttons.Save | buttons.Discard | buttons.Cancel)
        box.setDefaultButton(buttons.Save)
        chosen = answer(box)
        if chosen == buttons.Save:
            return self.save()
        return chosen == buttons.Discard


def _sweep_all(folders: set[Path]) -> None:
    for folder in folders:
        sweep(folder)
