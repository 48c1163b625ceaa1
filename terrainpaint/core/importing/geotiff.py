"""Read size, pixel size and no-data value of the land in a TIFF, without a GIS library."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL.TiffImagePlugin import ImageFileDirectory_v2

_WIDTH, _HEIGHT, _SAMPLES = 256, 257, 277
_PIXEL_SCALE, _TIE_POINT, _GEO_KEYS, _NO_DATA = 33550, 33922, 34735, 42113
_MODEL_TYPE, _LINEAR_UNIT = 1024, 3076
_GEOGRAPHIC = 2
_UNITS_M = {9001: 1.0, 9002: 0.3048, 9003: 1200 / 3937}
_DEGREE_M = 111_320.0


@dataclass(frozen=True)
class TiffHeader:
    """Size and georeference of the first picture of a TIFF.

    `pixel_size_m` is the ground size of a pixel, the geometric mean of
    its sides, or None when the file does not say; `no_data` is the value of pixels without a height, or None.
    """

    height: int
    width: int
    samples: int
    is_georeferenced: bool
    pixel_size_m: float | None
    no_data: float | None


def read_tiff_header(path: Path) -> TiffHeader | None:
    """The header of a TIFF or BigTIFF file, None for another or a damaged file. Raises OSError."""
    with path.open("rb") as file:
        start = file.read(8)
        if start[:4] in (b"II\x2b\0", b"MM\0\x2b"):
            start += file.read(8)
        elif start[:4] not in (b"II\x2a\0", b"MM\0\x2a"):
            return None
        try:
            tags = ImageFileDirectory_v2(start)
            file.seek(tags.next)
            tags.load(file)
            return _header(tags)
        except Exception:  # any exception of a parser means that the bytes are damaged
            return None


def _header(tags: Any) -> TiffHeader:
    no_data = None
    if _NO_DATA in tags:
        no_data = float(str(tags[_NO_DATA]).strip("\0 "))
    return TiffHeader(
        int(tags[_HEIGHT]),
        int(tags[_WIDTH]),
        int(tags.get(_SAMPLES, 1)),
        _GEO_KEYS in tags or _PIXEL_SCALE in tags,
        _pixel_size_m(tags),
        no_data,
    )


def _pixel_size_m(tags: Any) -> float | None:
    if _PIXEL_SCALE not in tags or _GEO_KEYS not in tags:
        return None
    east, south = (abs(float(size)) for size in tags[_PIXEL_SCALE][:2])
    # A directory of entries (key, location of the value, count, value); only values in the directory itself are used.
    entries = tags[_GEO_KEYS][4:]
    keys = {entries[at]: entries[at + 3] for at in range(0, len(entries) - 3, 4) if entries[at + 1] == 0}
    if keys.get(_MODEL_TYPE) == _GEOGRAPHIC:
        north_deg = float(tags[_TIE_POINT][4]) - south * int(tags[_HEIGHT]) / 2
        east, south = east * _DEGREE_M * math.cos(math.radians(north_deg)), south * _DEGREE_M
    else:
        unit_m = _UNITS_M.get(keys.get(_LINEAR_UNIT, 9001))
        if unit_m is None:
            return None
        east, south = east * unit_m, south * unit_m
    size_m = math.sqrt(east * south)
    return size_m if 0 < size_m < math.inf else None
