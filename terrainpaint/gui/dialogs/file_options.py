"""The page of the export dialog with the options of single formats."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QVBoxLayout, QWidget

from terrainpaint.export.file_options import FileOptions, Texture
from terrainpaint.gui.widgets.basics import Form, label

_Value = TypeVar("_Value", bound=StrEnum)

_TEXTURES = {Texture.PNG: "PNG, every pixel as it is", Texture.JPEG: "JPEG, a quarter of the size"}


class FileOptionsPage(QWidget):
    """Fields of `FileOptions`."""

    changed = Signal()

    def __init__(self, options: FileOptions) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 12, 0, 0)
        column.setSpacing(8)
        self._glb_texture = _choice(_TEXTURES, options.glb_texture)
        self._glb_texture.currentIndexChanged.connect(self.changed)
        form = _section(column, "glb")
        form.add("&Texture", self._glb_texture)
        column.addStretch(1)

    def value(self) -> FileOptions:
        """The present options. Raises OptionError when they cannot be used."""
        return FileOptions(glb_texture=Texture(self._glb_texture.currentData()))


def _section(column: QVBoxLayout, formats: str) -> Form:
    column.addWidget(label(formats, "heading"))
    form = Form()
    column.addLayout(form)
    return form


def _choice(texts: Mapping[_Value, str], chosen: _Value) -> QComboBox:
    field = QComboBox()
    for value, text in texts.items():
        field.addItem(text, str(value))
    field.setCurrentIndex(field.findData(str(chosen)))
    return field
