"""Fine land from a detail set to a weights file and a report."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from terrainpaint.errors import TrainingError
from terrainpaint.models.fine_land_weights import load_fine_land
from tests.trainer.loop.test_loop import assert_equal
from tests.trainer.runs import quiet
from tests.trainer.systems.super_resolution.sets import small_set
from trainer.__main__ import main
from trainer.data.detail_set import DetailSet, metres, save_detail_set
from trainer.loop.checkpoints import averaged_weights, checkpoint_of, load_checkpoint
from trainer.loop.config import RunConfig
from trainer.loop.distributed import World
from trainer.loop.loop import train
from trainer.systems.super_resolution.config import SuperResolutionConfig
from trainer.systems.super_resolution.crops import CropSource
from trainer.systems.super_resolution.evaluation import leak
from trainer.systems.super_resolution.land_views import coarse_of, disturbed, real_relief
from trainer.systems.super_resolution.relief_figures import bicubic, with_noise
from trainer.systems.super_resolution.system import FineLandSystem, land_build

CPU = torch.device("cpu")
CONFIG = SuperResolutionConfig(
    width=8, blocks=1, fine_widths=(4, 4), colour_width=8, colour_blocks=1, colour_fine_widths=(4, 4),
    discriminator_widths=(8, 8), crop_px=64, colour_crop_px=32, plain_images=4,
)  # fmt: skip
RUN = RunConfig(
    images=12, batch=2, ema_images=16, precision="fp32", device="cpu", log_images=4, save_images=100,
    sample_images=100,
)  # fmt: skip


@pytest.fixture(scope="module")
def details() -> DetailSet:
    return small_set()


@pytest.fixture(scope="module")
def trained(details: DetailSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    train(land_build(details, RUN, CONFIG), RUN, folder, quiet)
    return folder


def test_a_resumed_run_equals_an_unbroken_one(details: DetailSet, trained: Path, tmp_path: Path) -> None:
    for until in (6, 12):
        train(land_build(details, RUN, CONFIG), RUN, tmp_path, quiet, until=until)
    whole, resumed = (load_checkpoint(checkpoint_of(folder), CPU) for folder in (trained, tmp_path))
    for name in ("generator", "discriminator", "averaged", "generator_step", "discriminator_step"):
        assert_equal(whole[name], resumed[name])


def test_published_weights_are_the_averaged_network_for_both_steps(trained: Path, tmp_path: Path) -> None:
    weights = tmp_path / "fine.safetensors"
    assert main(["publish", str(trained), "-o", str(weights), "--licence", "CC0"]) == 0
    fine = load_fine_land(weights, CPU)
    assert (fine.header.credits, fine.header.licence) == ("nobody", "CC0")
    assert [step.config.cell_m for step in fine.steps] == [2000, 500]
    averaged = averaged_weights(load_checkpoint(checkpoint_of(trained), CPU), "generator")
    for step in fine.steps:
        assert_equal(dict(step.state_dict()), averaged)


def test_the_report_of_an_evaluation(details: DetailSet, trained: Path, tmp_path: Path) -> None:
    pytest.importorskip("efficientnet_lite_pytorch")
    data, weights, report = tmp_path / "details.npz", tmp_path / "fine.safetensors", tmp_path / "report"
    save_detail_set(data, details)
    assert main(["publish", str(trained), "-o", str(weights)]) == 0
    command = ["evaluate", "--weights", str(weights), "--data", str(data), "--features", "efficientnet-lite0"]
    assert main([*command, "--count", "8", "-o", str(report)]) == 0
    results = json.loads((report / "results.json").read_text("utf-8"))
    for scale in ("500 m", "125 m"):
        found = results[scale]
        assert found["crops"] == 8
        assert found["real"]["slopes W1"] == 0 and found["real"]["power at the seam"] == pytest.approx(1)
        assert found["bicubic"]["power of waves of 2 to 4 px"] < 0.1
        assert found["noise"]["power of waves of 4 to 8 px"] == pytest.approx(1, abs=0.4)
    assert results["colours"]["real"]["leak"] <= 1
    assert "2000 m" not in results, "which is coarser than what the first step makes"
    assert "KID of hillshades" in (report / "report.md").read_text("utf-8")
    assert (report / "report.html").read_text("utf-8").startswith("<!")


def test_land_finer_than_the_steps_is_evaluated_with_the_nearest_one(
    details: DetailSet, trained: Path, tmp_path: Path
) -> None:
    pytest.importorskip("efficientnet_lite_pytorch")
    data, weights, report = tmp_path / "details.npz", tmp_path / "fine.safetensors", tmp_path / "report"
    save_detail_set(data, replace(details, pixel_size_m=np.where(details.pixel_size_m == 125, 31.25, 2000.0)))
    assert main(["publish", str(trained), "-o", str(weights)]) == 0
    command = ["evaluate", "--weights", str(weights), "--data", str(data), "--features", "efficientnet-lite0"]
    assert main([*command, "--count", "8", "-o", str(report)]) == 0
    found = json.loads((report / "results.json").read_text("utf-8"))["31.25 m"]
    assert found["fine land"]["mean slope"] == pytest.approx(found["real"]["mean slope"], rel=0.3)


def test_crops_are_turned_and_hold_their_land(details: DetailSet) -> None:
    source = CropSource(details, details.of_scale(2000.0, 0))
    crops = source.coloured(12, 64, np.random.default_rng(0))
    assert crops.height.shape == (12, 1, 64, 64) and crops.albedo.shape == (12, 3, 64, 64)
    # Where the made-up albedo is bright in red the land is high, whichever way a crop is turned.
    for height, albedo in zip(crops.height[:, 0], crops.albedo[:, 0], strict=True):
        assert torch.corrcoef(torch.stack([height.flatten(), albedo.flatten()]))[0, 1] > 0.5


def test_real_relief_gives_back_the_real_land(details: DetailSet) -> None:
    system = land_build(details, RUN, CONFIG)(World(0, 1, CPU), None)
    assert isinstance(system, FineLandSystem)
    step = system.networks["generator"]
    height = torch.from_numpy(metres(details.height[:1]))[:, None]
    water = torch.zeros_like(height)
    coarse = coarse_of(step, height, water, torch.ones_like(height))
    relief = real_relief(coarse, height)
    again = step.with_relief(coarse.height, coarse.ground, coarse.water, relief)
    rim = 4 * step.height_margin
    assert (again - height[..., rim:-rim, rim:-rim]).abs().max() < 0.05


def test_disturbed_land_keeps_its_detail() -> None:
    torch.manual_seed(0)
    height = torch.randn((2, 1, 96, 96)).cumsum(2).cumsum(3)
    changed = disturbed(height, torch.tensor([True, False]), 500.0)
    assert torch.allclose(changed[1], height[1], atol=1e-3)
    change = (changed - height)[0]
    assert change.abs().max() > 0.1
    assert change.diff(n=2, dim=-1).abs().mean() < height[0].diff(n=2, dim=-1).abs().mean()


def test_what_fine_land_is_compared_with() -> None:
    random = np.random.default_rng(0)
    height = np.asarray(random.standard_normal((96, 96)).cumsum(0).cumsum(1), np.float32)
    coarse = height.reshape(24, 4, 24, 4).mean(axis=(1, 3))
    real = height[16:-16, 16:-16]
    noise = with_noise(coarse, real, 4, random)
    assert noise.shape == bicubic(coarse, 4).shape == real.shape
    means = noise.reshape(16, 4, 16, 4).mean(axis=(1, 3))
    assert np.abs(means - coarse[4:-4, 4:-4])[3:-3, 3:-3].max() < 1e-2 * np.ptp(coarse)


def test_light_in_colours_is_found() -> None:
    random = np.random.default_rng(0)
    heights = [np.asarray(random.standard_normal((64, 64)).cumsum(0).cumsum(1), np.float32) for _ in range(3)]
    lit = [np.repeat((9 * np.tanh(np.gradient(height, axis=0)))[:, :, None], 3, axis=2) for height in heights]
    assert leak(lit, heights, 10.0) > 0.5
    plain = [random.standard_normal((64, 64, 3)) for _ in heights]
    assert leak(plain, heights, 10.0) < 0.1


def test_wrong_configurations_and_sets_are_refused(details: DetailSet) -> None:
    for values, message in (
        ({"factor": 3}, "factor must be 2 or 4"),
        ({"crop_px": 100}, "multiple of 8"),
        ({"fine_widths": (4,)}, "two numbers"),
        ({"width": 300}, "at most 256"),
        ({"first_share": 1.5}, "at most 1"),
    ):
        with pytest.raises(TrainingError, match=message):
            replace(CONFIG, **values)
    with pytest.raises(TrainingError, match="choose smaller crops"):
        land_build(details, RUN, replace(CONFIG, crop_px=192))(World(0, 1, CPU), None)
    alone = replace(details, pixel_size_m=np.full(len(details), 500.0))
    with pytest.raises(TrainingError, match="no heights of 125 m"):
        land_build(alone, RUN, CONFIG)(World(0, 1, CPU), None)
