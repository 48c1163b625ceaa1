"""What the window and the command line know of a look, which repaints the albedo of a terrain in another style."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class LookInfo:
    """A look in use: `source` the style of the terrain that it was trained on, `target` the style that it paints;
    `sha256` hex digest of its file."""

    path: Path
    source: str
    target: str
    sha256: str
    licence: str
    credits: str

    def warning(self, style: str) -> str | None:
        """A warning when it was trained on terrain of another style than `style`; None otherwise."""
        if style == self.source:
            return None
        return f'The look "{self.path.stem}" is for the style "{self.source}", not "{style}"; colours may be wrong.'
