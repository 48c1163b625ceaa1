"""Drawn ridges, valleys and rivers: as a picture, and as lines for drawings."""

from __future__ import annotations

from terrainpaint.core.line_files import lines_picture, lines_svg
from terrainpaint.export.job import ExportJob, ExportOptions, Paths
from terrainpaint.export.png import PngWriter

_PICTURE_BYTES, _SVG_BYTES = 0.01, 8


def write_lines_png(job: ExportJob, paths: Paths) -> None:
    """Write a see-through PNG with white ridges, black valleys and blue rivers; `--lines` reads ridges and valleys.

    Raises OutputError, Cancelled.
    """
    (path,) = paths
    picture = lines_picture(job.lines, job.raster.shape)
    with PngWriter(job.files.path(path), (picture.shape[0], picture.shape[1], 4)) as file:
        file.write(picture)


def write_lines_svg(job: ExportJob, paths: Paths) -> None:
    """Write an SVG in pixels of the map, which `--lines` reads. Raises OutputError."""
    (path,) = paths
    with job.files.path(path).open("w", encoding="utf-8", newline="\n") as file:
        file.write(lines_svg(job.lines, job.raster.shape))


def lines_png_bytes(rows: int, cols: int, options: ExportOptions) -> int:
    """Roughly the bytes of the picture with a few dozen lines."""
    return round(rows * cols * _PICTURE_BYTES)


def lines_svg_bytes(rows: int, cols: int, options: ExportOptions) -> int:
    """Roughly the bytes of the SVG with a few dozen lines."""
    return _SVG_BYTES * (rows + cols)
