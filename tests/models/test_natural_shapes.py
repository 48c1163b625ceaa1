import pytest
import torch

from terrainpaint.core.terrain import Recipe
from terrainpaint.models import natural_shapes
from terrainpaint.models.natural_shapes import BLOCK_CELLS, NATURAL_SHAPES, NaturalShapes

VERSION = 2


def test_every_area_has_the_same_values() -> None:
    shapes = NaturalShapes(VERSION)
    whole = shapes.of(((3, 1.0),), ((-70, 90), (10, 150)))
    assert whole.shape == (1, 1, 160, 140) and 0.5 < float(whole.std()) < 1.5
    alone = NaturalShapes(VERSION).of(((3, 1.0),), ((-3, 65), (60, 70)))
    assert torch.equal(alone, whole[..., 67:135, 50:60])
    assert not torch.equal(NaturalShapes(VERSION).of(((4, 1.0),), ((-3, 65), (60, 70))), alone)


def test_blocks_fit_together() -> None:
    shape = NaturalShapes(VERSION).of(((3, 1.0),), ((0, 2 * BLOCK_CELLS), (0, 32)))[0, 0]
    steps = (shape[1:] - shape[:-1]).abs().mean(dim=1)
    assert float(steps[BLOCK_CELLS - 1]) < 2 * float(steps.mean())


def test_a_blend_of_seeds_has_a_shape_of_its_own() -> None:
    area = ((0, 32), (0, 32))
    blends = (((1, 1.0),), ((2, 1.0),), Recipe(1, 2, 0.5).weighted_seeds)
    first, second, both = (NaturalShapes(VERSION).of(seeds, area) for seeds in blends)
    assert not torch.equal(both, first) and not torch.equal(both, second) and 0.4 < float(both.std()) < 1.6


def test_the_blocks_used_last_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(natural_shapes, "MOST_BLOCKS", 2)
    computed: list[object] = []
    original = NATURAL_SHAPES[VERSION]
    monkeypatch.setitem(
        NATURAL_SHAPES,
        VERSION,
        lambda draw, at: computed.append(at) or original(draw, at),  # type: ignore[arg-type]
    )
    shapes = NaturalShapes(VERSION)

    def use(row: int) -> None:
        shapes.of(((1, 1.0),), ((row * BLOCK_CELLS, row * BLOCK_CELLS + 4), (0, 4)))

    for row in (0, 1, 0, 2, 0):
        use(row)
    assert len(computed) == 3
    use(1)
    assert len(computed) == 4


def test_the_first_version_stays_as_it_was() -> None:
    with torch.inference_mode():
        shape = NaturalShapes(1).of(((3, 1.0),), ((-70, 90), (10, 150)))[0, 0, ::40, ::35]
    expected = [
        [-0.12965985, 2.42068625, -0.18930376, -0.42592233],
        [-0.59061420, -0.17215945, 1.40905774, 0.56741142],
        [0.43991926, 0.74491799, -0.10037201, -0.71759951],
        [0.94438571, -0.24796069, -2.38365555, 1.47835052],
    ]
    assert torch.allclose(shape, torch.tensor(expected), atol=1e-5)
