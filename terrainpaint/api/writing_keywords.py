"""The options of writing files as keywords: those of `save`, `export` and `estimate` in Python."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypedDict

from terrainpaint.api.requests import FilesRequest, crop_of
from terrainpaint.core.rects import GroundRect
from terrainpaint.errors import OptionError
from terrainpaint.export.tile_options import TileOptions

Crop = tuple[int, int, int, int] | str
"""A part of a map: x, y, width and height in its pixels, or a text such as 120,80,40,40km on the ground."""


class WritingKeywords(TypedDict, total=False):
    """The options of a file. Those after `detail` are the fields of `FileOptions`, for single formats."""

    mesh_size: int | None
    exaggeration: float | None
    max_error_m: float | None
    water_surface_m: float | None
    crop: Crop | None
    detail: int
    glb_texture: str
    raw_byte_order: str
    raw_signed: bool
    raw_south_first: bool
    crs: str
    origin: tuple[float, float] | None
    border_px: float
    contour_interval_m: float | None
    print_size_mm: float
    print_base_mm: float
    place: tuple[float, float] | None
    terrain_encoding: str
    height_range: tuple[float, float] | None


class ExportKeywords(WritingKeywords, total=False):
    """The options of a folder of files."""

    formats: str | tuple[str, ...] | list[str] | None
    preset: str | None
    tiles: int | tuple[int, int] | Mapping[str, object] | None


def files_request(options: Mapping[str, Any]) -> FilesRequest:
    """The request of keywords such as those of `ExportKeywords`. Raises OptionError."""
    files = dict(options)
    named = {
        field.name: files.pop(field.name) for field in fields(FilesRequest) if field.name in options.keys() - {"files"}
    }
    formats = named.get("formats")
    return FilesRequest(
        **named
        | {
            "formats": (formats,) if isinstance(formats, str) else None if formats is None else tuple(formats),
            "crop": _part(named.get("crop")),
            "tiles": _division(named.get("tiles")),
            "files": files,
        }
    )


def _part(crop: Crop | None) -> tuple[int, int, int, int] | GroundRect | None:
    """Raises OptionError."""
    try:
        return crop_of(crop) if isinstance(crop, str) else crop
    except ValueError as error:
        raise OptionError(f'"{crop}" is not a rectangle such as {error}.') from error


def _division(tiles: int | tuple[int, int] | Mapping[str, object] | None) -> Mapping[str, object]:
    """Fields of `TileOptions`. Raises OptionError."""
    if tiles is None:
        return {}
    if isinstance(tiles, Mapping):
        return TileOptions.of(tiles).plain_values()
    return {"count": (tiles, tiles) if isinstance(tiles, int) else tiles}
