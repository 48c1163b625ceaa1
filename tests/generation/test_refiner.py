from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from terrainpaint.core.classes import CLASS_COUNT
from terrainpaint.core.fine_land import CoarseWindow, FineTile, coarse_window
from terrainpaint.core.rects import Rect
from terrainpaint.generation.refiner import Refiner
from terrainpaint.models.fine_land_weights import load_fine_land
from tests.generation.random_weights import write_fine_land

SIDE = 56
CELL_M = 2000.0


@pytest.fixture(scope="module")
def refiner(tmp_path_factory: pytest.TempPathFactory) -> Refiner:
    path = tmp_path_factory.mktemp("fine") / "random.safetensors"
    write_fine_land(path)
    return Refiner(load_fine_land(path, torch.device("cpu")), torch.device("cpu"))


def land() -> tuple[NDArray[np.float32], NDArray[np.uint8], NDArray[np.uint8]]:
    """Height, albedo and classes of hills with a sea in the west and a lake."""
    random = np.random.default_rng(2)
    cells = random.integers(1, CLASS_COUNT, (SIDE // 7, SIDE // 7), dtype=np.uint8)
    ids = np.ascontiguousarray(np.kron(cells, np.ones((7, 7), np.uint8)))
    ids[:, :13], ids[20:28, 20:30] = 0, 0
    hills = cv2.GaussianBlur(random.normal(0, 900, (SIDE, SIDE)), (0, 0), 2) + 10 * np.arange(SIDE)
    height = np.maximum(hills, 5).astype(np.float32)
    height[:, :13], height[20:28, 20:30] = 0, 217.25
    return height, random.integers(90, 160, (SIDE, SIDE, 3), dtype=np.uint8), ids


def refined(refiner: Refiner, rect: Rect, factor: int, seed: int = 6) -> FineTile:
    return refiner.refine(coarse_window(*land(), rect, refiner.margin(factor), CELL_M), factor, seed)


@pytest.mark.parametrize(("factor", "rects"), [
    (4, [Rect(0, 0, 20, 17), Rect(17, 14, 12, 31), Rect(40, 36, 16, 20)]),
    (16, [Rect(15, 8, 11, 18)]),
])  # fmt: skip
def test_windows_equal_the_whole(refiner: Refiner, factor: int, rects: list[Rect]) -> None:
    whole = refined(refiner, Rect(0, 0, SIDE, SIDE), factor)
    assert whole.height.shape == whole.ids.shape == whole.albedo.shape[:2] == (factor * SIDE, factor * SIDE)
    for rect in rects:
        part = refined(refiner, rect, factor)
        rows, cols = (slice(factor * span.start, factor * span.stop) for span in rect.slices)
        assert np.array_equal(part.ids, whole.ids[rows, cols])
        assert np.abs(part.height - whole.height[rows, cols]).max() < 0.01
        assert np.abs(part.albedo.astype(int) - whole.albedo[rows, cols]).max() <= 1


@pytest.mark.parametrize("factor", [4, 16])
def test_water_is_level_and_land_keeps_its_means(refiner: Refiner, factor: int) -> None:
    height, _, ids = land()
    rect = Rect(8, 8, 30, 30)
    tile = refined(refiner, rect, factor)
    assert set(np.unique(tile.height[tile.ids == 0])) == {np.float32(0), np.float32(217.25)}
    means = cv2.resize(tile.height, (rect.width, rect.height), interpolation=cv2.INTER_AREA)
    inland = cv2.erode((ids != 0).astype(np.uint8), np.ones((7, 7)))[rect.slices] > 0
    assert inland.sum() > 50
    assert np.abs(means - height[rect.slices])[inland].max() < 0.05


def test_the_seed_changes_the_land_and_the_same_seed_does_not(refiner: Refiner) -> None:
    first, again, other = (refined(refiner, Rect(30, 30, 8, 8), 4, seed) for seed in (1, 1, 2))
    assert np.array_equal(first.height, again.height) and np.array_equal(first.albedo, again.albedo)
    assert np.abs(first.height - other.height).max() > 0.5


def test_several_windows_at_a_time_are_those_of_one_after_the_other(refiner: Refiner) -> None:
    rects = [Rect(4 * row, 20, 5, 7) for row in range(7)]
    windows = [coarse_window(*land(), rect, refiner.margin(4), CELL_M) for rect in rects]
    threads = torch.get_num_threads()
    tiles = list(refiner.refine_all(iter(windows), 4, 6))
    assert torch.get_num_threads() == threads
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(torch.get_num_threads).result() == threads, "threads of later work have all cores again"
    for tile, rect in zip(tiles, rects, strict=True):
        expected = refined(refiner, rect, 4)
        assert np.abs(tile.height - expected.height).max() < 0.01
        assert np.array_equal(tile.ids, expected.ids)


def test_no_more_windows_are_taken_than_needed(refiner: Refiner) -> None:
    taken = []

    def windows() -> Iterator[CoarseWindow]:
        for row in range(30):
            taken.append(row)
            yield coarse_window(*land(), Rect(row, 20, 4, 4), refiner.margin(4), CELL_M)

    tiles = refiner.refine_all(windows(), 4, 6)
    next(tiles)
    tiles.close()
    assert len(taken) < 10


def test_each_scale_has_its_step(refiner: Refiner) -> None:
    first, second = refiner.fine.steps
    assert refiner.steps(16, 2000) == (first, second)
    assert refiner.steps(4, 500) == (second,)
    assert refiner.steps(4, 1500) == (first,)
    with pytest.raises(ValueError, match="factor"):
        refiner.margin(8)
