"""Distances between sets of pictures, and between pairs of pictures."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torchmetrics.functional.image import structural_similarity_index_measure
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import poly_mmd

PAIR_MEASURES = ("SSIM", "PSNR", "L1", "HP-L1")
_LAPLACIAN = np.array([[0, -1, 0], [-1, 4, -1], [0, -1, 0]], np.float64)
_LEAST_ERROR = 4e-10  # 100 dB


def fid(real: NDArray[np.float32], made: NDArray[np.float32]) -> float:
    """Fréchet distance (Heusel and others 2017) of two sets of features (N, F)."""
    measure = FrechetInceptionDistance(feature=_Known(real.shape[1]))
    measure.update(torch.from_numpy(real).double(), real=True)
    measure.update(torch.from_numpy(made).double(), real=False)
    return float(measure.compute())


def kid(real: NDArray[np.float32], made: NDArray[np.float32]) -> float:
    """Kernel distance (Bińkowski and others 2018) of two sets of features (N, F) of the same N, at least 2.

    The unbiased estimate over all of them, cubic kernel; for two samples of one thing it is 0 on average and may be
    negative.
    """
    return float(poly_mmd(torch.from_numpy(real).double(), torch.from_numpy(made).double()))


def pair(real: NDArray[np.uint8], made: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(4,) `PAIR_MEASURES` of two pictures (H, W, 3); colours count from -1 to 1, PSNR in dB and at most 100."""
    first, second = (each.astype(np.float64) / 127.5 - 1 for each in (real, made))
    x, y = (torch.from_numpy(each).permute(2, 0, 1)[None] for each in (first, second))
    similar = structural_similarity_index_measure(y, x, data_range=2.0)
    assert isinstance(similar, Tensor)
    # Equal pictures have an infinite ratio, which has no mean.
    error = max(float(np.square(first - second).mean()), _LEAST_ERROR)
    sharp = [cv2.filter2D(each, -1, _LAPLACIAN, borderType=cv2.BORDER_REFLECT_101) for each in (first, second)]
    return np.array([float(similar), 10 * np.log10(2.0**2 / error), np.abs(first - second).mean(),
                     np.abs(sharp[0] - sharp[1]).mean()])  # fmt: skip


def between_all(values: NDArray[np.float32]) -> float:
    """Mean Euclidean distance of all pairs of rows (N, F)."""
    found = torch.pdist(torch.from_numpy(values).double())
    return float(found.mean())


class _Known(nn.Module):
    """Stands for the network where features were made before."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.num_features = count

    def forward(self, features: Tensor) -> Tensor:
        return features
