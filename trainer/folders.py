"""Files of a folder that somebody else filled: which there are, their pixels, and why some cannot be used."""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from terrainpaint.core.files import why_unreadable
from terrainpaint.core.jobs import Progress
from terrainpaint.core.map_picture import no_pixel_limit
from terrainpaint.errors import TrainingError
from trainer.options import PrepareOptions
from trainer.patches import Patch, assemble
from trainer.prepared import PreparedSet

MOST_PX = 1 << 30
"""A picture of more pixels is left out, before memory is taken for them."""


class Unusable(Exception):
    """A file that is left out; the message goes on after its name: "is cut short"."""


def files_in(folder: Path, but: Iterable[Path] = ()) -> list[Path]:
    """All files below a folder, sorted, without hidden ones and those below the folders `but`.

    Raises TrainingError when there is none.
    """
    others = [each.resolve() for each in but]
    try:
        found = sorted(
            path
            for path in folder.rglob("*")
            if path.is_file()
            and not any(part.startswith(".") for part in path.relative_to(folder).parts)
            and not any(path.resolve().is_relative_to(other) for other in others)
        )
    except OSError as error:
        raise TrainingError(f"{folder} cannot be read: {why_unreadable(error)}.") from error
    if not found:
        raise TrainingError(f"{folder} holds no files; name a folder of pictures.")
    return found


def prepare_files(
    folder: Path,
    files: list[Path],
    options: PrepareOptions,
    patches_of: Callable[[Path, str, np.random.Generator], list[Patch]],
    progress: Progress,
) -> PreparedSet:
    """The set of the patches of all files of a folder. `patches_of` gets the path, its name within the folder and
    random numbers of its own, and raises Unusable for a file to be left out.

    Raises TrainingError when all are left out.
    """
    patches: list[Patch] = []
    left_out: list[tuple[str, str]] = []
    for index, path in enumerate(files):
        progress(index / len(files))
        name = path.relative_to(folder).as_posix()
        # By the name: a file that comes or goes does not move the crops of the others.
        random = np.random.default_rng([options.seed, zlib.crc32(name.encode())])
        try:
            patches += patches_of(path, name, random)
        except Unusable as error:
            left_out.append((name, str(error)))
    progress(1.0)
    if not patches:
        raise TrainingError(f"None of the {len(files)} files in {folder} can be used: {left_out[0][0]} "
                            f"{left_out[0][1]}.")  # fmt: skip
    return assemble(patches, options, left_out)


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 sRGB of any picture: turned upright, on white where it is transparent. Raises Unusable."""
    try:
        with no_pixel_limit(), warnings.catch_warnings(action="ignore"):
            opened = Image.open(path)
        with opened:
            if opened.width * opened.height > MOST_PX:
                raise Unusable(f"has {opened.width * opened.height // 10**6:,} million pixels; cut it into parts")
            picture = ImageOps.exif_transpose(opened)
    except Unusable:
        raise
    except UnidentifiedImageError as error:
        raise Unusable("is not a picture that can be read") from error
    except MemoryError as error:
        raise Unusable("does not fit into memory; cut it into parts") from error
    # Whatever a parser of foreign bytes raises, the bytes are at fault: OSError, ValueError, struct.error, ...
    except Exception as error:
        raise Unusable("is damaged or cut short") from error
    if picture.mode.startswith("I"):
        grey = np.asarray(picture)
        if grey.min() < 0 or grey.max() > 65535:
            raise Unusable("holds numbers of more than 16 bits, which are no lightness")
        return np.repeat((grey // 257).astype(np.uint8)[:, :, None], 3, axis=2)
    if picture.mode == "F":
        raise Unusable("holds fractions, which are no colours")
    if picture.has_transparency_data:
        over = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", over.size, "white"), over)
    return np.asarray(picture.convert("RGB"))


def read_numbers(path: Path) -> NDArray[Any]:
    """(H, W, 3) uint8 or uint16 of a colour picture, with all the bits that it has. Raises Unusable."""
    try:
        found = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR_RGB | cv2.IMREAD_ANYDEPTH)
    except OSError as error:
        raise Unusable(f"cannot be read: {why_unreadable(error)}") from error
    except cv2.error:
        found = None
    if found is None or found.dtype not in (np.uint8, np.uint16):
        raise Unusable("is not a picture that can be read")
    return np.asarray(found)


def require_room(shape: tuple[int, ...], side: int) -> None:
    """Raises Unusable when no tile fits into a picture of (H, W, …)."""
    if min(shape[:2]) < side:
        raise Unusable(f"is {shape[1]} x {shape[0]} px, smaller than a tile of {side} px")
