"""How numbers are written and read: the decimal sign that is shown, and the two signs that are accepted.

Thousands are never grouped: in one country "36.162" is a length of 36 km, in another one of 36,162 km. A number that is
shown can be typed back unchanged, and both "." and "," are decimal signs wherever a number is typed.
"""

from __future__ import annotations

import re
from enum import Enum

from PySide6.QtCore import QLocale, QSettings
from PySide6.QtWidgets import QApplication

_PROPERTY = "terrainpaint-notation"
_KEY = "numbers"
_SIGNS = ".,\u066b"
"""Decimal signs: the last one is Arabic."""
_MINUS_SIGNS = str.maketrans({"\u2212": "-", "\u2012": "-", "\u2013": "-"})
_NUMBER = re.compile(rf"[+-]?(\d+[{_SIGNS}]?\d*|[{_SIGNS}]\d+)")
_POINT = re.compile(r"(?<=\d)\.(?=\d)")
_TYPED = re.compile(rf"[+-]?[\d{_SIGNS}]*")


class Notation(Enum):
    """Which decimal sign is shown."""

    SYSTEM = "system"
    """That of the system's language."""
    POINT = "point"
    COMMA = "comma"


def remembered_notation() -> Notation:
    """The notation that the user chose, that of the system at the first start."""
    stored = QSettings().value(_KEY, Notation.SYSTEM.value)
    return next((notation for notation in Notation if notation.value == stored), Notation.SYSTEM)


def use_notation(notation: Notation) -> None:
    """Use a notation from now on. Fields that are on the screen show it after `NumberField.show_again`."""
    app = QApplication.instance()
    if app is not None:
        app.setProperty(_PROPERTY, notation.value)


def remember_notation(notation: Notation) -> None:
    """Keep a notation for the next start."""
    QSettings().setValue(_KEY, notation.value)


def decimal_sign() -> str:
    """The sign that is shown, "." or ","."""
    app = QApplication.instance()
    used = (app.property(_PROPERTY) if app is not None else None) or Notation.SYSTEM.value
    if used == Notation.SYSTEM.value:
        return "," if QLocale().decimalPoint() == "," else "."
    return "," if used == Notation.COMMA.value else "."


def format_number(value: float, decimals: int) -> str:
    """A number with at most `decimals` decimals, without trailing zeros and groups, and never "-0"."""
    return plain_number(value, decimals).replace(".", decimal_sign())


def plain_number(value: float, decimals: int) -> str:
    """The same with a point, for other programs."""
    text = f"{value:.{decimals}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def local(text: str) -> str:
    """An English text with numbers such as "1915.5 m" in the notation in use."""
    return _POINT.sub(decimal_sign(), text)


def list_text(*numbers: str) -> str:
    """English numbers one after the other, in the notation in use."""
    return ("; " if decimal_sign() == "," else ", ").join(map(local, numbers))


def read_number(text: str) -> float | None:
    """The number that a text means, None when it is none. A text with two decimal signs is none.

    Digits may be those of any script.
    """
    plain = _plain(text)
    if _NUMBER.fullmatch(plain) is None:
        return None
    return float(re.sub(f"[{_SIGNS}]", ".", plain))


def is_typed_number(text: str) -> bool:
    """Whether a text has only what numbers have.

    It can have two decimal signs: a key that has no effect would make another number of "1.234,5".
    """
    return _TYPED.fullmatch(_plain(text)) is not None


def is_negative(text: str) -> bool:
    """Whether a text begins with one of the minus signs."""
    return _plain(text).startswith("-")


def _plain(text: str) -> str:
    return text.strip().translate(_MINUS_SIGNS)
