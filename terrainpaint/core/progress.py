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


def never_cancel() -> bool:
    """A `Cancel` that never stops."""
    return False


def check_cancel(cancel: Cancel) -> None:
    """Raise `Cancelled` when the caller wants the task to stop."""
    if cancel():
        raise Cancelled
