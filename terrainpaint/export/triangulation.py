"""Triangulation of a mesh grid with a bound on its error: few triangles where the land is smooth."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.installing import install_extra
from terrainpaint.core.progress import Cancel, Progress, check_cancel, no_progress, part_of
from terrainpaint.errors import OptionError, OutputError
from terrainpaint.export.job import MAX_ERROR_SIDE, ExportJob
from terrainpaint.export.mesh import MeshGrid, triangles


@dataclass(frozen=True)
class Triangulation:
    """Some vertices of a grid, and the triangles between them.

    `row`, `col` (n,) are the places of the vertices in the grid; `corners` (m, 3) uint32 their numbers,
    counter-clockwise seen from above or, of a skirt, from outside. The last `lowered` vertices are `depth` metres below
    their places: the lower edge of the skirt.
    """

    grid: MeshGrid
    row: NDArray[np.intp]
    col: NDArray[np.intp]
    corners: NDArray[np.uint32]
    lowered: int = 0
    depth: float = 0.0

    @property
    def places(self) -> NDArray[np.float64]:
        """(n, 3): x east, y up, z south of each vertex, metres."""
        grid = self.grid
        y = grid.y[self.row, self.col].astype(np.float64)
        y[len(y) - self.lowered :] -= self.depth
        return np.stack((grid.x[self.col], y, grid.z[self.row]), axis=-1)

    @property
    def texture_places(self) -> NDArray[np.float64]:
        """(n, 2): u and v of each vertex."""
        return np.stack((self.grid.u[self.col], self.grid.v[self.row]), axis=-1)

    @property
    def normals(self) -> NDArray[np.float32]:
        """(n, 3): unit normals of the ground at the vertices, (x, y, z), those of the full grid."""
        normals = np.empty((len(self.row), 3), np.float32)
        for start in range(0, self.grid.shape[0], _NORMAL_ROWS):
            stop = min(start + _NORMAL_ROWS, self.grid.shape[0])
            inside = (self.row >= start) & (self.row < stop)
            normals[inside] = self.grid.normals(start, stop)[self.row[inside] - start, self.col[inside]]
        return normals


_NORMAL_ROWS = 256
_CANCEL_EVERY_S = 0.1
_MOST_PROGRESS = 0.95
"""Until the end, which may be later than was expected."""
_PART_OF_PROGRESS = 0.5


def triangulated(grid: MeshGrid, max_error: float, cancel: Cancel, progress: Progress = no_progress) -> Triangulation:
    """Triangles whose heights differ by at most `max_error` metres from those of each vertex of the grid.

    (Garland & Heckbert 1995, "Fast polygonal approximation of terrains and height fields"; pydelatin.)
    They are computed in a process of their own, which is killed when the work is cancelled. `progress` follows the time
    that small pieces of the grid took. Raises OptionError when the
    grid is too large or pydelatin is not installed, OutputError when the process fails, Cancelled.
    """
    require_pydelatin()
    h, w = grid.shape
    if max(h, w) > MAX_ERROR_SIDE:
        raise OptionError(
            f"A mesh of {max(h, w)} vertices a side is too large for a largest error; choose at most {MAX_ERROR_SIDE}."
        )
    check_cancel(cancel)
    with tempfile.TemporaryDirectory(prefix="terrainpaint-") as folder:
        heights, result, expected = (Path(folder) / name for name in ("heights.npy", "triangles.npz", "seconds.txt"))
        np.save(heights, grid.y)
        _run_worker([str(heights), repr(float(max_error)), str(result), str(expected)], expected, progress, cancel)
        with np.load(result) as arrays:
            vertices, corners = arrays["vertices"], arrays["triangles"]
    col, from_south = vertices[:, 0].astype(np.intp), vertices[:, 1].astype(np.intp)
    return Triangulation(grid, h - 1 - from_south, col, np.ascontiguousarray(corners, np.uint32))


def _run_worker(arguments: list[str], expected: Path, progress: Progress, cancel: Cancel) -> None:
    # -P: modules of this folder must not take the place of others.
    command = [sys.executable, "-P", str(Path(__file__).with_name("delatin_worker.py")), *arguments]
    worker = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    seconds, start = 0.0, 0.0
    try:
        while worker.poll() is None:
            with suppress(subprocess.TimeoutExpired):
                worker.wait(_CANCEL_EVERY_S)
            check_cancel(cancel)
            if seconds:
                progress(min((time.monotonic() - start) / seconds, _MOST_PROGRESS))
            elif expected.exists():
                seconds, start = max(float(expected.read_text()), _CANCEL_EVERY_S), time.monotonic()
    finally:
        if worker.poll() is None:
            worker.kill()
            worker.wait()
    if worker.returncode != 0:
        raise OutputError(
            "The triangles with a largest error could not be computed, probably because the memory is too small; "
            "choose a smaller mesh or a larger error."
        )
    progress(1.0)


def triangulation(job: ExportJob, grid: MeshGrid) -> Triangulation | None:
    """The triangles of the options of a job, None for the regular grid. Raises as `triangulated`.

    When there are triangles to choose, they are the first half of the progress of the writer, and what it tells from
    then on the second one.
    """
    error_m, tiles, tin = job.options.max_error_m, job.options.tiles, None
    if error_m is not None:
        whole = job.progress
        tin = triangulated(grid, error_m * job.options.exaggeration, job.cancel, part_of(whole, 0, _PART_OF_PROGRESS))
        job.progress = part_of(whole, _PART_OF_PROGRESS, 1)
    if tiles is None or not tiles.skirt_m:
        return tin
    return with_skirt(tin or _regular(grid), tiles.skirt_m * job.options.exaggeration)


def _regular(grid: MeshGrid) -> Triangulation:
    h, w = grid.shape
    row, col = np.divmod(np.arange(h * w), w)
    return Triangulation(grid, row, col, triangles(grid.shape, 0, h))


def with_skirt(tin: Triangulation, depth: float) -> Triangulation:
    """The same mesh with a wall around it that goes `depth` metres down, which hides cracks beside other meshes."""
    h, w = tin.grid.shape
    row, col = tin.row, tin.col
    # How far along the edge, counter-clockwise seen from above: down the west, along the south, up the east, back.
    along = np.full(len(row), -1, np.int64)
    for is_there, place in (
        (row == 0, 2 * (h - 1) + (w - 1) + (w - 1 - col)),
        (col == w - 1, (h - 1) + (w - 1) + (h - 1 - row)),
        (row == h - 1, (h - 1) + col),
        (col == 0, row),
    ):
        along[is_there] = place[is_there]
    edge = np.flatnonzero(along >= 0)
    above = edge[np.argsort(along[edge])]
    below = np.arange(len(row), len(row) + len(above))
    next_above, next_below = np.roll(above, -1), np.roll(below, -1)
    walls = (np.stack((below, next_below, next_above), axis=-1), np.stack((below, next_above, above), axis=-1))
    corners = np.concatenate((tin.corners, *walls)).astype(np.uint32)
    return Triangulation(tin.grid, np.append(row, row[above]), np.append(col, col[above]), corners, len(above), depth)


def require_pydelatin() -> None:
    """Raise OptionError, with the command that installs it, when pydelatin is missing."""
    try:
        import pydelatin  # noqa: F401
    except ImportError as error:
        raise OptionError(
            f"A mesh with a largest error needs the package pydelatin; run: {install_extra('tin')}."
        ) from error
