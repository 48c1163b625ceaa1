from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

from terrainpaint.export.text import FixedPointTable, Lines, fixed_point, lines, rounded


def written(numbers: list[float], decimals: int) -> list[str]:
    text = fixed_point(rounded(np.array(numbers), decimals), decimals)
    return lines(text.shape[:-1], text, b"\n").decode().split()


def test_decimal_text_of_examples() -> None:
    numbers = [8848.123, -0.0004, 0.0, -0.0006, -12.5, 0.9996, 1000.0, -430.5]
    assert written(numbers, 3) == ["8848.123", "0.000", "0.000", "-0.001", "-12.500", "1.000", "1000.000", "-430.500"]
    assert written([-0.0004], 4) == ["-0.0004"]
    assert written([7, 10, 0, 123], 0) == ["7", "10", "0", "123"]


@given(nps.arrays(np.int64, st.integers(1, 30), elements=st.integers(-(10**15), 10**15)), st.integers(0, 9))
def test_text_is_exactly_the_number(numbers: np.ndarray, decimals: int) -> None:
    text = fixed_point(numbers, decimals)
    back = [Decimal(number) for number in lines(text.shape[:-1], text, b"\n").decode().split()]
    assert [int(number.scaleb(decimals)) for number in back] == numbers.tolist()


@given(nps.arrays(np.float32, st.integers(1, 30), elements=st.floats(-11000, 9000, width=32)))
def test_heights_are_exact_to_half_a_millimetre(heights: np.ndarray) -> None:
    text = fixed_point(rounded(heights, 3), 3)
    back = np.array(lines(text.shape[:-1], text, b"\n").split(), np.float64)
    np.testing.assert_allclose(back, heights.astype(np.float64), rtol=0, atol=0.0005001)


@pytest.mark.parametrize("largest", [999_999, 2**31 - 1, 2**31, 2**32 + 5])
def test_integers_of_every_length(largest: int) -> None:
    assert (
        fixed_point(np.array([-largest, largest]), 0).tobytes().replace(b"\0", b"") == f"-{largest}{largest}".encode()
    )


def test_parts_of_a_line_broadcast() -> None:
    by_column, by_row = fixed_point(np.array([1, 20]), 0), fixed_point(np.array([7, 8]), 0)
    assert lines((2, 2), b"v ", by_column, b" ", by_row[:, None], b"\n") == b"v 1 7\nv 20 7\nv 1 8\nv 20 8\n"


def test_a_table_has_the_text_of_every_number_in_its_range() -> None:
    values = np.array([[-1.0, 1.0], [0.12344, -0.00006], [0.00004, -0.00004]], np.float32)
    text = FixedPointTable(-1, 1, 4).text(values)
    assert lines(values.shape, text, b" ") == b"-1.0000 1.0000 0.1234 -0.0001 0.0000 0.0000 "


def test_memory_for_lines_is_used_again() -> None:
    put = Lines().put
    assert put((3,), b"v ", fixed_point(np.array([8, 9, 10]), 0), b"\n") == b"v 8\nv 9\nv 10\n"
    first = put((2,), b"v ", fixed_point(np.array([12, 34]), 0), b"\n")
    assert first == b"v 12\nv 34\n"
    assert put((2,), b"v ", fixed_point(np.array([56, 78]), 0), b"\n") == b"v 56\nv 78\n"
    assert first == b"v 56\nv 78\n"
