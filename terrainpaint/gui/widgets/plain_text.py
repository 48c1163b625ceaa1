"""Names of files in messages: never markup, never control characters, never longer than the room."""

from __future__ import annotations

import html
import re

_WORD_CHARACTERS = 56
_TEXT_CHARACTERS = 320
_BREAK = "\u200b"
"""A place where a line may break, without width."""
# Controls of text direction too: they would turn around the rest of the message.
_INVISIBLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")


def readable(text: str) -> str:
    """A text in one line, without characters that are not visible."""
    return _INVISIBLE.sub(" ", text)


def shortened(text: str) -> str:
    """A text of a few lines: long words, such as paths, and long texts lose their middle."""
    words = (_without_middle(word, _WORD_CHARACTERS) for word in readable(text).split(" "))
    return _without_middle(" ".join(words), _TEXT_CHARACTERS)


def breakable(text: str) -> str:
    """A text whose paths may be broken into lines at their slashes."""
    return re.sub(r"(?<=\S)([/\\])", rf"\1{_BREAK}", text)


def tip(text: str) -> str:
    """A tooltip that shows a text as it is; Qt would take some texts as HTML."""
    return f"<span>{html.escape(text)}</span>" if "<" in text else text


def _without_middle(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    # The end of a path says more than its beginning.
    head = (most - 1) // 3
    return f"{text[:head]}…{text[len(text) - (most - 1 - head) :]}"
