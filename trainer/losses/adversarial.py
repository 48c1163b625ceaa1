"""Adversarial losses: what the discriminator and the generator minimise, as functions of the logits.

Logits of one scale are (N, K, h, w). All means are over images and places, so a step in equal parts has the gradients
of the whole step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True)
class Adversarial:
    """`discriminator(real, fake)` and `generator(fake, real)`: logits of one scale → loss, a scalar.

    There may be several fakes for each real picture; they follow each other in whole batches. `needs_real` says that
    the generator's loss uses the logits of real pictures, else they are None; `realness` reduces the logits to one
    number a place.
    """

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor, Tensor | None], Tensor]
    needs_real: bool = False
    realness: Callable[[Tensor], Tensor] = lambda logits: logits


def _paired(real: Tensor | None, fake: Tensor) -> Tensor:
    """The real logits, repeated to the number of fake ones."""
    if real is None:
        raise ValueError("a relativistic loss needs the logits of real pictures")
    return real.repeat(len(fake) // len(real), 1, 1, 1)


ADVERSARIAL: Mapping[str, Adversarial] = {
    # Lim and Ye 2017; Miyato and others 2018
    "hinge": Adversarial(
        lambda real, fake: F.relu(1 - real).mean() + F.relu(1 + fake).mean(),
        lambda fake, _real: -fake.mean(),
    ),
    # Goodfellow and others 2014
    "non-saturating": Adversarial(
        lambda real, fake: F.softplus(-real).mean() + F.softplus(fake).mean(),
        lambda fake, _real: F.softplus(-fake).mean(),
    ),
    # Jolicoeur-Martineau 2018; with both gradient penalties Huang and others 2024 (R3GAN)
    "relativistic": Adversarial(
        lambda real, fake: F.softplus(fake - _paired(real, fake)).mean(),
        lambda fake, real: F.softplus(_paired(real, fake) - fake).mean(),
        needs_real=True,
    ),
    # Mao and others 2017
    "lsgan": Adversarial(
        lambda real, fake: (real - 1).square().mean() + fake.square().mean(),
        lambda fake, _real: (fake - 1).square().mean(),
    ),
}

CLASSIFICATION: Mapping[str, Callable[[Tensor, bool], Tensor]] = {
    # Binary cross-entropy: Goodfellow and others 2014
    "bce": lambda logits, is_real: F.softplus(-logits if is_real else logits).mean(),
    # Mao and others 2017
    "lsgan": lambda logits, is_real: (logits - float(is_real)).square().mean(),
}
"""Losses of logits that should be those of real, or of fake, pictures. The generator minimises that of its fakes as
real ones, the discriminator the sum of both."""
