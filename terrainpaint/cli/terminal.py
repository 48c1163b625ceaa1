"""Output on the terminal: results on stdout, for scripts; messages and progress on stderr."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from types import TracebackType

from terrainpaint.core.progress import Progress
from terrainpaint.errors import OutputError


def say(sentence: str) -> None:
    """Print one line on stderr; a closed stderr is not an error."""
    if sys.stderr is not None:
        with suppress(OSError):
            print("terrainpaint:", " ".join(sentence.splitlines()), file=sys.stderr, flush=True)


def print_lines(lines: Iterable[str]) -> None:
    """Print on stdout and flush it. A closed reader, as in `| head`, is not an error.

    Raises OutputError when stdout is a file that cannot be written.
    """
    if sys.stdout is None:
        return
    try:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(
                errors="surrogateescape"
            )  # prints a path that is not Unicode with its original bytes
        for line in lines:
            print(line)
        sys.stdout.flush()
    except OSError as error:
        # The rest of the buffer must not fail again when Python exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            raise OutputError(
                f"Standard output could not be written: {error.strerror}; write to another file."
            ) from error


class ProgressLine:
    """Context manager: a line with a percentage on stderr, if that is a terminal, which is cleared at the end."""

    def __init__(self, quiet: bool) -> None:
        self._is_visible = not quiet and sys.stderr is not None and sys.stderr.isatty()
        self._shown = ""

    def stage(self, name: str) -> Progress:
        """The `Progress` of the next stage."""
        self._show(name)
        return lambda fraction: self._show(f"{name} {fraction:4.0%}")

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._show("")

    def _show(self, text: str) -> None:
        if self._is_visible and text != self._shown:
            with suppress(OSError):
                blanks = " " * max(0, len(self._shown) - len(text))
                sys.stderr.write(f"\r{text}{blanks}" if text else f"\r{blanks}\r")
                sys.stderr.flush()
            self._shown = text
