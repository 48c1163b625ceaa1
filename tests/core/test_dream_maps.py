import numpy as np
import pytest

from terrainpaint.core.classes import CLASS_COUNT
from terrainpaint.core.dream_controls import DreamControls, measures, shifted_to
from terrainpaint.core.dream_maps import blended, crisp_map, layout_of
from terrainpaint.core.project import EMPTY
from terrainpaint.errors import OptionError


def _logits(ids: np.ndarray) -> np.ndarray:
    return np.where(np.eye(CLASS_COUNT, dtype=bool)[ids].transpose(2, 0, 1), 4.0, 0.0).astype(np.float32)


def _island(side: int = 32) -> np.ndarray:
    rows, cols = np.indices((side, side)) - side / 2 + 0.5
    return np.where(np.hypot(rows, cols) < side / 4, 2, 0).astype(np.uint8)


def _measured(logits: np.ndarray) -> np.ndarray:
    return measures(np.bincount(logits.argmax(axis=0).ravel(), minlength=CLASS_COUNT) / logits[0].size)


def test_measures_of_shares() -> None:
    shares = np.array([0.5, 0.1, 0.1, 0.1, 0.1, 0.1, 0.0])
    assert measures(shares) == pytest.approx([0.5, 0.4, 0.5])
    assert measures(np.array([1.0, 0, 0, 0, 0, 0, 0])) == pytest.approx([1, 0, 0])


def test_controls_out_of_range_are_refused() -> None:
    with pytest.raises(OptionError, match=r"sea must be from 0 to 1, not 1\.5"):
        DreamControls(sea=1.5)
    with pytest.raises(OptionError, match="dryness"):
        DreamControls(dryness=float("nan"))


def test_classes_are_shifted_to_the_shares_that_are_asked_for() -> None:
    logits = np.random.default_rng(0).normal(0, 1, (CLASS_COUNT, 64, 64)).astype(np.float32)
    before = logits.copy()
    found = shifted_to(logits, DreamControls(sea=0.7, mountains=0.5))
    assert _measured(found)[:2] == pytest.approx([0.7, 0.5], abs=0.01)
    assert np.array_equal(logits, before)
    assert np.array_equal(shifted_to(logits, DreamControls()), logits)


@pytest.mark.parametrize("shape", [(64, 64), (96, 200), (300, 128)])
def test_a_map_shows_the_middle_of_the_layout_in_any_size(shape: tuple[int, int]) -> None:
    found = crisp_map(_logits(_island()), shape, 0)
    assert found.shape == shape and found.dtype == np.uint8
    assert found[shape[0] // 2, shape[1] // 2] == 2
    # A quarter of the longer side is the radius of the island.
    area = np.pi * (max(shape) / 4) ** 2
    if shape[0] == shape[1]:
        assert (found == 2).sum() == pytest.approx(area, rel=0.1)
    assert set(np.unique(found)) <= {0, 2}


def test_a_seed_has_its_own_borders() -> None:
    one, same, other = (crisp_map(_logits(_island()), (256, 256), seed) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert 0 < (one != other).mean() < 0.1


def test_what_is_painted_stays_and_its_border_is_not_a_straight_line() -> None:
    painted = np.full((256, 256), EMPTY, np.uint8)
    painted[:, :100] = 0
    forest = np.full((32, 32), 2)
    found = crisp_map(_logits(forest), (256, 256), 3, painted=painted)
    assert (found[:, :100] == 0).all() and (found[:, 130:] == 2).all()
    coast = (found == 0).sum(axis=1)
    assert coast.min() == 100 and coast.max() >= 103 and len(np.unique(coast)) >= 4


def test_the_layout_of_what_is_painted() -> None:
    ids = np.zeros((64, 128), np.uint8)
    ids[:, :64] = 3
    known = np.zeros(ids.shape, bool)
    known[:, 32:] = True
    shares, weights = layout_of(ids, known, 16)
    assert shares.shape == (7, 16, 16)
    # The map is twice as wide as high, so a quarter of the square lies above it and a quarter below.
    assert weights[:4].max() == weights[12:].max() == 0
    assert (weights[4:12, :4] == 0).all() and (weights[4:12, 4:] == 1).all()
    assert (shares[3, 4:12, 4:8] == 1).all() and (shares[0, 4:12, 8:] == 1).all()


def test_what_is_dreamed_goes_on_with_the_classes_beside_it() -> None:
    painted = np.zeros((32, 32), np.uint8)
    painted[:, :16] = 4
    known = np.zeros((32, 32), bool)
    known[:, :16] = True
    shares, weights = layout_of(painted, known, 32)
    found = blended(_logits(np.full((32, 32), 2)), shares, weights).argmax(axis=0)
    assert (found[:, 16] == 4).all()
    assert (found[:, 24:] == 2).all()
