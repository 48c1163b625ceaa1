"""Similarity of two pictures, pixel by pixel: SSIM, PSNR, L1 and L1 after a high-pass filter.

The filter is the Laplacian (0 -1 0, -1 4 -1, 0 -1 0). Two measures use it. *Laplacian L1* filters each channel.
*HP-L1* is the published one of pix2pix for maps: the three channels are filtered and added up, and each of the two
results is divided by its own largest absolute value.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchmetrics.functional.image import structural_similarity_index_measure

PAIR_MEASURES = ("SSIM", "PSNR", "L1", "Laplacian L1")
PUBLISHED_MEASURES = ("SSIM", "PSNR", "L1", "HP-L1")
_LAPLACIAN = np.array([[0, -1, 0], [-1, 4, -1], [0, -1, 0]], np.float64)
_WINDOW_PX = 11
_LEAST_ERROR = 4e-10  # 100 dB


def pair_measures(real: NDArray[np.uint8], generated: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(4,) `PAIR_MEASURES` of two pictures (H, W, 3) sRGB. Colours count from -1 to 1; PSNR is in dB, at most 100.

    The windows of SSIM are those around all pixels; beyond the border the pictures are mirrored.
    """
    first, second = (picture.astype(np.float64) / 127.5 - 1 for picture in (real, generated))
    detail = [cv2.filter2D(picture, -1, _LAPLACIAN, borderType=cv2.BORDER_REFLECT_101) for picture in (first, second)]
    return np.array([_ssim_of_windows(first, second).mean(), *_psnr_and_l1(first, second),
                     np.abs(detail[0] - detail[1]).mean()])  # fmt: skip


def published_measures(target: Tensor, generated: Tensor) -> NDArray[np.float64]:
    """(4,) `PUBLISHED_MEASURES` of two pictures (3, H, W) in -1..1, at least 11 pixels high and wide.

    SSIM is the mean over windows of 11 x 11 pixels (Gaussian, sigma 1.5) that lie inside the picture, and over the
    channels; its largest value, and that of PSNR, is 2. HP-L1 divides by the maximum of the one picture, where the
    original divides by that of its batch; a picture without any detail stays 0. PSNR is at most 100 dB.
    """
    first, second = (picture.movedim(0, -1).double().numpy() for picture in (target, generated))
    detail = [_published_detail(picture) for picture in (first, second)]
    inside = slice(_WINDOW_PX // 2, -(_WINDOW_PX // 2))
    return np.array([_ssim_of_windows(first, second)[:, inside, inside].mean(), *_psnr_and_l1(first, second),
                     np.abs(detail[0] - detail[1]).mean()])  # fmt: skip


def _ssim_of_windows(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """(3, H, W) SSIM of the window around each pixel of pictures (H, W, 3) in -1..1, which are mirrored at borders."""
    x, y = (torch.from_numpy(picture).permute(2, 0, 1)[None] for picture in (first, second))  # (1, 3, H, W)
    _, by_window = structural_similarity_index_measure(
        y, x, sigma=1.5, kernel_size=_WINDOW_PX, data_range=2.0, return_full_image=True
    )
    return np.asarray(by_window[0].numpy(), np.float64)


def _psnr_and_l1(first: NDArray[np.float64], second: NDArray[np.float64]) -> tuple[float, float]:
    # The ratio of equal pictures is infinite, and a mean over pictures would be infinite with it.
    error = max(float(np.square(first - second).mean()), _LEAST_ERROR)
    return float(10 * np.log10(2.0**2 / error)), float(np.abs(first - second).mean())


def _published_detail(picture: NDArray[np.float64]) -> NDArray[np.float64]:
    """(H, W) in -1..1: the Laplacian of the sum of the channels, beyond the border 0."""
    detail = cv2.filter2D(picture.sum(axis=2), -1, _LAPLACIAN, borderType=cv2.BORDER_CONSTANT)
    largest = float(np.abs(detail).max())
    return np.asarray(detail / largest if largest > 0 else detail)
