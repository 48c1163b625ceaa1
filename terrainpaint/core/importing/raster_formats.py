"""The formats of rasters that are read, recognised by the first bytes of a file or by its suffix."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

_TEXT_BYTES = 128


@dataclass(frozen=True)
class Format:
    """A format by its name for users, GDAL's driver, and whether a file is of it: first bytes, suffix in lower case."""

    name: str
    driver: str
    matches: Callable[[bytes, str], bool]


def _starts(*starts: bytes) -> Callable[[bytes, str], bool]:
    return lambda head, suffix: head.startswith(starts)


def _has_suffix(*suffixes: str) -> Callable[[bytes, str], bool]:
    return lambda head, suffix: suffix in suffixes


_ASCII_GRID_KEYS = (b"ncols", b"nrows", b"xllcorner", b"xllcenter", b"yllcorner", b"yllcenter")

# Each driver reads one file, and follows no references in it. The text formats and DTED are those of national surveys,
# Terragen, BT and Surfer those of terrain programs.
FORMATS = (
    Format("TIFF", "GTiff", _starts(b"II\x2a\0", b"MM\0\x2a", b"II\x2b\0", b"MM\0\x2b")),
    Format("PNG", "PNG", _starts(b"\x89PNG\r\n\x1a\n")),
    Format("JPEG", "JPEG", _starts(b"\xff\xd8\xff")),
    Format("WebP", "WEBP", lambda head, suffix: head[:4] == b"RIFF" and head[8:12] == b"WEBP"),
    Format("BMP", "BMP", _starts(b"BM")),
    Format("PGM", "PNM", _starts(b"P5", b"P6")),
    Format("OpenEXR", "", _starts(b"\x76\x2f\x31\x01")),
    Format(
        "Arc/Info ASCII grid",
        "AAIGrid",
        lambda head, suffix: suffix != ".hdr" and head.lower().startswith(_ASCII_GRID_KEYS),
    ),
    Format("GRASS ASCII grid", "GRASSASCIIGrid", lambda head, suffix: head.lower().startswith((b"north:", b"south:"))),
    Format("Surfer grid", "GSAG", _starts(b"DSAA")),
    Format("Surfer grid", "GSBG", _starts(b"DSBB")),
    Format("Surfer grid", "GS7BG", _starts(b"DSRB")),
    Format("Terragen", "Terragen", _starts(b"TERRAGENTERRAIN ")),
    Format("Binary Terrain", "BT", _starts(b"binterr1.")),
    Format("DTED", "DTED", _starts(b"UHL1", b"HDR1UHL", b"VOL1UHL")),
    Format("Erdas Imagine", "HFA", _starts(b"EHFA_HEADER_TAG")),
    Format("SRTM", "SRTMHGT", _has_suffix(".hgt")),
    Format(
        "USGS DEM",
        "USGSDEM",
        lambda head, suffix: suffix == ".dem" and head[:_TEXT_BYTES].isascii() and b"\0" not in head[:_TEXT_BYTES],
    ),
    Format("Esri BIL", "EHdr", _has_suffix(".bil", ".bip", ".bsq", ".flt", ".dem")),
    Format("ENVI", "ENVI", _has_suffix(".dat", ".img", ".envi")),
    Format("XYZ", "XYZ", _has_suffix(".xyz")),
)
