"""Progress and cancellation of a long task: two callables that the caller passes in."""

from __future__ import annotations

from collections.abc import Callable

from terrainpaint.errors import Cancelled

Progress = Callable[[float], None]
"""Called with the fraction that is done, 0..1, never decreasing."""

Cancel = Callable[[], bool]
"""Called repeatedly during the task; returns True to stop it, which raises `Cancelled`."""


def no_progress(fraction: float) -> None:
    """A `Progress` that does nothing."""


def part_of(progress: Progress, begin: float, end: float) -> Progress:
    """The `Progress` of a part of a task, which goes from `begin` to `end` of it."""
    return lambda fraction: progress(begin + (end - begin) * fraction)


def never_cancel() -> bool:
    """A `Cancel` that never stops."""
    return False


def check_cancel(cancel: Cancel) -> None:
    """Raise `Cancelled` when the caller wants the task to stop."""
    if cancel():
        raise Cancelled
