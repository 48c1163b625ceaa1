"""Finishing removes the mesh of 2 px of a pixel shuffle and leaves the rest of the land."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from terrainpaint.core.terrain import Recipe
from terrainpaint.generation.generator import Generator
from terrainpaint.models.networks import NETWORKS
from terrainpaint.models.shadow import ShadowConfig
from terrainpaint.models.spade_local import SpadeLocal
from terrainpaint.models.spade_terrain.reference_network import ReferenceConfig
from terrainpaint.models.weights import Weights, WeightsHeader, load_weights, save_weights
from tests.trainer.runs import NETWORK
from trainer.__main__ import main
from trainer.data.tile_set import TileSet, save_tile_set
from trainer.systems.terrain.phases import align_phases

pytestmark = pytest.mark.usefixtures("few_samples_of_style")

CPU = torch.device("cpu")


def layer() -> nn.Conv2d:
    torch.manual_seed(2)
    return nn.Conv2d(5, 16, 3)


def shuffled(by: nn.Conv2d, features: Tensor) -> Tensor:
    with torch.no_grad():
        return F.pixel_shuffle(by(features), 2)


def test_uniform_features_give_a_uniform_picture() -> None:
    aligned = layer()
    uniform = torch.randn(1, 5, 1, 1, generator=torch.Generator().manual_seed(0)).expand(1, 5, 6, 7)
    assert float(shuffled(aligned, uniform).std(dim=(2, 3)).min()) > 0.01, "a layer without a mesh proves nothing"
    align_phases(aligned, ramps=0)
    picture = shuffled(aligned, uniform)
    torch.testing.assert_close(picture, picture[..., :1, :1].expand_as(picture), rtol=0, atol=1e-5)


def test_ramps_are_straight() -> None:
    aligned = layer()
    align_phases(aligned)
    for ramp in (torch.arange(6.0)[:, None], torch.arange(6.0)[None]):
        features = torch.randn(1, 5, 1, 1, generator=torch.Generator().manual_seed(1)) * ramp.expand(6, 6)
        picture = shuffled(aligned, features)
        for axis in (2, 3):
            steps = picture.diff(dim=axis)
            torch.testing.assert_close(steps, steps[..., :1, :1].expand_as(steps), rtol=0, atol=1e-5)


def test_the_mean_of_the_phases_stays() -> None:
    aligned, before = layer(), layer()
    align_phases(aligned)
    uniform = torch.full((1, 5, 4, 4), 0.7)
    mean, expected = (F.avg_pool2d(shuffled(each, uniform), 2) for each in (aligned, before))
    torch.testing.assert_close(mean, expected)


def test_a_second_time_changes_nothing() -> None:
    aligned = layer()
    align_phases(aligned)
    once = aligned.weight.detach().clone()
    align_phases(aligned)
    torch.testing.assert_close(aligned.weight.detach(), once)


def test_ramps_may_be_aligned_half_way() -> None:
    whole, half, none = layer(), layer(), layer()
    for each, fraction in ((whole, 1.0), (half, 0.5), (none, 0.0)):
        align_phases(each, fraction)
    torch.testing.assert_close(half.weight.detach(), ((whole.weight + none.weight) / 2).detach())


def test_other_outputs_stay() -> None:
    aligned, before = layer(), layer()
    align_phases(aligned, outputs=slice(3, 4))
    assert torch.equal(aligned.weight[:12], before.weight[:12]) and aligned.bias is not None and before.bias is not None
    assert torch.equal(aligned.bias[:12], before.bias[:12]) and not torch.equal(aligned.bias, before.bias)
    align_phases(before)
    torch.testing.assert_close(aligned.weight[12:], before.weight[12:])


@pytest.fixture
def tiles(labelled: TileSet, tmp_path: Path) -> Path:
    save_tile_set(tmp_path / "set.npz", labelled)
    return tmp_path / "set.npz"


def written(path: Path, name: str, config: object) -> Path:
    network = NETWORKS[name]
    torch.manual_seed(0)
    generator, shadow = network.new_generator(config), network.shadow(ShadowConfig())  # type: ignore[arg-type]
    if isinstance(generator, SpadeLocal):
        nn.init.normal_(generator.head_out.weight, std=0.05)
    header = WeightsHeader(name, config, shadow.config, 2000.0, "made-up", "nobody", "MIT", {"images": 3})  # type: ignore[arg-type]
    save_weights(path, header, generator, shadow)
    return path


@pytest.mark.parametrize("name", ["spade-local", "spade-guided"])
def test_the_command_changes_the_last_two_layers_only(
    name: str, tiles: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = NETWORKS[name].config(NETWORK.widths, NETWORK.blocks, NETWORK.hidden)  # type: ignore[call-arg]
    source, target = written(tmp_path / "w.safetensors", name, config), tmp_path / "finished.safetensors"
    assert main(["finish", str(source), str(tiles), "-o", str(target), "--steps", "25", "--crop-px", "64"]) == 0
    assert "25 of 25 steps: power" in capsys.readouterr().out
    before, after = (load_weights(path, CPU) for path in (source, target))
    ours, theirs = after.generator.state_dict(), before.generator.state_dict()
    assert {name.split(".")[0] for name in ours if not torch.equal(ours[name], theirs[name])} == {"head_in", "head_out"}
    assert after.header.training == {"images": 3, "finished": {"ramps": 0.45, "steps": 25, "rate": 3e-4}}
    assert isinstance(after.generator, SpadeLocal)
    sums = after.generator.head_out.weight.view(4, 4, -1, 9)[3].sum(dim=2)
    torch.testing.assert_close(sums, sums[:1].expand_as(sums), rtol=0, atol=1e-5)


def finished(tiles: Path, folder: Path, *flags: str) -> Weights:
    """Weights of the local network after 50 steps of the command."""
    source, target = written(folder / "w.safetensors", "spade-local", NETWORK), folder / "finished.safetensors"
    steps = ["--steps", "50", "--crop-px", "64", "--ramps", "0"]
    assert main(["finish", str(source), str(tiles), "-o", str(target), *steps, *flags]) == 0
    return load_weights(target, CPU)


def test_colours_get_the_power_of_pictures(tiles: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    after = finished(tiles, tmp_path, "--colour-power", "30")
    losses = [float(power) for power in re.findall(r"power of colours ([\d.]+)", capsys.readouterr().out)]
    assert len(losses) == 2 and losses[1] < losses[0]
    assert after.header.training is not None and after.header.training["finished"]["colour_power"] == 30
    # No mesh: uniform features have the same colour in all four pixels.
    assert isinstance(after.generator, SpadeLocal)
    sums = after.generator.head_out.weight.view(4, 4, -1, 9)[:3].sum(dim=3)
    torch.testing.assert_close(sums, sums[:, :1].expand_as(sums), rtol=0, atol=1e-4)


def test_light_leaves_the_albedo(tiles: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    training = finished(tiles, tmp_path, "--leak", "3000").header.training
    leaks = [float(leak) for leak in re.findall(r"leak ([\d.e-]+)", capsys.readouterr().out)]
    assert len(leaks) == 2 and leaks[1] < 0.8 * leaks[0]
    assert training is not None and training["finished"]["leak"] == 3000


def test_only_the_style_of_the_first_seed_changes_without_steps(tiles: Path, tmp_path: Path) -> None:
    config = NETWORKS["spade-local"].config(NETWORK.widths, NETWORK.blocks, NETWORK.hidden)  # type: ignore[call-arg]
    source, target = written(tmp_path / "w.safetensors", "spade-local", config), tmp_path / "styled.safetensors"
    flags = ["--steps", "0", "--first-style", "0,0.5,0,1,0"]
    assert main(["finish", str(source), str(tiles), "-o", str(target), *flags]) == 0
    before, after = (load_weights(path, CPU) for path in (source, target))
    ours, theirs = after.generator.state_dict(), before.generator.state_dict()
    assert [name for name in ours if not torch.equal(ours[name], theirs[name])] == ["style_mix"]
    assert after.header.training == {"images": 3, "first_style": [0, 0.5, 0, 1, 0]}
    expected = torch.tensor([0, 0.5, 0, 1, 0])
    assert torch.allclose(torch.from_numpy(Generator.load(target, "cpu").style_of(Recipe(0))), expected, atol=1e-5)


def test_other_networks_are_refused(tiles: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = written(tmp_path / "w.safetensors", "spade-terrain-1.0", ReferenceConfig(widths=(16,) * 7, hidden=8))
    assert main(["finish", str(source), str(tiles), "-o", str(tmp_path / "f.safetensors")]) == 1
    assert "Only weights of spade-local and spade-guided" in capsys.readouterr().err


@pytest.mark.parametrize(
    "flags",
    [
        ["--ramps", "1.1"],
        ["--ramps", "-1"],
        ["--steps", "0"],
        ["--colour-power", "-1"],
        ["--colour-power", "nan"],
        ["--leak", "-1"],
        ["--crop-px", "70"],
        ["--first-style", "a,1"],
        ["--first-style", "nan"],
    ],
)
def test_wrong_usage(tmp_path: Path, flags: list[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["finish", "w.safetensors", "set.npz", "-o", str(tmp_path / "f.safetensors"), *flags])
    assert exit_.value.code == 2
