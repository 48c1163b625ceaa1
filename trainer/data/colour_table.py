"""The simplest generator: each colour of the source becomes the mean of the target's colours where it occurs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.data.pair_set import PairSet

_BITS = 4
_SIDE = 1 << _BITS


@dataclass(frozen=True, eq=False)
class ColourTable:
    """`colours` (4096, 3) uint8: the target's colour for each colour of the source, in steps of 16."""

    colours: NDArray[np.uint8]

    @classmethod
    def of(cls, pairs: PairSet) -> ColourTable:
        """The table of a set with at least one pair. Colours that do not occur have the value of the nearest one."""
        counts, sums = np.zeros(_SIDE**3), np.zeros((_SIDE**3, 3))
        for source, target in zip(pairs.source, pairs.target, strict=True):
            cells = _cells(source).ravel()
            counts += np.bincount(cells, minlength=_SIDE**3)
            for channel in range(3):
                sums[:, channel] += np.bincount(cells, target[:, :, channel].ravel(), _SIDE**3)
        occur = np.flatnonzero(counts)
        means = sums[occur] / counts[occur, None]
        place = np.stack(np.unravel_index(np.arange(_SIDE**3), (_SIDE,) * 3), axis=1).astype(np.float32)
        nearest = [np.square(place[occur] - cell).sum(axis=1).argmin() for cell in place]
        return cls(np.rint(means[nearest]).astype(np.uint8))

    def __call__(self, source: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 → the same shape."""
        return np.asarray(self.colours[_cells(source)], np.uint8)


def _cells(picture: NDArray[np.uint8]) -> NDArray[np.int64]:
    red, green, blue = np.moveaxis(picture.astype(np.int64) >> (8 - _BITS), -1, 0)
    return np.asarray((red * _SIDE + green) * _SIDE + blue, np.int64)
