"""What is known of a raster before its pixels are read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from terrainpaint.errors import InputFileError


@dataclass(frozen=True)
class Georeference:
    """Where a raster lies on the Earth, and how it must be turned to have north on top.

    `pixel_size_m` is the ground size of a pixel, the geometric mean of its sides, or None when the file does not tell.
    `transposed`, `flipped_rows` and `flipped_cols` are applied in this order; north is then within 45 degrees of the
    top, `angle_deg` to the right of it. `vertical_unit` is the unit of the vertical coordinate reference system, "" if
    there is none. `is_in_feet` is whether the coordinates on the map are feet. `stretch` is the height of a pixel in
    parts of its width, with north on top.
    """

    is_georeferenced: bool = False
    pixel_size_m: float | None = None
    transposed: bool = False
    flipped_rows: bool = False
    flipped_cols: bool = False
    angle_deg: float = 0.0
    vertical_unit: str = ""
    is_in_feet: bool = False
    stretch: float = 1.0

    @property
    def is_turned(self) -> bool:
        """Whether the rows of the file do not run from north to south and from west to east."""
        return self.transposed or self.flipped_rows or self.flipped_cols

    def north_up(self, values: NDArray[Any]) -> NDArray[Any]:
        """(H, W) `values` of the file with north on top; a view."""
        if self.transposed:
            values = values.T
        return values[:: -1 if self.flipped_rows else 1, :: -1 if self.flipped_cols else 1]


@dataclass(frozen=True, eq=False)
class RasterInfo:
    """What the header of a raster tells.

    `bands` counts all of them; `alpha` is whether the last one is an alpha channel, `has_mask` whether the file has a
    mask. `dtype` is numpy's name, `bits` the used bits of a whole number. `scale`, `offset`, `unit`, `no_data` are of
    the first band; `colour_table` (n, 4) uint8 RGBA is the palette, if there is one. `overview_of` is the (width,
    height) of the file when this is a reduced copy in it.
    """

    format: str
    width: int
    height: int
    bands: int
    dtype: str
    bits: int
    place: Georeference
    alpha: bool = False
    has_mask: bool = False
    no_data: float | None = None
    scale: float = 1.0
    offset: float = 0.0
    unit: str = ""
    colour_table: NDArray[np.uint8] | None = None
    overview_of: tuple[int, int] | None = None

    @property
    def is_overview(self) -> bool:
        """Whether this is a reduced copy that the file contains."""
        return self.overview_of is not None

    @property
    def full_size(self) -> tuple[int, int]:
        """(width, height) of the file in pixels."""
        return self.overview_of or (self.width, self.height)

    @property
    def pixel_size_m(self) -> float | None:
        """Ground size of a pixel, None when the file does not tell."""
        return self.place.pixel_size_m

    @property
    def is_georeferenced(self) -> bool:
        """Whether the file tells where on the Earth it lies."""
        return self.place.is_georeferenced


class Raster(Protocol):
    """An open raster."""

    @property
    def info(self) -> RasterInfo: ...

    @property
    def dataset(self) -> Any:
        """The open dataset of rasterio, None when another library reads the format."""
        ...

    def rows(self, top: int, bottom: int) -> NDArray[Any]:
        """(bands, bottom - top, W) numbers as they are stored. Raises InputFileError when the file is damaged."""
        ...

    def known(self, top: int, bottom: int) -> NDArray[np.bool_] | None:
        """(bottom - top, W), False where the file declares a gap by a mask; None without one."""
        ...


def damaged(path: Path) -> InputFileError:
    """The error about a file whose bytes are not those of its format."""
    return InputFileError(f"{path} is damaged or cut short; copy or save it again.")
