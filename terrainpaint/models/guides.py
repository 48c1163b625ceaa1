"""Guides: where crests and valleys lie, as an input of a network.

A guide is a shape without a size: the elevation between two widths, in units of its own deviation around each place.
The map and the style decide how high a crest is, the guide where it runs. Beside it stands its strength: 1 where the
land follows it, 0 where the network decides alone.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from terrainpaint.core.classes import WATER
from terrainpaint.models.class_counts import fraction_in_cells

GUIDE_LEVEL = 2
"""Guides have a value for each 4 x 4 px of the map."""
GUIDE_CHANNELS = 2
"""Strength, and strength times shape."""
SHAPE_LIMIT = 3.0
"""Shapes are clipped to this many deviations."""
FINE_CELLS, _BROAD_CELLS, _SPREAD_CELLS = 1.0, 10.0, 20.0
"""Deviations of the Gaussians that detail, wide structure and the mean strength of relief are separated with."""
_REDUCTION = 4
_LEAST_SPREAD = 0.002
"""Of encoded elevations: land with weaker relief has no shape, and rounding does not become one."""


def shape_of(elevation: Tensor, land: Tensor) -> Tensor:
    """(N, 1, h, w) encoded elevation at the guide's level → its shape, (N, 1, h, w) float32 in ±`SHAPE_LIMIT`.

    `land` (N, 1, h, w) is the fraction of land in each cell. Coasts are not part of the shape: only land is compared
    with land, and water has the shape 0.
    """
    elevation, land = elevation.float(), land.float()
    fine = _mean_of_land(elevation, land, FINE_CELLS)
    band = (fine - _mean_of_land(elevation, land, _BROAD_CELLS)) * (land > 0)
    spread = _mean_of_land(band.square(), land, _SPREAD_CELLS).sqrt()
    return (band / (spread + _LEAST_SPREAD)).clamp(-SHAPE_LIMIT, SHAPE_LIMIT) * land


def guide_of(shape: Tensor, strength: Tensor) -> Tensor:
    """(N, `GUIDE_CHANNELS`, h, w): what the network is given, from a shape and its strength in 0..1, both
    (N, 1, h, w)."""
    return torch.cat([strength, strength * shape], dim=1)


def land_in_cells(ids: Tensor) -> Tensor:
    """(N, H, W) uint8 map → (N, 1, h, w): the fraction of land in each cell of `GUIDE_LEVEL`."""
    return 1 - fraction_in_cells(ids, WATER, 1 << GUIDE_LEVEL)


def _mean_of_land(values: Tensor, land: Tensor, deviation: float) -> Tensor:
    sums = torch.cat([values * land, land], dim=1)
    if deviation < 2 * _REDUCTION:
        sums = blurred(sums, deviation)
    else:  # smooth enough to be computed on fewer cells
        few = F.avg_pool2d(sums, _REDUCTION, ceil_mode=True)
        few = blurred(few, deviation / _REDUCTION)
        wide = F.interpolate(few, scale_factor=_REDUCTION, mode="bilinear", align_corners=False)
        sums = wide[..., : values.shape[-2], : values.shape[-1]]
    return sums[:, :1] / sums[:, 1:].clamp(min=1e-3)


def blurred(x: Tensor, deviation: float) -> Tensor:
    """(N, C, h, w) smoothed by a Gaussian of a deviation in cells; beyond the border, as at the border."""
    reach = round(2.5 * deviation)
    steps = torch.arange(-reach, reach + 1, dtype=torch.float32, device=x.device)
    weights = torch.exp(-steps.square() / (2 * deviation**2))
    weights = (weights / weights.sum()).expand(x.shape[1], 1, -1)
    channels = x.shape[1]
    with torch.autocast(x.device.type, enabled=False):
        x = F.pad(x, (reach, reach, reach, reach), mode="replicate")
        x = F.conv2d(x, weights[:, :, None, :], groups=channels)
        return F.conv2d(x, weights[:, :, :, None], groups=channels)
