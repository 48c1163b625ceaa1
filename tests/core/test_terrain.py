import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrainpaint.core.terrain import Recipe


@given(blend=st.floats(0, 1))
def test_the_variance_does_not_depend_on_the_blend(blend: float) -> None:
    weights = [weight for _, weight in Recipe(1, 2, blend).weighted_seeds]
    assert sum(weight**2 for weight in weights) == pytest.approx(1)
    assert weights[0] == pytest.approx(math.cos(blend * math.pi / 2)) or blend == 1


@pytest.mark.parametrize(
    ("recipe", "seed"),
    [
        (Recipe(7), 7),
        (Recipe(7, None, 0.5), 7),
        (Recipe(7, 8, 0.0), 7),
        (Recipe(7, 8, 1.0), 8),
        (Recipe(7, 7 + (1 << 64), 0.5), 7),
        (Recipe(-1, (1 << 64) - 1, 0.5), -1),
    ],
)
def test_recipes_with_the_noise_of_one_seed(recipe: Recipe, seed: int) -> None:
    assert recipe.weighted_seeds == ((seed, 1.0),)


@pytest.mark.parametrize("variety", [-0.1, 2.1, math.nan])
def test_a_variety_out_of_range_is_refused(variety: float) -> None:
    with pytest.raises(ValueError, match="variety must be"):
        Recipe(1, variety=variety)


@pytest.mark.parametrize("blend", [-0.1, 1.1, math.nan])
def test_a_blend_out_of_range_is_refused(blend: float) -> None:
    with pytest.raises(ValueError, match="blend must be"):
        Recipe(1, 2, blend)
