from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrainpaint.core.classes import WATER
from terrainpaint.core.natural_borders import Roughness, faded, roughened, roughened_part, tiles
from terrainpaint.core.project import EMPTY
from terrainpaint.core.rects import Rect

SHAPE = (300, 400)
WHOLE = Rect.of_shape(SHAPE)
ROUGH = Roughness(12, 40)


def island() -> np.ndarray:
    """(300, 400) uint8: an island of three classes in the sea, with rivers of 1 and 3 px."""
    cells = np.zeros(SHAPE, np.uint8)
    cv2.ellipse(cells, (180, 150), (150, 120), 15, 0, 360, 1, -1)
    cv2.circle(cells, (150, 150), 60, 2, -1)
    cv2.rectangle(cells, (220, 100), (290, 190), 4, -1)
    cv2.line(cells, (150, 150), (120, 10), WATER, 1)
    cv2.polylines(cells, [np.array([[160, 170], [220, 210], [390, 260]])], False, WATER, 3)
    return cells


def areas(mask: np.ndarray) -> int:
    """How many connected areas there are."""
    count: int = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)[0]
    return count - 1


def border_length(cells: np.ndarray) -> int:
    return int((cells[1:] != cells[:-1]).sum() + (cells[:, 1:] != cells[:, :-1]).sum())


def test_borders_become_longer_and_no_class_is_new() -> None:
    cells = island()
    rect, rough = roughened(cells, WHOLE, ROUGH)
    assert rect == WHOLE and np.array_equal(cells, island())
    assert set(np.unique(rough)) == set(np.unique(cells))
    assert border_length(rough) > 1.15 * border_length(cells)


def test_areas_keep_about_their_size_on_average() -> None:
    cells = island()
    sizes = [np.bincount(roughened(cells, WHOLE, Roughness(12, 40, seed))[1].ravel()) for seed in range(12)]
    before = np.bincount(cells.ravel())
    ratio = np.mean(sizes, axis=0)[before > 0] / before[before > 0]
    assert (np.abs(ratio - 1) < 0.06).all()


def test_only_what_is_near_a_border_changes() -> None:
    cells = island()
    cells[cells != 0] = 1
    rough = roughened(cells, WHOLE, ROUGH)[1]
    same = np.ones(SHAPE, np.uint8)
    same[1:] &= cells[1:] == cells[:-1]
    same[:, 1:] &= cells[:, 1:] == cells[:, :-1]
    distance = cv2.distanceTransform(same, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    changed = rough != cells
    assert changed.any()
    assert distance[changed].max() <= ROUGH.displacement_px + 2


@pytest.mark.parametrize("seed", range(5))
def test_rivers_stay_in_one_piece_and_reach_the_sea(seed: int) -> None:
    cells = island()
    rough = roughened(cells, WHOLE, Roughness(14, 40, seed))[1]
    assert areas(cells == WATER) == 1
    # The sea is one piece with both rivers, whose springs are still inland.
    count, labels = cv2.connectedComponents((rough == WATER).astype(np.uint8), connectivity=8)
    sizes = np.bincount(labels.ravel())[1:]
    assert count == 2 or np.sort(sizes)[-2] < 30, "an inlet may be cut off, but no river"
    assert (rough[130:190, 110:200] == WATER).any()


def test_specks_do_not_disappear() -> None:
    cells = np.ones((120, 120), np.uint8)
    cells[30:33, 40:43] = 5
    cells[80, 70] = 6
    rough = roughened(cells, Rect.of_shape(cells.shape), Roughness(10, 40))[1]
    assert (rough == 5).sum() >= 6 and (rough == 6).sum() == 1


@settings(max_examples=30, deadline=None)
@given(st.integers(-10, 280), st.integers(-10, 380), st.integers(1, 150), st.integers(1, 150), st.integers(0, 3))
def test_a_part_equals_that_part_of_the_whole(row: int, col: int, height: int, width: int, seed: int) -> None:
    cells = island()
    cells[:100, :50] = EMPTY
    whole = roughened(cells, WHOLE, Roughness(9, 30, seed))[1]
    rect, part = roughened(cells, Rect(row, col, height, width), Roughness(9, 30, seed))
    assert rect == Rect(row, col, height, width).clipped(SHAPE)
    assert np.array_equal(part, whole[rect.slices])


def test_tiles_equal_the_whole_wherever_the_map_is_cut() -> None:
    cells = np.tile(island(), (2, 2))
    whole = roughened(cells, Rect.of_shape(cells.shape), ROUGH)[1]
    joined = np.full(cells.shape, 99, np.uint8)
    for tile in tiles(Rect.of_shape(cells.shape)):
        wide = tile.grown(ROUGH.reach_px).clipped(cells.shape)
        joined[tile.slices] = roughened_part(cells[wide.slices].copy(), wide, tile, ROUGH)
    assert np.array_equal(joined, whole)


def test_the_same_seed_is_the_same_border_and_another_seed_another_one() -> None:
    cells = island()
    first, again, other = (roughened(cells, WHOLE, Roughness(12, 40, seed))[1] for seed in (7, 7, 8))
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_displacement_depends_on_the_place_and_not_on_the_map() -> None:
    """The same border in another map, and with other land far from it, is the same."""
    cells = island()
    far = cells.copy()
    far[260:, 380:] = 3
    assert np.array_equal(
        roughened(cells, Rect(0, 0, 200, 300), ROUGH)[1], roughened(far, Rect(0, 0, 200, 300), ROUGH)[1]
    )


@pytest.mark.parametrize("chosen", [{0}, {2}, {1, 4}])
def test_only_borders_of_the_chosen_classes_move(chosen: set[int]) -> None:
    cells = island()
    rough = roughened(cells, WHOLE, ROUGH, chosen)[1]
    changed = rough != cells
    assert changed.any()
    assert (np.isin(cells[changed], list(chosen)) | np.isin(rough[changed], list(chosen))).all()


def test_the_weight_fades_the_roughness_out() -> None:
    cells = island()
    mask = np.zeros(SHAPE, np.bool_)
    mask[40:260, 60:330] = True
    weight = faded(mask, ROUGH.fade_px)
    rough = roughened(cells, WHOLE, ROUGH, weight=weight)[1]
    assert np.array_equal(rough[~mask], cells[~mask])
    deep = weight == 1
    assert deep.any()
    assert np.array_equal(rough[deep], roughened(cells, WHOLE, ROUGH)[1][deep])
    assert areas(rough == WATER) == areas(cells == WATER)


def test_a_map_of_one_class_and_an_empty_rectangle_stay_as_they_are() -> None:
    cells = np.full((64, 64), 3, np.uint8)
    assert np.array_equal(roughened(cells, Rect.of_shape((64, 64)), ROUGH)[1], cells)
    assert roughened(cells, Rect(80, 80, 5, 5), ROUGH)[1].size == 0


@pytest.mark.parametrize(("amount_px", "scale_px"), [(0.5, 40), (500, 40), (12, 1), (12, 5000)])
def test_numbers_out_of_range_are_refused(amount_px: float, scale_px: float) -> None:
    with pytest.raises(ValueError, match="must be"):
        Roughness(amount_px, scale_px)
