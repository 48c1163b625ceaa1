"""Density and branching of channels."""

from __future__ import annotations

import numpy as np

from terrainpaint.core.hydrology.flow_routing import Routing
from trainer.systems.terrain.evaluation.drainage import CHANNEL_CELLS, drainage_counts, drainage_figures, stream_counts


def sloping(rows: int, cols: int) -> np.ndarray:
    """Falls to the south, towards the last row."""
    return np.repeat(np.arange(rows, 0, -1, dtype=np.float32)[:, None] * 100, cols, axis=1)


def test_a_plane_has_parallel_channels_that_never_meet() -> None:
    height = sloping(2 * CHANNEL_CELLS, 10)
    water = np.zeros(height.shape, bool)
    water[-1] = True
    # Each channel begins at the 50th pixel.
    assert drainage_counts(height, water).tolist() == [990, 10 * CHANNEL_CELLS, 0, 10, 0]


def test_orders_rise_where_streams_of_one_order_meet() -> None:
    # 0 and 1 meet in 2, 3 and 4 in 5, both in 6, which 7 joins; 8 drains nowhere else.
    receivers = np.array([2, 2, 6, 5, 5, 6, 8, 6, 8], np.int32)
    routing = Routing((3, 3), receivers)
    assert stream_counts(routing, np.ones(9, bool)) == (4, (5, 2))
    without_one = np.arange(9) != 1
    assert stream_counts(routing, without_one) == (3, (4, 1))


def test_counts_are_divided_by_what_they_belong_to() -> None:
    figures = drainage_figures(np.array([2000, 100, 5, 12, 4]))
    assert figures == {"density": 5, "junctions": 5, "bifurcation": 3}


def test_painted_water_ends_a_channel_and_is_no_land() -> None:
    height = sloping(120, 10)
    water = np.zeros(height.shape, bool)
    water[60:] = True
    assert drainage_counts(height, water).tolist() == [600, 10 * 11, 0, 10, 0]


def test_nothing_is_divided_by_nothing() -> None:
    level = np.zeros((8, 8), np.float32)
    assert drainage_figures(drainage_counts(level, np.ones((8, 8), bool))) == {
        "density": None, "junctions": None, "bifurcation": None,
    }  # fmt: skip
