import math

import pytest
import torch
from torch import Tensor

from trainer.data.adaptive_augment import KINDS, AdaptiveAugmentation, Control, draw_adaptive
from trainer.data.resampling import resampled


def smooth(count: int, channels: int = 3, side: int = 32) -> Tensor:
    x = torch.linspace(0, 2 * math.pi, side)
    waves = [torch.sin((k % 3 + 1) * x[:, None] + k) * torch.cos(x + k) for k in range(count * channels)]
    return torch.stack(waves).view(count, channels, side, side)


def augmentation(kinds: tuple[str, ...], probability: float, count: int = 2, seed: int = 0) -> AdaptiveAugmentation:
    return draw_adaptive(kinds, count, torch.Generator().manual_seed(seed), lambda: probability)


def test_resampling_moves_turns_and_mirrors() -> None:
    same = torch.eye(3)[:2].repeat(2, 1, 1)
    noise = torch.randn(2, 3, 16, 16)
    assert torch.allclose(resampled(noise, same), noise, atol=1e-5)
    shifted = same + torch.tensor([[0.0, 0, 2 * 3 / 16], [0, 0, 0]])
    assert torch.allclose(resampled(noise, shifted)[:, :, :, :13], noise[:, :, :, 3:], atol=1e-4)
    # The filter is not symmetric, so these are exact for smooth pictures only, and away from their borders.
    pictures, inner = smooth(2), (slice(None), slice(None), slice(4, -4), slice(4, -4))
    mirrored = same * torch.tensor([-1.0, 1, 1])
    assert torch.allclose(resampled(pictures, mirrored)[inner], pictures.flip(3)[inner], atol=0.002)
    # A place (x, y) comes from (-y, x): the top from the right side.
    turned = torch.tensor([[0.0, -1, 0], [1, 0, 0]]).repeat(2, 1, 1)
    assert torch.allclose(resampled(pictures, turned)[inner], pictures.rot90(1, (2, 3))[inner], atol=0.002)


def test_resampling_can_be_differentiated_twice() -> None:
    turned = torch.tensor([[0.8, -0.3, 0.1], [0.4, 0.7, -0.2]], dtype=torch.float64)[None]
    pictures = torch.randn(1, 1, 14, 14, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda x: resampled(x, turned) ** 2, pictures, fast_mode=True)


def test_with_probability_0_nothing_changes_and_without_kinds_neither() -> None:
    pictures = smooth(2)
    assert augmentation(KINDS, 0.0)(pictures) is pictures
    assert torch.equal(augmentation((), 1.0)(pictures), pictures)


@pytest.mark.parametrize("probability", [0.2, 0.7])
def test_so_many_images_are_changed(probability: float) -> None:
    """Of the colours alone, an image stays as it is when none of five transformations is applied to it."""
    count = 400
    pictures = smooth(1).repeat(count, 1, 1, 1)
    changed = (augmentation(("colour",), probability, count)(pictures) - pictures).abs().amax(dim=(1, 2, 3)) > 1e-5
    # Luma is inverted for half of those that it is applied to.
    expected = 1 - (1 - probability) ** 4 * (1 - probability / 2)
    assert float(changed.float().mean()) == pytest.approx(expected, abs=0.07)


def test_geometry_keeps_colours_and_colours_keep_places() -> None:
    pictures = smooth(64)
    moved = augmentation(("blit", "geometry"), 1.0, 64)(pictures)
    assert float(moved.abs().max()) < 1.2 and float((moved - pictures).abs().mean()) > 0.2
    grey = pictures[:, :1].expand(-1, 3, -1, -1)
    coloured = augmentation(("colour",), 1.0, 64)(grey)
    # A grey picture stays grey: hue and saturation turn about the greys.
    assert torch.allclose(coloured[:, 0], coloured[:, 2], atol=1e-4)


def test_classes_have_no_colours() -> None:
    layouts = smooth(2, channels=7)
    assert torch.equal(augmentation(("colour",), 1.0)(layouts), layouts)
    assert augmentation(("blit",), 1.0)(layouts).shape == layouts.shape


def test_parts_are_the_whole() -> None:
    pictures, whole = smooth(4), augmentation(KINDS, 0.8, 4)
    parts = torch.cat([whole.part(slice(0, 2))(pictures[:2]), whole.part(slice(2, 4))(pictures[2:])])
    assert torch.allclose(whole(pictures), parts, atol=1e-5)


def test_the_probability_moves_by_the_published_step() -> None:
    """Every fourth step by batch * 4 / 500,000 images, towards a mean sign of 0.6, and never below 0."""
    control = Control(0.6, 500_000)
    steps = 0

    def take(logit: float, count: int) -> None:
        nonlocal steps
        for _ in range(count):
            control.adapt(steps, lambda values: values, 1)
            control.add(torch.full((32, 1, 1, 1), logit))
            steps += 1

    take(1.0, 40)
    control.adapt(steps, lambda values: values, 1)
    assert float(control.probability) == pytest.approx(40 * 32 / 500_000)
    take(-1.0, 400)
    assert float(control.probability) == 0
    other = Control(0.6, 500_000)
    control.add(torch.ones(3))
    other.load_state_dict(control.state_dict())
    assert float(other.images) == float(control.images) > 0
