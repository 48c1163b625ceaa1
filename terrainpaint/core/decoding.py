"""Decode pictures of unknown origin: no limit below the legal sizes, nothing on standard error, few kinds of errors.

Parsers raise OSError, ValueError, struct.error and others for damaged bytes. Here all of these become
`UndecodableError`; MemoryError and an OSError of the system pass through.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from terrainpaint.core.files import input_error
from terrainpaint.errors import InputFileError

# Both libraries keep such settings for the whole process; the locks keep two readers from restoring each other's value.
_LIMIT_LOCK, _LOG_LOCK = threading.Lock(), threading.Lock()


PICTURE_FORMATS = (
    *("AVIF", "BMP", "DDS", "DIB", "GIF", "ICNS", "ICO", "IM", "JPEG", "JPEG2000", "PCX", "PNG", "PPM", "PSD", "QOI"),
    *("SGI", "TGA", "TIFF", "WEBP"),
)
"""The formats, by Pillow's names, in which pictures are opened. Pillow recognises formats by content, whatever the
suffix; EPS is not among these because it starts Ghostscript with the file, nor are formats that need other programs to
decode."""


class UndecodableError(ValueError):
    """The bytes are not a picture, or a damaged one. The text follows the name of the file: "is damaged …"."""


def open_picture(file: Path | IO[bytes], formats: tuple[str, ...] = PICTURE_FORMATS) -> Image.Image:
    """A picture whose header was read; its pixels are not decoded yet. `formats` are Pillow's names.

    The caller checks the size before `load_pixels`. Raises UndecodableError, OSError when the system refuses the file.
    """
    try:
        Image.init()
        with _no_pixel_limit():
            # Older versions of Pillow lack some of the formats.
            return Image.open(file, formats=[name for name in formats if name in Image.OPEN])
    except MemoryError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise UndecodableError("is not a picture that can be read") from error


def load_pixels(picture: Image.Image) -> None:
    """Decode the pixels. Raises UndecodableError when they are broken or cut short."""
    try:
        picture.load()
    except MemoryError:
        raise
    except Exception as error:
        raise UndecodableError("is damaged or cut short") from error


def decoded(data: bytes | NDArray[np.uint8], flags: int = cv2.IMREAD_UNCHANGED) -> NDArray[Any]:
    """(H, W) or (H, W, C) pixels of a whole file, by OpenCV with its `flags`; BGR unless they say otherwise.

    Raises UndecodableError.
    """
    packed = np.frombuffer(data, np.uint8)
    with _LOG_LOCK:
        # OpenCV prints a warning for each tag of a TIFF that it does not know, such as those of a GeoTIFF.
        level = cv2.utils.logging.setLogLevel(0)
        try:
            pixels = cv2.imdecode(packed, flags) if packed.size else None
        except cv2.error as error:
            raise UndecodableError("is not a picture that can be read") from error
        finally:
            cv2.utils.logging.setLogLevel(level)
    if pixels is None:
        raise UndecodableError("is not a picture that can be read")
    return np.asarray(pixels)


def read_picture(path: Path) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 sRGB of an 8-bit RGB picture. Raises InputFileError when it is not one."""
    pixels = _read(path)
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
        raise InputFileError(f"{path} is not an 8-bit RGB picture ({_kind(pixels)}); save it as one, without alpha.")
    return np.ascontiguousarray(pixels[:, :, ::-1])


def read_heights(path: Path) -> NDArray[np.float32]:
    """(H, W) float32 metres of a one-channel picture: 16-bit PNG or TIFF in whole metres, or float TIFF.

    Raises InputFileError when it is not one, or when a value is NaN or infinite.
    """
    pixels = _read(path)
    if pixels.ndim != 2 or pixels.dtype not in (np.uint16, np.int16, np.int32, np.float32, np.float64):
        raise InputFileError(
            f"{path} is not a height map ({_kind(pixels)}); save it as 16-bit grey PNG or float TIFF, in metres."
        )
    height = pixels.astype(np.float32)
    if not np.isfinite(height).all():
        count = int((~np.isfinite(height)).sum())
        raise InputFileError(f"{path} has {count} heights that are not numbers; fill its gaps first.")
    return height


def _read(path: Path) -> NDArray[Any]:
    try:
        return decoded(np.fromfile(path, np.uint8))
    except OSError as error:
        raise input_error(path, error) from error
    except UndecodableError as error:
        raise InputFileError(f"{path} {error}; give a PNG or TIFF.") from error


def _kind(pixels: NDArray[Any]) -> str:
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    return f"{channels} channel{'s' if channels > 1 else ''} of {pixels.dtype}"


@contextmanager
def _no_pixel_limit() -> Iterator[None]:
    """Lift Pillow's limit on the number of pixels, which is below the sizes that are legal here."""
    with _LIMIT_LOCK:
        before = Image.MAX_IMAGE_PIXELS
        Image.MAX_IMAGE_PIXELS = None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = before
