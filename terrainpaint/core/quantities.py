"""Numbers with their units, as text for people."""

from __future__ import annotations

MINUS = "−"
_MINUTE, _HOUR = 60, 3600


def metres_text(value_m: float, decimals: int = 0) -> str:
    """A height or a depth in metres, such as "1234 m" or "−16 m"; what rounds to zero is "0 m", without a sign."""
    return f"{signed_text(value_m, decimals)} m"


def signed_text(value: float, decimals: int = 0) -> str:
    """A number as a field shows it: without groups, with a minus sign; what rounds to zero has no sign."""
    text = f"{abs(value):.{decimals}f}"
    is_zero = not text.strip("0.")
    return MINUS + text if value < 0 and not is_zero else text


def size_text(count: float) -> str:
    """A number of bytes with two or three significant digits, in decimal units, such as "1.2 GB"."""
    for unit in ("B", "kB", "MB"):
        if count < 999.5:
            return f"{count:.2g} {unit}" if count < 10 else f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.2g} GB" if count < 10 else f"{count:.0f} GB"


def duration_text(seconds: float) -> str:
    """How long an estimate takes, as exact as one can be: "less than 1 s", "20 s", "3 min", "2 h"."""
    if seconds < 1:
        return "less than 1 s"
    if seconds < 0.975 * _MINUTE:
        return f"{_rough(seconds)} s"
    if seconds < 0.975 * _HOUR:
        return f"{_rough(seconds / _MINUTE)} min"
    return f"{_rough(seconds / _HOUR)} h"


def _rough(value: float) -> int:
    """Whole numbers up to ten, then multiples of five."""
    return max(1, round(value)) if value < 10 else 5 * round(value / 5)
