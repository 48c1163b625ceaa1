"""The default generator: local, the same in tiles as in one piece, the same for a seed, and without terraces."""

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
from terrainpaint.models.windows import Span, Window, cut
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
    """(1, H, W) uint8: a part of an endless map with patches of 5 px of every class."""
    rows, cols = (np.arange(*span)[:, None] // 5 for span in (window.rows, window.cols))
    mixed = (rows * 7349 ^ cols.T * 9151) * 2_654_435_761 >> 7
    return torch.from_numpy((mixed % CLASS_COUNT).astype(np.uint8))[None]


def generated(window: Window, network: SpadeLocal = SMALL, seed: int = 5, ids: Tensor | None = None) -> Tensor:
    """(1, 4, H, W): albedo and elevation code of a window of the endless map, or of the map `ids`."""
    if ids is None:
        ids = world(network.input_window(window))
    return torch.cat(network(ids, window, seeded([seed]), STYLE), dim=1)


def around(place: tuple[int, int], reach_px: int) -> Window:
    return Window((place[0] - reach_px, place[0] + reach_px + 1), (place[1] - reach_px, place[1] + reach_px + 1))


# Local


def changed(network: SpadeLocal, place: tuple[int, int], new: int, window: Window) -> Tensor:
    """(H, W) bool: where the output is not the same to the last bit when one pixel of the map is another class."""
    at = network.input_window(window)
    before = world(at)
    after = before.clone()
    after[0, place[0] - at.rows[0], place[1] - at.cols[0]] = new
    assert not torch.equal(before, after)
    return (generated(window, network, ids=before) != generated(window, network, ids=after)).any(dim=1)[0]


@pytest.mark.parametrize("place", [(0, 0), (7, 4), (15, 15), (-1, 16)], ids=str)
@pytest.mark.parametrize("to_water", [True, False], ids=["water", "land"])
def test_one_pixel_changes_nothing_out_of_reach(place: tuple[int, int], to_water: bool) -> None:
    old = int(world(around(place, 0)))
    new = WATER if to_water and old != WATER else 1 + old % (CLASS_COUNT - 1)
    reach = SMALL.reach_px
    window = around(place, reach + 24)
    where = changed(SMALL, place, new, window).nonzero() + torch.tensor([window.rows[0], window.cols[0]])
    distance = (where - torch.tensor(place)).abs().amax(dim=1)
    assert distance.min() == 0, "what was painted is not seen"
    assert distance.max() <= reach
    # Only where the stated window of the input holds the pixel.
    for axis in (0, 1):
        asking = [
            at
            for at in range(*(window.rows, window.cols)[axis])
            if place[axis] in range(*SMALL.input_window(Window((at, at + 1), (at, at + 1))).rows)
        ]
        assert min(asking) <= where[:, axis].min()
        assert where[:, axis].max() <= max(asking)


@pytest.mark.parametrize("blocks", [small.CONFIG.blocks, (1, 1, 1, 1), (2, 1, 1, 3)], ids=str)
def test_reach_is_stated_closely(blocks: tuple[int, int, int, int]) -> None:
    network = small.generator(SpadeLocalConfig(widths=(16, 16, 16, 16), blocks=blocks, hidden=16))
    reach = network.reach_px
    furthest = 0
    for place in ((0, 0), (15, 15)):  # two corners of a cell of the coarsest level
        where = changed(network, place, 3, around(place, reach + 8)).nonzero()
        furthest = max(furthest, int((where - (reach + 8)).abs().max()))
    # Windows are whole cells, so the reach is stated up to one cell too far.
    assert reach - CELL_PX <= furthest <= reach


@given(start=st.integers(-300, 300), length=st.integers(1, 200), place=st.integers(-500, 500))
def test_input_window_is_within_reach_of_the_output(start: int, length: int, place: int) -> None:
    rows = SMALL.input_window(Window((start, start + length), (0, 1))).rows
    assert start - SMALL.reach_px <= rows[0] < rows[1] <= start + length + SMALL.reach_px
    # What a change reaches is what asks for it.
    if rows[0] <= place < rows[1]:
        assert start - SMALL.reach_px <= place < start + length + SMALL.reach_px


def test_rows_and_columns_are_planned_alike() -> None:
    for span in ((0, 1), (-7, 40), (13, 14)):
        asked = SMALL.input_window(Window(span, span))
        assert asked.rows == asked.cols


def test_map_of_another_size_is_a_mistake() -> None:
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
    """The largest difference of a tile from its place in the whole, as a share of the range of each channel."""
    spread = whole.amax(dim=(2, 3), keepdim=True) - whole.amin(dim=(2, 3), keepdim=True)
    assert float(spread.min()) > 0.5, "a network that paints nothing proves nothing"
    same = whole[:, :, cut(tile.rows, WHOLE.rows), cut(tile.cols, WHOLE.cols)]
    return float(((generated(tile, network) - same).abs() / spread).max())


@settings(max_examples=20)
@given(tile=st.builds(Window, a_span(WHOLE.rows), a_span(WHOLE.cols)))
def test_any_tile_is_what_the_whole_has_there(whole: Tensor, tile: Window) -> None:
    assert difference(tile, whole) < 1e-5


@pytest.mark.parametrize("place", [(-37, -50), (0, 0), (15, 16), (122, 148)], ids=str)
def test_a_single_pixel_is_what_the_whole_has_there(whole: Tensor, place: tuple[int, int]) -> None:
    tile = Window((place[0], place[0] + 1), (place[1], place[1] + 1))
    assert generated(tile).shape == (1, 4, 1, 1)
    assert difference(tile, whole) < 1e-5


def test_tiles_of_the_real_network() -> None:
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
    asked = SMALL.input_window(window)
    ids = torch.cat([world(asked), small.random_ids(asked.rows[1] - asked.rows[0], asked.cols[1] - asked.cols[0])])
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
    albedo, code = SMALL(world(SMALL.input_window(window)), window, seeded([0]), STYLE)
    assert (albedo.shape, code.shape) == ((1, 3, 17, 33), (1, 1, 17, 33))
    assert albedo.dtype == code.dtype == torch.float32
    assert 0 <= float(whole[:, :3].min()) < float(whole[:, :3].max()) <= 1
    assert float(whole[:, 3].min()) < 0 < 1 < float(whole[:, 3].max()), "no clipping of depths and peaks"


@pytest.mark.parametrize("plateau", ["head_out", "levels.0.outline", "levels.2.outline"])
def test_heights_have_no_terraces_in_bfloat16(plateau: str) -> None:
    network = small.generator()
    for name, value in network.named_parameters():
        if "outline" in name:
            value[-1] *= 0 if plateau == "head_out" else 0.1
    network.head_out.weight[-4:] *= 0.02 if plateau == "head_out" else 0
    network.head_out.bias[-4:] = 0
    drawn_by = network.get_submodule(plateau)
    drawn_by.bias[-4 if plateau == "head_out" else -1 :] = float(network.encode_elevation(torch.tensor(1700.0)))
    window = Window((0, 80), (0, 80))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        albedo, code = network(world(network.input_window(window)), window, seeded([5]), STYLE)
        height = network.decode_elevation(code)
    assert albedo.dtype == code.dtype == height.dtype == torch.float32
    low, high = (float(height.quantile(share)) for share in (0.05, 0.95))
    # Between 1024 and 2048 m bfloat16 has steps of 8 m, and larger ones where it is the code that is rounded.
    assert 1024 < low < high < 2048
    levels = height[(height > low) & (height < high)]
    for rounded in (
        levels.bfloat16().float(),
        network.decode_elevation(network.encode_elevation(levels).bfloat16().float()),
    ):
        assert float(rounded.unique().diff().min()) > 7.9
    assert levels.unique().numel() > 0.9 * levels.numel() > 500
    assert float(levels.unique().diff().median()) < 0.1


@given(height=st.floats(-11_000, 8849, width=32))
def test_code_and_height_are_inverse(height: float) -> None:
    metres = torch.tensor([height], dtype=torch.float32)
    code = SMALL.encode_elevation(metres)
    assert code.dtype == torch.float32
    assert float(code.sign()) == float(metres.sign())
    torch.testing.assert_close(SMALL.decode_elevation(code), metres, rtol=1e-6, atol=1e-30)


def test_codes_of_known_heights() -> None:
    heights = torch.tensor([0.0, 1849.0, -1849.0, 7396.0, 8848.0, -10_935.0])
    codes = SMALL.encode_elevation(heights)
    assert codes[:4].tolist() == [0, 1, -1, 2]
    np.testing.assert_allclose(SMALL.decode_elevation(codes).numpy(), heights.numpy(), rtol=1e-6)
    assert (SMALL.decode_elevation(torch.linspace(-3, 3, 1001)).diff() >= 0).all()
