"""Read the colours of any picture or raster: what Pillow cannot read, and satellite pictures of more than 8 bits."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.decoding import MAX_PX, Picture, read_picture
from terrainpaint.core.importing.rasters import is_raster, open_raster
from terrainpaint.core.main_memory import require_free
from terrainpaint.errors import DeviceError, InputFileError

_DARK = 64
"""A picture of 16 bits a channel that is darker everywhere, in 8 bits, uses a small part of its range."""
_DARKEST, _LIGHTEST = 0.005, 0.995
"""Fractions of the numbers that become black and white at most, so that a cloud does not darken the land."""
_SAMPLED_PX = 1 << 20
_BYTES_OF_COLOURS = 12
"""Of a pixel besides its bands: the colours as they lie in the file and upright, which pixels are shown, and a number
while it is stretched."""


def read_colours(path: Path, longest_px: int | None = None) -> Picture:
    """As `read_picture`, and rasters of any compression, number and count of bands, of which the first three are used.

    Numbers of more than 8 bits that do not fill their range are shown from black to white, with a note; gaps that the
    file declares are see-through. Raises InputFileError, DeviceError.
    """
    if _runs_otherwise(path):
        return _of_raster(path, longest_px)
    try:
        picture = read_picture(path, longest_px)
    except InputFileError as error:
        with suppress(InputFileError):
            return _of_raster(path, longest_px)
        raise error
    if int(picture.rgb.max()) < _DARK and is_raster(path):
        with suppress(InputFileError):
            deep = _of_raster(path, longest_px)
            return deep if deep.notes else picture
    return picture


def _runs_otherwise(path: Path) -> bool:
    """Whether the file is a raster whose rows do not run from north to south, so that it must be turned."""
    with suppress(InputFileError):
        if is_raster(path):
            with open_raster(path) as raster:
                return raster.info.place.is_turned
    return False


def _of_raster(path: Path, longest_px: int | None) -> Picture:
    try:
        with open_raster(path, longest_px) as raster:
            info = raster.info
            if info.width * info.height > MAX_PX:
                raise InputFileError(f"{path} has {info.width * info.height // 10**6} million pixels; reduce it first.")
            # A file without pixels can declare any number of bands.
            pixel_bytes = info.bands * np.dtype(info.dtype).itemsize + _BYTES_OF_COLOURS
            require_free(info.width * info.height * pixel_bytes)
            bands = raster.rows(0, info.height)
            known = raster.known(0, info.height)
    except MemoryError as error:
        raise DeviceError(f"There is not enough memory to read {path}; use a smaller picture.") from error
    colours = len(bands) - info.alpha
    shown = np.ones(bands.shape[1:], np.bool_) if known is None else known
    if info.alpha:
        shown &= bands[-1] > 0
    # A satellite picture has more bands; the first three are usually red, green and blue.
    numbers = bands[: 3 if colours >= 3 else 1]
    if info.no_data is not None:
        shown &= ~(numbers == info.no_data).all(axis=0)
    if numbers.dtype.kind == "f":
        shown &= np.isfinite(numbers).all(axis=0)
    notes = [f"It has {colours} bands; the first three are used."] if colours > 3 else []
    if colours == 2:
        notes.append("It has 2 bands; the first one is used.")
    if info.colour_table is not None and numbers.dtype == np.uint8:
        table = np.zeros((256, 4), np.uint8)
        table[: len(info.colour_table)] = info.colour_table[:256]
        shown &= table[numbers[0], 3] > 0
        rgb = table[numbers[0], :3]
    elif numbers.dtype == np.uint8:
        rgb = np.moveaxis(np.broadcast_to(numbers, (3, *numbers.shape[1:])), 0, -1)
    else:
        rgb, note = _stretched(path, numbers, shown)
        notes.append(note)
    width, height = info.full_size
    if info.place.transposed:
        width, height = height, width
    rgb = np.dstack([info.place.north_up(rgb[:, :, band]) for band in range(3)])
    shown = np.ascontiguousarray(info.place.north_up(shown))
    return _reduced(rgb, shown, (width, height), longest_px, notes)


def _stretched(path: Path, numbers: NDArray[np.generic], shown: NDArray[np.bool_]) -> tuple[NDArray[np.uint8], str]:
    """(H, W, 3) uint8 of bands (1 or 3, H, W), all from the same black to the same white, and a note."""
    step = max(1, round((shown.size / _SAMPLED_PX) ** 0.5))
    seen = shown[::step, ::step]
    if not seen.any():
        raise InputFileError(f"{path} contains only gaps; choose another file.")
    sample = numbers[:, ::step, ::step][:, seen].astype(np.float32)
    black, white = (float(number) for number in np.quantile(sample, (_DARKEST, _LIGHTEST)))
    rgb = np.empty((*shown.shape, 3), np.uint8)
    for band, values in enumerate(np.broadcast_to(numbers, (3, *shown.shape))):
        shade = (values.astype(np.float32) - np.float32(black)) * np.float32(255 / max(white - black, 1e-30))
        rgb[:, :, band] = np.nan_to_num(shade, nan=0.0, posinf=255.0, neginf=0.0).clip(0, 255)
    return rgb, f"Its numbers, {black:.6g} to {white:.6g}, are shown from black to white."


def _reduced(
    rgb: NDArray[np.uint8],
    shown: NDArray[np.bool_],
    full_size: tuple[int, int],
    longest_px: int | None,
    notes: list[str],
) -> Picture:
    alpha = None if shown.all() else np.where(shown, np.uint8(255), np.uint8(0))
    rows, cols = shown.shape
    if longest_px is not None and max(rows, cols) > longest_px:
        scale = longest_px / max(rows, cols)
        size = max(1, round(cols * scale)), max(1, round(rows * scale))
        rgb = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
        if alpha is not None:
            alpha = np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA), np.uint8)
    if max(rgb.shape) < max(full_size):
        cols, rows = full_size
        notes = [*notes, f"It was reduced from {cols} × {rows} to {rgb.shape[1]} × {rgb.shape[0]} pixels."]
    return Picture(rgb, alpha, (full_size[1], full_size[0]), tuple(notes))
