"""Asks for the preferences, and makes the program follow them."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QWidget

from terrainpaint.generation.messages import Hardware
from terrainpaint.gui.live_generation import LiveGeneration
from terrainpaint.gui.preferences import read_preferences, write_preferences
from terrainpaint.gui.relief_dock import ReliefDock
from terrainpaint.gui.theme import current_theme
from terrainpaint.gui.timed_saving import TimedSaving
from terrainpaint.gui.undo_stack import UndoStack
from terrainpaint.gui.view_options import ViewOptions
from terrainpaint.gui.widgets.notation import use_notation
from terrainpaint.gui.widgets.numbers import show_numbers_again


class PreferenceActions:
    """The preferences of one window. `actions` has those of the themes, of which the one in use is checked."""

    def __init__(
        self,
        window: QWidget,
        actions: Mapping[str, QAction],
        options: ViewOptions,
        relief: ReliefDock,
        generation: LiveGeneration,
        timed_saving: TimedSaving,
        undo_stack: UndoStack,
    ) -> None:
        self._window, self._actions, self._options, self._relief = window, actions, options, relief
        self._generation, self._timed_saving, self._undo_stack = generation, timed_saving, undo_stack

    def ask(self) -> None:
        """Ask for the preferences and use them."""
        from terrainpaint.gui.dialogs.preferences import PreferencesDialog

        info = self._generation.info
        dialog = PreferencesDialog(read_preferences(), info.devices if info else ("cpu",), self._window)
        if dialog.exec():
            write_preferences(dialog.values())
            self.use()

    def use(self) -> None:
        """Follow the preferences that are stored."""
        preferences = read_preferences()
        if preferences.theme != current_theme().name:
            self.use_theme(preferences.theme)
        self._actions[f"theme_{preferences.theme}"].setChecked(True)
        use_notation(preferences.notation)
        show_numbers_again()
        self._timed_saving.set_minutes(preferences.autosave_minutes if preferences.autosaves else None)
        self._undo_stack.set_most_bytes(preferences.undo_mb << 20)
        self._relief.recall_switches()
        self._generation.weights.use_hardware(Hardware(preferences.device, preferences.threads))

    def use_theme(self, name: str) -> None:
        """Use a theme, a key of `THEMES`, from now on, and remember it."""
        self._options.use_theme(name)
        self._actions[f"theme_{name}"].setChecked(True)
        self._relief.follow_theme()
