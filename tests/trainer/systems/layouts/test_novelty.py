"""Dreamed layouts against the crops of the training."""

import numpy as np
import pytest

from terrainpaint.core.progress import no_progress
from trainer.systems.layouts.novelty import layout_novelty, nearest_layouts, turned_like
from trainer.systems.layouts.novelty_page import layout_novelty_page


def noisy(count: int, seed: int) -> np.ndarray:
    """(N, 32, 32) uint8: squares of 4 px of random classes."""
    small = np.random.default_rng(seed).integers(0, 7, (count, 8, 8))
    return np.repeat(np.repeat(small, 4, axis=1), 4, axis=2).astype(np.uint8)


def test_a_turned_copy_is_found_and_shown_as_it_fits() -> None:
    searched = noisy(40, 0)
    copy = np.rot90(searched[17], 1)[:, ::-1]
    likeness, places = nearest_layouts(copy[None], searched, 3)
    assert places[0, 0] == 17 and likeness[0, 0] == pytest.approx(1, abs=1e-5)
    assert likeness[0, 1] < 0.6
    assert np.array_equal(turned_like(searched[places[0]], copy)[0], copy)


def test_likeness_is_the_part_of_the_area_with_the_same_class() -> None:
    one = np.full((1, 32, 32), 2, np.uint8)
    other = one.copy()
    other[:, :8] = 5  # a quarter
    assert nearest_layouts(other, one, 1)[0][0, 0] == pytest.approx(0.75, abs=1e-5)


def test_copies_are_named_and_new_layouts_are_not() -> None:
    searched, unseen = noisy(60, 1), noisy(50, 2)
    samples = np.concatenate([noisy(6, 3), searched[[4, 9]]])
    found = layout_novelty(samples, unseen, searched[:10], searched, no_progress)
    assert np.flatnonzero(found.may_be_copy).tolist() == [6, 7]
    assert (found.percentile[6:] == 1).all() and found.figures["may be copies"] == 2
    assert found.figures["median likeness of training"] == pytest.approx(1, abs=1e-5)
    assert np.array_equal(found.nearest[6, 0], searched[4])
    page = layout_novelty_page(found, {"weights": "w.safetensors", "N": 8, "seed": 100})
    assert "2 of 8" in page and page.count('class="near"') == 2 + 2  # among the copies, and among the first seeds
    assert page.index("seed 106") < page.index("seed 100")
