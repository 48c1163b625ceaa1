"""Stanford PLY, binary: a mesh with the texture as colours of its vertices."""

from __future__ import annotations

import numpy as np

from terrainpaint.core.progress import check_cancel
from terrainpaint.core.terrain import Terrain
from terrainpaint.export.job import TEXT_FILE_BYTES, ExportJob, ExportOptions, Paths, recipe_facts
from terrainpaint.export.mesh import MeshGrid, mesh_bands, mesh_grid, mesh_shape, triangle_count, triangles
from terrainpaint.export.rasters import resampled_colours

_VERTEX = np.dtype([("place", "<f4", 3), ("normal", "<f4", 3), ("colour", "u1", 3)])
_FACE = np.dtype([("count", "u1"), ("corners", "<i4", 3)])


def write_ply(job: ExportJob, paths: Paths) -> None:
    """Write the PLY: x east, y north, z up, in metres, as programs expect it of this format.

    Raises ValueError when a height is not finite, OutputError, Cancelled.
    """
    (path,) = paths
    terrain = job.source.terrain
    grid = mesh_grid(terrain, job.options)
    colours = resampled_colours(terrain.albedo, grid.shape)
    h, w = grid.shape
    bands = mesh_bands(grid.shape)
    with job.files.path(path).open("wb") as file:
        file.write(_header(terrain, job.options, grid).encode())
        for start, stop in bands:
            check_cancel(job.cancel)
            vertices = np.empty((stop - start, w), _VERTEX)
            for axis, values in enumerate((grid.x[None], -grid.z[start:stop, None], grid.y[start:stop])):
                vertices["place"][..., axis] = values
            x, y, z = np.moveaxis(grid.normals(start, stop), -1, 0)
            for axis, values in enumerate((x, -z, y)):
                vertices["normal"][..., axis] = values
            vertices["colour"] = colours[start:stop]
            file.write(vertices.tobytes())
            job.progress(stop / h / 2)
        for start, stop in bands:
            check_cancel(job.cancel)
            corners = triangles(grid.shape, start, stop)
            faces = np.empty(len(corners), _FACE)
            faces["count"], faces["corners"] = 3, corners
            file.write(faces.tobytes())
            job.progress((1 + stop / h) / 2)


def _header(terrain: Terrain, options: ExportOptions, grid: MeshGrid) -> str:
    facts = ", ".join(f"{name} {value}" for name, value in recipe_facts(terrain.provenance).items())
    numbers = "".join(f"property float {name}\n" for name in ("x", "y", "z", "nx", "ny", "nz"))
    colours = "".join(f"property uchar {name}\n" for name in ("red", "green", "blue"))
    return (
        "ply\nformat binary_little_endian 1.0\n"
        f"comment TerrainPaint {terrain.provenance.version}\n"
        "comment metres; x east, y north, z up from sea level; origin at the centre of the map\n"
        f"comment pixels of {terrain.pixel_size_m} m, heights times {options.exaggeration:g}\n"
        f"comment {facts}, weights sha256 {terrain.provenance.weights_sha256}\n"
        f"element vertex {grid.y.size}\n{numbers}{colours}"
        f"element face {triangle_count(grid.shape)}\nproperty list uchar int vertex_indices\nend_header\n"
    )


def ply_bytes(rows: int, cols: int, options: ExportOptions) -> int:
    """Bytes of the PLY of a map of `rows` x `cols` pixels, nearly exact."""
    h, w = shape = mesh_shape((rows, cols), options.mesh_size)
    return h * w * _VERTEX.itemsize + triangle_count(shape) * _FACE.itemsize + 2 * TEXT_FILE_BYTES
