"""Encode the arrays of a project as PNG, fast, and decode such pictures with all of their header checked."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from terrainpaint.core.classes import CLASS_COUNT, PALETTE
from terrainpaint.core.decoding import PNG_SIGNATURE, UndecodableError, load_pixels, open_picture
from terrainpaint.core.project import EMPTY

HEADER_BYTES = 33
"""Length of the signature and the first chunk of a PNG file."""
_LEVEL = 1  # of zlib: higher levels make files of cells a fifth smaller and take three times as long

# Index = value of a cell. EMPTY and unused indices are transparent.
_ALL_COLOURS = np.zeros((256, 3), np.uint8)
_ALL_COLOURS[:CLASS_COUNT] = PALETTE
_ALPHA = bytes([255] * CLASS_COUNT + [0] * (256 - CLASS_COUNT))
_INVALID = np.ones(256, np.uint8)
_INVALID[:CLASS_COUNT] = 0
_INVALID[EMPTY] = 0


@dataclass(frozen=True)
class PngHeader:
    """Content of the first chunk of a PNG: size in pixels, bits a channel, colour type."""

    height: int
    width: int
    bits: int
    colour_type: int

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return self.height, self.width

    @property
    def max_bytes(self) -> int:
        """Upper limit of the file size: uncompressed pixels of 8 bytes, and some text."""
        return self.height * (self.width * 8 + 1) + (self.height * self.width >> 9) + (1 << 20)


def png_header(data: bytes) -> PngHeader:
    """The header of a PNG from its first HEADER_BYTES. Raises ValueError when it is not one."""
    if len(data) < HEADER_BYTES or data[:8] != PNG_SIGNATURE or data[12:16] != b"IHDR":
        raise ValueError("is not a PNG picture")
    width, height, bits, colour_type = struct.unpack(">IIBB", data[16:26])
    return PngHeader(height, width, bits, colour_type)


def encode_cells(cells: NDArray[np.uint8]) -> bytes:
    """A palette PNG of cells (H, W) uint8: index = class id in its colour, 255 = EMPTY, transparent."""
    picture = Image.fromarray(np.ascontiguousarray(cells))
    picture.putpalette(_ALL_COLOURS.tobytes())
    file = io.BytesIO()
    picture.save(file, "PNG", compress_level=_LEVEL, transparency=_ALPHA)
    return file.getvalue()


def decode_cells(data: bytes, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Cells (H, W) uint8 of `encode_cells`.

    Raises ValueError for another size, palette or value; its text follows the name of the picture.
    """
    picture = _opened(data, shape, "P")
    palette = np.frombuffer(bytes(picture.getpalette("RGB") or b""), np.uint8)[: PALETTE.size]
    if not np.array_equal(palette, PALETTE.ravel()):
        raise ValueError("has other colours than the classes")
    cells = np.array(picture, np.uint8)
    if np.asarray(cv2.LUT(cells, _INVALID)).any():
        raise ValueError("has values that are not classes")
    return cells


def encode_counts(counts: NDArray[np.uint8]) -> bytes:
    """A grey PNG of (H, W) uint8."""
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(counts)).save(file, "PNG", compress_level=_LEVEL)
    return file.getvalue()


def decode_counts(data: bytes, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """(H, W) uint8 of `encode_counts`. Raises ValueError as `decode_cells` does."""
    return np.array(_opened(data, shape, "L"), np.uint8)


def encode_colours(rgb: NDArray[np.uint8]) -> bytes:
    """An RGB PNG of (H, W, 3) uint8 sRGB."""
    _, data = cv2.imencode(".png", rgb[:, :, ::-1], [cv2.IMWRITE_PNG_COMPRESSION, _LEVEL])
    return data.tobytes()


def decode_colours(data: bytes, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 of `encode_colours`. Raises ValueError as `decode_cells` does."""
    return np.array(_opened(data, shape, "RGB"), np.uint8)


def rgba_pixels(data: bytes, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """(H, W, 4) uint8 of any PNG of that size, 16-bit channels rounded to 8. Raises ValueError as above."""
    picture = _opened(data, shape, None)
    if picture.mode.startswith("I"):
        # 16-bit grey, which Pillow would clip to 255.
        grey = (np.asarray(picture).astype(np.uint32) >> 8).astype(np.uint8)
        return np.dstack([grey, grey, grey, np.full_like(grey, 255)])
    return np.asarray(picture.convert("RGBA"), np.uint8)


def _opened(data: bytes, shape: tuple[int, int], mode: str | None) -> Image.Image:
    header = png_header(data)
    if (header.height, header.width) != shape:
        raise ValueError(f"has {header.width} x {header.height} pixels instead of {shape[1]} x {shape[0]}")
    try:
        picture = open_picture(io.BytesIO(data), formats=("PNG",))
        # Pillow also reads the size of a second header, and animations.
        if picture.size == (shape[1], shape[0]) and mode in (None, picture.mode):
            load_pixels(picture)
            return picture
    except MemoryError as error:
        raise ValueError("does not fit into memory") from error
    except (UndecodableError, OSError) as error:
        raise ValueError("is damaged") from error
    raise ValueError("is a PNG of another type")
