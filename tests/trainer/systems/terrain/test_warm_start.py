from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch

from terrainpaint.core.terrain import SNOW
from terrainpaint.errors import TrainingError
from terrainpaint.models.noise import seeded
from terrainpaint.models.spade_guided import SpadeGuided, SpadeGuidedConfig
from terrainpaint.models.spade_local import SpadeLocal, SpadeLocalConfig
from terrainpaint.models.windows import Window
from tests.trainer.runs import NETWORK, changed, quiet, train_terrain
from trainer.__main__ import main
from trainer.data.tile_set import TileSet, save_tile_set
from trainer.loop.checkpoints import newest_checkpoint
from trainer.systems.terrain.build import load_grown, with_style_numbers
from trainer.systems.terrain.publishing import publish

pytestmark = pytest.mark.usefixtures("few_samples_of_style")


def newest(folder: Path) -> Path:
    path = newest_checkpoint(folder)
    assert path is not None
    return path


WINDOW = Window((0, 32), (0, 32))


def painted(network: SpadeLocal, styles: int = 5) -> torch.Tensor:
    """What it makes of vertical stripes of the classes, with all style numbers 1."""
    (top, bottom), (left, right) = network.input_window(WINDOW).rows, network.input_window(WINDOW).cols
    ids = (torch.arange(left, right) // 10 % 7).to(torch.uint8).expand(1, bottom - top, -1)
    with torch.no_grad():
        return torch.cat(network(ids, WINDOW, seeded([3]), torch.ones(1, styles, 1, 1)), dim=1)


def test_a_network_with_more_blocks_begins_as_the_smaller_one() -> None:
    torch.manual_seed(0)
    small, large = SpadeLocal(NETWORK), SpadeLocal(replace(NETWORK, blocks=(2, 3, 2, 1)))
    assert not torch.allclose(painted(small), painted(large), atol=1e-2)
    load_grown(large, small.state_dict())
    assert torch.allclose(painted(small), painted(large), atol=1e-4)


def test_a_network_with_a_further_style_number_begins_as_the_one_without() -> None:
    torch.manual_seed(0)
    guided = SpadeGuidedConfig(**asdict(NETWORK))
    five, six = SpadeGuided(guided), SpadeGuided(replace(guided, style_names=(*guided.style_names, SNOW)))
    load_grown(six, with_style_numbers(six, five.state_dict(), 5))
    assert torch.allclose(painted(five), painted(six, 6), atol=1e-5)
    with torch.no_grad():
        for name, value in six.named_parameters():
            if ".before_" in name:
                value += 0.1
    assert not torch.allclose(painted(five), painted(six, 6), atol=1e-2)  # the comparison sees changes
    assert with_style_numbers(five, five.state_dict(), 5).keys() == five.state_dict().keys()


@pytest.mark.parametrize("other", [replace(NETWORK, widths=(32, 16, 16, 16)), replace(NETWORK, blocks=(2, 1, 1, 1))])
def test_another_width_or_more_blocks_than_there_are_is_refused(other: SpadeLocalConfig) -> None:
    with pytest.raises(RuntimeError):
        load_grown(SpadeLocal(NETWORK), SpadeLocal(other).state_dict())


def test_a_run_begins_with_published_weights_and_needs_them_only_then(labelled: TileSet, tmp_path: Path) -> None:
    train_terrain(labelled, changed(images=2), tmp_path / "one", quiet)
    start = tmp_path / "start.safetensors"
    publish(newest(tmp_path / "one"), start, "MIT")
    config = changed(images=2, start=str(start), generator_rate=0.0)
    last = train_terrain(labelled, config, tmp_path / "two", quiet)
    assert last is not None
    averaged = torch.load(tmp_path / "one" / last.name, weights_only=True)["averaged"]
    begun = torch.load(last, weights_only=True)["averaged"]
    assert all(torch.equal(begun[name], value) for name, value in averaged.items() if "style_mix" not in name)
    training = publish(newest(tmp_path / "two"), tmp_path / "two.safetensors", "MIT").training
    assert training is not None and training["start"] == "start.safetensors"  # and not in which folder
    start.unlink()
    assert train_terrain(labelled, changed(config, images=4), tmp_path / "two", quiet) is not None


def test_a_run_begins_with_the_discriminator_of_a_checkpoint(labelled: TileSet, tmp_path: Path) -> None:
    one = train_terrain(labelled, changed(images=4), tmp_path / "one", quiet)
    assert one is not None
    config = changed(images=2, start=str(one), generator_rate=0.0, discriminator_rate=0.0)
    last = train_terrain(labelled, config, tmp_path / "two", quiet)
    assert last is not None
    given, begun = (torch.load(path, weights_only=True) for path in (one, last))
    for part in ("generator", "shadow", "discriminator"):
        # Spectral norm counts its own way through the singular vectors.
        parameters = {name for name in given[part] if not name.endswith(("._u", "._v"))}
        assert parameters and all(torch.equal(begun[part][name], given[part][name]) for name in parameters), part
    assert begun["images"] == 2
    with pytest.raises(TrainingError, match="or discriminator than this run"):
        train_terrain(labelled, changed(config, discriminator_widths=(8, 8)), tmp_path / "three", quiet)


def test_weights_of_another_network_are_said_in_a_sentence(labelled: TileSet, tmp_path: Path) -> None:
    train_terrain(labelled, changed(images=2), tmp_path / "one", quiet)
    publish(newest(tmp_path / "one"), tmp_path / "start.safetensors", "MIT")
    config = changed(images=2, start=str(tmp_path / "start.safetensors"))
    with pytest.raises(TrainingError, match=r"start\.safetensors has another network \(spade-local\), widths or"):
        train_terrain(labelled, config, tmp_path / "two", quiet, network=replace(NETWORK, widths=(32, 16, 16, 16)))


def test_a_run_has_the_widths_that_it_is_told_and_begins_with_such_weights(labelled: TileSet, tmp_path: Path) -> None:
    save_tile_set(tmp_path / "set.npz", labelled)
    run = ["train", str(tmp_path / "set.npz"), "--crop-px", "32", "--images", "2", "--batch", "2", "--device", "cpu",
           "--discriminator-widths", "8", "8", "--widths", "32", "24", "16", "8"]  # fmt: skip
    assert main([*run, "-o", str(tmp_path / "one")]) == 0
    header = publish(newest(tmp_path / "one"), tmp_path / "start.safetensors", "MIT")
    assert isinstance(header.config, SpadeLocalConfig) and header.config.widths == (32, 24, 16, 8)
    again = [*run, "-o", str(tmp_path / "two"), "--start", str(tmp_path / "start.safetensors")]
    assert main([*again, "--generator-rate", "0"]) == 0
    begun, given = (torch.load(newest(tmp_path / name), weights_only=True)["averaged"] for name in ("two", "one"))
    assert all(torch.equal(begun[name], value) for name, value in given.items() if "style_mix" not in name)


def test_a_run_keeps_the_heights_of_other_weights_while_it_learns_colours(labelled: TileSet, tmp_path: Path) -> None:
    train_terrain(labelled, changed(images=2), tmp_path / "one", quiet)
    start = tmp_path / "start.safetensors"
    publish(newest(tmp_path / "one"), start, "MIT")
    losses: list[dict[str, float]] = []
    config = changed(images=6, start=str(start), relief=str(start), held_weight=100.0, log_images=2)
    last = train_terrain(labelled, config, tmp_path / "two", lambda _, values: losses.append(values))
    assert losses[0]["held"] < 1e-6 < losses[-1]["held"]  # equal at first
    assert last is not None
    training = publish(last, tmp_path / "two.safetensors", "MIT").training
    assert training is not None and training["relief"] == "start.safetensors"


def test_snow_is_learned_on_the_heights_of_weights_that_have_no_number_for_it(
    labelled: TileSet, tmp_path: Path
) -> None:
    train_terrain(labelled, changed(images=2), tmp_path / "one", quiet)
    start = tmp_path / "start.safetensors"
    publish(newest(tmp_path / "one"), start, "MIT")
    network = replace(NETWORK, style_names=(*NETWORK.style_names, SNOW))
    losses: list[dict[str, float]] = []
    config = changed(images=6, start=str(start), relief=str(start), held_weight=100.0, log_images=2, snow=True)
    last = train_terrain(labelled, config, tmp_path / "two", lambda _, values: losses.append(values), network=network)
    assert losses[0]["held"] < 1e-5  # its heights at first
    assert last is not None
    header = publish(last, tmp_path / "two.safetensors", "MIT")
    assert header.config.style_names == network.style_names


def test_relief_of_another_network_is_refused(labelled: TileSet, tmp_path: Path) -> None:
    train_terrain(labelled, changed(images=2), tmp_path / "one", quiet)
    relief = tmp_path / "relief.safetensors"
    publish(newest(tmp_path / "one"), relief, "MIT")
    other = replace(NETWORK, hidden=16)
    with pytest.raises(TrainingError, match="heights are to be kept have a generator of another shape"):
        train_terrain(labelled, changed(images=2, relief=str(relief)), tmp_path / "two", quiet, network=other)
