"""Decode pictures of unknown origin: no limit below the legal sizes, nothing on standard error, few kinds of errors.

Parsers raise OSError, ValueError, struct.error and others for damaged bytes. Here all of these become
`UndecodableError`; MemoryError and an OSError of the system pass through.
"""

from __future__ import annotations

import ctypes
import functools
import importlib
import io
import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile

from terrainpaint.core.files import input_error, open_regular
from terrainpaint.core.main_memory import require_free
from terrainpaint.errors import DeviceError, InputFileError

# Pillow keeps such settings for the whole process; the lock keeps two readers from restoring each other's value.
_PILLOW_LOCK = threading.Lock()

PICTURE_FORMATS = (
    *("AVIF", "BMP", "DDS", "DIB", "GIF", "ICNS", "ICO", "IM", "JPEG", "JPEG2000", "PCX", "PNG", "PPM", "PSD", "QOI"),
    *("SGI", "TGA", "TIFF", "WEBP"),
)
"""The formats, by Pillow's names, in which pictures are opened. Pillow recognises formats by content, whatever the
suffix; EPS is not among these because it starts Ghostscript with the file, nor are formats that need other programs to
decode."""
MAX_PX = 1 << 30
"""Pictures of more pixels are refused before memory is allocated for them."""
OPAQUE_ALPHA = 128
"""A pixel whose alpha is lower counts as see-through where each pixel has to be one thing or the other."""
WHITE = (255, 255, 255)
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"

# Pillow logs errors that it raises too; without a handler, Python prints them.
logging.getLogger("PIL").addHandler(logging.NullHandler())

_SIGNATURES = (PNG_SIGNATURE, b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"8BPS")
_TIFF_SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_FEW_LEVELS = 16
_UPRIGHT, _ON_ITS_SIDE = 1, (5, 6, 7, 8)
_ORIENTATION = 0x0112
_DECODED_FOR_NOTES_PX = 1 << 22
_SUBFILE_TYPE, _REDUCED = 254, 1
_BYTE_MODES, _BYTES_A_PIXEL = ("1", "L", "P"), 4
"""Modes of Pillow with a byte for each pixel, and the bytes of a pixel in the others, also in RGB."""
_BYTES_OF_COLOURS = 12
"""Of a pixel while its colours are converted: as decoded, as RGB or RGBA, and as an array."""
_GREY_NUMBERS = ("I", "F")
"""Modes of Pillow whose pixels are numbers without a fixed white start with one of these letters."""


class UndecodableError(ValueError):
    """The bytes are not a picture, or a damaged one. The text follows the name of the file: "is damaged …"."""

    @property
    def is_damaged(self) -> bool:
        """Whether the bytes begin like a picture."""
        return "damaged" in str(self)


@dataclass(frozen=True, eq=False)
class Picture:
    """The colours of a picture, upright.

    `rgb` (H, W, 3) uint8 sRGB; `alpha` (H, W) uint8, 255 = opaque, None when every pixel is opaque; `file_shape` are
    rows and columns in the file, which are more when the picture was reduced; `notes` are sentences about what was done
    that the user may want to know.
    """

    rgb: NDArray[np.uint8]
    alpha: NDArray[np.uint8] | None = None
    file_shape: tuple[int, int] = (0, 0)
    notes: tuple[str, ...] = ()

    @property
    def see_through(self) -> NDArray[np.bool_] | None:
        """(H, W) bool: the pixels that show what lies under the picture; None when there are none."""
        return None if self.alpha is None else self.alpha < OPAQUE_ALPHA

    def over(self, colour: tuple[int, int, int]) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 sRGB of the picture on a ground of one colour."""
        if self.alpha is None:
            return self.rgb
        ground = Image.new("RGBA", (self.rgb.shape[1], self.rgb.shape[0]), colour)
        picture = Image.fromarray(np.dstack([self.rgb, self.alpha]))
        return np.asarray(Image.alpha_composite(ground, picture).convert("RGB"), np.uint8)


def open_picture(file: Path | IO[bytes], formats: tuple[str, ...] = PICTURE_FORMATS) -> Image.Image:
    """A picture whose header was read; its pixels are not decoded yet. `formats` are Pillow's names.

    The caller checks the size before `load_pixels`. Raises UndecodableError, OSError when the system refuses the file
    or it is no regular file.
    """
    if isinstance(file, Path):
        open_regular(file).close()
    try:
        Image.init()
        with _quiet_pillow():
            # Older versions of Pillow lack some of the formats.
            return Image.open(file, formats=[name for name in formats if name in Image.OPEN])
    except MemoryError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise UndecodableError(_why_not_a_picture(file)) from error


def load_pixels(picture: Image.Image) -> None:
    """Decode the pixels.

    Raises UndecodableError when they are broken or cut short, MemoryError before they would fill the memory.
    """
    require_free(picture.width * picture.height * (1 if picture.mode in _BYTE_MODES else _BYTES_A_PIXEL))
    try:
        if isinstance(picture, TiffImageFile):
            _silence_libtiff()
        with _quiet_pillow():
            picture.load()
    except MemoryError:
        raise
    except Exception as error:
        raise UndecodableError("is damaged or cut short") from error


def file_notes(picture: Image.Image) -> tuple[str, ...]:
    """Sentences about what an opened file has besides its first picture."""
    try:
        with _quiet_pillow():
            frames = int(getattr(picture, "n_frames", 1))
            if frames < 2 or picture.format in ("PSD", "ICO", "ICNS"):
                return ()
            if picture.format != "TIFF":
                return (f"It has {frames} pictures; the first one is used.",)
            # The other pages of a TIFF may be smaller copies of the first one.
            picture.seek(1)
            copy = isinstance(picture, TiffImageFile) and int(picture.tag_v2.get(_SUBFILE_TYPE, 0)) & _REDUCED
            picture.seek(0)
            return () if copy else (f"It has {frames} pages; the first one is used.",)
    except MemoryError:
        raise
    except Exception:  # a damaged second picture does not matter
        return ()


def upright(picture: Image.Image) -> Image.Image:
    """A decoded picture, turned and mirrored as its camera noted in the file. Broken notes are ignored."""
    try:
        with _quiet_pillow():
            if picture.getexif().get(_ORIENTATION, _UPRIGHT) == _UPRIGHT:
                return picture
            return ImageOps.exif_transpose(picture)
    except MemoryError:
        raise
    except Exception:
        return picture


def is_upright(path: Path) -> bool:
    """Whether a picture needs no turning; also True for a file that is no picture."""
    try:
        with open_picture(path) as picture:
            return _orientation(picture) == _UPRIGHT
    except (OSError, UndecodableError):
        return True


def _orientation(picture: Image.Image) -> int:
    """How the camera was held, 1 to 8 as in EXIF; broken notes count as upright."""
    try:
        with _quiet_pillow():
            # Behind the pixels of a PNG, Pillow finds notes only by decoding them all.
            is_large = isinstance(picture, PngImageFile) and picture.width * picture.height > _DECODED_FOR_NOTES_PX
            notes = Image.Image.getexif(picture) if is_large else picture.getexif()
            return int(notes.get(_ORIENTATION, _UPRIGHT))
    except MemoryError:
        raise
    except Exception:
        return _UPRIGHT


def rgb_or_rgba(picture: Image.Image) -> Image.Image:
    """A decoded picture of any colours as RGB, or as RGBA when its file declares transparency; numbers are unchanged.

    Colour profiles do not apply, except that of printing colours. Channels of 16 bits lose the lower 8. The picture
    must not be one of `is_grey_numbers`. Raises UndecodableError.
    """
    try:
        with _quiet_pillow():
            if picture.mode == "RGB" and isinstance(picture.info.get("transparency"), tuple):
                key = picture.info["transparency"]
                picture.info["transparency"] = tuple(value >> 8 for value in key) if max(key) > 255 else key
            if picture.mode == "LAB":
                lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
                converted = ImageCms.profileToProfile(picture, lab, srgb, outputMode="RGB")
                return picture if converted is None else converted
            if picture.mode == "CMYK":
                return _from_profile(picture)[0].convert("RGB")
            return picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    except MemoryError:
        raise
    except Exception as error:
        raise UndecodableError("is damaged or cut short") from error


def is_grey_numbers(picture: Image.Image) -> bool:
    """Whether the pixels are one number each, of more than 8 bits."""
    return picture.mode.startswith(_GREY_NUMBERS)


def picture_of(picture: Image.Image, longest_px: int | None = None) -> Picture:
    """Decode an opened picture; the longer side gets `longest_px` pixels when it has more.

    Grey numbers of 16 bits become 0..255 by their upper half, other ones from the lowest to the highest, with a note.
    Raises UndecodableError, MemoryError.
    """
    notes = [*file_notes(picture)]
    cols, rows = picture.size
    if longest_px is not None and max(cols, rows) > longest_px:
        # JPEG can be decoded at a half, a quarter or an eighth of its size.
        picture.draft(picture.mode, _fitted(cols, rows, longest_px))
    if picture.width * picture.height > MAX_PX:
        raise UndecodableError(f"has {picture.width * picture.height // 10**6} million pixels; cut it into parts")
    require_free(picture.width * picture.height * _BYTES_OF_COLOURS)
    # The list of tiles, which is empty after decoding, has the only trace of the bits of a channel.
    bits = 12 if any("I;12" in str(tile[3]) for tile in getattr(picture, "tile", ())) else 16
    load_pixels(picture)
    turned = upright(picture)
    if turned is not picture and turned.size == picture.size[::-1]:
        cols, rows = rows, cols
    alpha: NDArray[np.uint8] | None = None
    if is_grey_numbers(turned):
        grey, note = _grey(np.asarray(turned), bits)
        rgb = np.repeat(grey[:, :, None], 3, axis=2)
        notes += note
    else:
        if turned.mode == "CMYK":
            notes.append("Its printing colours (CMYK) were converted to RGB.")
            colours = rgb_or_rgba(turned)
        else:
            colours, name = _from_profile(rgb_or_rgba(turned))
            if name:
                notes.append(f"Its colours were converted from {name} to sRGB.")
        pixels = np.asarray(colours, np.uint8)
        rgb = np.ascontiguousarray(pixels[:, :, :3])
        if pixels.shape[2] == 4:
            alpha = np.ascontiguousarray(pixels[:, :, 3])
    if alpha is not None and (alpha < OPAQUE_ALPHA).all():
        notes.append("It is see-through everywhere, so its alpha channel was ignored.")
        alpha = None
    if alpha is not None and int(alpha.min()) == 255:
        alpha = None
    if longest_px is not None and max(rgb.shape) > longest_px:
        size = _fitted(rgb.shape[1], rgb.shape[0], longest_px)
        rgb = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
        if alpha is not None:
            alpha = np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA), np.uint8)
    if rgb.shape[:2] != (rows, cols):
        notes.append(f"It was reduced from {cols} × {rows} to {rgb.shape[1]} × {rgb.shape[0]} pixels.")
    return Picture(rgb, alpha, (rows, cols), tuple(notes))


@dataclass(frozen=True)
class PictureHeader:
    """What the header of a picture tells: `format` and `mode` by Pillow's names, and its sides in pixels, upright."""

    format: str
    mode: str
    width: int
    height: int


def describe_picture(path: Path) -> PictureHeader:
    """The header of any picture file; its pixels are not decoded. Raises InputFileError when it is not a picture."""
    try:
        with open_picture(path) as opened:
            is_on_its_side = _orientation(opened) in _ON_ITS_SIDE
            width, height = opened.size[::-1] if is_on_its_side else opened.size
            return PictureHeader(str(opened.format), opened.mode, width, height)
    except OSError as error:
        raise input_error(path, error) from error
    except UndecodableError as error:
        raise InputFileError(f"{path} {error}; save or copy it again, or choose another picture.") from error


def read_picture(path: Path, longest_px: int | None = None) -> Picture:
    """The colours of any picture file, upright and as sRGB; the longer side gets `longest_px` pixels if it has more.

    Raises InputFileError when it is not a picture, DeviceError when it does not fit into memory.
    """
    try:
        with open_picture(path) as opened:
            return picture_of(opened, longest_px)
    except OSError as error:
        raise input_error(path, error) from error
    except UndecodableError as error:
        raise InputFileError(f"{path} {error}; save or copy it again, or choose another picture.") from error
    except MemoryError as error:
        raise DeviceError(f"There is not enough memory to read {path}; use a smaller picture.") from error


def _fitted(cols: int, rows: int, longest_px: int) -> tuple[int, int]:
    """(columns, rows) of a picture whose longer side is reduced to `longest_px`."""
    scale = longest_px / max(cols, rows)
    return max(1, round(cols * scale)), max(1, round(rows * scale))


def _grey(numbers: NDArray[Any], bits: int) -> tuple[NDArray[np.uint8], list[str]]:
    """(H, W) uint8 of numbers (H, W), `bits` wide if they are whole and not negative, and notes."""
    finite = numbers if numbers.dtype.kind != "f" else numbers[np.isfinite(numbers)]
    if not finite.size:
        raise UndecodableError("holds no numbers")
    low, high = float(finite.min()), float(finite.max())
    full = float((1 << bits) - 1)
    if numbers.dtype.kind != "f" and low >= 0 and full / _FEW_LEVELS < high <= full:
        return (numbers >> (bits - 8)).astype(np.uint8), []
    shade = (numbers.astype(np.float32) - np.float32(low)) * np.float32(255 / max(high - low, 1e-30))
    grey = np.nan_to_num(shade, nan=0.0, posinf=255.0, neginf=0.0).clip(0, 255).astype(np.uint8)
    return grey, [f"Its numbers, {low:.6g} to {high:.6g}, are shown from black to white."]


def _from_profile(picture: Image.Image) -> tuple[Image.Image, str]:
    """An RGB, RGBA or CMYK picture in sRGB, and the name of its colour profile; unchanged, "" if it has none."""
    data = picture.info.get("icc_profile")
    if not data:
        return picture, ""
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(data))
        name = "".join(filter(str.isprintable, ImageCms.getProfileDescription(profile))).strip()[:40]
        kind = "CMYK" if picture.mode == "CMYK" else "RGB"
        if "sRGB" in name or profile.profile.xcolor_space.strip() != kind:
            return picture, ""
        srgb = ImageCms.createProfile("sRGB")
        mode = "RGB" if picture.mode == "CMYK" else picture.mode
        converted = ImageCms.profileToProfile(picture, profile, srgb, outputMode=mode)
    except MemoryError:
        raise
    except Exception:  # a damaged profile: the numbers are taken as sRGB
        return picture, ""
    return (picture, "") if converted is None else (converted, name or "another colour space")


def _why_not_a_picture(file: Path | IO[bytes]) -> str:
    try:
        if isinstance(file, Path):
            with file.open("rb") as opened:
                start = opened.read(8)
        else:
            file.seek(0)
            start = file.read(8)
    except OSError:
        start = b""
    if start.startswith(_TIFF_SIGNATURES):
        return "is damaged, cut short, or a TIFF of a kind that cannot be read as a picture"
    return "is damaged or cut short" if start.startswith(_SIGNATURES) else "is not a picture that can be read"


@functools.cache
def _silence_libtiff() -> None:
    """Drop the messages that the libtiff of Pillow prints on standard error; exceptions tell of errors as well."""
    # The symbols are found through a library that Pillow loads; where they are hidden, as on Windows, nothing changes.
    with suppress(AttributeError, OSError):
        library = ctypes.CDLL(importlib.import_module("PIL._imaging").__file__)
        for name in ("TIFFSetErrorHandler", "TIFFSetWarningHandler"):
            set_handler = getattr(library, name)
            set_handler.argtypes, set_handler.restype = [ctypes.c_void_p], ctypes.c_void_p
            set_handler(None)


@contextmanager
def _quiet_pillow() -> Iterator[None]:
    """Lift Pillow's limit on the number of pixels, which is below the sizes that are legal here; hide its warnings."""
    with _PILLOW_LOCK, warnings.catch_warnings(action="ignore"):
        before = Image.MAX_IMAGE_PIXELS
        Image.MAX_IMAGE_PIXELS = None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = before
