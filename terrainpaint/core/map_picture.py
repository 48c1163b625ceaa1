"""Opening the picture of a segmentation map: what is refused, in which words, and its pixels in strips."""

from __future__ import annotations

import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from terrainpaint.core.files import why_unreadable
from terrainpaint.errors import DeviceError, MapError

MIN_SIDE_PX = 32
MAX_SIDE_PX = 65_536

_STRIP_PX = 1 << 20
_LIMIT_LOCK = threading.Lock()


@contextmanager
def open_picture(path: Path) -> Iterator[Image.Image]:
    """A picture that passes as a map by its header: mode P or RGB, 8 bits, legal size. Pixels are not decoded yet.

    Raises MapError for everything else, before memory is taken for the pixels.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise MapError(f"{path} is not a file; name a PNG picture of a map.")
        file = path.open("rb")
    except OSError as error:
        reason = why_unreadable(error)
        raise MapError(f"{path} cannot be read: {reason}.") from error
    with file:
        try:
            with no_pixel_limit():
                picture = Image.open(file)
        # Whatever a parser of foreign bytes raises, the bytes are at fault: OSError, ValueError, struct.error, ...
        except Exception as error:
            raise MapError(f"{path} is not a picture that can be read; save the map as PNG.") from error
        with picture:
            _check_header(path, picture)
            yield picture


def load_pixels(path: Path, picture: Image.Image) -> None:
    """Decode the pixels, which `strips` and `colours_of` read.

    Raises MapError when they are broken or cut short, DeviceError when they do not fit into memory.
    """
    try:
        picture.load()
    except MemoryError as error:
        raise DeviceError(
            f"There is not enough memory to read {path} with its {picture.width} x {picture.height} pixels; "
            "use a smaller map."
        ) from error
    except Exception as error:  # as in open_picture
        raise MapError(f"{path} is damaged or cut short; save or copy it again.") from error


def strips(path: Path, picture: Image.Image) -> Iterator[tuple[int, NDArray[np.uint32]]]:
    """The loaded pixels as (first row, (rows, W) uint32 codes), from north to south.

    A code is the palette index of a P picture, else `red | green << 8 | blue << 16`.
    Raises MapError when a pixel is transparent.
    """
    see_through = _see_through(picture)
    rows = max(1, _STRIP_PX // picture.width)
    for top in range(0, picture.height, rows):
        bottom = min(top + rows, picture.height)
        strip = picture.crop((0, top, picture.width, bottom))
        if picture.mode == "P":
            codes = np.frombuffer(strip.tobytes(), np.uint8).astype(np.uint32)
            # Unused entries may be see-through: many programs add one to every palette.
            if see_through.any() and see_through[codes].any():
                raise MapError(f"{path} has transparency; save it without alpha.")
        else:
            # Four bytes a pixel are one number; the fourth is padding of no fixed value.
            codes = np.frombuffer(strip.tobytes("raw", "RGBX"), "<u4") & np.uint32(0xFFFFFF)
        yield top, codes.reshape(bottom - top, picture.width)


def colours_of(picture: Image.Image, codes: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """(N,) codes as `strips` yields them → (N, 3) uint8 sRGB."""
    if picture.mode != "P":
        return codes.astype("<u4").view(np.uint8).reshape(-1, 4)[:, :3]
    palette = np.zeros((256, 3), np.uint8)
    entries = np.array(picture.getpalette("RGB"), np.uint8).reshape(-1, 3)
    palette[: len(entries)] = entries
    return palette[codes]


def _see_through(picture: Image.Image) -> NDArray[np.bool_]:
    """(256,) bool: palette indices that are not fully opaque; all False for RGB."""
    alpha = picture.info.get("transparency", b"")
    marked = np.zeros(256, np.bool_)
    if isinstance(alpha, int):
        marked[alpha] = True
    elif isinstance(alpha, bytes):
        marked[: len(alpha)] = np.frombuffer(alpha, np.uint8) < 255
    return marked


@contextmanager
def no_pixel_limit() -> Iterator[None]:
    """Lets Pillow open huge pictures: its own guard starts below the sizes that are legal here.

    Only for opening; whoever uses it looks at the size before pixels are decoded.
    """
    # The lock keeps two readers from restoring each other's value.
    with _LIMIT_LOCK:
        before = Image.MAX_IMAGE_PIXELS
        Image.MAX_IMAGE_PIXELS = None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = before


def _check_header(path: Path, picture: Image.Image) -> None:
    width, height = picture.size
    if min(width, height) < MIN_SIDE_PX:
        raise MapError(f"{path} has {width} x {height} pixels; a map needs at least {MIN_SIDE_PX} a side.")
    if max(width, height) > MAX_SIDE_PX:
        raise MapError(f"{path} has {width} x {height} pixels; a map has at most {MAX_SIDE_PX} a side.")
    # Pillow turns 16-bit colours into 8 bits without a word; only the raw mode of its decoder tells.
    if picture.mode.startswith("I;16") or any(";16" in str(tile[3]) for tile in getattr(picture, "tile", [])):
        raise MapError(f"{path} has 16 bits a channel; save it with 8 bits a channel.")
    if picture.mode in ("RGBA", "LA", "PA") or (picture.mode == "RGB" and "transparency" in picture.info):
        raise MapError(f"{path} has transparency; save it without alpha.")
    if picture.mode in ("1", "L", "I", "F"):
        raise MapError(f"{path} is a grey picture; save it in the seven class colours.")
    if picture.mode not in ("P", "RGB"):
        raise MapError(f"{path} is a {picture.mode} picture; save it as RGB.")
