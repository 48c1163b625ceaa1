"""Format large arrays of numbers as text with numpy.

Text is a uint8 array whose last axis is the characters of one number. The byte 0 stands for no character, so that
numbers of different lengths fit into one array; `Lines` removes these bytes. Digits are copied from tables, four at a
time, because the division by ten of each digit would take most of the time.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

Text = NDArray[np.uint8]

_ZERO, _MINUS, _POINT = b"0-."
_MOST_DIGITS = 4
"""Of one entry of a table."""


def fixed_point(numbers: NDArray[np.int64], decimals: int) -> Text:
    """Decimal text of `numbers / 10**decimals`, exact: `numbers` (...) int64 → (..., width) uint8.

    -4 with 4 decimals is "-0.0004", 0 is "0.0000" without a sign. `numbers` has at least one element. Only numbers of
    which one is negative have a column for the sign.
    """
    lowest, highest = int(numbers.min()), int(numbers.max())
    largest = max(-lowest, highest)
    rest = np.abs(numbers) if lowest < 0 else numbers
    if largest < 1 << 31:
        rest = rest.astype(np.uint32)  # twice as fast
    digits = max(len(str(largest)) - decimals, 1)
    text = np.empty((*numbers.shape, (lowest < 0) + digits + (decimals > 0) + decimals), np.uint8)
    column = text.shape[-1]
    for left in range(decimals, 0, -_MOST_DIGITS):
        size = min(left, _MOST_DIGITS)
        rest, group = _split(rest, size)
        column -= size
        _copy(text[..., column : column + size], _zero_padded(size)[group])
    if decimals:
        column -= 1
        text[..., column] = _POINT
    for left in range(digits, 0, -_MOST_DIGITS):
        size = min(left, _MOST_DIGITS)
        above, group = _split(rest, size) if left > size else (None, rest)
        if above is not None:
            group = group + (above > 0) * group.dtype.type(10**size)
        column -= size
        _copy(text[..., column : column + size], _without_zeros(size, left == digits)[group])
        rest = rest if above is None else above
    if lowest < 0:
        # The sign may be far left of the digits: `Lines` removes the 0 bytes between them.
        text[..., 0] = np.where(numbers < 0, _MINUS, 0)
    return text


def rounded(values: NDArray[np.floating], decimals: int) -> NDArray[np.int64]:
    """`values` (...) as int64 multiples of 10**-decimals, rounded to the nearest."""
    scaled = np.multiply(values, 10.0**decimals, dtype=np.float64)
    np.rint(scaled, out=scaled)
    return np.asarray(scaled, np.int64)


class FixedPointTable:
    """The text of all multiples of 10**-decimals from `lowest` to `highest`, for many numbers in a small range."""

    def __init__(self, lowest: float, highest: float, decimals: int) -> None:
        self._scale, self._first = 10.0**decimals, round(lowest * 10**decimals)
        text = fixed_point(np.arange(self._first, round(highest * 10**decimals) + 1, dtype=np.int64), decimals)
        self._text = text.view(np.dtype((np.void, text.shape[-1])))[:, 0]

    def text(self, values: NDArray[np.floating]) -> Text:
        """`values` (...) in the range, rounded to the nearest, as (..., width) uint8."""
        place = np.multiply(values, self._scale, dtype=np.float64)
        np.rint(place, out=place)
        place -= self._first
        text: Text = self._text[place.astype(np.int32)][..., None].view(np.uint8)
        return text


class Lines:
    """Lines of text, put together in memory that is used again for the next ones."""

    def __init__(self) -> None:
        self._memory = bytearray()

    def put(self, shape: tuple[int, ...], *parts: bytes | Text) -> bytearray:
        """One line for each element of `shape`: the concatenated `parts`. It is valid until the next call.

        A part is bytes, the same in every line, or (..., width) uint8 that broadcasts to (*shape, width).
        """
        arrays = [np.frombuffer(part, np.uint8) if isinstance(part, bytes) else part for part in parts]
        width = sum(array.shape[-1] for array in arrays)
        if len(self._memory) != (size := math.prod(shape) * width):
            self._memory = bytearray(size)
        text = np.frombuffer(self._memory, np.uint8).reshape(*shape, width)
        at = 0
        for array in arrays:
            _copy(text[..., at : at + array.shape[-1]], np.broadcast_to(array, (*shape, array.shape[-1])))
            at += array.shape[-1]
        return self._memory.translate(None, b"\0") if 0 in self._memory else self._memory


def lines(shape: tuple[int, ...], *parts: bytes | Text) -> bytes:
    """The lines of `Lines.put` as bytes of their own."""
    return bytes(Lines().put(shape, *parts))


def _split(numbers: NDArray[np.integer], digits: int) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    """Numbers without their last digits, and these."""
    above = numbers // 10**digits
    return above, numbers - above * 10**digits


def _copy(target: Text, text: NDArray[np.generic]) -> None:
    """Copy characters (..., width) in one piece each, which takes a third of the time of a copy byte by byte."""
    width = target.shape[-1]
    whole = np.dtype((np.void, width))
    if text.dtype != whole:
        text = (text if text.strides[-1] == 1 else np.ascontiguousarray(text)).view(whole)[..., 0]
    target.view(whole)[..., 0] = text


@cache
def _zero_padded(digits: int) -> NDArray[np.void]:
    """(10**digits,) the characters of 0, 1, 2 ... with zeros on the left."""
    places = 10 ** np.arange(digits - 1, -1, -1)
    text = (np.arange(10**digits)[:, None] // places % 10 + _ZERO).astype(np.uint8)
    return text.view(np.dtype((np.void, digits)))[:, 0]


@cache
def _without_zeros(digits: int, has_units: bool) -> NDArray[np.void]:
    """(2 * 10**digits,) the same without zeros on the left, then with them, for numbers that go on there.

    The last digit stays if `has_units`, so that 0 is "0".
    """
    full = _zero_padded(digits).view(np.uint8).reshape(-1, digits)
    is_left = np.cumsum(full != _ZERO, axis=1) == 0
    if has_units:
        is_left[:, -1] = False
    both = np.concatenate((np.where(is_left, np.uint8(0), full), full))
    return both.view(np.dtype((np.void, digits)))[:, 0]
