"""Main crests along the axes of ranges."""

from __future__ import annotations

import torch
from torch import Tensor

from terrainpaint.core.classes import MOUNTAIN
from terrainpaint.models.guides import SHAPE_LIMIT
from terrainpaint.models.main_crests import CRESTS_REACH_CELLS, displacements, mountain_in_cells, with_main_crests
from terrainpaint.models.natural_shapes import NaturalShapes
from terrainpaint.models.noise import world_noise
from terrainpaint.models.windows import Area, grown

REACH = CRESTS_REACH_CELLS
AREA = (0, 48), (0, 64)


def drawn(plane: int, channels: int, at: Area) -> Tensor:
    (top, bottom), (left, right) = at
    return world_noise([3], plane, channels, (top, left), (bottom - top, right - left), torch.device("cpu"))


def around(rows: slice, area: Area = AREA) -> Tensor:
    """A range from west to east in these rows of an area and its surroundings."""
    mountain = torch.zeros((1, 1, area[0][1] - area[0][0] + 2 * REACH, area[1][1] - area[1][0] + 2 * REACH))
    mountain[..., rows.start + REACH : rows.stop + REACH, :] = 1
    return mountain


def unmoved(mountain: Tensor) -> Tensor:
    shape = torch.zeros((1, 1, mountain.shape[2] - 2 * REACH, mountain.shape[3] - 2 * REACH))
    return with_main_crests(shape, mountain, torch.zeros((1, 2, *mountain.shape[2:])))[0, 0]


def test_a_range_has_a_crest_on_its_axis_and_falls_to_both_sides() -> None:
    shape = unmoved(around(slice(20, 29)))
    assert torch.equal(shape[24], shape.amax(dim=0)) and torch.allclose(shape[23], shape[25])
    assert bool((shape[24] > 2).all()) and bool((shape[21] < -0.3).all()) and bool((shape[27] < -0.3).all())
    assert torch.equal(shape[:14], torch.zeros_like(shape[:14]))  # the land beside the range is as it was


def test_the_wider_a_range_the_weaker_its_crest() -> None:
    heights = [float(unmoved(around(slice(24 - half, 25 + half))).max()) for half in (3, 9, 10, 11)]
    assert heights == sorted(heights, reverse=True) and heights[0] > 2
    flat = unmoved(around(slice(8, 41)))[20:29]
    assert float(flat.abs().max()) < 0.1


def test_every_part_of_a_winding_range_has_a_crest() -> None:
    shape = torch.zeros((1, 1, 48, 64))
    moves = displacements(drawn, grown(AREA, REACH))
    assert float(moves.abs().max()) == 3 and torch.equal(moves, moves.round())
    crested = with_main_crests(shape, around(slice(19, 30)), moves)[0, 0]
    assert bool((crested[15:34].amax(dim=0) > 1.5).all())
    assert len(crested.argmax(dim=0).unique()) >= 4  # it winds
    assert float(crested.abs().max()) <= SHAPE_LIMIT


def test_cells_beyond_the_reach_change_nothing() -> None:
    moves = displacements(drawn, grown(AREA, REACH))
    mountain = around(slice(10, 40))
    natural = NaturalShapes(2).of(((3, 1.0),), AREA)
    before = with_main_crests(natural, mountain, moves)
    mountain[..., REACH + 24, REACH + 30] = 0
    changed = (with_main_crests(natural, mountain, moves) != before)[0, 0].nonzero() - torch.tensor([24, 30])
    assert len(changed) and int(changed.abs().max()) <= REACH
    part = (..., slice(10, 10 + 20 + 2 * REACH), slice(20, 20 + 30 + 2 * REACH))
    shape = with_main_crests(natural[..., 10:30, 20:50], mountain[part], moves[part])
    assert float((shape - with_main_crests(natural, mountain, moves)[..., 10:30, 20:50]).abs().max()) < 1e-5


def test_land_without_mountains_keeps_its_natural_shape() -> None:
    shapes = NaturalShapes(2)
    shape = shapes.of(((3, 1.0),), AREA)
    wide = grown(AREA, REACH)
    moves = shapes.displacements(((3, 1.0),), wide)
    assert torch.equal(with_main_crests(shape, torch.zeros((1, 1, *moves.shape[2:])), moves), shape)
    part = (..., slice(5, 40), slice(7, 33))
    again = NaturalShapes(2).displacements(((3, 1.0),), ((wide[0][0] + 5, wide[0][0] + 40),
                                                        (wide[1][0] + 7, wide[1][0] + 33)))  # fmt: skip
    assert torch.equal(again, moves[part])


def test_the_mountain_of_a_map_is_counted_in_cells() -> None:
    ids = torch.full((1, 8, 8), MOUNTAIN, dtype=torch.uint8)
    ids[:, :4, :6] = 0
    assert mountain_in_cells(ids)[0, 0].tolist() == [[0, 0.5], [1, 1]]
