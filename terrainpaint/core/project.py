"""A document: the layers of its map, the settings of its terrain, and how it is viewed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import CLASS_COUNT, WATER
from terrainpaint.core.dreamed import Dreamed
from terrainpaint.core.guide_lines import NO_LINES, GuideLines, draw_rivers
from terrainpaint.core.height_guide import HeightGuide, cells_of
from terrainpaint.core.hydrology import NO_FLOW, FlowingWater
from terrainpaint.core.parent_land import ParentLand
from terrainpaint.core.placement import Placement
from terrainpaint.core.rects import Rect
from terrainpaint.core.segmentation import MIN_SIDE_PX
from terrainpaint.core.terrain import Recipe
from terrainpaint.errors import OptionError

EMPTY = 255
"""Value of an unpainted cell of a layer."""
REROLLS = 0
"""Stands for `Project.rerolls` where the key of a layer is expected."""
HEIGHT_GUIDE = -1
"""Stands for the bytes of `Project.height_guide` where the key of a layer is expected."""
NATIVE_PIXEL_SIZE_M = 2000.0
"""Ground size of a pixel in the training data of the shipped weights, and in a new document."""
_PIXEL_SIZES_M = 0.01, 1e6
MAX_PROJECT_SIDE_PX = 16_384
"""Largest side of a document; the command line generates maps up to 65,536 px."""


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer of a painted map.

    `key` is unique within the project and never changes; `cells` (H, W) uint8 holds class ids 0..6 or EMPTY and is
    painted in place; a locked layer cannot be painted; an invisible one is not part of the map. `dreamed` says how a
    dreamed map came onto it, None where none did.
    """

    key: int
    name: str
    cells: NDArray[np.uint8]
    visible: bool = True
    locked: bool = False
    dreamed: Dreamed | None = None


def empty_cells(shape: tuple[int, int]) -> NDArray[np.uint8]:
    """(H, W) uint8 of EMPTY cells."""
    return np.full(shape, EMPTY, np.uint8)


def flattened(layers: Sequence[Layer], base_class: int, rect: Rect) -> NDArray[np.uint8]:
    """(h, w) uint8 class ids of a rectangle of the map: the topmost visible painted cell, or the base class.

    `layers` are ordered from the lowest to the highest.
    """
    ids = np.full((rect.height, rect.width), base_class, np.uint8)
    for layer in layers:
        if layer.visible:
            cells = layer.cells[rect.slices]
            np.copyto(ids, cells, where=cells != EMPTY)
    return ids


@dataclass(frozen=True)
class Settings:
    """The settings of the terrain besides its layers.

    `base_class` is the class of unpainted pixels; `pixel_size_m` the ground size of a pixel in metres; `relief`
    multiplies the heights, 1 keeps the slopes of the training data; `style_name` names the weights, `look_name` the
    look that repaints the albedo, None for no look. `flowing_water` is what is done to the terrain so that its water
    flows. With `true_scale`, pixels 4 or 16 times smaller than those of the weights get relief of their own size; other
    pixels get land of the weights, scaled down or up.
    Raises ValueError when a value is out of range.
    """

    pixel_size_m: float
    style_name: str
    base_class: int = WATER
    relief: float = 1.0
    recipe: Recipe = dataclasses.field(default_factory=Recipe)
    look_name: str | None = None
    flowing_water: FlowingWater = NO_FLOW
    true_scale: bool = False

    def __post_init__(self) -> None:
        if self.base_class not in range(CLASS_COUNT):
            raise ValueError(f"base_class must be 0..{CLASS_COUNT - 1}, not {self.base_class}")
        if not _PIXEL_SIZES_M[0] <= self.pixel_size_m <= _PIXEL_SIZES_M[1]:
            raise ValueError(f"pixel_size_m must be 0.01..1000000, not {self.pixel_size_m}")
        if not 0.01 <= self.relief <= 1000:
            raise ValueError(f"relief must be 0.01..1000, not {self.relief}")


@dataclass(frozen=True)
class ViewSettings:
    """How the terrain is viewed: saved with the project, not part of undo. Angles in degrees, azimuth from north."""

    sun_azimuth_deg: float = 315.0
    sun_elevation_deg: float = 45.0
    exaggeration: float = 20.0
    water_level_m: float | None = 0.0
    is_exaggeration_automatic: bool = True
    """Whether the exaggeration follows the heights of the map."""
    has_sea_floor: bool = False
    """Whether the sea has its floor instead of a level surface."""


@dataclass(frozen=True, eq=False)
class Underlay:
    """A reference picture (h, w, 3) uint8 sRGB; `opacity` 0..1.

    `placement` says where it lies; None is stretched over the map, as in documents of the first versions.
    """

    picture: NDArray[np.uint8]
    opacity: float = 0.5
    visible: bool = True
    placement: Placement | None = None

    @property
    def picture_shape(self) -> tuple[int, int]:
        """(h, w) of the picture."""
        return self.picture.shape[0], self.picture.shape[1]

    def placed(self, map_shape: tuple[int, int]) -> Placement:
        """Where it lies on a map (H, W)."""
        return self.placement or Placement.stretched(map_shape)


@dataclass(frozen=True)
class ZoomedFrom:
    """Where a document came from: the rectangle `rect` of the map in the document `name`, `factor` times finer, with
    the bends of `seed` in its borders."""

    name: str
    rect: Rect
    factor: int
    seed: int

    def fits(self, shape: tuple[int, int], parent: ParentLand) -> bool:
        """Whether a map of `shape` (H, W) is all of the rectangle, and the land around it is kept."""
        frame, rect = parent.frame, self.rect
        is_kept = frame.rect.intersection(rect) == rect and frame.land.intersection(rect) == rect
        return is_kept and shape == (rect.height * self.factor, rect.width * self.factor)

    @property
    def origin(self) -> tuple[int, int]:
        """The place (row, col) of its first pixel on the other map, in its own pixels."""
        return self.factor * self.rect.row, self.factor * self.rect.col

    @property
    def sentence(self) -> str:
        """It in words."""
        rect = self.rect
        return (
            f'zoomed in {self.factor} times from "{self.name}", {rect.width} × {rect.height} pixels from '
            f"row {rect.row}, column {rect.col}"
        )


@dataclass(frozen=True, eq=False)
class Project:
    """A document. Its arrays are painted in place; every other change creates a new Project.

    `layers` are ordered from the lowest to the highest, all of one size; `active` is the key of the layer that is
    painted; `rerolls` (H, W) uint8 counts how often the noise of a pixel was replaced. `zoomed_from` says which part of
    which document it was when it was made, None for a document of its own. `lines` were drawn above the layers.
    `height_guide` are heights that the land follows, None without. `parent` is the land that it had there, of which its
    terrain is a refinement, None for land of its own.
    Raises ValueError when layers, active and rerolls do not match.
    """

    layers: tuple[Layer, ...]
    active: int
    settings: Settings
    rerolls: NDArray[np.uint8]
    underlay: Underlay | None = None
    zoomed_from: ZoomedFrom | None = None
    lines: GuideLines = NO_LINES
    height_guide: HeightGuide | None = None
    parent: ParentLand | None = None

    def __post_init__(self) -> None:
        if min(self.shape) < MIN_SIDE_PX or max(self.shape) > MAX_PROJECT_SIDE_PX:
            raise ValueError(f"sides must be {MIN_SIDE_PX}..{MAX_PROJECT_SIDE_PX} px, not {self.shape}")
        if any(layer.cells.shape != self.shape or layer.cells.dtype != np.uint8 for layer in self.layers):
            raise ValueError("layers must be uint8 and of one size")
        keys = [layer.key for layer in self.layers]
        if len(set(keys)) != len(keys) or self.active not in keys:
            raise ValueError(f"there is no active layer {self.active} among {keys}")
        guide = self.height_guide
        if guide is not None and guide.heights.shape != cells_of(self.shape):
            raise ValueError(f"the height guide has {guide.heights.shape} cells")
        if self.parent is not None and (self.zoomed_from is None or not self.zoomed_from.fits(self.shape, self.parent)):
            raise ValueError("the land of the parent is not that of the map")

    @property
    def origin(self) -> tuple[int, int]:
        """The place (row, col) that its first pixel has for fine land: with the land of another map, that on it."""
        return (0, 0) if self.parent is None or self.zoomed_from is None else self.zoomed_from.origin

    @classmethod
    def empty(cls, shape: tuple[int, int], settings: Settings) -> Project:
        """A project with one empty layer."""
        return cls((Layer(1, "Layer 1", empty_cells(shape)),), 1, settings, np.zeros(shape, np.uint8))

    @classmethod
    def painted(cls, ids: NDArray[np.uint8], settings: Settings) -> Project:
        """A project with one layer, which uses the array of class ids (H, W) uint8 without a copy."""
        return cls((Layer(1, "Layer 1", ids),), 1, settings, np.zeros(ids.shape, np.uint8))

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) in pixels."""
        return self.rerolls.shape[0], self.rerolls.shape[1]

    @property
    def flowing_water(self) -> FlowingWater:
        """That of the settings; drawn rivers are carved whatever these say."""
        flowing = self.settings.flowing_water
        return dataclasses.replace(flowing, carve_rivers=True) if self.lines.rivers else flowing

    def classes(self, rect: Rect | None = None) -> NDArray[np.uint8]:
        """(h, w) uint8 class ids of a rectangle of the map, by default of all of it: the visible layers with the drawn
        rivers."""
        rect = rect or Rect.of_shape(self.shape)
        ids = flattened(self.layers, self.settings.base_class, rect)
        draw_rivers(ids, self.lines.rivers, rect)
        return ids

    def layer(self, key: int) -> Layer:
        """The layer with a key. Raises KeyError."""
        for layer in self.layers:
            if layer.key == key:
                return layer
        raise KeyError(key)

    def cells(self, key: int) -> NDArray[np.uint8]:
        """The cells (H, W) uint8 of a layer, or `rerolls` for the key REROLLS, or those of the height guide, which has
        another size, for HEIGHT_GUIDE. Raises KeyError."""
        if key == HEIGHT_GUIDE and self.height_guide is not None:
            return self.height_guide.cells
        return self.rerolls if key == REROLLS else self.layer(key).cells

    def resized(self, shape: tuple[int, int]) -> Project:
        """The map resampled to `shape` by nearest neighbour; the ground size stays the same.

        Raises OptionError when its pixels or the reference picture would be too large or too small.
        """
        size = shape[1], shape[0]
        pixel_size_m = self.settings.pixel_size_m * self.shape[1] / shape[1]
        if not _PIXEL_SIZES_M[0] <= pixel_size_m <= _PIXEL_SIZES_M[1]:
            raise OptionError(
                f"Pixels of a map are {_PIXEL_SIZES_M[0]:g} m to {_PIXEL_SIZES_M[1]:.0f} m large, and those of this "
                f"one would be {pixel_size_m:.2f} m; choose another width in pixels, or change the width in km first."
            )

        def scaled(cells: NDArray[np.uint8]) -> NDArray[np.uint8]:
            return np.asarray(cv2.resize(cells, size, interpolation=cv2.INTER_NEAREST_EXACT), np.uint8)

        layers = tuple(dataclasses.replace(layer, cells=scaled(layer.cells)) for layer in self.layers)
        settings = dataclasses.replace(self.settings, pixel_size_m=pixel_size_m)
        underlay = self.underlay
        if underlay is not None and underlay.placement is not None:
            down, across = (new / old for new, old in zip(shape, self.shape, strict=True))
            underlay = _put_elsewhere(underlay, lambda placement: placement.scaled(down, across), self.shape)
        lines = self.lines.scaled(shape[0] / self.shape[0], shape[1] / self.shape[1])
        guide = None if self.height_guide is None else self.height_guide.resized(self.shape, shape)
        return dataclasses.replace(
            self,
            layers=layers,
            settings=settings,
            rerolls=scaled(self.rerolls),
            underlay=underlay,
            lines=lines,
            height_guide=guide,
            parent=None,
        )

    def cropped(self, top: int, left: int, shape: tuple[int, int]) -> Project:
        """The rectangle of `shape` at (`top`, `left`); its pixels outside the map are unpainted.

        Raises OptionError when the reference picture would be too far away, or too many lines cross the new border.
        """

        def cut(cells: NDArray[np.uint8], outside: int) -> NDArray[np.uint8]:
            new = np.full(shape, outside, np.uint8)
            rows, cols = (
                slice(max(0, start), min(old, start + size))
                for start, old, size in zip((top, left), cells.shape, shape, strict=True)
            )
            if rows.start < rows.stop and cols.start < cols.stop:
                new[rows.start - top : rows.stop - top, cols.start - left : cols.stop - left] = cells[rows, cols]
            return new

        layers = tuple(dataclasses.replace(layer, cells=cut(layer.cells, EMPTY)) for layer in self.layers)
        underlay = self.underlay
        if underlay is not None:
            # It stays on the same ground.
            underlay = _put_elsewhere(underlay, lambda placement: placement.moved(-top, -left), self.shape)
        guide = None if self.height_guide is None else self.height_guide.cropped(top, left, shape)
        return dataclasses.replace(
            self, layers=layers, rerolls=cut(self.rerolls, 0), underlay=underlay,
            lines=cut_lines(self.lines, top, left, shape), height_guide=guide, parent=None,
        )  # fmt: skip


def cut_lines(lines: GuideLines, top: int, left: int, shape: tuple[int, int]) -> GuideLines:
    """The lines of a rectangle of a map. Raises OptionError when it cuts them into too many."""
    try:
        return lines.cut(top, left, shape)
    except ValueError as error:
        raise OptionError(
            f"The border would cut the drawn lines into too many: {error}; erase some of them first."
        ) from error


def _put_elsewhere(underlay: Underlay, move: Callable[[Placement], Placement], map_shape: tuple[int, int]) -> Underlay:
    try:
        return dataclasses.replace(underlay, placement=move(underlay.placed(map_shape)))
    except ValueError as error:
        raise OptionError(
            "The reference picture would be too large or too far from the map; make it smaller or remove it first."
        ) from error
