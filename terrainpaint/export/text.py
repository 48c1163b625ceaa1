"""Format large arrays of numbers as text with numpy.

Text is a uint8 array whose last axis is the characters of one number. The byte 0 stands for no character, so that
numbers of different lengths fit into one array; `lines` removes these bytes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Text = NDArray[np.uint8]

_ZERO, _MINUS, _POINT = b"0-."


def fixed_point(numbers: NDArray[np.int64], decimals: int) -> Text:
    """Decimal text of `numbers / 10**decimals`, exact: `numbers` (...) int64 → (..., width) uint8.

    -4 with 4 decimals is "-0.0004", 0 is "0.0000" without a sign. `numbers` has at least one element.
    """
    rest = np.abs(numbers)
    largest = int(rest.max())
    if largest < 1 << 31:
        rest = rest.astype(np.uint32)  # twice as fast
    digits = max(len(str(largest)), decimals + 1)
    text = np.empty((*numbers.shape, 1 + digits + (decimals > 0)), np.uint8)
    # The sign may be far left of the digits: `lines` removes the 0 bytes between them.
    text[..., 0] = np.where(numbers < 0, _MINUS, 0)
    column = text.shape[-1]
    for place in range(digits):
        column -= 1
        if decimals and place == decimals:
            text[..., column] = _POINT
            column -= 1
        tens = rest // 10
        digit = (rest - tens * 10).astype(np.uint8) + np.uint8(_ZERO)
        # Leading zeros left of the units are not written.
        text[..., column] = digit if place <= decimals else digit * (rest != 0)
        rest = tens
    return text


def rounded(values: NDArray[np.floating], decimals: int) -> NDArray[np.int64]:
    """`values` (...) as int64 multiples of 10**-decimals, rounded to the nearest."""
    scaled = np.multiply(values, 10.0**decimals, dtype=np.float64)
    return np.asarray(np.rint(scaled), np.int64)


def lines(shape: tuple[int, ...], *parts: bytes | Text) -> bytes:
    """One line of text for each element of `shape`: the concatenated `parts`.

    A part is bytes, the same in every line, or (..., width) uint8 that broadcasts to (*shape, width).
    """
    arrays = [np.frombuffer(part, np.uint8) if isinstance(part, bytes) else part for part in parts]
    text = np.empty((*shape, sum(array.shape[-1] for array in arrays)), np.uint8)
    at = 0
    for array in arrays:
        text[..., at : at + array.shape[-1]] = array
        at += array.shape[-1]
    return text.tobytes().translate(None, b"\0")
