"""Drawn lines while they are changed: every state is shown at once, and the last one becomes one step of undo."""

from __future__ import annotations

import dataclasses
from typing import Protocol

from terrainpaint.core.guide_lines import GuideLines
from terrainpaint.gui.undo import Editable, ProjectCommand
from terrainpaint.gui.undo_stack import NOT_MERGED


class LinesEditable(Editable, Protocol):
    """What an edit needs of the document."""

    def show_lines(self, lines: GuideLines) -> None:
        """Show other lines than those of the last step."""

    def lines_edit_ended(self, edit: LinesEdit, step: ProjectCommand | None) -> None:
        """Put the step on the undo stack."""


class LinesEdit:
    """A change of the lines under way, started by `Document.begin_lines`.

    It is over after `end`, `cancel` or `abandon`, which the document may call too. From then on nothing has an effect.
    """

    def __init__(self, document: LinesEditable, text: str) -> None:
        self._document, self._text = document, text
        self._before = document.project.lines
        self._is_over = False

    def show(self, lines: GuideLines) -> None:
        """Replace the lines."""
        if not self._is_over and lines != self._document.project.lines:
            self._document.show_lines(lines)

    def end(self) -> None:
        """Make it one step of undo, or none when the lines are as before."""
        if not self._is_over:
            self._is_over = True
            after = self._document.project
            step = None
            if after.lines != self._before:
                before = dataclasses.replace(after, lines=self._before)
                step = ProjectCommand(self._document, self._text, before, after, NOT_MERGED)
            self._document.lines_edit_ended(self, step)

    def cancel(self) -> None:
        """Put the lines back as they were."""
        if not self._is_over:
            self.abandon()
            self._document.show_lines(self._before)

    def abandon(self) -> None:
        """End it without a step; the lines stay as they are shown."""
        self._is_over = True
        self._document.lines_edit_ended(self, None)
