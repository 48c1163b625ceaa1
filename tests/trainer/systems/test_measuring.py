"""FID, KID, precision and recall while any system is trained: in the log, for the best checkpoint, and refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from terrainpaint.errors import TrainingError
from tests.trainer.losses.test_losses import squeezenet_state
from tests.trainer.picture_sets import discs
from tests.trainer.runs import NETWORK, changed
from trainer.__main__ import main
from trainer.data.tile_set import TileSet, save_tile_set
from trainer.loop.checkpoints import best_checkpoint, load_checkpoint
from trainer.loop.config import RunConfig
from trainer.loop.distributed import World
from trainer.loop.loop import no_warning, train
from trainer.loop.system import PictureSystem
from trainer.metrics.features import Features
from trainer.metrics.set_figures import SetFigures, figure_name
from trainer.systems.dcgan.config import DcganConfig
from trainer.systems.dcgan.system import DcganSystem, dcgan_build
from trainer.systems.measuring import measure_of, require_unseen
from trainer.systems.terrain.config import TerrainConfig
from trainer.systems.terrain.system import terrain_build

CPU = torch.device("cpu")
CONFIG = DcganConfig(size_px=32, width=4, noise=8)


@pytest.fixture(scope="module")
def squeezenet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("features") / "squeezenet.safetensors"
    save_file(squeezenet_state(), path)
    return path


def run_config(squeezenet: Path, **values: Any) -> RunConfig:
    return RunConfig(**{"images": 32, "batch": 8, "precision": "fp32", "device": "cpu", "log_images": 8,
                        "save_images": 1000, "sample_images": 1000, "measure_images": 16, "measure_count": 12,
                        "measure_features": str(squeezenet)} | values)  # fmt: skip


def lines(folder: Path, start: str) -> dict[int, dict[str, float]]:
    found = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return {line["images"]: line for line in found if any(name.startswith(start) for name in line)}


def test_figures_are_logged_and_select_the_best_checkpoint(squeezenet: Path, tmp_path: Path) -> None:
    tiles, run = discs(40, 20), run_config(squeezenet)
    build = dcgan_build(tiles, run, CONFIG)
    prepare = measure_of(run, CONFIG, tmp_path, pytest.fail)
    last = train(build, run, tmp_path, lambda *_: None, measure=prepare)
    assert last is not None
    label = Features.load(squeezenet, CPU).label
    kid = figure_name("kid", label, 12)
    found = lines(tmp_path, "KID")
    assert list(found) == [16, 32] and set(found[32]) == {
        "images", *(figure_name(kind, label, 12) for kind in ("fid", "kid", "precision", "recall", "diversity"))
    }  # fmt: skip
    state = load_checkpoint(last, CPU)
    best = min(found, key=lambda images: found[images][kid])
    assert state["best"] == {"images": best, "distance": found[best][kid], "by": kid}
    assert best_checkpoint(tmp_path).name == f"checkpoint-{best:08d}.pt"
    # They are those of the pictures that the system names.
    system = build(World(0, 1, CPU), None)
    assert isinstance(system, DcganSystem)
    averaged = torch.nn.ModuleDict({"generator": system.networks["generator"]})
    averaged.load_state_dict(state["averaged"])
    features = Features.load(squeezenet, CPU)
    real, generated = system.real_pictures(12), system.generated_pictures(averaged, 12)
    assert {each.tobytes() for each in real} <= {each.tobytes() for each in tiles.texture[:20]}
    figures = SetFigures.of(features.of(real), features.of(generated))
    assert found[32][kid] == pytest.approx(figures.kid, rel=1e-4)


def test_a_measured_run_that_is_resumed_is_an_unbroken_one(squeezenet: Path, tmp_path: Path) -> None:
    run = run_config(squeezenet)
    states = []
    for name, stops in (("whole", ()), ("broken", (2,))):
        folder = tmp_path / name
        for stop in (*stops, 100):
            steps = iter(range(stop + 1))
            last = train(dcgan_build(discs(40, 20), run, CONFIG), run, folder, lambda *_: None,
                         lambda steps=steps, stop=stop: next(steps) == stop,
                         measure=measure_of(run, CONFIG, folder, no_warning))  # fmt: skip
        assert last is not None
        states.append(load_checkpoint(last, CPU))
    assert states[0]["best"] == states[1]["best"]
    assert all(torch.equal(value, states[1]["averaged"][name]) for name, value in states[0]["averaged"].items())
    assert lines(tmp_path / "whole", "KID") == lines(tmp_path / "broken", "KID")


def test_without_an_interval_nothing_is_measured(squeezenet: Path, tmp_path: Path) -> None:
    run = run_config(squeezenet, measure_images=0, measure_features="missing.pth")
    assert measure_of(run, CONFIG, tmp_path, no_warning) is None


def test_a_set_without_held_out_pictures_is_refused_at_once(squeezenet: Path, tmp_path: Path) -> None:
    run = run_config(squeezenet)
    with pytest.raises(TrainingError, match=r"holds out 3 pictures.*--validation"):
        train(dcgan_build(discs(20, 3), run, CONFIG), run, tmp_path, lambda *_: None,
              measure=measure_of(run, CONFIG, tmp_path, no_warning))  # fmt: skip


def test_features_that_a_loss_compares_do_not_measure(squeezenet: Path, tmp_path: Path) -> None:
    """Nor do those of the same network from another file."""
    other = tmp_path / "other.safetensors"
    save_file({name: value + 0.01 for name, value in squeezenet_state().items()}, other)
    seen = TerrainConfig(crop_px=64, perceptual=str(other), perceptual_weight=0.1)
    with pytest.raises(TrainingError, match=r"compares features of SqueezeNet 1\.1"):
        measure_of(run_config(squeezenet), seen, tmp_path, no_warning)
    unused = TerrainConfig(crop_px=64, perceptual=str(other))
    assert unused.loss_network is None
    require_unseen(Features.load(squeezenet, CPU), unused.loss_network)


@pytest.mark.usefixtures("few_samples_of_style")
def test_terrain_is_measured_too(labelled: TileSet, squeezenet: Path) -> None:
    config = changed(crop_px=32)
    system = terrain_build(labelled, config.run, config.terrain, NETWORK)(World(0, 1, CPU), None)
    assert isinstance(system, PictureSystem)
    real, generated = system.real_pictures(12), system.generated_pictures(system.networks, 12)
    assert real.shape == generated.shape == (12, 32, 32, 3) and real.dtype == generated.dtype == np.uint8
    assert np.array_equal(real, system.real_pictures(12)) and np.array_equal(real[:7], system.real_pictures(7))
    assert np.array_equal(generated, system.generated_pictures(system.networks, 12))
    assert SetFigures.of(Features.load(squeezenet, CPU).of(real), Features.load(squeezenet, CPU).of(generated)).fid > 0


def test_the_command_measures(squeezenet: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_tile_set(tmp_path / "discs.npz", discs(40, 20))
    command = ["train", str(tmp_path / "discs.npz"), "-o", str(tmp_path / "run"), "--system", "dcgan", "--size-px",
               "32", "--width", "4", "--noise", "8", "--batch", "8", "--images", "16", "--device", "cpu",
               "--measure-images", "8", "--measure-features", str(squeezenet)]  # fmt: skip
    assert main(command) == 0
    assert list(lines(tmp_path / "run", "KID")) == [8, 16]
    assert main([*command[:-1], str(tmp_path / "missing.pth")]) == 1
    error = capsys.readouterr().err
    assert "missing.pth" in error and error.count("\n") == 1
