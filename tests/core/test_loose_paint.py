import dataclasses

import numpy as np
import pytest

from terrainpaint.core.loose_paint import MOST_PX, loosened, loosened_part, roughness_of
from terrainpaint.core.painting import ellipse
from terrainpaint.core.rects import Rect
from terrainpaint.core.terrain import Recipe

SHAPE = (300, 340)


def island() -> np.ndarray:
    ids = np.zeros(SHAPE, np.uint8)
    ids[ellipse((60, 60), (240, 280), SHAPE).part(Rect.of_shape(SHAPE))] = 1
    return ids


def changed(follow: float, seed: int = 3) -> np.ndarray:
    return np.asarray(loosened(island(), Recipe(seed, follow=follow)) != island())


def test_exactly_is_the_painted_map_itself() -> None:
    ids = island()
    assert loosened(ids, Recipe(3)) is ids


def test_looser_borders_move_further_and_never_too_far() -> None:
    counts = [int(changed(follow).sum()) for follow in (1.0, 0.9, 0.5, 0.0)]
    assert counts == sorted(counts) and counts[0] == 0 and counts[-1] > 3000
    rows, cols = np.nonzero(changed(0.0))
    outside = np.hypot((rows - 150) / 91, (cols - 170) / 111)
    assert outside.max() < 1 + 2 * MOST_PX / 91 + 0.1 and outside.min() > 1 - 2 * MOST_PX / 91 - 0.1


def test_the_area_stays_about_as_large_and_water_stays_water() -> None:
    loose = loosened(island(), Recipe(3, follow=0.0))
    assert loose.sum() == pytest.approx(island().sum(), rel=0.1)
    assert set(np.unique(loose)) == {0, 1}


def test_another_seed_gives_other_borders() -> None:
    assert (changed(0.3, 3) != changed(0.3, 4)).any()
    assert (changed(0.3, 3) == changed(0.3, 3 + 2**64)).all()


def test_a_border_depends_on_what_is_near_only() -> None:
    ids = island()
    ids[:40, 300:] = 5
    far = loosened(ids, Recipe(3, follow=0.4)) != loosened(island(), Recipe(3, follow=0.4))
    assert far.any() and not far[120:].any() and not far[:, :200].any()


@pytest.mark.parametrize("follow", [0.0, 0.5, 0.97])
def test_a_part_is_that_of_the_whole_and_reads_what_is_near_only(follow: float) -> None:
    ids, recipe = island(), Recipe(3, follow=follow)
    ids[148:150, 20:320] = 0
    ids[100:130, 100:103] = 5
    roughness = roughness_of(recipe)
    assert roughness is not None
    whole = loosened(ids, recipe)
    for rect in (Rect(90, 60, 73, 101), Rect(0, 0, 60, 60), Rect(140, 251, 20, 89)):
        near = rect.grown(roughness.reach_px).clipped(SHAPE)
        unknown = np.full(SHAPE, 6, np.uint8)
        unknown[near.slices] = ids[near.slices]
        np.testing.assert_array_equal(loosened_part(unknown, rect, roughness), whole[rect.slices])


def test_follow_is_between_0_and_1() -> None:
    with pytest.raises(ValueError, match="follow"):
        dataclasses.replace(Recipe(), follow=-0.1)
