"""Sea level: where a map has water and the real height is 0 m, the made height is to be 0 m as well."""

from __future__ import annotations

from torch import Tensor

from terrainpaint.core.classes import WATER


def sea_level(made: Tensor, real: Tensor, height: Tensor, labels: Tensor) -> Tensor:
    """L1 of elevation codes over the sea, 0 elsewhere, as a mean over all pixels. A scalar.

    `made`, `real` elevation codes and `height` the real height in metres, (N, 1, H, W) each; `labels` (N, H, W) the
    map. Smoothed maps have water on real land too, which may rise, and lakes, of which nobody knows the level.
    """
    sea = (height == 0) & (labels == WATER)[:, None]
    return ((made - real).abs() * sea).mean()
