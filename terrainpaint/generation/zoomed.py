"""Maps that were zoomed out of another one → that map's land, made finer, and changed where they were painted since."""

from __future__ import annotations

import dataclasses
from typing import Self

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.fine_land import CoarseWindow
from terrainpaint.core.rects import Rect
from terrainpaint.core.resampling import majority_classes
from terrainpaint.core.terrain import Recipe
from terrainpaint.core.zooming import share_of_paint, zoomed_crop
from terrainpaint.generation.coarse_blocks import CoarseBlocks
from terrainpaint.generation.generator import Generator
from terrainpaint.generation.map_generator import Land
from terrainpaint.generation.messages import MapCrop, Zoom
from terrainpaint.generation.painted_cells import cells_of
from terrainpaint.generation.refiner import Refiner
from terrainpaint.generation.scaled import ScaledGenerator

_WHOLLY, _NOT = 2, 4
"""Cells from what was painted up to where land is wholly that of the painted classes, and from where not at all."""


class ZoomedGenerator(ScaledGenerator):
    """A generator for a map that was a part of another one.

    Where nothing was painted since, the terrain is the fine land of the other map, the same as its live detail. Cells
    whose class changed change the coarse land by as much as they change the land that the network makes of the other
    map, so nothing changes out of its reach. Within some cells of what was painted, fine land follows the painted
    classes. With another recipe or style the land is generated again, in the surroundings of the other map. Raises
    ValueError when too little of the other map is kept, and as `ScaledGenerator`.
    """

    def __init__(self, generator: Generator, refiner: Refiner, zoom: Zoom) -> None:
        super().__init__(generator, refiner, zoom.factor)
        kept, rect, is_own, factor, seed = zoom.kept, zoom.rect, zoom.is_own, zoom.factor, zoom.seed
        self._kept, self._rect, self._is_own = kept, rect, is_own
        self._about = dataclasses.replace(self._about, is_zoomed=True)
        frame = kept.frame
        self._fine_rect = rect.grown(self._margin)
        for is_kept, margin in ((frame.land, self._margin), (frame.rect, self._margin + self._about.reach)):
            needed = rect.grown(margin).clipped(frame.map_shape)
            if is_kept.intersection(needed) != needed:
                raise ValueError("too little of the land around the map is kept")
        self._fine_ids = zoomed_crop(kept.ids, frame.rect, self._fine_rect, factor, seed)
        margin, size = factor * self._margin, factor
        own = self._fine_ids[margin:-margin, margin:-margin]
        self._zoomed, self._zoomed_cells = own, majority_classes(own, size)
        self._before = CoarseBlocks(generator.land, self._about.reach, self._margin)

    def using(self, generator: Generator) -> Self:
        other = super().using(generator)
        other._before = CoarseBlocks(generator.land, self._about.reach, self._margin)
        return other

    def _land(self, crop: MapCrop, cells: MapCrop, rect: Rect, recipe: Recipe) -> Land:
        factor, origin = self._factor, self._rect
        inner = cells_of(rect, factor).moved(origin.row, origin.col)
        wide = inner.grown(self._margin)
        now, before = self._maps(cells, wide)
        albedo, height = self._coarse(now, before, wide, recipe)
        ids, _ = before.extended((wide.row, wide.bottom), (wide.col, wide.right))
        window = CoarseWindow(height, albedo, ids, wide.row, wide.col, self._kept.frame.cell_m)
        tile = self._refiner.refine(window, factor, recipe.seed)
        share = self._painted_share(crop, rect)
        whole = Rect(factor * inner.row, factor * inner.col, factor * inner.height, factor * inner.width)
        inside = rect.moved(factor * origin.row - whole.row, factor * origin.col - whole.col).slices
        albedo, height = tile.albedo[inside], tile.height[inside]
        if share is None:
            return np.ascontiguousarray(albedo), np.ascontiguousarray(height)
        ids, _ = now.extended((wide.row, wide.bottom), (wide.col, wide.right))
        window = CoarseWindow(window.height, window.albedo, ids, wide.row, wide.col, window.cell_m)
        own_albedo, own_height = self._of_painted(window, whole, recipe, lambda asked: self._classes(crop, asked))
        height = height + share * (own_height[inside] - height)
        blended = albedo + share[:, :, None] * (own_albedo[inside] - albedo.astype(np.float32))
        return np.asarray(np.rint(blended), np.uint8), np.ascontiguousarray(height, np.float32)

    def _maps(self, cells: MapCrop, wide: Rect) -> tuple[MapCrop, MapCrop]:
        """The other map with the cells that were painted since, and without them: what land in `wide` depends on."""
        frame, kept = self._kept.frame, self._kept
        before = MapCrop(kept.ids, kept.rerolls, frame.rect, frame.map_shape)
        changed = cells.ids != self._zoomed_cells[cells.rect.slices]
        if not changed.any() and cells.rerolls is None and cells.lines is None:
            return before, before
        place = cells.rect.moved(self._rect.row - frame.rect.row, self._rect.col - frame.rect.col).slices
        ids = kept.ids.copy()
        np.copyto(ids[place], cells.ids, where=changed)
        rerolls = kept.rerolls
        if cells.rerolls is not None:
            rerolls = np.zeros_like(ids) if rerolls is None else rerolls.copy()
            rerolls[place] += cells.rerolls
        lines = None
        if cells.lines is not None:
            lines = np.zeros_like(ids)
            lines[place] = cells.lines
        return MapCrop(ids, rerolls, frame.rect, frame.map_shape, lines), before

    def _coarse(self, now: MapCrop, before: MapCrop, wide: Rect, recipe: Recipe) -> Land:
        """Coarse land in the rectangle `wide` of the other map."""
        frame = self._kept.frame
        # How borders are followed is in the maps already.
        if self._is_own or dataclasses.replace(recipe, follow=frame.recipe.follow) != frame.recipe:
            return self._blocks.land(now, wide, recipe)
        inside = wide.clipped(frame.map_shape).moved(-frame.land.row, -frame.land.col).slices
        beyond = [
            (max(0, -start), max(0, stop - side))
            for start, stop, side in zip((wide.row, wide.col), (wide.bottom, wide.right), frame.map_shape, strict=True)
        ]
        height = np.pad(self._kept.height[inside], beyond, mode="edge")
        albedo = np.pad(self._kept.albedo[inside], [*beyond, (0, 0)], mode="edge")
        if now is before:
            return albedo, height
        new, old = self._blocks.land(now, wide, recipe), self._before.land(before, wide, recipe)
        changed = np.clip(albedo.astype(np.int16) + new[0] - old[0].astype(np.int16), 0, 255).astype(np.uint8)
        return changed, height + (new[1] - old[1])

    def _painted_share(self, crop: MapCrop, rect: Rect) -> NDArray[np.float32] | None:
        """(h, w) float32: how much the land of a rectangle follows the painted classes, 0..1; None for nowhere."""
        factor = self._factor
        near = rect.grown(_NOT * factor).clipped(crop.map_shape)
        now = crop.ids[near.moved(-crop.rect.row, -crop.rect.col).slices]
        changed = now != self._zoomed[near.slices]
        if not changed.any():
            return None
        share = share_of_paint(changed, _WHOLLY * factor, _NOT * factor)
        return share[rect.moved(-near.row, -near.col).slices]

    def _classes(self, crop: MapCrop, asked: Rect) -> NDArray[np.uint8]:
        """(h, w): the classes of a rectangle of the other map in fine pixels, with what was painted on this one."""
        origin, factor = self._fine_rect, self._factor
        found = self._fine_ids[asked.moved(-factor * origin.row, -factor * origin.col).slices].copy()
        first = factor * self._rect.row, factor * self._rect.col
        own = crop.rect.moved(*first).intersection(asked)
        if not own.is_empty:
            of_crop = own.moved(-first[0] - crop.rect.row, -first[1] - crop.rect.col).slices
            found[own.moved(-asked.row, -asked.col).slices] = crop.ids[of_crop]
        return found
