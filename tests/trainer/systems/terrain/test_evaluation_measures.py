"""Each measure against cases whose result is known."""

import heapq

import numpy as np
import pytest
from numpy.typing import NDArray

from terrainpaint.core.shading import hillshade
from terrainpaint.errors import TrainingError
from tests.trainer.fields import noise
from tests.trainer.lands import small_set
from trainer.data.tile_set import TileSet
from trainer.metrics.depressions import filled
from trainer.systems.terrain.evaluation import height_statistics as heights
from trainer.systems.terrain.evaluation.real_crops import LEAST_LAND, RealCrops
from trainer.systems.terrain.evaluation.segmenter import class_ious, confusion_matrix
from trainer.systems.terrain.evaluation.shading_leak import fit_unshading, leak_correlations, leak_moments


def test_a_distribution_that_moved_by_its_deviation_is_one_away() -> None:
    ids = np.ones((200, 200), np.uint8)
    height = np.random.default_rng(0).normal(1000, 200, ids.shape).astype(np.float32)
    real, moved = (
        heights.histograms_by_class(values, ids, heights.ELEVATION_EDGES_M) for values in (height, height + 200)
    )
    assert real.sum() == real[1].sum() == ids.size
    distance, deviation = heights.histogram_distance(real[1], moved[1], heights.ELEVATION_EDGES_M) or (0, 0)
    assert distance == pytest.approx(1, abs=0.02) and deviation == pytest.approx(200, rel=0.02)
    assert heights.histogram_distance(real[1], real[2], heights.ELEVATION_EDGES_M) is None


def test_heights_beyond_the_bins_are_counted_in_the_outermost() -> None:
    counts = heights.histograms_by_class(
        np.array([[-9e4, 9e4]], np.float32), np.zeros((1, 2), np.uint8), heights.ELEVATION_EDGES_M
    )
    assert (counts[0, 0], counts[0, -1], counts.sum()) == (1, 1, 2)


def flooded(height: NDArray[np.float32], outlets: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Priority flood (Barnes and others 2014), pixel by pixel."""
    rows, cols = height.shape
    level = np.full(height.shape, np.inf, np.float32)
    heap = []
    for row in range(rows):
        for col in range(cols):
            if outlets[row, col] or row in (0, rows - 1) or col in (0, cols - 1):
                level[row, col] = height[row, col]
                heap.append((float(height[row, col]), row, col))
    heapq.heapify(heap)
    while heap:
        reached, row, col = heapq.heappop(heap)
        for r in range(max(row - 1, 0), min(row + 2, rows)):
            for c in range(max(col - 1, 0), min(col + 2, cols)):
                if level[r, c] == np.inf:
                    level[r, c] = max(height[r, c], reached)
                    heapq.heappush(heap, (float(level[r, c]), r, c))
    return level


@pytest.mark.parametrize("seed", range(4))
def test_filling_equals_a_priority_flood(seed: int) -> None:
    random = np.random.default_rng(seed)
    height = np.rint(noise(40, seed, 2.0) * 10 + random.normal(0, 3, (40, 40))).astype(np.float32)
    outlets = random.random((40, 40)) < 0.01
    assert np.array_equal(filled(height, outlets), flooded(height, outlets))


def test_depressions_are_counted_unless_they_hold_water_or_are_shallow() -> None:
    height = np.full((30, 40), 100, np.float32)
    height[5:10, 5:10] = 60
    height[15:20, 20:22] = 80
    height[25:27, 25:27] = 97
    ids = np.ones(height.shape, np.uint8)
    assert heights.depression_counts(height, ids).tolist() == [1200, 25 + 10, 2]
    ids[7, 7] = 0
    assert heights.depression_counts(height, ids).tolist() == [1199, 10, 1]


def test_coasts_count_high_water_low_land_and_cliffs() -> None:
    ids = np.ones((20, 20), np.uint8)
    ids[:10] = 0
    ids[15, 15] = 0  # a lake, which may lie high
    sea = heights.sea_water(ids, np.arange(20)[:, None].repeat(20, axis=1) < 9)
    assert sea[:10].all() and not sea[10:].any()
    height = np.where(ids == 0, 0, 20).astype(np.float32)
    height[9, :5] = 11
    height[10, 5:7] = -1
    height[10, 7] = 31
    # Three rows on either side; ten rows of land have twenty steps to the sea.
    assert heights.coast_counts(height, ids, sea).tolist() == [60, 5, 60, 2, 20, 1]


def test_light_from_the_north_west_is_found_there_and_nowhere_in_plain_colour() -> None:
    height = noise(128, 0, 3.0) * 100
    ids = np.full(height.shape, 5, np.uint8)
    lit = np.repeat((hillshade(height, 2000.0, 315, 45) * 255).astype(np.uint8)[:, :, None], 3, axis=2)
    correlations = leak_correlations(leak_moments(lit, height, ids, 2000.0))
    assert max(correlations, key=lambda name: correlations[name]) == "NW" and correlations["NW"] > 0.9
    assert correlations["SE"] == pytest.approx(-correlations["NW"]) and abs(correlations["NE"]) < 0.35
    other = np.repeat((128 + 40 * noise(128, 9, 2.0) / 20).clip(0, 255).astype(np.uint8)[:, :, None], 3, axis=2)
    assert max(map(abs, leak_correlations(leak_moments(other, height, ids, 2000.0)).values())) < 0.1
    assert leak_correlations(leak_moments(lit, height, ids * 0 + 1, 2000.0)) == {}


def test_moments_of_halves_add_up() -> None:
    height, ids = noise(64, 0, 3.0) * 100, np.full((64, 64), 3, np.uint8)
    picture = np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    west, east = ids.copy(), ids.copy()
    west[:, 32:], east[:, :32] = 0, 0
    parts = [leak_moments(picture, height, half, 2000.0) for half in (west, east)]
    assert np.allclose(sum(parts), leak_moments(picture, height, ids, 2000.0))


def test_shading_is_removed_from_a_real_picture() -> None:
    plain = small_set()
    light = np.stack([hillshade(height.astype(np.float32), 2000.0) for height in plain.height])
    lit = np.clip(120 + 200 * (light - np.sin(np.pi / 4)), 0, 255).astype(np.uint8)
    shaded = TileSet(**{**vars(plain), "texture": np.repeat(lit[..., None], 3, axis=3)})
    regions = RealCrops(shaded, 64, 40, 0)
    unshading = fit_unshading(regions, 2000.0)
    assert unshading.explained > 0.8
    crop = regions[0]
    inner = np.s_[4:-4, 4:-4]
    before, after = crop.picture[inner].std(), unshading.albedo(crop.picture, crop.height)[inner].std()
    assert after < before / 2


def test_confusion_and_overlap() -> None:
    target, predicted = np.array([[0, 0, 1, 1]], np.uint8), np.array([[0, 1, 1, 1]], np.uint8)
    counts = confusion_matrix(target, predicted)
    assert counts[0, 0] == 1 and counts[0, 1] == 1 and counts[1, 1] == 2 and counts.sum() == 4
    assert class_ious(counts)[:2].tolist() == pytest.approx([1 / 2, 2 / 3]) and np.isnan(class_ious(counts)[2:]).all()


def test_crops_are_valid_land_and_the_same_every_time() -> None:
    prepared = small_set()
    regions = RealCrops(prepared, 48, 30, 3)
    assert len(regions) == 30 and len(regions.first(4)) == 4
    for index in range(30):
        crop, again = regions[index], RealCrops(prepared, 48, 30, 3)[index]
        assert crop.ids.shape == crop.sea.shape == crop.height.shape == (48, 48)
        assert np.array_equal(crop.picture, again.picture) and np.array_equal(crop.ids, again.ids)
        assert (~crop.sea).mean() >= LEAST_LAND
    pink = prepared.texture.copy()
    pink[~prepared.valid] = (255, 0, 255)
    marked = RealCrops(TileSet(**{**vars(prepared), "texture": pink}), 48, 100, 3)
    assert not prepared.valid.all()
    assert not any((marked[index].picture == (255, 0, 255)).all(axis=2).any() for index in range(len(marked)))


def test_sets_that_have_no_crops_are_refused() -> None:
    prepared = small_set()
    with pytest.raises(TrainingError, match="trainer label"):
        RealCrops(prepared.with_labels(prepared.labels[:, :0]), 48, 4, 0)
    with pytest.raises(TrainingError, match="do not fit"):
        RealCrops(prepared, 1024, 4, 0)
    with pytest.raises(TrainingError, match="wholly valid"):
        RealCrops(TileSet(**{**vars(prepared), "valid": prepared.valid & False}), 48, 4, 0)
