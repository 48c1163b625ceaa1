"""Picture files → picture files in the other style."""

from __future__ import annotations

from pathlib import Path

import torch
from torch.nn import functional as F

from terrainpaint.core.files import FileTransaction, write_image
from terrainpaint.core.main_memory import require_room
from terrainpaint.core.path_kinds import is_there
from terrainpaint.core.progress import Progress
from terrainpaint.errors import OutputError, TrainingError
from trainer.data.folder_files import find_files
from trainer.data.image_folder import UnusableFile, read_rgb
from trainer.sampling.grid import to_uint8
from trainer.systems.pix2pix.generators import bytes_of_a_pixel
from trainer.systems.pix2pix.weights import Translator


def translate_picture(translator: Translator, source: Path, target: Path, seed: int) -> None:
    """Write the picture `target` that a translator makes of `source`, of the same size.

    Raises TrainingError when the source is no picture, is the target, or does not fit into memory; OutputError.
    """
    try:
        _write(translator, source, target, seed)
    except UnusableFile as error:
        raise TrainingError(f"{source} {error}.") from error


def translate_folder(
    translator: Translator, source: Path, target: Path, seed: int, progress: Progress
) -> tuple[int, tuple[tuple[str, str], ...]]:
    """Write a PNG into the folder `target` for each picture below `source`, of the same name within it.

    Returns the number of pictures, and the files that were left out with the end of a sentence that says why. Raises
    TrainingError when none can be used, or the folders are the same; OutputError.
    """
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
            _write(translator, files.path(name), path, seed)
            taken.add(path)
        except UnusableFile as error:
            left_out.append((name, str(error)))
    progress(1.0)
    if not taken:
        raise TrainingError(f"None of the {len(files)} files in {source} can be used: {left_out[0][0]} "
                            f"{left_out[0][1]}.")  # fmt: skip
    return len(taken), tuple(left_out)


def _write(translator: Translator, source: Path, target: Path, seed: int) -> None:
    pixels = read_rgb(source)
    if is_there(target) and target.samefile(source):
        raise TrainingError(f"{target} is the picture itself; name another file with -o.")
    require_room(source, pixels.shape[0] * pixels.shape[1] * bytes_of_a_pixel(translator.generator), TrainingError)
    picture = torch.from_numpy(pixels.copy()).movedim(-1, 0)[None].float() / 127.5 - 1
    margin = translator.margin_px
    made = translator(F.pad(picture, (margin,) * 4, mode="replicate"), seed)
    with FileTransaction() as files:
        write_image(files.path(target), to_uint8(made)[0, :, :, ::-1])
