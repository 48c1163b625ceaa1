"""Heights that are stored as colours: the tiles of Terrarium and of Mapbox Terrain-RGB."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.importing.rasters import open_raster
from terrainpaint.errors import InputFileError

_LOWEST_M, _HIGHEST_M = -11_500.0, 9000.0
_SAMPLED_ROWS, _STRIPS = 16, 8
_LEAST_VALUES = 16
_SMOOTHER = 8.0
"""Heights change so many times less from pixel to pixel than the same colours do in any order."""


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

    The picture is decoded in both ways: heights lie within those of the Earth, and neighbours differ little although
    the lowest of the three bytes differs much. Raises InputFileError when the file is damaged.
    """
    with open_raster(path) as raster:
        info = raster.info
        colours = info.bands - info.alpha
        if info.dtype != "uint8" or colours != 3 or min(info.width, info.height) < 2:
            return None
        tops = np.unique(np.linspace(0, max(0, info.height - _SAMPLED_ROWS), _STRIPS).astype(int))
        strips = [raster.rows(int(top), min(int(top) + _SAMPLED_ROWS, info.height)) for top in tops]
    return recognised(strips)


def recognised(strips: list[NDArray[np.uint8]]) -> ColourHeights | None:
    """The encoding of strips (3 or 4, n, W) of a picture, each at least 2 px wide; None if the picture is none."""
    for encoding in ColourHeights:
        lands = [
            (encoding.metres(*strip[:3]), strip[3] > 0 if len(strip) > 3 else np.ones(strip.shape[1:], bool))
            for strip in strips
        ]
        known = np.concatenate([land[mask] for land, mask in lands])
        if known.size == 0 or len(np.unique(known[:100_000])) < _LEAST_VALUES:
            continue
        if known.min() < _LOWEST_M or known.max() > _HIGHEST_M:
            continue
        steps = [np.abs(np.diff(land, axis=axis))[_both(mask, axis)] for land, mask in lands for axis in (0, 1)]
        rough = float(np.concatenate(steps).mean())
        # The middle byte of heights turns over within a slope, which makes a picture of unrelated colours very rough.
        order = np.random.default_rng(0).permutation(known.size)
        spread = float(np.abs(np.diff(known[order])).mean())
        if rough * _SMOOTHER <= spread or (rough < 60 and _wraps(strips, encoding)):
            return encoding
    return None


def _wraps(strips: list[NDArray[np.uint8]], encoding: ColourHeights) -> bool:
    """Whether the lowest byte jumps between neighbours as no colour does, because it turns over."""
    low = [strip[2].astype(np.int16) for strip in strips]
    jumps = np.concatenate([np.abs(np.diff(strip, axis=1)).ravel() for strip in low])
    return bool((jumps > 128).mean() > 0.05)


def _both(mask: NDArray[np.bool_], axis: int) -> NDArray[np.bool_]:
    """Where a pixel and the next one along `axis` are known."""
    return np.asarray(mask[1:] & mask[:-1] if axis == 0 else mask[:, 1:] & mask[:, :-1])


def require_colours(path: Path, bands: int, dtype: str) -> None:
    """Raise InputFileError unless the bands of a raster can hold heights as colours."""
    if dtype != "uint8" or bands not in (3, 4):
        raise InputFileError(f"{path} has {bands} bands of {dtype}, not the three bytes of heights as colours.")
