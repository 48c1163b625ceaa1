"""The default generator: it is local and deterministic, its tiles equal the whole, and its heights have no terraces."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from terrainpaint.core.classes import CLASS_COUNT, WATER
from terrainpaint.models.noise import seeded
from terrainpaint.models.spade_local import COARSEST, SpadeLocal, SpadeLocalConfig
from terrainpaint.models.windows import Span, Window, cut, size_of
from tests.models import small

ROOT = Path(__file__).resolve().parents[2]
SMALL = small.generator()
CELL_PX = 1 << COARSEST
STYLE = torch.tensor([[0.4, -1.2, 0.7, 1.0, -0.3]])[:, :, None, None]


@pytest.fixture(autouse=True)
def _inference() -> Iterator[None]:
    with torch.inference_mode():
        yield


def world(window: Window) -> Tensor:
    """(1, H, W) uint8: a window of an infinite map with squares of 5 px of every class."""
    rows, cols = (np.arange(*span)[:, None] // 5 for span in (window.rows, window.cols))
    mixed = (rows * 7349 ^ cols.T * 9151) * 2_654_435_761 >> 7
    return torch.from_numpy((mixed % CLASS_COUNT).astype(np.uint8))[None]


def generated(window: Window, network: SpadeLocal = SMALL, seed: int = 5, ids: Tensor | None = None) -> Tensor:
    """(1, 4, H, W): albedo and encoded elevation of a window of the infinite map, or of the map `ids`."""
    if ids is None:
        ids = world(network.input_window(window))
    return torch.cat(network(ids, window, seeded([seed]), STYLE), dim=1)


def around(place: tuple[int, int], reach_px: int) -> Window:
    return Window((place[0] - reach_px, place[0] + reach_px + 1), (place[1] - reach_px, place[1] + reach_px + 1))


# Local


def changed(network: SpadeLocal, place: tuple[int, int], new: int, window: Window) -> Tensor:
    """(H, W) bool: where the output differs in any bit when one pixel of the map has another class."""
    read = network.input_window(window)
    before = world(read)
    after = before.clone()
    after[0, place[0] - read.rows[0], place[1] - read.cols[0]] = new
    assert not torch.equal(before, after)
    return (generated(window, network, ids=before) != generated(window, network, ids=after)).any(dim=1)[0]


@pytest.mark.parametrize("place", [(0, 0), (7, 4), (15, 15), (-1, 16)], ids=str)
@pytest.mark.parametrize("to_water", [True, False], ids=["water", "land"])
def test_one_pixel_changes_nothing_beyond_the_reach(place: tuple[int, int], to_water: bool) -> None:
    old = int(world(around(place, 0)))
    new = WATER if to_water and old != WATER else 1 + old % (CLASS_COUNT - 1)
    reach = SMALL.reach_px
    window = around(place, reach + 24)
    where = changed(SMALL, place, new, window).nonzero() + torch.tensor([window.rows[0], window.cols[0]])
    distance = (where - torch.tensor(place)).abs().amax(dim=1)
    assert distance.min() == 0, "the change has no effect"
    assert distance.max() <= reach
    # Only where the input window contains the pixel.
    for axis in (0, 1):
        reading = [
            pixel
            for pixel in range(*(window.rows, window.cols)[axis])
            if place[axis] in range(*SMALL.input_window(Window((pixel, pixel + 1), (pixel, pixel + 1))).rows)
        ]
        assert min(reading) <= where[:, axis].min()
        assert where[:, axis].max() <= max(reading)


@pytest.mark.parametrize("blocks", [small.CONFIG.blocks, (1, 1, 1, 1), (2, 1, 1, 3)], ids=str)
def test_the_reach_is_not_overestimated_by_more_than_a_cell(blocks: tuple[int, int, int, int]) -> None:
    network = small.generator(SpadeLocalConfig(widths=(16, 16, 16, 16), blocks=blocks, hidden=16))
    reach = network.reach_px
    furthest = 0
    for place in ((0, 0), (15, 15)):  # two corners of a cell of the coarsest level
        where = changed(network, place, 3, around(place, reach + 8)).nonzero()
        furthest = max(furthest, int((where - (reach + 8)).abs().max()))
    # Windows are whole cells, so the reach may be up to one cell too large.
    assert reach - CELL_PX <= furthest <= reach


@given(start=st.integers(-300, 300), length=st.integers(1, 200), place=st.integers(-500, 500))
def test_input_window_is_within_reach_of_the_output(start: int, length: int, place: int) -> None:
    rows = SMALL.input_window(Window((start, start + length), (0, 1))).rows
    assert start - SMALL.reach_px <= rows[0] < rows[1] <= start + length + SMALL.reach_px
    # A pixel of the window changes only output within the reach.
    if rows[0] <= place < rows[1]:
        assert start - SMALL.reach_px <= place < start + length + SMALL.reach_px


def test_rows_and_columns_are_treated_alike() -> None:
    for span in ((0, 1), (-7, 40), (13, 14)):
        read = SMALL.input_window(Window(span, span))
        assert read.rows == read.cols


def test_a_map_of_another_size_is_an_error() -> None:
    window = Window((0, 8), (0, 8))
    ids = world(SMALL.input_window(window))
    for wrong in (ids[:, 1:], ids[:, :, :-1], ids[:, :8, :8]):
        with pytest.raises(ValueError, match="the map covers"):
            SMALL(wrong, window, seeded([0]), STYLE)


# Tile = whole

WHOLE = Window((-37, 123), (-50, 149))


def a_span(of: Span) -> st.SearchStrategy[Span]:
    return st.tuples(st.integers(*of), st.integers(*of)).filter(lambda ends: ends[0] != ends[1]).map(ordered)


def ordered(ends: tuple[int, int]) -> Span:
    return min(ends), max(ends)


@pytest.fixture(scope="module")
def whole() -> Tensor:
    with torch.inference_mode():
        return generated(WHOLE)


def difference(tile: Window, whole: Tensor, network: SpadeLocal = SMALL) -> float:
    """The largest difference of a tile from that part of the whole, as a fraction of the range of each channel."""
    spread = whole.amax(dim=(2, 3), keepdim=True) - whole.amin(dim=(2, 3), keepdim=True)
    assert float(spread.min()) > 0.5, "the output is constant, so the test proves nothing"
    same = whole[:, :, cut(tile.rows, WHOLE.rows), cut(tile.cols, WHOLE.cols)]
    return float(((generated(tile, network) - same).abs() / spread).max())


@settings(max_examples=20)
@given(tile=st.builds(Window, a_span(WHOLE.rows), a_span(WHOLE.cols)))
def test_any_tile_equals_that_part_of_the_whole(whole: Tensor, tile: Window) -> None:
    assert difference(tile, whole) < 1e-5


@pytest.mark.parametrize("place", [(-37, -50), (0, 0), (15, 16), (122, 148)], ids=str)
def test_a_single_pixel_equals_that_of_the_whole(whole: Tensor, place: tuple[int, int]) -> None:
    tile = Window((place[0], place[0] + 1), (place[1], place[1] + 1))
    assert generated(tile).shape == (1, 4, 1, 1)
    assert difference(tile, whole) < 1e-5


def test_tiles_of_the_default_configuration() -> None:
    network = small.generator(SpadeLocalConfig())
    whole = generated(WHOLE, network)
    for tile in (Window((-37, 27), (-50, 14)), Window((-9, 56), (3, 90)), Window((100, 123), (101, 149))):
        assert difference(tile, whole, network) < 1e-5


def test_tiles_in_bfloat16(whole: Tensor) -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half = generated(WHOLE)
        for tile in (Window((-37, 27), (-50, 14)), Window((-9, 56), (3, 90)), Window((100, 123), (101, 149))):
            assert difference(tile, half) < 1e-4
    assert not torch.equal(half, whole)
    assert float((half - whole).abs().mean()) < 0.02


# Seeded

DIGEST = """
import hashlib, torch
from tests.models.test_spade_local import WHOLE, generated
torch.set_num_threads(1)
with torch.inference_mode():
    print(hashlib.sha256(generated(WHOLE, seed=99).numpy().tobytes()).hexdigest())
"""


def test_a_seed_gives_the_same_bytes_in_two_processes() -> None:
    other = subprocess.run([sys.executable, "-c", DIGEST], cwd=ROOT, capture_output=True, text=True, check=True)
    here = hashlib.sha256(generated(WHOLE, seed=99).numpy().tobytes()).hexdigest()
    assert other.stdout.strip() == here


def test_another_seed_changes_texture_and_height_everywhere() -> None:
    window = Window((0, 60), (0, 60))
    one, two = (generated(window, seed=seed) for seed in (1, 2))
    assert ((one != two).float().mean(dim=(0, 2, 3)) > 0.99).all()


def test_seeds_and_styles_of_a_batch_do_not_mix() -> None:
    window = Window((3, 40), (-20, 11))
    read = SMALL.input_window(window)
    ids = torch.cat([world(read), small.random_ids(*size_of((read.rows, read.cols)))])
    styles = torch.cat([STYLE, -STYLE])
    batch = torch.cat(SMALL(ids, window, seeded([8, 9]), styles), dim=1)
    for index, seed in enumerate((8, 9)):
        single = torch.cat(SMALL(ids[index : index + 1], window, seeded([seed]), styles[index : index + 1]), dim=1)
        torch.testing.assert_close(batch[index : index + 1], single, rtol=0, atol=1e-4)


def test_style_changes_the_output() -> None:
    window = Window((0, 20), (0, 20))
    ids = world(SMALL.input_window(window))
    noise = seeded([5])
    for style in torch.eye(STYLE.shape[1])[:, :, None, None]:
        assert not torch.equal(SMALL(ids, window, noise, STYLE + style)[0], SMALL(ids, window, noise, STYLE)[0])


# Albedo and height


def test_shapes_types_and_ranges(whole: Tensor) -> None:
    window = Window((-3, 14), (5, 38))
    albedo, elevation = SMALL(world(SMALL.input_window(window)), window, seeded([0]), STYLE)
    assert (albedo.shape, elevation.shape) == ((1, 3, 17, 33), (1, 1, 17, 33))
    assert albedo.dtype == elevation.dtype == torch.float32
    assert 0 <= float(whole[:, :3].min()) < float(whole[:, :3].max()) <= 1
    assert float(whole[:, 3].min()) < 0 < 1 < float(whole[:, 3].max()), "depths and peaks are not clipped"


@pytest.mark.parametrize("plateau", ["head_out", "levels.0.outline", "levels.2.outline"])
def test_heights_have_no_terraces_in_bfloat16(plateau: str) -> None:
    network = small.generator()
    for name, value in network.named_parameters():
        if "outline" in name:
            value[-1] *= 0 if plateau == "head_out" else 0.1
    network.head_out.weight[-4:] *= 0.02 if plateau == "head_out" else 0
    network.head_out.bias[-4:] = 0
    layer = network.get_submodule(plateau)
    layer.bias[-4 if plateau == "head_out" else -1 :] = float(network.encode_elevation(torch.tensor(1700.0)))
    window = Window((0, 80), (0, 80))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        albedo, elevation = network(world(network.input_window(window)), window, seeded([5]), STYLE)
        height = network.decode_elevation(elevation)
    assert albedo.dtype == elevation.dtype == height.dtype == torch.float32
    low, high = (float(height.quantile(fraction)) for fraction in (0.05, 0.95))
    # Between 1024 and 2048 m, bfloat16 has steps of 8 m, and larger steps when encoded elevation is rounded.
    assert 1024 < low < high < 2048
    levels = height[(height > low) & (height < high)]
    for rounded in (
        levels.bfloat16().float(),
        network.decode_elevation(network.encode_elevation(levels).bfloat16().float()),
    ):
        assert float(rounded.unique().diff().min()) > 7.9
    assert levels.unique().numel() > 0.9 * levels.numel() > 500
    assert float(levels.unique().diff().median()) < 0.1
