"""The images of one step: drawn for all processes alike, so that a step does not depend on the number of processes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trainer.data.augment import Augmentation, draw_augmentation
from trainer.systems.terrain.adapters import Adapter, Fake
from trainer.systems.terrain.config import TerrainConfig
from trainer.systems.terrain.terrain_crops import Crops, CropSource


@dataclass
class TerrainBatch:
    """N crops of side C and everything random about them: `style` (N, S, r, c); `seeds` one for each image; `rounding`
    (N, 1, C + 3, C + 3) metres to add to real heights; `flip` the axes that fakes are flipped along; `is_free` (N,)
    bool, where style and guide are random ones, so that the result cannot be compared with the crop. `images` is the
    number of images of the run before the step.

    The discriminator's loss stores what the generator's loss uses again: `real` the discriminator's input for the
    crops, `real_features` its features, and `fake` with its graph, where that is affordable.
    """

    crops: Crops
    style: Tensor
    seeds: list[int]
    rounding: Tensor
    flip: list[int]
    augmentation: Augmentation
    is_free: NDArray[np.bool_]
    images: int
    keeps_graph: bool = True
    real: Tensor | None = None
    real_features: list[list[Tensor]] | None = None
    fake: Fake | None = None

    @property
    def compared(self) -> slice | Tensor:
        """The indices of the images that are compared with their crops."""
        if not self.is_free.any():
            return slice(None)
        return torch.from_numpy(np.flatnonzero(~self.is_free)).to(self.style.device)

    def parts(self, count: int) -> list[TerrainBatch]:
        """Split into `count` batches of equal size. The graph of a whole batch is kept for the generator's loss; those
        of several parts would all be in memory at once."""
        size = len(self.seeds) // count
        return [self._part(slice(start, start + size), count == 1) for start in range(0, count * size, size)]

    def _part(self, images: slice, keeps_graph: bool) -> TerrainBatch:
        return TerrainBatch(self.crops.part(images), self.style[images], self.seeds[images], self.rounding[images],
                            self.flip, self.augmentation.part(images), self.is_free[images], self.images,
                            keeps_graph)  # fmt: skip


def free_images(count: int, fraction: float) -> NDArray[np.bool_]:
    """(`count`,): a fraction of the images of a step, spread over it, so that each part of it has others too."""
    is_free: NDArray[np.bool_] = np.diff(np.floor(np.arange(count + 1) * fraction)) > 0
    return is_free


def draw_batch(
    adapter: Adapter,
    source: CropSource,
    config: TerrainConfig,
    batch: int,
    first_seed: int,
    random: torch.Generator,
    images: int,
    shard: slice,
) -> TerrainBatch:
    """The images `shard` of the `batch` of the step that begins after `images`; `random` advances as for all."""
    device = source.device
    is_free = free_images(batch, config.free_fraction)
    crops = adapter.crops(source, batch, random, shard, is_free)
    style = adapter.style(crops, config.style_noise, random, batch, shard)
    if is_free.any():
        random_style = adapter.random_style(crops, random, batch, shard)
        free = torch.from_numpy(is_free[shard]).to(device)
        style = torch.where(free[:, None, None, None], random_style, style)
    flips = [bool(each) for each in torch.randint(0, 2, (2,), generator=random)]
    rounding = torch.rand((batch, *crops.height.shape[1:]), device=device)[shard] - 0.5
    augmentation = draw_augmentation(config.augment, batch, random, device).part(shard)
    return TerrainBatch(
        crops=crops,
        style=style,
        # By the place of the image in the run.
        seeds=[first_seed + images + index for index in range(batch)[shard]],
        rounding=rounding,
        flip=[axis for axis, flip in zip((2, 3), flips, strict=True) if flip] or [3],
        augmentation=augmentation,
        is_free=is_free[shard],
        images=images,
    )
