"""The terrain with water that flows, and its rivers and lakes as lines and outlines."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import WATER
from terrainpaint.core.hydrology.basins import BAND_CELLS
from terrainpaint.core.hydrology.cells import flat_bands, row_bands
from terrainpaint.core.hydrology.courses import Course, beds, courses, depths, widths
from terrainpaint.core.hydrology.flow_routing import Routing, route
from terrainpaint.core.hydrology.painted_water import PaintedWater, painted_water, without_rivers
from terrainpaint.core.hydrology.river_network import Mouth, RiverNetwork, is_at_edge, river_network
from terrainpaint.core.hydrology.storage import IN_MEMORY, PART_CELLS, InFiles, Storage, free_disk, temporary_folder
from terrainpaint.core.hydrology.valleys import carved, with_gullies
from terrainpaint.core.main_memory import free_memory
from terrainpaint.core.progress import Cancel, Progress, check_cancel, never_cancel, no_progress, part_of
from terrainpaint.core.sea_depth import at_sea_level
from terrainpaint.core.terrain import Terrain
from terrainpaint.core.water import RIVER_PX, at_levels, connected, mean_levels, sizes, standing_water
from terrainpaint.errors import OptionError

SEA_PER_PIXEL = 0.01
"""Painted water is sea when its mean height is within so many metres of 0 m for each metre of a pixel."""
RUNOFF_M3_S_KM2 = 0.01
"""Discharge of rivers for each square kilometre of their catchment: about the mean of the land of the Earth."""
BYTES_PER_CELL = 40
"""Memory that all of it takes beside the terrain, for each cell of a large map."""
_BYTES_PER_CELL_IN_FILES = 20
"""The same when the arrays of the routing are in files."""
_BYTES_PER_PART_CELL = 60
"""More of it then, for each cell of a part."""
_FILE_BYTES_PER_CELL = 21
"""Temporary files then."""
_BYTES_PER_PIT = 240
"""Memory for each cell that is lower than all around it, with the passes out of its basin: much for land like noise."""
_BYTES_PER_PIT_OF_BAND = 760
"""More of it while the passes of a band are found."""
_RING = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], np.uint8)
_BURNT_M = 1e6
_DEEP_CUT = 0.01
_LINE_WINDOW = 5

Line = NDArray[np.float64]
"""(n, 2) column and row in pixels of the map; the centre of the first pixel is 0.5, 0.5."""


@dataclass(frozen=True)
class FlowingWater:
    """What is done to a terrain so that its water flows.

    `carve_rivers` cuts painted rivers into the land, so that they run downhill to their mouths, and levels lakes and
    the sea. `breach` opens closed depressions of the land, so that all water runs to the sea or off the map.
    """

    carve_rivers: bool = False
    breach: bool = False

    def __bool__(self) -> bool:
        return self.carve_rivers or self.breach


NO_FLOW = FlowingWater()


class WaterKind(IntEnum):
    """Values of `Waters.mask`."""

    LAND = 0
    RIVER = 1
    LAKE = 2
    SEA = 3


@dataclass(frozen=True, eq=False)
class River:
    """One river, from its spring or the lake that it leaves to its mouth.

    `line` (n, 2) are its points, and of each of them: `height_m` of the terrain, `width_m`, `depth_m` of the channel
    below its banks, `catchment_km2` whose water it has gathered, each (n,) float64, and its `order` (n,) int64
    (Strahler 1957). `joins` is the index of the river that it flows into and of the point there, `from_lake` and
    `into_lake` those of lakes and seas.
    """

    line: Line
    height_m: NDArray[np.float64]
    width_m: NDArray[np.float64]
    depth_m: NDArray[np.float64]
    catchment_km2: NDArray[np.float64]
    order: NDArray[np.int64]
    mouth: Mouth
    joins: tuple[int, int] | None = None
    from_lake: int | None = None
    into_lake: int | None = None

    @property
    def discharge_m3_s(self) -> NDArray[np.float64]:
        """(n,) the discharge of the catchment with the mean runoff of the Earth."""
        return self.catchment_km2 * RUNOFF_M3_S_KM2


@dataclass(frozen=True, eq=False)
class Lake:
    """A lake or sea: `polygons` are closed rings, of each polygon the outer one first, then those of islands.

    `outlet` is (column, row) of the place where its water leaves it; None for the sea, and for a lake without.
    """

    polygons: list[list[Line]]
    level_m: float
    area_km2: float
    is_sea: bool
    outlet: tuple[float, float] | None


@dataclass(frozen=True, eq=False)
class Waters:
    """The painted water of a terrain; `mask` (H, W) uint8 of WaterKind; `catchment` (H, W) int32 cells."""

    rivers: list[River]
    lakes: list[Lake]
    mask: NDArray[np.uint8]
    catchment: NDArray[np.int32]


def with_flowing_water(
    terrain: Terrain,
    ids: NDArray[np.uint8],
    flowing: FlowingWater,
    progress: Progress = no_progress,
    cancel: Cancel = never_cancel,
) -> Terrain:
    """The terrain of a map `ids` (H, W) uint8 with water that flows; the terrain itself when nothing is chosen.

    It depends on nothing else, so rivers stay after every change of map, seed and style. Raises OptionError when the
    memory does not suffice, Cancelled.
    """
    if not flowing:
        return terrain
    storage = storage_for(terrain.height)
    height, provenance = terrain.height, terrain.provenance
    water = _painted(terrain, ids)
    part = 0.4 if flowing.breach else 1.0
    if flowing.carve_rivers:
        height, water = _carved(height, water, terrain.pixel_size_m, storage, part_of(progress, 0, part), cancel)
        provenance = replace(provenance, has_level_water=True, has_carved_rivers=True)
    elif not provenance.has_carved_rivers:
        water = _standing(terrain, ids, water)
    progress(part)
    if flowing.breach:
        height = _breached(height, water, terrain.pixel_size_m, storage, part_of(progress, part, 1), cancel)
        provenance = replace(provenance, has_breached_depressions=True)
    return replace(terrain, height=height, provenance=provenance)


def find_waters(
    terrain: Terrain, ids: NDArray[np.uint8], progress: Progress = no_progress, cancel: Cancel = never_cancel
) -> Waters:
    """The rivers and lakes that are painted on a map `ids` (H, W) uint8, and the flow of its terrain.

    Heights are those of the terrain, so rivers fall all the way only where they were carved. Raises OptionError when
    the memory does not suffice, Cancelled.
    """
    storage = storage_for(terrain.height)
    terrain = at_sea_level(terrain, ids)
    water = _painted(terrain, ids)
    network = river_network(terrain.height, water, water.levels_m, cancel)
    progress(0.1)
    routing = _routing(terrain.height, network, storage, part_of(progress, 0.1, 0.8), cancel)
    catchment = storage.result(routing.accumulated(cancel))
    progress(0.9)
    kinds = np.where(water.is_sea, WaterKind.SEA, WaterKind.LAKE).astype(np.uint8)
    kinds[0] = WaterKind.LAND
    mask = kinds[water.bodies]
    mask[water.rivers] = WaterKind.RIVER
    rivers = _rivers(terrain, network, catchment)
    lakes = _lakes(network, routing, terrain.pixel_size_m)
    progress(1.0)
    return Waters(rivers, lakes, mask, catchment)


def flow_accumulation(terrain: Terrain, ids: NDArray[np.uint8], cancel: Cancel = never_cancel) -> NDArray[np.int32]:
    """(H, W) int32: how many cells drain through each cell of the terrain of a map `ids` (H, W) uint8, with itself.

    Raises OptionError when the memory does not suffice, Cancelled.
    """
    storage = storage_for(terrain.height)
    terrain = at_sea_level(terrain, ids)
    water = _painted(terrain, ids)
    network = river_network(terrain.height, water, water.levels_m, cancel)
    return storage.result(_routing(terrain.height, network, storage, no_progress, cancel).accumulated(cancel))


def _painted(terrain: Terrain, ids: NDArray[np.uint8]) -> PaintedWater:
    # Where rivers were carved or the sea was moved, it is at 0 m, and a lake may be nearly that low.
    is_exact = terrain.provenance.has_carved_rivers or terrain.provenance.sea_level_m != 0
    sea_m = 0.0 if is_exact else SEA_PER_PIXEL * terrain.pixel_size_m
    return painted_water(terrain.height, ids, sea_m)


def _standing(terrain: Terrain, ids: NDArray[np.uint8], water: PaintedWater) -> PaintedWater:
    """What keeps its height where no rivers were carved: the sea, and lakes that are level."""
    if terrain.provenance.has_level_water:
        count, bodies = connected(standing_water(ids == WATER, RIVER_PX))
        return without_rivers(bodies, mean_levels(terrain.height, bodies, count, 0.0))
    sea = np.asarray(water.is_sea[water.bodies], np.uint8)
    count, bodies = connected(sea)
    return without_rivers(bodies, np.where(np.arange(count), 0.0, -np.inf))


def _routing(
    height: NDArray[np.float32], network: RiverNetwork, storage: Storage, progress: Progress, cancel: Cancel
) -> Routing:
    burnt = height
    if network.count:
        # What is next to a river drains into it, whatever the heights say.
        burnt = storage.array(height.size, np.float32).reshape(height.shape)
        burnt[:] = height
        np.subtract(burnt, np.float32(_BURNT_M), out=burnt, where=network.water.rivers)
    return route(burnt, network.forced_receivers(storage), network.water.centrelines, cancel, progress, storage)


def _carved(
    height: NDArray[np.float32],
    water: PaintedWater,
    pixel_size_m: float,
    storage: Storage,
    progress: Progress,
    cancel: Cancel,
) -> tuple[NDArray[np.float32], PaintedWater]:
    """Heights with carved rivers and level lakes, and the water with the levels that these have."""
    level = at_levels(height, water.bodies, water.levels_m)
    network = river_network(level, water, water.levels_m, cancel)
    if not network.count:
        return level, water
    catchment = _routing(level, network, storage, part_of(progress, 0.1, 0.7), cancel).accumulated(cancel)
    rivers = courses(network, catchment)
    bed = beds(network, rivers, catchment, level, pixel_size_m)
    del level, catchment
    check_cancel(cancel)
    level = at_levels(height, water.bodies, bed.level_m)
    result = carved(level, network, bed.height_m, bed.width_px, pixel_size_m, storage, cancel)
    progress(1.0)
    return result, replace(water, levels_m=bed.level_m)


def _breached(
    height: NDArray[np.float32],
    water: PaintedWater,
    pixel_size_m: float,
    storage: Storage,
    progress: Progress,
    cancel: Cancel,
) -> NDArray[np.float32]:
    """Heights without closed depressions; rivers, lakes and the sea do not change."""
    network = river_network(height, water, water.levels_m, cancel)
    kept = (water.bodies > 0) | water.rivers

    def opened(land: NDArray[np.float32], begin: float, end: float) -> NDArray[np.float32]:
        part, forced = part_of(progress, begin, end), network.forced_receivers(storage)
        return route(land, forced, water.centrelines, cancel, part, storage).breached(land, kept, cancel)

    open_ways = opened(height, 0.0, 0.3)
    # The ways are one pixel wide: deep ones get sides, which may hold back some water again.
    deep = _deeper(height, open_ways, _DEEP_CUT * pixel_size_m)
    if not len(deep):
        return storage.result(open_ways)
    bed_m = open_ways.ravel()[deep]
    del open_ways
    sloping = with_gullies(height, deep, bed_m, kept, pixel_size_m, storage, cancel)
    return storage.result(opened(sloping, 0.6, 0.8))


def _deeper(height: NDArray[np.float32], changed: NDArray[np.float32], depth_m: float) -> NDArray[np.int64]:
    """The cells that are lowered by more than `depth_m`, ascending."""
    before, after = height.ravel(), changed.ravel()
    return np.concatenate(
        [np.flatnonzero(before[band] - after[band] > depth_m) + band.start for band in flat_bands(height.size)]
    )


def _rivers(terrain: Terrain, network: RiverNetwork, catchment: NDArray[np.int32]) -> list[River]:
    found = courses(network, catchment)
    width_m = widths(network, found, catchment) * terrain.pixel_size_m
    cell_km2 = (terrain.pixel_size_m / 1000) ** 2
    place = {
        node: (number, point) for number, course in enumerate(found) for point, node in enumerate(course.nodes.tolist())
    }
    rivers = []
    for course in found:
        nodes, cells = course.nodes, network.cells[course.nodes]
        is_into_lake = course.mouth in (Mouth.LAKE, Mouth.SEA)
        rivers.append(
            River(
                _line(network, course),
                terrain.height.ravel()[cells].astype(np.float64),
                width_m[nodes],
                depths(width_m[nodes]),
                catchment.ravel()[cells].astype(np.float64) * cell_km2,
                course.order,
                course.mouth,
                place[course.into] if course.mouth == Mouth.RIVER else None,
                network.lake_at.get(int(nodes[0])),
                course.into - network.count if is_into_lake else None,
            )
        )
    return rivers


def _line(network: RiverNetwork, course: Course) -> Line:
    """The points of a centreline, without the steps of pixels; its ends stay."""
    rows, cols = (axis[course.nodes] for axis in network.points)
    line = np.stack([cols + 0.5, rows + 0.5], axis=1)
    if len(line) > _LINE_WINDOW:
        half = _LINE_WINDOW // 2
        windows = np.lib.stride_tricks.sliding_window_view(line.copy(), _LINE_WINDOW, axis=0)
        line[half:-half] = windows.mean(axis=2)
    return line


def _lakes(network: RiverNetwork, routing: Routing, pixel_size_m: float) -> list[Lake]:
    from rasterio.features import shapes

    water = network.water
    polygons: list[list[list[Line]]] = [[] for _ in water.levels_m]
    # Parts that touch at a corner only are polygons of their own, or an outline would cross itself.
    for shape, body in shapes(water.bodies, water.bodies > 0, connectivity=4):
        polygons[int(body)].append([np.array(ring, np.float64) for ring in shape["coordinates"]])
    cells = sizes(water.bodies, len(polygons))
    outlets = _outlets(network, routing)
    return [
        Lake(
            polygons[body],
            float(water.levels_m[body]),
            float(cells[body]) * (pixel_size_m / 1000) ** 2,
            bool(water.is_sea[body]),
            outlets.get(body),
        )
        for body in range(1, len(polygons))
    ]


def _outlets(network: RiverNetwork, routing: Routing) -> dict[int, tuple[float, float]]:
    """Number of a lake → column and row of the first cell outside of it through which its water goes."""
    bodies = network.water.bodies.ravel()
    result = {}
    for body, start in enumerate(network.first_cells[1:].tolist(), 1):
        cell, before = start, -1
        while bodies[cell] == body and cell != before:
            cell, before = int(routing.receivers[cell]), cell
        row, col = divmod(cell, network.shape[1])
        # The water of a lake at the border of the map may leave there.
        is_left = bodies[cell] != body or is_at_edge(row, col, network.shape)
        if is_left and not network.water.is_sea[body]:
            result[body] = (col + 0.5, row + 0.5)
    return result


def memory_with_files(cells: int) -> int:
    """Bytes that flowing water takes, beside the terrain, on a map of so many cells when its arrays are in files."""
    return cells * _BYTES_PER_CELL_IN_FILES + min(cells, PART_CELLS) * _BYTES_PER_PART_CELL


def storage_for(height: NDArray[np.float32]) -> Storage:
    """Where the arrays of the routing of heights (H, W) are held: in files if the memory is too small.

    Raises OptionError when there is too little memory, or no room on the disk.
    """
    (rows, cols), free = height.shape, free_memory()
    pits = sum(_pits(height, top, bottom) for top, bottom in row_bands(rows, cols))
    of_band = pits / height.size * min(height.size, BAND_CELLS)
    of_pits = pits * _BYTES_PER_PIT + of_band * _BYTES_PER_PIT_OF_BAND
    if height.size * BYTES_PER_CELL + of_pits <= free:
        return IN_MEMORY
    needed = memory_with_files(height.size) + of_pits
    if needed > free:
        raise OptionError(
            f"Flowing water on a map of {cols} x {rows} pixels needs {needed / 2**30:.1f} GB of memory and "
            f"{free / 2**30:.1f} GB are free; close other programs, or leave out rivers and breaching."
        )
    files = height.size * _FILE_BYTES_PER_CELL
    if files > (room := free_disk()):
        raise OptionError(
            f"Flowing water on a map of {cols} x {rows} pixels needs {files / 2**30:.1f} GB for temporary "
            f"files in {temporary_folder()} and {room / 2**30:.1f} GB are free there; free some space, or set TMPDIR "
            "to a folder on another disk."
        )
    return InFiles()


def _pits(height: NDArray[np.float32], top: int, bottom: int) -> int:
    """How many cells of the rows `top` to `bottom` of heights (H, W) are lower than the eight around them."""
    first = max(0, top - 1)
    near = height[first : bottom + 1]
    is_pit = near < cv2.erode(near, _RING)
    return int(np.count_nonzero(is_pit[top - first : bottom - first]))
