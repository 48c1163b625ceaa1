import torch

from terrainpaint.core.classes import WATER
from terrainpaint.models.spade_local import SpadeLocal
from terrainpaint.models.spade_terrain.reference_network import ReferenceConfig
from terrainpaint.models.spade_terrain.spade import SpadeReference
from tests.trainer.runs import NETWORK
from trainer.data.tile_set import TileSet
from trainer.systems.terrain.terrain_crops import CropSource

CPU = torch.device("cpu")


def drawn(count: int = 12) -> torch.Generator:
    return torch.Generator().manual_seed(count)


def test_processes_that_share_a_step_draw_its_crops(labelled: TileSet) -> None:
    source = CropSource(labelled, SpadeLocal(NETWORK), 32, CPU, rescale=1.2, turns=True, simple_maps=0.5)
    first, second, whole = drawn(), drawn(), drawn()
    parts = [source.draw(6, random, shard) for random, shard in ((first, slice(0, 3)), (second, slice(3, 6)))]
    both = source.draw(6, whole)
    for name in ("texture", "height", "ids", "labels"):
        assert torch.equal(torch.cat([getattr(each, name) for each in parts]), getattr(both, name)), name
    assert torch.equal(first.get_state(), whole.get_state()) and torch.equal(second.get_state(), whole.get_state())


def test_turned_crops_are_turned_whole(labelled: TileSet) -> None:
    """Map, texture and height still lie on each other, and each turn of the land comes up."""
    generator = SpadeLocal(NETWORK)
    source = CropSource(labelled, generator, 32, CPU, turns=True)
    crops = source.draw(64, drawn())
    asked = generator.input_window(crops.window)
    row, col = crops.window.rows[0] - asked.rows[0], crops.window.cols[0] - asked.cols[0]
    assert torch.equal(crops.ids[:, row : row + 35, col : col + 35].long(), crops.labels)
    assert torch.equal(crops.labels == 5, crops.height[:, 0] > 400)
    plain = CropSource(labelled, generator, 32, CPU).draw(64, drawn())
    turns = {
        (steps, mirrored)
        for index in range(64)
        for steps in range(4)
        for mirrored in (False, True)
        if torch.equal(crops.height[index], _turned(plain.height[index], steps, mirrored))
        and float(plain.height[index].std()) > 0
    }
    assert len(turns) == 8


def test_rescaled_crops_keep_their_slopes(labelled: TileSet) -> None:
    generator = SpadeLocal(NETWORK)
    crops = CropSource(labelled, generator, 32, CPU, rescale=1.5).draw(200, drawn())
    plain = CropSource(labelled, generator, 32, CPU).draw(200, drawn())
    assert crops.texture.shape == plain.texture.shape and crops.ids.shape == plain.ids.shape
    steep, usual = ((each.height.diff(dim=3).abs() > 0).float().mean() for each in (crops, plain))
    assert abs(float(steep - usual)) < 0.2
    rise, before = (each.height[each.height > 0].mean() for each in (crops, plain))
    assert 0.7 < float(rise / before) < 1.4
    slope, slope_before = (each.height.diff(dim=3).abs().mean() for each in (crops, plain))
    assert 0.75 < float(slope / slope_before) < 1.2
    # Sand is sand at any size: labels follow the heights, but for the interpolation between two pixels.
    agreement = ((crops.labels == 0) == (crops.height[:, 0] <= 0)).float().mean()
    assert float(agreement) > 0.9


def test_simple_maps_change_nothing_but_the_classes_of_land(labelled: TileSet) -> None:
    generator = SpadeLocal(NETWORK)
    plain = CropSource(labelled, generator, 32, CPU).draw(64, drawn())
    crops = CropSource(labelled, generator, 32, CPU, simple_maps=0.5).draw(64, drawn())
    assert torch.equal(crops.height, plain.height) and torch.equal(crops.texture, plain.texture)
    assert torch.equal(crops.labels == WATER, plain.labels == WATER)
    asked = generator.input_window(crops.window)
    row, col = crops.window.rows[0] - asked.rows[0], crops.window.cols[0] - asked.cols[0]
    assert torch.equal(crops.ids[:, row : row + 35, col : col + 35].long(), crops.labels)
    changed = (crops.ids != plain.ids).flatten(1).any(dim=1)
    assert 0 < int(changed.sum()) < 48


def test_a_reference_network_is_shown_whole_cells(labelled: TileSet) -> None:
    generator = SpadeReference(ReferenceConfig(widths=(4,) * 7, hidden=4))
    sizes = {tuple(CropSource(labelled, generator, 32, CPU).draw(2, drawn(seed)).ids.shape) for seed in range(8)}
    assert sizes == {(2, 64, 64)}


def _turned(height: torch.Tensor, steps: int, mirrored: bool) -> torch.Tensor:
    turned = torch.rot90(height, steps, (1, 2))
    return turned.flip(2) if mirrored else turned
