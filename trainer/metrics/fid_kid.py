"""FID and KID: distances between two sets of pictures, from their features."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchmetrics.image.kid import poly_mmd


def fid(real: NDArray[np.float32], generated: NDArray[np.float32]) -> float:
    """Fréchet distance (Heusel and others 2017) of two sets of features (N, F), each with an N of at least 2."""
    first, second = _deviations(real), _deviations(generated)
    means = float(np.square(real.mean(axis=0, dtype=np.float64) - generated.mean(axis=0, dtype=np.float64)).sum())
    # With covariances A'A and B'B, the trace of the root of their product is the sum of the singular values of AB'.
    # That stays exact where there are fewer pictures than features.
    common = float(torch.linalg.svdvals(first @ second.T).sum())
    return means + float(first.square().sum()) + float(second.square().sum()) - 2 * common


def kid(real: NDArray[np.float32], generated: NDArray[np.float32]) -> float:
    """Kernel distance (Bińkowski and others 2018) of two sets of features (N, F) of the same N, at least 2.

    The unbiased estimate over all features with the cubic kernel. For two samples of one distribution it is 0 on
    average and may be negative.
    """
    return float(poly_mmd(torch.from_numpy(real).double(), torch.from_numpy(generated).double()))


def _deviations(features: NDArray[np.float32]) -> Tensor:
    """(min(N, F), F) float64 A, where A'A is the covariance of the features."""
    values = torch.from_numpy(features).double()
    triangle: Tensor = torch.linalg.qr((values - values.mean(dim=0)) / math.sqrt(len(values) - 1), mode="r").R
    return triangle
