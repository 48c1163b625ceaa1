"""Heights that are stored as colours: the tiles of Terrarium and of Mapbox Terrain-RGB."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.importing.rasters import is_raster, open_raster
from terrainpaint.errors import InputFileError

_LOWEST_M, _HIGHEST_M = -11_500.0, 9000.0
_SAMPLED_ROWS, _STRIPS = 16, 8
_LEAST_VALUES = 16
_SMOOTHER = 2.0
"""Heights change so many times less from pixel to pixel than the same pixels do in any order."""
_LEAST_TURNS, _LEAST_STEPS = 0.03, 100
_CARRIED, _LEAST_CARRIES = 0.8, 20


class ColourHeights(StrEnum):
    """How three bytes make a height. The value is the name for users."""

    TERRARIUM = "Terrarium"
    MAPBOX = "Mapbox Terrain-RGB"

    def metres(self, red: NDArray[np.uint8], green: NDArray[np.uint8], blue: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Heights of pixels of the same shape.

        Terrarium: 256 R + G + B / 256 - 32768 m. Mapbox: (65536 R + 256 G + B) / 10 - 10000 m.
        """
        red32, green32, blue32 = (np.asarray(part, np.float32) for part in (red, green, blue))
        if self is ColourHeights.TERRARIUM:
            return np.asarray(red32 * 256 + green32 + blue32 / 256 - 32768, np.float32)
        return np.asarray((red32 * 65536 + green32 * 256 + blue32) * np.float32(0.1) - 10000, np.float32)


def colour_heights(path: Path) -> ColourHeights | None:
    """Which of the two an 8-bit RGB or RGBA picture plausibly is; None for any other file.

    JPEG changes colours and cannot be one. The picture is decoded in both ways: heights lie within those of the Earth,
    and neighbours differ little although the lowest of the three bytes differs much. Raises InputFileError when the
    file is damaged.
    """
    if not is_raster(path):
        return None
    with open_raster(path) as raster:
        info = raster.info
        colours = info.bands - info.alpha
        if info.format == "JPEG" or info.dtype != "uint8" or colours != 3 or min(info.width, info.height) < 2:
            return None
        tops = np.unique(np.linspace(0, max(0, info.height - _SAMPLED_ROWS), _STRIPS).astype(int))
        strips = [raster.rows(int(top), min(int(top) + _SAMPLED_ROWS, info.height)) for top in tops]
    return recognised(strips)


def recognised(strips: list[NDArray[np.uint8]]) -> ColourHeights | None:
    """The encoding of strips (3 or 4, n, W) of a picture, each at least 2 px wide; None if the picture is none.

    Black pixels are gaps in tiles of both kinds.
    """
    known = [_is_known(strip) for strip in strips]
    if not any(mask.any() for mask in known) or not _turns_over(strips, known):
        return None
    for encoding in ColourHeights:
        lands = [encoding.metres(*strip[:3]) for strip in strips]
        heights = np.concatenate([land[mask] for land, mask in zip(lands, known, strict=True)])
        if heights.min() < _LOWEST_M or heights.max() > _HIGHEST_M:
            continue
        if len(np.unique(heights[:100_000])) < _LEAST_VALUES:
            continue
        order = np.random.default_rng(0).permutation(heights.size)
        spread = float(np.abs(np.diff(heights[order])).mean())
        if float(_steps(lands, known).mean()) * _SMOOTHER <= spread:
            return encoding
    return None


def _is_known(strip: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where the pixels of a strip (3 or 4, n, W) are neither black nor see-through."""
    coloured = strip[:3].any(axis=0)
    return np.asarray(coloured & (strip[3] > 0) if len(strip) > 3 else coloured)


def _turns_over(strips: list[NDArray[np.uint8]], known: list[NDArray[np.bool_]]) -> bool:
    """Whether the lowest byte that varies turns over within slopes, as no colour does.

    In steep land it often jumps between neighbours. In gentle land it jumps where the byte above changes by one. In
    heights of whole metres, the blue of Terrarium does not vary.
    """
    for band in (2, 1):
        steps = _steps([strip[band].astype(np.float32) for strip in strips], known)
        if steps.any():
            carries = steps[_steps([strip[band - 1].astype(np.float32) for strip in strips], known) == 1] > 128
            moving = steps[steps > 0]
            often = moving.size >= _LEAST_STEPS and (moving > 128).mean() > _LEAST_TURNS
            return bool(often or (carries.size >= _LEAST_CARRIES and carries.mean() > _CARRIED))
    return False


def _steps(parts: list[NDArray[np.float32]], known: list[NDArray[np.bool_]]) -> NDArray[np.float32]:
    """The differences of all neighbours that are both known."""
    return np.concatenate(
        [
            np.abs(np.diff(part, axis=axis))[_both(mask, axis)]
            for part, mask in zip(parts, known, strict=True)
            for axis in (0, 1)
        ]
    )


def _both(mask: NDArray[np.bool_], axis: int) -> NDArray[np.bool_]:
    """Where a pixel and the next one along `axis` are known."""
    return np.asarray(mask[1:] & mask[:-1] if axis == 0 else mask[:, 1:] & mask[:, :-1])


def require_colours(path: Path, bands: int, dtype: str) -> None:
    """Raise InputFileError unless the bands of a raster can hold heights as colours."""
    if dtype != "uint8" or bands not in (3, 4):
        raise InputFileError(f"{path} has {bands} bands of {dtype}, not the three bytes of heights as colours.")
