"""Event files of TensorBoard, written by the thread that calls.

TensorBoard's own writer opens its file again and again in a thread of its own, which ends with a traceback when the
folder is gone.
"""

from __future__ import annotations

import os
import platform
import time
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.installing import install_extra
from terrainpaint.errors import TrainingError

_VERSION = "brain.Event:2"
_numbers = count()


class EventFile:
    """An event file in a folder. When it is removed or fails, the next values go to a new one, the folder too."""

    def __init__(self, folder: Path, images: int) -> None:
        """Continue after `images` images: TensorBoard forgets what an interrupted run wrote beyond them.

        Raises TrainingError when TensorBoard is not installed, and OSError.
        """
        try:
            from tensorboard.compat.proto.event_pb2 import Event, SessionLog
            from tensorboard.summary.writer.record_writer import RecordWriter
            from torch.utils.tensorboard import summary
        except ImportError as error:
            raise TrainingError(f"The trainer needs its extra packages; run: {install_extra('train')}.") from error
        self._folder, self._path = folder, folder
        self._event: Any = Event
        self._summary: Any = summary
        self._new_writer: Any = RecordWriter
        self._writer: Any = None
        self._open()
        if images:
            self._write(step=images + 1, session_log=SessionLog(status=SessionLog.START))

    def add_values(self, values: dict[str, float], images: int) -> None:
        """Write numbers by name. Raises OSError."""
        self._require_file()
        for name, value in values.items():
            self._write(step=images, summary=self._summary.scalar(name, value))

    def add_picture(self, name: str, picture: NDArray[np.uint8], images: int) -> None:
        """Write a picture, (H, W, 3) uint8 sRGB. Raises OSError."""
        self._require_file()
        self._write(step=images, summary=self._summary.image(name, picture, dataformats="HWC"))

    def close(self) -> None:
        """End the file. Raises OSError."""
        if self._writer is not None:
            writer, self._writer = self._writer, None
            writer.close()

    def _require_file(self) -> None:
        if self._writer is None or not self._path.exists():
            self.close()
            self._open()

    def _open(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        stem = f"events.out.tfevents.{time.time():010.0f}.{platform.node()}.{os.getpid()}"
        self._path = self._folder / f"{stem}.{next(_numbers)}"
        self._writer = self._new_writer(self._path.open("wb"))
        self._write(file_version=_VERSION)

    def _write(self, **content: Any) -> None:
        try:
            self._writer.write(self._event(wall_time=time.time(), **content).SerializeToString())
            self._writer.flush()
        except OSError:
            # A record that is half written would hide all later ones.
            with suppress(OSError):
                self.close()
            raise
