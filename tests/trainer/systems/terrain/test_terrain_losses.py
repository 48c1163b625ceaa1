import math

import pytest
import torch
from torch import Tensor, nn

from terrainpaint.models.encoding import encode_elevation
from trainer.networks.multiscale_discriminator import no_norm
from trainer.systems.terrain.discriminators import SegmentationDiscriminator, segmentation_loss
from trainer.systems.terrain.losses import (
    COAST_PX,
    COAST_WEIGHT,
    basin_depths,
    basin_excess,
    relief_energy,
    sea_level,
    shading_leak,
)

LABELS = torch.randint(0, 7, (2, 4, 4), generator=torch.Generator().manual_seed(0))


def test_shading_in_the_albedo_is_found_and_no_relief_is_bent() -> None:
    torch.manual_seed(0)
    height = nn.functional.interpolate(torch.randn(2, 1, 12, 12) * 500, size=(64, 64), mode="bicubic")
    height.requires_grad_()
    diagonal = torch.zeros_like(height)
    diagonal[:, :, 1:-1, 1:-1] = height[:, :, 2:, 1:-1] - height[:, :, :-2, 1:-1]
    diagonal[:, :, 1:-1, 1:-1] += height[:, :, 1:-1, 2:] - height[:, :, 1:-1, :-2]
    lit = 0.5 + 0.1 * torch.tanh(10 * diagonal.detach() / 4000)
    east = torch.zeros_like(lit)
    east[:, :, :, 1:-1] = torch.tanh(10 * (height[:, :, :, 2:] - height[:, :, :, :-2]).detach() / 4000)
    plain = torch.rand(2, 1, 64, 64)
    # Half of each square: the slope along the light does not show it.
    assert shading_leak(lit, height, 2000.0) > 0.4
    assert shading_leak(1 - lit, height, 2000.0) > 0.4
    assert shading_leak(east, height, 2000.0) > 0.4
    assert shading_leak(plain, height, 2000.0) < 0.02
    assert shading_leak(torch.full_like(plain, 0.5), height, 2000.0) == 0
    plain.requires_grad_()
    shading_leak(plain, height, 2000.0).backward()
    assert height.grad is None and float(plain.grad.abs().max()) > 0


def test_the_sea_is_at_0_m_and_nothing_else_has_to_be() -> None:
    labels = torch.zeros(1, 4, 4, dtype=torch.int64)
    labels[0, 3] = 5
    height = torch.zeros(1, 1, 4, 4)
    height[0, 0, 0] = 40  # a lake
    real, fake = encode_elevation(height, 43), encode_elevation(height + 9, 43)
    assert sea_level(fake, real, height, labels) == pytest.approx(COAST_WEIGHT * 3 / 43 / 2, abs=1e-6)
    elsewhere = real + (fake - real) * ((height > 0) | (labels != 0)[:, None])
    assert sea_level(elsewhere, real, height, labels) == 0
    assert sea_level(fake, real, height, labels + 1) == 0


def test_the_sea_near_a_coast_counts_more() -> None:
    labels = torch.zeros(1, 20, 20, dtype=torch.int64)
    labels[0, 0] = 5
    height = torch.zeros(1, 1, 20, 20)
    real, fake = encode_elevation(height, 43), encode_elevation(height + 9, 43)
    near = COAST_PX * 20
    expected = (COAST_WEIGHT * near + (380 - near)) / 400 * 3 / 43
    assert sea_level(fake, real, height, labels) == pytest.approx(expected, rel=1e-5)


def test_relief_energy_is_of_strength_and_size_and_not_of_place() -> None:
    torch.manual_seed(0)
    fine = 400 * torch.randn(2, 1, 128, 128)
    assert relief_energy(fine, fine) == 0
    assert relief_energy(2 * fine, fine) == pytest.approx(math.log(2), abs=0.05)
    assert relief_energy(fine + 3000, fine) == pytest.approx(0, abs=1e-3)
    # Elsewhere, and mirrored, it is as strong: only noise is left, most where an area has few hills.
    assert relief_energy(400 * torch.randn(2, 1, 128, 128), fine) < 0.15 < relief_energy(1.5 * fine, fine)
    coarse = nn.functional.interpolate(fine[:, :, ::8, ::8], scale_factor=8, mode="bicubic")
    assert relief_energy(coarse, fine) > 0.5
    # Nobody sees a metre.
    assert relief_energy(torch.zeros(1, 1, 64, 64), 0.5 * torch.randn(1, 1, 64, 64)) < 0.05
    assert relief_energy(torch.zeros(1, 1, 16, 16), torch.zeros(1, 1, 16, 16)) == 0


def test_rare_classes_weigh_more_in_the_segmentation_loss() -> None:
    scores = torch.zeros(2, 8, 4, 4)
    heavier = segmentation_loss(LABELS, LABELS, torch.tensor([3.0, 1, 1, 1, 1, 1, 1]))
    fraction = float((LABELS == 0).float().mean())
    found = heavier.generator(scores, None)
    assert float(found) == pytest.approx(math.log(8) * (1 + 2 * fraction), rel=1e-5)


@pytest.mark.parametrize("widths", [(8,), (8, 12, 16)])
def test_the_segmentation_discriminator_names_every_pixel_without_the_map(widths: tuple[int, ...]) -> None:
    discriminator = SegmentationDiscriminator(widths, no_norm)
    pictures = torch.rand(2, 15, 32, 32)
    (scale,) = discriminator(pictures)
    assert scale[-1].shape == (2, 8, 32, 32) and len(scale) == 2 * len(widths) + 1
    other = torch.cat([pictures[:, :-7], torch.rand(2, 7, 32, 32)], dim=1)
    assert torch.equal(discriminator(other)[0][-1], scale[-1])


def _bowl(depth_m: float) -> Tensor:
    """A plain of 100 m with a round bowl of 12 px radius, (1, 1, 64, 64) metres."""
    rows, cols = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    distance = torch.hypot(rows - 32, cols - 32)
    return (100 - depth_m * (1 - distance / 12).clamp(min=0))[None, None]


def test_the_depth_of_a_bowl_is_that_up_to_its_rim() -> None:
    none = torch.zeros((1, 1, 64, 64), dtype=torch.bool)
    bowl = _bowl(40)
    assert torch.allclose(basin_depths(bowl, none), 100 - bowl, atol=1e-3)
    # A valley to the border drains it, and so does water at its ground.
    valley = bowl.clone()
    valley[..., 24:40, 32:] = torch.linspace(60, 0, 32)
    assert basin_depths(valley, none).max() < 0.1 * basin_depths(bowl, none).max()
    water = none.clone()
    water[..., 31:34, 31:34] = True
    assert basin_depths(bowl, water).max() < 1e-3


def test_only_more_closed_depressions_than_real_ones_cost() -> None:
    none = torch.zeros((1, 1, 64, 64), dtype=torch.bool)
    deep, shallow = _bowl(40), _bowl(2)
    assert basin_excess(shallow, deep, none) == 0
    fake = deep.clone().requires_grad_(True)
    optimiser = torch.optim.Adam([fake], lr=1.0)
    losses = []
    for _ in range(40):
        loss = basin_excess(fake, shallow, none)
        losses.append(loss.item())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert losses[0] > 0.03 and losses[-1] < 0.5 * losses[0]
    # The ground of the bowl rises.
    assert (fake - deep)[0, 0, 32, 32].item() > 5
