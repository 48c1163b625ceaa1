"""What an export is asked to do, and what the writers of the formats share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.files import FileTransaction
from terrainpaint.core.jobs import Cancel, Progress
from terrainpaint.core.terrain import Terrain
from terrainpaint.errors import OptionError

DEFAULT_MESH_SIZE = 1024
MESH_SIZES = range(2, 16385)
MAX_EXAGGERATION = 1000.0


@dataclass(frozen=True)
class ExportOptions:
    """How meshes are made; pictures always have the size of the map.

    `mesh_size` number of vertices on the longest side, 2..16384; None stands for the longest side of the map, but
    1024 at most. `exaggeration` multiplies the heights of meshes, and of nothing else; above 0, at most 1000.
    Raises OptionError when a value is out of range.
    """

    mesh_size: int | None = None
    exaggeration: float = 1.0

    def __post_init__(self) -> None:
        if self.mesh_size is not None and self.mesh_size not in MESH_SIZES:
            raise OptionError(
                f"A mesh of {self.mesh_size} vertices a side cannot be written; "
                f"choose a mesh size from {MESH_SIZES.start} to {MESH_SIZES.stop - 1}."
            )
        if not 0 < self.exaggeration <= MAX_EXAGGERATION:
            raise OptionError(
                f"An exaggeration of {self.exaggeration:g} is not possible; "
                f"choose a number above 0 and at most {MAX_EXAGGERATION:g}."
            )


@dataclass(frozen=True)
class ExportSource:
    """What is exported.

    `terrain` with finite heights; `shaded` computes (H, W, 3) uint8 sRGB, the albedo as the sun lights it, and is
    called only when a format shows it.
    """

    terrain: Terrain
    shaded: Callable[[], NDArray[np.uint8]]


@dataclass
class ExportJob:
    """One run of an export: what every writer gets.

    A writer asks `files` for the temporary path of each final one, calls `progress` with its own share 0..1, and asks
    `cancel` now and then. `albedo_png` is the temporary path of the albedo picture once it is written, so that a
    second format that needs it copies the file.
    """

    source: ExportSource
    options: ExportOptions
    files: FileTransaction
    progress: Progress
    cancel: Cancel
    albedo_png: Path | None = None
