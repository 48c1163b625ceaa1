"""Wavefront OBJ with its material (MTL) and texture (PNG)."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.progress import check_cancel
from terrainpaint.core.terrain import Terrain
from terrainpaint.errors import OptionError
from terrainpaint.export.job import TEXT_FILE_BYTES, ExportJob, ExportOptions, recipe_facts
from terrainpaint.export.mesh import MeshGrid, mesh_bands, mesh_shape, triangle_count
from terrainpaint.export.picture_formats import albedo_bytes, write_albedo
from terrainpaint.export.text import FixedPointTable, Lines, Text, fixed_point, rounded
from terrainpaint.export.triangulation import Triangulation, triangulation

_CHUNK = 1 << 15
_UV_DECIMALS = 7  # a thousandth of a pixel in the largest texture
_NORMAL_DECIMALS = 4
# Characters of the three lines of a vertex: position in metres with three decimals, texture coordinate, normal.
_VERTEX_CHARACTERS = 33 + 23 + 25
_TRIANGLE_CHARACTERS = 11  # of a face without its nine numbers: "f ", slashes, blanks and the end of the line

_Write = Callable[[int, int], bytes | bytearray]
_Section = tuple[_Write, list[tuple[int, int]]]


def write_obj(job: ExportJob, paths: tuple[Path, ...]) -> None:
    """Write `paths`: the OBJ, its MTL and its texture, which refer to each other by these names.

    Raises ValueError when a height is not finite, OutputError when a file cannot be written, Cancelled.
    """
    obj_path, mtl_path, texture_path = paths
    write_albedo(job, (texture_path,))
    name = re.sub(r"\s", "_", mtl_path.stem)  # readers end the names of objects and materials at a blank
    surface_m = job.options.water_surface_m
    materials = _mtl(name, texture_path.name) + (_water_mtl(name) if surface_m is not None else "")
    job.files.path(mtl_path).write_bytes(materials.encode())
    grid = job.grid
    tin = triangulation(job, grid)
    with job.files.path(obj_path).open("wb") as file:
        file.write(_header(job.source.terrain, job.options, grid).encode())
        file.write(f"mtllib {mtl_path.name}\no {name}\n".encode())
        if tin is None:
            parts = [(section, mesh_bands(grid.shape)) for section in _sections(grid, name)]
        else:
            parts = _triangulation_sections(tin, name)
        for number, (section, bands) in enumerate(parts):
            for done, (start, stop) in enumerate(bands):
                check_cancel(job.cancel)
                file.write(section(start, stop))
                job.progress((number + (done + 1) / len(bands)) / len(parts))
        if surface_m is not None:
            count = grid.y.size if tin is None else len(tin.row)
            file.write(_water(grid, name, surface_m * job.options.exaggeration, count + 1).encode())


def obj_paths(path: Path) -> tuple[Path, ...]:
    """`path` and the paths of its MTL and texture, with the same name because some readers (VTK, f3d) require it.

    Characters that readers do not accept in these names become `_`: `#`, quotes, backslash, control characters, bytes
    that are not Unicode, and a blank or `-` at the start. Other blanks and letters of any script are kept as UTF-8.
    Raises OptionError when `path` does not end in .obj.
    """
    if path.suffix.lower() != ".obj":
        raise OptionError(f"{path} does not end in .obj; choose an .obj file, or a folder and formats.")
    stem = re.sub(r'^[\s-]|[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff#"\\]', "_", path.stem)
    return path, path.with_name(stem + ".mtl"), path.with_name(stem + ".png")


def _header(terrain: Terrain, options: ExportOptions, grid: MeshGrid) -> str:
    provenance, (h, w) = terrain.provenance, grid.shape
    facts = ", ".join(f"{name} {value}" for name, value in recipe_facts(provenance).items())
    return (
        f"# TerrainPaint {provenance.version}\n"
        "# metres; x east, y up from sea level, z south; origin at the centre of the map\n"
        f"# {w} x {h} vertices over {terrain.shape[1]} x {terrain.shape[0]} pixels of {terrain.pixel_size_m} m, "
        f"heights times {options.exaggeration:g}\n"
        f"# {facts}, weights sha256 {provenance.weights_sha256}\n"
    )


def _mtl(material: str, texture_name: str) -> str:
    # Without specular reflection, which the texture must not get in addition to its own colours, and without ambient
    # light: viewers that obey Ka add it everywhere, so white burns out.
    return f"newmtl {material}\nKa 0 0 0\nKd 1 1 1\nKs 0 0 0\nillum 1\nmap_Kd {texture_name}\n"


def _water_mtl(material: str) -> str:
    return f"\nnewmtl {material}_water\nKa 0 0 0\nKd 0.1 0.3 0.42\nKs 0 0 0\nd 0.7\nillum 1\n"


def _water(grid: MeshGrid, name: str, y: float, first: int) -> str:
    """An object of its own: a rectangle over the whole mesh, two triangles counter-clockwise seen from above.

    It has texture coordinates although it has no texture: without them, f3d shows no texture on the ground either.
    """
    decimals = _metre_decimals(min(grid.step_m))
    corners = [(row, col) for row in (0, -1) for col in (0, -1)]  # NW, NE, SW, SE
    positions = "".join(
        f"v {grid.x[col]:.{decimals}f} {y:.{decimals}f} {grid.z[row]:.{decimals}f}\n" for row, col in corners
    )
    places = "".join(f"vt {grid.u[col]:.{_UV_DECIMALS}f} {grid.v[row]:.{_UV_DECIMALS}f}\n" for row, col in corners)
    triangles = "".join(
        "f " + " ".join("/".join([str(first + corner)] * 3) for corner in triangle) + "\n"
        for triangle in ((0, 2, 1), (1, 2, 3))
    )
    normals = "vn 0 1 0\n" * len(corners)
    return f"o {name}_water\n{positions}{places}{normals}usemtl {name}_water\n{triangles}"


def _sections(grid: MeshGrid, material: str) -> list[_Write]:
    """The four sections of the file after its header, as functions that return the text of mesh rows start..stop.

    A text is valid until the next call of any of them.
    """
    h, w = grid.shape
    decimals = _metre_decimals(min(grid.step_m))
    x, z = (fixed_point(rounded(axis, decimals), decimals) for axis in (grid.x, grid.z))
    u, v = (fixed_point(rounded(axis, _UV_DECIMALS), _UV_DECIMALS) for axis in (grid.u, grid.v))
    lines, unit = Lines(), FixedPointTable(-1, 1, _NORMAL_DECIMALS)

    def vertices(start: int, stop: int) -> bytes | bytearray:
        y = fixed_point(rounded(grid.y[start:stop], decimals), decimals)
        return lines.put((stop - start, w), b"v ", x, b" ", y, b" ", z[start:stop, None], b"\n")

    def texture_coordinates(start: int, stop: int) -> bytes | bytearray:
        return lines.put((stop - start, w), b"vt ", u, b" ", v[start:stop, None], b"\n")

    def normals(start: int, stop: int) -> bytes | bytearray:
        text = unit.text(grid.normals(start, stop))
        return lines.put(text.shape[:2], b"vn ", text[..., 0, :], b" ", text[..., 1, :], b" ", text[..., 2, :], b"\n")

    def faces(start: int, stop: int) -> bytes | bytearray:
        head = f"usemtl {material}\ns 1\n".encode() if start == 0 else b""
        stop = min(stop, h - 1)  # there are no squares below the last row of vertices
        if start == stop:
            return head
        corner = _corners(start * w + 1, (stop + 1) * w + 1).reshape(stop + 1 - start, w, -1)
        north_west, north_east = corner[:-1, :-1], corner[:-1, 1:]
        south_west, south_east = corner[1:, :-1], corner[1:, 1:]
        # Two triangles of a square, counter-clockwise seen from above.
        text = lines.put(
            (stop - start, w - 1),
            *(b"f ", north_west, b" ", south_west, b" ", north_east, b"\n"),
            *(b"f ", north_east, b" ", south_west, b" ", south_east, b"\n"),
        )
        return head + text if head else text

    return [vertices, texture_coordinates, normals, faces]


def _triangulation_sections(tin: Triangulation, material: str) -> list[_Section]:
    """The four sections of the file after its header, as functions of vertices or triangles start..stop."""
    decimals, lines = _metre_decimals(min(tin.grid.step_m)), Lines()

    def numbers(head: bytes, values: NDArray[np.floating], places: int) -> _Section:
        def section(start: int, stop: int) -> bytes | bytearray:
            text = fixed_point(rounded(values[start:stop], places), places)
            columns = (part for column in np.moveaxis(text, 1, 0) for part in (b" ", column))
            return lines.put((stop - start,), head, *columns, b"\n")

        return section, _chunks(len(values))

    def faces(start: int, stop: int) -> bytes | bytearray:
        head = f"usemtl {material}\ns 1\n".encode() if start == 0 else b""
        index = fixed_point(tin.corners[start:stop].astype(np.int64) + 1, 0)
        corners = (part for corner in np.moveaxis(index, 1, 0) for part in (b" ", corner, b"/", corner, b"/", corner))
        return head + lines.put((stop - start,), b"f", *corners, b"\n")

    return [
        numbers(b"v", tin.places, decimals),
        numbers(b"vt", tin.texture_places, _UV_DECIMALS),
        numbers(b"vn", tin.normals, _NORMAL_DECIMALS),
        (faces, _chunks(len(tin.corners))),
    ]


def _chunks(count: int) -> list[tuple[int, int]]:
    return [(start, min(start + _CHUNK, count)) for start in range(0, count, _CHUNK)]


def _metre_decimals(step_m: float) -> int:
    """Three decimals, more when the vertices are closer than a metre, so that they stay apart."""
    return min(9, max(3, math.ceil(3 - math.log10(step_m))))


def _corners(first: int, end: int) -> Text:
    """The text "i/i/i" for i in first..end: position, texture coordinate and normal of a vertex have the same index."""
    index = fixed_point(np.arange(first, end, dtype=np.int64), 0)
    slash = np.full((end - first, 1), ord("/"), np.uint8)
    return np.concatenate((index, slash, index, slash, index), axis=1)


def obj_bytes(rows: int, cols: int, options: ExportOptions) -> int:
    """Approximate bytes of the OBJ, MTL and texture of a map of `rows` x `cols` pixels."""
    h, w = mesh_shape((rows, cols), options.mesh_size)
    vertices, triangles = h * w, triangle_count((h, w))
    digits = len(str(vertices))
    # Mean digits of the indices 1..vertices, because nearly every vertex is in six faces.
    mean_digits = ((vertices + 1) * digits - int("1" * digits)) / vertices
    text = vertices * _VERTEX_CHARACTERS + triangles * (_TRIANGLE_CHARACTERS + 9 * mean_digits)
    return round(text) + TEXT_FILE_BYTES + albedo_bytes(rows, cols, options)
