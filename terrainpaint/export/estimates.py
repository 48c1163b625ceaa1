"""What an export takes of disk, memory and time, before there is a terrain.

The rates were measured with maps of 1024 and 2048 pixels a side on one core of an AMD EPYC; `machine_speed` scales them
to this machine. They are right within a factor of two: land with many contours or colours takes longer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from terrainpaint.core.hydrology import FlowingWater
from terrainpaint.core.hydrology.waters import BYTES_PER_CELL, memory_with_files
from terrainpaint.core.main_memory import free_memory
from terrainpaint.core.sea_choice import AS_PAINTED, Sea
from terrainpaint.export.formats import FORMATS, MESH, Format, estimated_bytes
from terrainpaint.export.job import ExportOptions
from terrainpaint.export.machine_speed import slowness
from terrainpaint.export.mesh import DEFAULT_MESH_SIZE, mesh_shape

_MEGA = 1e6


@dataclass(frozen=True)
class Needs:
    """About what is needed: bytes on the `disk`, bytes of `memory` beyond that of the terrain, and `seconds`."""

    disk: int = 0
    memory: int = 0
    seconds: float = 0.0

    def then(self, other: Needs) -> Needs:
        """What this and, after it, the other one need."""
        return Needs(self.disk + other.disk, max(self.memory, other.memory), self.seconds + other.seconds)


@dataclass(frozen=True)
class _Rate:
    """Seconds for a million pixels or vertices, bytes of memory for each, and megabytes for any number of them."""

    seconds: float
    memory: float
    fixed_mb: float = 20.0


_RATES = {
    "obj": _Rate(0.23, 6),
    "glb": _Rate(0.06, 6),
    "ply": _Rate(0.05, 2),
    "stl": _Rate(0.25, 4),
    "3mf": _Rate(4.3, 53),
    "height16": _Rate(0.025, 4),
    "r16": _Rate(0.015, 4),
    "r32": _Rate(0.005, 1),
    "tiff": _Rate(0.005, 0),
    "exr": _Rate(0.045, 0),
    "exr-half": _Rate(0.02, 2),
    "albedo": _Rate(0.03, 6),
    "terrain": _Rate(0.03, 7),
    "normal": _Rate(0.22, 6, 35),
    "normal-dx": _Rate(0.22, 6, 35),
    "ao": _Rate(0.16, 5),
    "slope": _Rate(0.1, 4),
    "hillshade": _Rate(0.09, 4),
    "contours-svg": _Rate(0.33, 30),
    "weights": _Rate(0.035, 6),
    "splat": _Rate(0.06, 6, 55),
    "classes": _Rate(0.005, 0),
    "terrain3d": _Rate(0.06, 6, 40),
    "geotiff": _Rate(0.05, 1),
    "cog": _Rate(0.09, 10),
    "albedo-geotiff": _Rate(0.06, 1),
    "albedo-cog": _Rate(0.11, 10),
    "terrain-geotiff": _Rate(0.06, 1),
    "classes-geotiff": _Rate(0.005, 1),
    "contours": _Rate(0.6, 41),
    "pmtiles": _Rate(0.5, 8),
    "pmtiles-albedo": _Rate(1.0, 16, 30),
    "pmtiles-hillshade": _Rate(0.9, 9),
    "quantized-mesh": _Rate(4.3, 4),
    "flow": _Rate(0.05, 6),
    "water": _Rate(0.01, 2),
    "rivers": _Rate(0.01, 1),
    "lakes": _Rate(0.02, 1),
    "lines": _Rate(0.001, 0),
    "lines-png": _Rate(0.02, 6),
}
_OF_WATERS = ("flow", "water", "rivers", "lakes")
"""Formats of what `ExportJob.waters` finds once."""
_WATERS = _Rate(0.75, BYTES_PER_CELL)
_CARVING = _Rate(0.8, BYTES_PER_CELL + 8)
_BREACHING = _Rate(1.0, BYTES_PER_CELL)
_LEVELLING = _Rate(0.09, 44)
_SEA_FLOOR = _Rate(0.26, 48)
_SEA_LEVEL = _Rate(0.2, 56)
_TRIANGULATION = _Rate(2.1, 110)
"""Of a small error; a large one takes a part of it."""
_DETAIL_SECONDS, _DETAIL_BYTES = 0.5, 500 << 20
"""Seconds for a million pixels of finer land, and bytes of the networks and of one tile."""
_RESAMPLED_BYTES = 8
"""Heights, colours and classes of a pixel."""


def export_needs(formats: Sequence[str], map_shape: tuple[int, int], options: ExportOptions) -> Needs:
    """What `export` needs for a map (H, W). Raises OptionError when the options do not fit it."""
    chosen = [FORMATS[name] for name in formats]
    rows, cols = options.exported_shape(map_shape)
    memory = 0
    if options.detail != 1:
        memory += rows * cols * _RESAMPLED_BYTES + _DETAIL_BYTES
    elif options.crop is not None:
        memory += rows * cols * _RESAMPLED_BYTES
    if options.picture_shape is not None:
        memory += options.picture_shape[0] * options.picture_shape[1] * _RESAMPLED_BYTES
    result = Needs()
    for form in chosen:
        result = result.then(_format_needs(form, map_shape, options))
    if any(form.name in _OF_WATERS for form in chosen):
        result = result.then(_flow_needs(_WATERS, rows * cols))
    making = 0.0 if options.detail == 1 else _DETAIL_SECONDS * rows * cols / _MEGA * slowness()
    return Needs(result.disk, result.memory + memory, result.seconds + making)


def water_needs(map_shape: tuple[int, int], level_water: bool, flowing: FlowingWater, sea: Sea = AS_PAINTED) -> Needs:
    """What levelled and flowing water and another sea on a map (H, W) need, before an export."""
    pixels, result = map_shape[0] * map_shape[1], Needs()
    for is_chosen, rate in (
        ((level_water or bool(sea)) and not flowing.carve_rivers, _LEVELLING),
        (bool(sea), _SEA_FLOOR),
        (sea.level_m != 0, _SEA_LEVEL),
    ):
        if is_chosen:
            result = result.then(_needs(rate, pixels, pixels))
    for is_chosen, rate in ((flowing.carve_rivers, _CARVING), (flowing.breach, _BREACHING)):
        if is_chosen:
            result = result.then(_flow_needs(rate, pixels))
    return result


def _flow_needs(rate: _Rate, pixels: int) -> Needs:
    """Those of flowing water, whose arrays are in temporary files where the memory is too small for them."""
    result = _needs(rate, pixels, pixels)
    if result.memory <= free_memory():
        return result
    return replace(result, memory=min(result.memory, memory_with_files(pixels)))


def _format_needs(form: Format, map_shape: tuple[int, int], options: ExportOptions) -> Needs:
    sizes = list(_sizes(form, map_shape, options))
    result = _needs(_RATES[form.name], sum(sizes), max(sizes))
    if form.name in ("obj", "glb", "ply") and options.max_error_m is not None:
        result = result.then(_needs(_TRIANGULATION, sum(sizes), max(sizes)))
    return Needs(estimated_bytes(form, map_shape, options), result.memory, result.seconds)


def _needs(rate: _Rate, total: int, largest: int) -> Needs:
    memory = rate.memory * largest + min(rate.fixed_mb * _MEGA, 40.0 * largest)
    return Needs(0, round(memory), rate.seconds * total / _MEGA * slowness())


def _sizes(form: Format, map_shape: tuple[int, int], options: ExportOptions) -> Iterator[int]:
    """Vertices or pixels of each part of a format: of the whole, or of each tile."""
    shape, tiling = options.exported_shape(map_shape), options.tiling(map_shape)
    if tiling is not None and form.is_divided:
        size = min(max(tiling.side), options.mesh_size or DEFAULT_MESH_SIZE)
        for lod in range(tiling.options.lods):
            rows, cols = tiling.side_of(lod)
            if form.group == MESH:
                rows, cols = mesh_shape((rows, cols), max(2, (size - 1 >> lod) + 1))
            yield from [rows * cols] * (tiling.columns * tiling.rows)
        return
    if form.group == MESH:
        shape = mesh_shape(shape, options.mesh_size)
    elif tiling is None and options.picture_shape is not None:
        shape = options.picture_shape
    yield shape[0] * shape[1]
