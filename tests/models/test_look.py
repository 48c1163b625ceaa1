"""The look network: it is local, its tiles equal the whole, and it starts from the colours of its input."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from terrainpaint.models.look import CELL_PX, MAX_REACH_PX, LookConfig, LookNetwork
from terrainpaint.models.windows import Window, cut
from tests.models.small_looks import CONFIG, look

SMALL = look()
REACH = SMALL.reach_px
CELLS = 6
SIDE = CELLS * CELL_PX


@pytest.fixture(autouse=True)
def _inference() -> Iterator[None]:
    with torch.inference_mode():
        yield


def picture(side: int = SIDE, reach: int = REACH, seed: int = 1) -> Tensor:
    """(1, 3, side + 2 reach, side + 2 reach) in -1..1."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand((1, 3, side + 2 * reach, side + 2 * reach), generator=generator) * 2 - 1


def test_the_output_is_the_middle_of_the_picture() -> None:
    assert SMALL(picture()).shape == (1, 3, SIDE, SIDE)
    assert SMALL(picture(CELL_PX)).shape == (1, 3, CELL_PX, CELL_PX)
    wide = torch.zeros((2, 3, CELL_PX + 2 * REACH, 3 * CELL_PX + 2 * REACH))
    assert SMALL(wide).shape == (2, 3, CELL_PX, 3 * CELL_PX)


def test_the_output_is_float32_between_minus_one_and_one() -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half = SMALL(picture())
    exact = SMALL(picture())
    assert half.dtype == exact.dtype == torch.float32
    assert float(exact.abs().max()) < 1
    assert not torch.equal(half, exact)
    assert float((half - exact).abs().mean()) < 0.02


def test_an_untrained_network_keeps_the_order_of_brightness_and_the_hue() -> None:
    torch.manual_seed(0)
    network = LookNetwork(LookConfig()).eval()
    for colour in ((0.8, -0.5, -0.7), (-0.6, 0.1, 0.7)):
        flat = torch.tensor(colour)[None, :, None, None].expand(
            1, 3, 16 + 2 * network.reach_px, 16 + 2 * network.reach_px
        )
        painted = network(flat).mean(dim=(0, 2, 3))
        assert (painted - torch.tensor(colour).tanh()).abs().max() < 0.35


def test_flat_colour_becomes_flat_colour() -> None:
    """Whatever the last layer is: the four pixels that come from one feature do not show as a pattern of dots."""
    network = look()
    torch.nn.init.normal_(network.head.bias, std=0.3)
    flat = torch.tensor([0.5, -0.2, 0.1])[None, :, None, None].expand(1, 3, SIDE + 2 * REACH, SIDE + 2 * REACH)
    painted = network(flat)
    assert float(painted.flatten(2).std(dim=2).max()) < 1e-5


@pytest.mark.parametrize("place", [(0, 0), (7, 7), (3, 4), (8, 15)], ids=str)
def test_one_pixel_changes_nothing_beyond_the_reach(place: tuple[int, int]) -> None:
    side = 2 * REACH + 6 * CELL_PX
    middle = REACH + 2 * CELL_PX  # of the output
    before = picture(side)
    after = before.clone()
    after[0, :, REACH + middle + place[0], REACH + middle + place[1]] = torch.tensor([0.9, -0.9, 0.3])
    where = (SMALL(before) != SMALL(after)).any(dim=1)[0].nonzero()
    distance = (where - (middle + torch.tensor(place))).abs().amax(dim=1)
    assert distance.min() == 0, "the change has no effect"
    assert distance.max() <= REACH


@pytest.mark.parametrize("blocks", [(1, 1, 1), (2, 1, 1), (0, 0, 0), (1, 0, 2), (0, 3, 0)], ids=str)
def test_the_reach_is_not_overestimated_by_more_than_a_cell(blocks: tuple[int, int, int]) -> None:
    network = look(dataclasses.replace(CONFIG, blocks=blocks))
    reach = network.reach_px
    side, middle = 2 * reach + 4 * CELL_PX, reach + CELL_PX
    furthest = 0
    for place in range(CELL_PX):
        before = 0.1 * picture(side, reach)
        after = before.clone()
        after[0, :, reach + middle + place, reach + middle + place] = 0.9
        where = (network(before) != network(after)).any(dim=1)[0].nonzero()
        furthest = max(furthest, int((where - middle - place).abs().max()))
    assert reach - CELL_PX < furthest <= reach


@settings(max_examples=20)
@given(st.tuples(*[st.integers(0, CELLS - 1)] * 2), st.tuples(*[st.integers(1, CELLS)] * 2))
def test_any_tile_of_whole_cells_equals_that_part_of_the_whole(start: tuple[int, int], size: tuple[int, int]) -> None:
    (top, bottom), (left, right) = (
        (CELL_PX * first, CELL_PX * min(first + count, CELLS)) for first, count in zip(start, size, strict=True)
    )
    whole = picture()
    tile = whole[:, :, top : bottom + 2 * REACH, left : right + 2 * REACH]
    same = SMALL(whole)[:, :, top:bottom, left:right]
    assert float((SMALL(tile) - same).abs().max()) < 1e-5


def test_tiles_of_the_default_configuration() -> None:
    network = look(LookConfig())
    reach = network.reach_px
    whole = picture(reach=reach)
    painted = network(whole)
    for top, left, height, width in ((0, 0, 1, 1), (1, 2, 3, 4), (5, 5, 1, 1)):
        rows, cols = (
            slice(CELL_PX * first, CELL_PX * (first + count)) for first, count in ((top, height), (left, width))
        )
        tile = whole[:, :, rows.start : rows.stop + 2 * reach, cols.start : cols.stop + 2 * reach]
        assert float((network(tile) - painted[:, :, rows, cols]).abs().max()) < 1e-5


@given(start=st.integers(-300, 300), length=st.integers(1, 200))
def test_the_input_window_is_whole_cells_with_the_reach_around_them(start: int, length: int) -> None:
    read = SMALL.input_window(Window((start, start + length), (0, 1)))
    low, high = read.rows
    assert low % CELL_PX == high % CELL_PX == 0
    assert start - REACH - CELL_PX < low <= start - REACH
    assert start + length + REACH <= high < start + length + REACH + CELL_PX
    assert read.cols == (-REACH, CELL_PX + REACH)
    assert cut((start, start + length), read.rows).start >= REACH


@pytest.mark.parametrize(
    "shape",
    [
        (1, 3, SIDE + 2 * REACH + 1, SIDE + 2 * REACH),
        (1, 3, SIDE + 2 * REACH, SIDE + 2 * REACH - 4),
        (1, 3, 2 * REACH, SIDE + 2 * REACH),
        (1, 3, CELL_PX, CELL_PX),
        (1, 4, SIDE + 2 * REACH, SIDE + 2 * REACH),
        (3, SIDE + 2 * REACH, SIDE + 2 * REACH),
    ],
    ids=str,
)
def test_a_picture_of_another_size_is_an_error(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="the picture is"):
        SMALL(torch.zeros(shape))


def test_a_network_that_reads_too_far_is_refused() -> None:
    with pytest.raises(ValueError, match=f"at most {MAX_REACH_PX} px"):
        LookConfig(blocks=(16, 16, 16))


def test_all_parameters_get_gradients() -> None:
    with torch.inference_mode(False), torch.enable_grad():
        torch.manual_seed(0)
        network = LookNetwork(CONFIG)
        network(picture().clone()).square().sum().backward()
        assert all(parameter.grad is not None and bool(parameter.grad.any()) for parameter in network.parameters())
