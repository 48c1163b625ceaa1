"""The script of the process that chooses triangles, because pydelatin neither stops nor lets other threads run.

Arguments: a .npy of heights (H, W) float32, the largest error, and the .npz to write: `vertices` (n, 2) column and row
from the last row, and `triangles` (m, 3). It imports nothing of the program, so it starts at once.
"""

from __future__ import annotations

import sys


def main(heights: str, max_error: str, result: str) -> None:
    """Triangulate."""
    import numpy as np
    from pydelatin import Delatin

    mesh = Delatin(np.load(heights), max_error=float(max_error))
    vertices = np.rint(mesh.vertices[:, :2]).astype(np.int64)
    np.savez(result, vertices=vertices, triangles=mesh.triangles.astype(np.uint32))


if __name__ == "__main__":
    main(*sys.argv[1:])
