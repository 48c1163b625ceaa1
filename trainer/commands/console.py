"""Parts of all commands: the error of wrong usage, and a progress bar."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

from terrainpaint.core.progress import Progress
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


def left_out_line(name: str, reason: str) -> str:
    """The line about a file that is not used; names of files may hold line breaks and worse."""
    return drawable(f"left out: {name} {reason}")


class WrongUsage(Exception):
    """Options that do not go together, which argparse cannot detect."""


@contextmanager
def progress_bar(title: str) -> Iterator[Progress]:
    """A progress bar with the time left on stderr if that is a terminal. Raises TrainingError without rich."""
    try:
        from rich.console import Console
        from rich.progress import Progress as Bar
    except ImportError as error:
        raise TrainingError("The trainer needs its extra packages; run: pip install 'terrainpaint[train]'.") from error
    console = Console(stderr=True)
    with Bar(console=console, disable=not console.is_terminal) as bar:
        task: Any = bar.add_task(title, total=1.0)
        yield lambda fraction: bar.update(task, completed=fraction)
