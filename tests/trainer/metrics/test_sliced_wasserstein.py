import torch
from torch import nn

from trainer.metrics.sliced_wasserstein import patch_distance


def test_the_distance_grows_with_blur_and_noise_and_not_with_the_place_of_hills() -> None:
    random = torch.Generator().manual_seed(0)
    land = nn.functional.interpolate(torch.randn(4, 4, 12, 12, generator=random), size=(48, 48), mode="bicubic")
    land += 0.1 * torch.randn(land.shape, generator=random)
    blurred = nn.functional.avg_pool2d(land, 5, stride=1, padding=2)
    more = land + 0.5 * torch.randn(land.shape, generator=random)
    assert patch_distance(land, land) == 0
    assert patch_distance(land.flip(3), land) < 0.5 * min(patch_distance(blurred, land), patch_distance(more, land))
    assert patch_distance(more, land) == patch_distance(more, land)
