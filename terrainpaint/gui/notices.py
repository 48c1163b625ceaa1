"""Which failure is shown over the page, what can be done about it, and when it is no longer true."""

from __future__ import annotations

from enum import Enum, auto
from pathlib import Path

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QDesktopServices

from terrainpaint.gui.background_jobs import WindowJobs
from terrainpaint.gui.document import Document
from terrainpaint.gui.exporting import ExportActions
from terrainpaint.gui.live_generation import LiveGeneration
from terrainpaint.gui.opening import OpenActions
from terrainpaint.gui.recovery import Autosave, Recovery
from terrainpaint.gui.relief_dock import ReliefDock
from terrainpaint.gui.saving import SaveActions
from terrainpaint.gui.widgets.message_bar import MessageBar, Notice, Tone

_DONE_MS = 12_000


class Topic(Enum):
    """What a notice is about; a newer one replaces the one before."""

    SAVE = auto()
    EXPORT = auto()
    OPEN = auto()
    AUTOSAVE = auto()
    RECOVER = auto()
    TERRAIN = auto()
    PICTURE = auto()
    """A picture or film of the 3D view."""
    PROGRAM = auto()
    """The program itself: a bug, too little memory."""


class Notices(QObject):
    """Connects what can fail with the bar of messages."""

    def __init__(
        self,
        bar: MessageBar,
        document: Document,
        jobs: WindowJobs,
        *,
        saving: SaveActions,
        exporting: ExportActions,
        opening: OpenActions,
        autosave: Autosave,
        recovery: Recovery,
        generation: LiveGeneration,
        relief: ReliefDock,
    ) -> None:
        super().__init__(bar)
        self._generation = generation
        self._bar, self._saving, self._exporting, self._opening = bar, saving, exporting, opening
        saving.failed.connect(self._save_failed)
        document.stored.connect(lambda: bar.remove(Topic.SAVE))
        exporting.failed.connect(self._export_failed)
        exporting.waiting.connect(self._export_waits)
        for over in (exporting.begun, exporting.cancelled):
            over.connect(lambda: bar.remove(Topic.EXPORT))
        exporting.written.connect(self._exported)
        # Only what opens files has jobs whose failures nothing else shows.
        for source in (jobs.failed, opening.refused):
            source.connect(self._open_failed)
        opening.begun.connect(lambda: bar.remove(Topic.OPEN))
        autosave.failed.connect(self._autosave_failed)
        autosave.works.connect(self._autosave_works)
        recovery.failed.connect(lambda reason: bar.put(Topic.RECOVER, Notice(reason)))
        generation.retried.connect(lambda: bar.remove(Topic.TERRAIN))
        generation.failed.connect(self._generation_failed)
        relief.refused.connect(lambda reason: bar.put(Topic.PICTURE, Notice(reason)))
        relief.said.connect(lambda sentence: bar.remove(Topic.PICTURE))
        document.stored.connect(lambda: bar.remove(Topic.PROGRAM))
        document.opened.connect(lambda: bar.remove(Topic.SAVE, Topic.EXPORT, Topic.OPEN, Topic.RECOVER, Topic.PICTURE))

    def program_failed(self, reason: str) -> None:
        """Show a failure of the program itself, until the document is saved."""
        self._bar.put(Topic.PROGRAM, Notice(reason, actions=(("Save", self._saving.save),)))

    def _generation_failed(self, reason: str) -> None:
        self._bar.put(Topic.TERRAIN, Notice(reason, actions=(("Generate again", self._generation.make_again),)))

    def _save_failed(self, reason: str) -> None:
        actions = ("Try again", self._saving.try_again), ("Save as…", self._saving.save_as)
        self._bar.put(Topic.SAVE, Notice(reason, actions=actions))

    def _export_failed(self, reason: str) -> None:
        actions = ("Try again", self._exporting.try_again), ("Export…", self._exporting.export)
        self._bar.put(Topic.EXPORT, Notice(reason, actions=actions))

    def _export_waits(self) -> None:
        text = "The export is written as soon as the terrain is exact."
        self._bar.put(Topic.EXPORT, Notice(text, Tone.DONE, (("Cancel the export", self._exporting.cancel),)))

    def _exported(self, paths: list[Path]) -> None:
        folder = paths[0].parent
        names = ", ".join(path.name for path in paths)
        verb = "was" if len(paths) == 1 else "were"
        url = QUrl.fromLocalFile(str(folder))
        actions = (("Show the folder", lambda: QDesktopServices.openUrl(url)),)
        self._bar.put(Topic.EXPORT, Notice(f"{names} {verb} written to {folder}.", Tone.DONE, actions, _DONE_MS))

    def _open_failed(self, reason: str) -> None:
        actions = ("Try again", self._opening.try_again), ("Choose another file…", self._opening.open)
        self._bar.put(Topic.OPEN, Notice(reason, actions=actions))

    def _autosave_failed(self, reason: str) -> None:
        self._bar.put(Topic.AUTOSAVE, Notice(reason, Tone.WARNING, (("Save", self._saving.save),)))

    def _autosave_works(self, works: bool) -> None:
        if works:
            self._bar.remove(Topic.AUTOSAVE)
