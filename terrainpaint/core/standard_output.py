"""Standard output and error that cannot end the work: readers go away, disks fill up, terminals lack characters."""

from __future__ import annotations

import codecs
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from terrainpaint.errors import OutputError

ERRORS = "terrainpaint-escape"
"""Name of the error handler of the streams: see `_escaped`."""
_LONE_BYTES = range(0xDC80, 0xDD00)


@contextmanager
def lasting_output() -> Iterator[None]:
    """Replace stdout and stderr, for the block, by streams whose `print` never fails.

    What cannot be written is dropped. A reader that has gone, as in `| head`, is no error; OutputError is raised at the
    end of the block when stdout could not be written for another reason, such as a full disk. Streams without a file
    descriptor stay as they are.
    """
    before = sys.stdout, sys.stderr
    raws = [_raw_of(stream) for stream in before]
    sys.stdout, sys.stderr = (_stream(raw, stream) for raw, stream in zip(raws, before, strict=True))
    try:
        yield
    finally:
        for stream, raw in zip((sys.stdout, sys.stderr), raws, strict=True):
            if raw is not None:
                stream.flush()
        sys.stdout, sys.stderr = before
    failure = raws[0].failure if raws[0] is not None else None
    if failure is not None and not isinstance(failure, BrokenPipeError):
        raise OutputError(f"Standard output could not be written: {failure.strerror}; write to another file.")


def printable(text: str) -> str:
    """A text of unknown origin as one line for a terminal or a label: control characters are escaped."""
    return "".join(
        character if character.isprintable() or ord(character) in _LONE_BYTES else _escape(character)
        for character in " ".join(text.splitlines())
    )


def drawable(text: str) -> str:
    """The same for a picture or a page: bytes that are no UTF-8 are escaped too."""
    return printable(text).encode("utf-8", "backslashreplace").decode("utf-8")


class _Raw(io.RawIOBase):
    """The file of a descriptor; once a write failed, everything is dropped. `failure` is the first error."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.failure: OSError | None = None

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def write(self, data: Any, /) -> int:
        size = memoryview(data).nbytes
        if self.failure is not None:
            return size
        try:
            return os.write(self._descriptor, data)
        except BlockingIOError:
            return 0
        except OSError as error:
            self.failure = error
            return size


def _raw_of(stream: TextIO | None) -> _Raw | None:
    try:
        return None if stream is None else _Raw(stream.fileno())
    except (OSError, ValueError):  # tests, notebooks and windows replace the streams by their own
        return None


def _stream(raw: _Raw | None, before: TextIO) -> TextIO:
    if raw is None:
        return before
    before.flush()
    return io.TextIOWrapper(io.BufferedWriter(raw), before.encoding, ERRORS, line_buffering=raw.isatty())


def _escaped(error: UnicodeError) -> tuple[bytes, int]:
    """Lone bytes of file names as they were, characters that the terminal lacks as escapes."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    parts = (bytes([ord(each) - 0xDC00]) if ord(each) in _LONE_BYTES else _escape(each).encode() for each in text)
    return b"".join(parts), error.end


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode()


codecs.register_error(ERRORS, _escaped)
