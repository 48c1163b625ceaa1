"""The command line: `terrainpaint` opens the window, `terrainpaint generate` and `terrainpaint info` do without it.

Exit codes: 0; 1 with one sentence on stderr for what a user can cause or meet; 2 for wrong usage; 130 and 143 when
stopped by Ctrl+C and by SIGTERM. Any other exception is a bug and shows its traceback.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from terrainpaint.cli.arguments import GenerateArguments, InfoArguments, WindowArguments, parse
from terrainpaint.cli.terminal import print_lines, say
from terrainpaint.errors import DeviceError, TerrainPaintError

_FAILED = 1
_INTERRUPTED = 128 + signal.SIGINT


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the arguments say, by default those of the process, and return the exit code."""
    with _stopping_on_sigterm():
        try:
            code, lines = _run(argv)
            print_lines(lines)
        except TerrainPaintError as error:
            say(str(error))
            return _FAILED
        except KeyboardInterrupt:
            return _INTERRUPTED
    return code


def _run(argv: Sequence[str] | None) -> tuple[int, list[str]]:
    """Exit code and the lines for stdout."""
    try:
        asked = parse(argv)
        if isinstance(asked, WindowArguments):
            from terrainpaint.gui.app import run

            return run(asked.file), []
        return 0, _answer(asked)
    except SystemExit as stop:  # the help, the version, wrong usage, SIGTERM
        return stop.code if isinstance(stop.code, int) else 0, []


def _answer(asked: GenerateArguments | InfoArguments) -> list[str]:
    # The commands come with what they need of numpy; --help and wrong usage do without.
    try:
        if isinstance(asked, GenerateArguments):
            from terrainpaint.cli.generate import generate

            return [str(path) for path in generate(asked)]
        from terrainpaint.cli.info import info

        return info(asked.file)
    except MemoryError as error:
        raise DeviceError("Memory ran out; close other programs or choose a smaller map or mesh.") from error


@contextmanager
def _stopping_on_sigterm() -> Iterator[None]:
    """Let SIGTERM unwind as Ctrl+C does, so that temporary files are removed."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
