"""The dialog of the preferences."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from terrainpaint.generation.messages import AUTO_DEVICE
from terrainpaint.gui.preferences import AUTOSAVE_MINUTES, MOST_THREADS, UNDO_MB, Preferences
from terrainpaint.gui.theme import THEMES
from terrainpaint.gui.widgets.basics import (
    GAP_PX,
    MARGIN_PX,
    Form,
    decision,
    dialog_column,
    label,
    open_at,
    paragraph,
    push_button,
    row_of,
)
from terrainpaint.gui.widgets.notation import Notation
from terrainpaint.gui.widgets.numbers import WholeField

_WIDTH_PX = 560
_LABELS_PX = 92
_NOTATIONS = {
    Notation.SYSTEM: "As in the language of the system",
    Notation.POINT: "Point: 361.62",
    Notation.COMMA: "Comma: 361,62",
}
_DEVICES = {
    AUTO_DEVICE: "The fastest one",
    "cuda": "Graphics card (CUDA)",
    "mps": "Graphics of Apple (MPS)",
    "cpu": "Processor",
}


class PreferencesDialog(QDialog):
    """Asks for the preferences. `devices` are the names of those that this computer has."""

    def __init__(self, preferences: Preferences, devices: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Preferences")
        self.theme = _choices({name: name.capitalize() for name in THEMES}, preferences.theme)
        self.notation = _choices(_NOTATIONS, preferences.notation)
        self.autosaves = QCheckBox("&Save the project every")
        self.autosaves.setChecked(preferences.autosaves)
        self.minutes = WholeField()
        self.minutes.setRange(*AUTOSAVE_MINUTES)
        self.minutes.setSuffix(" min")
        self.minutes.setAccessibleName("Minutes between two saves")
        self.minutes.setValue(preferences.autosave_minutes)
        self.minutes.setEnabled(preferences.autosaves)
        self.autosaves.toggled.connect(self.minutes.setEnabled)
        self.projects = FolderField("Folder for projects", preferences.project_folder)
        self.exports = FolderField("Folder for exports", preferences.export_folder)
        known = [AUTO_DEVICE, *(name for name in devices if name != AUTO_DEVICE)]
        if preferences.device not in known:
            known.append(preferences.device)
        self.device = _choices({name: _DEVICES.get(name, name) for name in known}, preferences.device)
        self.threads = WholeField()
        self.threads.setRange(0, MOST_THREADS)
        self.threads.setSpecialValueText("As many as are fast")
        self.threads.setAccessibleName("Threads of the processor")
        self.threads.setValue(preferences.threads)
        self.undo = WholeField()
        self.undo.setRange(*UNDO_MB)
        self.undo.setSingleStep(64)
        self.undo.setSuffix(" MB")
        self.undo.setAccessibleName("Memory of undo")
        self.undo.setValue(preferences.undo_mb)
        self.sky, self.smooth = QCheckBox("Sky and ha&ze"), QCheckBox("Smooth ed&ges")
        self.sky.setChecked(preferences.sky_3d)
        self.smooth.setChecked(preferences.smooth_edges_3d)
        self._build()

    def values(self) -> Preferences:
        """The current choice."""
        return Preferences(
            self.theme.currentData(),
            self.notation.currentData(),
            self.autosaves.isChecked(),
            self.minutes.value(),
            self.projects.folder,
            self.exports.folder,
            self.device.currentData(),
            self.threads.value(),
            self.sky.isChecked(),
            self.smooth.isChecked(),
            self.undo.value(),
        )

    def _build(self) -> None:
        look, saving, history, generator = Form(), Form(), Form(), Form()
        look.add("&Theme", self.theme)
        look.add("&Decimal sign", self.notation)
        look.add("3D view", self.sky)
        look.add_below(self.smooth)
        saving.add("Autosave", row_of(self.autosaves, self.minutes))
        saving.add_below(
            paragraph("For projects that have a file. Unsaved changes of all documents survive a crash anyway.")
        )
        saving.add("&Projects in", self.projects)
        saving.add("&Exports in", self.exports)
        history.add("&Undo keeps", self.undo)
        history.add_below(paragraph("The oldest steps are dropped when all steps together take more memory."))
        generator.add("De&vice", self.device)
        generator.add("T&hreads", self.threads)
        generator.add_below(paragraph("Fewer threads leave more of the processor to other programs."))
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, GAP_PX, 0)
        for title, form in (("Look", look), ("Files", saving), ("History", history), ("Generator", generator)):
            column.addWidget(label(title, "heading"))
            form.setColumnMinimumWidth(0, _LABELS_PX)
            column.addLayout(form)
            column.addSpacing(8)
        column.addStretch(1)
        # On a low screen the page scrolls.
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(page)
        whole = dialog_column(self)
        whole.addWidget(scroll, 1)
        buttons = decision(self, "OK")
        whole.addWidget(buttons)
        height_px = page.sizeHint().height() + buttons.sizeHint().height() + GAP_PX + 2 * MARGIN_PX
        open_at(self, _WIDTH_PX, height_px)


class FolderField(QWidget):
    """A folder to choose; "" stands for the folder that was used last."""

    def __init__(self, name: str, folder: str) -> None:
        super().__init__()
        self._title = name
        self._text = QLineEdit(folder)
        self._text.setPlaceholderText("The folder that was used last")
        self._text.setAccessibleName(name)
        self._text.setClearButtonEnabled(True)
        choose = push_button("Choose…")
        choose.clicked.connect(self._choose)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._text, 1)
        row.addWidget(choose)
        self.setFocusProxy(self._text)

    @property
    def folder(self) -> str:
        """The folder, "" for the one that was used last."""
        return self._text.text().strip()

    def _choose(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, self._title, self.folder)
        if folder:
            self._text.setText(folder)


def _choices(names: dict[str, str] | dict[Notation, str], chosen: object) -> QComboBox:
    box = QComboBox()
    for value, text in names.items():
        box.addItem(text, value)
        if value == chosen:
            box.setCurrentIndex(box.count() - 1)
    return box
