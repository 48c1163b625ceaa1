"""Pictures and heights of users → classes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from terrainpaint.core.assets import asset_path
from terrainpaint.core.classes import CLASS_COUNT, CLASS_NAMES, PALETTE, WATER
from terrainpaint.core.importing import (
    ClassLimits,
    classes_of_earth,
    classes_of_heights,
    default_limits,
    is_coarsely_labelled,
    k_means,
    labelled_shape,
    likelier_pixel_size,
    likely_classes,
)
from terrainpaint.core.importing import earth as earth_module
from terrainpaint.core.labeller import load_labeller
from terrainpaint.core.smoothing import Smoothing
from terrainpaint.errors import Cancelled

GRASSLAND, FOREST, HILLS, DESERT, MOUNTAIN, TUNDRA = (
    CLASS_NAMES.index(name) for name in ("grassland", "forest", "hills", "desert", "mountain", "tundra")
)


def patches(colours: NDArray[np.uint8], side: int = 40) -> NDArray[np.uint8]:
    """(side, side * len(colours), 3): a patch of each colour from left to right."""
    return np.repeat(np.tile(colours, (side, 1, 1)), side, axis=1)


def test_clusters_of_class_colours_are_the_classes() -> None:
    ids = np.random.default_rng(2).integers(0, CLASS_COUNT, (50, 60), dtype=np.uint8)
    clusters = k_means(PALETTE[ids])
    np.testing.assert_array_equal(clusters.ids(clusters.suggested), ids)


def test_clusters_find_noisy_colours_from_frequent_to_rare() -> None:
    colours = np.array([[20, 40, 90], [60, 90, 50], [200, 190, 150], [240, 240, 245]], np.uint8)
    truth = np.random.default_rng(3).choice(4, (300, 300), p=[0.1, 0.4, 0.3, 0.2])
    noise = np.random.default_rng(4).integers(-8, 9, (300, 300, 3))
    rgb = np.clip(colours[truth].astype(int) + noise, 0, 255).astype(np.uint8)
    clusters = k_means(rgb, count=4)
    assert np.abs(clusters.centres.astype(int) - colours[[1, 2, 3, 0]]).max() <= 3
    assert (np.array([1, 2, 3, 0])[clusters.labels] == truth).mean() > 0.999
    ids = clusters.ids([6, 0, 1, 2])
    assert (ids[clusters.labels == 0] == 6).all() and (ids[clusters.labels == 3] == 2).all()


def test_clusters_are_the_same_every_time() -> None:
    rgb = np.random.default_rng(5).integers(0, 256, (250, 300, 3), dtype=np.uint8)
    first = k_means(rgb, seed=8)
    cv2.setRNGSeed(12345)
    again = k_means(rgb, seed=8)
    np.testing.assert_array_equal(first.centres, again.centres)
    np.testing.assert_array_equal(first.labels, again.labels)
    assert first.suggested == again.suggested


def test_few_colours_give_few_clusters() -> None:
    clusters = k_means(patches(np.array([[0, 0, 0], [255, 255, 255]], np.uint8)), count=7)
    assert sorted(clusters.centres[:, 0].tolist()) == [0, 255]
    assert len(clusters.suggested) == 2


def test_suggestions_are_one_to_one_unless_that_is_far_off() -> None:
    assert sorted(k_means(patches(PALETTE)).suggested) == list(range(CLASS_COUNT))
    blues = np.array([[17, 141, 215], [10, 120, 230], [40, 150, 210]], np.uint8)
    assert k_means(patches(blues)).suggested == (WATER, WATER, WATER)
    many = k_means(np.random.default_rng(0).integers(0, 256, (60, 60, 3), dtype=np.uint8), count=12)
    assert len(many.suggested) == 12


LOOKS = {
    "water": ["#0a1a3c", "#1c3f72", "#02040d", "#3a6ea5", "#7fb2d9", "#aad3df", "#2f7f8f"],
    "forest": ["#22361a", "#38552f", "#105c16", "#4a7a45", "#1a2c16"],
    "grassland": ["#9cb45c", "#b9cd7c", "#86c957", "#cfe6a4"],
    "tundra": ["#ffffff", "#f4f7fa", "#e8edf2"],
    "desert": ["#d8b98c", "#eccf9c", "#f3e2bd"],
    "hills": ["#7a5638", "#8f6744", "#5f412b"],
    "mountain": ["#5c5a57", "#7f7d7a", "#9a9a9a"],
}


@pytest.mark.parametrize("name", LOOKS)
def test_colours_of_photographs_become_the_class_they_look_like(name: str) -> None:
    colours = np.array([tuple(bytes.fromhex(colour[1:])) for colour in LOOKS[name]], np.uint8)
    assert [CLASS_NAMES[class_id] for class_id in likely_classes(colours)] == [name] * len(colours)
    assert [CLASS_NAMES[class_id] for class_id in k_means(patches(colours[:1])).suggested] == [name]


def test_class_colours_and_their_neighbours_are_their_class() -> None:
    for step in (-3, 0, 3):
        near = (PALETTE.astype(int) + step).astype(np.uint8)
        assert likely_classes(near).tolist() == list(range(CLASS_COUNT))


def test_what_is_not_seen_makes_no_clusters() -> None:
    rgb = patches(PALETTE[[0, 2]])
    seen = (rgb == PALETTE[0]).all(axis=2)
    assert k_means(rgb, seen=seen).centres.tolist() == [PALETTE[0].tolist()]


@pytest.mark.parametrize("classes", [(0,), (0, 7), (0, -1), (0, 1, 2)])
def test_wrong_classes_of_clusters(classes: tuple[int, ...]) -> None:
    clusters = k_means(patches(np.array([[0, 0, 0], [255, 255, 255]], np.uint8)))
    with pytest.raises(ValueError, match="2 clusters"):
        clusters.ids(classes)


def test_a_count_of_clusters_out_of_range() -> None:
    with pytest.raises(ValueError, match="count"):
        k_means(patches(PALETTE), count=0)


def test_classes_by_height_and_slope() -> None:
    limits = ClassLimits(0.0, 10.0, 100.0, 1000.0, 5.0, 20.0)
    steps = {-5.0: WATER, 0.0: WATER, 5.0: DESERT, 50.0: GRASSLAND, 500.0: FOREST, 2000.0: TUNDRA}
    for metres, expected in steps.items():
        ids = classes_of_heights(np.full((64, 64), metres, np.float32), 100.0, limits)
        assert (ids == expected).all(), metres
    slope = np.tile(np.arange(64, dtype=np.float32), (64, 1)) * np.float32(100 * np.tan(np.radians(10))) + 1
    ids = classes_of_heights(slope, 100.0, limits)
    assert (ids[:, slope[0] < 900] == HILLS).all() and (ids[:, slope[0] > 1100] == TUNDRA).all()
    assert (classes_of_heights(slope * 4, 100.0, limits) == MOUNTAIN).mean() > 0.95


def island(metres: float) -> NDArray[np.float32]:
    """(300, 300): a rugged cone in the sea, `metres` high, with plains around."""
    rows, cols = np.mgrid[0:300, 0:300].astype(np.float32)
    distance = np.hypot(rows - 150, cols - 150)
    noise = cv2.GaussianBlur(np.random.default_rng(6).normal(size=(300, 300)).astype(np.float32), (0, 0), 6)
    height = metres * np.maximum(0, 1 - distance / 60) ** 1.5 + metres * 0.05 * (130 - distance) / 130
    return np.asarray(height * (1 + noise), np.float32)


def test_default_limits_of_an_island() -> None:
    height = island(3000.0)
    ids = classes_of_heights(height, 500.0, default_limits(height, 500.0))
    np.testing.assert_array_equal(ids == WATER, height <= 0)
    land = np.bincount(ids[ids != WATER], minlength=CLASS_COUNT) / np.count_nonzero(ids)
    assert land[GRASSLAND] > 0.2 and land[FOREST] > 0.1 and land[MOUNTAIN] > 0.02
    assert land[DESERT] == 0


def test_default_limits_leave_low_land_flat() -> None:
    height = island(60.0)
    ids = classes_of_heights(height, 500.0, default_limits(height, 500.0))
    assert set(np.unique(ids)) <= {WATER, GRASSLAND, FOREST}


def test_default_limits_of_numbers_without_unit() -> None:
    height = island(3000.0)
    numbers = (height - height.min()) / np.ptp(height) * np.float32(65535)
    ids = classes_of_heights(numbers, 1.0, default_limits(numbers, 1.0))
    shares = np.bincount(ids.ravel(), minlength=CLASS_COUNT) / ids.size
    assert shares[MOUNTAIN] < 0.3 and shares[HILLS] < 0.4 and shares[GRASSLAND] + shares[FOREST] > 0.3


@pytest.mark.parametrize("metres", [-4000.0, 0.0, 700.0])
def test_default_limits_of_level_ground(metres: float) -> None:
    height = np.full((40, 40), metres, np.float32)
    ids = classes_of_heights(height, 100.0, default_limits(height, 100.0))
    assert (ids == (GRASSLAND if metres > 0 else WATER)).all()


@pytest.mark.parametrize("limits", [(0, 5, 4, 6, 1, 2), (0, 1, 2, 3, 5, 4), (float("nan"), 1, 2, 3, 4, 5)])
def test_limits_out_of_order(limits: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="must rise"):
        ClassLimits(*limits)


def land(shape: tuple[int, int]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    random = np.random.default_rng(7)
    coarse = random.normal(size=(shape[0] // 16 + 1, shape[1] // 16 + 1)).astype(np.float32)
    height = np.maximum(0, cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC)) * np.float32(1500)
    colours = np.where(height[:, :, None] > 0, [120, 140, 90], [150, 200, 230]).astype(np.uint8)
    return colours + random.integers(0, 20, (*shape, 3), dtype=np.uint8), height


def test_labelling_in_tiles_equals_labelling_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    texture, height = land((300, 340))
    shares: list[float] = []
    monkeypatch.setattr(earth_module, "TILE_PX", 96)
    tiled = classes_of_earth(texture, height, 2000.0, progress=shares.append)
    whole = load_labeller(asset_path("labeller.npz")).label(texture, height, 2000.0, Smoothing()).ids
    assert (tiled == whole).mean() > 0.999
    assert shares == sorted(shares) and shares[-1] == 1.0 and len(shares) == 17


def test_the_labeller_finds_the_sea_at_any_size() -> None:
    texture, height = land((200, 260))
    small = np.asarray(cv2.resize(texture, (130, 100), interpolation=cv2.INTER_AREA), np.uint8)
    for pixel_size_m in (90.0, 2000.0, 90_000.0):
        ids = classes_of_earth(small, height, pixel_size_m)
        assert ids.shape == height.shape and ids.max() < CLASS_COUNT
    assert ((classes_of_earth(texture, height, 2000.0) == WATER) == (height == 0)).mean() > 0.8


def test_a_land_of_few_pixels_for_the_labeller_is_labelled_coarsely() -> None:
    assert labelled_shape((700, 1000), 30.0) == (32, 46)
    assert labelled_shape((700, 1000), 2000.0) == (700, 1000)
    assert labelled_shape((700, 1000), 9000.0) == (1400, 2000)
    assert is_coarsely_labelled((700, 1000), 30.0) and is_coarsely_labelled((700, 1000), 150.0)
    assert not is_coarsely_labelled((700, 1000), 250.0)
    assert not is_coarsely_labelled((40, 50), 2000.0)


def test_the_labeller_can_be_stopped() -> None:
    with pytest.raises(Cancelled):
        classes_of_earth(*land((64, 64)), 2000.0, cancel=lambda: True)


@pytest.mark.parametrize("size_m", [2.0, 30.0, 300.0, 2000.0])
def test_slopes_tell_whether_a_pixel_size_is_likely(size_m: float) -> None:
    rows, cols = np.indices((200, 200))
    steep = 0.1 * (size_m / 30) ** -0.4
    land = (5000 + steep * size_m * 20 * np.sin(rows / 10) * np.cos(cols / 10)).astype(np.float32)
    assert likelier_pixel_size(land, size_m) is None
    for wrong_m in (size_m / 100, size_m * 10_000):
        proposed = likelier_pixel_size(land, wrong_m)
        assert proposed is not None and size_m / 3 < proposed < size_m * 3
    assert likelier_pixel_size(np.full((40, 40), 7, np.float32), size_m) is None
