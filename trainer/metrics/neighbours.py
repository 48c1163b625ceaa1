"""How two sets of pictures lie among each other, from the distances of their features to the nearest others."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

NEIGHBOURS = 3
"""Neighbours that decide how far around a picture its set reaches."""
_BLOCK = 1024
"""Rows of a matrix of distances that are in memory at once."""


def precision_recall(real: NDArray[np.float32], generated: NDArray[np.float32]) -> tuple[float, float]:
    """Precision and recall (Kynkäänniemi and others 2019) of two sets of features (N, F), each with an N over 3.

    A set reaches around each of its pictures as far as to the third-nearest other one. Precision is the fraction of
    generated pictures within reach of the real ones: how many are like real ones. Recall is the fraction of real
    pictures within reach of the generated ones: how much of the real variety is generated.
    """
    first, second = torch.from_numpy(real).double(), torch.from_numpy(generated).double()
    return _covered(second, first), _covered(first, second)


def nearest_distance(queries: NDArray[np.float32], keys: NDArray[np.float32]) -> NDArray[np.float32]:
    """(Q,) Euclidean distance of each of the features (Q, F) from the nearest of (N, F), N at least 1."""
    rows, others = torch.from_numpy(queries).double(), torch.from_numpy(keys).double()
    nearest = [torch.cdist(part, others).min(dim=1).values for part in torch.split(rows, _BLOCK)]
    return torch.cat(nearest).float().numpy()


def _covered(points: Tensor, centres: Tensor) -> float:
    """Fraction of the points (N, F) within reach of any of the centres (M, F)."""
    # The nearest one is the centre itself.
    reach = torch.cat([torch.cdist(part, centres).kthvalue(NEIGHBOURS + 1, dim=1).values
                       for part in torch.split(centres, _BLOCK)])  # fmt: skip
    inside = [(torch.cdist(part, centres) <= reach).any(dim=1) for part in torch.split(points, _BLOCK)]
    return float(torch.cat(inside).double().mean())
