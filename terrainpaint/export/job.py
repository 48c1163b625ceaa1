"""The input of an export, and what the writers of all formats need."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.files import FileTransaction
from terrainpaint.core.fine_land import FACTORS, CoarseWindow, FineTile
from terrainpaint.core.guide_lines import NO_LINES, GuideLines
from terrainpaint.core.hydrology import Waters, find_waters
from terrainpaint.core.progress import Cancel, Progress, part_of
from terrainpaint.core.terrain import Provenance, Terrain
from terrainpaint.errors import OptionError
from terrainpaint.export.file_options import USUAL_FILES, FileOptions
from terrainpaint.export.georeference import Georeference, crs_at, georeference
from terrainpaint.export.mesh import MeshGrid, height_range, mesh_grid
from terrainpaint.export.rasters import resampled_classes, resampled_colours, resampled_heights
from terrainpaint.export.tile_options import TileOptions, Tiling

MESH_SIZES = range(2, 16385)
PICTURE_SIDES = range(2, 65537)
MAX_EXAGGERATION = 1000.0
MAX_ERROR_SIDE = 4096
"""Vertices a side from which triangles with a largest error are chosen: it takes minutes for more."""
MAX_WATER_M = 12_000
TEXT_FILE_BYTES = 250
_BAND_PX = 1 << 20  # keeps the temporary arrays at a few megabytes for maps of any size

Paths = tuple[Path, ...]
"""All files of a format, the main one first."""


@dataclass(frozen=True)
class ExportOptions:
    """Options of meshes; pictures always have the size of the map.

    `mesh_size` is the number of vertices on the longest side, 2..16384; None stands for the longest side of the map,
    at most 1024. `exaggeration` multiplies the heights of meshes only; above 0, at most 1000. `water_surface_m` adds a
    level water surface of this height, -12,000 to 12,000 m, to meshes of several objects; None adds none. `files` are
    the options of single formats. `picture_shape` are the rows and columns of pictures and heights, 2..65536 each; None
    stands for those of the map. `max_error_m`, above 0, replaces the regular grid of OBJ, GLB and PLY by triangles that
    differ from it by at most so much, in metres of height before the exaggeration. `detail` 1, 4 or 16 is how many
    times finer than the map everything is made. `crop` is the rectangle that is exported, x, y, width and height in
    pixels from the north-west corner of the map, those of the finer scale, None for all of it. `tiles`
    divides the export; `mesh_size` is then that of a tile, and `picture_shape` is not followed.
    Raises OptionError when a value is out of range.
    """

    mesh_size: int | None = None
    exaggeration: float = 1.0
    water_surface_m: float | None = None
    files: FileOptions = USUAL_FILES
    picture_shape: tuple[int, int] | None = None
    max_error_m: float | None = None
    crop: tuple[int, int, int, int] | None = None
    tiles: TileOptions | None = None
    detail: int = 1

    def __post_init__(self) -> None:
        if self.mesh_size is not None and self.mesh_size not in MESH_SIZES:
            raise OptionError(
                f"A mesh of {self.mesh_size} vertices a side is not possible; "
                f"choose a mesh size from {MESH_SIZES.start} to {MESH_SIZES.stop - 1}."
            )
        if self.picture_shape is not None and not all(side in PICTURE_SIDES for side in self.picture_shape):
            raise OptionError(
                f"Pictures of {self.picture_shape[1]} x {self.picture_shape[0]} pixels are not possible; "
                f"choose {PICTURE_SIDES.start} to {PICTURE_SIDES.stop - 1} for each side."
            )
        if self.max_error_m is not None and not 0 < self.max_error_m <= MAX_WATER_M:
            raise OptionError(
                f"A largest error of {self.max_error_m:g} m is not possible; "
                f"choose a number above 0 and at most {MAX_WATER_M}."
            )
        if self.crop is not None and (min(self.crop[:2]) < 0 or min(self.crop[2:]) < 2):
            x, y, width, height = self.crop
            raise OptionError(
                f"A rectangle of {width} x {height} pixels at {x}, {y} cannot be exported; choose sides of at least 2 "
                "pixels within the map."
            )
        if self.detail not in (1, *FACTORS):
            raise OptionError(f"A detail of {self.detail} is not possible; choose 1, {FACTORS[0]} or {FACTORS[1]}.")
        if self.tiles is not None and self.max_error_m is not None and not self.tiles.skirt_m:
            raise OptionError(
                "Meshes with a largest error do not meet at the borders of tiles; give the tiles a skirt, or leave the "
                "largest error out."
            )
        if not 0 < self.exaggeration <= MAX_EXAGGERATION:
            raise OptionError(
                f"An exaggeration of {self.exaggeration:g} is not possible; "
                f"choose a number above 0 and at most {MAX_EXAGGERATION:g}."
            )
        if self.water_surface_m is not None and not abs(self.water_surface_m) <= MAX_WATER_M:
            raise OptionError(
                f"A water surface at {self.water_surface_m:g} m is not possible; "
                f"choose a height from {-MAX_WATER_M} to {MAX_WATER_M} m."
            )

    def exported_shape(self, map_shape: tuple[int, int]) -> tuple[int, int]:
        """Rows and columns that are exported of a map (H, W)."""
        return self.whole_shape(map_shape) if self.crop is None else (self.crop[3], self.crop[2])

    def whole_shape(self, map_shape: tuple[int, int]) -> tuple[int, int]:
        """Rows and columns that all of a map (H, W) has at the scale of the export."""
        return map_shape[0] * self.detail, map_shape[1] * self.detail

    def tiling(self, map_shape: tuple[int, int]) -> Tiling | None:
        """The tiles of a map (H, W), None if it is not divided. Raises OptionError."""
        return None if self.tiles is None else Tiling.of(self.exported_shape(map_shape), self.tiles)


@dataclass(frozen=True)
class Frame:
    """Where an exported part lies in its map.

    `map_size_m` are the sides of the map from north to south and from west to east, metres; `corner_m` how far the
    north-west corner of the part lies south and east of that of the map. `heights_m` are the heights that 16 bits
    span, the same for parts that are to fit together; None stands for the range of the part.
    """

    map_size_m: tuple[float, float]
    corner_m: tuple[float, float] = (0.0, 0.0)
    heights_m: tuple[float, float] | None = None


class LandRefiner(Protocol):
    """What makes a terrain finer, as `generation.refiner.Refiner` does."""

    @property
    def sha256(self) -> str:
        """Hex digest of its weights file."""

    def margin(self, factor: int, cell_m: float) -> int:
        """Cells on each side of a window that its fine land depends on."""

    def refine_all(self, windows: Iterable[CoarseWindow], factor: int, seed: int) -> Generator[FineTile, None, None]:
        """The fine land of each window without its margin, in their order; windows are taken as they are needed."""


@dataclass(frozen=True)
class ExportSource:
    """The terrain of an export.

    `terrain` has finite heights. `ids` (H, W) uint8 are the classes of its map. `shaded` computes (H, W, 3) uint8 sRGB,
    the albedo lit by the sun; it is called only when a format needs it. `part_of` is None for a whole map. `refiner`
    makes it finer, and `shade` lights what that made; None where that is not possible. `lines` were drawn on the map,
    in pixels of the terrain. `origin` (row, col) is the place of its first pixel for fine land, as in `Project`.
    """

    terrain: Terrain
    shaded: Callable[[], NDArray[np.uint8]]
    ids: NDArray[np.uint8]
    part_of: Frame | None = None
    refiner: LandRefiner | None = None
    shade: Callable[[Terrain], NDArray[np.uint8]] | None = None
    lines: GuideLines = NO_LINES
    origin: tuple[int, int] = (0, 0)

    @property
    def frame(self) -> Frame:
        """Where the terrain lies in the map."""
        rows, cols = self.terrain.shape
        size_m = rows * self.terrain.pixel_size_m, cols * self.terrain.pixel_size_m
        return Frame(size_m) if self.part_of is None else self.part_of


@dataclass(frozen=True)
class ExportRaster:
    """The terrain in the pixels of the pictures: `height` (h, w) float32 metres, `albedo` (h, w, 3) and `ids` uint8.

    `step_m` is the ground size of a pixel from north to south and from west to east, metres. Row 0 = north.
    """

    height: NDArray[np.float32]
    albedo: NDArray[np.uint8]
    ids: NDArray[np.uint8]
    step_m: tuple[float, float]

    @property
    def shape(self) -> tuple[int, int]:
        """(h, w) in pixels."""
        return self.height.shape[0], self.height.shape[1]


@dataclass
class ExportJob:
    """One run of an export: the argument of every writer.

    A writer gets the temporary path of each file from `files`, calls `progress` with the fraction of its work, 0..1,
    and checks `cancel` regularly. `albedo_png` is the temporary path of the albedo picture after it was written, so
    that a second format that needs it copies the file.
    """

    source: ExportSource
    options: ExportOptions
    files: FileTransaction
    progress: Progress
    cancel: Cancel
    albedo_png: Path | None = None

    @cached_property
    def grid(self) -> MeshGrid:
        """The mesh, in the coordinates of the whole map. Raises ValueError when a height is not finite."""
        grid, frame, terrain = mesh_grid(self.source.terrain, self.options), self.source.frame, self.source.terrain
        # From the centre of the part, where the mesh has its origin, to that of the map.
        south, east = (
            corner + side * terrain.pixel_size_m / 2 - whole / 2
            for corner, side, whole in zip(frame.corner_m, terrain.shape, frame.map_size_m, strict=True)
        )
        return grid.moved(south, east)

    @cached_property
    def height_range(self) -> tuple[float, float]:
        """Lowest and highest height of the raster, or those of the frame. Raises ValueError when one is not finite."""
        heights_m = height_range(self.raster.height)
        return self.source.frame.heights_m or heights_m

    @property
    def part_facts(self) -> dict[str, object]:
        """Name → value: where the raster lies in its map; nothing for a whole map."""
        frame = self.source.part_of
        if frame is None:
            return {}
        return {
            "corner_south_m": frame.corner_m[0],
            "corner_east_m": frame.corner_m[1],
            "map_height_m": frame.map_size_m[0],
            "map_width_m": frame.map_size_m[1],
        }

    def require_finite(self) -> None:
        """Raise ValueError when a height of the raster is not finite."""
        _ = self.height_range

    @cached_property
    def place(self) -> Georeference:
        """The georeference of the raster. Raises OptionError for an unknown CRS."""
        files = self.options.files
        return self.place_in(files.crs if files.place is None else crs_at(*files.place), files.origin)

    @cached_property
    def place_on_globe(self) -> Georeference:
        """The georeference of the raster, at latitude and longitude 0 where the options have no place."""
        return self.place_in(crs_at(0, 0), None) if self.place.is_made_up else self.place

    def place_in(self, crs: str, origin: tuple[float, float] | None) -> Georeference:
        """The georeference of the raster in another CRS than that of the options; as `georeference`."""
        frame = self.source.frame
        return georeference(self.raster.shape, self.raster.step_m, crs, origin, frame.map_size_m, frame.corner_m)

    @cached_property
    def waters(self) -> Waters:
        """The rivers and lakes in pixels of the source. Raises OptionError when the memory does not suffice, Cancelled.

        Raises ValueError when a height is not finite.
        """
        self.require_finite()
        return find_waters(self.source.terrain, self.source.ids, part_of(self.progress, 0, 0.9), self.cancel)

    @property
    def lines(self) -> GuideLines:
        """The drawn lines in pixels of the raster."""
        down, across = (new / old for new, old in zip(self.raster.shape, self.source.terrain.shape, strict=True))
        return self.source.lines.scaled(down, across)

    @cached_property
    def shaded(self) -> NDArray[np.uint8]:
        """(h, w, 3) uint8 sRGB: the shaded picture in the pixels of the raster.

        Raises ValueError when the source gives another shape or dtype than that of the albedo.
        """
        picture, albedo = self.source.shaded(), self.source.terrain.albedo
        if picture.shape != albedo.shape or picture.dtype != albedo.dtype:
            raise ValueError(f"shaded must return {albedo.shape} uint8, not {picture.shape} {picture.dtype}")
        return resampled_colours(picture, self.raster.shape)

    @cached_property
    def raster(self) -> ExportRaster:
        """What pictures and files of heights show; meshes have the terrain of the source."""
        terrain, shape = self.source.terrain, self.options.picture_shape or self.source.terrain.shape
        step_m = tuple(old / new * terrain.pixel_size_m for old, new in zip(terrain.shape, shape, strict=True))
        return ExportRaster(
            resampled_heights(terrain.height, shape),
            resampled_colours(terrain.albedo, shape),
            resampled_classes(self.source.ids, shape),
            (step_m[0], step_m[1]),
        )


def row_bands(shape: tuple[int, ...], step: int = 1) -> list[tuple[int, int]]:
    """Rows start..stop of the parts of a picture (H, W) that are computed at a time; starts are multiples of `step`."""
    rows = max(1, _BAND_PX // (shape[1] * step)) * step
    return [(start, min(start + rows, shape[0])) for start in range(0, shape[0], rows)]


def recipe_facts(provenance: Provenance) -> dict[str, object]:
    """Name → value: the seed, and every other part of the provenance that is not the default."""
    recipe = provenance.recipe
    facts: dict[str, object] = {"seed": recipe.seed}
    if recipe.other_seed is not None:
        facts |= {"other_seed": recipe.other_seed, "blend": recipe.blend}
    if recipe.style is not None:
        facts["style_numbers"] = list(recipe.style)
    if recipe.variety != 1:
        facts["variety"] = recipe.variety
    if recipe.follow != 1:
        facts["follow"] = recipe.follow
    if recipe.painted_rivers_only:
        facts["painted_rivers_only"] = True
    if provenance.has_rerolls:
        facts["rerolled_in_places"] = True
    if provenance.has_lines:
        facts["follows_lines"] = True
    if provenance.has_height_guide:
        facts["height_guide_strength"] = recipe.guide_strength
    if provenance.height_scale != 1:
        facts["height_scale"] = provenance.height_scale
    if provenance.has_level_water:
        facts["water_levelled"] = True
    if provenance.has_sea_depth:
        facts["sea_depth"] = True
    if provenance.sea_level_m:
        facts["sea_raised_by_m"] = provenance.sea_level_m
    if provenance.has_carved_rivers:
        facts["rivers_carved"] = True
    if provenance.has_breached_depressions:
        facts["depressions_breached"] = True
    if provenance.detail != 1:
        facts |= {"detail": provenance.detail, "detail_sha256": provenance.detail_sha256}
    if provenance.painted_finer != 1:
        facts |= {"painted_finer": provenance.painted_finer, "detail_sha256": provenance.detail_sha256}
    if provenance.look_sha256:
        facts |= {"look": provenance.look, "look_sha256": provenance.look_sha256}
    return facts
