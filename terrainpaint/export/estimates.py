"""How large the files of an export will be, from the size of the map alone.

Text of a mesh is counted out. Pictures are packed, and how well depends on the land: the bytes of a pixel are those of
the sample maps with the shipped weights, 256 to 1024 pixels a side. Albedo and shaded terrain come within 25 % of that,
16-bit heights within a third: sea packs better than mountains.
"""

from __future__ import annotations

from terrainpaint.export.job import ExportOptions
from terrainpaint.export.mesh import mesh_shape

_ALBEDO_BYTES = 1.41
_TERRAIN_BYTES = 1.71
_HEIGHT16_BYTES = 1.16
_TEXT_FILE_BYTES = 250

# Characters of the lines of a vertex in an OBJ: position in metres with three decimals, texture coordinate, normal.
_VERTEX_CHARACTERS = 33 + 23 + 25
_TRIANGLE_CHARACTERS = 11  # of a face, beside its nine numbers: "f ", the slashes, blanks and the end of the line


def albedo_bytes(rows: int, cols: int, options: ExportOptions) -> int:
    """Bytes of the albedo of a map of `rows` x `cols` pixels."""
    return round(rows * cols * _ALBEDO_BYTES)


def terrain_bytes(rows: int, cols: int, options: ExportOptions) -> int:
    """Bytes of the shaded terrain of a map of `rows` x `cols` pixels."""
    return round(rows * cols * _TERRAIN_BYTES)


def height16_bytes(rows: int, cols: int, options: ExportOptions) -> int:
    """Bytes of the 16-bit heights of a map of `rows` x `cols` pixels, with their JSON."""
    return round(rows * cols * _HEIGHT16_BYTES) + _TEXT_FILE_BYTES


def obj_bytes(rows: int, cols: int, options: ExportOptions) -> int:
    """Bytes of the mesh of a map of `rows` x `cols` pixels, with its material and texture."""
    h, w = mesh_shape((rows, cols), options.mesh_size)
    vertices, triangles = h * w, 2 * (h - 1) * (w - 1)
    digits = len(str(vertices))
    # The digits of all the numbers 1..vertices; every vertex is in about as many faces as any other.
    mean_digits = ((vertices + 1) * digits - int("1" * digits)) / vertices
    text = vertices * _VERTEX_CHARACTERS + triangles * (_TRIANGLE_CHARACTERS + 9 * mean_digits)
    return round(text) + _TEXT_FILE_BYTES + albedo_bytes(rows, cols, options)
