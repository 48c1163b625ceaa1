"""What both systems of super-resolution do with discriminators, and how a run begins with weights of another one."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from terrainpaint.errors import TrainingError
from trainer.loop.checkpoints import averaged_weights, load_checkpoint
from trainer.loop.precision import autocast
from trainer.losses.adversarial import ADVERSARIAL
from trainer.systems.super_resolution.feature_moments import moments_difference


class Adversary:
    """The losses of a discriminator of several scales, which is given with each call: the pictures (N, C, H, W) that it
    sees are real or generated, and it computes in `precision`."""

    def __init__(self, kind: str, precision: str, device: torch.device) -> None:
        self._losses, self._precision, self._device = ADVERSARIAL[kind], precision, device

    def of_discriminator(self, discriminator: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
        """The loss of the discriminator, a scalar."""
        logits = [self._features(discriminator, picture) for picture in (real, fake.detach())]
        losses = [self._losses.discriminator(one[-1], two[-1]) for one, two in zip(*logits, strict=True)]
        return torch.stack(losses).mean()

    def of_generator(self, discriminator: nn.Module, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """The adversarial loss of the generator, and how far the moments of the features are apart; scalars."""
        with torch.no_grad():
            expected = self._features(discriminator, real)
        found = self._features(discriminator, fake)
        losses = [self._losses.generator(one[-1], two[-1]) for one, two in zip(found, expected, strict=True)]
        return torch.stack(losses).mean(), moments_difference(found, expected)

    def _features(self, discriminator: nn.Module, picture: Tensor) -> list[list[Tensor]]:
        with autocast(self._precision, self._device):
            features: list[list[Tensor]] = discriminator(picture)
        return [[each.float() for each in scale] for scale in features]


def nothing_of(discriminator: nn.Module) -> Tensor:
    """Zero, with a gradient of zeros: the loss of a discriminator that does not learn yet. One that learned of fakes of
    a generator without an adversary would be far too sure of itself."""
    return 0 * torch.stack([each.sum() for each in discriminator.parameters()]).sum()


def begin_with(generator: nn.Module, path: Path, called: str) -> None:
    """Give a generator the averaged weights of a checkpoint of the same network. `called` is what the pictures are.

    Raises TrainingError.
    """
    state = load_checkpoint(path, torch.device("cpu"))
    try:
        generator.load_state_dict(averaged_weights(state, "generator"))
    # A part of another kind makes `load_state_dict` fail in any way.
    except Exception as error:
        raise TrainingError(f"{path} is not a checkpoint of {called} with the same widths.") from error
