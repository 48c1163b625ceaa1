"""The network of painted rivers and lakes: which way the water of each cell runs to its mouth.

Nodes are the cells of the centrelines, then the bodies of standing water. Water runs over the lowest way (as in
priority-flood) to the sea; a network that does not reach it ends at the lowest place where it meets the border of the
map, or else at its lowest end.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.hydrology.cells import flat_bands
from terrainpaint.core.hydrology.flow_routing import FREE, PIT
from terrainpaint.core.hydrology.near_lines import near_lines
from terrainpaint.core.hydrology.painted_water import WIDEST_RIVER_PX, PaintedWater
from terrainpaint.core.hydrology.storage import IN_MEMORY, Storage
from terrainpaint.core.progress import Cancel, check_cancel, never_cancel

NO_NODE = -1
_OFFSETS = ((-1, 0), (0, 1), (1, 0), (0, -1), (-1, 1), (1, 1), (1, -1), (-1, -1))
_NODES_PER_CHECK = 4096


class Mouth(StrEnum):
    """What a river flows into."""

    SEA = "sea"
    LAKE = "lake"
    RIVER = "river"
    EDGE = "edge"
    LAND = "land"


@dataclass(frozen=True, eq=False)
class RiverNetwork:
    """Which way the water of each node runs.

    `cells` (n,) int64 are the numbers of the centreline cells, row by row, ascending. Node i < n is a cell, node n + b
    - 1 the body b. `into` (nodes,) int64 is the next node downstream, NO_NODE for the last one and for bodies that no
    river touches. `upwards` are the nodes of the rivers and their bodies, each after the one that it flows into.
    `half_width_px` (n,) float64 is the distance from the cell to the bank.
    """

    shape: tuple[int, int]
    water: PaintedWater
    cells: NDArray[np.int64]
    half_width_px: NDArray[np.float64]
    into: NDArray[np.int64]
    upwards: NDArray[np.int64]

    @property
    def count(self) -> int:
        """Number of centreline cells."""
        return len(self.cells)

    @property
    def is_sea(self) -> NDArray[np.bool_]:
        """(nodes,) bool: which nodes are seas."""
        return np.concatenate([np.zeros(self.count, bool), self.water.is_sea[1:]])

    @property
    def points(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows and columns (n,) of the centreline cells."""
        rows, cols = np.divmod(self.cells, self.shape[1])
        return rows, cols

    def mouth(self, node: int) -> Mouth:
        """What a centreline cell that is the last of its river flows into."""
        into = int(self.into[node])
        if into >= self.count:
            return Mouth.SEA if self.is_sea[into] else Mouth.LAKE
        if into != NO_NODE:
            return Mouth.RIVER
        row, col = divmod(int(self.cells[node]), self.shape[1])
        return Mouth.EDGE if is_at_edge(row, col, self.shape) else Mouth.LAND

    @cached_property
    def lake_at(self) -> dict[int, int]:
        """Number of a cell into which a lake flows → number of the lake, counted from 0."""
        flowing = self.into[self.count :].tolist()
        return {below: number for number, below in enumerate(flowing) if below != NO_NODE}

    @cached_property
    def first_cells(self) -> NDArray[np.int64]:
        """(count,) the first cell of each body; that of number 0 means nothing."""
        result = np.full(len(self.water.levels_m), -1, np.int64)
        result[0] = 0
        bodies = self.water.bodies.ravel()
        for band in flat_bands(len(bodies)):
            new = np.flatnonzero(result[bodies[band]] < 0) + band.start
            numbers, first = np.unique(bodies[new], return_index=True)
            result[numbers] = new[first]
        return result

    def forced_receivers(self, storage: Storage = IN_MEMORY) -> NDArray[np.int32]:
        """(H, W) int32 for `route`: rivers flow along their centrelines, a lake leaves through its river."""
        bodies = self.water.bodies.ravel()
        forced: NDArray[np.int32] = storage.array(len(bodies), np.int32)
        # A body drains into its first cell, and that cell into its river; the water of the sea is gone.
        of_body = self.first_cells.astype(np.int32)
        of_body[0] = FREE
        targets = np.where(self.into >= 0, np.concatenate([self.cells, self.first_cells[1:]])[self.into], PIT)
        is_sea = self.water.is_sea
        for band in flat_bands(len(bodies)):
            forced[band] = of_body[bodies[band]]
        forced[self.first_cells[1:]] = targets[self.count :]
        for band in flat_bands(len(bodies)):
            sea = np.flatnonzero(is_sea[bodies[band]]) + band.start
            forced[sea] = sea
        rows, cols = self.points
        ends_at_edge = (self.into == NO_NODE)[: self.count] & is_at_edge(rows, cols, self.shape)
        forced[self.cells] = np.where(ends_at_edge, self.cells, targets[: self.count])
        forced = forced.reshape(self.shape)
        for tile in near_lines(self.shape, self.cells, WIDEST_RIVER_PX):
            part = self.water.rivers[tile.slices] & ~self.water.centrelines[tile.slices]
            np.copyto(forced[tile.slices], self.cells[tile.nearest].astype(np.int32), where=part)
        return forced


def river_network(
    height: NDArray[np.float32], water: PaintedWater, level_m: NDArray[np.float64], cancel: Cancel = never_cancel
) -> RiverNetwork:
    """The network of the painted water of a map with heights (H, W) float32; `level_m` (count,) those of the bodies."""
    shape = height.shape[0], height.shape[1]
    width = cv2.distanceTransform(
        cv2.copyMakeBorder((water.rivers | (water.bodies > 0)).astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_REPLICATE),
        cv2.DIST_L2,
        cv2.DIST_MASK_5,
    )[1:-1, 1:-1]
    cells = np.flatnonzero(water.centrelines)
    graph = _Graph(cells, shape, water, width.ravel()[cells].astype(np.float64))
    graph.prune(cancel)
    cells = cells[[node for node in range(len(cells)) if graph.is_kept[node]]]
    graph = _Graph(cells, shape, water, width.ravel()[cells].astype(np.float64))
    heights = np.concatenate([height.ravel()[cells], level_m[1:]]).tolist()
    into, upwards = _drained(graph, heights, water, cancel)
    return RiverNetwork(shape, water, cells, np.array(graph.half_width), into, upwards)


class _Graph:
    """The nodes of a network, and which ones touch."""

    def __init__(
        self, cells: NDArray[np.int64], shape: tuple[int, int], water: PaintedWater, half_width: NDArray[np.float64]
    ) -> None:
        self.count = len(cells)
        self.half_width = half_width.tolist()
        self.is_kept = [True] * self.count
        bodies = len(water.levels_m) - 1
        self.near: list[list[int]] = [[] for _ in range(self.count + bodies)]
        rows, cols = np.divmod(cells, shape[1])
        self.is_at_edge = [*is_at_edge(rows, cols, shape).tolist(), *_touch_edge(water.bodies, bodies)]
        found = np.stack([_node_at(rows + down, cols + right, cells, water.bodies) for down, right in _OFFSETS])
        # Two cells that touch at a corner are linked only where no way along the sides links them.
        for diagonal, sides in ((4, (0, 1)), (5, (1, 2)), (6, (2, 3)), (7, (3, 0))):
            beside = found[list(sides)]
            is_double = ((beside >= 0) & ((beside < self.count) | (beside == found[diagonal]))).any(axis=0)
            found[diagonal][is_double & (found[diagonal] < self.count)] = NO_NODE
        for node, others in enumerate(found.T.tolist()):
            for other in dict.fromkeys(others):
                if other >= 0:
                    self.near[node].append(other)
                    if other >= self.count:
                        self.near[other].append(node)

    def prune(self, cancel: Cancel) -> None:
        """Remove short side branches, which come from uneven banks, and what goes on along a shore."""
        for node in range(self.count):
            self._shorten(node)
        ends = [node for node in range(self.count) if len(self.near[node]) == 1 and not self.is_at_edge[node]]
        branches = sorted((len(branch), branch) for end in ends if (branch := self._branch(end)) is not None)
        for number, (_, branch) in enumerate(branches):
            if number % _NODES_PER_CHECK == 0:
                check_cancel(cancel)
            fork = next(node for node in self.near[branch[-1]] if node not in branch[-2:])
            if sum(self._is_there(node) for node in self.near[fork]) > 2:
                for node in branch:
                    self.is_kept[node] = False

    def _shorten(self, node: int) -> None:
        """Remove a line from its end as long as the next cell touches the same body too."""
        while self.is_kept[node]:
            cells = [other for other in self.near[node] if other < self.count and self.is_kept[other]]
            bodies = {other for other in self.near[node] if other >= self.count}
            if len(cells) != 1 or not bodies or not bodies <= set(self.near[cells[0]]):
                return
            self.is_kept[node] = False
            node = cells[0]

    def is_end(self, node: int) -> bool:
        """Whether at most one other cell or body touches a cell."""
        return len(self.near[node]) < 2

    def _is_there(self, node: int) -> bool:
        return node >= self.count or self.is_kept[node]

    def _branch(self, end: int) -> list[int] | None:
        """The nodes from a free end to before a fork, None when it is too long for a side branch or has no fork."""
        branch, before = [end], NO_NODE
        while True:
            further = [node for node in self.near[branch[-1]] if node != before]
            if len(further) != 1 or further[0] >= self.count:
                return None
            if len(self.near[further[0]]) > 2:
                return branch if len(branch) <= self.half_width[further[0]] + 1.5 else None
            if len(branch) > 4 * self.half_width[end] + 8:
                return None
            before = branch[-1]
            branch.append(further[0])


def _node_at(
    rows: NDArray[np.int64], cols: NDArray[np.int64], cells: NDArray[np.int64], bodies: NDArray[np.int32]
) -> NDArray[np.int64]:
    """(n,) the node at each place (n,), NO_NODE for land and outside the map; `cells` (m,) are ascending."""
    result = np.full(len(rows), NO_NODE, np.int64)
    inside = np.flatnonzero((rows >= 0) & (rows < bodies.shape[0]) & (cols >= 0) & (cols < bodies.shape[1]))
    rows, cols = rows[inside], cols[inside]
    body = bodies[rows, cols].astype(np.int64)
    place = rows * bodies.shape[1] + cols
    node = np.minimum(np.searchsorted(cells, place), len(cells) - 1)
    is_cell = cells[node] == place
    result[inside] = np.where(is_cell, node, np.where(body > 0, body + len(cells) - 1, NO_NODE))
    return result


def _drained(
    graph: _Graph, heights: list[float], water: PaintedWater, cancel: Cancel
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """`RiverNetwork.into` and `upwards`."""
    nodes = len(graph.near)
    into, seen, upwards = [NO_NODE] * nodes, bytearray(nodes), list[int]()
    for mouths in _mouths(graph, heights, water.is_sea[1:].tolist()):
        heap = [(heights[mouth], False, 0, mouth, NO_NODE) for mouth in mouths]
        heapq.heapify(heap)
        while heap:
            level, _, steps, node, below = heapq.heappop(heap)
            if seen[node]:
                continue
            seen[node] = 1
            into[node] = below
            upwards.append(node)
            if len(upwards) % _NODES_PER_CHECK == 0:
                check_cancel(cancel)
            for other in graph.near[node]:
                if not seen[other]:
                    # Of two ways, that from a lower node is taken before one that is level.
                    is_level = heights[other] == heights[node]
                    heapq.heappush(heap, (max(level, heights[other]), is_level, steps + 1, other, node))
    return np.array(into, np.int64), np.array(upwards, np.int64)


def _mouths(graph: _Graph, heights: list[float], is_sea: list[bool]) -> Iterator[list[int]]:
    """The last nodes of each network that has a river: its seas, or one node."""
    seen = bytearray(len(graph.near))
    for start in range(graph.count):
        if seen[start]:
            continue
        seen[start] = 1
        network = [start]
        for node in network:
            for other in graph.near[node]:
                if not seen[other]:
                    seen[other] = 1
                    network.append(other)
        seas = [node for node in network if node >= graph.count and is_sea[node - graph.count]]
        # A cell at the border where the river only passes is no end of it.
        at_edge = [node for node in network if graph.is_at_edge[node] and (node >= graph.count or graph.is_end(node))]
        ends = [node for node in network if node >= graph.count or graph.is_end(node)]
        yield seas or [min(at_edge or ends or network, key=lambda node: (heights[node], node))]


def is_at_edge(rows: Any, cols: Any, shape: tuple[int, int]) -> Any:
    """Whether cells of a map (H, W) lie at its border: numbers, or arrays of them."""
    return (rows == 0) | (rows == shape[0] - 1) | (cols == 0) | (cols == shape[1] - 1)


def _touch_edge(bodies: NDArray[np.int32], count: int) -> list[bool]:
    """Whether each of `count` bodies lies at the border of the map."""
    touching = np.zeros(count + 1, bool)
    for line in (bodies[0], bodies[-1], bodies[:, 0], bodies[:, -1]):
        touching[line] = True
    return list(touching[1:].tolist())
