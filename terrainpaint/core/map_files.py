"""Read and write a segmentation map as a picture. Pictures that are not maps are refused with the reason."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from terrainpaint.core import decoding
from terrainpaint.core.classes import CLASS_NAMES, CLASSES, PALETTE, WATER, nearest_classes
from terrainpaint.core.decoding import OPAQUE_ALPHA, UndecodableError
from terrainpaint.core.files import atomic_path, why_unreadable
from terrainpaint.core.project import EMPTY
from terrainpaint.core.segmentation import MAX_MAP_SIDE_PX, SegmentationMap, require_legal_sides
from terrainpaint.errors import DeviceError, MapError

STRIP_PX = 1 << 20
"""Pixels that are converted at a time."""
_PIXEL_SIZE = "Metres a pixel"
PIXEL_SIZES_M = 0.01, 1e6
"""Smallest and largest ground size of a pixel in metres."""
_NO_CLASS = 254
_OPAQUE = [255 * (alpha >= OPAQUE_ALPHA) for alpha in range(256)]
_LOSSY = ("JPEG", "MPO", "WEBP", "AVIF", "JPEG2000")

Say = Callable[[str], None]
"""Called with a sentence about what was done with a file."""


def say_nothing(sentence: str) -> None:
    """A `Say` that does nothing."""


def read_map(path: Path, under: int = WATER, say: Say = say_nothing) -> SegmentationMap:
    """Read a picture whose pixels all have exact class colours; `under` is the class of its see-through pixels.

    Raises MapError; for other colours it names the first one and its place.
    """
    return SegmentationMap(_filled(path, read_map_cells(path, say), under, say))


def read_map_cells(path: Path, say: Say = say_nothing) -> NDArray[np.uint8]:
    """(H, W) uint8 class ids of a picture with exact class colours, EMPTY where it is see-through; sides as of a map.

    Palette order does not matter. Raises MapError; for other colours it names the first one and its place.
    """
    with _open_picture(path) as opened:
        picture = _decoded(path, opened, say)
        table = _exact_table(picture)
        cells = np.empty((picture.height, picture.width), np.uint8)
        inexact = 0
        example = ""
        for top, codes, clear in _strips(picture):
            part = table[codes]
            part[clear] = EMPTY
            wrong = part == _NO_CLASS
            count = int(np.count_nonzero(wrong))
            if count and not inexact:
                row, col = np.unravel_index(int(wrong.argmax()), wrong.shape)
                red, green, blue = _colours_of(picture, codes[row, col : col + 1])[0]
                example = f"#{red:02x}{green:02x}{blue:02x} at row {top + row}, column {col}"
            inexact += count
            cells[top : top + len(part)] = part
        kind = opened.format
    if inexact:
        changed = f"; {kind} changes colours" if kind in _LOSSY else ""
        raise MapError(
            f"{path} has colours that belong to no class on {inexact / cells.size:.2%} of its pixels, "
            f"the first is {example}{changed}; repaint them or read the map with --nearest-colour."
        )
    return cells


def read_map_nearest(path: Path, under: int = WATER, say: Say = say_nothing) -> tuple[SegmentationMap, float]:
    """Read any picture; a colour of no class becomes the class of the nearest sRGB colour, a see-through pixel `under`.

    Returns the map and the fraction, 0..1, of pixels whose colour was not exact. Raises MapError.
    """
    with _open_picture(path) as opened:
        picture = _decoded(path, opened, say)
        exact = _exact_table(picture)
        nearest = exact.copy()
        cells = np.empty((picture.height, picture.width), np.uint8)
        inexact = 0
        for top, codes, clear in _strips(picture):
            wrong = codes[(exact[codes] == _NO_CLASS) & ~clear]
            inexact += wrong.size
            new = np.unique(wrong[nearest[wrong] == _NO_CLASS])
            nearest[new] = nearest_classes(_colours_of(picture, new))
            part = nearest[codes]
            part[clear] = EMPTY
            cells[top : top + len(codes)] = part
    return SegmentationMap(_filled(path, cells, under, say)), inexact / cells.size


def write_map(path: Path, segmentation: SegmentationMap, pixel_size_m: float | None = None) -> None:
    """Write a palette PNG, index = class id, with the class names and the pixel size, where it is known, as iTXt text.

    An old file is replaced atomically. Raises OutputError.
    """
    # Encoded in memory, because Pillow hides the reason of a failed write; a map compresses to a few per cent.
    data = map_png(segmentation, pixel_size_m)
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


def map_png(segmentation: SegmentationMap, pixel_size_m: float | None = None) -> bytes:
    """The content of the file that `write_map` writes."""
    return classes_png(segmentation.ids, pixel_size_m)


def classes_png(ids: NDArray[np.uint8], pixel_size_m: float | None = None) -> bytes:
    """The same of class ids (H, W) uint8 of any size, also one that is too small for a map."""
    picture = Image.fromarray(ids)
    picture.putpalette(PALETTE.tobytes())
    texts = PngInfo()
    texts.add_itxt("Terrain classes", ", ".join(f"{index} {name}" for index, name in enumerate(CLASS_NAMES)))
    if pixel_size_m is not None:
        texts.add_itxt(_PIXEL_SIZE, f"{pixel_size_m:.9g}")
    data = io.BytesIO()
    picture.save(data, "PNG", pnginfo=texts)
    return data.getvalue()


def map_pixel_size_m(path: Path) -> float | None:
    """The ground size of a pixel that `write_map` stored in a PNG; None for another file, or without one."""
    try:
        with decoding.open_picture(path, ("PNG",)) as picture:
            size_m = float(picture.info[_PIXEL_SIZE])
    except (OSError, UndecodableError, KeyError, TypeError, ValueError):
        return None
    return size_m if PIXEL_SIZES_M[0] <= size_m <= PIXEL_SIZES_M[1] else None


def _filled(path: Path, cells: NDArray[np.uint8], under: int, say: Say) -> NDArray[np.uint8]:
    """Class ids of `cells`, which are changed."""
    empty = cells == EMPTY
    count = int(np.count_nonzero(empty))
    if count:
        say(f"{path} is see-through on {count / cells.size:.2%} of its pixels; they became {CLASS_NAMES[under]}.")
        cells[empty] = under
    return cells


@contextmanager
def _open_picture(path: Path) -> Iterator[Image.Image]:
    """Open a picture that can be a map: in colours, of a legal size. Pixels are not decoded yet.

    Raises MapError for any other picture, before memory is allocated for the pixels.
    """
    try:
        picture = decoding.open_picture(path)
    except OSError as error:
        raise MapError(f"{path} cannot be read: {why_unreadable(error)}.") from error
    except UndecodableError as error:
        raise MapError(f"{path} {error}; save the map as PNG.") from error
    with picture:
        require_legal_sides(path, picture.height, picture.width, MAX_MAP_SIDE_PX, MapError)
        if picture.mode in ("1", "L", "LA") or decoding.is_grey_numbers(picture):
            raise MapError(f"{path} is a grey picture; save it in the seven class colours.")
        yield picture


def _decoded(path: Path, opened: Image.Image, say: Say) -> Image.Image:
    """The pixels of an opened picture, upright: P, RGB or RGBA.

    Raises MapError when they are damaged or cut short, DeviceError when they do not fit into memory.
    """
    try:
        for note in decoding.file_notes(opened):
            say(f"{path}: {note}")
        decoding.load_pixels(opened)
        picture = decoding.upright(opened)
        if picture.mode == "P":
            return picture
        picture = decoding.rgb_or_rgba(picture)
        if picture.mode == "RGBA" and not picture.getchannel("A").point(_OPAQUE).getbbox():
            say(f"{path}: It is see-through everywhere, so its alpha channel was ignored.")
            return picture.convert("RGB")
        return picture
    except MemoryError as error:
        raise DeviceError(
            f"There is not enough memory to read {path} with its {opened.width} x {opened.height} pixels; "
            "use a smaller map."
        ) from error
    except UndecodableError as error:
        raise MapError(f"{path} {error}; save or copy it again.") from error


def _strips(picture: Image.Image) -> Iterator[tuple[int, NDArray[np.uint32], NDArray[np.bool_]]]:
    """Yield the pixels as (first row, (rows, W) uint32 codes, (rows, W) bool of see-through ones), from north to south.

    A code is the palette index of a P picture, else `red | green << 8 | blue << 16`.
    """
    transparent = _transparent_indices(picture)
    rows = max(1, STRIP_PX // picture.width)
    for top in range(0, picture.height, rows):
        bottom = min(top + rows, picture.height)
        strip = picture.crop((0, top, picture.width, bottom))
        if picture.mode == "P":
            codes = np.frombuffer(strip.tobytes(), np.uint8).astype(np.uint32)
            clear = transparent[codes]
        else:
            # Four bytes of a pixel make one number; the fourth of RGB is padding of any value.
            has_alpha = picture.mode == "RGBA"
            packed = np.frombuffer(strip.tobytes("raw", "RGBA" if has_alpha else "RGBX"), "<u4")
            codes = packed & np.uint32(0xFFFFFF)
            clear = packed >> 24 < OPAQUE_ALPHA if has_alpha else np.zeros(len(packed), np.bool_)
        shape = bottom - top, picture.width
        yield top, codes.reshape(shape), clear.reshape(shape)


def _colours_of(picture: Image.Image, codes: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """(N,) codes as `_strips` yields them → (N, 3) uint8 sRGB."""
    if picture.mode != "P":
        return codes.astype("<u4").view(np.uint8).reshape(-1, 4)[:, :3]
    palette = np.zeros((256, 3), np.uint8)
    entries = np.array(picture.getpalette("RGB"), np.uint8).reshape(-1, 3)
    palette[: len(entries)] = entries
    return palette[codes]


def _transparent_indices(picture: Image.Image) -> NDArray[np.bool_]:
    """(256,) bool: the palette indices that are see-through; all False for RGB."""
    alpha = picture.info.get("transparency", b"")
    marked = np.zeros(256, np.bool_)
    if isinstance(alpha, int):
        marked[alpha] = True
    elif isinstance(alpha, bytes):
        entries = np.frombuffer(alpha, np.uint8)[:256]  # damaged files may have more
        marked[: len(entries)] = entries < OPAQUE_ALPHA
    return marked


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
