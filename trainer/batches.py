"""The images of one step: drawn for all processes alike, so that the step does not depend on how many share it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from trainer.augment import Augmentation, draw_augmentation
from trainer.config import TrainConfig
from trainer.crops import Crops, CropSource
from trainer.systems import System


@dataclass(frozen=True)
class Batch:
    """N crops of side C and all that is random about them: `style` (N, S, r, c); a seed an image; `rounding`
    (N, 1, C + 3, C + 3) metres to be added to real land; `flip` the axes that made land is flipped along."""

    crops: Crops
    style: Tensor
    seeds: list[int]
    rounding: Tensor
    flip: list[int]
    augmentation: Augmentation

    def parts(self, count: int) -> list[Batch]:
        """The batch in `count` equal parts."""
        size = len(self.seeds) // count
        return [self._part(slice(start, start + size)) for start in range(0, count * size, size)]

    def _part(self, images: slice) -> Batch:
        return Batch(self.crops.part(images), self.style[images], self.seeds[images], self.rounding[images],
                     self.flip, self.augmentation.part(images))  # fmt: skip


def draw_batch(
    system: System, source: CropSource, config: TrainConfig, random: torch.Generator, images: int, share: slice
) -> Batch:
    """The images `share` of the step that begins after `images`; moves `random` on as if it were all of them."""
    device = source.device
    # By the clock: a resumed run draws what an unbroken one would.
    torch.manual_seed(config.seed + images)
    crops = source.draw(config.batch, random, share)
    style = system.style(crops, config.style_noise, random, config.batch, share)
    flips = [bool(each) for each in torch.randint(0, 2, (2,), generator=random)]
    rounding = torch.rand((config.batch, *crops.height.shape[1:]), device=device)[share] - 0.5
    augmentation = draw_augmentation(config.augment, config.batch, random, device).part(share)
    return Batch(
        crops=crops,
        style=style,
        # A seed an image, by its place in the run.
        seeds=[config.seed + images + index for index in range(config.batch)[share]],
        rounding=rounding,
        flip=[axis for axis, flip in zip((2, 3), flips, strict=True) if flip] or [3],
        augmentation=augmentation,
    )
