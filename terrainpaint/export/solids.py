"""Solids for 3D printing: STL, and 3MF in colour. The ground stands on walls and a flat base.

Lengths are millimetres, z is up, x east, y north; the south-west corner of the base is at 0, 0, 0, as slicers expect.
"""

from __future__ import annotations

import struct
import zipfile
from dataclasses import dataclass
from functools import cached_property
from typing import IO

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.progress import check_cancel
from terrainpaint.errors import OutputError
from terrainpaint.export.job import ExportJob, ExportOptions, Paths
from terrainpaint.export.mesh import MeshGrid, mesh_bands, mesh_shape, triangle_count, triangles
from terrainpaint.export.rasters import resampled_colours
from terrainpaint.export.text import fixed_point, lines, rounded

_FACET = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
_MOST_FACETS = (1 << 32) - 1
_DECIMALS = 4
_SIDE_COLOUR = 0x8C7B6B
_3MF_BYTES_PER_VERTEX = 33
"""Of the sample maps, compressed."""
_CONTENT_TYPES = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="model" ContentType="application/vnd.ms-package.3dmanufacturing-3dmodel+xml"/></Types>\n'
)
_RELATIONSHIPS = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Target="/3D/3dmodel.model" Id="rel0" '
    'Type="http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"/></Relationships>\n'
)


@dataclass(frozen=True)
class Solid:
    """A mesh with walls and a base.

    `scale` is millimetres for each metre, `lift_m` what is added to the heights so that the base is at 0.
    """

    grid: MeshGrid
    scale: float
    lift_m: float

    @classmethod
    def of(cls, grid: MeshGrid, size_mm: float, base_mm: float, lowest_m: float) -> Solid:
        """The solid whose longest side has `size_mm`, with `base_mm` below the height `lowest_m`."""
        scale = size_mm / max(float(np.ptp(grid.x)), float(np.ptp(grid.z)))
        return cls(grid, scale, base_mm / scale - lowest_m)

    def ground(self, start: int, stop: int) -> NDArray[np.float32]:
        """(stop - start, w, 3) float32: the vertices of mesh rows `start`..`stop`."""
        x, north = self.grid.x[None], self.grid.z[-1] - self.grid.z[start:stop, None]
        up = self.grid.y[start:stop].astype(np.float64) + self.lift_m
        metres = np.stack(np.broadcast_arrays(x - self.grid.x[0], north, up), axis=-1)
        return (metres * self.scale).astype(np.float32)

    @cached_property
    def ring(self) -> NDArray[np.uint32]:
        """(m,) uint32: numbers of the vertices at the edge of the mesh, counter-clockwise seen from above."""
        h, w = self.grid.shape
        number = np.arange(h * w, dtype=np.uint32).reshape(h, w)
        return np.concatenate((number[:-1, 0], number[-1, :-1], number[:0:-1, -1], number[0, :0:-1]))

    @cached_property
    def edge(self) -> NDArray[np.float32]:
        """(2 m + 1, 3) float32: the vertices of walls and base: those of `ring`, those below them, the centre."""
        grid = self.grid
        row, col = np.divmod(self.ring, grid.shape[1])
        metres = np.stack(
            (grid.x[col] - grid.x[0], grid.z[-1] - grid.z[row], grid.y[row, col] + np.float64(self.lift_m)), axis=-1
        )
        above = (metres * self.scale).astype(np.float32)
        below = above * np.array((1, 1, 0), np.float32)
        centre = np.array([(*above.max(axis=0)[:2] / 2, 0)], np.float32)
        return np.concatenate((above, below, centre))

    @cached_property
    def sides(self) -> NDArray[np.uint32]:
        """(3 m, 3) uint32: triangles of walls and base, numbers in `edge`, counter-clockwise seen from outside."""
        count = len(self.ring)
        above = np.arange(count, dtype=np.uint32)
        below, next_above = above + np.uint32(count), np.roll(above, -1)
        next_below, centre = np.roll(below, -1), np.full_like(above, 2 * count)
        parts = ((below, next_below, next_above), (below, next_above, above), (centre, next_below, below))
        return np.concatenate([np.stack(part, axis=-1) for part in parts])

    @property
    def sides_of_whole(self) -> NDArray[np.uint32]:
        """`sides` with the numbers of all vertices: those of the mesh, then those of `edge` that are not of it."""
        number = np.arange(len(self.edge), dtype=np.uint32) + np.uint32(self.grid.y.size - len(self.ring))
        number[: len(self.ring)] = self.ring
        return number[self.sides]

    @property
    def facet_count(self) -> int:
        """Number of triangles."""
        return triangle_count(self.grid.shape) + 3 * len(self.ring)


def solid_of(job: ExportJob) -> Solid:
    """The solid of the options of a job. Raises ValueError when a height is not finite."""
    files = job.options.files
    # Tiles stand on the same base, that of the lowest point of the map.
    heights_m = job.source.frame.heights_m
    lowest = float(job.grid.y.min()) if heights_m is None else heights_m[0] * job.options.exaggeration
    return Solid.of(job.grid, files.print_size_mm, files.print_base_mm, lowest)


def write_stl(job: ExportJob, paths: Paths) -> None:
    """Write a binary STL. Raises ValueError when a height is not finite, OutputError, Cancelled."""
    (path,) = paths
    solid = solid_of(job)
    h, w = solid.grid.shape
    if solid.facet_count > _MOST_FACETS:
        raise OutputError(f"{path} would have more triangles than the format can count; choose a smaller mesh.")
    header = f"TerrainPaint {job.source.terrain.provenance.version}, millimetres, z up".encode()
    with job.files.path(path).open("wb") as file:
        file.write(header.ljust(80) + struct.pack("<I", solid.facet_count))
        for start, stop in mesh_bands(solid.grid.shape):
            check_cancel(job.cancel)
            last = min(stop + 1, h)
            corners = triangles(solid.grid.shape, start, stop) - np.uint32(start * w)
            file.write(_facets(solid.ground(start, last).reshape(-1, 3)[corners]))
            job.progress(stop / h)
        file.write(_facets(solid.edge[solid.sides]))


def _facets(corners: NDArray[np.float32]) -> bytes:
    """Triangles (n, 3, 3) as in a binary STL."""
    facets = np.zeros(len(corners), _FACET)
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    facets["normal"] = normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-30)
    facets["corners"] = corners
    return facets.tobytes()


def write_3mf(job: ExportJob, paths: Paths) -> None:
    """Write a 3MF (core specification 1.3, materials extension 1.2) with the texture as colours of vertices.

    Raises ValueError when a height is not finite, OutputError, Cancelled.
    """
    (path,) = paths
    solid = solid_of(job)
    with (
        job.files.path(path).open("wb") as file,
        zipfile.ZipFile(file, "w") as package,
    ):
        # ZipInfo without a time, so that equal solids give equal bytes.
        for name, text in (("[Content_Types].xml", _CONTENT_TYPES), ("_rels/.rels", _RELATIONSHIPS)):
            package.writestr(zipfile.ZipInfo(name), text)
        member = zipfile.ZipInfo("3D/3dmodel.model")
        member.compress_type = zipfile.ZIP_DEFLATED
        with package.open(member, "w", force_zip64=True) as model:
            _write_model(job, solid, path.stem, model)


def _write_model(job: ExportJob, solid: Solid, name: str, model: IO[bytes]) -> None:
    from xml.sax.saxutils import quoteattr

    terrain, shape = job.source.terrain, solid.grid.shape
    rgb = resampled_colours(job.raster.albedo, shape).astype(np.uint32)
    packed = rgb[..., 0] << 16 | rgb[..., 1] << 8 | rgb[..., 2]
    colours, colour_of = np.unique(np.append(packed.ravel(), np.uint32(_SIDE_COLOUR)), return_inverse=True)
    group = "".join(f'<m:color color="#{colour:06X}FF"/>\n' for colour in colours.tolist())
    side = int(colour_of[-1])
    model.write(
        '<?xml version="1.0" encoding="UTF-8"?>\n<model unit="millimeter" xml:lang="en-US" '
        'xmlns="http://schemas.microsoft.com/3dmanufacturing/core/2015/02" '
        'xmlns:m="http://schemas.microsoft.com/3dmanufacturing/material/2015/02">\n'
        f'<metadata name="Application">TerrainPaint {terrain.provenance.version}</metadata>\n'
        f'<resources>\n<m:colorgroup id="1">\n{group}</m:colorgroup>\n'
        f'<object id="2" type="model" name={quoteattr(name)} pid="1" pindex="{side}"><mesh>\n<vertices>\n'.encode()
    )
    bands = mesh_bands(shape)
    for start, stop in bands:
        check_cancel(job.cancel)
        model.write(_vertices(solid.ground(start, stop).reshape(-1, 3)))
        job.progress(stop / shape[0] / 3)
    model.write(_vertices(solid.edge[len(solid.ring) :]) + b"</vertices>\n<triangles>\n")
    for start, stop in bands:
        check_cancel(job.cancel)
        corners = triangles(shape, start, stop)
        if len(corners):
            model.write(_coloured_triangles(corners, colour_of[corners]))
        job.progress((1 + 2 * stop / shape[0]) / 3)
    model.write(_coloured_triangles(solid.sides_of_whole, np.full_like(solid.sides, side)))
    model.write(b'</triangles>\n</mesh></object>\n</resources>\n<build><item objectid="2"/></build>\n</model>\n')


def _vertices(places: NDArray[np.float32]) -> bytes:
    x, y, z = (fixed_point(rounded(axis, _DECIMALS), _DECIMALS) for axis in places.T)
    return lines((len(places),), b'<vertex x="', x, b'" y="', y, b'" z="', z, b'"/>\n')


def _coloured_triangles(corners: NDArray[np.uint32], colours: NDArray[np.integer]) -> bytes:
    parts: list[bytes | NDArray[np.uint8]] = []
    for name, numbers in zip(("v1", "v2", "v3", "p1", "p2", "p3"), (*corners.T, *colours.T), strict=True):
        parts += [f' {name}="'.encode(), fixed_point(numbers.astype(np.int64), 0), b'"']
    return lines((len(corners),), b'<triangle pid="1"', *parts, b"/>\n")


def stl_bytes(rows: int, cols: int, options: ExportOptions) -> int:
    """Bytes of the STL of a map of `rows` x `cols` pixels."""
    h, w = shape = mesh_shape((rows, cols), options.mesh_size)
    return 84 + _FACET.itemsize * (triangle_count(shape) + 3 * 2 * (h + w - 2))


def threemf_bytes(rows: int, cols: int, options: ExportOptions) -> int:
    """Approximate bytes of the 3MF of a map of `rows` x `cols` pixels."""
    h, w = mesh_shape((rows, cols), options.mesh_size)
    return h * w * _3MF_BYTES_PER_VERTEX
