"""Statistics of the features of a discriminator, matched instead of their places: detail need not lie where it did."""

from __future__ import annotations

import torch
from torch import Tensor


def moments_difference(fake: list[list[Tensor]], real: list[list[Tensor]]) -> Tensor:
    """Mean L1 of the means and deviations over each crop of each channel of the features of each scale; the last ones,
    the logits, are left out. A scalar."""
    differences = []
    for one, two in zip(fake, real, strict=True):
        for ours, theirs in zip(one[:-1], two[:-1], strict=True):
            for moment in (_means, _deviations):
                differences.append((moment(ours) - moment(theirs)).abs().mean())
    return torch.stack(differences).mean()


def _means(x: Tensor) -> Tensor:
    return x.mean(dim=(2, 3))


def _deviations(x: Tensor) -> Tensor:
    return (x.var(dim=(2, 3)) + 1e-6).sqrt()
