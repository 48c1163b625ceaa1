"""Guides in training: what the generator is told of real land, and what is compared with it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from terrainpaint.errors import TrainingError
from terrainpaint.models.noise import seeded
from terrainpaint.models.spade_guided import SpadeGuided, SpadeGuidedConfig
from terrainpaint.models.spade_local import SpadeLocal
from terrainpaint.models.windows import Window
from tests.trainer.loop.test_loop import assert_equal, stopped_and_resumed
from tests.trainer.runs import NETWORK, changed, quiet, train_terrain
from trainer.data.tile_set import TileSet
from trainer.loop.checkpoints import load_checkpoint
from trainer.systems.terrain import crop_guides
from trainer.systems.terrain.adapters import GuidedAdapter, TerrainNetworks
from trainer.systems.terrain.batch import TerrainBatch, draw_batch, free_images
from trainer.systems.terrain.build import load_grown
from trainer.systems.terrain.config import TerrainConfig
from trainer.systems.terrain.crop_guides import draw_guides, guide_difference
from trainer.systems.terrain.publishing import publish
from trainer.systems.terrain.terrain_crops import CropSource

CPU = torch.device("cpu")
GUIDED = SpadeGuidedConfig(NETWORK.widths, NETWORK.blocks, NETWORK.hidden)


def drawn() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def test_guides_are_whole_partial_natural_or_none() -> None:
    guides = draw_guides((64, 96), drawn(), np.zeros(400, np.bool_))
    assert guides.strength.shape == guides.noise.shape == (400, 1, 16, 24)
    strength, is_natural = guides.strength.flatten(1), guides.seeds >= 0
    assert float(strength.min()) >= 0 and float(strength.max()) <= 1
    whole, none = (strength == 1).all(dim=1), (strength == 0).all(dim=1)
    assert not bool((is_natural & ~none).any())
    assert is_natural.float().mean() == pytest.approx(crop_guides.NATURAL, abs=0.06)
    assert (none & ~is_natural).float().mean() == pytest.approx(crop_guides.NONE, abs=0.06)
    assert whole.float().mean() == pytest.approx(crop_guides.WHOLE, abs=0.08)


def test_processes_that_share_a_step_draw_its_guides(labelled: TileSet) -> None:
    source = CropSource(labelled, SpadeGuided(GUIDED), 32, CPU, simple_maps=0.5)
    first, whole = drawn(), drawn()
    parts = [source.draw_guided(6, first, slice(3)), source.draw_guided(6, drawn(), slice(3, 6))]
    both = source.draw_guided(6, whole)
    assert both.guide is not None and torch.equal(first.get_state(), whole.get_state())
    for name in ("input", "followed"):
        joined = torch.cat([getattr(part.guide, name) for part in parts])
        assert torch.allclose(joined, getattr(both.guide, name), atol=1e-4), name
    network = SpadeGuided(GUIDED)
    with torch.no_grad():
        made = network(both.ids, both.window, seeded(range(6)), torch.zeros(6, 5, 1, 1), both.guide.input)
    assert made[1].shape == (6, 1, 35, 35)


def test_free_crops_have_natural_guides_and_are_spread_over_the_step() -> None:
    is_free = free_images(40, 0.3)
    assert is_free.sum() == 12 and all(4 > part.sum() > 0 for part in np.split(is_free, 4))
    assert not free_images(6, 0).any()
    guides = draw_guides((64, 64), drawn(), is_free)
    assert bool((guides.seeds[torch.from_numpy(is_free)] >= 0).all()) and bool((guides.seeds < 0).any())


def test_free_crops_have_random_styles_and_are_not_compared(labelled: TileSet) -> None:
    network = SpadeGuided(GUIDED)
    source = CropSource(labelled, network, 32, CPU)
    adapter = GuidedAdapter(TerrainNetworks(network, None), 2000.0)
    adapter.measure_styles(source, drawn())
    config = TerrainConfig(network="spade-guided", crop_px=32, free_fraction=0.5)
    batch = draw_batch(adapter, source, config, 64, 0, drawn(), 0, slice(None))
    assert isinstance(batch.compared, torch.Tensor)
    assert batch.compared.tolist() == list(range(0, 64, 2))
    free = batch.style[batch.is_free]
    # Random styles have the covariance of real ones, so a variance of about 1, and vary over a crop.
    assert 0.5 < float(free.var()) < 2 and float(free.std(dim=(2, 3)).mean()) > 0.05
    first, second = batch.parts(2)
    assert first.compared.tolist() == second.compared.tolist() == list(range(0, 32, 2))
    assert batch_without_free(adapter, source).compared == slice(None)


def batch_without_free(adapter: GuidedAdapter, source: CropSource) -> TerrainBatch:
    config = TerrainConfig(network="spade-guided", crop_px=32)
    return draw_batch(adapter, source, config, 4, 0, drawn(), 0, slice(None))


def test_a_run_with_free_crops_resumes(labelled: TileSet, tmp_path: Path) -> None:
    config = changed(network="spade-guided", free_fraction=0.5, batch=2, save_images=100, sample_images=100)
    found = stopped_and_resumed(labelled, config, tmp_path, GUIDED)
    assert_equal(found["whole"], found["broken"])


@pytest.mark.parametrize(
    ("values", "why"),
    [({"network": "spade-guided", "free_fraction": 0.6}, "at most 0.5"), ({"free_fraction": 0.2}, "spade-guided")],
)
def test_fractions_of_free_crops_are_checked(values: dict[str, Any], why: str) -> None:
    with pytest.raises(TrainingError, match=why):
        TerrainConfig(**values)


def test_land_that_follows_its_guide_differs_less(labelled: TileSet) -> None:
    network = SpadeGuided(GUIDED)
    crops = CropSource(labelled, network, 64, CPU).draw_guided(8, drawn())
    assert crops.guide is not None and crops.guide.followed.shape == (8, 1, 16, 16)
    real, labels = network.encode_elevation(crops.height[:, :, 1:-2, 1:-2]), crops.labels[:, 1:-2, 1:-2]
    other, everywhere = real.roll(1, dims=0), torch.ones((8, 1, 16, 16))
    assert float(guide_difference(real, real, labels, everywhere)) == 0
    # Heights are not part of the shape.
    assert float(guide_difference(real + 0.3, real, labels, everywhere)) < 1e-4
    assert float(guide_difference(other, real, labels, everywhere)) > 0.5
    assert float(guide_difference(other, real, labels, 0 * everywhere)) == 0


def test_the_strength_that_is_compared_is_that_of_the_crop(labelled: TileSet) -> None:
    network = SpadeGuided(GUIDED)
    crops = CropSource(labelled, network, 64, CPU).draw_guided(40, drawn())
    assert crops.guide is not None
    read = network.input_window(crops.window)
    row, col = (crops.window.rows[0] + 1 - read.rows[0]) // 4, (crops.window.cols[0] + 1 - read.cols[0]) // 4
    guide = crops.guide.input[:, :1, row : row + 16, col : col + 16]
    is_real = crops.guide.followed.amax(dim=(1, 2, 3)) > 0
    assert bool(is_real.any()) and torch.equal(guide[is_real], crops.guide.followed[is_real])


def test_a_guided_network_begins_as_the_one_without_guides() -> None:
    torch.manual_seed(0)
    plain, guided = SpadeLocal(NETWORK), SpadeGuided(GUIDED)
    load_grown(guided, plain.state_dict())
    window = Window((0, 32), (0, 32))
    read = plain.input_window(window)
    ids = torch.randint(0, 7, (1, read.rows[1] - read.rows[0], read.cols[1] - read.cols[0])).to(torch.uint8)
    with torch.no_grad():
        expected, found = (
            torch.cat(each(ids, window, seeded([3]), torch.ones(1, 5, 1, 1)), dim=1) for each in (plain, guided)
        )
    assert torch.allclose(found, expected, atol=1e-4)
    with pytest.raises(RuntimeError):
        load_grown(SpadeLocal(NETWORK), guided.state_dict())


@pytest.mark.usefixtures("few_samples_of_style")
def test_a_guided_run_starts_from_weights_without_guides_and_is_published(labelled: TileSet, tmp_path: Path) -> None:
    train_terrain(labelled, changed(images=2), tmp_path / "plain", quiet)
    publish(tmp_path / "plain" / "checkpoint-00000002.pt", tmp_path / "plain.safetensors", "MIT")
    start = str(tmp_path / "plain.safetensors")
    config = changed(network="spade-guided", guide_weight=3.0, hold_detail=True, start=start, images=6,
                     generator_after=2)  # fmt: skip
    lines: list[dict[str, float]] = []
    last = train_terrain(labelled, config, tmp_path / "run", lambda _, losses: lines.append(losses), network=GUIDED)
    assert last is not None and [line["generator_trained"] for line in lines] == [0, 1, 1]
    assert lines[-1]["guide"] >= 0 and "guide" not in lines[0]
    begun = load_checkpoint(tmp_path / "plain" / "checkpoint-00000002.pt", CPU)["averaged"]
    state = load_checkpoint(last, CPU)["generator"]
    for layer in ("head_in", "head_out"):
        assert torch.equal(state[f"{layer}.weight"], begun[f"generator.{layer}.weight"])
    assert not torch.equal(state["levels.3.leave.weight"], begun["generator.levels.3.leave.weight"])
    assert bool(state["stem.weight"][:, -2:].abs().sum() > 0)  # the guides have an effect
    assert publish(last, tmp_path / "w.safetensors", "MIT").network == "spade-guided"


@pytest.mark.usefixtures("few_samples_of_style")
def test_a_run_with_aligned_phases_and_the_power_of_real_land(labelled: TileSet, tmp_path: Path) -> None:
    lines: list[dict[str, float]] = []
    config = changed(network="spade-guided", crop_px=64, images=4, power_weight=2.0, align_phases=True)
    last = train_terrain(labelled, config, tmp_path, lambda _, losses: lines.append(losses), network=GUIDED)
    assert last is not None and all(0 < line["power"] < 20 for line in lines)
    layer = nn.Conv2d(32, 16, 3)
    layer.load_state_dict(
        {name: load_checkpoint(last, CPU)["generator"][f"head_out.{name}"] for name in ("weight", "bias")}
    )
    with torch.no_grad():
        phases = layer(torch.rand(1, 32, 1, 1).expand(1, 32, 3, 3)).view(4, 4)
    # Aligned before the last step, which moved each weight by its rate at most.
    assert float((phases - phases.mean(dim=1, keepdim=True)).abs().max()) < 0.1


def test_a_last_layer_that_is_held_cannot_be_aligned() -> None:
    with pytest.raises(TrainingError, match="align_phases changes the last layer, which hold_detail keeps"):
        changed(align_phases=True, hold_detail=True)
    with pytest.raises(TrainingError, match="align_phases is for spade-local and spade-guided, not for spade-terrain"):
        changed(align_phases=True, network="spade-terrain-1.0")


def test_a_guide_needs_the_network_with_guides() -> None:
    with pytest.raises(TrainingError, match="guide_weight is for the network spade-guided, not for spade-local"):
        changed(guide_weight=1.0)
