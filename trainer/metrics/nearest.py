"""Nearest neighbours by cosine of features."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.progress import Cancel, Progress, check_cancel, never_cancel, no_progress

_BLOCK_VALUES = 1 << 24
"""Similarities that are in memory at once."""

Excluded = Callable[[slice], NDArray[np.bool_]]
"""A slice of the queries → (B, K) bool, the keys that do not count for each of them."""


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The nearest of each of Q queries: `indices` (Q, C) int64, `similarity` (Q, C) float32 cosine, largest first."""

    indices: NDArray[np.int64]
    similarity: NDArray[np.float32]

    @property
    def best(self) -> NDArray[np.float32]:
        """(Q,) similarity of the nearest one."""
        return self.similarity[:, 0]


def nearest(
    queries: NDArray[np.float32],
    keys: NDArray[np.float32],
    count: int,
    excluded: Excluded | None = None,
    progress: Progress = no_progress,
    cancel: Cancel = never_cancel,
) -> Neighbours:
    """The `count` nearest of the rows of `keys` (K, F), or all K of them if that is fewer, of each row of `queries`
    (Q, F).

    Of equally near rows the first one comes first. Rows of zeros have a similarity of 0, and excluded ones of minus
    infinity. Raises ValueError without keys, and Cancelled.
    """
    if not len(keys):
        raise ValueError("there is nothing to compare with")
    count = min(count, len(keys))
    units = _units(keys)
    indices = np.empty((len(queries), count), np.int64)
    similarity = np.empty((len(queries), count), np.float32)
    size = max(1, _BLOCK_VALUES // len(keys))
    for start in range(0, len(queries), size):
        check_cancel(cancel)
        progress(start / len(queries))
        block = slice(start, start + size)
        # Rounding would make a picture more than equal to itself.
        cosine = np.minimum(_units(queries[block]) @ units.T, 1)  # (B, K)
        if excluded is not None:
            cosine[excluded(block)] = -np.inf
        indices[block] = _largest(cosine, count)
        similarity[block] = np.take_along_axis(cosine, indices[block], axis=1)
    progress(1.0)
    return Neighbours(indices, similarity)


def _units(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, 1e-12), np.float32)


def _largest(values: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    """(Q, `count`) columns of the largest values (Q, K) of each row, in order."""
    chosen = np.sort(np.argpartition(-values, count - 1, axis=1)[:, :count], axis=1)
    order = np.argsort(-np.take_along_axis(values, chosen, axis=1), axis=1, kind="stable")
    return np.asarray(np.take_along_axis(chosen, order, axis=1), np.int64)
