"""The terrain of a map that is being painted: its arrays, and what is generated next."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.main_memory import free_memory
from terrainpaint.core.rects import Rect
from terrainpaint.generation.draft import Draft, draft_factor
from terrainpaint.generation.messages import ScaleInfo, TerrainPatch
from terrainpaint.generation.schedule import CELL_PX, HALO_PX, Job, Schedule, TileSchedule
from terrainpaint.generation.tiles import SHADE_MARGIN_PX

__all__ = ["CELL_PX", "HALO_PX", "Draft", "Job", "LiveTerrain"]

_FRACTION_OF_MEMORY = 0.5
"""A terrain that takes more of the free memory than this has no drafts."""


class LiveTerrain:
    """Texture and heights of a map of `shape` (H, W), generated piece by piece, and again where the map changes.

    `albedo` and `shaded` (H, W, 3) uint8 sRGB, `height` (H, W) float32 metres, row 0 = north; 0 where nothing has been
    generated yet (see `known`). Only `accept` writes to them, in place. For one thread; no call waits.

    `reach_px` is that of the weights. When it is None, an edit makes the whole terrain out of date, and there are no
    previews. `scale` is the true scale of the map: its draft is the land of the reduced map.
    """

    def __init__(self, shape: tuple[int, int], reach_px: int | None, scale: ScaleInfo | None = None) -> None:
        self.shape, self._scale = shape, scale
        # The system allocates zeros when they are first written, so a large map takes memory as it is generated.
        self.albedo = np.zeros((*shape, 3), np.uint8)
        self.height = np.zeros(shape, np.float32)
        self.shaded = np.zeros((*shape, 3), np.uint8)
        # A network that is not local has no drafts: of a reduced map it computes another picture.
        self._drafted = None if reach_px is None else Schedule(shape, reach_px + SHADE_MARGIN_PX)
        self._schedule: Schedule | TileSchedule = self._drafted or TileSchedule(shape)
        self._draft_factor = self._factor()

    def invalidate(self, rect: Rect, cells_changed: bool = True) -> None:
        """Ids or rerolls of the map changed in `rect`, so everything within reach of it is out of date: less of it at a
        true scale, when no cell of the reduced map changed."""
        scale = None if cells_changed else self._scale
        self._schedule.invalidate(rect, None if scale is None else scale.painted_px + SHADE_MARGIN_PX)

    def invalidate_guide(self, rect: Rect, reach_px: int) -> None:
        """The height guide changed in `rect`, which reaches so far."""
        self._schedule.invalidate(rect, reach_px + SHADE_MARGIN_PX)

    def invalidate_all(self) -> None:
        """The recipe or the weights changed, or all of the map."""
        self._schedule.invalidate_all()
        self._draft_factor = self._factor()

    def use_reach(self, reach_px: int | None) -> None:
        """The reach of the same weights with another look: everything is out of date, and stays shown until it is
        generated again."""
        self.set_reach(reach_px)
        self.invalidate_all()

    def set_reach(self, reach_px: int | None) -> None:
        """The reach of edits from now on."""
        if self._drafted is not None and reach_px is not None:
            self._drafted.reach_px = reach_px + SHADE_MARGIN_PX

    def next_job(self, focus: Rect, recent: Rect | None) -> Job | None:
        """The job to do now, None when everything is exact. Call it after each `accept`: edits change the order.

        `focus` is the visible rectangle, `recent` the latest part of the latest edit. The order: previews of the
        visible part (a small square around `recent`, all that was painted, all that changed with it); the visible part
        exactly; the rest of the map exactly.
        """
        return self._schedule.next_job(focus, recent)

    def take_draft(self) -> int | None:
        """The factor of the draft to generate before the next job, None when there is no need of one.

        A map that is larger than one preview gets one draft when it is new, and one each time when all of it becomes
        out of date.
        """
        factor, self._draft_factor = self._draft_factor, None
        return factor

    def show_draft(self, draft: Draft, rect: Rect) -> Rect:
        """Copy a rectangle of a draft into the arrays where the terrain is out of date, and return the rectangle. It
        stays out of date. `rect` consists of whole cells, except at the border of the map."""
        wanted = self._drafted.show_draft(rect) if self._drafted is not None else np.zeros((0, 0), np.bool_)
        if wanted.any():
            albedo, height, shaded = draft.enlarged(rect)
            np.copyto(self.albedo[rect.slices], albedo, where=wanted[:, :, None])
            np.copyto(self.height[rect.slices], height, where=wanted)
            np.copyto(self.shaded[rect.slices], shaded, where=wanted[:, :, None])
        return rect

    def accept(self, job: Job, patch: TerrainPatch) -> Rect:
        """Copy the result of a job into the arrays, and return where the terrain changed.

        Where the map was edited after the job was created, the patch is shown but counts as out of date.
        Raises ValueError when the patch belongs to another job.
        """
        if patch.rect != job.rect:
            raise ValueError(f"the patch {patch.rect} is not of the job {job.rect}")
        better = self._schedule.accept(job, patch.exact)
        at = job.rect.slices
        np.copyto(self.albedo[at], patch.albedo, where=better[:, :, None])
        np.copyto(self.height[at], patch.height, where=better)
        np.copyto(self.shaded[at], patch.shaded, where=better[:, :, None])
        return job.rect

    def is_exact(self, rect: Rect | None = None) -> bool:
        """Whether a rectangle, by default everything, equals a generation of the whole map."""
        return self._schedule.is_exact(Rect.of_shape(self.shape) if rect is None else rect)

    def fraction_done(self) -> float:
        """Fraction of the map that is exact, 0..1."""
        return self._schedule.fraction_done()

    def known(self, rect: Rect, step: int = 1) -> NDArray[np.bool_]:
        """(ceil(h / step), ceil(w / step)) bool: which of every `step`-th pixel of a rectangle were ever generated."""
        return self._schedule.known(rect, step)

    def _factor(self) -> int | None:
        if self._drafted is None:
            return None
        # A draft writes all of the arrays at once, which would take the memory from other programs in one moment.
        needed = self.albedo.nbytes + self.height.nbytes + self.shaded.nbytes
        factor = None if needed > free_memory() * _FRACTION_OF_MEMORY else draft_factor(self.shape)
        return factor if factor is None or self._scale is None else self._scale.factor
