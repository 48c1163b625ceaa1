"""The course of each painted river: its order, how much water it gathers, its bed, width and depth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.hydrology.river_network import NO_NODE, Mouth, RiverNetwork

_LEAST_FRACTION_OF_WIDTH = 0.4
"""Width of a spring as a fraction of what is painted; it grows to all of it with the square root of the catchment."""
_WIDTH_WINDOW_PX = 9
_BED_WINDOWS_PX = 17, 65
_LEAST_SLOPE = 2e-6
VALLEY_SIDE = 0.0035
"""Rise of the side of a valley at a distance of n pixels: so much times n squared, times the side of a pixel."""
# Downstream hydraulic geometry (Leopold and Maddock 1953): width 4.8 Q^0.5, depth 0.27 Q^0.4, so depth follows width.
_DEPTH_M, _WIDTH_M, _DEPTH_POWER = 0.27, 4.8, 0.8
_MOST_DEPTH_M = 50.0

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Course:
    """One river from its spring, or the lake that it leaves, to its mouth.

    `nodes` (n,) int64 are its centreline cells in the network, upstream first. `into` is the cell or body that it flows
    into, NO_NODE for none. `order` (n,) int64 is that of Strahler (1957).
    """

    nodes: NDArray[np.int64]
    into: int
    mouth: Mouth
    order: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Beds:
    """Of each centreline cell (n,): height of the bed in metres, width in pixels, depth in metres below the banks.

    `level_m` (count,) are the levels of the bodies of standing water, which fit to the rivers.
    """

    height_m: Floats
    width_px: Floats
    depth_m: Floats
    level_m: Floats


def courses(network: RiverNetwork, catchment: NDArray[np.int32]) -> list[Course]:
    """All rivers of a network; one that another flows into comes before it. `catchment` (H, W) int32 are cells.

    At a confluence, the river with the larger catchment goes on, and the other one ends.
    """
    own = catchment.ravel()[network.cells].tolist()
    into = network.into.tolist()
    main, order = [NO_NODE] * network.count, [1] * len(into)
    highest = [(0, 0)] * len(into)  # the highest order of what flows into a node, and how often it occurs
    for node in reversed(network.upwards.tolist()):
        if highest[node][0]:
            order[node] = highest[node][0] + (highest[node][1] > 1)
        below = into[node]
        if below == NO_NODE:
            continue
        most, times = highest[below]
        highest[below] = (most, times + 1) if order[node] == most else max((most, times), (order[node], 1))
        if node < network.count and below < network.count:
            best = main[below]
            if best == NO_NODE or (own[node], -node) > (own[best], -best):
                main[below] = node
    result = []
    for last in network.upwards.tolist():
        below = into[last]
        if last >= network.count or (0 <= below < network.count and main[below] == last):
            continue
        nodes, node = [], last
        while node != NO_NODE:
            nodes.append(node)
            node = main[node]
        nodes.reverse()
        orders = np.array([order[node] for node in nodes], np.int64)
        result.append(Course(np.array(nodes, np.int64), below, network.mouth(last), orders))
    return result


def widths(network: RiverNetwork, rivers: list[Course], catchment: NDArray[np.int32]) -> Floats:
    """(n,) pixels: the painted width at the mouth of each river, less where it has gathered less water."""
    cells = catchment.ravel()[network.cells].astype(np.float64)
    result = np.ones(network.count)
    for river in rivers:
        painted = _averaged(2 * network.half_width_px[river.nodes] - 0.75, _WIDTH_WINDOW_PX)
        # A river that reaches the mouth through lakes has gathered all of their water.
        gathered = np.sqrt(cells[river.nodes] / cells[river.nodes].max())
        result[river.nodes] = painted * np.clip(gathered, _LEAST_FRACTION_OF_WIDTH, 1)
    return result


def depths(width_m: Floats) -> Floats:
    """Depth in metres of a river so wide."""
    return np.asarray(np.minimum(_DEPTH_M * (width_m / _WIDTH_M) ** _DEPTH_POWER, _MOST_DEPTH_M), np.float64)


def beds(
    network: RiverNetwork,
    rivers: list[Course],
    catchment: NDArray[np.int32],
    height: NDArray[np.float32],
    pixel_size_m: float,
) -> Beds:
    """Beds that fall from each spring to its mouth, cut into heights (H, W) float32 whose lakes and sea are level.

    A bed is cut rather than filled up, but never below what the river flows into. A lake is lowered to what flows out
    of it, and ground along a river that is lower than its mouth is raised.
    """
    width_px = widths(network, rivers, catchment)
    depth_m = depths(width_px * pixel_size_m)
    cut, full = _lowest_upstream(network, height), _highest_downstream(network, height)
    level_m = network.water.levels_m.copy()
    bed = np.zeros(network.count)
    step_m = max(_LEAST_SLOPE * pixel_size_m, 4 * float(np.spacing(np.abs(height).max())))
    for river in rivers:
        nodes, into = river.nodes, river.into
        if into >= network.count:
            body = into - network.count + 1
            level_m[body] = outlet_m = _level(network, into, cut, bed)
        elif into != NO_NODE:
            outlet_m = float(bed[into])
        else:
            outlet_m = float(cut[nodes[-1]])
            if river.mouth == Mouth.EDGE:  # nothing holds the water back there, but it is not below the sea
                outlet_m = max(outlet_m - float(depth_m[nodes[-1]]), min(outlet_m, 0.0))
        steps = np.arange(len(nodes), 0, -1).astype(np.float64)
        rise = step_m * steps
        # Long rivers lose a step over a longer way.
        window = int(np.clip(len(nodes) // 3, *_BED_WINDOWS_PX)) | 1
        # Hollows that are no deeper than the river fill with its water; the land below them is not cut for them.
        water_m = np.minimum(full[nodes], cut[nodes] + depth_m[nodes])
        surface = _averaged(np.maximum(water_m, outlet_m + rise), window, last=outlet_m)
        # The mouth lies in the valley of what the river flows into, so the river is not higher than its side.
        side = outlet_m + VALLEY_SIDE * pixel_size_m * np.square(steps)
        lowered = np.minimum(surface - depth_m[nodes], side)
        bed[nodes] = _falling(np.maximum(lowered, outlet_m + rise), rise)
        for cell in nodes.tolist():
            if cell in network.lake_at:
                lake = network.lake_at[cell]
                level_m[lake + 1] = _level(network, lake + network.count, cut, bed)
    return Beds(bed, width_px, depth_m, level_m)


def _level(network: RiverNetwork, node: int, cut: Floats, bed: Floats) -> float:
    """The level of a lake or sea: not above what flows through it, and not below the bed of the river that leaves."""
    if network.is_sea[node]:
        return 0.0
    below = int(network.into[node])
    return float(cut[node]) if below == NO_NODE else max(float(cut[node]), float(bed[below]))


def _lowest_upstream(network: RiverNetwork, height: NDArray[np.float32]) -> Floats:
    """(nodes,) metres: the lowest of a node and all nodes upstream of it."""
    result = np.concatenate([height.ravel()[network.cells], network.water.levels_m[1:]]).astype(np.float64).tolist()
    into = network.into.tolist()
    for node in reversed(network.upwards.tolist()):
        if into[node] != NO_NODE:
            result[into[node]] = min(result[into[node]], result[node])
    return np.array(result)


def _highest_downstream(network: RiverNetwork, height: NDArray[np.float32]) -> Floats:
    """(nodes,) metres: the highest of a node and all nodes downstream of it."""
    result = np.concatenate([height.ravel()[network.cells], network.water.levels_m[1:]]).astype(np.float64).tolist()
    into = network.into.tolist()
    for node in network.upwards.tolist():
        if into[node] != NO_NODE:
            result[node] = max(result[node], result[into[node]])
    return np.array(result)


def _averaged(values: Floats, window: int, last: float | None = None) -> Floats:
    """Moving average of odd `window`; before the first value and, unless `last` is given, after the last it goes on."""
    half = window // 2
    end = float(values[-1]) if last is None else last
    padded = np.pad(values, half, constant_values=(float(values[0]), end))
    # A sum of differences would carry rounding errors along the river.
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, window).mean(axis=1), np.float64)


def _falling(values: Floats, rise: Floats) -> Floats:
    """The values (n,), raised where they would not fall at least as fast as `rise`, which falls."""
    return np.asarray(np.maximum.accumulate((values - rise)[::-1])[::-1] + rise, np.float64)
