"""How long work reports and is stopped: two callables that the owner of the work passes in."""

from __future__ import annotations

from collections.abc import Callable

from terrainpaint.errors import Cancelled

Progress = Callable[[float], None]
"""Called with the share done, 0..1, never decreasing."""

Cancel = Callable[[], bool]
"""Asked now and then; True stops the work with `Cancelled`."""


def no_progress(share: float) -> None:
    """A `Progress` that tells nobody."""


def never_cancel() -> bool:
    """A `Cancel` that never stops."""
    return False


def check_cancel(cancel: Cancel) -> None:
    """Raise `Cancelled` when the owner of the work wants it stopped."""
    if cancel():
        raise Cancelled
