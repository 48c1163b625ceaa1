"""Enlargement that keeps the area means: exact, smooth, without a pattern of cells."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from terrainpaint.models.fine_land_means import SHORT_REACH, SMOOTH_REACH, block_means, enlarged, enlarged_smoothly


def _random(side: int) -> Tensor:
    return torch.randn((2, 3, side, side + 3), generator=torch.Generator().manual_seed(1))


def test_each_block_has_the_mean_of_its_cell() -> None:
    cells = _random(14) * 3000
    rim = SMOOTH_REACH
    assert torch.allclose(block_means(enlarged_smoothly(cells)), cells[..., rim:-rim, rim:-rim], atol=2e-3)
    rim = SHORT_REACH
    for factor in (2, 4):
        assert torch.allclose(block_means(enlarged(cells, factor), factor), cells[..., rim:-rim, rim:-rim], atol=2e-3)


@pytest.mark.parametrize("enlarge", [enlarged_smoothly, enlarged])
def test_planes_stay_planes(enlarge: object) -> None:
    assert callable(enlarge)
    rows = torch.arange(16.0)[:, None]
    cols = torch.arange(16.0)
    fine = enlarge((3 * rows - 2 * cols)[None, None])[0, 0]
    assert torch.allclose(fine.diff(dim=0), torch.tensor(0.75), atol=1e-4)
    assert torch.allclose(fine.diff(dim=1), torch.tensor(-0.5), atol=1e-4)


def test_one_cell_changes_nothing_beyond_the_reach() -> None:
    cells = torch.zeros((1, 1, 21, 21))
    cells[..., 10, 10] = 1
    for enlarge, reach in ((enlarged_smoothly, SMOOTH_REACH), (enlarged, SHORT_REACH)):
        changed = (enlarge(cells)[0, 0] != 0).nonzero() + 4 * reach
        distance = torch.maximum(4 * 10 - changed, changed - (4 * 10 + 3))
        assert distance.max() <= 4 * reach


def test_borders_of_cells_do_not_show() -> None:
    """Bends at the borders of cells are as strong as within cells, and far weaker than those of other enlargements."""
    smooth = torch.nn.functional.interpolate(_random(6), scale_factor=6, mode="bicubic")
    bends = enlarged_smoothly(smooth).diff(n=2, dim=3).square().mean(dim=(0, 1, 2))
    inner = bends[: 4 * (len(bends) // 4)].reshape(-1, 4).mean(dim=0)
    assert inner.max() / inner.min() < 1.5
    stairs = smooth.repeat_interleave(4, dim=3).diff(n=2, dim=3).square().mean(dim=(0, 1, 2))
    assert stairs.mean() > 3 * inner.mean()
