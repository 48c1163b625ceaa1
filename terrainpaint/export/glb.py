"""Binary glTF 2.0 (GLB): mesh, physically based material and texture in one file (Khronos glTF 2.0 specification)."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.progress import check_cancel
from terrainpaint.errors import OptionError, OutputError
from terrainpaint.export.file_options import Texture
from terrainpaint.export.job import ExportJob, ExportOptions, Paths, recipe_facts
from terrainpaint.export.mesh import MeshGrid, mesh_bands, mesh_shape, triangle_count, triangles
from terrainpaint.export.picture_formats import albedo_bytes, albedo_png
from terrainpaint.export.triangulation import Triangulation, triangulation

_FLOAT, _UINT32 = 5126, 5125
_VERTICES, _INDICES = 34962, 34963
_LINEAR, _MIPMAPS, _CLAMP = 9729, 9987, 33071
_MOST_BYTES = (1 << 32) - 1
"""The format counts its bytes in 32 bits."""
_JSON_BYTES = 2500
_JPEG_QUALITY = 92
_JPEG_SIDE_PX = 65_500
_JPEG_PART = 0.27
"""Of the bytes of the same picture as PNG; measured on the sample maps."""
_WATER_COLOUR = (0.1, 0.3, 0.42, 0.7)
"""Linear RGB and alpha."""

_Rows = Callable[[int, int], "NDArray[np.float32] | NDArray[np.uint32]"]


@dataclass
class _Buffer:
    """The binary part while it is planned: its views and accessors, and what writes each view."""

    views: list[dict[str, object]] = field(default_factory=list)
    accessors: list[dict[str, object]] = field(default_factory=list)
    parts: list[tuple[_Rows | bytes, int]] = field(default_factory=list)
    """What returns the numbers of mesh rows start..stop, or bytes; and the number of mesh rows, 0 for bytes."""
    size: int = 0

    def add_numbers(self, rows: _Rows, row_count: int, accessor: Mapping[str, object], target: int) -> int:
        """Plan an array of floats or indices of 4 bytes; return the index of its accessor."""
        numbers = int(str(accessor["count"])) * {"SCALAR": 1, "VEC2": 2, "VEC3": 3}[str(accessor["type"])]
        self.accessors.append({"bufferView": self._add(rows, row_count, numbers * 4, {"target": target}), **accessor})
        return len(self.accessors) - 1

    def add_bytes(self, data: bytes) -> int:
        """Plan bytes; return the index of their view."""
        return self._add(data, 0, len(data), {})

    def _add(self, content: _Rows | bytes, row_count: int, size: int, view: Mapping[str, object]) -> int:
        self.views.append({"buffer": 0, "byteOffset": self.size, "byteLength": size, **view})
        self.parts.append((content, row_count))
        self.size += size + -size % 4
        return len(self.views) - 1


def write_glb(job: ExportJob, paths: Paths) -> None:
    """Write the GLB.

    Raises ValueError when a height is not finite, OptionError when the file would be larger than the format allows,
    OutputError, Cancelled.
    """
    (path,) = paths
    grid = job.grid
    check_cancel(job.cancel)
    buffer = _Buffer()
    document = _document(job, grid, path.stem, buffer)
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    total = 12 + 8 + len(text) + 8 + buffer.size
    if total > _MOST_BYTES:
        raise OptionError(
            f"{path} would have {total / 2**30:.1f} GiB and the format allows 4; choose a smaller mesh or texture."
        )
    bands = mesh_bands(grid.shape)
    with job.files.path(path).open("wb") as file:
        file.write(struct.pack("<4sIIII", b"glTF", 2, total, len(text), 0x4E4F534A))
        file.write(text)
        file.write(struct.pack("<II", buffer.size, 0x004E4942))
        for number, (content, row_count) in enumerate(buffer.parts):
            start = file.tell()
            if isinstance(content, bytes):
                file.write(content)
            else:
                for first, stop in bands if row_count > 1 else [(0, row_count)]:
                    check_cancel(job.cancel)
                    file.write(content(first, stop).tobytes())
                    job.progress((number + stop / row_count) / len(buffer.parts))
            file.write(bytes(-(file.tell() - start) % 4))


def _document(job: ExportJob, grid: MeshGrid, name: str, buffer: _Buffer) -> dict[str, object]:
    """The JSON part; plans `buffer`."""
    terrain, surface_m = job.source.terrain, job.options.water_surface_m
    tin = triangulation(job, grid)
    ground = _add_ground(buffer, grid) if tin is None else _add_triangulation(buffer, tin)
    water = None if surface_m is None else _add_water(buffer, grid, surface_m * job.options.exaggeration)
    picture, mime = _texture(job)
    image = buffer.add_bytes(picture)
    meshes: list[dict[str, object]] = [{"name": name, "primitives": [{**ground, "material": 0}]}]
    materials: list[dict[str, object]] = [
        {
            "name": name,
            "pbrMetallicRoughness": {"baseColorTexture": {"index": 0}, "metallicFactor": 0, "roughnessFactor": 1},
        }
    ]
    if water is not None:
        meshes.append({"name": f"{name}_water", "primitives": [{**water, "material": 1}]})
        materials.append(
            {
                "name": f"{name}_water",
                "alphaMode": "BLEND",
                "pbrMetallicRoughness": {
                    "baseColorFactor": list(_WATER_COLOUR), "metallicFactor": 0, "roughnessFactor": 0.3
                },
            }
        )  # fmt: skip
    facts = {
        "pixel_size_m": terrain.pixel_size_m,
        "exaggeration": job.options.exaggeration,
        "weights_sha256": terrain.provenance.weights_sha256,
        **recipe_facts(terrain.provenance),
    }
    return {
        "asset": {"version": "2.0", "generator": f"TerrainPaint {terrain.provenance.version}", "extras": facts},
        "scene": 0,
        "scenes": [{"name": name, "nodes": list(range(len(meshes)))}],
        "nodes": [{"name": mesh["name"], "mesh": index} for index, mesh in enumerate(meshes)],
        "meshes": meshes,
        "materials": materials,
        "textures": [{"source": 0, "sampler": 0}],
        "images": [{"name": name, "mimeType": mime, "bufferView": image}],
        "samplers": [{"magFilter": _LINEAR, "minFilter": _MIPMAPS, "wrapS": _CLAMP, "wrapT": _CLAMP}],
        "accessors": buffer.accessors,
        "bufferViews": buffer.views,
        "buffers": [{"byteLength": buffer.size}],
    }


def _add_ground(buffer: _Buffer, grid: MeshGrid) -> dict[str, object]:
    h, w = grid.shape
    count = h * w

    def positions(start: int, stop: int) -> NDArray[np.float32]:
        return _stacked(grid.x[None], grid.y[start:stop], grid.z[start:stop, None])

    def texture_coordinates(start: int, stop: int) -> NDArray[np.float32]:
        # v grows downwards in glTF.
        return _stacked(grid.u[None], 1 - grid.v[start:stop, None])

    def indices(start: int, stop: int) -> NDArray[np.uint32]:
        return triangles(grid.shape, start, stop)

    low = _stacked(grid.x[:1], grid.y.min(keepdims=True)[0], grid.z[:1])
    high = _stacked(grid.x[-1:], grid.y.max(keepdims=True)[0], grid.z[-1:])
    vec3 = {"componentType": _FLOAT, "count": count, "type": "VEC3"}
    place = buffer.add_numbers(positions, h, vec3 | {"min": low[0].tolist(), "max": high[0].tolist()}, _VERTICES)
    normal = buffer.add_numbers(grid.normals, h, vec3, _VERTICES)
    uv = buffer.add_numbers(texture_coordinates, h, vec3 | {"type": "VEC2"}, _VERTICES)
    corners = {"componentType": _UINT32, "count": 3 * triangle_count(grid.shape), "type": "SCALAR"}
    index = buffer.add_numbers(indices, h, corners, _INDICES)
    return {"attributes": {"POSITION": place, "NORMAL": normal, "TEXCOORD_0": uv}, "indices": index}


def _add_triangulation(buffer: _Buffer, tin: Triangulation) -> dict[str, object]:
    places, normals = tin.places.astype(np.float32), tin.normals
    uv = tin.texture_places.astype(np.float32)
    uv[:, 1] = 1 - uv[:, 1]  # v grows downwards in glTF
    vec3 = {"componentType": _FLOAT, "count": len(places), "type": "VEC3"}
    bounds = {"min": places.min(axis=0).tolist(), "max": places.max(axis=0).tolist()}
    place = buffer.add_numbers(lambda start, stop: places, 1, vec3 | bounds, _VERTICES)
    normal = buffer.add_numbers(lambda start, stop: normals, 1, vec3, _VERTICES)
    texture = buffer.add_numbers(lambda start, stop: uv, 1, vec3 | {"type": "VEC2"}, _VERTICES)
    corners = {"componentType": _UINT32, "count": tin.corners.size, "type": "SCALAR"}
    index = buffer.add_numbers(lambda start, stop: tin.corners, 1, corners, _INDICES)
    return {"attributes": {"POSITION": place, "NORMAL": normal, "TEXCOORD_0": texture}, "indices": index}


def _add_water(buffer: _Buffer, grid: MeshGrid, y: float) -> dict[str, object]:
    """A rectangle over the whole mesh, two triangles counter-clockwise seen from above."""
    corners = np.array([(x, y, z) for z in grid.z[[0, -1]] for x in grid.x[[0, -1]]], np.float32)  # NW, NE, SW, SE
    vec3 = {"componentType": _FLOAT, "count": 4, "type": "VEC3"}
    bounds = {"min": corners.min(axis=0).tolist(), "max": corners.max(axis=0).tolist()}
    place = buffer.add_numbers(lambda start, stop: corners, 1, vec3 | bounds, _VERTICES)
    up = np.tile(np.array((0, 1, 0), np.float32), (4, 1))
    normal = buffer.add_numbers(lambda start, stop: up, 1, vec3, _VERTICES)
    order = np.array((0, 2, 1, 1, 2, 3), np.uint32)
    index = buffer.add_numbers(
        lambda start, stop: order,
        1,
        {"componentType": _UINT32, "count": 6, "type": "SCALAR"},
        _INDICES,
    )
    return {"attributes": {"POSITION": place, "NORMAL": normal}, "indices": index}


def _stacked(*axes: NDArray[np.floating]) -> NDArray[np.float32]:
    """(..., axes) float32 of arrays that broadcast."""
    return np.stack(np.broadcast_arrays(*(axis.astype(np.float32) for axis in axes)), axis=-1)


def _texture(job: ExportJob) -> tuple[bytes, str]:
    """The encoded texture and its type."""
    if job.options.files.glb_texture is Texture.PNG:
        return albedo_png(job), "image/png"
    albedo = job.raster.albedo
    if max(albedo.shape) > _JPEG_SIDE_PX:
        raise OptionError(f"A JPEG has at most {_JPEG_SIDE_PX} pixels a side; choose PNG for the texture of the GLB.")
    try:
        _, data = cv2.imencode(
            ".jpg", cv2.cvtColor(albedo, cv2.COLOR_RGB2BGR), (cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY)
        )
    except cv2.error as error:
        raise OutputError("The memory is too small to compress the texture; choose a smaller map.") from error
    return data.tobytes(), "image/jpeg"


def glb_bytes(rows: int, cols: int, options: ExportOptions) -> int:
    """Approximate bytes of the GLB of a map of `rows` x `cols` pixels."""
    h, w = shape = mesh_shape((rows, cols), options.mesh_size)
    texture = albedo_bytes(rows, cols, options)
    if options.files.glb_texture is Texture.JPEG:
        texture = round(texture * _JPEG_PART)
    return h * w * 32 + triangle_count(shape) * 12 + texture + _JSON_BYTES
