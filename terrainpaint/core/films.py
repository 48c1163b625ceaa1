"""Films: their formats, and the writing of one picture after the other."""

from __future__ import annotations

import io
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from terrainpaint.core.files import FileTransaction
from terrainpaint.errors import OptionError, OutputError

Picture = NDArray[np.uint8]
Shot = Callable[[float], Generator[float, None, Picture]]
"""Fraction 0..1 of the film → the steps of drawing its picture, (h, w, 3) or (h, w, 4) uint8 sRGB."""

_CODEC = "mp4v"  # MPEG-4, which every build of cv2 can write
_MOST_ANIMATION_BYTES = 1 << 31
_WAIT_S = 0.02
_QUALITY = 90


@dataclass(frozen=True)
class Timing:
    """Length in seconds and pictures a second."""

    seconds: float = 8.0
    fps: float = 30.0

    @property
    def frames(self) -> int:
        """The number of pictures, at least 1."""
        return max(1, round(self.seconds * self.fps))


class FilmWriter(ABC):
    """Writes the pictures of a film to files of a transaction. `closing` frees what it holds."""

    has_alpha: ClassVar[bool] = False
    suffix: ClassVar[str]

    def __init__(self, path: Path, timing: Timing, files: FileTransaction, closing: ExitStack) -> None:
        self._path, self._timing, self._files, self._closing = path, timing, files, closing

    @classmethod
    def first_file(cls, path: Path) -> Path:
        """The first file that a film at `path` consists of."""
        return path

    @abstractmethod
    def add(self, picture: Picture) -> None:
        """Write the next picture. Raises OutputError."""

    def finish(self) -> Iterator[None]:
        """The steps of what is left to do after the last picture. Raises OutputError."""
        return iter(())

    def _unwritable(self) -> OutputError:
        return OutputError(f"{self._path} could not be written as a film; check the free space and try another folder.")


class _Mp4(FilmWriter):
    suffix = ".mp4"

    def __init__(self, path: Path, timing: Timing, files: FileTransaction, closing: ExitStack) -> None:
        super().__init__(path, timing, files, closing)
        self._temporary = files.path(path)
        self._writer: cv2.VideoWriter | None = None

    def add(self, picture: Picture) -> None:
        rows, cols = picture.shape[:2]
        picture = picture[: rows - rows % 2, : cols - cols % 2]  # the codec has no odd sizes
        if self._writer is None:
            size = (picture.shape[1], picture.shape[0])
            codec = cv2.VideoWriter.fourcc(*_CODEC)
            self._writer = cv2.VideoWriter(str(self._temporary), codec, self._timing.fps, size)
            self._closing.callback(self._writer.release)
            if not self._writer.isOpened():
                raise self._unwritable()
        self._writer.write(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))

    def finish(self) -> Iterator[None]:
        if self._writer is not None:
            self._writer.release()
        film = cv2.VideoCapture(str(self._temporary))
        written = int(film.get(cv2.CAP_PROP_FRAME_COUNT))
        film.release()
        if written != self._timing.frames:  # cv2 does not report a full disk
            raise self._unwritable()
        return iter(())


class _Numbered(FilmWriter):
    """NAME_0001.png, NAME_0002.png …"""

    suffix = ".png"
    has_alpha = True

    def __init__(self, path: Path, timing: Timing, files: FileTransaction, closing: ExitStack) -> None:
        super().__init__(path, timing, files, closing)
        self._count = 0

    @classmethod
    def first_file(cls, path: Path) -> Path:
        return cls._file(path, 1)

    @classmethod
    def _file(cls, path: Path, number: int) -> Path:
        return path.with_name(f"{path.stem}_{number:04d}{cls.suffix}")

    def add(self, picture: Picture) -> None:
        self._count += 1
        final = self._file(self._path, self._count)
        Image.fromarray(picture).save(self._files.path(final), "PNG", compress_level=4)


class _Animation(FilmWriter):
    """Formats whose encoder needs all pictures at once; it runs in a thread."""

    encoder: ClassVar[str]
    options: ClassVar[Mapping[str, object]] = {}

    def __init__(self, path: Path, timing: Timing, files: FileTransaction, closing: ExitStack) -> None:
        super().__init__(path, timing, files, closing)
        self._temporary = files.path(path)
        self._pictures: list[Image.Image] = []

    def add(self, picture: Picture) -> None:
        frames = self._timing.frames
        if not self._pictures and picture.nbytes * frames > _MOST_ANIMATION_BYTES:
            raise OptionError(
                f"A film of {frames} pictures of {picture.shape[1]} x {picture.shape[0]} px is too large for "
                f"{self.encoder}; choose MP4 or numbered pictures, a smaller size or a shorter film."
            )
        self._pictures.append(Image.fromarray(picture))

    def finish(self) -> Iterator[None]:
        encoded: list[bytes] = []
        # Into memory, because a cancelled film leaves the thread running until the encoder returns.
        thread = threading.Thread(target=lambda: encoded.append(self._encoded()), name="film-encoder", daemon=True)
        thread.start()
        while thread.is_alive():
            thread.join(_WAIT_S)
            yield
        if not encoded:
            raise self._unwritable()
        self._temporary.write_bytes(encoded[0])

    def _encoded(self) -> bytes:
        file = io.BytesIO()
        first, *others = self._pictures
        first.save(
            file, self.encoder, save_all=True, append_images=others, duration=round(1000 / self._timing.fps), loop=0,
            **self.options,
        )  # fmt: skip
        return file.getvalue()


class _WebP(_Animation):
    encoder, suffix, has_alpha = "WebP", ".webp", True
    # Only key frames: differences between frames lose their transparency in libwebp, and here all pixels change.
    options: ClassVar[Mapping[str, object]] = {"quality": _QUALITY, "method": 2, "kmin": 0, "kmax": 1}


class _Gif(_Animation):
    encoder, suffix = "GIF", ".gif"


FORMATS: Mapping[str, tuple[str, type[FilmWriter]]] = {
    "mp4": ("MP4 film", _Mp4),
    "webp": ("Animated WebP", _WebP),
    "gif": ("Animated GIF", _Gif),
    "png": ("Numbered PNG pictures", _Numbered),
}
"""Key → (name, writer)."""


def filmed(path: Path, kind: type[FilmWriter], shot: Shot, timing: Timing) -> Generator[float, None, Path]:
    """Write a film to `path`, or to numbered files next to it; yields the fraction that is done, returns the path
    of the first file.

    Raises OutputError when a file cannot be written, OptionError when the film is too large for its format; then, and
    when the generator is closed, there is no file.
    """
    if path.suffix.lower() != kind.suffix:
        raise OutputError(f"{path} does not end in {kind.suffix}; choose another name.")
    frames = timing.frames
    with FileTransaction() as files, ExitStack() as closing:
        writer = kind(path, timing, files, closing)
        for frame in range(frames):
            for part in (steps := _Result(shot(frame / frames))):
                yield (frame + part) / frames
            writer.add(steps.value)
        for _ in writer.finish():
            yield 1.0
    return kind.first_file(path)


class _Result:
    """Iterates over the steps of a generator and holds what it returned."""

    value: Picture

    def __init__(self, steps: Generator[float, None, Picture]) -> None:
        self._steps = steps

    def __iter__(self) -> Iterator[float]:
        self.value = yield from self._steps
