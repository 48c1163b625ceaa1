"""What the Help menu does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QMainWindow

from terrainpaint.gui.key_map import KeyMap
from terrainpaint.gui.live_generation import LiveGeneration
from terrainpaint.gui.tour import Tour

if TYPE_CHECKING:
    from terrainpaint.gui.dialogs.guide import GuideDialog

# Dialogs are imported when they are shown: all of them together would delay the first window.


class HelpActions:
    """The guide, the first steps, the keys and the licences, for one window."""

    def __init__(self, window: QMainWindow, generation: LiveGeneration, key_map: KeyMap, tour: Tour) -> None:
        self._window, self._generation, self._key_map = window, generation, key_map
        self.tour = tour
        self._guide: GuideDialog | None = None

    def show_guide(self) -> None:
        """Show the guide in a window next to this one, which can be used meanwhile."""
        from terrainpaint.gui.dialogs.guide import GuideDialog

        if self._guide is None:
            self._guide = GuideDialog(self._window)
        self._guide.show()
        self._guide.raise_()
        self._guide.activateWindow()

    def show_tour(self) -> None:
        """Show the first steps again."""
        self.tour.start()

    def show_keys(self) -> None:
        """List all keys, to find and to change them."""
        from terrainpaint.gui.dialogs.keys import KeysDialog

        KeysDialog(self._key_map, self._window).exec()

    def show_about(self) -> None:
        """Show version, licences and sources."""
        from terrainpaint.gui.dialogs.help import AboutDialog

        info = self._generation.info
        credits = [] if info is None else [info.credits, *([info.look.credits] if info.look else [])]
        AboutDialog("\n\n".join(dict.fromkeys(credits)), self._window).exec()
