"""What the commands share: wrong usage, and a bar of progress."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

from terrainpaint.core.progress import Progress
from terrainpaint.errors import TrainingError

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
"""What `add_parser` adds a command to."""


class WrongUsage(Exception):
    """Options that do not go together, which argparse cannot know."""


@contextmanager
def progress_bar(title: str) -> Iterator[Progress]:
    """A bar with rate and time left on stderr, where there is a terminal. Raises TrainingError without rich."""
    try:
        from rich.console import Console
        from rich.progress import Progress as Bar
    except ImportError as error:
        raise TrainingError("The trainer needs its extra packages; run: pip install 'terrainpaint[train]'.") from error
    console = Console(stderr=True)
    with Bar(console=console, disable=not console.is_terminal) as bar:
        task: Any = bar.add_task(title, total=1.0)
        yield lambda share: bar.update(task, completed=share)
