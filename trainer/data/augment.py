"""Differentiable augmentation of the discriminator's input (DiffAugment, Zhao and others 2020), for small data sets.

Real and fake pictures are augmented alike, and gradients pass through. The first three channels are a picture in -1..1.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

_NUMBERS = 7
_SHIFT = 1 / 8
_HOLE = 1 / 2


@dataclass(frozen=True)
class Augmentation:
    """`kinds` are "colour", "translation" and "cutout"; `numbers` (N, 7) in 0..1 are the random parameters of each of N
    images."""

    kinds: tuple[str, ...]
    numbers: Tensor

    def part(self, images: slice) -> Augmentation:
        """The augmentation of some of the images."""
        return Augmentation(self.kinds, self.numbers[images])

    def __call__(self, pictures: Tensor) -> Tensor:
        """(M * N, K, H, W) → the same shape; image n of each of the M batches is augmented alike."""
        if not self.kinds:
            return pictures
        numbers = self.numbers.repeat(len(pictures) // len(self.numbers), 1)
        if "colour" in self.kinds:
            pictures = torch.cat([_coloured(pictures[:, :3], numbers[:, :3]), pictures[:, 3:]], dim=1)
        if "translation" in self.kinds:
            pictures = _shifted(pictures, numbers[:, 3:5])
        if "cutout" in self.kinds:
            pictures = pictures * _hole(pictures, numbers[:, 5:7])
        return pictures


def draw_augmentation(
    kinds: tuple[str, ...], count: int, random: torch.Generator, device: torch.device
) -> Augmentation:
    """For `count` images; draws no numbers without kinds."""
    numbers = torch.rand((count, _NUMBERS), generator=random) if kinds else torch.zeros((count, _NUMBERS))
    return Augmentation(kinds, numbers.to(device))


def _coloured(picture: Tensor, numbers: Tensor) -> Tensor:
    """Brightness by up to half of the range -1..1, saturation 0..2, contrast 0.5..1.5."""
    brightness, saturation, contrast = (numbers[:, index, None, None, None] for index in range(3))
    picture = picture + brightness - 0.5
    grey = picture.mean(dim=1, keepdim=True)
    picture = grey + (picture - grey) * 2 * saturation
    middle = picture.mean(dim=(1, 2, 3), keepdim=True)
    return middle + (picture - middle) * (contrast + 0.5)


def _shifted(pictures: Tensor, numbers: Tensor) -> Tensor:
    """Shift by up to an eighth of the side; pixels from outside are 0."""
    height, width = pictures.shape[2:]
    rows, cols = (
        torch.arange(size, device=pictures.device)
        + torch.floor(numbers[:, axis, None] * (2 * reach + 1)).long() - reach
        for axis, (size, reach) in enumerate(((height, round(height * _SHIFT)), (width, round(width * _SHIFT))))
    )  # fmt: skip
    # A border of zeros, which all indices outside are clamped to.
    padded = F.pad(pictures, (1, 1, 1, 1)).movedim(1, -1)
    rows, cols = (rows + 1).clamp(0, height + 1), (cols + 1).clamp(0, width + 1)
    image = torch.arange(len(pictures), device=pictures.device)[:, None, None]
    return padded[image, rows[:, :, None], cols[:, None, :]].movedim(-1, 1)


def _hole(pictures: Tensor, numbers: Tensor) -> Tensor:
    """(N, 1, H, W): 0 in a square of half the side, of which a part may lie outside, and 1 elsewhere."""
    inside = []
    for axis, size in enumerate(pictures.shape[2:]):
        middle = numbers[:, axis, None] * size
        places = torch.arange(size, device=pictures.device) + 0.5
        inside.append((places - middle).abs() < size * _HOLE / 2)
    return (~(inside[0][:, None, :, None] & inside[1][:, None, None, :])).to(pictures.dtype)
