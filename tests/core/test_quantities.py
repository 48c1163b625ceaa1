import pytest

from terrainpaint.core.quantities import metres_text, signed_text


@pytest.mark.parametrize(
    ("value_m", "decimals", "text"),
    [
        (0, 0, "0 m"), (-0.0, 0, "0 m"), (-0.4, 0, "0 m"), (-0.04, 1, "0.0 m"), (-0.06, 1, "−0.1 m"), (-0.6, 0, "−1 m"),
        (1234.4, 0, "1,234 m"), (-11034.2, 0, "−11,034 m"), (0.26, 2, "0.26 m"), (0.4, 0, "0 m"),
    ],
)  # fmt: skip
def test_metres_have_a_minus_sign_and_never_a_negative_zero(value_m: float, decimals: int, text: str) -> None:
    assert metres_text(value_m, decimals) == text
    assert signed_text(value_m, decimals) == text.removesuffix(" m")
