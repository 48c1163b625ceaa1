"""A narrower generator gives nearly the same land as the wide one."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from terrainpaint.errors import TrainingError
from terrainpaint.models.networks import NETWORKS
from terrainpaint.models.noise import seeded
from terrainpaint.models.shadow import ShadowConfig
from terrainpaint.models.spade_guided import SpadeGuided, SpadeGuidedConfig
from terrainpaint.models.spade_local import SpadeLocal
from terrainpaint.models.spade_terrain.reference_network import ReferenceConfig
from terrainpaint.models.spade_terrain.spade import SpadeReference
from terrainpaint.models.terrain_generator import TerrainGenerator
from terrainpaint.models.weights import WeightsHeader, load_weights, save_weights
from terrainpaint.models.windows import Window
from tests.trainer.runs import NETWORK
from trainer.__main__ import main
from trainer.data.tile_set import TileSet, save_tile_set
from trainer.systems.terrain.narrowing import narrowed

CPU = torch.device("cpu")
WIDE = replace(NETWORK, widths=(16, 24, 16, 16), blocks=(1, 2, 1, 1))
WIDTHS = (16, 12, 8, 16)
CLASSES = (0, 1, 5)
"""Those of the made-up land."""
WINDOW = Window((0, 64), (0, 64))


def network(seed: int, config: object = WIDE) -> SpadeLocal:
    """A network whose random weights show in what it makes."""
    torch.manual_seed(seed)
    made = SpadeGuided(config) if isinstance(config, SpadeGuidedConfig) else SpadeLocal(config)  # type: ignore[arg-type]
    nn.init.normal_(made.head_out.weight, std=0.1)
    return made.requires_grad_(False)


def painted(by: SpadeLocal, seed: int) -> Tensor:
    """(1, 4, 64, 64): what it makes of squares of the classes."""
    (top, bottom), (left, right) = by.input_window(WINDOW).rows, by.input_window(WINDOW).cols
    rows, cols = torch.arange(top, bottom)[:, None], torch.arange(left, right)
    ids = torch.tensor(CLASSES, dtype=torch.uint8)[(rows // 24 + cols // 24 + seed) % len(CLASSES)][None]
    with torch.no_grad():
        return torch.cat(by(ids, WINDOW, seeded([seed]), torch.ones(1, 5, 1, 1)), dim=1)


def distance(one: SpadeLocal, other: SpadeLocal) -> float:
    return float((painted(one, 9) - painted(other, 9)).abs().mean())


EXAMPLES = [partial(painted, seed=seed) for seed in range(4)]


def test_what_a_narrow_network_gives_is_fitted_to_the_wide_one() -> None:
    wide = network(0)
    narrow = narrowed(wide, WIDTHS, EXAMPLES).network
    assert narrow.config == replace(WIDE, widths=WIDTHS)
    assert distance(wide, narrow) < 0.5 * distance(wide, network(1, narrow.config))
    # Channels that are only left out change much more.
    values = wide.state_dict()
    cut = {name: values[name][tuple(slice(length) for length in value.shape)]
           for name, value in narrow.state_dict().items()}  # fmt: skip
    others = network(1, narrow.config)
    others.load_state_dict(cut)
    assert distance(wide, narrow) < 0.7 * distance(wide, others)


def test_levels_that_stay_as_wide_are_copied() -> None:
    wide = network(0)
    narrow = narrowed(wide, WIDTHS, EXAMPLES)
    before, after = wide.state_dict(), narrow.network.state_dict()
    same = [name for name in after if name.startswith(("stem.", "levels.0.blocks.", "levels.3.", "head", "style_mix"))]
    assert len(same) > 20 and all(torch.equal(after[name], before[name]) for name in same)
    assert torch.equal(after["levels.0.leave.weight"], before["levels.0.leave.weight"][narrow.kept[1]])


def test_channels_without_effect_are_left_out_first() -> None:
    wide = network(0)
    unread = [3, 4, 9, 10, 11, 12, 13, 20, 21, 22, 23, 1]
    for name, layer in wide.levels[1].named_modules():
        if isinstance(layer, nn.Conv2d) and name.endswith(("first", "leave", "outline")):
            layer.weight[:, unread] = 0
    kept = narrowed(wide, WIDTHS, EXAMPLES).kept[1]
    assert set(kept.tolist()) == set(range(24)) - set(unread)


@pytest.mark.parametrize("widths", [(16, 24, 16, 16), (17, 12, 8, 16), (16, 12, 8), (0, 12, 8, 16)])
def test_widths_of_no_narrower_network_are_refused(widths: tuple[int, ...]) -> None:
    with pytest.raises(TrainingError, match=r"four, at most 16 24 16 16 and not the same, not \d"):
        narrowed(network(0), widths, [])


@pytest.fixture
def tiles(labelled: TileSet, tmp_path: Path) -> Path:
    save_tile_set(tmp_path / "set.npz", labelled)
    return tmp_path / "set.npz"


def written(path: Path, name: str, generator: TerrainGenerator) -> Path:
    shadow = NETWORKS[name].shadow(ShadowConfig())
    header = WeightsHeader(name, generator.config, shadow.config, 2000.0, "made-up", "nobody", "MIT", {"images": 3})  # type: ignore[arg-type]
    save_weights(path, header, generator, shadow)
    return path


@pytest.mark.usefixtures("few_samples_of_style")
def test_the_command_teaches_what_the_weights_give(
    tiles: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # After the fit, it takes more steps until one sees that it learns.
    monkeypatch.setattr("trainer.systems.terrain.narrowing._fit", lambda *_: None)
    monkeypatch.setattr("trainer.systems.terrain.distillation._EXAMPLES", 2)
    monkeypatch.setattr("trainer.systems.terrain.imitation._WARMUP_STEPS", 5)
    wide = network(0, SpadeGuidedConfig(WIDE.widths, WIDE.blocks, WIDE.hidden))
    source = written(tmp_path / "w.safetensors", "spade-guided", wide)
    command = ["narrow", str(source), str(tiles), "--widths", *map(str, WIDTHS), "--batch", "2", "--crop-px", "64",
               "--rate", "5e-4", "--device", "cpu"]  # fmt: skip
    results = []
    for images in (2, 59):
        target = tmp_path / f"{images}.safetensors"
        assert main([*command, "--images", str(images), "-o", str(target)]) == 0
        results.append(load_weights(target, CPU))
    number = r"([\d.e+-]+)"
    lines = re.findall(rf"(\d+) of .* images: colour of 255 {number}, height in m {number}, power of slopes {number}\n",
                       capsys.readouterr().out)  # fmt: skip
    assert [int(line[0]) for line in lines] == [2, 50, 60] and all(float(each) > 0 for line in lines for each in line)
    begun, after = results
    assert isinstance(begun.generator, SpadeGuided) and isinstance(after.generator, SpadeGuided)
    assert distance(wide, after.generator) < 0.85 * distance(wide, begun.generator)
    assert after.generator.config.widths == WIDTHS
    about = {"from_widths": [16, 24, 16, 16], "images": 60, "batch": 2, "rate": 5e-4, "crop_px": 64}
    assert after.header.training == {"images": 3, "narrowed": about}
    assert all(torch.equal(*pair) for pair in zip(after.generator.style_mixes(), wide.style_mixes(), strict=True))
    shadow, taught = load_weights(source, CPU).shadow.state_dict(), after.shadow.state_dict()
    assert all(torch.equal(shadow[name], taught[name]) for name in shadow)


def test_other_networks_are_refused(tiles: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    generator = SpadeReference(ReferenceConfig(widths=(16,) * 7, hidden=8))
    header = WeightsHeader("spade-terrain-1.0", generator.config, ShadowConfig(), 2000.0, "made-up", "nobody", "MIT")
    save_weights(tmp_path / "w.safetensors", header, generator, NETWORKS[header.network].shadow(ShadowConfig()))
    target = ["-o", str(tmp_path / "n.safetensors"), "--widths", "8", "8", "8", "8", "--device", "cpu"]
    assert main(["narrow", str(tmp_path / "w.safetensors"), str(tiles), *target]) == 1
    assert "Only weights of spade-local and spade-guided can be narrowed, not" in capsys.readouterr().err
    assert not (tmp_path / "n.safetensors").exists()


@pytest.mark.parametrize(
    "flags",
    [
        ["--images", "0"],
        ["--batch", "0"],
        ["--widths", "8", "8", "8", "0"],
        ["--widths", "8", "8"],
        ["--rate", "0"],
        ["--rate", "nan"],
        ["--crop-px", "70"],
        ["--crop-px", "32"],
    ],
)
def test_wrong_usage(tmp_path: Path, flags: list[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["narrow", "w.safetensors", "set.npz", "-o", str(tmp_path / "n.safetensors"), "--widths", "8", "8", "8",
              "8", *flags])  # fmt: skip
    assert exit_.value.code == 2
