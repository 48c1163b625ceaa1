from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.terrain import Provenance, Recipe, Terrain
from terrainpaint.generate.relighting import relit

MADE_BY = Provenance("0" * 64, "atlas", Recipe(), "0")


def sunny(terrain: Terrain) -> NDArray[np.uint8]:
    """A picture of slopes that looks one pixel to each side."""
    south, east = np.gradient(terrain.height)
    shown = np.clip(128 + 8 * (south + east), 0, 255).astype(np.uint8)
    return terrain.albedo // 2 + shown[..., None] // 2


def test_only_what_changed_is_lit_anew_and_as_the_whole_would_be() -> None:
    random = np.random.default_rng(0)
    albedo = random.integers(0, 256, (1100, 700, 3), dtype=np.uint8)
    terrain = Terrain(albedo, random.random((1100, 700), dtype=np.float32) * 9, 30.0, MADE_BY)
    height = terrain.height.copy()
    height[360:372, 340:360] = 5  # over the borders of four tiles
    height[1000, 699] += 4
    changed = replace(terrain, height=height)
    lit: list[tuple[int, int]] = []

    def shade(part: Terrain) -> NDArray[np.uint8]:
        lit.append(part.shape)
        return sunny(part)

    before = sunny(terrain)
    found = relit(before, terrain.height, changed, shade)
    assert np.array_equal(found, sunny(changed)) and np.array_equal(before, sunny(terrain))
    assert len(lit) == 5 and max(rows for rows, _ in lit) < 400
    assert np.array_equal(relit(before, terrain.height, terrain, shade), before) and len(lit) == 5
