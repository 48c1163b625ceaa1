"""The mean of weights is that of each number, and nothing else than their layers is asked of them."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from scripts.mean_weights import take_mean


def test_each_number_becomes_the_mean() -> None:
    networks = [nn.Conv2d(2, 3, 1) for _ in range(3)]
    expected = torch.stack([each.weight.detach().clone() for each in networks]).mean(dim=0)
    take_mean(networks[0], networks[1:])
    torch.testing.assert_close(networks[0].weight.detach(), expected)
    assert not torch.equal(networks[1].weight, networks[0].weight), "the others stay"


def test_networks_with_other_layers_are_refused() -> None:
    with pytest.raises(ValueError, match="the networks differ at weight"):
        take_mean(nn.Conv2d(2, 3, 1), [nn.Conv2d(2, 3, 3)])
    with pytest.raises(ValueError):
        take_mean(nn.Conv2d(2, 3, 1), [nn.Conv2d(2, 3, 1, bias=False)])
