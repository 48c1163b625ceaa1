"""The panel that asks for a texture of the same ground as the heights, and runs the labeller on both."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from terrainpaint.core.decoding import Picture
from terrainpaint.core.importing import SEA_COLOUR, HeightMap, classes_of_earth, read_colours, shows_same_ground
from terrainpaint.core.progress import Cancel, Progress
from terrainpaint.core.project import MAX_PROJECT_SIDE_PX
from terrainpaint.gui.background_jobs import NewestJob
from terrainpaint.gui.dialogs.ground import GroundScale
from terrainpaint.gui.theme import set_role
from terrainpaint.gui.widgets.basics import PICTURE_FILES, label, paragraph, push_button
from terrainpaint.gui.widgets.class_colours import percent
from terrainpaint.gui.widgets.plain_text import tip

_BAR_STEPS = 1000
_NAME_PX = 150


class TexturePanel(QWidget):
    """Asks for a texture of the ground of `heights` and finds the classes; the file dialog opens in `folder`."""

    picture_read = Signal(object)
    """(h, w, 3) uint8 sRGB of the picture."""
    changed = Signal()
    """`ids` changed."""

    def __init__(self, heights: HeightMap, folder: Path) -> None:
        super().__init__()
        self._heights, self._folder = heights, folder
        self._path: Path | None = None
        self._picture: NDArray[np.uint8] | None = None
        self._ids: NDArray[np.uint8] | None = None
        self._ground: GroundScale | None = None
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._reading, self._labelling = NewestJob(self), NewestJob(self)
        self._reading.done.connect(self._read)
        self._reading.failed.connect(self._refuse)
        self._labelling.progressed.connect(lambda fraction: self._bar.setValue(round(fraction * _BAR_STEPS)))
        self._labelling.done.connect(self._labelled)
        self._labelling.failed.connect(self._refuse)
        self._name, self._notes, self._message = label("", "muted"), paragraph(""), paragraph("")
        self._choose = push_button("Choose a picture…")
        self._choose.clicked.connect(self.ask)
        self._stop = push_button("Stop", "link")
        self._stop.clicked.connect(self._stopped)
        self._again = push_button("Find the classes again", "link")
        self._again.clicked.connect(self._start)
        self._build()
        self._show_state()

    @property
    def ids(self) -> NDArray[np.uint8] | None:
        """(H, W) uint8 class ids, None while the labeller has no result."""
        return self._ids

    @property
    def has_picture(self) -> bool:
        """Whether a texture was chosen; it may still be loading."""
        return self._picture is not None or self._reading.is_wanted

    @property
    def is_busy(self) -> bool:
        """Whether the labeller is running."""
        return self._labelling.is_wanted

    def ask(self) -> None:
        """Ask for a texture."""
        text, _ = QFileDialog.getOpenFileName(self, "Texture of the same ground", str(self._folder), PICTURE_FILES)
        if text:
            path = Path(text)
            self._folder = path.parent
            self._say(f"Reading {path.name}…")
            self._reading.start(lambda progress, cancel: (path, read_colours(path, MAX_PROJECT_SIDE_PX)))
            self._show_state()

    def label_as(self, heights: HeightMap, ground: GroundScale) -> None:
        """Find the classes for this meaning of the heights; a result for another meaning is dropped."""
        if ground != self._ground or heights is not self._heights:
            self._heights, self._ground = heights, ground
            self._start()

    def stop(self) -> None:
        """Cancel loading and labelling."""
        self._reading.stop()
        self._labelling.stop()

    def _build(self) -> None:
        choice = QHBoxLayout()
        choice.setSpacing(10)
        choice.addWidget(self._choose)
        choice.addWidget(self._name, 1)
        links = QHBoxLayout()
        links.addWidget(self._stop)
        links.addWidget(self._again)
        links.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(label("Texture", "heading"))
        column.addLayout(choice)
        column.addWidget(self._notes)
        self._notes.hide()
        column.addWidget(
            paragraph("The labeller finds the classes of real terrain from its colours, heights and slopes.")
        )
        column.addSpacing(8)
        column.addWidget(self._message)
        column.addWidget(self._bar)
        column.addLayout(links)
        column.addStretch(1)

    def _read(self, loaded: tuple[Path, Picture]) -> None:
        path, source = loaded
        picture = source.over(SEA_COLOUR)
        (rows, cols), (high, wide) = self._heights.height.shape, picture.shape[:2]
        if not shows_same_ground(picture.shape, (rows, cols)):
            self._refuse(
                f"{path.name} has {wide} × {high} pixels and the heights have {cols} × {rows}; "
                "both must show the same ground, so crop one of them."
            )
            return
        self._path, self._picture = path, picture
        notes = list(source.notes)
        if source.see_through is not None:
            part = percent(float(np.count_nonzero(source.see_through) / source.see_through.size))
            notes.append(f"{part} of it is see-through and is taken as sea.")
        self._notes.setText(" ".join(notes))
        self._notes.setVisible(bool(notes))
        name = self.fontMetrics().elidedText(path.name, Qt.TextElideMode.ElideMiddle, _NAME_PX)
        self._name.setText(f"{name}\n{wide} × {high} px")
        self._name.setToolTip(tip(str(path)))
        self.picture_read.emit(picture)
        self._start()

    def _start(self) -> None:
        """Start the labeller again, if there are a texture and a meaning of the heights."""
        self._labelling.stop()
        self._ids = None
        picture, ground, heights = self._picture, self._ground, self._heights
        if picture is not None and ground is not None:

            def work(progress: Progress, cancel: Cancel) -> NDArray[np.uint8]:
                height = ground.metres(heights)
                return classes_of_earth(picture, height, ground.pixel_size_m, progress, cancel)

            self._say("Finding the classes…")
            self._bar.setValue(0)
            self._labelling.start(work)
        self._show_state()
        self.changed.emit()

    def _labelled(self, ids: NDArray[np.uint8]) -> None:
        self._ids = ids
        self._say("")
        self._show_state()
        self.changed.emit()

    def _stopped(self) -> None:
        self.stop()
        self._say("Stopped.")
        self._show_state()
        self.changed.emit()

    def _refuse(self, sentence: str) -> None:
        self._say(sentence, "warning")
        self._show_state()
        self.changed.emit()

    def _say(self, text: str, role: str = "muted") -> None:
        set_role(self._message, role)
        self._message.setText(text)

    def _show_state(self) -> None:
        busy = self._labelling.is_wanted or self._reading.is_wanted
        # Loading a file has no progress.
        self._bar.setRange(0, 0 if self._reading.is_wanted else _BAR_STEPS)
        self._bar.setVisible(busy)
        self._stop.setVisible(busy)
        self._again.setVisible(not busy and self._ids is None and self._picture is not None)
        self._message.setVisible(bool(self._message.text()))
        set_role(self._choose, "" if self.has_picture else "primary")
