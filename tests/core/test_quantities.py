import pytest

from terrainpaint.core.quantities import duration_text, metres_text, signed_text, size_text


@pytest.mark.parametrize(
    ("value_m", "decimals", "text"),
    [
        (0, 0, "0 m"), (-0.0, 0, "0 m"), (-0.4, 0, "0 m"), (-0.04, 1, "0.0 m"), (-0.06, 1, "−0.1 m"), (-0.6, 0, "−1 m"),
        (1234.4, 0, "1234 m"), (-11034.2, 0, "−11034 m"), (0.26, 2, "0.26 m"), (0.4, 0, "0 m"),
    ],
)  # fmt: skip
def test_metres_have_a_minus_sign_and_never_a_negative_zero(value_m: float, decimals: int, text: str) -> None:
    assert metres_text(value_m, decimals) == text
    assert signed_text(value_m, decimals) == text.removesuffix(" m")


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (812, "812 B"), (4300, "4.3 kB"), (999_600, "1 MB"), (54_400_000, "54 MB"), (2.5e12, "2500 GB")],
)
def test_sizes_have_two_or_three_digits(count: float, text: str) -> None:
    assert size_text(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "less than 1 s"), (0.99, "less than 1 s"), (1.4, "1 s"), (9.4, "9 s"), (9.6, "10 s"), (12.4, "10 s"),
        (22.6, "25 s"), (58.4, "60 s"), (59, "1 min"), (150, "2 min"), (1400, "25 min"), (3600, "1 h"), (40000, "10 h"),
    ],
)  # fmt: skip
def test_durations_are_as_rough_as_an_estimate(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text
