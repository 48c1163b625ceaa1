"""Stanford PLY, binary: a mesh with the texture as colours of its vertices."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.progress import check_cancel
from terrainpaint.core.terrain import Terrain
from terrainpaint.export.job import TEXT_FILE_BYTES, ExportJob, ExportOptions, Paths, recipe_facts
from terrainpaint.export.mesh import mesh_bands, mesh_shape, triangle_count, triangles
from terrainpaint.export.rasters import resampled_colours
from terrainpaint.export.triangulation import triangulation

_VERTEX = np.dtype([("place", "<f4", 3), ("normal", "<f4", 3), ("colour", "u1", 3)])
_FACE = np.dtype([("count", "u1"), ("corners", "<i4", 3)])


def write_ply(job: ExportJob, paths: Paths) -> None:
    """Write the PLY: x east, y north, z up, in metres, as programs expect it of this format.

    Raises ValueError when a height is not finite, OutputError, Cancelled.
    """
    (path,) = paths
    terrain = job.source.terrain
    grid = job.grid
    colours = resampled_colours(job.raster.albedo, grid.shape)
    h, w = grid.shape
    bands = mesh_bands(grid.shape)
    tin = triangulation(job, grid)
    if tin is not None:
        vertices = np.empty(len(tin.row), _VERTEX)
        vertices["place"] = _z_up(tin.places)
        vertices["normal"] = _z_up(tin.normals)
        vertices["colour"] = colours[tin.row, tin.col]
        header = _header(terrain, job.options, len(vertices), len(tin.corners))
        job.files.path(path).write_bytes(header.encode() + vertices.tobytes() + _faces(tin.corners))
        return
    with job.files.path(path).open("wb") as file:
        file.write(_header(terrain, job.options, grid.y.size, triangle_count(grid.shape)).encode())
        for start, stop in bands:
            check_cancel(job.cancel)
            vertices = np.empty((stop - start, w), _VERTEX)
            for axis, values in enumerate((grid.x[None], -grid.z[start:stop, None], grid.y[start:stop])):
                vertices["place"][..., axis] = values
            vertices["normal"] = _z_up(grid.normals(start, stop))
            vertices["colour"] = colours[start:stop]
            file.write(vertices.tobytes())
            job.progress(stop / h / 2)
        for start, stop in bands:
            check_cancel(job.cancel)
            file.write(_faces(triangles(grid.shape, start, stop)))
            job.progress((1 + stop / h) / 2)


def _z_up(vectors: NDArray[np.floating]) -> NDArray[np.floating]:
    """(..., 3) x east, y up, z south → x east, y north, z up."""
    x, y, z = np.moveaxis(vectors, -1, 0)
    return np.stack((x, -z, y), axis=-1)


def _faces(corners: NDArray[np.uint32]) -> bytes:
    faces = np.empty(len(corners), _FACE)
    faces["count"], faces["corners"] = 3, corners
    return faces.tobytes()


def _header(terrain: Terrain, options: ExportOptions, vertices: int, faces: int) -> str:
    facts = ", ".join(f"{name} {value}" for name, value in recipe_facts(terrain.provenance).items())
    numbers = "".join(f"property float {name}\n" for name in ("x", "y", "z", "nx", "ny", "nz"))
    colours = "".join(f"property uchar {name}\n" for name in ("red", "green", "blue"))
    return (
        "ply\nformat binary_little_endian 1.0\n"
        f"comment TerrainPaint {terrain.provenance.version}\n"
        "comment metres; x east, y north, z up from sea level; origin at the centre of the map\n"
        f"comment pixels of {terrain.pixel_size_m} m, heights times {options.exaggeration:g}\n"
        f"comment {facts}, weights sha256 {terrain.provenance.weights_sha256}\n"
        f"element vertex {vertices}\n{numbers}{colours}"
        f"element face {faces}\nproperty list uchar int vertex_indices\nend_header\n"
    )


def ply_bytes(rows: int, cols: int, options: ExportOptions) -> int:
    """Bytes of the PLY of a map of `rows` x `cols` pixels, nearly exact."""
    h, w = shape = mesh_shape((rows, cols), options.mesh_size)
    return h * w * _VERTEX.itemsize + triangle_count(shape) * _FACE.itemsize + 2 * TEXT_FILE_BYTES
