"""Copies of the live terrain, in metres of the project, for files, pictures and the maps that are zoomed out of it."""

from __future__ import annotations

import dataclasses
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from terrainpaint import __version__
from terrainpaint.core.height_guide import HeightGuide
from terrainpaint.core.parent_land import LAND_MARGIN, ParentLand, kept_land
from terrainpaint.core.progress import Cancel
from terrainpaint.core.rects import Rect
from terrainpaint.core.terrain import Provenance, Terrain
from terrainpaint.generation.live import LiveTerrain
from terrainpaint.generation.process import TerrainProcess, WeightsInfo
from terrainpaint.gui.document import Document
from terrainpaint.gui.live_detail import LiveDetail
from terrainpaint.gui.worker_calls import WorkerCalls
from terrainpaint.gui.worker_refiner import WorkerRefiner


class Original(Protocol):
    """What is copied: the parts of a `LiveGeneration` that have the terrain."""

    @property
    def live(self) -> LiveTerrain | None: ...
    @property
    def info(self) -> WeightsInfo | None: ...
    @property
    def classes(self) -> NDArray[np.uint8]: ...
    @property
    def heights(self) -> NDArray[np.float32]: ...
    @property
    def height_scale(self) -> float: ...
    def require_live(self) -> LiveTerrain: ...
    def require_info(self) -> WeightsInfo: ...


class TerrainCopies:
    """Copies the terrain as it is now, and has the worker process finish what was copied."""

    def __init__(
        self,
        original: Original,
        document: Document,
        process: TerrainProcess,
        calls: WorkerCalls,
        detail: LiveDetail,
    ) -> None:
        self._original, self._document, self._detail = original, document, detail
        self._process, self._calls = process, calls

    def terrain(self) -> Terrain:
        """The generated heights, without flowing water. Raises RuntimeError when there is none."""
        terrain = self.sharing_albedo()
        return dataclasses.replace(terrain, albedo=terrain.albedo.copy())

    def sharing_albedo(self) -> Terrain:
        """The same with the albedo of the live terrain, which changes."""
        original, project = self._original, self._document.project
        live, info, height_scale = original.require_live(), original.require_info(), original.height_scale
        recipe, guide = project.settings.recipe, project.height_guide
        look, look_sha256 = ("", "") if info.look is None else (info.look.target, info.look.sha256)
        provenance = Provenance(
            info.sha256, info.style, recipe, __version__, height_scale, bool(project.rerolls.any()),
            has_lines=info.follows_lines and bool(project.lines.guiding), look=look, look_sha256=look_sha256,
            painted_finer=1 if info.scale is None else info.scale.factor,
            detail_sha256="" if info.scale is None else info.scale.detail_sha256,
            has_height_guide=guide is not None and not guide.is_free and recipe.guide_strength > 0,
        )  # fmt: skip
        return Terrain(live.albedo, live.height * np.float32(height_scale), project.settings.pixel_size_m, provenance)

    def shown_terrain(self) -> Terrain:
        """The terrain with the heights that the views show, for pictures. Raises RuntimeError when there is none."""
        terrain, heights = self.terrain(), self._original.heights
        if heights is self._original.require_live().height:
            return terrain
        flowing = self._document.project.flowing_water
        provenance = dataclasses.replace(
            terrain.provenance,
            has_level_water=flowing.carve_rivers,
            has_carved_rivers=flowing.carve_rivers,
            has_breached_depressions=flowing.breach,
        )
        height = heights * np.float32(terrain.provenance.height_scale)
        return dataclasses.replace(terrain, height=height, provenance=provenance)

    def shaded(self) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 sRGB: the shaded terrain. Raises RuntimeError when there is none."""
        return self._original.require_live().shaded.copy()

    def shade(self, terrain: Terrain, cancel: Cancel) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 sRGB: the albedo of a terrain, in metres of the project, with the learned shading.

        Blocks until the worker answers, so never call it in the interface thread. Raises WorkerError, Cancelled, or
        RuntimeError without weights.
        """
        info = self._original.require_info()
        height = terrain.height / np.float32(terrain.provenance.height_scale)
        size_m = info.land_pixel_size_m / terrain.provenance.detail
        native = dataclasses.replace(terrain, height=height, pixel_size_m=size_m)
        return self._calls.result(lambda: self._process.shade(native), cancel)

    def refiner(self, cancel: Cancel) -> WorkerRefiner | None:
        """What makes the land of an export finer, None without its networks."""
        path = self._detail.path
        return None if path is None else WorkerRefiner(self._process, self._calls, path, cancel)

    @property
    def has_parent_land(self) -> bool:
        """Whether a map that is zoomed out of this one can have its land: not at a true scale, whose cells are not
        those of the weights, and not with a network that is not local."""
        info = self._original.info
        return info is None or (info.scale is None and info.reach_px is not None)

    def parent_land(self, rect: Rect) -> ParentLand | None:
        """What a map that is zoomed out of a rectangle needs of the terrain.

        None while it is not exact, and without `has_parent_land`.
        """
        original, project = self._original, self._document.project
        if original.live is None or original.info is None or not self.has_parent_land:
            return None
        if not original.live.is_exact(rect.grown(LAND_MARGIN).clipped(self._document.shape)):
            return None
        settings = project.settings
        # Of the classes that are kept, land follows the borders exactly.
        recipe = dataclasses.replace(settings.recipe, follow=1.0)
        return kept_land(
            rect, original.classes, project.rerolls, original.heights, original.live.albedo,
            original.info.pixel_size_m, (recipe, settings.style_name, settings.look_name),
        )  # fmt: skip

    def land_in_cells(self) -> NDArray[np.float32] | None:
        """(h, w) float32: the mean heights in the cells of a height guide, in metres of the project with a relief of 1;
        None before there is a terrain."""
        live, info = self._original.live, self._original.info
        if live is None or info is None or not bool(live.known(Rect.of_shape(live.shape)).all()):
            return None
        metres = np.float32(self._document.settings.pixel_size_m / info.land_pixel_size_m)
        return HeightGuide.of(live.height, live.shape, 1.0).heights * metres
