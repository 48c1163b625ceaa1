"""Shapes of land, natural ones by place, and the network that is told them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from terrainpaint.core.classes import WATER
from terrainpaint.core.guide_lines import RIDGE, VALLEY
from terrainpaint.models.guide_lines import LINES_REACH_CELLS, with_lines
from terrainpaint.models.guides import GUIDE_LEVEL, SHAPE_LIMIT, guide_of, land_in_cells, shape_of
from terrainpaint.models.natural_guide import natural_shape
from terrainpaint.models.noise import seeded, world_noise
from terrainpaint.models.spade_guided import SpadeGuided, SpadeGuidedConfig
from terrainpaint.models.spade_local import SpadeLocal
from terrainpaint.models.windows import Area, Window
from tests.models import small
from trainer.metrics.crests import direction_strength

CONFIG = SpadeGuidedConfig(small.CONFIG.widths, small.CONFIG.blocks, small.CONFIG.hidden)
WINDOW = Window((-24, 40), (8, 72))
STYLE = torch.tensor([[0.4, -1.2, 0.7, 1.0, -0.3]])[:, :, None, None]


@pytest.fixture(autouse=True)
def _inference() -> Iterator[None]:
    with torch.inference_mode():
        yield


def natural(area: Area, *seeds: int) -> Tensor:
    def draw(plane: int, channels: int, at: Area) -> Tensor:
        (top, bottom), (left, right) = at
        return world_noise(seeds, plane, channels, (top, left), (bottom - top, right - left), torch.device("cpu"))

    return natural_shape(draw, area)


def test_a_shape_has_neither_height_nor_size() -> None:
    row, col = torch.meshgrid(torch.arange(96.0), torch.arange(96.0), indexing="ij")
    hills = (torch.sin(row / 4) + torch.cos(col / 5))[None, None] * 0.05
    land = torch.ones_like(hills)
    shape = shape_of(hills + 1, land)
    assert torch.allclose(shape_of(2 * hills + 5, land), shape, atol=0.1)
    inner = (..., slice(16, -16), slice(16, -16))
    correlation = torch.corrcoef(torch.stack([shape[inner].flatten(), hills[inner].flatten()]))[0, 1]
    assert float(correlation) > 0.98 and 0.8 < float(shape[inner].std()) < 1.2
    assert float(shape.abs().max()) <= SHAPE_LIMIT
    assert not bool(shape_of(torch.full_like(hills, 0.7), land).abs().max() > 0.01)  # level land has none


def test_a_coast_is_not_part_of_the_shape() -> None:
    land = torch.ones((1, 1, 64, 64))
    land[..., :32] = 0
    shape = shape_of(land * 0.9, land)
    assert float(shape.abs().max()) < 0.05


def test_the_land_of_a_map_is_counted_in_cells() -> None:
    ids = torch.full((1, 16, 16), 3, dtype=torch.uint8)
    ids[:, :4, :6] = WATER
    assert land_in_cells(ids)[0, 0, 0].tolist() == [0, 0.5, 1, 1]


def test_natural_shapes_fit_together_and_follow_the_seed() -> None:
    whole = natural(((-40, 60), (-10, 130)), 7)
    part = natural(((-13, 21), (30, 77)), 7)
    assert whole.shape == (1, 1, 100, 140)
    assert float((whole[..., 27:61, 40:87] - part).abs().max()) < 1e-4
    both = natural(((-13, 21), (30, 77)), 7, 8)
    assert torch.allclose(both[:1], part, atol=1e-4) and float((both[1:] - part).abs().mean()) > 0.3


def test_natural_shapes_are_like_those_of_land() -> None:
    shapes = natural(((0, 128), (0, 128)), *range(8))
    assert abs(float(shapes.mean())) < 0.15 and 0.8 < float(shapes.std()) < 1.2
    assert float(shapes.abs().max()) <= SHAPE_LIMIT
    # Valleys are narrower than the land between them: the lowest parts are farther from the mean.
    assert float(shapes.quantile(0.02)) < -float(shapes.quantile(0.98))
    strengths = [direction_strength(shape[0].numpy()) for shape in shapes]
    assert sum(strengths) / len(strengths) < 0.06


def test_lines_become_crests_and_valleys_and_change_nothing_far_away() -> None:
    reach, cell = LINES_REACH_CELLS, 1 << GUIDE_LEVEL
    shape = natural(((0, 64), (0, 64)), 3)
    lines = torch.zeros((1, (64 + 2 * reach) * cell, (64 + 2 * reach) * cell), dtype=torch.uint8)
    assert torch.equal(with_lines(shape, lines), shape)
    lines[0, (reach + 16) * cell + 1] = RIDGE
    lines[0, (reach + 44) * cell + 2] = VALLEY
    drawn = with_lines(shape, lines)[0, 0]
    assert bool((drawn[16] > 1.5).all()) and bool((drawn[44] < -1.5).all())
    assert float(drawn[20].abs().mean()) < 0.7 * float(shape[0, 0, 20].abs().mean())  # the flank
    untouched = [*range(16 - reach), *range(17 + reach, 44 - reach), *range(45 + reach, 64)]
    assert untouched and torch.equal(drawn[untouched], shape[0, 0, untouched])


def test_without_weights_for_guides_it_is_the_network_without_them() -> None:
    plain, guided = small.generator(), SpadeGuided(CONFIG).eval().to(memory_format=torch.channels_last)
    values = plain.state_dict()
    for name, value in guided.state_dict().items():
        more = value.shape[1] - values[name].shape[1] if value.ndim == 4 else 0
        values[name] = torch.nn.functional.pad(values[name], (0, 0, 0, 0, 0, more)) if more else values[name]
    guided.load_state_dict(values)
    ids = painted(guided)
    expected = torch.cat(plain(ids, WINDOW, seeded([5]), STYLE), dim=1)
    for guide in (None, random_guide(guided)):
        found = torch.cat(guided(ids, WINDOW, seeded([5]), STYLE, guide), dim=1)
        assert torch.allclose(found, expected, atol=1e-4)


def test_a_guide_changes_the_land_near_it_only() -> None:
    network = SpadeGuided(CONFIG)
    small.randomise(network, 3)
    network.eval().requires_grad_(False).to(memory_format=torch.channels_last)
    (top, bottom), (left, right) = network.guide_area(WINDOW)
    cell = 1 << GUIDE_LEVEL
    assert ((top * cell, bottom * cell), (left * cell, right * cell)) == (
        network.input_window(WINDOW).rows, network.input_window(WINDOW).cols)  # fmt: skip
    guide = random_guide(network)
    moved = guide.clone()
    at = 4 - top, 10 - left  # the cell of the pixel 16, 40
    moved[0, :, at[0], at[1]] += 1
    ids = painted(network)
    before, after = (torch.cat(network(ids, WINDOW, seeded([5]), STYLE, each), dim=1) for each in (guide, moved))
    rows, cols = (before != after).any(dim=1)[0].nonzero(as_tuple=True)
    assert len(rows)
    distance = torch.maximum((rows + WINDOW.rows[0] - 18).abs(), (cols + WINDOW.cols[0] - 42).abs())
    assert int(distance.max()) <= network.reach_px


def test_tiles_with_guides_equal_the_whole() -> None:
    network = SpadeGuided(CONFIG)
    small.randomise(network, 3)
    network.eval().requires_grad_(False).to(memory_format=torch.channels_last)
    tile = Window((0, 17), (20, 50))
    whole_area, tile_area = network.guide_area(WINDOW), network.guide_area(tile)
    guide = random_guide(network)
    inside = tuple(slice(span[0] - of[0], span[1] - of[0]) for span, of in zip(tile_area, whole_area, strict=True))
    read, of = network.input_window(tile), network.input_window(WINDOW)
    ids = painted(network)
    part = ids[:, read.rows[0] - of.rows[0] : read.rows[1] - of.rows[0],
               read.cols[0] - of.cols[0] : read.cols[1] - of.cols[0]]  # fmt: skip
    whole = torch.cat(network(ids, WINDOW, seeded([5]), STYLE, guide), dim=1)[..., 24:41, 12:42]
    alone = torch.cat(network(part, tile, seeded([5]), STYLE, guide[(..., *inside)]), dim=1)
    assert torch.allclose(whole, alone, atol=1e-5)


def painted(network: SpadeLocal) -> Tensor:
    read = network.input_window(WINDOW)
    return small.random_ids(read.rows[1] - read.rows[0], read.cols[1] - read.cols[0])


def random_guide(network: SpadeGuided) -> Tensor:
    (top, bottom), (left, right) = network.guide_area(WINDOW)
    shape = torch.randn((1, 1, bottom - top, right - left), generator=torch.Generator().manual_seed(1))
    return guide_of(shape, torch.ones_like(shape))
