"""The discriminator of the reference networks, as published."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from trainer.systems.terrain.discriminators import (
    KERNEL_PX,
    REFERENCE_CHANNELS,
    STRIDE,
    ReferenceDiscriminator,
    ReferenceDiscriminatorConfig,
    reference_input,
)

SMALL = ReferenceDiscriminatorConfig(widths=(4, 6, 8))


def test_published_size_and_shapes() -> None:
    published = ReferenceDiscriminator(ReferenceDiscriminatorConfig())
    assert sum(each.numel() for each in published.parameters()) == 3 * 1_490_945
    with torch.inference_mode():
        scales = published(torch.randn(1, REFERENCE_CHANNELS, 256, 256))
    assert [tuple(each.shape[1:]) for each in scales[0]] == [(128, 128, 128), (256, 64, 64), (512, 32, 32), (1, 32, 32)]
    assert [scale[-1].shape[-1] for scale in scales] == [32, 8, 2]
    # Self-normalising: features of the size of what came in, without a norm.
    assert all(0.5 < float(each.std()) < 1.5 for each in scales[0][:-1])


def fields_px(config: ReferenceDiscriminatorConfig) -> tuple[int, ...]:
    """Side of the receptive field of a logit of each scale, by the recursion over its layers."""
    field = 1
    for _ in config.widths:
        field = STRIDE * (field - 1) + KERNEL_PX
    return tuple(field * scale for scale in config.scales)


def test_published_fields() -> None:
    assert fields_px(ReferenceDiscriminatorConfig()) == (15, 60, 240)


@pytest.mark.parametrize("scale", [0, 1])
def test_a_score_sees_its_field_and_no_more(scale: int) -> None:
    torch.manual_seed(0)
    by = ReferenceDiscriminator(SMALL)
    picture = torch.randn(1, REFERENCE_CHANNELS, 128, 128, requires_grad=True)
    scores = by(picture)[scale][-1]
    middle = scores.shape[-1] // 2
    scores[0, 0, middle, middle].backward()
    seen = (picture.grad[0] != 0).any(dim=0).nonzero()  # type: ignore[index]
    assert (seen.amax(dim=0) - seen.amin(dim=0) + 1).tolist() == [fields_px(SMALL)[scale]] * 2


def test_it_sees_terrain_height_differences_and_map() -> None:
    terrain, code, one_hot = torch.rand(2, 3, 8, 9), torch.rand(2, 1, 9, 10), torch.rand(2, 7, 8, 9)
    seen = reference_input(terrain, code, one_hot)
    assert seen.shape == (2, REFERENCE_CHANNELS, 8, 9)
    assert torch.equal(seen[:, 3:4], code[:, :, :8, :9])
    torch.testing.assert_close(seen[:, 4:5] + seen[:, 3:4], code[:, :, 1:, :9])
    torch.testing.assert_close(seen[:, 5:6] + seen[:, 3:4], code[:, :, :8, 1:])


def test_it_learns_to_tell() -> None:
    torch.manual_seed(0)
    by = ReferenceDiscriminator(SMALL)
    real, fake = torch.randn(4, REFERENCE_CHANNELS, 32, 32), torch.randn(4, REFERENCE_CHANNELS, 32, 32) + 0.5
    step = torch.optim.Adam(by.parameters(), 1e-3)

    def loss() -> torch.Tensor:
        scores = [scale[-1] for scale in by(torch.cat([real, fake]))]
        return torch.stack([nn.functional.softplus(-each[:4]).mean() + nn.functional.softplus(each[4:]).mean()
                            for each in scores]).mean()  # fmt: skip

    before = loss()
    for _ in range(30):
        step.zero_grad()
        loss().backward()
        step.step()
    assert float(loss().detach()) < 0.5 * float(before.detach())
