import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.core.terrain import SNOW, Recipe
from terrainpaint.errors import TrainingError
from terrainpaint.generation.generator import Generator
from terrainpaint.models.spade_local import SpadeLocal, SpadeLocalConfig
from terrainpaint.models.style_field import spread
from terrainpaint.models.windows import Window
from tests.trainer.runs import CONFIG, NETWORK, changed, quiet, train_terrain
from trainer.__main__ import main
from trainer.data.tile_set import TileSet, save_tile_set
from trainer.loop.checkpoints import load_checkpoint, newest_checkpoint
from trainer.systems.terrain.styles import Styles
from trainer.systems.terrain.terrain_crops import CropSource

CPU = torch.device("cpu")


def test_training_moves_both_networks_and_leaves_a_log_sample_grids_and_checkpoints(
    labelled: TileSet, tmp_path: Path
) -> None:
    last = train_terrain(labelled, CONFIG, tmp_path, quiet)
    assert last == newest_checkpoint(tmp_path) and last.name == "checkpoint-00000008.pt"
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    distances = [line for line in lines if "validation_score" in line]
    assert [line["images"] for line in distances] == [4, 8] and 0 < distances[1]["validation_score"] < 10
    lines = [line for line in lines if line not in distances]
    assert [line["images"] for line in lines] == [2, 4, 6, 8]
    assert {"discriminator", "adversarial", "features", "colour", "elevation", "images_per_s"} <= set(lines[0])
    grid = cv2.imread(str(tmp_path / "samples-00000008.png"))
    assert grid.shape == (8 * 32, 10 * 32, 3)
    state = load_checkpoint(last, CPU)
    fresh = SpadeLocal(NETWORK)
    for name in ("levels.0.blocks.0.first.weight", "head_out.weight", "stem.weight"):
        assert not torch.equal(state["generator"][name], fresh.state_dict()[name])
        assert not torch.equal(state["averaged"]["generator." + name], state["generator"][name])


def test_a_resumed_run_is_an_unbroken_run(labelled: TileSet, tmp_path: Path) -> None:
    train_terrain(labelled, CONFIG, tmp_path / "whole", quiet)
    steps = iter([False, False, True])
    train_terrain(labelled, CONFIG, tmp_path / "broken", quiet, cancel=lambda: next(steps))
    assert newest_checkpoint(tmp_path / "broken").name == "checkpoint-00000004.pt"
    train_terrain(labelled, CONFIG, tmp_path / "broken", quiet)
    whole, broken = (load_checkpoint(newest_checkpoint(tmp_path / name), CPU) for name in ("whole", "broken"))
    for part in ("generator", "shadow", "averaged", "discriminator"):
        for name, value in whole[part].items():
            assert torch.equal(value, broken[part][name]), (part, name)


def test_a_run_goes_on_with_the_rates_it_is_told(labelled: TileSet, tmp_path: Path) -> None:
    train_terrain(labelled, changed(images=2), tmp_path, quiet)
    slower = changed(images=4, generator_rate=1e-5, discriminator_rate=2e-5, beta1=0.5)
    state = load_checkpoint(train_terrain(labelled, slower, tmp_path, quiet), CPU)
    assert state["generator_step"]["param_groups"][0]["lr"] == 1e-5
    assert state["discriminator_step"]["param_groups"][0]["lr"] == 2e-5
    assert tuple(state["generator_step"]["param_groups"][0]["betas"]) == (0.5, 0.99)


def test_published_weights_make_terrain(labelled: TileSet, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_tile_set(tmp_path / "set.npz", labelled)
    (tmp_path / "small.toml").write_text("images = 3\nbatch = 2\ncrop_px = 32\ndiscriminator_widths = [8, 8]\n")
    run = ["train", str(tmp_path / "set.npz"), "-o", str(tmp_path / "run"), "--config", str(tmp_path / "small.toml")]
    assert main([*run, "--precision", "fp32", "--device", "cpu"]) == 0
    assert main(["publish", str(tmp_path / "run"), "-o", str(tmp_path / "w.safetensors"), "--licence", "CC0"]) == 0
    assert "made-up" in capsys.readouterr().out
    generator = Generator.load(tmp_path / "w.safetensors", "cpu")
    assert (generator.header.credits, generator.header.licence) == ("nobody", "CC0")
    assert generator.header.training["images"] == 4 and generator.header.training["crop_px"] == 32
    assert generator.terrain(SegmentationMap(np.ones((48, 40), np.uint8)), Recipe(0)).shape == (48, 40)


def test_crops_are_valid_land_and_their_maps_lie_on_them(labelled: TileSet) -> None:
    generator = SpadeLocal(NETWORK)
    source = CropSource(labelled, generator, 32, CPU)
    crops = source.draw(16, torch.Generator().manual_seed(0))
    assert crops.texture.shape == (16, 3, 35, 35) and crops.height.min() >= 0
    asked = generator.input_window(crops.window)
    row, col = crops.window.rows[0] - asked.rows[0], crops.window.cols[0] - asked.cols[0]
    assert torch.equal(crops.ids[:, row : row + 35, col : col + 35].long(), crops.labels)
    # The labels were made from the heights: on the same pixels they must agree.
    assert torch.equal(crops.labels == 5, crops.height[:, 0] > 400)


def test_no_crop_touches_what_is_not_valid(labelled: TileSet) -> None:
    """Invalid pixels are painted pink; no crop may show one."""
    texture = labelled.texture.copy()
    texture[~labelled.valid] = (255, 0, 255)
    pink = TileSet(**{**vars(labelled), "texture": texture})
    crops = CropSource(pink, SpadeLocal(NETWORK), 32, CPU).draw(400, torch.Generator().manual_seed(0))
    shown = (crops.texture[:, 0] == 1) & (crops.texture[:, 1] == 0) & (crops.texture[:, 2] == 1)
    assert not labelled.valid.all() and not bool(shown.any())


def test_styles_of_real_crops_are_standard_and_follow_the_land(labelled: TileSet) -> None:
    generator = SpadeLocal(NETWORK)
    source = CropSource(labelled, generator, 32, CPU)
    styles = Styles(source, generator, torch.Generator().manual_seed(0))
    crops = source.draw(64, torch.Generator().manual_seed(1))
    drawn = torch.randn((64, 5), generator=torch.Generator().manual_seed(2))
    found = styles.of(crops, 0.0, drawn)
    assert found.shape[:2] == (64, 5) and bool(found.isfinite().all())
    mean = found.mean(dim=(2, 3))
    assert float(mean.std(dim=0).min()) > 0.3 and float(mean.std(dim=0).max()) < 2
    brighter = type(crops)(crops.texture * 1.2, crops.height, crops.ids, crops.labels, crops.window)
    lightness = list(NETWORK.style_names).index("lightness")
    moved = (styles.of(brighter, 0.0, drawn) - found)[:, lightness].mean(dim=(1, 2))
    land = (crops.labels != 0).sum(dim=(1, 2)) > 64
    assert bool((moved[land] >= 0).all()) and float(moved[land].mean()) > 1  # at most 3, so the brightest stay


def test_white_ground_is_snow(labelled: TileSet) -> None:
    generator = SpadeLocal(replace(NETWORK, style_names=(*NETWORK.style_names, SNOW)))
    source = CropSource(labelled, generator, 32, CPU)
    crops = source.draw(64, torch.Generator().manual_seed(1))
    white = crops.texture.clone()
    white[:, :, :16] = 0.9
    part = torch.rand(labelled.texture.shape[:3]) < 0.1  # a set without any white has no deviation of it
    texture = np.where(part[..., None].numpy(), np.uint8(250), labelled.texture)
    snowy = CropSource(replace(labelled, texture=texture), generator, 32, CPU)
    styles = Styles(snowy, generator, torch.Generator().manual_seed(0))
    drawn = torch.zeros(64, 6)
    bare, covered = (
        styles.of(replace(crops, texture=each), 0.0, drawn)[:, 5].mean(dim=(1, 2)) for each in (crops.texture, white)
    )
    land = (crops.labels[:, :16] != 0).sum(dim=(1, 2)) > 64
    assert bool((covered[land] > bare[land] + 1).all())


def test_a_style_is_that_of_the_land_around_each_knot(labelled: TileSet) -> None:
    generator = SpadeLocal(NETWORK)
    source = CropSource(labelled, generator, 96, CPU)
    styles = Styles(source, generator, torch.Generator().manual_seed(0))
    crops = source.draw(16, torch.Generator().manual_seed(1))
    texture = torch.full_like(crops.texture, 0.3)
    texture[:, :, :48] = 0.6
    halves = type(crops)(texture, crops.height, crops.ids, crops.labels, crops.window)
    window = crops.window
    field = spread(styles.of(halves, 0.0, torch.zeros(16, 5)), generator.style_knots(window), 0,
                   (window.rows, window.cols))[:, 0]  # fmt: skip
    is_land = (crops.labels != 0).float().mean(dim=2)
    both = (is_land[:, :48].mean(dim=1) > 0.3) & (is_land[:, 48:].mean(dim=1) > 0.3)
    assert bool(both.any()) and bool((field[both, 4].mean(dim=1) > field[both, 92].mean(dim=1) + 0.3).all())


def test_losses_that_are_no_numbers_end_the_run(labelled: TileSet, tmp_path: Path) -> None:
    wild = changed(generator_rate=1e30, images=40, save_images=2, log_images=40)
    with pytest.raises(TrainingError, match="no longer finite"):
        train_terrain(labelled, wild, tmp_path, quiet)
    # What was saved on the way, between two lines of the log, came from losses that were numbers.
    for name, value in load_checkpoint(newest_checkpoint(tmp_path), CPU)["averaged"].items():
        assert bool(value.isfinite().all()), name


def test_a_set_without_maps_or_a_crop_too_large_is_refused(labelled: TileSet, tmp_path: Path) -> None:
    bare = labelled.with_labels(labelled.labels[:, :0])
    with pytest.raises(TrainingError, match="trainer label"):
        train_terrain(bare, CONFIG, tmp_path, quiet)
    with pytest.raises(TrainingError, match="no heights"):
        train_terrain(replace(labelled, has_height=False), CONFIG, tmp_path, quiet)
    with pytest.raises(TrainingError, match="do not fit"):
        train_terrain(labelled, changed(crop_px=128), tmp_path, quiet)


def test_a_checkpoint_of_another_network_or_a_broken_one_is_refused(labelled: TileSet, tmp_path: Path) -> None:
    last = train_terrain(labelled, changed(images=2), tmp_path, quiet)
    wider = SpadeLocalConfig(widths=(32, 16, 16, 16), blocks=(1, 1, 1, 1), hidden=8)
    with pytest.raises(TrainingError, match="another network"):
        train_terrain(labelled, CONFIG, tmp_path, quiet, network=wider)
    last.write_bytes(last.read_bytes()[:-100])
    with pytest.raises(TrainingError, match=last.name):
        train_terrain(labelled, CONFIG, tmp_path, quiet)


def test_the_window_of_a_crop_is_the_same_size_wherever_it_lies(labelled: TileSet) -> None:
    generator = SpadeLocal(NETWORK)
    sizes = set()
    for cell in range(5):
        asked = generator.input_window(Window((cell * 16, cell * 16 + 35), (0, 35)))
        sizes.add(asked.rows[1] - asked.rows[0])
    assert len(sizes) == 1


@pytest.mark.parametrize(
    "command", [["train", "nowhere.npz", "-o", "run"], ["publish", "nowhere", "-o", "w.safetensors"]]
)
def test_a_missing_input_is_one_sentence_and_exit_code_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(command) == 1
    said = capsys.readouterr().err
    assert "nowhere" in said and said.count("\n") == 1
