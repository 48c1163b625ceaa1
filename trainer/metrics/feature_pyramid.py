"""Features of a picture at several depths, with gradients, of the networks that `features.py` measures with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from trainer.losses.perceptual import load_perceptual
from trainer.metrics.features import EFFICIENTNET_NAME, FROM_FILE, load_efficientnet, sha256_of
from trainer.metrics.features_option import EFFICIENTNET

LARGEST_SIDE_PX, SMALLEST_SIDE_PX = 256, 128
"""Larger pictures are reduced, smaller ones enlarged: the networks have seen things at about this size."""


class FeaturePyramid:
    """Features of pictures, from fine to coarse; `label` has the name of the network and the hash of its weights."""

    def __init__(self, name: str, sha256: str, layers: Callable[[Tensor], list[Tensor]]) -> None:
        self.label = f"{name} {sha256[:12]}"
        self._layers = layers

    @classmethod
    def load(cls, source: Path, device: torch.device) -> FeaturePyramid:
        """Load `EFFICIENTNET` from its package, or a file of SqueezeNet 1.1 or VGG19. Raises TrainingError."""
        if str(source) != EFFICIENTNET:
            network = load_perceptual(source).to(device)
            return cls(FROM_FILE[len(network.features)][0], sha256_of(source), network)
        path, classifier = load_efficientnet()
        classifier = classifier.to(device).eval().requires_grad_(False)
        return cls(EFFICIENTNET_NAME, sha256_of(path), lambda pictures: _efficientnet_layers(classifier, pictures))

    def __call__(self, pictures: Tensor) -> list[Tensor]:
        """Features (N, C, h, w) of pictures (N, 3, S, S) in -1..1, which may go beyond."""
        side = pictures.shape[-1]
        x = (pictures + 1) / 2
        if side > LARGEST_SIDE_PX:
            x = F.interpolate(x, size=(LARGEST_SIDE_PX, LARGEST_SIDE_PX), mode="area")
        elif side < SMALLEST_SIDE_PX:
            x = F.interpolate(x, size=(SMALLEST_SIDE_PX, SMALLEST_SIDE_PX), mode="bilinear", align_corners=False)
        return self._layers(x)


def _efficientnet_layers(network: Any, pictures: Tensor) -> list[Tensor]:
    """The last features of each resolution, of pictures in 0..1."""
    x = network._swish(network._bn0(network._conv_stem((pictures * 255 - 127) / 128)))
    layers = [x]
    for block in network._blocks:
        x = block(x)
        if x.shape[-1] == layers[-1].shape[-1]:
            layers.pop()
        layers.append(x)
    return layers
