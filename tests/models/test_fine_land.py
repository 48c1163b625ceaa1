"""Fine land: area means stay, detail is by place and local, windows equal the whole."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor

from terrainpaint.core.classes import CLASS_COUNT, WATER
from terrainpaint.models.fine_land import FineLandConfig, FineLandStep, with_detail
from terrainpaint.models.fine_land_means import FACTOR, block_means
from terrainpaint.models.fine_land_weights import load_fine_land
from tests.generation.random_weights import write_fine_land

INNER = 12


@pytest.fixture(autouse=True)
def _inference() -> Iterator[None]:
    with torch.inference_mode():
        yield


@pytest.fixture(scope="module")
def step(tmp_path_factory: pytest.TempPathFactory) -> FineLandStep:
    path = tmp_path_factory.mktemp("fine") / "fine.safetensors"
    write_fine_land(path)
    return load_fine_land(path, torch.device("cpu")).steps[1]


def land(side: int, seed: int = 1) -> tuple[Tensor, Tensor, Tensor]:
    """Heights, albedo and one class of land everywhere, `side` cells."""
    random = torch.Generator().manual_seed(seed)
    coarse = torch.randn((1, 4, side // 4 + 2, side // 4 + 2), generator=random)
    smooth = torch.nn.functional.interpolate(coarse, size=(side, side), mode="bicubic")
    classes = torch.zeros((1, CLASS_COUNT, side, side))
    classes[:, WATER + 1] = 1
    return 900 + 400 * smooth[:, :1], (0.5 + 0.15 * smooth[:, 1:]).clamp(0, 1), classes


def inner(x: Tensor, rim: int) -> Tensor:
    return x[..., rim:-rim, rim:-rim]


def test_area_means_are_the_cells(step: FineLandStep) -> None:
    height, albedo, classes = land(INNER + 2 * step.margin)
    fine_height, fine_albedo = step(height, albedo, classes, 3, 0, 0)
    assert fine_height.shape == (1, 1, FACTOR * INNER, FACTOR * INNER)
    assert fine_albedo.shape == (1, 3, FACTOR * INNER, FACTOR * INNER)
    assert fine_height.dtype == fine_albedo.dtype == torch.float32
    assert (block_means(fine_height) - inner(height, step.margin)).abs().max() < 2e-3
    assert (block_means(fine_albedo) - inner(albedo, step.margin)).abs().max() < 2e-6
    assert fine_albedo.min() >= 0 and fine_albedo.max() <= 1


def test_the_detail_is_no_enlargement_alone(step: FineLandStep) -> None:
    height, albedo, classes = land(INNER + 2 * step.margin)
    one, two = (step(height, albedo, classes, seed, 0, 0) for seed in (3, 4))
    assert (one[0] - two[0]).std() > 0.5
    assert (one[1] - two[1]).std() > 0.0005


def test_detail_has_no_pattern_of_cells(step: FineLandStep) -> None:
    """Rises across the borders of cells are as large as those within cells, on average over much land."""
    height, albedo, classes = land(60 + 2 * step.margin)
    for fine in step(height, albedo, classes, 3, 0, 0):
        for axis in (2, 3):
            rises = fine.diff(dim=axis).square().mean(dim=tuple(each for each in range(4) if each != axis))
            across = rises[FACTOR - 1 :: FACTOR].mean()
            within = torch.stack([rises[start::FACTOR].mean() for start in range(FACTOR - 1)])
            assert 0.6 * within.min() < across < 1.6 * within.max()


def test_level_water_stays_level(step: FineLandStep) -> None:
    side = INNER + 2 * step.margin
    _, albedo, classes = land(side)
    classes = torch.zeros_like(classes)
    classes[:, WATER] = 1
    fine, _ = step(torch.full((1, 1, side, side), 417.0), albedo, classes, 3, 0, 0)
    assert (fine - 417).abs().max() < 1e-3


def test_the_same_land_higher_up_is_the_same(step: FineLandStep) -> None:
    height, albedo, classes = land(INNER + 2 * step.margin)
    low, high = (step(height + above, albedo, classes, 3, 0, 0)[0] - above for above in (0, 2000))
    assert (low - high).abs().max() < 0.1


@pytest.mark.parametrize("changed", ["height", "albedo", "classes"])
def test_one_cell_changes_nothing_beyond_the_margin(step: FineLandStep, changed: str) -> None:
    margin = step.margin
    side = 2 * margin + 2 * margin + 5
    inputs = dict(zip(("height", "albedo", "classes"), land(side), strict=True))
    before = step(**inputs, seed=3, row=0, col=0)
    middle = side // 2
    values = inputs[changed].clone()
    values[..., middle, middle] = {"height": 3000.0, "albedo": 0.9, "classes": 0.5}[changed]
    after = step(**(inputs | {changed: values}), seed=3, row=0, col=0)
    where = torch.cat([(one != two).any(dim=1)[0].nonzero() for one, two in zip(before, after, strict=True)])
    cells = where // FACTOR + margin
    distance = (cells - middle).abs().amax(dim=1)
    assert distance.min() == 0, "the change has no effect"
    assert distance.max() <= margin


def test_windows_equal_the_whole(step: FineLandStep) -> None:
    margin = step.margin
    inputs = land(30 + 2 * margin)
    whole = step(*inputs, seed=3, row=100, col=-40)
    for top, left, height, width in ((0, 0, 7, 30), (11, 5, 8, 9), (29, 29, 1, 1)):
        window = [each[..., top : top + height + 2 * margin, left : left + width + 2 * margin] for each in inputs]
        part = step(*window, seed=3, row=100 + top, col=left - 40)
        rows, cols = (
            slice(FACTOR * start, FACTOR * (start + length)) for start, length in ((top, height), (left, width))
        )
        assert (part[0] - whole[0][..., rows, cols]).abs().max() < 5e-3
        assert (part[1] - whole[1][..., rows, cols]).abs().max() < 1e-5


def test_the_seed_decides_and_nothing_else(step: FineLandStep) -> None:
    inputs = land(INNER + 2 * step.margin)
    one, again, other = (step(*inputs, seed=seed, row=0, col=0) for seed in (3, 3, 4))
    for first, second, third in zip(one, again, other, strict=True):
        assert first.numpy().tobytes() == second.numpy().tobytes()
        assert not np.array_equal(first.numpy(), third.numpy())


def test_detail_stays_within_the_colours() -> None:
    colours = torch.rand((1, 3, 9, 9), generator=torch.Generator().manual_seed(1)).round(decimals=1)
    detail = torch.randn((1, 3, 36, 36), generator=torch.Generator().manual_seed(2))
    fine = with_detail(colours, detail)
    assert fine.min() >= 0 and fine.max() <= 1
    assert (block_means(fine) - inner(colours, 2)).abs().max() < 1e-5


def test_the_networks_are_small() -> None:
    count = sum(each.numel() for each in FineLandStep(FineLandConfig()).parameters())
    assert count < 500_000


def test_windows_that_do_not_fit_are_refused(step: FineLandStep) -> None:
    height, albedo, classes = land(2 * step.margin)
    for wrong in ((height, albedo, classes), (height, albedo[:, :2], classes), (height[..., 1:], albedo, classes)):
        with pytest.raises(ValueError, match="the window is"):
            step(*wrong, 1, 0, 0)
