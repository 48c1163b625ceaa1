"""Which tiles of fine land are kept, dropped and made next."""

from __future__ import annotations

import numpy as np
import pytest

from terrainpaint.core.fine_land import FineTile
from terrainpaint.core.rects import Rect
from terrainpaint.generation.detail import SHADED_CELLS, Detail
from terrainpaint.generation.detail_tiles import TILE_PX, DetailTiles, TilePlace, places

SHAPE = (400, 500)
MARGINS = {4: 20, 16: 26}
DETAIL = Detail(
    FineTile(np.zeros((256, 256), np.float32), np.zeros((256, 256, 3), np.uint8), np.zeros((256, 256), np.uint8)),
    np.zeros((256, 256, 3), np.uint8),
)


def always(rect: Rect) -> bool:
    return True


def made(tiles: DetailTiles, rect: Rect, factor: int) -> list[TilePlace]:
    """Make all that a rectangle needs, and return it in order."""
    order = []
    while (place := tiles.next_place(rect, factor, always)) is not None:
        tiles.begin(place)
        assert tiles.end(place, DETAIL)
        order.append(place)
    return order


def test_tiles_are_at_fixed_places_and_cover_a_rectangle() -> None:
    rect = Rect(70, 130, 90, 40)
    found = list(places(rect, 4))
    assert found == [TilePlace(4, row, col) for row in (1, 2) for col in (2,)]
    assert all(place.rect.height == TILE_PX // 4 for place in found)
    assert not list(places(Rect(3, 3, 0, 5), 16))


def test_coarse_tiles_come_first_then_those_near_the_middle() -> None:
    order = made(DetailTiles(SHAPE, MARGINS, 1 << 30), Rect(100, 100, 40, 40), 16)
    factors = [place.factor for place in order]
    assert factors == sorted(factors) and set(factors) == {4, 16}
    fine = [place.rect for place in order if place.factor == 16]
    away = [abs(rect.row + 8 - 120) ** 2 + abs(rect.col + 8 - 120) ** 2 for rect in fine]
    assert away == sorted(away) and len(fine) == 9


def test_nothing_is_made_of_land_that_is_not_exact() -> None:
    tiles = DetailTiles(SHAPE, MARGINS, 1 << 30)
    edited = Rect(90, 200, 4, 4)
    wanted = Rect(0, 0, 60, 60)
    assert tiles.next_place(wanted, 4, lambda rect: rect.intersection(edited).is_empty) == TilePlace(4, 0, 0)
    near = Rect(60, 60, 60, 120)
    first = tiles.next_place(near, 4, lambda rect: rect.intersection(edited).is_empty)
    assert first is not None and first.rect.grown(MARGINS[4] + SHADED_CELLS).intersection(edited).is_empty


def test_a_change_drops_what_depends_on_it_and_nothing_else() -> None:
    tiles = DetailTiles(SHAPE, MARGINS, 1 << 30)
    made(tiles, Rect(0, 0, 200, 200), 4)
    reach = tiles.reach(4)
    assert reach == MARGINS[4] + SHADED_CELLS
    first = TilePlace(4, 0, 0)
    assert tiles.drop(Rect(64 + reach, 300, 5, 5)).is_empty
    assert tiles.drop(Rect(63 + reach, 10, 1, 1)) == Rect(0, 0, 128, 64)
    assert tiles.get(first) is None and tiles.get(TilePlace(4, 0, 2)) is not None


@pytest.mark.parametrize(("changed", "is_kept"), [(Rect(70, 70, 1, 1), False), (Rect(300, 300, 9, 9), True)])
def test_a_tile_that_is_overtaken_while_it_is_made_is_not_kept(changed: Rect, is_kept: bool) -> None:
    tiles = DetailTiles(SHAPE, MARGINS, 1 << 30)
    place = TilePlace(4, 0, 0)
    tiles.begin(place)
    tiles.drop(changed)
    assert tiles.end(place, DETAIL) == is_kept == (tiles.get(place) is not None)


def test_the_tiles_that_were_used_least_recently_are_forgotten() -> None:
    tiles = DetailTiles(SHAPE, MARGINS, 1 << 30)
    order = made(tiles, Rect(0, 0, 120, 250), 4)
    assert tiles.nbytes == len(order) * DETAIL.nbytes and len(order) == 8
    tiles.get(order[0])
    forgotten = tiles.use_most(3 * DETAIL.nbytes)
    assert len(tiles) == 3 and set(forgotten) == set(order[1:6]) and tiles.get(order[0]) is DETAIL


def test_no_more_is_made_than_fits_into_memory() -> None:
    tiles = DetailTiles(SHAPE, MARGINS, 4 * DETAIL.nbytes)
    order = made(tiles, Rect(0, 0, 390, 490), 4)
    assert len(order) == len(tiles) == 4
    middles = [(place.rect.row + 32 - 195) ** 2 + (place.rect.col + 32 - 245) ** 2 for place in order]
    assert middles == sorted(middles), "the nearest to the middle"
