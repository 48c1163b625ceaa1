"""Parts of all commands: the error of wrong usage, and a progress bar."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from terrainpaint.core.installing import install_extra
from terrainpaint.core.progress import Cancel, Progress
from terrainpaint.core.standard_output import drawable
from terrainpaint.errors import TrainingError

Subparsers: TypeAlias = "argparse._SubParsersAction[CommandParser]"
"""What `add_parser` adds a command to."""


class CommandParser(argparse.ArgumentParser):
    """A parser that may add options which depend on the values of others."""

    late_options: Callable[[argparse.ArgumentParser, Sequence[str]], None] | None = None
    """Called once with the arguments, before they are parsed."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse as the base class does, after the late options were added."""
        if self.late_options is not None:
            add, self.late_options = self.late_options, None
            add(self, args)
        return super().parse_known_args(args, namespace)


FILES_SHOWN = 20
"""Number of files that are printed of those left out, and of those with notes; `inspect` prints all."""


def left_out_line(name: str, reason: str) -> str:
    """The line about a file that is not used; names of files may hold line breaks and worse."""
    return drawable(f"left out: {name} {reason}")


def file_size(path: Path) -> str:
    """Such as "12.3 MB"."""
    return f"{path.stat().st_size / 1e6:.1f} MB"


class WrongUsage(Exception):
    """Options that do not go together, which argparse cannot detect."""


@contextmanager
def progress_bar(title: str) -> Iterator[Progress]:
    """A progress bar with the time left on stderr if that is a terminal. Raises TrainingError without rich."""
    try:
        from rich.console import Console
        from rich.progress import Progress as Bar
    except ImportError as error:
        raise TrainingError(f"The trainer needs its extra packages; run: {install_extra('train')}.") from error
    console = Console(stderr=True)
    with Bar(console=console, disable=not console.is_terminal) as bar:
        task: Any = bar.add_task(title, total=1.0)
        yield lambda fraction: bar.update(task, completed=fraction)


@contextmanager
def stop_signals() -> Iterator[Cancel]:
    """Ctrl-C and a scheduler's SIGTERM set the `Cancel` that this yields, so a run ends after its step, with a
    checkpoint; a second signal ends it at once."""
    from trainer.loop.distributed import is_single_process

    stopped: list[int] = []

    def stop(number: int, _frame: object) -> None:
        stopped.append(number)
        # torchrun repeats to its processes the signal that the terminal sent already.
        if is_single_process():
            signal.signal(number, before[signal.Signals(number)])

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(stopped)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


_DAY_S, _YEAR_DAYS, _LONG_DAYS = 86_400.0, 365.25, 1000.0


def duration(seconds: float) -> str:
    """Such as "5 min", "2 h 05 min", "12 days 4 h" or "82 years"."""
    days = seconds / _DAY_S
    if days >= _LONG_DAYS:
        return f"{days / _YEAR_DAYS:,.0f} years"
    if days >= 2:
        whole, hours = divmod(round(seconds / 3600), 24)
        return f"{whole} days {hours} h"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"


def print_first(lines: Sequence[str]) -> None:
    """Print the first lines to stderr, and how many there are besides."""
    for line in lines[:FILES_SHOWN]:
        print(line, file=sys.stderr)
    if len(lines) > FILES_SHOWN:
        print(f"{len(lines) - FILES_SHOWN} more; inspect the set to see all", file=sys.stderr)
