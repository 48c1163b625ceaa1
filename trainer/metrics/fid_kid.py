"""FID and KID: distances between two sets of pictures, from their features."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchmetrics.image.kid import poly_kernel, poly_mmd


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


LEAST_PLACES = 3
"""Of each set, for `PlaceKid`: without one of them, there still are pairs of different ones."""


@dataclass(frozen=True)
class PlaceKid:
    """A KID of pictures of different places, and its standard error."""

    value: float
    error: float

    @classmethod
    def of(
        cls,
        first: NDArray[np.float32],
        second: NDArray[np.float32],
        first_places: NDArray[np.int64],
        second_places: NDArray[np.int64],
    ) -> PlaceKid:
        """The distance of two sets of features (N, F), (M, F) from all pairs whose places (N,), (M,) differ.

        Pictures of one place are alike: pairs of them would count as variety that a set lacks, and bring every distance
        from it up by the same amount. The error is that of the jackknife (Quenouille 1956, Tukey 1958) over the
        places of the first set; each set has `LEAST_PLACES` at least.
        """
        pairs = [
            _pairs(*sides)
            for sides in (
                (first, first, first_places, first_places),
                (second, second, second_places, second_places),
                (first, second, first_places, second_places),
            )
        ]

        def distance(kept_first: NDArray[np.bool_], kept_second: NDArray[np.bool_]) -> float:
            sides = (kept_first, kept_first), (kept_second, kept_second), (kept_first, kept_second)
            means = []
            for (kernel, counted), (rows, cols) in zip(pairs, sides, strict=True):
                weight = counted * np.outer(rows, cols)
                means.append((kernel * weight).sum() / weight.sum())
            return float(means[0] + means[1] - 2 * means[2])

        without = [distance(first_places != place, second_places != place) for place in np.unique(first_places)]
        error = math.sqrt((len(without) - 1) * np.var(without))
        return cls(distance(first_places >= 0, second_places >= 0), error)


def _pairs(
    first: NDArray[np.float32],
    second: NDArray[np.float32],
    first_places: NDArray[np.int64],
    second_places: NDArray[np.int64],
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """(N, M): the cubic kernel of all pairs, and which of them are of different places."""
    kernel = poly_kernel(torch.from_numpy(first).double(), torch.from_numpy(second).double()).numpy()
    return kernel, first_places[:, None] != second_places[None]


def _deviations(features: NDArray[np.float32]) -> Tensor:
    """(min(N, F), F) float64 A, where A'A is the covariance of the features."""
    values = torch.from_numpy(features).double()
    triangle: Tensor = torch.linalg.qr((values - values.mean(dim=0)) / math.sqrt(len(values) - 1), mode="r").R
    return triangle
