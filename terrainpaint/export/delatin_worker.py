"""The script of the process that chooses triangles, because pydelatin neither stops nor lets other threads run.

Arguments: a .npy of heights (H, W) float32, the largest error, the .npz to write: `vertices` (n, 2) column and row
from the last row, and `triangles` (m, 3); and a text file that gets the seconds which it will take, because pydelatin
tells no progress either. It imports nothing of the program, so it starts at once.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

_PIECES, _PIECE_SIDE = 3, 8
"""So many squares of the grid, each with such a part of its sides, are measured first."""
_LEAST_SIDE = 32
_GROWTH = 1.25
"""The time grows with this power of the number of vertices (measured with 512 to 2048 a side)."""


def main(heights: str, max_error: str, result: str, expected: str) -> None:
    """Triangulate."""
    import numpy as np
    from pydelatin import Delatin

    grid = np.load(heights)
    seconds, cells = 0.0, 0
    h, w = (max(_LEAST_SIDE, side // _PIECE_SIDE) for side in grid.shape)
    for number in range(_PIECES):
        top, left = ((side - part) * number // (_PIECES - 1) for side, part in zip(grid.shape, (h, w), strict=True))
        piece = np.ascontiguousarray(grid[max(0, top) : top + h, max(0, left) : left + w])
        start = time.perf_counter()
        Delatin(piece, max_error=float(max_error))
        seconds, cells = seconds + time.perf_counter() - start, cells + piece.size
    part = Path(expected + ".part")
    part.write_text(repr(seconds / _PIECES * (grid.size * _PIECES / cells) ** _GROWTH))
    part.replace(expected)  # it is read meanwhile
    mesh = Delatin(grid, max_error=float(max_error))
    vertices = np.rint(mesh.vertices[:, :2]).astype(np.int64)
    np.savez(result, vertices=vertices, triangles=mesh.triangles.astype(np.uint32))


if __name__ == "__main__":
    main(*sys.argv[1:])
