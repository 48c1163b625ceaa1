"""What the window and the worker process send each other: values and arrays, never code."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.guide_lines import GuideLine, guide_raster
from terrainpaint.core.height_following import FOLLOWING_PX
from terrainpaint.core.height_guide import HeightGuide
from terrainpaint.core.parent_land import ParentLand
from terrainpaint.core.project import ZoomedFrom
from terrainpaint.core.rects import Rect
from terrainpaint.core.terrain import Recipe, Terrain
from terrainpaint.core.unpainted_rivers import RIVERS_PX
from terrainpaint.generation.detail import Detail, DetailInfo, DetailInfoRequest, DetailRequest
from terrainpaint.generation.dreams import DreamRequest, Dreams, FitRequest, FitState
from terrainpaint.generation.guide_crops import GuideCrop
from terrainpaint.generation.looks import LookInfo
from terrainpaint.generation.tiles import SHADE_MARGIN_PX, independent_area

AUTO_DEVICE = "auto"
"""The first available of CUDA, MPS and the CPU."""


@dataclass(frozen=True, eq=False)
class MapCrop:
    """The rectangle `rect` of a map of `map_shape` (H, W).

    `ids` (h, w) uint8 class ids; `rerolls` (h, w) uint8 how often the noise was re-rolled, None for nowhere; `lines`
    (h, w) uint8 the crests and valleys that were drawn (see `core.guide_lines`), None for none; `guide` the heights
    that the land follows, None for none.
    """

    ids: NDArray[np.uint8]
    rerolls: NDArray[np.uint8] | None
    rect: Rect
    map_shape: tuple[int, int]
    lines: NDArray[np.uint8] | None = None
    guide: GuideCrop | None = None

    @classmethod
    def whole(
        cls,
        ids: NDArray[np.uint8],
        rerolls: NDArray[np.uint8] | None,
        lines: NDArray[np.uint8] | None = None,
        guide: GuideCrop | None = None,
    ) -> MapCrop:
        """All of a map (H, W), without a copy."""
        shape = ids.shape[0], ids.shape[1]
        return cls(ids, rerolls, Rect.of_shape(shape), shape, lines, guide)

    @classmethod
    def near(
        cls,
        ids: NDArray[np.uint8],
        rerolls: NDArray[np.uint8] | None,
        rect: Rect,
        margin_px: int | None,
        lines: Iterable[GuideLine] = (),
        guide: GuideCrop | None = None,
    ) -> MapCrop:
        """A copy of a rectangle of a map (H, W) with a margin; when `margin_px` is None, of its `independent_tiles`.
        `lines` are the ridges and valleys of the whole map."""
        shape = ids.shape[0], ids.shape[1]
        wide = independent_area(shape, rect) if margin_px is None else rect.grown(margin_px).clipped(shape)
        near = None if rerolls is None else rerolls[wide.slices]
        rerolled = near.copy() if near is not None and near.any() else None
        return cls(ids[wide.slices].copy(), rerolled, wide, shape, guide_raster(lines, wide), guide)

    def extended(
        self, rows: tuple[int, int], cols: tuple[int, int]
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None]:
        """Ids and rerolls of half-open ranges, which may extend beyond the map: it is continued with its border pixels.

        Without this margin the generated picture would have a frame. The second value is None when nothing in the
        ranges is re-rolled. Raises ValueError when the crop does not contain a needed pixel.
        """
        (row, above_below), (col, left_right) = self._inside(rows, 0), self._inside(cols, 1)
        beyond = above_below, left_right
        ids = np.pad(self.ids[row, col], beyond, mode="edge")
        if self.rerolls is None:
            return ids, None
        rerolls = np.pad(self.rerolls[row, col], beyond, mode="edge")
        return ids, rerolls if rerolls.any() else None

    def ids_of(self, rect: Rect) -> NDArray[np.uint8]:
        """The ids of a rectangle, as those of `extended`."""
        return self.extended((rect.row, rect.bottom), (rect.col, rect.right))[0]

    def extended_lines(self, rows: tuple[int, int], cols: tuple[int, int]) -> NDArray[np.uint8] | None:
        """The lines of half-open ranges; none beyond the map. None when there are none in the ranges."""
        if self.lines is None:
            return None
        (top, bottom), (left, right) = rows, cols
        found = np.zeros((bottom - top, right - left), np.uint8)
        asked = Rect.spanned(top, left, bottom, right)
        inside = asked.intersection(self.rect)
        if not inside.is_empty:
            own = inside.moved(-self.rect.row, -self.rect.col).slices
            found[inside.moved(-top, -left).slices] = self.lines[own]
        return found if found.any() else None

    def _inside(self, span: tuple[int, int], axis: int) -> tuple[slice, tuple[int, int]]:
        """The part of the crop that a range of the map reads, and by how many pixels it is to be continued."""
        start, length, last = (self.rect.row, self.rect.col)[axis], self.ids.shape[axis], self.map_shape[axis] - 1
        # A range beyond the map reads its border pixel.
        first, stop = min(max(span[0], 0), last), min(max(span[1], 1), last + 1)
        if first < start or stop > start + length:
            raise ValueError(f"the crop {self.rect} does not contain {span} of axis {axis}")
        most = span[1] - span[0] - 1
        before, after = (min(max(pixels, 0), most) for pixels in (first - span[0], span[1] - stop))
        return slice(first - start, stop - start), (before, after)


@dataclass(frozen=True)
class Hardware:
    """What the networks run on: `device` as in `Generator.load`, and threads of the processor, 0 for the usual ones."""

    device: str = AUTO_DEVICE
    threads: int = 0


@dataclass(frozen=True)
class Zoom:
    """A map that was the rectangle `rect` of another one, `factor` times finer, with bends of `seed`: `kept` is its
    land there. `is_own`: recipe or style are others since, so land is generated again."""

    kept: ParentLand
    rect: Rect
    factor: int
    seed: int
    is_own: bool

    @classmethod
    def of(cls, kept: ParentLand, source: ZoomedFrom, style_name: str, look_name: str | None) -> Zoom:
        """That of a document with this style and look."""
        is_own = (kept.frame.style_name, kept.frame.look_name) != (style_name, look_name)
        return cls(kept, source.rect, source.factor, source.seed, is_own)


@dataclass(frozen=True)
class TrueScale:
    """Land at true scale for a map whose pixels are `pixel_size_m` metres, with the file `fine` of fine land; with
    `zoom`, that of the map that it was zoomed out of."""

    pixel_size_m: float
    fine: Path
    zoom: Zoom | None = None


@dataclass(frozen=True)
class LoadRequest:
    """Load a weights file and a look, and use them with a device and threads for the requests that follow."""

    path: Path
    hardware: Hardware = Hardware()
    look: Path | None = None
    scale: TrueScale | None = None


@dataclass(frozen=True)
class ScaleInfo:
    """Land at true scale that is in use: its map has pixels `factor` times smaller than those of the weights.

    A pixel depends on the painted map within `margin` cells of its own, and on the reduced one `reach` cells further.
    `detail_sha256` is the hex digest of the file of fine land. `is_zoomed`: the land is that of another map, finer.
    """

    factor: int
    margin: int
    reach: int
    detail_sha256: str
    is_zoomed: bool = False

    @property
    def reach_px(self) -> int:
        """Largest distance in painted pixels at which a changed pixel of the map changes the terrain."""
        return self.factor * (self.margin + self.reach + 1)

    @property
    def painted_px(self) -> int:
        """The same when no cell of the reduced map changes."""
        return self.factor * (self.margin + 1)


@dataclass(frozen=True)
class WeightsInfo:
    """The weights in use.

    `style` one line; `sha256` hex digest of the file; `reach_px` largest distance at which a changed pixel of the map
    changes the terrain, None for everywhere, as with networks that are not local; `style_names` meanings of the numbers
    of a style; `pixel_size_m` ground size of the pixels of the training; `devices` the names of all devices of this
    computer; `look` the look in use, whose reach `reach_px` includes; `scale` the true scale in use, None for land with
    the pixels of the weights; `follows_lines` whether the land follows ridges and valleys that are drawn.
    """

    path: Path
    style: str
    sha256: str
    reach_px: int | None
    style_names: tuple[str, ...]
    pixel_size_m: float
    licence: str
    credits: str
    devices: tuple[str, ...] = ("cpu",)
    look: LookInfo | None = None
    scale: ScaleInfo | None = None
    follows_lines: bool = False

    @property
    def land_pixel_size_m(self) -> float:
        """Ground size of the pixels that heights are made for."""
        return self.pixel_size_m / (1 if self.scale is None else self.scale.factor)

    def reach_with(self, guide: HeightGuide | None, recipe: Recipe) -> int | None:
        """`reach_px` with what a guide and a recipe add to it; that of a true scale has both already."""
        if self.reach_px is None or self.scale is not None:
            return self.reach_px
        return self.reach_px + FOLLOWING_PX * (guide is not None) + RIVERS_PX * recipe.painted_rivers_only


@dataclass(frozen=True)
class StyleRequest:
    """Ask for the style of a recipe."""

    recipe: Recipe


@dataclass(frozen=True)
class Style:
    """`numbers` (S,) in standard deviations of real land."""

    numbers: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class MakeRequest:
    """Generate a rectangle of the terrain: as a preview, or exactly as it is saved. `crop` is what it depends on.

    `cells` are the cells of the reduced map that it depends on, for land at true scale; None for land with the pixels
    of the weights.
    """

    crop: MapCrop
    rect: Rect
    recipe: Recipe
    exact: bool
    cells: MapCrop | None = None

    @classmethod
    def of(
        cls,
        ids: NDArray[np.uint8],
        rerolls: NDArray[np.uint8] | None,
        rect: Rect,
        recipe: Recipe,
        exact: bool,
        reach_px: int | None,
        cells: MapCrop | None = None,
        lines: Iterable[GuideLine] = (),
        guide: GuideCrop | None = None,
    ) -> MakeRequest:
        """From a map (H, W) of class ids and rerolls, and its ridges and valleys. Copies the part that is needed, of
        the cells nothing."""
        margin_px = None if reach_px is None else reach_px + SHADE_MARGIN_PX
        return cls(MapCrop.near(ids, rerolls, rect, margin_px, lines, guide), rect, recipe, exact, cells)


@dataclass(frozen=True, eq=False)
class TerrainPatch:
    """A rectangle of the terrain.

    `albedo` and `shaded` (h, w, 3) uint8 sRGB, without and with shading; `height` (h, w) float32 metres; `exact`
    whether it was computed in float32, as what is saved.
    """

    rect: Rect
    albedo: NDArray[np.uint8]
    height: NDArray[np.float32]
    shaded: NDArray[np.uint8]
    exact: bool


@dataclass(frozen=True, eq=False)
class ShadeRequest:
    """Shade a terrain whose heights were changed after it was generated. It has the pixel size of the weights."""

    terrain: Terrain


@dataclass(frozen=True, eq=False)
class Shaded:
    """`picture` (H, W, 3) uint8 sRGB."""

    picture: NDArray[np.uint8]


@dataclass(frozen=True)
class Failure:
    """A request failed: the name of the TerrainPaintError class and its message."""

    kind: str
    sentence: str


Request = (
    LoadRequest
    | StyleRequest
    | MakeRequest
    | ShadeRequest
    | DreamRequest
    | FitRequest
    | DetailInfoRequest
    | DetailRequest
)
Reply = WeightsInfo | Style | TerrainPatch | Shaded | Dreams | FitState | DetailInfo | Detail | Failure
