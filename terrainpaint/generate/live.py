"""The terrain that follows a map that is being painted: what is known of it, and what is made next."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.rects import Rect
from terrainpaint.generate.messages import SHADE_MARGIN_PX, TerrainPatch
from terrainpaint.generate.schedule import CELL_PX, HALO_PX, Job, Schedule
from terrainpaint.generate.separate_schedule import SeparateSchedule

__all__ = ["CELL_PX", "HALO_PX", "Job", "LiveTerrain"]


class LiveTerrain:
    """Texture and heights of a map of `shape` (H, W), made piece by piece and made again where the map changes.

    `albedo` and `shaded` (H, W, 3) uint8 sRGB, `height` (H, W) float32 metres, row 0 = north; 0 where nothing was made
    yet (see `known`). They are written in place by `accept` alone. For one thread; it never waits.

    `reach_px` is that of the weights. When it is None, the terrain is made whole after each edit, without previews.
    """

    def __init__(self, shape: tuple[int, int], reach_px: int | None) -> None:
        self.shape = shape
        # Zeros take memory where they are written first, so a large map costs what was made of it.
        self.albedo = np.zeros((*shape, 3), np.uint8)
        self.height = np.zeros(shape, np.float32)
        self.shaded = np.zeros((*shape, 3), np.uint8)
        self._schedule = SeparateSchedule(shape) if reach_px is None else Schedule(shape, reach_px + SHADE_MARGIN_PX)

    def invalidate(self, rect: Rect) -> None:
        """Ids or rerolls of the map changed in `rect`: everything within reach of it is out of date."""
        self._schedule.invalidate(rect)

    def invalidate_all(self) -> None:
        """The recipe or the weights changed, or all of the map."""
        self._schedule.invalidate_all()

    def next_job(self, focus: Rect, recent: Rect | None) -> Job | None:
        """What to make now, None when everything is exact. Ask again after each `accept`: an edit changes the order.

        `focus` is what is seen, `recent` the latest part of the latest edit. First come previews of what is seen: of a
        small square around `recent`, of all that was painted, of all that changed with it; then what is seen exactly;
        then the rest of the map, exactly.
        """
        return self._schedule.next_job(focus, recent)

    def accept(self, job: Job, patch: TerrainPatch) -> Rect:
        """Take over what was made for a job, and return where the terrain changed.

        Where the map was edited since the job was given out, the patch is shown, but counts as out of date.
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
        """Whether a rectangle, by default everything, is what a generation of the whole map would make."""
        return self._schedule.is_exact(Rect.of_shape(self.shape) if rect is None else rect)

    def share_done(self) -> float:
        """How much of the map is exact, 0..1."""
        return self._schedule.share_done()

    def known(self, rect: Rect, step: int = 1) -> NDArray[np.bool_]:
        """(ceil(h / step), ceil(w / step)) bool: which of every `step`-th pixel of a rectangle were ever made."""
        return self._schedule.known(rect, step)
