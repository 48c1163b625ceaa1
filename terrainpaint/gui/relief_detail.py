"""Fine land in the 3D view: what is near its camera is wanted, and what there is becomes patches."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer

from terrainpaint.core.classes import WATER
from terrainpaint.core.fine_land import FACTORS
from terrainpaint.core.rects import Rect
from terrainpaint.generation.detail_tiles import TILE_PX, TilePlace, places
from terrainpaint.gui.document import Document
from terrainpaint.gui.fine_ground import FineGround
from terrainpaint.gui.live_detail import FROM_ZOOM
from terrainpaint.gui.live_generation import LiveGeneration
from terrainpaint.gui.sea_floor import SeaFloor
from terrainpaint.gui.terrain_pictures import PICTURES
from terrainpaint.gui.view3d.fine_patches import BORDER_PX, FinePatch, layers, needed_rects
from terrainpaint.gui.view3d.widget import TerrainView3D

_DRY_M = 0.5
"""Land is at least so many metres above the surface of the water."""
_BESIDE = np.ones((3, 3), np.uint8)
_REST_MS = 200
"""The camera rests, and tiles come together, for so long before patches are built."""


class ReliefDetail(QObject):
    """Follows the camera of `view` and the tiles of `generation.detail`."""

    def __init__(
        self,
        document: Document,
        generation: LiveGeneration,
        view: TerrainView3D,
        picture: str,
        sea_floor: SeaFloor,
    ) -> None:
        super().__init__(view)
        self._document, self._generation, self._view, self._picture = document, generation, view, picture
        self._detail, self._sea_floor = generation.detail, sea_floor
        self._patches: dict[TilePlace, FinePatch] = {}
        self._near: dict[int, Rect] = {}
        self._level_m = document.view.water_level_m
        self._timer = QTimer(self, singleShot=True, interval=_REST_MS)
        self._timer.timeout.connect(self._build)
        view.camera_changed.connect(self._timer.start)
        self._detail.changed.connect(self._changed)
        generation.replaced.connect(self.forget)

    def show_picture(self, key: str) -> None:
        """Lay another of IN_3D over the patches."""
        self._picture = key
        self.forget()

    def forget(self) -> None:
        """Build all patches again: colours, scale or map changed."""
        self._patches.clear()
        self._view.set_fine(())
        self._timer.start()

    def follow_water(self) -> None:
        """Build patches again when the level of the water is another one."""
        if self._document.view.water_level_m != self._level_m:
            self._timer.start()

    def hide(self) -> None:
        """Want nothing while the view is hidden."""
        for _, factor in FROM_ZOOM:
            self._detail.want((self, factor), Rect(0, 0, 0, 0), None)

    def _changed(self, rect: Rect) -> None:
        # At its border a patch has the land of its neighbours.
        near = rect.grown(BORDER_PX)
        gone = [place for place, patch in self._patches.items() if not patch.around.intersection(near).is_empty]
        for place in gone:
            del self._patches[place]
        shown = any(not near.intersection(area).is_empty for area in self._near.values())
        if gone and any(self._tile_is_gone(place) for place in gone):
            self._show()
        if shown and not self._timer.isActive():
            self._timer.start()

    def _tile_is_gone(self, place: TilePlace) -> bool:
        tiles = self._detail.tiles
        return tiles is None or tiles.get(place) is None

    def _build(self) -> None:
        """Say what is wanted, and build the patches that there are tiles for."""
        live, tiles = self._generation.live, self._detail.tiles
        self._view.set_finest(1 if tiles is None else FACTORS[-1])
        if live is None or tiles is None or not self._view.isVisible():
            self._near = {}
            self._patches.clear()
            self._view.set_fine(())
            return
        if self._document.view.water_level_m != self._level_m:
            self._level_m = self._document.view.water_level_m
            self._patches.clear()
        wanted: set[TilePlace] = set()
        near = {factor: self._view.near_rect(least_zoom, TILE_PX // factor) for least_zoom, factor in FROM_ZOOM}
        self._near = needed_rects(near, live.shape)
        for factor, rect in sorted(self._near.items()):
            self._detail.want((self, factor), rect, factor)
            wanted.update(places(rect, factor))
        for place in list(self._patches):
            if place not in wanted:
                del self._patches[place]
        for place in wanted - self._patches.keys():
            if tiles.get(place) is not None:
                rect = place.rect.clipped(live.shape)
                around = rect.grown(BORDER_PX).clipped(live.shape)
                ground = FineGround(self._document, self._generation, live, tiles, around, place.factor)
                picture = PICTURES[self._picture].paint(ground)
                self._patches[place] = FinePatch(place, rect, around, self._height(ground), picture)
        self._show()

    def _height(self, ground: FineGround) -> NDArray[np.float32]:
        """(h, w) float32 metres of the project, with the floor of the sea where that is shown."""
        height = self._dry(ground)
        depths = self._sea_floor.depths
        if depths is None:
            return height
        floor = ground.enlarged(depths) * np.float32(ground.height_scale)
        return np.where((ground.ids == WATER) & (floor < 0), np.minimum(floor, height), height)

    def _dry(self, ground: FineGround) -> NDArray[np.float32]:
        """(h, w) float32 metres: what is land on the map and not below the level of the water is shown above it."""
        level_m, surface_m = self._document.view.water_level_m, self._view.water_surface_m
        if level_m is None or surface_m is None:
            return ground.height
        return dry_land(ground, self._document.ids, self._generation.heights, level_m, surface_m)

    def _show(self) -> None:
        live = self._generation.live
        self._view.set_fine(() if live is None else layers(self._patches, live.shape))


def dry_land(
    ground: FineGround, ids: NDArray[np.uint8], heights: NDArray[np.float32], level_m: float, surface_m: float
) -> NDArray[np.float32]:
    """(h, w) float32 metres of `ground`, with land at least _DRY_M above `surface_m`, or details would flood it.

    Not where the land of the map, with classes `ids` and `heights` (H, W), lies below `level_m`. Land of details on a
    water cell of the map belongs to the land beside that cell.
    """
    low = (ground.ids != WATER) & (ground.height < surface_m + _DRY_M)
    if not low.any():
        return ground.height
    around = ground.rect.grown(1).clipped(ids.shape)
    inside = ground.rect.moved(-around.row, -around.col).slices
    wet = ids[around.slices] == WATER
    land = np.where(wet, -np.inf, heights[around.slices] * np.float32(ground.height_scale)).astype(np.float32)
    beside = cv2.dilate(land, _BESIDE, borderType=cv2.BORDER_REPLICATE)
    is_dry = (np.where(wet, beside, land) >= level_m)[inside].repeat(ground.factor, 0).repeat(ground.factor, 1)
    return np.where(low & is_dry, np.float32(surface_m + _DRY_M), ground.height)
