"""FID and KID: distances between two sets of pictures, from their features."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import poly_mmd


def fid(real: NDArray[np.float32], generated: NDArray[np.float32]) -> float:
    """Fréchet distance (Heusel and others 2017) of two sets of features (N, F)."""
    measure = FrechetInceptionDistance(feature=_Identity(real.shape[1]))
    measure.update(torch.from_numpy(real).double(), real=True)
    measure.update(torch.from_numpy(generated).double(), real=False)
    return float(measure.compute())


def kid(real: NDArray[np.float32], generated: NDArray[np.float32]) -> float:
    """Kernel distance (Bińkowski and others 2018) of two sets of features (N, F) of the same N, at least 2.

    The unbiased estimate over all features with the cubic kernel. For two samples of one distribution it is 0 on
    average and may be negative.
    """
    return float(poly_mmd(torch.from_numpy(real).double(), torch.from_numpy(generated).double()))


class _Identity(nn.Module):
    """Takes the place of torchmetrics' network, because the features are computed already."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.num_features = count

    def forward(self, features: Tensor) -> Tensor:
        return features
