"""What is said where: results on stdout, for scripts; everything else on stderr."""

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
    """Print one line on stderr; a closed stderr is no error."""
    if sys.stderr is not None:
        with suppress(OSError):
            print("terrainpaint:", " ".join(sentence.splitlines()), file=sys.stderr, flush=True)


def print_lines(lines: Iterable[str]) -> None:
    """Print on stdout, now. A reader that has gone, as in `| head`, is no error.

    Raises OutputError when stdout is a file that cannot take it.
    """
    if sys.stdout is None:
        return
    try:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="surrogateescape")  # a path that is not Unicode leaves as it came in
        for line in lines:
            print(line)
        sys.stdout.flush()
    except OSError as error:
        # What is still in the buffer must not fail a second time when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            raise OutputError(f"Standard output could not be written: {error.strerror}.") from error


class ProgressLine:
    """Context manager: one line on stderr with a percentage, gone at the end; nothing unless stderr is a terminal."""

    def __init__(self, quiet: bool) -> None:
        self._shows = not quiet and sys.stderr is not None and sys.stderr.isatty()
        self._shown = ""

    def stage(self, name: str) -> Progress:
        """The `Progress` of the next stage of the work."""
        self._show(name)
        return lambda share: self._show(f"{name} {share:4.0%}")

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._show("")

    def _show(self, text: str) -> None:
        if self._shows and text != self._shown:
            with suppress(OSError):
                blanks = " " * max(0, len(self._shown) - len(text))
                sys.stderr.write(f"\r{text}{blanks}" if text else f"\r{blanks}\r")
                sys.stderr.flush()
            self._shown = text
