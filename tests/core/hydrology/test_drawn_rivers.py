"""Drawn rivers are authoritative: whatever the land, their water runs downhill to the mouth that was drawn."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrainpaint.core.classes import WATER
from terrainpaint.core.guide_lines import GuideLine, LineKind, draw_rivers
from terrainpaint.core.hydrology import FlowingWater, Mouth, find_waters, with_flowing_water
from terrainpaint.core.rects import Rect
from tests.export.terrains import of_height

SHAPE = (90, 130)
SEA_COL = 110
WHOLE = Rect.of_shape(SHAPE)


def rough(seed: int, relief_m: float) -> np.ndarray:
    """(H, W) float32: hills without an order, lower at the coast, and the sea in the east."""
    noise = np.random.default_rng(seed).normal(size=SHAPE).astype(np.float32)
    height = np.abs(300 + relief_m * (8 * cv2.GaussianBlur(noise, (0, 0), 5) + 0.2 * noise))
    return np.asarray(height * ((SEA_COL - np.arange(SHAPE[1])) / 20).clip(0, 1), np.float32)


@given(
    st.integers(0, 10_000),
    st.floats(20, 2000),
    st.sampled_from([1, 2, 3]),
    st.lists(st.floats(10, 80), min_size=2, max_size=5),
)
@settings(max_examples=20, deadline=None)
def test_a_drawn_river_falls_to_the_sea(seed: int, relief_m: float, width_px: int, rows: list[float]) -> None:
    cols = np.linspace(15, SEA_COL + 4, len(rows))
    river = GuideLine.through(LineKind.RIVER, list(zip(rows, cols.tolist(), strict=True)), width_px)
    ids = np.full(SHAPE, 3, np.uint8)
    ids[:, SEA_COL:] = WATER
    draw_rivers(ids, [river], WHOLE)
    carved = with_flowing_water(of_height(rough(seed, relief_m), 500.0), ids, FlowingWater(carve_rivers=True))
    found = find_waters(carved, ids).rivers
    (main,) = (each for each in found if each.mouth == Mouth.SEA)
    assert len(main.line) >= 0.8 * (SEA_COL - 15)
    for each in found:
        assert (np.diff(each.height_m) <= 0).all()
    assert main.height_m[-1] >= 0 and main.height_m[0] > main.height_m[-1]


@pytest.mark.parametrize("width_px", [1, 2, 3])
def test_a_drawn_river_joins_the_one_that_it_meets(width_px: int) -> None:
    main = GuideLine.through(LineKind.RIVER, [(45.5, 10.5), (45.5, SEA_COL + 3)], width_px)
    side = GuideLine.through(LineKind.RIVER, [(10.5, 30.5), (45.5, 60.5)], width_px)
    ids = np.full(SHAPE, 3, np.uint8)
    ids[:, SEA_COL:] = WATER
    draw_rivers(ids, [main, side], WHOLE)
    carved = with_flowing_water(of_height(rough(3, 300), 500.0), ids, FlowingWater(carve_rivers=True))
    found = find_waters(carved, ids).rivers
    assert sorted(each.mouth for each in found if len(each.line) > 15) == sorted([Mouth.SEA, Mouth.RIVER])
    assert all((np.diff(each.height_m) <= 0).all() for each in found)
