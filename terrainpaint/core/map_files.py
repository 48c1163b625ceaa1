"""Read and write a segmentation map as a picture. Pictures that are not maps are refused with the reason."""

from __future__ import annotations

import io
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from terrainpaint.core import decoding
from terrainpaint.core.classes import CLASS_NAMES, CLASSES, PALETTE, nearest_classes
from terrainpaint.core.decoding import UndecodableError
from terrainpaint.core.files import atomic_path, why_unreadable
from terrainpaint.core.segmentation import MAX_MAP_SIDE_PX, SegmentationMap, require_legal_sides
from terrainpaint.errors import DeviceError, MapError

STRIP_PX = 1 << 20
"""Pixels that are converted at a time."""
_NO_CLASS = 255


def read_map(path: Path) -> SegmentationMap:
    """Read a palette or RGB PNG whose pixels all have exact class colours; palette order does not matter.

    Raises MapError; for other colours it names the first one and its place.
    """
    with _open_picture(path) as picture:
        if picture.format != "PNG":
            raise MapError(
                f"{path} is a {picture.format} picture, and such files may have changed colours; "
                "save the map as PNG or read it with --nearest-colour."
            )
        _load_pixels(path, picture)
        table = _exact_table(picture)
        ids = np.empty((picture.height, picture.width), np.uint8)
        inexact = 0
        example = ""
        for top, codes in _strips(path, picture):
            part = table[codes]
            wrong = part == _NO_CLASS
            count = int(np.count_nonzero(wrong))
            if count and not inexact:
                row, col = np.unravel_index(int(wrong.argmax()), wrong.shape)
                red, green, blue = _colours_of(picture, codes[row, col : col + 1])[0]
                example = f"#{red:02x}{green:02x}{blue:02x} at row {top + row}, column {col}"
            inexact += count
            ids[top : top + len(part)] = part
    if inexact:
        raise MapError(
            f"{path} has colours that belong to no class on {inexact / ids.size:.2%} of its pixels, "
            f"the first is {example}; repaint them or read the map with --nearest-colour."
        )
    return SegmentationMap(ids)


def read_map_nearest(path: Path) -> tuple[SegmentationMap, float]:
    """Read any 8-bit RGB or palette picture; any other colour becomes the class of the nearest sRGB colour.

    Returns the map and the fraction, 0..1, of pixels whose colour was not exact. Raises MapError.
    """
    with _open_picture(path) as picture:
        _load_pixels(path, picture)
        exact = _exact_table(picture)
        nearest = exact.copy()
        ids = np.empty((picture.height, picture.width), np.uint8)
        inexact = 0
        for top, codes in _strips(path, picture):
            wrong = codes[exact[codes] == _NO_CLASS]
            inexact += wrong.size
            new = np.unique(wrong[nearest[wrong] == _NO_CLASS])
            nearest[new] = nearest_classes(_colours_of(picture, new))
            ids[top : top + len(codes)] = nearest[codes]
    return SegmentationMap(ids), inexact / ids.size


def write_map(path: Path, segmentation: SegmentationMap) -> None:
    """Write a palette PNG, index = class id, with the class names as iTXt text. An old file is replaced atomically.

    Raises OutputError.
    """
    picture = Image.fromarray(segmentation.ids)
    picture.putpalette(PALETTE.tobytes())
    names = PngInfo()
    names.add_itxt("Terrain classes", ", ".join(f"{index} {name}" for index, name in enumerate(CLASS_NAMES)))
    # Encoded in memory, because Pillow hides the reason of a failed write; a map compresses to a few per cent.
    data = io.BytesIO()
    picture.save(data, "PNG", pnginfo=names)
    with atomic_path(path) as temporary:
        temporary.write_bytes(data.getbuffer())


@contextmanager
def _open_picture(path: Path) -> Iterator[Image.Image]:
    """Open a picture whose header is that of a map: mode P or RGB, 8 bits, legal size. Pixels are not decoded yet.

    Raises MapError for any other picture, before memory is allocated for the pixels.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise MapError(f"{path} is not a file; choose a PNG picture of a map.")
        picture = decoding.open_picture(path)
    except OSError as error:
        raise MapError(f"{path} cannot be read: {why_unreadable(error)}.") from error
    except UndecodableError as error:
        raise MapError(f"{path} {error}; save the map as PNG.") from error
    with picture:
        _check_header(path, picture)
        yield picture


def _load_pixels(path: Path, picture: Image.Image) -> None:
    """Decode the pixels that `_strips` and `_colours_of` read.

    Raises MapError when they are damaged or cut short, DeviceError when they do not fit into memory.
    """
    try:
        decoding.load_pixels(picture)
    except MemoryError as error:
        raise DeviceError(
            f"There is not enough memory to read {path} with its {picture.width} x {picture.height} pixels; "
            "use a smaller map."
        ) from error
    except UndecodableError as error:
        raise MapError(f"{path} {error}; save or copy it again.") from error


def _strips(path: Path, picture: Image.Image) -> Iterator[tuple[int, NDArray[np.uint32]]]:
    """Yield the loaded pixels as (first row, (rows, W) uint32 codes), from north to south.

    A code is the palette index of a P picture, else `red | green << 8 | blue << 16`.
    Raises MapError when a pixel is transparent.
    """
    transparent = _transparent_indices(picture)
    rows = max(1, STRIP_PX // picture.width)
    for top in range(0, picture.height, rows):
        bottom = min(top + rows, picture.height)
        strip = picture.crop((0, top, picture.width, bottom))
        if picture.mode == "P":
            codes = np.frombuffer(strip.tobytes(), np.uint8).astype(np.uint32)
            # Entries that no pixel uses may be transparent: many programs add one to every palette.
            if transparent.any() and transparent[codes].any():
                raise MapError(f"{path} has transparency; save it without alpha.")
        else:
            # Four bytes of a pixel make one number; the fourth is padding of any value.
            codes = np.frombuffer(strip.tobytes("raw", "RGBX"), "<u4") & np.uint32(0xFFFFFF)
        yield top, codes.reshape(bottom - top, picture.width)


def _colours_of(picture: Image.Image, codes: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """(N,) codes as `_strips` yields them → (N, 3) uint8 sRGB."""
    if picture.mode != "P":
        return codes.astype("<u4").view(np.uint8).reshape(-1, 4)[:, :3]
    palette = np.zeros((256, 3), np.uint8)
    entries = np.array(picture.getpalette("RGB"), np.uint8).reshape(-1, 3)
    palette[: len(entries)] = entries
    return palette[codes]


def _transparent_indices(picture: Image.Image) -> NDArray[np.bool_]:
    """(256,) bool: the palette indices that are not fully opaque; all False for RGB."""
    alpha = picture.info.get("transparency", b"")
    marked = np.zeros(256, np.bool_)
    if isinstance(alpha, int):
        marked[alpha] = True
    elif isinstance(alpha, bytes):
        marked[: len(alpha)] = np.frombuffer(alpha, np.uint8) < 255
    return marked


def _check_header(path: Path, picture: Image.Image) -> None:
    width, height = picture.size
    require_legal_sides(path, height, width, MAX_MAP_SIDE_PX, MapError)
    # Pillow converts 16-bit colours to 8 bits silently; only the raw mode of its decoder shows it.
    if picture.mode.startswith("I;16") or any(";16" in str(tile[3]) for tile in getattr(picture, "tile", [])):
        raise MapError(f"{path} has 16 bits a channel; save it with 8 bits a channel.")
    if picture.mode in ("RGBA", "LA", "PA") or (picture.mode == "RGB" and "transparency" in picture.info):
        raise MapError(f"{path} has transparency; save it without alpha.")
    if picture.mode in ("1", "L", "I", "F"):
        raise MapError(f"{path} is a grey picture; save it in the seven class colours.")
    if picture.mode not in ("P", "RGB"):
        raise MapError(f"{path} is a {picture.mode} picture; save it as RGB.")


def _exact_table(picture: Image.Image) -> NDArray[np.uint8]:
    """(N,) uint8 class id of each code of `_strips`, _NO_CLASS for a colour that is not exactly a class colour."""
    if picture.mode == "P":
        colours = _colours_of(picture, np.arange(256, dtype=np.uint32))
        same = (colours[:, None] == PALETTE).all(axis=2)
        return np.where(same.any(axis=1), same.argmax(axis=1), _NO_CLASS).astype(np.uint8)
    table = np.full(1 << 24, _NO_CLASS, np.uint8)
    for terrain_class in CLASSES:
        red, green, blue = terrain_class.colour
        table[red | green << 8 | blue << 16] = terrain_class.id
    return table
