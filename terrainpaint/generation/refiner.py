"""Coarse terrain and the networks of fine land → the same land four or sixteen times finer."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from terrainpaint.core.classes import CLASS_COUNT
from terrainpaint.core.fine_land import (
    CLASS_MARGIN,
    FACTORS,
    STEP,
    CoarseWindow,
    FineTile,
    displacement,
    flat_classes,
    warped,
)
from terrainpaint.core.fine_shores import SHORE_MARGIN, with_painted_water, with_water, with_water_colours
from terrainpaint.core.rects import Rect
from terrainpaint.generation.generator import computing
from terrainpaint.models.devices import pick_device
from terrainpaint.models.encoding import heights_to_array
from terrainpaint.models.fine_land import FineLandStep
from terrainpaint.models.fine_land_weights import FineLand, load_fine_land

_MOST_AT_ONCE = 4
"""Windows, for their memory."""
PaintedClasses = Callable[[Rect, int], NDArray[np.uint8]]
"""(h, w) uint8: the classes, of a map that was painted, in a rectangle of pixels so many times finer than the cells."""


@dataclass(frozen=True)
class _Land:
    """Land at one scale: `height` (h, w) float32 metres, `albedo` (h, w, 3) float32 0..1, `ids` (h, w) uint8; `row` and
    `col` are the place of its first pixel."""

    height: NDArray[np.float32]
    albedo: NDArray[np.float32]
    ids: NDArray[np.uint8]
    row: int
    col: int

    def cut(self, margin: int) -> _Land:
        """Without so many pixels on each side."""
        inside = slice(margin, -margin or None), slice(margin, -margin or None)
        return _Land(self.height[inside], self.albedo[inside], self.ids[inside], self.row + margin, self.col + margin)


class Refiner:
    """The networks of fine land on a device. Numpy in, numpy out. For one thread at a time.

    The result depends on the place, the seed and the cells within `margin` only, so windows equal the whole. Water
    keeps the heights of the coarse water: `core.fine_shores` says what happens at shores. Where no water is near, the
    area means of heights and albedo are those of the cells.
    """

    @classmethod
    def load(cls, path: Path, device: str = "auto") -> Refiner:
        """Load a file of fine land onto a device, as `Generator.load`. Raises WeightsError, DeviceError."""
        torch_device = pick_device(device)
        return cls(load_fine_land(path, torch_device), torch_device)

    def __init__(self, fine: FineLand, device: torch.device) -> None:
        self._fine, self._device = fine, device

    @property
    def sha256(self) -> str:
        """Hex digest of the weights file."""
        return self._fine.sha256

    @property
    def fine(self) -> FineLand:
        """The networks."""
        return self._fine

    def steps(self, factor: int, cell_m: float) -> tuple[FineLandStep, ...]:
        """The steps that make cells of `cell_m` metres `factor` times finer: each is the one whose own cells are
        nearest in size, as a ratio. Raises ValueError for another factor than 4 and 16."""
        if factor not in FACTORS:
            raise ValueError(f"factor must be one of {FACTORS}, not {factor}")
        sizes = [cell_m] if factor == STEP else [cell_m, cell_m / STEP]
        return tuple(self._fine.nearest_step(size) for size in sizes)

    def margin(self, factor: int, cell_m: float = 2000.0) -> int:
        """Cells on each side of a window that its fine land depends on."""
        margin = 0
        for step in reversed(self.steps(factor, cell_m)):
            margin = -(-margin // STEP) + _step_margin(step)
        return margin

    def refine(self, window: CoarseWindow, factor: int, seed: int, painted: PaintedClasses | None = None) -> FineTile:
        """The fine land of a window without its margin, which is `margin(factor, window.cell_m)` cells on each side.

        `painted` gives the classes of the finer scales, which are made from those of the cells otherwise. Then water
        that is more than a cell away from water of the cells has the heights of the land, and colours are left as they
        are at borders of classes. Raises ValueError for another factor than 4 and 16, DeviceError when memory runs out.
        """
        steps = self.steps(factor, window.cell_m)
        land = _Land(
            window.height, window.albedo.astype(np.float32) / np.float32(255), window.ids, window.row, window.col
        )
        cell_m, needed = window.cell_m, self.margin(factor, window.cell_m)
        for number, step in enumerate(steps):
            rest = steps[number + 1 :]
            land = self._finer(land, step, seed, cell_m, painted, STEP ** (number + 1))
            needed, cell_m = STEP * (needed - _step_margin(step)), cell_m / STEP
            wanted = _step_margin(rest[0]) if rest else 0
            land, needed = land.cut(needed - wanted), wanted
        return FineTile(
            np.ascontiguousarray(land.height),
            np.rint(land.albedo * np.float32(255)).astype(np.uint8),
            np.ascontiguousarray(land.ids),
        )

    def refine_all(self, windows: Iterable[CoarseWindow], factor: int, seed: int) -> Generator[FineTile, None, None]:
        """`refine` of each window, in their order. On a processor several are computed at a time, each on a part of its
        cores: that is faster than one after the other on all of them, and no core waits for another one."""
        threads = torch.get_num_threads()
        workers = min(threads, _MOST_AT_ONCE) if self._device.type == "cpu" else 1
        pool = ThreadPoolExecutor(workers, "refiner", torch.set_num_threads, (max(1, threads // workers),))
        pending: deque[Future[FineTile]] = deque()
        try:
            for window in windows:
                pending.append(pool.submit(self.refine, window, factor, seed))
                if len(pending) > workers:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)
            # PyTorch gives every new thread the last number that any thread has set.
            torch.set_num_threads(threads)

    def _finer(
        self,
        land: _Land,
        step: FineLandStep,
        seed: int,
        cell_m: float,
        painted: PaintedClasses | None,
        times: int,
    ) -> _Land:
        """Land four times finer, `times` finer than the cells of the window, without the margin of the step."""
        widest = max(step.margin, CLASS_MARGIN)
        near = land.cut(widest)
        height, albedo = self._run(land.cut(widest - step.margin), step, seed, cell_m)
        if painted is None:
            ids, shift = self._classes(land.cut(widest - CLASS_MARGIN), seed)
            height = with_water(near.height, height, near.ids, ids, shift, cell_m)
            albedo = with_water_colours(near.albedo, albedo, near.ids, ids)
        else:
            ids = painted(Rect(STEP * near.row, STEP * near.col, height.shape[0], height.shape[1]), times)
            height = with_painted_water(near.height, height, near.ids, ids)
        finer = _Land(height, albedo, ids, STEP * near.row, STEP * near.col)
        return finer.cut(STEP * SHORE_MARGIN)

    @staticmethod
    def _classes(land: _Land, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Fine classes and the displacement of their borders, without CLASS_MARGIN."""
        shift = displacement(land.ids.shape, land.row, land.col, seed)
        rim = slice(STEP * CLASS_MARGIN, -STEP * CLASS_MARGIN)
        return warped(flat_classes(land.ids), shift)[rim, rim], shift[rim, rim]

    def _run(
        self, land: _Land, step: FineLandStep, seed: int, cell_m: float
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        # Heights change with the size of a cell, so that the network sees the true slopes.
        scale = step.config.cell_m / cell_m
        with computing(Rect.of_shape((STEP * land.ids.shape[0], STEP * land.ids.shape[1]))):
            height = torch.from_numpy(np.ascontiguousarray(land.height)).to(self._device)[None, None]
            albedo = torch.from_numpy(np.ascontiguousarray(land.albedo)).to(self._device).movedim(-1, 0)[None]
            ids = torch.from_numpy(np.ascontiguousarray(land.ids)).to(self._device).long()
            shares = F.one_hot(ids, CLASS_COUNT).movedim(-1, 0)[None].float()
            height, albedo = step(height * scale, albedo, shares, seed, land.row, land.col)
            return heights_to_array(height / scale), albedo[0].movedim(0, -1).contiguous().cpu().numpy()


def _step_margin(step: FineLandStep) -> int:
    return max(step.margin, CLASS_MARGIN) + SHORE_MARGIN
