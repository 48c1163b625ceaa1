"""Short questions of an import: what a file is to become, and what lies under the see-through parts of a picture."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QComboBox, QDialog, QDialogButtonBox, QWidget

from terrainpaint.core.classes import CLASSES
from terrainpaint.gui.widgets.basics import Form, decision, dialog_column, paragraph, push_button
from terrainpaint.gui.widgets.class_colours import colour_icon, percent

Ground = tuple[str, tuple[int, int, int]]
"""Name and sRGB colour of what can lie under a picture."""

CLASS_GROUNDS: tuple[Ground, ...] = tuple((kind.name.capitalize(), kind.colour) for kind in CLASSES)
COLOUR_GROUNDS: tuple[Ground, ...] = (("White", (255, 255, 255)), ("Black", (0, 0, 0)), *CLASS_GROUNDS)


class SeeThroughDialog(QDialog):
    """Asks what lies under the `fraction` 0..1 of a picture that is see-through; `effect` says what comes of it."""

    def __init__(
        self, name: str, fraction: float, grounds: Sequence[Ground], effect: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Import {name}")
        self._choice = QComboBox()
        for text, colour in grounds:
            self._choice.addItem(colour_icon(colour), text)
        self._grounds = tuple(grounds)
        column = dialog_column(self)
        column.addWidget(paragraph(f"{percent(fraction)} of the picture is see-through.", ""))
        form = Form()
        form.add("&Under it", self._choice)
        column.addLayout(form)
        column.addWidget(paragraph(effect))
        column.addWidget(decision(self, "Import"))
        self.setMinimumWidth(380)

    @property
    def index(self) -> int:
        """The index of the chosen ground."""
        return self._choice.currentIndex()

    @property
    def colour(self) -> tuple[int, int, int]:
        """The sRGB colour of the chosen ground."""
        return self._grounds[self.index][1]


class ChoiceDialog(QDialog):
    """A question with a button for each answer, the first of which is the default, and Cancel."""

    def __init__(self, title: str, question: str, answers: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self._answer = answers[0]
        box = QDialogButtonBox()
        for number, answer in enumerate(answers):
            button = push_button(answer)
            button.setDefault(number == 0)
            button.clicked.connect(lambda checked=False, answer=answer: self._choose(answer))
            box.addButton(button, QDialogButtonBox.ButtonRole.AcceptRole)
        cancel = push_button("Cancel")
        cancel.clicked.connect(self.reject)
        box.addButton(cancel, QDialogButtonBox.ButtonRole.RejectRole)
        column = dialog_column(self)
        column.addWidget(paragraph(question, ""))
        column.addWidget(box)
        self.setMinimumWidth(420)

    @property
    def answer(self) -> str:
        """The answer that was chosen; it counts after the dialog was accepted."""
        return self._answer

    def _choose(self, answer: str) -> None:
        self._answer = answer
        self.accept()
