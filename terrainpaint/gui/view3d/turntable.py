"""A film of one turn around the terrain."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer, Signal

from terrainpaint.core.files import atomic_path
from terrainpaint.core.progress import Cancel, Progress, check_cancel
from terrainpaint.errors import Cancelled, OutputError, TerrainPaintError

Shot = Callable[[float], NDArray[np.uint8]]
"""Angle 0..360 degrees → picture (h, w, 3) uint8 sRGB."""

_CODEC = "mp4v"  # MPEG-4, which every build of cv2 can write


def filmed(
    path: Path, shot: Shot, frames: int, fps: float, progress: Progress, cancel: Cancel
) -> Generator[None, None, None]:
    """Write `frames` pictures of one turn to an MP4 at `path`; one step of the generator writes one picture.

    Raises OutputError when the file cannot be written, or Cancelled; then there is no file.
    """
    if path.suffix.lower() != ".mp4":
        raise OutputError(f"{path} does not end in .mp4, the only format for films; choose another name.")
    with atomic_path(path) as temporary:
        writer: cv2.VideoWriter | None = None
        try:
            for frame in range(frames):
                check_cancel(cancel)
                picture = shot(360 * frame / frames)
                if writer is None:
                    size = (picture.shape[1], picture.shape[0])
                    writer = cv2.VideoWriter(str(temporary), cv2.VideoWriter.fourcc(*_CODEC), fps, size)
                    if not writer.isOpened():
                        raise _unwritable(path)
                writer.write(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
                progress((frame + 1) / frames)
                yield
        finally:
            if writer is not None:
                writer.release()
        if _frames_in(temporary) != frames:  # cv2 does not report a full disk
            raise _unwritable(path)


def _frames_in(path: Path) -> int:
    film = cv2.VideoCapture(str(path))
    try:
        return int(film.get(cv2.CAP_PROP_FRAME_COUNT))
    finally:
        film.release()


def _unwritable(path: Path) -> OutputError:
    return OutputError(f"{path} could not be written as a film; check the free space and try another folder.")


class FilmJob(QObject):
    """Runs the steps of `filmed` between the events of the window. Emits exactly one of its signals, once."""

    finished = Signal(object)
    """The path of the film."""
    failed = Signal(object)
    """A TerrainPaintError."""
    cancelled = Signal()

    def __init__(self, path: Path, steps: Generator[None, None, None], parent: QObject) -> None:
        super().__init__(parent)
        self._path, self._steps = path, steps
        self._timer = QTimer(self)
        self._timer.setInterval(0)  # when there are no events
        self._timer.timeout.connect(self._step)
        self._timer.start()

    def _step(self) -> None:
        try:
            next(self._steps)
        except StopIteration:
            self._end()
            self.finished.emit(self._path)
        except Cancelled:
            self._end()
            self.cancelled.emit()
        except TerrainPaintError as error:
            self._end()
            self.failed.emit(error)

    def _end(self) -> None:
        self._timer.stop()
        self.deleteLater()
