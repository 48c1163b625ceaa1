"""Augmentation of the discriminator's input with a probability, for small data sets (ADA: Karras and others 2020,
"Training Generative Adversarial Networks with Limited Data").

Each transformation is applied to an image with the same probability. As long as that is below about 0.8, the generator
does not learn them. `Control` adapts it to how far the discriminator overfits.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from trainer.data.resampling import resampled

KINDS = ("blit", "geometry", "colour")
"""Mirroring, quarter turns and shifts by whole pixels; scaling, rotation and other shifts; colours of 3 channels."""
_GATES, _UNIFORM, _NORMAL = 13, 8, 7
_SHIFT = 0.125
_SCALE_OCTAVES, _ASPECT_OCTAVES, _CONTRAST_OCTAVES, _SATURATION_OCTAVES = 0.2, 0.2, 0.5, 1.0
_BRIGHTNESS = 0.2
_STEPS = 4


@dataclass(frozen=True)
class AdaptiveAugmentation:
    """Random numbers of N images: `gates` (N, 13) in 0..1 decide what is applied, `uniform` (N, 8) in 0..1 and `normal`
    (N, 7) how; `probability` is asked when they are used."""

    kinds: tuple[str, ...]
    gates: Tensor
    uniform: Tensor
    normal: Tensor
    probability: Callable[[], float]

    def part(self, images: slice) -> AdaptiveAugmentation:
        """The augmentation of some of the images."""
        return AdaptiveAugmentation(
            self.kinds, self.gates[images], self.uniform[images], self.normal[images], self.probability
        )

    def __call__(self, pictures: Tensor) -> Tensor:
        """(N, C, S, S), colours in -1..1 → the same shape. Colours change where there are three channels."""
        probability = self.probability()
        if not probability:
            return pictures
        if {"blit", "geometry"} & set(self.kinds):
            source = torch.eye(3).repeat(len(self.gates), 1, 1)
            if "blit" in self.kinds:
                source = source @ self._blit(probability, pictures.shape[-1])
            if "geometry" in self.kinds:
                source = source @ self._geometry(probability)
            pictures = resampled(pictures, source[:, :2].to(pictures))
        if "colour" in self.kinds and pictures.shape[1] == 3:
            colours = self._colours(probability).to(pictures)
            flat = colours[:, :3, :3] @ pictures.flatten(2) + colours[:, :3, 3:]
            pictures = flat.view_as(pictures)
        return pictures

    def _blit(self, probability: float, side_px: int) -> Tensor:
        """(N, 3, 3): mirrored, turned by quarters, shifted by whole pixels."""
        gates, uniform = self.gates < probability, self.uniform
        mirrored = gates[:, 0] & (uniform[:, 0] < 0.5)
        quarters = torch.floor(uniform[:, 1] * 4) * gates[:, 1]
        shift = torch.round((uniform[:, 2:4] * 2 - 1) * _SHIFT * side_px) * gates[:, 2:3] * (2 / side_px)
        one = torch.ones(len(gates))
        return _scaling(1 - 2 * mirrored.float(), one) @ _rotation(quarters * (math.pi / 2)) @ _moving(shift)

    def _geometry(self, probability: float) -> Tensor:
        """(N, 3, 3): scaled, turned, stretched in any direction, shifted by fractions of pixels."""
        gates, uniform, normal = self.gates < probability, self.uniform, self.normal
        # Turned before and after it is stretched: together as likely as the others.
        turns = self.gates < 1 - math.sqrt(max(0.0, 1 - probability))
        scale = torch.exp2(-normal[:, 0] * _SCALE_OCTAVES * gates[:, 3])
        aspect = torch.exp2(-normal[:, 1] * _ASPECT_OCTAVES * gates[:, 4])
        before, after = ((uniform[:, column] * 2 - 1) * math.pi * turns[:, column + 1] for column in (4, 5))
        shift = normal[:, 2:4] * (2 * _SHIFT) * gates[:, 7:8]
        scaled = _scaling(scale, scale) @ _rotation(before) @ _scaling(aspect, 1 / aspect)
        return scaled @ _rotation(after) @ _moving(shift)

    def _colours(self, probability: float) -> Tensor:
        """(N, 4, 4): brightness, contrast, luma inverted, hue, saturation."""
        gates, normal = self.gates < probability, self.normal
        count = len(gates)
        grey = torch.full((3,), 1 / math.sqrt(3))
        luma = grey[:, None] * grey
        chroma = torch.eye(3) - luma
        contrast = torch.exp2(normal[:, 5] * _CONTRAST_OCTAVES * gates[:, 9])[:, None, None]
        brightness = (normal[:, 4] * _BRIGHTNESS * gates[:, 8])[:, None, None]
        inverted = (gates[:, 10] & (self.uniform[:, 6] < 0.5)).float()[:, None, None]
        angle = (self.uniform[:, 7] * 2 - 1) * math.pi * gates[:, 11]
        saturation = torch.exp2(normal[:, 6] * _SATURATION_OCTAVES * gates[:, 12])[:, None, None]
        matrix = (luma * (1 - 2 * inverted) + chroma * saturation) @ _about_grey(angle)
        colours = torch.eye(4).repeat(count, 1, 1)
        colours[:, :3, :3] = matrix * contrast
        colours[:, :3, 3:] = matrix @ (contrast * brightness * torch.ones(3, 1))
        return colours


class Control(nn.Module):
    """The probability of augmentation, adapted to how many real pictures the discriminator takes for real.

    The state of a run: `probability` and the sums since it changed last, as buffers.
    """

    probability: Tensor
    signs: Tensor
    images: Tensor

    def __init__(self, target: float, full_images: float) -> None:
        """`target` is the mean sign of the logits of real pictures at which the probability stays; it needs
        `full_images` images from 0 to 1."""
        super().__init__()
        self._target, self._full_images = target, full_images
        for name in ("probability", "signs", "images"):
            self.register_buffer(name, torch.zeros(()))

    def add(self, real_logits: Tensor) -> None:
        """Count the logits of real pictures."""
        self.signs += real_logits.detach().sign().sum()
        self.images += real_logits.numel()

    def adapt(self, step: int, average: Callable[[dict[str, float]], dict[str, float]], processes: int) -> None:
        """Change the probability, every fourth step. `average` gives means over the processes of the run."""
        if step % _STEPS or not float(self.images):
            return
        counted = average({"signs": float(self.signs), "images": float(self.images)})
        sign = counted["signs"] / counted["images"]
        change = float(sign > self._target) - float(sign < self._target)
        self.probability += change * counted["images"] * processes / self._full_images
        self.probability.clamp_(0, 1)
        self.signs.zero_()
        self.images.zero_()


def draw_adaptive(
    kinds: tuple[str, ...], count: int, random: torch.Generator, probability: Callable[[], float]
) -> AdaptiveAugmentation:
    """For `count` images."""
    gates, uniform = (torch.rand((count, width), generator=random) for width in (_GATES, _UNIFORM))
    return AdaptiveAugmentation(kinds, gates, uniform, torch.randn((count, _NORMAL), generator=random), probability)


def _scaling(x: Tensor, y: Tensor) -> Tensor:
    matrix = torch.eye(3).repeat(len(x), 1, 1)
    matrix[:, 0, 0], matrix[:, 1, 1] = x, y
    return matrix


def _rotation(angle: Tensor) -> Tensor:
    matrix = torch.eye(3).repeat(len(angle), 1, 1)
    cosine, sine = angle.cos(), angle.sin()
    matrix[:, 0, 0], matrix[:, 0, 1], matrix[:, 1, 0], matrix[:, 1, 1] = cosine, -sine, sine, cosine
    return matrix


def _moving(shift: Tensor) -> Tensor:
    matrix = torch.eye(3).repeat(len(shift), 1, 1)
    matrix[:, :2, 2] = shift
    return matrix


def _about_grey(angle: Tensor) -> Tensor:
    """(N, 3, 3): rotations of colours about the axis of the greys (Rodrigues)."""
    third, root = 1 / 3, 1 / math.sqrt(3)
    cross = torch.tensor([[0.0, -root, root], [root, 0.0, -root], [-root, root, 0.0]])
    cosine, sine = angle.cos()[:, None, None], angle.sin()[:, None, None]
    return cosine * torch.eye(3) + sine * cross + (1 - cosine) * torch.full((3, 3), third)
