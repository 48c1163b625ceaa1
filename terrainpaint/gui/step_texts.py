"""The text of an undo step: what was done, and with what, such as "Brush · forest" or "Seed · 12"."""

from __future__ import annotations

from terrainpaint.core.classes import CLASS_NAMES

_BETWEEN = " · "


def step_text(action: str, detail: str = "") -> str:
    """The text of a step."""
    return f"{action}{_BETWEEN}{detail}" if detail else action


def action_of(text: str) -> str:
    """What a step with this text did, without the detail."""
    return text.partition(_BETWEEN)[0]


def class_of(text: str) -> int | None:
    """The id of the class that a step with this text painted, None when it names none."""
    detail = text.partition(_BETWEEN)[2]
    return CLASS_NAMES.index(detail) if detail in CLASS_NAMES else None
