"""Names and values of unknown origin, as messages quote them."""

from __future__ import annotations

_LONGEST = 60


def shown(value: object) -> str:
    """A text as it is, any other value as Python writes it: in one line of printable characters, cut after 60."""
    # Long ones are cut first: a value from a file may have millions of characters.
    text = value[: _LONGEST + 1] if isinstance(value, str) else repr(value)
    text = "".join(letter if letter.isprintable() else "\ufffd" for letter in text[: _LONGEST + 1])
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
