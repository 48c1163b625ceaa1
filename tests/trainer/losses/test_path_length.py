import pytest
import torch

from trainer.losses.gradient_penalty import logit_penalty
from trainer.losses.path_length import path_penalty


def test_the_gradient_penalty_of_a_known_slope() -> None:
    """A logit of the sum of all pixels times 3 has a gradient of 3 everywhere."""
    pictures = torch.randn(4, 2, 5, 5)
    found = logit_penalty(lambda x: 3 * x.sum(dim=(1, 2, 3)), pictures)
    assert float(found) == pytest.approx(9 * 50 / 2)


def test_path_lengths_of_a_linear_generator() -> None:
    """Pictures that are w times a constant have paths of that length, whatever the noise draws on average."""
    torch.manual_seed(0)
    scale = torch.tensor(2.0, requires_grad=True)
    styles = torch.randn(64, 3, 16, requires_grad=True)
    pictures = (styles.sum(dim=1) * scale).view(64, 1, 4, 4)
    penalty, mean = path_penalty(pictures, styles, torch.tensor(1.5))
    # Noise of variance 1 / 16 in 16 numbers has the length 1, so a path has about 2; the mean moves by a hundredth.
    assert float(mean) == pytest.approx(1.5 + 0.01 * (2 - 1.5), abs=0.003)
    assert penalty.item() == pytest.approx(0.25 + 4 * 0.03, abs=0.15)
    (slope,) = torch.autograd.grad(penalty, scale)
    assert float(slope) > 0
