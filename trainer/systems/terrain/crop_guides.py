"""The guides of crops, measured on their real land or natural ones, and how well generated land follows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from terrainpaint.core.classes import WATER
from terrainpaint.models.guides import GUIDE_LEVEL, blurred, guide_of, land_in_cells, shape_of
from terrainpaint.models.main_crests import CRESTS_REACH_CELLS, displacements, mountain_in_cells, with_main_crests
from terrainpaint.models.natural_shapes import NATURAL_SHAPES
from terrainpaint.models.noise import world_noise
from terrainpaint.models.shadow import BORDER_PX
from terrainpaint.models.spade_guided import SpadeGuided
from terrainpaint.models.windows import Area, Span, Window, grown, halved

WHOLE, NONE, NATURAL = 0.25, 0.05, 0.5
"""Fractions of the crops that are guided everywhere by their real land, nowhere, and everywhere by a natural guide; the
others are guided by their real land in some areas."""
_SHAPE_NOISE = 0.15
"""Deviation of the noise in the shapes: what people draw is not exact."""
_CELL = 1 << GUIDE_LEVEL
_AREA_CELLS = 24
_BROAD_CELLS = 6.0
_LEAST_SPREAD = 0.002
_MOST_DIFFERENCE = 6.0


@dataclass(frozen=True)
class CropGuide:
    """`input` (N, G, h, w) is that of the generator, `followed` (N, 1, C / 4, C / 4) in 0..1 where in the crop it
    is that of the real land, so that the result can be compared."""

    input: Tensor
    followed: Tensor

    def part(self, images: slice) -> CropGuide:
        """Those of some of the crops."""
        return CropGuide(self.input[images], self.followed[images])


@dataclass(frozen=True)
class DrawnGuides:
    """What is random about the guides of N crops: `strength` (N, 1, h, w) of the real shapes, `noise` (N, 1, h, w) in
    them, `seeds` (N,) int64 of natural shapes, -1 for crops with real ones."""

    strength: Tensor
    noise: Tensor
    seeds: Tensor

    def part(self, images: slice) -> DrawnGuides:
        """Those of some of the crops."""
        return DrawnGuides(self.strength[images], self.noise[images], self.seeds[images])


def draw_guides(size: tuple[int, int], random: torch.Generator, is_free: NDArray[np.bool_]) -> DrawnGuides:
    """For maps of `size` px around N crops; natural ones where `is_free` (N,), and elsewhere as it happens."""
    count = len(is_free)
    rows, cols = (length // _CELL for length in size)
    kind = torch.rand((count, 1, 1, 1), generator=random)
    kind = torch.where(torch.from_numpy(is_free)[:, None, None, None], WHOLE + NONE, kind)
    level = torch.randn((count, 1, 1, 1), generator=random)
    coarse = torch.randn((count, 1, -(-rows // _AREA_CELLS) + 1, -(-cols // _AREA_CELLS) + 1), generator=random)
    noise = torch.randn((count, 1, rows, cols), generator=random) * _SHAPE_NOISE
    seeds = torch.randint(0, 1 << 31, (count,), generator=random)
    areas = torch.sigmoid(6 * (F.interpolate(coarse, (rows, cols), mode="bicubic") * 1.4 + level))
    strength = torch.where(kind < WHOLE, torch.ones(()), areas)
    strength = torch.where((kind >= WHOLE) & (kind < WHOLE + NONE + NATURAL), torch.zeros(()), strength)
    is_natural = (kind >= WHOLE + NONE) & (kind < WHOLE + NONE + NATURAL)
    return DrawnGuides(strength, noise, torch.where(is_natural.flatten(), seeds, -1))


def cell_means(values: Tensor) -> Tensor:
    """(N, C, h, w) → means over the cells of a guide."""
    return F.avg_pool2d(values, _CELL)


def crop_guide(code: Tensor, ids: Tensor, drawn: DrawnGuides, read: Window, window: Window, version: int) -> CropGuide:
    """The guides of N crops of `window`, with its border. `code` (N, 1, h, w) encoded elevations in cells and `ids`
    (N, H, W) the map, both over the generator's input window `read`; `version` is that of the natural shapes."""
    land = land_in_cells(ids)
    strength, noise = drawn.strength.to(code.device), drawn.noise.to(code.device)
    guide = guide_of(shape_of(code, land) + noise * land, strength)
    is_natural = drawn.seeds >= 0
    if bool(is_natural.any()):
        index = is_natural.nonzero().flatten().to(code.device)
        guide[index] = natural_guide(version, drawn.seeds[is_natural].tolist(), ids[index], read)
    rows, cols = _cells_of(window.rows, read.rows), _cells_of(window.cols, read.cols)
    return CropGuide(guide, strength[:, :, rows, cols])


def _cells_of(span: Span, of: Span) -> slice:
    """The cells of a crop without its border, among those of the generator's input."""
    first = (span[0] + BORDER_PX[0] - of[0]) // _CELL
    return slice(first, first + (span[1] - span[0] - sum(BORDER_PX)) // _CELL)


def natural_guide(version: int, seeds: Sequence[int], ids: Tensor, read: Window) -> Tensor:
    """(N, G, h, w) on the device of the maps `ids` (N, H, W) of the window `read`: the natural guides of N seeds, of a
    version of `NATURAL_SHAPES`.

    Beyond the window the map continues as at its border, so main crests may differ there from those of the program.
    """

    def draw(plane: int, channels: int, at: Area) -> Tensor:
        (top, bottom), (left, right) = at
        return world_noise(seeds, plane, channels, (top, left), (bottom - top, right - left), ids.device)

    area = halved(read.rows, GUIDE_LEVEL), halved(read.cols, GUIDE_LEVEL)
    border = (CRESTS_REACH_CELLS,) * 4
    mountain = F.pad(mountain_in_cells(ids), border, mode="replicate")
    moves = displacements(draw, grown(area, CRESTS_REACH_CELLS))
    shape = with_main_crests(NATURAL_SHAPES[version](draw, area), mountain, moves) * land_in_cells(ids)
    return guide_of(shape, torch.ones_like(shape))


def guide_of_program(generator: SpadeGuided, seeds: Sequence[int], ids: Tensor, window: Window) -> Tensor:
    """(N, G, h, w): the natural guides that the program would give `generator` for N seeds. `ids` (N, H, W): the maps
    over its input window for `window`."""
    return natural_guide(generator.config.natural_shapes, seeds, ids, generator.input_window(window))


def guide_difference(fake: Tensor, real: Tensor, labels: Tensor, followed: Tensor) -> Tensor:
    """L1 of the shapes of generated and real land, in deviations of the real one, weighted with the strength of the
    guide; 0 without guides. A scalar.

    `fake`, `real`: encoded elevations of the crops (N, 1, C, C); `labels` (N, C, C) their map; `followed` as in
    `CropGuide`.
    """
    land = 1 - cell_means((labels == WATER)[:, None].float())
    bands = [_band(cell_means(code.float()), land) for code in (fake, real)]
    spread = _mean_of_land(bands[1].square(), land).sqrt()
    weight = followed * land
    difference = ((bands[0] - bands[1]).abs() / (spread + _LEAST_SPREAD)).clamp(max=_MOST_DIFFERENCE)
    return (difference * weight).sum() / weight.sum().clamp(min=1)


def _band(code: Tensor, land: Tensor) -> Tensor:
    return (code - _mean_of_land(code, land)) * land


def _mean_of_land(values: Tensor, land: Tensor) -> Tensor:
    return blurred(values * land, _BROAD_CELLS) / blurred(land, _BROAD_CELLS).clamp(min=1e-3)
