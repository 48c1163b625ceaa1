"""A picture of the ground of a height map, and the classes that the labeller finds in both."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from terrainpaint.core.decoding import read_picture
from terrainpaint.core.importing import HeightMap, classes_of_earth
from terrainpaint.core.progress import Cancel, Progress
from terrainpaint.gui.background_jobs import NewestJob
from terrainpaint.gui.theme import set_role
from terrainpaint.gui.widgets.basics import PICTURE_FILES, label, paragraph, push_button

_ALIKE = 0.05
"""How much the proportions of two pictures of one ground may differ: a border of a few pixels, not another frame."""
_BAR_STEPS = 1000
_NAME_PX = 150


@dataclass(frozen=True)
class Ground:
    """What the heights of a file mean: metres of its lowest and highest value, and of a pixel."""

    low_m: float
    high_m: float
    pixel_size_m: float


class TexturePanel(QWidget):
    """Asks for a picture of the ground of `heights`, and finds the classes; `folder` is where it looks for it first."""

    picture_read = Signal(object)
    """(h, w, 3) uint8 sRGB of the picture."""
    changed = Signal()
    """The classes are there, or are not any more."""

    def __init__(self, heights: HeightMap, folder: Path) -> None:
        super().__init__()
        self._heights, self._folder = heights, folder
        self._path: Path | None = None
        self._picture: NDArray[np.uint8] | None = None
        self._ids: NDArray[np.uint8] | None = None
        self._ground: Ground | None = None
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._reading, self._labelling = NewestJob(self), NewestJob(self)
        self._reading.done.connect(self._read)
        self._reading.failed.connect(self._refuse)
        self._labelling.progressed.connect(lambda share: self._bar.setValue(round(share * _BAR_STEPS)))
        self._labelling.done.connect(self._labelled)
        self._labelling.failed.connect(self._refuse)
        self._name, self._said = label("", "muted"), paragraph("")
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
        """(H, W) uint8 class ids of the heights, None while there are none."""
        return self._ids

    @property
    def has_picture(self) -> bool:
        """Whether a picture was chosen; it may still be being read."""
        return self._picture is not None or self._reading.is_wanted

    @property
    def is_busy(self) -> bool:
        """Whether classes are being found."""
        return self._labelling.is_wanted

    def ask(self) -> None:
        """Ask for a picture."""
        text, _ = QFileDialog.getOpenFileName(self, "Texture of the same ground", str(self._folder), PICTURE_FILES)
        if text:
            path = Path(text)
            self._folder = path.parent
            self._say(f"Reading {path.name}…")
            self._reading.start(lambda progress, cancel: (path, read_picture(path)))
            self._show_state()

    def label_as(self, ground: Ground) -> None:
        """Find the classes of heights that mean this; what was found for other heights does not count any more."""
        if ground != self._ground:
            self._ground = ground
            self._start()

    def stop(self) -> None:
        """Let all work be; nothing comes of it."""
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
        column.addWidget(
            paragraph("The labeller knows the Earth from above: by its colours, its heights and its slopes.")
        )
        column.addSpacing(8)
        column.addWidget(self._said)
        column.addWidget(self._bar)
        column.addLayout(links)
        column.addStretch(1)

    def _read(self, found: tuple[Path, NDArray[np.uint8]]) -> None:
        path, picture = found
        (rows, cols), (high, wide) = self._heights.height.shape, picture.shape[:2]
        stretch = (wide / high) / (cols / rows)
        if max(stretch, 1 / stretch) > 1 + _ALIKE:
            self._refuse(
                f"{path.name} has {wide:,} × {high:,} pixels and the heights {cols:,} × {rows:,}, which is no picture "
                "of the same ground; crop one of the two."
            )
            return
        self._path, self._picture = path, picture
        name = self.fontMetrics().elidedText(path.name, Qt.TextElideMode.ElideMiddle, _NAME_PX)
        self._name.setText(f"{name}\n{wide:,} × {high:,} px")
        self._name.setToolTip(str(path))
        self.picture_read.emit(picture)
        self._start()

    def _start(self) -> None:
        """Find the classes anew, if it is known of what."""
        self._labelling.stop()
        self._ids = None
        picture, ground, heights = self._picture, self._ground, self._heights
        if picture is not None and ground is not None:

            def work(progress: Progress, cancel: Cancel) -> NDArray[np.uint8]:
                height = heights.in_metres(ground.low_m, ground.high_m).height
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
        set_role(self._said, role)
        self._said.setText(text)

    def _show_state(self) -> None:
        busy = self._labelling.is_wanted or self._reading.is_wanted
        # How far a file has been read is not known.
        self._bar.setRange(0, 0 if self._reading.is_wanted else _BAR_STEPS)
        self._bar.setVisible(busy)
        self._stop.setVisible(busy)
        self._again.setVisible(not busy and self._ids is None and self._picture is not None)
        self._said.setVisible(bool(self._said.text()))
        set_role(self._choose, "" if self.has_picture else "primary")
