"""Pictures, sheets and films that are written, all enlarged by a whole factor."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.files import FileTransaction, write_image
from terrainpaint.core.films import Timing, filmed
from terrainpaint.core.progress import Progress
from trainer.sampling.grid import picture_grid
from trainer.sampling.progress_film import FILM_SUFFIXES

_FILM_SIDE_PX = 256
"""Films of smaller pictures are enlarged: players blur them, and MP4 keeps little of them."""
_PICTURE_GAPS = 32
"""So many gaps of a sheet are as wide as one of its pictures."""


def enlarged(picture: NDArray[np.uint8], times: int) -> NDArray[np.uint8]:
    """(H, W, 3) → (H * times, W * times, 3)."""
    if times == 1:
        return picture
    return np.asarray(cv2.resize(picture, None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC), np.uint8)


def film_enlargement(size_px: int, given: int | None) -> int:
    """The factor for the pictures of a film: the given one, or the least that makes them large enough."""
    return max(1, -(-_FILM_SIDE_PX // size_px)) if given is None else given


def write_sheet(
    files: FileTransaction, path: Path, pictures: NDArray[np.uint8], columns: int, times: int | None
) -> None:
    """Write pictures (N, S, S, 3) as one, row by row, with narrow gaps."""
    large = np.stack([enlarged(picture, times or 1) for picture in pictures])
    sheet = picture_grid(large, columns, max(1, large.shape[1] // _PICTURE_GAPS))
    write_image(files.path(path), sheet[:, :, ::-1])


def write_pictures(folder: Path, pictures: NDArray[np.uint8], names: Sequence[str], times: int | None) -> None:
    """Write pictures (N, S, S, 3) as PNG files of these names, all or none. Raises OutputError."""
    with FileTransaction() as files:
        for name, picture in zip(names, pictures, strict=True):
            write_image(files.path(folder / f"{name}.png"), enlarged(picture, times or 1)[:, :, ::-1])


def write_film(path: Path, pictures: Iterable[NDArray[np.uint8]], count: int, fps: float, progress: Progress) -> None:
    """Write `count` pictures (H, W, 3) as a film, whose format is that of the suffix, one of `FILM_SUFFIXES`.

    Raises OutputError, OptionError when it is too large for its format.
    """
    kind = FILM_SUFFIXES[path.suffix.lower()]
    coming = iter(pictures)

    def shot(_part: float) -> Generator[float, None, NDArray[np.uint8]]:
        yield 0.0
        return next(coming)

    for fraction in filmed(path, kind, shot, Timing(count / fps, fps)):
        progress(fraction)
    progress(1.0)
