"""A document: layers, what the terrain is made with, and how it is looked at."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import CLASS_COUNT, WATER
from terrainpaint.core.rects import Rect
from terrainpaint.core.segmentation import MIN_SIDE_PX
from terrainpaint.core.terrain import Recipe

EMPTY = 255
"""Value of a cell of a layer where nothing is painted."""
REROLLS = 0
"""In place of the key of a layer: the counts of `Project.rerolls`."""
NATIVE_PIXEL_SIZE_M = 2000.0
"""Ground size of a pixel in the data that the shipped weights were trained on: that of a new document."""
MAX_PROJECT_SIDE_PX = 16_384
"""The largest side of a document; maps up to 65,536 px can be generated from the command line."""


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer of a painted map.

    `key` tells it from every other layer of the project, for good; `cells` (H, W) uint8 holds class ids 0..6 or EMPTY
    and is painted in place; a locked layer is not painted; an invisible one takes no part in the map.
    """

    key: int
    name: str
    cells: NDArray[np.uint8]
    visible: bool = True
    locked: bool = False


def empty_cells(shape: tuple[int, int]) -> NDArray[np.uint8]:
    """(H, W) uint8, nothing painted."""
    return np.full(shape, EMPTY, np.uint8)


def flattened(layers: Sequence[Layer], base_class: int, rect: Rect) -> NDArray[np.uint8]:
    """(h, w) uint8 class ids of a rectangle of the map: the highest visible cell that is painted, else the base class.

    `layers` are in order from the lowest to the highest.
    """
    ids = np.full((rect.height, rect.width), base_class, np.uint8)
    for layer in layers:
        if layer.visible:
            cells = layer.cells[rect.slices]
            np.copyto(ids, cells, where=cells != EMPTY)
    return ids


@dataclass(frozen=True)
class Settings:
    """What the terrain is made with besides the layers.

    `base_class` is the class where nothing is painted; `pixel_size_m` the ground size of a pixel in metres; `relief`
    multiplies the heights, 1 keeps the slopes that the weights learned; `style_name` names the weights.
    """

    pixel_size_m: float
    style_name: str
    base_class: int = WATER
    relief: float = 1.0
    recipe: Recipe = dataclasses.field(default_factory=Recipe)

    def __post_init__(self) -> None:
        if self.base_class not in range(CLASS_COUNT):
            raise ValueError(f"base_class must be 0..{CLASS_COUNT - 1}, not {self.base_class}")
        if not 0.01 <= self.pixel_size_m <= 1e6:
            raise ValueError(f"pixel_size_m must be 0.01..1,000,000, not {self.pixel_size_m}")
        if not 0.01 <= self.relief <= 1000:
            raise ValueError(f"relief must be 0.01..1000, not {self.relief}")


@dataclass(frozen=True)
class ViewSettings:
    """How the terrain is looked at: saved with the project, not part of undo. Angles in degrees, azimuth from north."""

    sun_azimuth_deg: float = 315.0
    sun_elevation_deg: float = 45.0
    exaggeration: float = 20.0
    water_level_m: float | None = 0.0


@dataclass(frozen=True, eq=False)
class Underlay:
    """A reference picture (h, w, 3) uint8 sRGB, stretched over the map; `opacity` 0..1."""

    picture: NDArray[np.uint8]
    opacity: float = 0.5
    visible: bool = True


@dataclass(frozen=True, eq=False)
class Project:
    """A document. Its arrays are painted in place, all else is replaced as a whole.

    `layers` are in order from the lowest to the highest, all of one size; `active` is the key of the one that is
    painted; `rerolls` (H, W) uint8 counts how often the noise of a pixel was drawn anew.
    Raises ValueError when layers, active and rerolls do not fit together.
    """

    layers: tuple[Layer, ...]
    active: int
    settings: Settings
    rerolls: NDArray[np.uint8]
    underlay: Underlay | None = None

    def __post_init__(self) -> None:
        if min(self.shape) < MIN_SIDE_PX or max(self.shape) > MAX_PROJECT_SIDE_PX:
            raise ValueError(f"sides must be {MIN_SIDE_PX}..{MAX_PROJECT_SIDE_PX} px, not {self.shape}")
        if any(each.cells.shape != self.shape or each.cells.dtype != np.uint8 for each in self.layers):
            raise ValueError("layers must be uint8 and of one size")
        keys = [each.key for each in self.layers]
        if len(set(keys)) != len(keys) or self.active not in keys:
            raise ValueError(f"there is no active layer {self.active} among {keys}")

    @classmethod
    def empty(cls, shape: tuple[int, int], settings: Settings) -> Project:
        """One layer with nothing painted."""
        return cls((Layer(1, "Layer 1", empty_cells(shape)),), 1, settings, np.zeros(shape, np.uint8))

    @classmethod
    def painted(cls, ids: NDArray[np.uint8], settings: Settings) -> Project:
        """One layer with the class ids (H, W) uint8 of a map, which it takes over."""
        return cls((Layer(1, "Layer 1", ids),), 1, settings, np.zeros(ids.shape, np.uint8))

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) in pixels."""
        return self.rerolls.shape[0], self.rerolls.shape[1]

    def layer(self, key: int) -> Layer:
        """The layer of a key. Raises KeyError."""
        for each in self.layers:
            if each.key == key:
                return each
        raise KeyError(key)

    def cells(self, key: int) -> NDArray[np.uint8]:
        """(H, W) uint8 of a layer, or of the counts for REROLLS. Raises KeyError."""
        return self.rerolls if key == REROLLS else self.layer(key).cells

    def resized(self, shape: tuple[int, int]) -> Project:
        """The same map with other pixels (nearest neighbour) on the same ground."""
        size = shape[1], shape[0]

        def scaled(cells: NDArray[np.uint8]) -> NDArray[np.uint8]:
            return np.asarray(cv2.resize(cells, size, interpolation=cv2.INTER_NEAREST_EXACT), np.uint8)

        layers = tuple(dataclasses.replace(each, cells=scaled(each.cells)) for each in self.layers)
        pixel_size_m = self.settings.pixel_size_m * self.shape[1] / shape[1]
        settings = dataclasses.replace(self.settings, pixel_size_m=pixel_size_m)
        return dataclasses.replace(self, layers=layers, settings=settings, rerolls=scaled(self.rerolls))

    def cropped(self, top: int, left: int, shape: tuple[int, int]) -> Project:
        """Another rectangle of the same ground, which may go beyond the map: there nothing is painted."""

        def cut(cells: NDArray[np.uint8], outside: int) -> NDArray[np.uint8]:
            new = np.full(shape, outside, np.uint8)
            rows, cols = (
                slice(max(0, start), min(old, start + size))
                for start, old, size in zip((top, left), cells.shape, shape, strict=True)
            )
            if rows.start < rows.stop and cols.start < cols.stop:
                new[rows.start - top : rows.stop - top, cols.start - left : cols.stop - left] = cells[rows, cols]
            return new

        layers = tuple(dataclasses.replace(each, cells=cut(each.cells, EMPTY)) for each in self.layers)
        return dataclasses.replace(self, layers=layers, rerolls=cut(self.rerolls, 0))
