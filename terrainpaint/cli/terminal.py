"""Output on the terminal: results on stdout, for scripts; messages and progress on stderr."""

from __future__ import annotations

import sys
from contextlib import suppress
from types import TracebackType

from terrainpaint.core.progress import Progress
from terrainpaint.core.standard_output import printable


def say(sentence: str) -> None:
    """Print one line on stderr; what is not printable in it is escaped."""
    print("terrainpaint:", printable(sentence), file=sys.stderr, flush=True)


class ProgressLine:
    """Context manager: a line with a percentage on stderr, if that is a terminal, which is cleared at the end."""

    def __init__(self, quiet: bool) -> None:
        self._is_visible = not quiet and sys.stderr is not None and sys.stderr.isatty()
        self._shown = ""

    def stage(self, name: str) -> Progress:
        """The `Progress` of the next stage."""
        self.show(name)
        return lambda fraction: self.show(f"{name} {fraction:4.0%}")

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.show("")

    def show(self, text: str) -> None:
        """Replace the line; an empty text clears it."""
        if self._is_visible and text != self._shown:
            with suppress(OSError):
                blanks = " " * max(0, len(self._shown) - len(text))
                sys.stderr.write(f"\r{text}{blanks}" if text else f"\r{blanks}\r")
                sys.stderr.flush()
            self._shown = text
