"""Picture files → picture files that a network makes of them: one, or those of a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.files import FileTransaction, write_image
from terrainpaint.core.main_memory import require_room
from terrainpaint.core.path_kinds import is_folder, is_there
from terrainpaint.core.progress import Progress
from terrainpaint.errors import OutputError, TrainingError
from trainer.data.folder_files import find_files
from trainer.data.image_folder import UnusableFile, read_rgb

Make = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
"""(H, W, 3) uint8 sRGB → another picture."""


def make_files(make: Make, bytes_of_a_pixel: int, source: Path, target: Path, progress: Progress) -> list[str]:
    """Write the picture that `make` makes of `source`, or one PNG into the folder `target` for each picture below the
    folder `source`, of the same name within it; returns lines to print, with the files that were left out.

    `bytes_of_a_pixel` is the memory that a pixel of the source takes. Raises TrainingError when the source is no
    picture, is the target, does not fit into memory, or nothing in the folder can be used; OutputError.
    """
    if is_folder(source):
        return _make_folder(make, bytes_of_a_pixel, source, target, progress)
    try:
        _write(make, bytes_of_a_pixel, source, target)
    except UnusableFile as error:
        raise TrainingError(f"{source} {error}.") from error
    return [str(target)]


def _make_folder(make: Make, bytes_of_a_pixel: int, source: Path, target: Path, progress: Progress) -> list[str]:
    if target.resolve() == source.resolve():
        raise TrainingError(f"{target} is the folder of the pictures themselves; name another folder with -o.")
    files = find_files(source, [target])
    left_out = list(files.left_out)
    taken: set[Path] = set()
    for index, name in enumerate(files.names):
        progress(index / len(files))
        path = target / Path(name).with_suffix(".png")
        if path in taken:  # a.jpg beside a.png
            path = target / f"{name}.png"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{path.parent} cannot be created: {error.strerror}.") from error
        try:
            _write(make, bytes_of_a_pixel, files.path(name), path)
            taken.add(path)
        except UnusableFile as error:
            left_out.append((name, str(error)))
    progress(1.0)
    if not taken:
        raise TrainingError(f"None of the {len(files)} files in {source} can be used: {left_out[0][0]} "
                            f"{left_out[0][1]}.")  # fmt: skip
    return [f"{target}: {len(taken)} pictures", *(f"left out: {name} {reason}" for name, reason in left_out)]


def _write(make: Make, bytes_of_a_pixel: int, source: Path, target: Path) -> None:
    pixels = read_rgb(source)
    if is_there(target) and target.samefile(source):
        raise TrainingError(f"{target} is the picture itself; name another file with -o.")
    require_room(source, pixels.shape[0] * pixels.shape[1] * bytes_of_a_pixel, TrainingError)
    with FileTransaction() as files:
        write_image(files.path(target), make(pixels)[:, :, ::-1])
