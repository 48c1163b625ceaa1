"""Nearest class of a colour, and counts of classes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrainpaint.core.classes import CLASS_COUNT, PALETTE, class_counts, class_fractions, nearest_classes


@pytest.mark.parametrize("shape", [(17, 23), (40,), (3, 4, 5), (0, 7)])
@given(seed=st.integers(0, 99))
def test_nearest_classes_equal_an_exhaustive_search(shape: tuple[int, ...], seed: int) -> None:
    rgb = np.random.default_rng(seed).integers(0, 256, (*shape, 3), dtype=np.uint8)
    distance = ((rgb[..., None, :].astype(int) - PALETTE.astype(int)) ** 2).sum(axis=-1)
    np.testing.assert_array_equal(nearest_classes(rgb), distance.argmin(axis=-1))


def test_nearest_classes_of_a_view_and_across_bands() -> None:
    rgba = np.random.default_rng(1).integers(0, 256, (1300, 1000, 4), dtype=np.uint8)
    ids = nearest_classes(rgba[:, :, :3])
    np.testing.assert_array_equal(ids[1040:1060], nearest_classes(rgba[1040:1060, :, :3].copy()))


def test_class_colours_map_to_their_classes() -> None:
    np.testing.assert_array_equal(nearest_classes(PALETTE), np.arange(CLASS_COUNT))


@pytest.mark.parametrize("shape", [(0, 0), (5, 9), (1100, 1000)])
def test_counts_and_fractions(shape: tuple[int, int]) -> None:
    ids = np.random.default_rng(2).integers(0, CLASS_COUNT, shape, dtype=np.uint8)
    expected = [int((ids == class_id).sum()) for class_id in range(CLASS_COUNT)]
    assert class_counts(ids).tolist() == expected
    assert class_counts(ids[::2, ::3]).sum() == ids[::2, ::3].size
    assert class_fractions(ids).sum() == pytest.approx(float(ids.size > 0))
