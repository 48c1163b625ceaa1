"""What the window and the worker process say to each other about fine land: values and arrays, never code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.fine_land import CoarseWindow, FineTile

SHADED_CELLS = 1
"""Cells around a tile that are made with it and cut off: its shading depends on the heights next to it."""


@dataclass(frozen=True)
class DetailInfoRequest:
    """Ask about the file `path` of fine land, for a map whose pixels are `cell_m` metres."""

    path: Path
    cell_m: float


@dataclass(frozen=True)
class DetailInfo:
    """`sha256` hex digest of the file; `margins` cells of the map around a tile that it depends on, by factor."""

    sha256: str
    margins: Mapping[int, int]


@dataclass(frozen=True, eq=False)
class DetailRequest:
    """Make the land of `window` finer by `factor` with the file `path`.

    The window has the margin of `DetailInfo` and `SHADED_CELLS` on each side.
    """

    path: Path
    window: CoarseWindow
    factor: int
    seed: int


@dataclass(frozen=True, eq=False)
class Detail:
    """Fine land of a tile, and its albedo with the learned shading, (h, w, 3) uint8 sRGB."""

    land: FineTile
    shaded: NDArray[np.uint8]

    @property
    def nbytes(self) -> int:
        """Bytes of its arrays."""
        land = self.land
        return land.height.nbytes + land.albedo.nbytes + land.ids.nbytes + self.shaded.nbytes
