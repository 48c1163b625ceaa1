import itertools

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from terrainpaint.core.classes import CLASS_COUNT
from terrainpaint.core.fine_land import CLASS_MARGIN, STEP, cell_means, coarse_window, fine_classes
from terrainpaint.core.rects import Rect

FOREST, MOUNTAIN = 2, 5


def fine_of(ids: NDArray[np.uint8], seed: int = 3) -> NDArray[np.uint8]:
    """The fine class map of a whole map."""
    around = np.pad(ids, CLASS_MARGIN, mode="edge")
    return fine_classes(around, -CLASS_MARGIN, -CLASS_MARGIN, seed)


def painted(side: int, cell: int = 5) -> NDArray[np.uint8]:
    random = np.random.default_rng(8)
    cells = random.integers(0, CLASS_COUNT, (side // cell + 1, side // cell + 1), dtype=np.uint8)
    return np.ascontiguousarray(np.kron(cells, np.ones((cell, cell), np.uint8))[:side, :side])


def forest(side: int) -> NDArray[np.uint8]:
    return np.full((side, side), FOREST, np.uint8)


@pytest.mark.parametrize("rect", [Rect(0, 0, 9, 14), Rect(20, 31, 16, 5), Rect(38, 40, 10, 8)])
def test_a_window_of_classes_equals_the_whole(rect: Rect) -> None:
    ids = painted(48)
    height, albedo = np.zeros(ids.shape, np.float32), np.zeros((*ids.shape, 3), np.uint8)
    window = coarse_window(height, albedo, ids, rect, CLASS_MARGIN, 2000.0)
    assert (window.row, window.col) == (rect.row - CLASS_MARGIN, rect.col - CLASS_MARGIN)
    rows, cols = (slice(STEP * part.start, STEP * part.stop) for part in rect.slices)
    assert np.array_equal(fine_classes(window.ids, window.row, window.col, 3), fine_of(ids)[rows, cols])


def test_borders_depend_on_the_seed_and_every_class_keeps_its_area() -> None:
    ids = painted(48)
    fine = fine_of(ids)
    assert not np.array_equal(fine, fine_of(ids, seed=4))
    for value in range(CLASS_COUNT):
        assert (fine == value).mean() == pytest.approx((ids == value).mean(), rel=0.08)


def test_inside_of_an_area_nothing_changes() -> None:
    ids = painted(48, cell=12)
    same = cv2.erode(ids, np.ones((5, 5))) == cv2.dilate(ids, np.ones((5, 5)))
    inside = np.kron(same, np.ones((STEP, STEP), bool))
    assert np.array_equal(fine_of(ids)[inside], np.kron(ids, np.ones((STEP, STEP), np.uint8))[inside])


def test_a_coast_has_no_steps_of_cells() -> None:
    ids = forest(48)
    rows, cols = np.indices(ids.shape)
    ids[rows > 14 + cols / 4] = 0
    coast = (fine_of(ids) != 0).sum(axis=0)
    longest = np.diff(np.flatnonzero(np.diff(coast))).max()
    assert longest < 14  # steps of cells would be 16 pixels long
    assert np.abs(np.diff(coast)).max() <= 3


@pytest.mark.parametrize("course", ["straight", "diagonal", "bent", "two wide"])
def test_a_river_runs_on_as_a_smooth_band(course: str) -> None:
    ids = forest(48)
    across = np.arange(4, 44)
    down = {"straight": 0 * across + 20, "diagonal": across, "bent": 24 + np.rint(6 * np.sin(across / 4)).astype(int)}
    rows = down.get(course, across // 3 + 10)
    ids[rows, across] = 0
    if course == "bent":  # no gaps
        for at, (first, second) in enumerate(itertools.pairwise(rows)):
            ids[min(first, second) : max(first, second) + 1, across[at]] = 0
    if course == "two wide":
        ids[rows + 1, across] = 0
    wet = (fine_of(ids) == 0).astype(np.uint8)
    count, parts = cv2.connectedComponents(wet, connectivity=8)
    assert count == 2
    reached = np.flatnonzero((parts == 1).any(axis=0))
    assert reached[0] <= STEP * 6 and reached[-1] >= STEP * 42
    assert wet.sum() / STEP**2 == pytest.approx((ids == 0).sum(), rel=0.25)


def test_single_cells_remain() -> None:
    ids = forest(40)
    ids[20, 20], ids[10, 28] = 0, MOUNTAIN
    fine = fine_of(ids)
    for value in (0, MOUNTAIN):
        assert 6 <= (fine == value).sum() <= 24


def test_means_of_cells() -> None:
    fine = np.arange(64, dtype=np.float32).reshape(8, 8)
    assert np.allclose(cell_means(fine), fine.reshape(2, 4, 2, 4).mean(axis=(1, 3)))
