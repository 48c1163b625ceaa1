"""A film of the sample grids of a run, from the first to the last."""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.decoding import WHITE, UndecodableError, open_picture, picture_of
from terrainpaint.core.films import FORMATS, FilmWriter, Timing, filmed
from terrainpaint.core.progress import Progress
from terrainpaint.errors import TrainingError

FILM_SUFFIXES: Mapping[str, type[FilmWriter]] = {
    writer.suffix: writer for name, (_, writer) in FORMATS.items() if name != "png"
}
"""Suffixes of films → their writers."""


def write_progress_film(folder: Path, target: Path, fps: float, side_px: int, progress: Progress) -> int:
    """Write a film of `samples-*.png` of a run's folder, reduced to a longest side where `side_px` is not 0.

    All pictures have the size of the last one. Returns their number. Raises TrainingError when there are none or one
    cannot be read, OutputError when the film cannot be written.
    """
    grids = sorted(path for path in folder.glob("samples-*.png") if re.fullmatch(r"samples-\d+\.png", path.name))
    if not grids:
        raise TrainingError(f"{folder} holds no sample grids; name the folder of a run.")
    last = _read(grids[-1])
    scale = min(1.0, side_px / max(last.shape[:2])) if side_px else 1.0
    size = max(1, round(last.shape[1] * scale)), max(1, round(last.shape[0] * scale))
    # Exactly one frame for each grid, whatever the rounding of the length.
    timing = Timing(len(grids) / fps, fps)

    def shot(fraction: float) -> Generator[float, None, NDArray[np.uint8]]:
        picture = _read(grids[min(len(grids) - 1, round(fraction * len(grids)))])
        yield 0.5
        if (picture.shape[1], picture.shape[0]) == size:
            return picture
        return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)

    for done in filmed(target, FILM_SUFFIXES[target.suffix.lower()], shot, timing):
        progress(done)
    return len(grids)


def _read(path: Path) -> NDArray[np.uint8]:
    try:
        with open_picture(path) as opened:
            return picture_of(opened).over(WHITE)
    except (UndecodableError, OSError) as error:
        raise TrainingError(f"{path} cannot be read as a sample grid; remove it, or draw it again.") from error
