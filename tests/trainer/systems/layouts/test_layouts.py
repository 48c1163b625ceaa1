"""Layouts from a layout set to a weights file and a report."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch.nn import functional as F

from terrainpaint.core.classes import PALETTE
from terrainpaint.core.dream_controls import DreamControls, measures
from terrainpaint.core.dream_maps import crisp_map
from terrainpaint.errors import TrainingError
from terrainpaint.generation.dreamer import Dreamer
from terrainpaint.models.layout import LayoutGenerator, LayoutShape
from tests.trainer.loop.test_loop import assert_equal
from tests.trainer.runs import quiet
from tests.trainer.systems.layouts.sets import island_set
from trainer.__main__ import main
from trainer.data.layout_set import LayoutSet, save_layout_set
from trainer.loop.checkpoints import checkpoint_of, load_checkpoint
from trainer.loop.config import RunConfig
from trainer.loop.distributed import World
from trainer.loop.loop import train
from trainer.networks.layout_discriminator import LayoutDiscriminator
from trainer.systems.layouts.config import LayoutsConfig
from trainer.systems.layouts.crops import LayoutCrops
from trainer.systems.layouts.system import grown, layouts_build
from trainer.systems.layouts.weights import load, sample_ids

CPU = torch.device("cpu")
CONFIG = LayoutsConfig(
    size_px=16, widths=(8, 8, 8), discriminator_widths=(8, 8), latent=8, smallest_km=200, largest_km=800,
    penalty_steps=2,
)  # fmt: skip
RUN = RunConfig(
    images=32, batch=4, ema_images=16, precision="fp32", device="cpu", generator_rate=0.002, discriminator_rate=0.002,
    log_images=8, save_images=100, sample_images=100,
)  # fmt: skip


@pytest.fixture(scope="module")
def layouts() -> LayoutSet:
    return island_set()


@pytest.fixture(scope="module")
def trained(layouts: LayoutSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    train(layouts_build(layouts, RUN, CONFIG), RUN, folder, quiet)
    return folder


def test_a_resumed_run_equals_an_unbroken_one(layouts: LayoutSet, trained: Path, tmp_path: Path) -> None:
    for until in (12, 32):
        train(layouts_build(layouts, RUN, CONFIG), RUN, tmp_path, quiet, until=until)
    whole, resumed = (load_checkpoint(checkpoint_of(folder), CPU) for folder in (trained, tmp_path))
    for name in ("generator", "discriminator", "averaged", "generator_step", "discriminator_step"):
        assert_equal(whole[name], resumed[name])


def test_a_grid_of_real_layouts_lies_beside_the_samples(layouts: LayoutSet, trained: Path) -> None:
    real = cv2.imread(str(trained / "real.png"))[:, :, ::-1]
    crops = LayoutCrops(layouts.subset(0), CONFIG).draw(1, np.random.default_rng(0))
    assert real.shape == (160, 160, 3) and np.array_equal(real[:16, :16], PALETTE[crops[0].argmax(axis=2)])


def test_crops_are_shares_of_the_classes_within_the_scales(layouts: LayoutSet) -> None:
    shares = LayoutCrops(layouts, CONFIG).draw(20, np.random.default_rng(0))
    assert shares.shape == (20, 16, 16, 7)
    assert np.allclose(shares.sum(axis=3), 1, atol=1e-5)
    assert (shares[..., 1:].sum(axis=(1, 2, 3)) / 256 >= CONFIG.minimum_land - 0.02).all()


def test_crops_never_hold_a_pixel_that_must_not_be_used(layouts: LayoutSet) -> None:
    ids = layouts.ids.copy()
    ids[:, :, 64:] = 255
    ids[:, :, :64] = 3
    found = LayoutCrops(replace(layouts, ids=ids), replace(CONFIG, largest_km=400, landlocked=1)).draw(
        30, np.random.default_rng(1)
    )
    assert np.allclose(found[..., 3], 1)


def test_crops_larger_than_the_maps_are_refused(layouts: LayoutSet) -> None:
    with pytest.raises(TrainingError, match="do not fit"):
        LayoutCrops(layouts, replace(CONFIG, largest_km=2000))


def test_a_grown_network_begins_as_the_small_one() -> None:
    torch.manual_seed(0)
    small, large = LayoutGenerator(LayoutShape(8, 4, (4, 4))), LayoutGenerator(LayoutShape(16, 4, (4, 4, 2)))
    large.load_state_dict(grown(small.state_dict(), large))
    z = torch.randn(2, 4)
    enlarged = F.interpolate(small(small.w(z)), scale_factor=2.0, mode="bilinear", align_corners=False)
    assert torch.allclose(large(large.w(z)), enlarged, atol=1e-6)
    judge, larger_judge = LayoutDiscriminator(8, 7, (4,)), LayoutDiscriminator(16, 7, (2, 4))
    larger_judge.load_state_dict(grown(judge.state_dict(), larger_judge))
    layouts = torch.rand(4, 7, 16, 16)
    assert torch.allclose(larger_judge(layouts), judge(F.avg_pool2d(layouts, 2)), atol=1e-6)


def test_a_run_starts_from_a_checkpoint_of_half_the_size(layouts: LayoutSet, trained: Path) -> None:
    config = replace(CONFIG, size_px=32, widths=(8, 8, 8, 4), discriminator_widths=(4, 8, 8), smallest_km=400)
    start = checkpoint_of(trained)
    state = load_checkpoint(start, CPU)
    networks = layouts_build(layouts, RUN, config)(World(0, 1, CPU), start).networks
    assert torch.equal(networks["generator"].state_dict()["constant"], state["generator"]["constant"])
    with pytest.raises(TrainingError, match="half of it"):
        layouts_build(layouts, RUN, replace(config, widths=(8, 8, 6, 4)))(World(0, 1, CPU), start)


def test_published_weights_dream_the_layouts_of_the_run(trained: Path, tmp_path: Path) -> None:
    weights = tmp_path / "dream.safetensors"
    assert main(["publish", str(trained), "-o", str(weights), "--licence", "CC0"]) == 0
    dreamer = Dreamer.load(weights)
    assert (dreamer.header.credits, dreamer.header.licence, dreamer.header.km) == ("nobody", "CC0", (200, 800))
    found = dreamer.draw((5, 6)).logits.argmax(axis=1)
    assert np.array_equal(found, sample_ids(checkpoint_of(trained), 2, 5))
    wanted = dreamer.draw((5, 6), controls=DreamControls(sea=0.5)).logits
    for logits in wanted:
        shares = np.bincount(logits.argmax(axis=0).ravel(), minlength=7) / 256
        assert measures(shares)[0] == pytest.approx(0.5, abs=0.02)


def test_samples_and_the_report_of_an_evaluation(layouts: LayoutSet, trained: Path, tmp_path: Path) -> None:
    data = tmp_path / "layouts.npz"
    save_layout_set(data, layouts)
    assert main(["sample", str(trained), "-o", str(tmp_path / "grid.png"), "--rows", "2", "--columns", "3"]) == 0
    command = ["evaluate", "--weights", str(trained), "--data", str(data), "--count", "20", "-o", str(tmp_path / "r")]
    assert main(command) == 0
    results = json.loads((tmp_path / "r" / "results.json").read_text("utf-8"))
    assert results["setup"]["N"] == 20
    assert 0 <= results["novelty"]["median likeness of samples"] <= 1
    shares = [means["samples"] for name, means in results["means"].items() if name.startswith("share of")]
    assert len(shares) == 7 and sum(shares) == pytest.approx(1)
    assert 'href="novelty.html"' in (tmp_path / "r" / "report.html").read_text("utf-8")
    page = (tmp_path / "r" / "novelty.html").read_text("utf-8")
    assert page.startswith("<!") and page.count("<b>seed ") == 20 + 20  # each with its five nearest, and with one
    assert page.count("<img") == 20 * (1 + 5) + 20 * (1 + 1)


def test_layouts_are_compared_as_crisp_maps_at_a_larger_size(
    layouts: LayoutSet, trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "layouts.npz"
    save_layout_set(data, layouts)
    command = ["evaluate", "--weights", str(trained), "--data", str(data), "--count", "16", "-o", str(tmp_path / "r")]
    assert main([*command, "--size-px", "32"]) == 0
    setup = json.loads((tmp_path / "r" / "results.json").read_text("utf-8"))["setup"]
    # Real layouts have a pixel of the set for each of theirs, at least.
    assert (setup["size_px"], setup["size_px of the network"], setup["km"]) == (32, 16, [256, 800])
    dreamer = Dreamer(load(checkpoint_of(trained)))
    crisp = crisp_map(dreamer.draw((5, 6)).logits[1], (32, 32), 6)
    assert np.array_equal(sample_ids(checkpoint_of(trained), 2, 5, 32)[1], crisp)
    assert main([*command, "--size-px", "8"]) == 1
    assert "size_px must be at least 16, the side of the layouts" in capsys.readouterr().err
    assert main([*command, "--size-px", "48"]) == 1
    assert "size_px must be 16, 32, 64 or 128, not 48" in capsys.readouterr().err


def test_a_set_of_another_kind_is_refused_in_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = tmp_path / "wrong.npz"
    np.savez(wrong, header=np.frombuffer(b'{"format": "terrainpaint-pairs", "version": 1}', np.uint8))
    assert main(["train", str(wrong), "--system", "layouts", "-o", str(tmp_path / "run")]) == 1
    assert "make one with 'python -m trainer layouts'" in capsys.readouterr().err
