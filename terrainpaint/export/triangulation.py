"""Triangulation of a mesh grid with a bound on its error: few triangles where the land is smooth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.progress import Cancel, check_cancel
from terrainpaint.errors import OptionError
from terrainpaint.export.job import MAX_ERROR_SIDE, ExportJob
from terrainpaint.export.mesh import MeshGrid


@dataclass(frozen=True)
class Triangulation:
    """Some vertices of a grid, and the triangles between them.

    `row`, `col` (n,) are the places of the vertices in the grid; `corners` (m, 3) uint32 their numbers,
    counter-clockwise seen from above.
    """

    grid: MeshGrid
    row: NDArray[np.intp]
    col: NDArray[np.intp]
    corners: NDArray[np.uint32]

    @property
    def places(self) -> NDArray[np.float64]:
        """(n, 3): x east, y up, z south of each vertex, metres."""
        grid = self.grid
        return np.stack((grid.x[self.col], grid.y[self.row, self.col].astype(np.float64), grid.z[self.row]), axis=-1)

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


def triangulated(grid: MeshGrid, max_error: float, cancel: Cancel) -> Triangulation:
    """Triangles whose heights differ by at most `max_error` metres from those of each vertex of the grid.

    (Garland & Heckbert 1995, "Fast polygonal approximation of terrains and height fields"; pydelatin.)
    Raises OptionError when the grid is too large or pydelatin is not installed, Cancelled before it starts.
    """
    require_pydelatin()
    from pydelatin import Delatin

    h, w = grid.shape
    if max(h, w) > MAX_ERROR_SIDE:
        raise OptionError(
            f"A mesh of {max(h, w)} vertices a side is too large for a largest error; choose at most {MAX_ERROR_SIDE}."
        )
    check_cancel(cancel)
    result = Delatin(np.ascontiguousarray(grid.y), max_error=max_error)
    col, from_south = (np.rint(result.vertices[:, axis]).astype(np.intp) for axis in (0, 1))
    return Triangulation(grid, h - 1 - from_south, col, np.ascontiguousarray(result.triangles, np.uint32))


def triangulation(job: ExportJob, grid: MeshGrid) -> Triangulation | None:
    """The triangles of the options of a job, None for the regular grid. Raises as `triangulated`."""
    error_m = job.options.max_error_m
    return None if error_m is None else triangulated(grid, error_m * job.options.exaggeration, job.cancel)


def require_pydelatin() -> None:
    """Raise OptionError, with the command that installs it, when pydelatin is missing."""
    try:
        import pydelatin  # noqa: F401
    except ImportError as error:
        raise OptionError(
            "A mesh with a largest error needs the package pydelatin; install it with: pip install pydelatin."
        ) from error
