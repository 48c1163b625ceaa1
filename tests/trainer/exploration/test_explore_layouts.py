"""`python -m trainer explore` on weights that dream maps."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from terrainpaint.core.classes import PALETTE
from terrainpaint.core.dream_maps import smooth_map
from terrainpaint.generation.dreamer import Dreamer
from tests.generation.dream_networks import SHAPE, write_dream_weights
from tests.trainer.exploration.generators import cells
from tests.trainer.exploration.test_explore import picture
from tests.trainer.systems.layouts.sets import island_set
from trainer.__main__ import main
from trainer.data.layout_set import save_layout_set
from trainer.exploration.loading import load_style_model

SIDE = 4 * SHAPE.size_px


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dream_weights(tmp_path_factory.mktemp("weights") / "earth.safetensors")


def explore(weights: Path, verb: str, output: Path, *more: str) -> int:
    return main(["explore", verb, str(weights), *more, "-o", str(output), "--device", "cpu"])


def dreamed(weights: Path, *seeds: int) -> NDArray[np.uint8]:
    """The maps of seeds as `terrainpaint dream` draws them, without natural borders."""
    logits = Dreamer.load(weights).draw(seeds).logits
    return PALETTE[np.stack([smooth_map(each, (SIDE, SIDE)) for each in logits])]


def alike(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> bool:
    """Equal but for pixels whose class rounding decides, which depends on how many are drawn at once."""
    return bool((one != other).any(axis=-1).mean() < 0.01)


def test_seeds_are_those_of_dreamed_maps(weights: Path, tmp_path: Path) -> None:
    assert explore(weights, "samples", tmp_path / "single", "--seeds", "7") == 0
    assert np.array_equal(picture(tmp_path / "single" / "seed-0007.png"), dreamed(weights, 7)[0])
    assert explore(weights, "grid", tmp_path / "grid.png", "--grid", "3x2") == 0
    assert alike(cells(picture(tmp_path / "grid.png"), SIDE).reshape(6, SIDE, SIDE, 3), dreamed(weights, *range(6)))
    assert explore(weights, "grid", tmp_path / "mean.png", "--truncation", "0", "--seeds", "1,2") == 0
    one, other = cells(picture(tmp_path / "mean.png"), SIDE)[0]
    assert not alike(one, other)  # the noise still differs
    plain, moved = (load_style_model(weights, "cpu").styles([1, 2], truncation) for truncation in (1.0, 0.0))
    assert (moved[0] == moved[1]).all() and not (plain[0] == plain[1]).all()
    half = load_style_model(weights, "cpu").styles([1], 0.0, 2)[0]
    assert torch.equal(half[:2], moved[0, :2]) and torch.allclose(half[2:], plain[0, 2:], atol=1e-5)


@pytest.mark.parametrize("space", ["z", "w"])
def test_a_walk_comes_by_its_seeds(weights: Path, tmp_path: Path, space: str) -> None:
    more = ("--seeds", "4,9", "--space", space, "--steps", "3")
    assert explore(weights, "walk", tmp_path / "walk.png", *more) == 0
    steps = cells(picture(tmp_path / "walk.png"), SIDE)[0]
    assert len(steps) == 4 and alike(steps[[0, 3]], dreamed(weights, 4, 9))
    assert not alike(steps[1], steps[0]) and not alike(steps[2], steps[3])
    assert explore(weights, "walk", tmp_path / "walk.gif", *more, "--loop") == 0
    assert (tmp_path / "walk.gif").stat().st_size > 1000


def test_noise_between_two_seeds_keeps_its_variance(weights: Path) -> None:
    model = load_style_model(weights, "cpu")
    one, other = model.latents([4, 9])
    between = model.latent_between(one, other, 0.5)[SHAPE.latent :]
    assert float(between.std()) == pytest.approx(1, abs=0.1)
    ends = model.points(model.latents([4, 9]))
    middle = model.point_between(ends[:1], ends[1:], 0.5)
    count = model.style_count * model.style_length
    assert np.allclose(middle[0, :count], ends[:, :count].mean(dim=0), atol=1e-6)
    assert float(middle[0, count:].std()) == pytest.approx(1, abs=0.1)


def test_styles_of_coarse_layers_are_those_of_the_column(weights: Path, tmp_path: Path) -> None:
    more = ("--rows", "0,1", "--columns", "10-12")
    assert explore(weights, "mix", tmp_path / "none.png", *more, "--layers", "0") == 0
    grid = cells(picture(tmp_path / "none.png"), SIDE)
    assert grid.shape[:2] == (3, 4) and alike(grid[0, 1:], dreamed(weights, 10, 11, 12))
    assert alike(grid[1:, 0], dreamed(weights, 0, 1))
    assert not alike(grid[1, 1], grid[1, 2])
    model = load_style_model(weights, "cpu")
    rows, columns = model.styles([1]), model.styles([11])
    rows[:, 0] = columns[:, 0]
    assert alike(grid[2, 2], model.draw_styles(rows, model.noise_of(1))[0])


def test_variations_and_directions_begin_with_the_layout(weights: Path, tmp_path: Path) -> None:
    assert explore(weights, "vary", tmp_path / "varied.png", "--start", "5", "--grid", "4x1") == 0
    varied = cells(picture(tmp_path / "varied.png"), SIDE)[0]
    assert alike(varied[0], dreamed(weights, 5)[0]) and not alike(varied[0], varied[1])
    assert explore(weights, "directions", tmp_path / "found.png", "--start", "5", "--count", "2", "--steps", "3") == 0
    found = cells(picture(tmp_path / "found.png"), SIDE)
    assert found.shape[:2] == (2, 3) and alike(found[0, 1], dreamed(weights, 5)[0])
    with np.load(tmp_path / "found.npz") as stored:
        assert stored["directions"].shape == (2, SHAPE.latent)


def test_what_layouts_cannot_do_is_one_sentence(
    weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cv2.imwrite(str(tmp_path / "map.png"), np.zeros((64, 64, 3), np.uint8))
    assert explore(weights, "project", tmp_path / "p", str(tmp_path / "map.png")) == 1
    assert "a picture is projected with weights of the system stylegan2" in capsys.readouterr().err
    save_layout_set(tmp_path / "layouts.npz", island_set())
    assert main(["nearest", str(weights), str(tmp_path / "layouts.npz"), "-o", str(tmp_path / "n")]) == 1
    error = capsys.readouterr().err
    assert "'python -m trainer evaluate' compares layouts with it" in error and error.count("\n") == 1
