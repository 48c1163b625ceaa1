"""Names and values of unknown origin, as messages quote them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def shown(value: object, most: int = 60) -> str:
    """A text as it is, any other value as Python writes it: in one line of printable characters, cut after `most`."""
    # Long ones are cut first: a value from a file may have millions of characters.
    text = value[: most + 1] if isinstance(value, str) else repr(value)
    text = "".join(letter if letter.isprintable() else "\ufffd" for letter in text[: most + 1])
    return text if len(text) <= most else f"{text[:most]}…"


def closest(name: str, known: Iterable[str], most: int = 3) -> tuple[str, ...]:
    """The known names that are spelt most like an unknown one, the best first; none if all are quite different."""
    return tuple(difflib.get_close_matches(name[:_LONGEST_COMPARED].lower(), known, most))


def choices(name: str, known: Iterable[str]) -> str:
    """The "choose from …" of the message about a name that is none of the known ones: all of them, or if that would be
    long, those that are spelt most like it, or the first ones and how many there are."""
    names = list(known)
    listed = ", ".join(names)
    if len(listed) > _LONGEST_LIST:
        first = f"{', '.join(names[:_FIRST_LISTED])} and {len(names) - _FIRST_LISTED} more"
        listed = ", ".join(closest(name, names)) or first
    return f"choose from {listed}"


_LONGEST_COMPARED = 60
_LONGEST_LIST = 160
_FIRST_LISTED = 8
