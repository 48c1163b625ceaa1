"""Drainage: how dense the valleys of a land are, and how they branch, once its closed depressions drain."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.hydrology.flow_routing import FREE, Routing, route

CHANNEL_CELLS = 50
"""A channel begins where this many pixels drain through one."""


def drainage_counts(height: NDArray[np.float32], water: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(5,) counts of heights (H, W), in which `water` (H, W) receives all that reaches it: pixels of land and of
    channels, channels that join another, and streams of the first and second order.

    Water leaves depressions over their lowest pass, and the land over its border, as in `core.hydrology`. Orders are
    those of Strahler (1957): a stream that begins has order 1, and where two of one order meet, one of the next begins.
    """
    cells = np.arange(height.size, dtype=np.int32).reshape(height.shape)
    routing = route(height, np.where(water, cells, np.int32(FREE)))
    is_channel = (routing.accumulated() >= CHANNEL_CELLS) & ~water
    junctions, streams = stream_counts(routing, is_channel.ravel())
    return np.array([(~water).sum(), is_channel.sum(), junctions, *streams], np.int64)


def drainage_figures(counts: NDArray[np.int64]) -> dict[str, float | None]:
    """Pixels of channels in 100 px of land, junctions in 100 px of channels, and streams of the first order for each
    of the second, from counts that were added up; None where there is nothing to divide by."""
    land, channels, junctions, first, second = counts.tolist()
    return {
        "density": 100 * channels / land if land else None,
        "junctions": 100 * junctions / channels if channels else None,
        "bifurcation": first / second if second else None,
    }


def stream_counts(routing: Routing, is_channel: NDArray[np.bool_]) -> tuple[int, tuple[int, int]]:
    """Junctions, and streams of the orders 1 and 2, of the cells (H * W,) that are channels."""
    highest, equals = np.zeros(len(is_channel), np.int32), np.zeros(len(is_channel), np.int32)
    junctions, streams = 0, [0, 0]
    order_of_flow = np.concatenate(list(routing.rounds()))
    for cell in order_of_flow[is_channel[order_of_flow]].tolist():
        begins = highest[cell] == 0 or equals[cell] > 1
        order = int(highest[cell]) + int(begins)
        if begins and order <= len(streams):
            streams[order - 1] += 1
        into = int(routing.receivers[cell])
        if into == cell or not is_channel[into]:
            continue
        junctions += int(highest[into] > 0)
        if order > highest[into]:
            highest[into], equals[into] = order, 1
        elif order == highest[into]:
            equals[into] += 1
    return junctions, (streams[0], streams[1])
