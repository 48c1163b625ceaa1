"""Sets of pictures in one NumPy `.npz` file without pickles.

The pictures of a layer are stored as JPEG or PNG, concatenated into one array of bytes, so that a set of the whole
Earth needs a few dozen megabytes. A header in JSON says what they are. Reading needs numpy and OpenCV only.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.array_file import ArrayFile, open_arrays
from terrainpaint.core.checked_json import JsonObject, parse_object
from terrainpaint.core.decoding import open_picture
from terrainpaint.core.files import FileTransaction, why_unreadable
from terrainpaint.core.main_memory import free_memory
from terrainpaint.core.opencv_decoding import decoded
from terrainpaint.core.project_pictures import HEADER_BYTES, png_header
from terrainpaint.core.quoting import shown
from terrainpaint.errors import TrainingError

Content = TypeVar("Content")
TILE_SET_FORMAT, PAIR_SET_FORMAT = "terrainpaint-prepared", "terrainpaint-pairs"
LAYOUT_SET_FORMAT, DETAIL_SET_FORMAT = "terrainpaint-layouts", "terrainpaint-details"
"""What the headers of the kinds of sets say under `format`."""
_CALLED = {
    TILE_SET_FORMAT: "a tile set", PAIR_SET_FORMAT: "a set of pairs", LAYOUT_SET_FORMAT: "a layout set",
    DETAIL_SET_FORMAT: "a detail set",
}  # fmt: skip
_NEWEST = 2**31 - 1
"""No version of a format is larger."""
MOST_SIDE_PX = 16_384
_LONGEST_STYLE = 100
PIXEL_SIZE_M = (1e-6, 1e9)
"""Smallest and largest ground size of a pixel that is read."""


class Packing(NamedTuple):
    """A format of OpenCV with its options."""

    suffix: str
    options: tuple[int, ...]


JPEG = Packing(".jpg", (cv2.IMWRITE_JPEG_QUALITY, 92))
SHARP_JPEG = Packing(
    ".jpg",
    (cv2.IMWRITE_JPEG_QUALITY, 94, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444),
)
"""With all pixels of the colours too, for drawings with thin coloured lines."""
PNG = Packing(".png", (cv2.IMWRITE_PNG_COMPRESSION, 9))


def write_packed(path: Path, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write a set, whole or not at all. Raises OutputError when it cannot be written."""
    encoded = np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)
    with FileTransaction() as files, files.path(path).open("wb") as stream:
        np.savez(stream, allow_pickle=False, **arrays, header=encoded)


def read_packed(path: Path, read: Callable[[ArrayFile], Content], what: str, command: str) -> Content:
    """What `read` makes of the arrays of a file, which is called `what` and made by a command of the trainer.

    `read` raises ValueError for wrong content. Raises TrainingError when the file is missing, broken or another.
    """
    try:
        with open_arrays(path, free_memory()) as stored:
            return read(stored)
    except OSError as error:
        raise TrainingError(f"{path} cannot be read: {why_unreadable(error)}.") from error
    except MemoryError as error:
        raise TrainingError(f"{path} does not fit into memory; {command} a set of fewer or smaller tiles.") from error
    except ValueError as error:
        raise TrainingError(f"{path} is not {what}, or is damaged or cut short; make it again with "
                            f"'python -m trainer {command}'.") from error  # fmt: skip


def read_header(stored: ArrayFile) -> JsonObject:
    """The header of a set. Raises ValueError when there is none."""
    return parse_object(stored.read("header", np.uint8, (None,)).tobytes())


def header_of(path: Path, stored: ArrayFile, format_name: str, version: int, wanted: str) -> JsonObject:
    """The header of a set of a kind, of `version` at most. `wanted` is the end of the sentence about a set of another
    kind. Raises TrainingError for that and for newer versions, ValueError when it is no set."""
    header = read_header(stored)
    if header["format"] != format_name:
        if header["format"] not in _CALLED:
            raise ValueError("of another format")
        raise TrainingError(f"{path} is {_CALLED[str(header['format'])]}, and {wanted}.")
    if header.whole("version", 1, _NEWEST) > version:
        raise TrainingError(f"{path} was made by a newer version; update TerrainPaint or make the set again.")
    return header


def format_of(path: Path) -> str | None:
    """The name of the format in the header of a set; None when the file cannot be read or is something else."""
    with suppress(OSError, ValueError, MemoryError), open_arrays(path, free_memory()) as stored:
        return read_header(stored).text("format")
    return None


def style_name(header: JsonObject, key: str) -> str:
    """The name of a style, which may be that of any folder: in one line of printable characters. Raises ValueError."""
    return shown(header.text(key), _LONGEST_STYLE)


def texts(header: JsonObject, key: str) -> tuple[str, ...]:
    """A list of texts, empty where it is missing. Raises ValueError when it is something else."""
    values = header.values.get(key, [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        header.refuse(key, "a list of names")
    return tuple(values)


def text_pairs(header: JsonObject, key: str) -> tuple[tuple[str, str], ...]:
    """A list of pairs of texts, empty where it is missing. Raises ValueError when it is something else."""
    values = header.values.get(key, [])
    if not isinstance(values, list) or not all(
        isinstance(pair, list) and len(pair) == 2 and all(isinstance(text, str) for text in pair) for pair in values
    ):
        header.refuse(key, "a list of pairs of texts")
    return tuple((name, reason) for name, reason in values)


@dataclass(frozen=True, eq=False)
class PackedPictures:
    """Encoded pictures of one layer, one after the other in `data` (B,) uint8; `ends` (M,) int64 is where each ends."""

    name: str
    data: NDArray[np.uint8]
    ends: NDArray[np.int64]

    @classmethod
    def of(cls, stored: ArrayFile, name: str) -> PackedPictures:
        """Read a layer. Raises ValueError when it is missing or its ends are not in order."""
        packed = cls(name, stored.read(name, np.uint8, (None,)), stored.read(f"{name}_end", np.int64, (None,)))
        borders = np.concatenate([[0], packed.ends])
        if (np.diff(borders) <= 0).any() or borders[-1] != len(packed.data):
            raise ValueError(f"{name} has pictures of no length")
        return packed

    def __len__(self) -> int:
        return len(self.ends)

    def pictures(self, flags: int, shape: tuple[int, ...], dtype: type[np.generic]) -> NDArray[Any]:
        """(M, *shape) decoded by OpenCV with its `flags`. Raises ValueError for a picture of another kind."""
        pictures = np.empty((len(self), *shape), dtype=dtype)
        for index, data in enumerate(np.split(self.data, self.ends[:-1]) if len(self) else []):
            # Pictures that declare another size are refused before they are decoded.
            if _declared_size(data) != shape[:2]:
                raise ValueError(f"{self.name} {index} has another size")
            pixels = decoded(data, flags)
            if pixels.shape != shape or pixels.dtype != dtype:
                raise ValueError(f"{self.name} {index} is no picture of {shape} {np.dtype(dtype)}")
            pictures[index] = pixels
        return pictures


def pack_pictures(
    arrays: dict[str, NDArray[Any]], name: str, pictures: Iterable[NDArray[Any]], packing: Packing
) -> None:
    """Add the pictures of a layer to the arrays of a set; colours are in the order of OpenCV, BGR."""
    suffix, options = packing
    encoded = [cv2.imencode(suffix, np.ascontiguousarray(picture), options)[1].ravel() for picture in pictures]
    arrays[name] = np.concatenate(encoded) if encoded else np.zeros(0, np.uint8)
    arrays[name + "_end"] = np.cumsum([len(each) for each in encoded], dtype=np.int64)


def _declared_size(data: NDArray[np.uint8]) -> tuple[int, int]:
    start = data[:HEADER_BYTES].tobytes()
    if start.startswith(b"\x89PNG"):
        return png_header(start).shape
    with open_picture(io.BytesIO(data.tobytes()), ("JPEG",)) as picture:
        return picture.size[1], picture.size[0]
