"""Find the pixels of a raster that have no height, and fill them from their surroundings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

_ABSURD = 1e15
"""Numbers beyond it are never heights: 1e20, 1e38 and the largest number of a float mark gaps."""
LOWEST_M = -20_000.0
"""No place on the Earth is this low; metres below it mark a gap."""
_HIGHEST_M = 20_000.0
_MARGIN = 100.0
"""The least distance of a mark from all heights. Near it, -9999 is a place in an ocean trench."""
_MARKS = (
    *(-9999.0, -99999.0, -999.0, -9998.0, -32768.0, -32767.0, -2147483648.0),
    *(9999.0, 99999.0, 32767.0, 65535.0, 65534.0, 2147483648.0, 1e6, 1e7, 1e9, 1e10, -1e6, -1e7, -1e9, -1e10),
)
"""Numbers that programs write where there is no height, in float32."""
_USUAL_MARK = -9999.0
_FAR_MARKS = (-999.0, 9999.0)
"""They can be heights too, so they must be further away than all others are from each other."""
_STRIP_ROWS = 256
"""Rows that are filled at a time; an even number."""


@dataclass(frozen=True, eq=False)
class Gaps:
    """The pixels of a file without a height, all of them filled.

    `declared` counts those that the file marks (no-data value, mask, alpha channel, NaN), `suspected` those that are
    marked by `values`, which the file does not declare. `mask` (H, W) is None without gaps. `suspected_mask` (H, W) and
    `suspected_heights` (n,), in its order, are the suspected pixels and what they would be as heights; None where they
    are not known. `pixels` is the number of all pixels.
    """

    declared: int = 0
    suspected: int = 0
    values: tuple[float, ...] = ()
    mask: NDArray[np.bool_] | None = None
    suspected_mask: NDArray[np.bool_] | None = None
    suspected_heights: NDArray[np.float32] | None = None
    pixels: int = 0

    @property
    def can_be_heights(self) -> bool:
        """Whether `HeightMap.with_suspected` can take the suspected gaps as heights."""
        return self.suspected_mask is not None

    @property
    def count(self) -> int:
        """Number of pixels."""
        return self.declared + self.suspected

    @property
    def fraction(self) -> float:
        """Part of all pixels, 0..1."""
        return self.count / self.pixels if self.pixels else 0.0

    def notes(self) -> tuple[str, ...]:
        """Sentences for the user."""
        notes = []
        if self.declared:
            notes.append(f"{self._counted(self.declared)} without a height; they were filled from their surroundings.")
        if self.suspected:
            marks = " and ".join(f"{value:.10g}" for value in self.values)
            notes.append(
                f"{self._counted(self.suspected)} probably without a height: their number is {marks}, which the file "
                "does not declare; they were filled from their surroundings."
            )
        return tuple(notes)

    def _counted(self, count: int) -> str:
        percent = 100 * count / self.pixels
        part = f"{percent:.0f} %" if percent >= 1 else f"{percent:.2f} %" if percent >= 0.01 else "under 0.01 %"
        return f"{count} pixel{'' if count == 1 else 's'} ({part}) {'is' if count == 1 else 'are'}"


@dataclass
class NumberStatistics:
    """Lowest and highest of the known numbers of a file that mark nothing, and the count of each possible mark."""

    low: float = np.inf
    high: float = -np.inf
    marks: dict[float, int] = field(default_factory=dict)

    def add(self, numbers: NDArray[np.float32], gaps: NDArray[np.bool_]) -> None:
        """Add some rows (n, W) without their `gaps`."""
        known = ~gaps
        if not known.any():
            return
        low, high = (
            float(np.min(numbers, where=known, initial=np.inf)),
            float(np.max(numbers, where=known, initial=-np.inf)),
        )
        ordinary = known
        for mark in _MARKS:
            if not low <= np.float32(mark) <= high:
                continue
            is_mark = numbers == np.float32(mark)
            is_mark &= known
            count = int(np.count_nonzero(is_mark))
            if count:
                self.marks[mark] = self.marks.get(mark, 0) + count
                ordinary = ordinary & ~is_mark
        if ordinary.any():
            self.low = min(self.low, float(np.min(numbers, where=ordinary, initial=np.inf)))
            self.high = max(self.high, float(np.max(numbers, where=ordinary, initial=-np.inf)))

    def without(self, marks: Iterable[float]) -> tuple[float, float]:
        """Lowest and highest of all known numbers but these marks; the lowest is the higher one when there are none."""
        heights = [mark for mark in self.marks if mark not in marks]
        return min([self.low, *heights]), max([self.high, *heights])

    def suspected(self, scale: float = 1.0, offset: float = 0.0) -> tuple[float, ...]:
        """The marks that stand apart from all other numbers; `scale` and `offset` turn numbers into metres.

        Marks below -20,000 m are always suspected, those above 20,000 m when there are other numbers, and -9999 when
        there are none.
        """
        low, high = self.low, self.high
        if low > high:
            return tuple(
                sorted(mark for mark in self.marks if mark == _USUAL_MARK or mark * scale + offset <= LOWEST_M)
            )
        marks = []
        # From the inside to the outside: -9998 may be a mark, or the lowest height besides -32768.
        for mark in sorted(self.marks, key=lambda mark: max(low - mark, mark - high)):
            distance = max(low - mark, mark - high)
            least = max(_MARGIN, high - low) if mark in _FAR_MARKS else _MARGIN
            metres = mark * scale + offset
            is_impossible = not LOWEST_M < metres < _HIGHEST_M and LOWEST_M < high * scale + offset < _HIGHEST_M
            if distance >= least / abs(scale) or is_impossible:
                marks.append(mark)
            else:
                low, high = min(low, mark), max(high, mark)
        return tuple(sorted(marks))


def absurd(numbers: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Where numbers are NaN, infinite or beyond all heights."""
    return np.asarray(~(np.abs(numbers) < _ABSURD))


def marked(numbers: NDArray[np.float32], marks: Iterable[float]) -> NDArray[np.bool_]:
    """Where numbers equal one of the marks."""
    found = np.zeros(numbers.shape, bool)
    for mark in marks:
        found |= numbers == np.float32(mark)
    return found


def filled(height: NDArray[np.float32], gaps: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Fill each gap of `height` (H, W), in place, with the mean of the known heights in the smallest block around it.

    Blocks double in size from 2 px on, and each level is enlarged linearly, so that wide gaps become smooth. At least
    one height is known.
    """
    if not gaps.any():
        return height
    coarse, empty = _halved(height, gaps)
    filled(coarse, empty)
    # One more pixel around it, so that each strip is enlarged as the whole would be.
    coarse = np.pad(coarse, 1, mode="edge")
    for top in range(0, height.shape[0], _STRIP_ROWS):
        here = gaps[top : top + _STRIP_ROWS]
        if here.any():
            part = coarse[top // 2 : top // 2 + len(here) // 2 + 3]
            large = cv2.resize(part, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR)
            np.copyto(height[top : top + _STRIP_ROWS], large[2 : 2 + len(here), 2 : 2 + here.shape[1]], where=here)
    return height


def _halved(height: NDArray[np.float32], gaps: NDArray[np.bool_]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """The mean of the known heights in each block of 2 x 2 px, and which blocks have none."""
    rows, cols = height.shape
    half = np.empty((-(-rows // 2), -(-cols // 2)), np.float32)
    empty = np.empty(half.shape, bool)
    for top in range(0, rows, _STRIP_ROWS):
        here = slice(top, min(top + _STRIP_ROWS, rows))
        into = slice(top // 2, -(-here.stop // 2))
        edges = ((0, -(here.stop - top) % 2), (0, -cols % 2))
        known = np.pad((~gaps[here]).astype(np.float32), edges)
        sums = np.pad(np.where(gaps[here], np.float32(0), height[here]), edges)
        total, count = (part[::2, ::2] + part[::2, 1::2] + part[1::2, ::2] + part[1::2, 1::2] for part in (sums, known))
        empty[into] = count == 0
        half[into] = total / np.maximum(count, 1)
    return half, empty
