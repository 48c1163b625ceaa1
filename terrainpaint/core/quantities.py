"""Numbers with their units, as text for people."""

from __future__ import annotations

MINUS = "−"


def metres_text(value_m: float, decimals: int = 0) -> str:
    """A height or a depth in metres, such as "1,234 m" or "−16 m"; what rounds to zero is "0 m", without a sign."""
    return f"{signed_text(value_m, decimals)} m"


def signed_text(value: float, decimals: int = 0) -> str:
    """A number with groups of thousands and a minus sign; what rounds to zero has no sign."""
    text = f"{abs(value):,.{decimals}f}"
    is_zero = not text.strip("0.,")
    return MINUS + text if value < 0 and not is_zero else text
