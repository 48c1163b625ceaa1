"""The order in which Tab goes through the window: part by part, and in each part as it is laid out.

Qt's own order is that in which the widgets were made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QDockWidget, QLayout, QScrollArea, QWidget


def move_focus(parts: Sequence[QWidget], step: int) -> bool:
    """Give the focus to the next widget that Tab reaches in `parts` for a step of 1, to the one before for -1.

    Returns False when the focus is in none of the parts, or nowhere else to go.
    """
    current = QApplication.focusWidget()
    reached = [
        widget
        for part in parts
        for widget in focusable(part)
        if widget is current or (widget.isVisible() and widget.isEnabled())
    ]
    if current not in reached or len(reached) == 1:
        return False
    reason = Qt.FocusReason.TabFocusReason if step > 0 else Qt.FocusReason.BacktabFocusReason
    reached[(reached.index(current) + step) % len(reached)].setFocus(reason)
    return True


def focusable(part: QWidget) -> Iterator[QWidget]:
    """The widgets of a part that Tab can reach, from the first to the last, hidden ones included."""
    if part.focusPolicy() & Qt.FocusPolicy.TabFocus and part.focusProxy() is None:
        yield part
    inner = part.widget() if isinstance(part, QDockWidget | QScrollArea) else None
    if inner is not None:
        yield from focusable(inner)
    elif (layout := part.layout()) is not None:
        yield from _laid_out(layout)
    else:
        for child in part.children():
            if isinstance(child, QWidget) and not child.isWindow():
                yield from focusable(child)


def _laid_out(layout: QLayout) -> Iterator[QWidget]:
    for i in range(layout.count()):
        item = layout.itemAt(i)
        if item is None:
            continue
        if (widget := item.widget()) is not None:
            yield from focusable(widget)
        elif (below := item.layout()) is not None:
            yield from _laid_out(below)
