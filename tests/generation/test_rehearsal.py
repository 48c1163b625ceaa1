"""Estimates of time and memory from a small piece of a map."""

from __future__ import annotations

import time

import numpy as np
import pytest
from numpy.typing import NDArray

from terrainpaint.core.rects import Rect
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.core.terrain import Recipe
from terrainpaint.generation.rehearsal import rehearsed


class Clock:
    """A generator that takes a second for 10,000 pixels, on a clock of its own."""

    def __init__(self, reach_px: int | None) -> None:
        self.reach_px, self.now, self.rects = reach_px, 0.0, list[Rect]()

    def patch(
        self, segmentation: SegmentationMap, rect: Rect, recipe: Recipe, rerolls: NDArray[np.uint8] | None = None
    ) -> object:
        whole = Rect.of_shape(segmentation.shape)
        assert rect == rect.clipped(segmentation.shape)
        self.rects.append(rect)
        self.now += (whole.area if self.reach_px is None else rect.area) / 10_000
        return None


@pytest.mark.parametrize(("shape", "seconds"), [((100, 100), 1), ((500, 1000), 50), ((2000, 2000), 400)])
def test_a_piece_of_a_local_network_is_scaled_to_the_map(
    monkeypatch: pytest.MonkeyPatch, shape: tuple[int, int], seconds: float
) -> None:
    clock = Clock(197)
    monkeypatch.setattr(time, "perf_counter", lambda: clock.now)
    found, memory = rehearsed(clock, SegmentationMap(np.ones(shape, np.uint8)), Recipe(1), 1024)
    assert found == pytest.approx(seconds)
    assert memory > shape[0] * shape[1]
    assert sum(rect.area for rect in clock.rects) <= 400**2


def test_a_network_that_is_not_local_takes_its_time_for_each_tile(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(None)
    monkeypatch.setattr(time, "perf_counter", lambda: clock.now)
    found, _ = rehearsed(clock, SegmentationMap(np.ones((512, 512), np.uint8)), Recipe(1), 1024)
    assert found == pytest.approx(512**2 / 10_000)
