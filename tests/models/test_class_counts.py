"""Fractions of classes are exact, and those of every level are the means of the next finer one."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from terrainpaint.core.classes import CLASS_COUNT
from terrainpaint.models.class_counts import ClassCounts, fraction_in_cells, having

IDS = np.random.default_rng(4).integers(0, CLASS_COUNT, (2, 48, 80), dtype=np.uint8)
IDS[1] = 3


@pytest.mark.parametrize("level", [0, 1, 2, 3, 4])
def test_fractions_are_the_means_of_each_class(level: int) -> None:
    cell = 1 << level
    hits = (IDS[:, None] == np.arange(CLASS_COUNT)[:, None, None]).reshape(2, 7, 48 // cell, cell, 80 // cell, cell)
    expected = hits.mean(axis=(3, 5))
    rows, cols = slice(0, 48 // cell), slice(1, 80 // cell)
    fractions = ClassCounts(torch.from_numpy(IDS)).fractions(level, rows, cols)
    assert fractions.dtype == torch.float32
    np.testing.assert_array_equal(fractions.numpy(), expected[:, :, rows, cols])
    assert fractions[1, 3].eq(1).all(), "a cell of one class may have as many pixels as a byte cannot hold"


def test_where_a_class_is() -> None:
    ids = torch.tensor([[0, 2], [2, 6]], dtype=torch.uint8)
    assert having(ids, 2).tolist() == [[0, 1], [1, 0]]
    assert ids.tolist() == [[0, 2], [2, 6]]


def test_the_fraction_of_a_class_in_cells() -> None:
    ids = torch.zeros((1, 8, 8), dtype=torch.uint8)
    ids[0, :4, 4:6] = ids[0, 4:] = 5
    assert fraction_in_cells(ids, 5, 4)[0, 0].tolist() == [[0, 0.5], [1, 1]]
    assert fraction_in_cells(ids, 5, 2).dtype == torch.float32
