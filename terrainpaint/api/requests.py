"""What is asked for: which terrain, and which files of it. Plain values, so that nothing large is imported for them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from terrainpaint.core.rects import GroundRect
from terrainpaint.core.sea_choice import Sea
from terrainpaint.errors import OptionError

DEFAULT_STYLE = "atlas"
NO_LOOK = "none"
"""The look of a request that drops the look of a project."""
_SEEDS = range(1 << 64)  # larger seeds would give the terrain of a smaller one
_RELIEFS = 0.01, 1000.0


@dataclass(frozen=True)
class MapReading:
    """How a picture is read as a map.

    With `nearest_colour`, colours of no class become the nearest one. `under` is the class id 0..6 of see-through
    pixels, None for water. Projects have neither such colours nor such pixels.
    """

    nearest_colour: bool = False
    under: int | None = None


@dataclass(frozen=True)
class TerrainRequest:
    """How the terrain of a map is generated; None stands for what a project stores, else for the default.

    `seed` 0..2^64-1, default 0, takes the place of all seeds of a project. `style` is the name of an installed style,
    default DEFAULT_STYLE, `weights` a file instead of it. `look` is the name of an installed look, the path of a file,
    or NO_LOOK. `size` (height, width) resamples the map by nearest neighbour, 32..65,536 px a side. `pixel_size_m` is
    the ground size of a pixel, default that of the map, else of the weights. `relief` multiplies all heights,
    0.01..1000. `level_water` levels sea and lakes, `carve_rivers` cuts rivers into the land and levels them too,
    `breach` opens closed depressions. `sea_depth` gives the sea a floor, `sea_level_m` raises it, -12,000..12,000; both
    level water too, and None stands for what a preset says when files are written. `lines` is a picture of
    crests and valleys, or an SVG with rivers too; `height_guide` a file of heights that the land follows, with
    `guide_strength` 0..1, default 1. `painted_rivers_only` leaves out the rivers that networks draw where none is
    painted. `follow` 0..1 is how exactly the land follows the painted borders, default that of a project, else 1.
    `true_scale` gives the relief the size of pixels of 500 or 125 m. `detail_weights` is a file of networks for finer
    land instead of the installed ones. `device` is auto, cpu, cuda or mps. Raises OptionError when a value is out of
    range.
    """

    seed: int | None = None
    style: str | None = None
    weights: Path | None = None
    look: str | None = None
    size: tuple[int, int] | None = None
    pixel_size_m: float | None = None
    relief: float | None = None
    level_water: bool = False
    carve_rivers: bool | None = None
    breach: bool | None = None
    lines: Path | None = None
    height_guide: Path | None = None
    guide_strength: float | None = None
    painted_rivers_only: bool | None = None
    follow: float | None = None
    sea_depth: bool | None = None
    sea_level_m: float | None = None
    true_scale: bool | None = None
    detail_weights: Path | None = None
    device: str = "auto"

    def __post_init__(self) -> None:
        if self.seed is not None and self.seed not in _SEEDS:
            raise OptionError(f"A seed of {self.seed} is not possible; choose a whole number from 0 to {_SEEDS[-1]}.")
        if self.style is not None and self.weights is not None:
            raise OptionError("A style and a weights file do not go together; leave one of them out.")
        if self.size is not None:
            _check_size(self.size)
        if self.pixel_size_m is not None:
            _check_pixel_size(self.pixel_size_m)
        _ = Sea(level_m=self.sea_level_m or 0.0)
        if self.relief is not None and not _RELIEFS[0] <= self.relief <= _RELIEFS[1]:
            raise OptionError(
                f"A relief of {self.relief:g} is not possible; choose {_RELIEFS[0]:g} to {_RELIEFS[1]:g}."
            )
        if self.follow is not None and not 0 <= self.follow <= 1:
            raise OptionError(f"To follow the map by {self.follow:g} is not possible; choose 0 to 1.")
        if self.guide_strength is not None and not 0 <= self.guide_strength <= 1:
            raise OptionError(f"A strength of {self.guide_strength:g} is not possible; choose 0 to 1.")


@dataclass(frozen=True)
class FilesRequest:
    """Which files of a terrain are written; None stands for what the preset says, else for the default.

    `formats` are names of formats, `preset` the name of one or a file that ends in .toml. `mesh_size`, `exaggeration`,
    `max_error_m`, `water_surface_m` and `detail` are those of `ExportOptions`, `files` plain values of `FileOptions`,
    and `tiles` those of `TileOptions`, empty for no tiles. `crop` is a part of the map: x, y, width and height in
    pixels of the map, or on the ground.
    """

    formats: tuple[str, ...] | None = None
    preset: str | None = None
    mesh_size: int | None = None
    exaggeration: float | None = None
    max_error_m: float | None = None
    water_surface_m: float | None = None
    files: Mapping[str, object] = field(default_factory=dict)
    crop: tuple[int, int, int, int] | GroundRect | None = None
    tiles: Mapping[str, Any] = field(default_factory=dict)
    detail: int = 1


def crop_of(text: str) -> tuple[int, int, int, int] | GroundRect:
    """The rectangle of a text such as 0,0,512,512 in pixels, or 120,80,40,40km or 0,0,5000,5000m on the ground.

    Raises ValueError with examples, OptionError for a rectangle that is impossible on the ground.
    """
    number = r"(\d{1,9}(?:\.\d{1,9})?)"
    match = re.fullmatch(",".join([number] * 4) + "(px|m|km)?", text.replace(" ", ""))
    if not match:
        raise ValueError("0,0,512,512 in pixels or 120,80,40,40km")
    *sides, unit = match.groups()
    if unit in ("m", "km"):
        x_m, y_m, width_m, height_m = (float(side) * (1000 if unit == "km" else 1) for side in sides)
        return GroundRect(x_m, y_m, width_m, height_m)
    if any("." in side for side in sides):
        raise ValueError("0,0,512,512, because pixels are whole numbers")
    x, y, width, height = (int(side) for side in sides)
    return x, y, width, height


def _check_size(size: tuple[int, int]) -> None:
    from terrainpaint.core.segmentation import MAX_MAP_SIDE_PX, MIN_SIDE_PX

    if not all(MIN_SIDE_PX <= side <= MAX_MAP_SIDE_PX for side in size):
        raise OptionError(
            f"A size of {size[0]}x{size[1]} pixels is not possible; "
            f"choose {MIN_SIDE_PX} to {MAX_MAP_SIDE_PX} for each side."
        )


def _check_pixel_size(pixel_size_m: float) -> None:
    from terrainpaint.core.map_files import PIXEL_SIZES_M

    low, high = PIXEL_SIZES_M
    if not low <= pixel_size_m <= high:
        raise OptionError(f"Pixels of {pixel_size_m:g} m are not possible; choose {low:g} to {high:.0f} m.")
