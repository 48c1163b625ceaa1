import torch

from terrainpaint.core.classes import WATER
from trainer.systems.terrain.terrain_crops import SIMPLE_LEAST_PX, SIMPLE_MOST_PX, simplified


def patchwork(fractions: list[float]) -> torch.Tensor:
    """Land of the classes 1, 2, ... by chance."""
    random = torch.Generator().manual_seed(0)
    drawn = torch.multinomial(torch.tensor(fractions), 256 * 320, replacement=True, generator=random)
    return (drawn + 1).to(torch.uint8).reshape(256, 320)


def test_a_patchwork_becomes_one_area() -> None:
    assert torch.equal(
        simplified(patchwork([0.2, 0.5, 0.3]), SIMPLE_LEAST_PX), torch.full((256, 320), 2, dtype=torch.uint8)
    )


def test_water_stays_where_it_is_and_is_no_class_of_land() -> None:
    ids = patchwork([0.7, 0.3])
    ids[:, ::3] = ids[:, 1::3][:, :107] = WATER
    found = simplified(ids, 64.0)
    assert torch.equal(found == WATER, ids == WATER)
    assert bool((found[ids != WATER] == 1).all())


def test_areas_larger_than_the_radius_stay() -> None:
    ids = torch.ones((256, 320), dtype=torch.uint8)
    ids[:, 120:] = 4
    ids[100:110, 200:210] = 6
    small, large = simplified(ids, 16.0), simplified(ids, SIMPLE_MOST_PX)
    assert int((small == 1).sum()) > 0.9 * 256 * 120 and int((small == 4).sum()) > 0.9 * 256 * 200
    assert not bool((small == 6).any())
    assert bool((large == 4).all())
