"""Tiles of a map, and shading again the tiles with changed heights."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from terrainpaint.core.terrain import Provenance, Recipe, Terrain
from terrainpaint.generation.tiles import reshaded, tiles


@given(rows=st.integers(1, 300), cols=st.integers(1, 300), side=st.integers(1, 128))
def test_tiles_cover_every_pixel_once_and_stay_within_the_limit(rows: int, cols: int, side: int) -> None:
    covered = np.zeros((rows, cols), int)
    for rect in tiles(rows, cols, side):
        assert 1 <= rect.height <= side and 1 <= rect.width <= side
        covered[rect.slices] += 1
    assert (covered == 1).all()


def test_a_map_just_over_the_limit_gives_two_equal_halves() -> None:
    assert [rect.width for rect in tiles(8, 1025, 1024)] == [512, 513]


PROVENANCE = Provenance("0" * 64, "atlas", Recipe(), "0")


def gradient_shading(terrain: Terrain) -> NDArray[np.uint8]:
    """Shading by slopes, which reads one pixel to each side."""
    south, east = np.gradient(terrain.height)
    shown = np.clip(128 + 8 * (south + east), 0, 255).astype(np.uint8)
    return terrain.albedo // 2 + shown[..., None] // 2


def test_only_tiles_with_changed_heights_are_shaded_again() -> None:
    random = np.random.default_rng(0)
    albedo = random.integers(0, 256, (1100, 700, 3), dtype=np.uint8)
    terrain = Terrain(albedo, random.random((1100, 700), dtype=np.float32) * 9, 30.0, PROVENANCE)
    height = terrain.height.copy()
    height[360:372, 340:360] = 5  # over the borders of four tiles
    height[1000, 699] += 4
    changed = replace(terrain, height=height)
    shapes: list[tuple[int, int]] = []

    def shade(tile: Terrain) -> NDArray[np.uint8]:
        shapes.append(tile.shape)
        return gradient_shading(tile)

    before = gradient_shading(terrain)
    result = reshaded(before, terrain.height, changed, shade)
    assert np.array_equal(result, gradient_shading(changed)) and np.array_equal(before, gradient_shading(terrain))
    assert len(shapes) == 5 and max(rows for rows, _ in shapes) < 400
    assert np.array_equal(reshaded(before, terrain.height, terrain, shade), before) and len(shapes) == 5
