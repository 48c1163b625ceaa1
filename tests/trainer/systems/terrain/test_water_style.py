"""Weights learn another style on water."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from terrainpaint.core.classes import MOUNTAIN, WATER
from terrainpaint.models.networks import NETWORKS
from terrainpaint.models.noise import seeded
from terrainpaint.models.shadow import ShadowConfig
from terrainpaint.models.spade_guided import SpadeGuided, SpadeGuidedConfig
from terrainpaint.models.spade_local import SpadeLocal
from terrainpaint.models.weights import WeightsHeader, load_weights, save_weights
from terrainpaint.models.windows import Window
from tests.trainer.runs import NETWORK
from trainer.__main__ import main
from trainer.data.tile_set import TileSet, save_tile_set
from trainer.systems.terrain.terrain_crops import Crops
from trainer.systems.terrain.water_style import water_at_knots

CPU = torch.device("cpu")
CONFIG = SpadeGuidedConfig(NETWORK.widths, NETWORK.blocks, NETWORK.hidden)
WINDOW = Window((0, 64), (0, 64))


def new_network(kind: type[SpadeLocal] = SpadeGuided) -> SpadeLocal:
    torch.manual_seed(2)
    network = kind(CONFIG)
    nn.init.normal_(network.head_out.weight, std=0.1)
    return network.requires_grad_(False)


def made(network: SpadeLocal, class_id: int, style: Tensor) -> Tensor:
    """What it makes of a map of one class."""
    read = network.input_window(WINDOW)
    ids = torch.full((1, read.rows[1] - read.rows[0], read.cols[1] - read.cols[0]), class_id, dtype=torch.uint8)
    with torch.no_grad():
        return torch.cat(network(ids, WINDOW, seeded([3]), style[None, :, None, None]), dim=1)


def test_the_fraction_of_water_around_a_knot() -> None:
    network = SpadeGuided(CONFIG)
    read, at = network.input_window(WINDOW), network.style_knots(WINDOW)
    size = read.rows[1] - read.rows[0], read.cols[1] - read.cols[0]
    for class_id, expected in ((WATER, 1.0), (MOUNTAIN, 0.0)):
        ids = torch.full((2, *size), class_id, dtype=torch.uint8)
        crops = Crops(torch.zeros(0), torch.zeros(0), ids, torch.zeros(0), WINDOW)
        water = water_at_knots(network, crops)
        assert water.shape == (2, 1, at[0][1] - at[0][0], at[1][1] - at[1][0])
        torch.testing.assert_close(water, torch.full_like(water, expected))
    ids[:, :, size[1] // 2 :] = WATER
    fractions = water_at_knots(network, crops)[0, 0].mean(dim=0)
    assert bool((fractions.diff() > -1e-5).all()) and fractions[0] < 0.2 and fractions[-1] > 0.8


@pytest.mark.usefixtures("few_samples_of_style")
def test_the_command_changes_water_towards_another_style(
    labelled: TileSet, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainer.systems.terrain.imitation._WARMUP_STEPS", 5)
    save_tile_set(tmp_path / "set.npz", labelled)
    network, source, target = new_network(), tmp_path / "w.safetensors", tmp_path / "calm.safetensors"
    header = WeightsHeader("spade-guided", CONFIG, ShadowConfig(), 2000.0, "made-up", "nobody", "MIT", {"images": 3})
    save_weights(source, header, network, NETWORKS["spade-guided"].shadow(ShadowConfig()))
    numbers = {"fraction": 0.0, "relief": -2.0, "images": 160, "batch": 2, "rate": 5e-4, "crop_px": 64}
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in numbers.items()]
    assert main(["calm", str(source), str(tmp_path / "set.npz"), "-o", str(target), *flags, "--device", "cpu"]) == 0
    assert "160 of 160 images: colour of 255" in capsys.readouterr().out
    after = load_weights(target, CPU)
    assert after.header.training == {"images": 3, "water_style": numbers}
    rough, calm = torch.tensor([0.0, 0, 0, 0, 2.0]), torch.tensor([0.0, 0, 0, 0, -2.0])
    assert isinstance(after.generator, SpadeGuided)
    wanted = made(network, WATER, calm)
    change = (made(after.generator, WATER, rough) - wanted).abs().mean()
    assert change < 0.85 * (made(network, WATER, rough) - wanted).abs().mean()


@pytest.mark.usefixtures("few_samples_of_style")
def test_heights_become_those_of_other_weights(labelled: TileSet, tmp_path: Path) -> None:
    save_tile_set(tmp_path / "set.npz", labelled)
    names = ("w", "heights", "calm")
    source, other, target = (tmp_path / f"{name}.safetensors" for name in names)
    network, higher = new_network(), new_network()
    assert network.head_out.bias is not None and higher.head_out.bias is not None
    higher.head_out.bias[-4:] += 0.5
    header = WeightsHeader("spade-guided", CONFIG, ShadowConfig(), 2000.0, "made-up", "nobody", "MIT", {})
    for path, each in ((source, network), (other, higher)):
        save_weights(path, header, each, NETWORKS["spade-guided"].shadow(ShadowConfig()))
    flags = ["--heights", str(other), "--images=160", "--batch=2", "--rate=5e-3", "--crop-px=64", "--device=cpu"]
    assert main(["calm", str(source), str(tmp_path / "set.npz"), "-o", str(target), *flags]) == 0
    after = load_weights(target, CPU)
    assert after.header.training is not None
    assert after.header.training["water_style"]["heights"] == load_weights(other, CPU).sha256
    assert isinstance(after.generator, SpadeGuided)
    style = torch.zeros(5)
    left, before = (
        (made(each, MOUNTAIN, style) - made(higher, MOUNTAIN, style)).abs().mean(dim=(0, 2, 3))
        for each in (after.generator, network)
    )
    assert left[3] < 0.5 * before[3] and left[:3].max() < 0.1


@pytest.mark.usefixtures("few_samples_of_style")
def test_lakes_become_as_light_as_the_sea(labelled: TileSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainer.systems.terrain.imitation._WARMUP_STEPS", 5)
    height = labelled.height.copy()
    height[labelled.labels[:, 0] == WATER] = 0
    texture = labelled.texture.copy()
    texture[labelled.labels[:, 0] == WATER] = 0, 100, 255
    tiles = replace(labelled, height=height, texture=texture)
    save_tile_set(tmp_path / "set.npz", tiles)
    network, source = new_network(), tmp_path / "w.safetensors"
    header = WeightsHeader("spade-guided", CONFIG, ShadowConfig(), 2000.0, "made-up", "nobody", "MIT", {})
    save_weights(source, header, network, NETWORKS["spade-guided"].shadow(ShadowConfig()))
    read = network.input_window(WINDOW)
    ids = torch.full((1, read.rows[1] - read.rows[0], read.cols[1] - read.cols[0]), MOUNTAIN, dtype=torch.uint8)
    lake = slice(24, 40), slice(24, 40)
    ids[0, 24 - read.rows[0] : 40 - read.rows[0], 24 - read.cols[0] : 40 - read.cols[0]] = WATER
    lakes = []
    for strength in (0, 1):
        target = tmp_path / f"lakes-{strength}.safetensors"
        numbers = {"lakes": strength, "images": 160, "batch": 2, "rate": 2e-3, "crop-px": 64}
        flags = [f"--{name}={value}" for name, value in numbers.items()]
        assert main(["calm", str(source), str(tmp_path / "set.npz"), "-o", str(target), *flags, "--device=cpu"]) == 0
        after = load_weights(target, CPU)
        assert after.header.training is not None
        assert after.header.training["water_style"].get("lakes", 0) == strength
        assert isinstance(after.generator, SpadeGuided)
        with torch.no_grad():
            albedo, _ = after.generator(ids, WINDOW, seeded([3]), torch.zeros(1, 5, 1, 1))
        lakes.append(albedo[0, 2][lake].mean())
    assert lakes[1] > lakes[0] + 0.02


def test_other_networks_are_refused(labelled: TileSet, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_tile_set(tmp_path / "set.npz", labelled)
    header = WeightsHeader("spade-local", NETWORK, ShadowConfig(), 2000.0, "made-up", "nobody", "MIT", {})
    shadow = NETWORKS["spade-local"].shadow(ShadowConfig())
    save_weights(tmp_path / "w.safetensors", header, SpadeLocal(NETWORK), shadow)
    target = ["-o", str(tmp_path / "c.safetensors"), "--device", "cpu"]
    assert main(["calm", str(tmp_path / "w.safetensors"), str(tmp_path / "set.npz"), *target]) == 1
    assert "Only weights of spade-guided can learn a style of water, not spade-local" in capsys.readouterr().err
    assert not (tmp_path / "c.safetensors").exists()


@pytest.mark.parametrize(
    "flags",
    [["--fraction", "1.5"], ["--relief", "nan"], ["--images", "0"], ["--batch", "0"], ["--rate", "0"],
     ["--crop-px", "70"], ["--lakes", "1.5"], ["--lakes", "nan"]],
)  # fmt: skip
def test_wrong_usage(tmp_path: Path, flags: list[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["calm", "w.safetensors", "set.npz", "-o", str(tmp_path / "c.safetensors"), *flags])
    assert exit_.value.code == 2
