"""Similarity of two pictures, pixel by pixel: SSIM, PSNR, L1 and L1 after a high-pass filter."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchmetrics.functional.image import structural_similarity_index_measure

PAIR_MEASURES = ("SSIM", "PSNR", "L1", "HP-L1")
_LAPLACIAN = np.array([[0, -1, 0], [-1, 4, -1], [0, -1, 0]], np.float64)
_LEAST_ERROR = 4e-10  # 100 dB


def pair_measures(real: NDArray[np.uint8], generated: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(4,) `PAIR_MEASURES` of two pictures (H, W, 3) sRGB. Colours count from -1 to 1; PSNR is in dB, at most 100."""
    first, second = (picture.astype(np.float64) / 127.5 - 1 for picture in (real, generated))
    x, y = (torch.from_numpy(picture).permute(2, 0, 1)[None] for picture in (first, second))  # (1, 3, H, W)
    ssim = structural_similarity_index_measure(y, x, data_range=2.0)
    assert isinstance(ssim, Tensor)
    # The ratio of equal pictures is infinite, and a mean over crops would be infinite with it.
    error = max(float(np.square(first - second).mean()), _LEAST_ERROR)
    detail = [cv2.filter2D(picture, -1, _LAPLACIAN, borderType=cv2.BORDER_REFLECT_101) for picture in (first, second)]
    return np.array([float(ssim), 10 * np.log10(2.0**2 / error), np.abs(first - second).mean(),
                     np.abs(detail[0] - detail[1]).mean()])  # fmt: skip
