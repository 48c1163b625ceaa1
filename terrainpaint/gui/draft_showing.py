"""Copies a draft of the terrain into the live one, part by part between events of the window."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, QTimer

from terrainpaint.core.rects import Rect
from terrainpaint.generation.draft import Draft, draft_parts
from terrainpaint.generation.live import LiveTerrain


class DraftShowing(QObject):
    """Shows one draft at a time. `show` is called with the live terrain and each rectangle that was copied."""

    def __init__(self, show: Callable[[LiveTerrain, Rect], None], parent: QObject) -> None:
        super().__init__(parent)
        self._show = show
        self._now: tuple[LiveTerrain, Draft] | None = None

    def begin(self, live: LiveTerrain, draft: Draft, focus: Rect) -> None:
        """Copy the visible part now, and the others later, unless a newer draft or another terrain has come."""
        self._now = live, draft
        self._copy(live, draft, draft_parts(live.shape, focus))

    def stop(self) -> None:
        """Copy no more: there is another live terrain."""
        self._now = None

    def _copy(self, live: LiveTerrain, draft: Draft, parts: Sequence[Rect]) -> None:
        if self._now is None or self._now[0] is not live or self._now[1] is not draft:
            return
        self._show(live, live.show_draft(draft, parts[0]))
        if rest := parts[1:]:
            QTimer.singleShot(0, self, lambda: self._copy(live, draft, rest))
