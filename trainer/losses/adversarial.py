"""Adversarial losses: what the discriminator and the generator each want of the scores.

Scores of one scale are (N, K, h, w), a number or, for the segmentation loss, N + 1 logits a place. All means are over
images and places, so a step in equal parts has the gradients of the whole step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True)
class Targets:
    """What the segmentation loss compares with: `real` and `made`, (N, h, w) int64 class ids of the two pictures, and
    `class_weights` (7,), which make rare classes count as much as common ones."""

    real: Tensor
    made: Tensor
    class_weights: Tensor


@dataclass(frozen=True)
class Adversarial:
    """`discriminator(real, made, targets)` and `generator(made, real, targets)`: scores of one scale → loss, a scalar.

    There may be several made pictures for a real one; they follow each other in whole batches.
    `compares` tells that the generator's loss needs scores of real pictures, `realness` makes one number a place.
    """

    discriminator: Callable[[Tensor, Tensor, Targets], Tensor]
    generator: Callable[[Tensor, Tensor | None, Targets], Tensor]
    compares: bool = False
    realness: Callable[[Tensor], Tensor] = lambda scores: scores


def _beside(real: Tensor | None, made: Tensor) -> Tensor:
    """The real scores as often as there are made ones for them."""
    if real is None:
        raise ValueError("a relativistic loss compares with real scores")
    return real.repeat(len(made) // len(real), 1, 1, 1)


def _labelled(scores: Tensor, ids: Tensor, targets: Targets) -> Tensor:
    # Not the weighted mean of cross_entropy: its divisor depends on the batch.
    return (F.cross_entropy(scores, ids, reduction="none") * targets.class_weights[ids]).mean()


def _as_made(scores: Tensor) -> Tensor:
    last = scores.shape[1] - 1
    return F.cross_entropy(scores, torch.full_like(scores[:, 0], last, dtype=torch.int64))


ADVERSARIAL: Mapping[str, Adversarial] = {
    # Lim and Ye 2017; Miyato and others 2018
    "hinge": Adversarial(
        lambda real, made, _: F.relu(1 - real).mean() + F.relu(1 + made).mean(),
        lambda made, _real, _: -made.mean(),
    ),
    # Goodfellow and others 2014
    "non-saturating": Adversarial(
        lambda real, made, _: F.softplus(-real).mean() + F.softplus(made).mean(),
        lambda made, _real, _: F.softplus(-made).mean(),
    ),
    # Jolicoeur-Martineau 2018; with both gradient penalties Huang and others 2024 (R3GAN)
    "relativistic": Adversarial(
        lambda real, made, _: F.softplus(made - _beside(real, made)).mean(),
        lambda made, real, _: F.softplus(_beside(real, made) - made).mean(),
        compares=True,
    ),
    # Mao and others 2017
    "lsgan": Adversarial(
        lambda real, made, _: (real - 1).square().mean() + made.square().mean(),
        lambda made, _real, _: (made - 1).square().mean(),
    ),
    # Schönfeld and others 2021 (OASIS): a class a pixel, and one more for what was made
    "segmentation": Adversarial(
        lambda real, made, targets: _labelled(real, targets.real, targets) + _as_made(made),
        lambda made, _real, targets: _labelled(made, targets.made, targets),
        realness=lambda scores: scores[:, :-1].logsumexp(dim=1, keepdim=True) - scores[:, -1:],
    ),
}
