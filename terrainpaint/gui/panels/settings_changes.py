"""Changes of the settings of a document, and which of them become one undo step."""

from __future__ import annotations

import dataclasses
from enum import IntEnum
from typing import Any

from terrainpaint.core.terrain import Recipe
from terrainpaint.gui.document import Document
from terrainpaint.gui.undo_stack import NOT_MERGED


class Merge(IntEnum):
    """One number for each control: steps in a row with the same number become one. A style vector uses STYLE + i."""

    UNDERLAY_OPACITY = 1
    SEED = 2
    OTHER_SEED = 3
    BLEND = 4
    RELIEF = 5
    GROUND = 6
    VARIETY = 7
    UNDERLAY_PLACE = 8
    LINES = 9
    GUIDE_STRENGTH = 10
    FOLLOW = 11
    STYLE = 100


def change_settings(document: Document, text: str, merge: int = NOT_MERGED, **values: Any) -> None:
    """Set fields of `Settings` in one undo step named `text`."""
    document.change_settings(text, dataclasses.replace(document.settings, **values), merge)


def change_recipe(document: Document, text: str, merge: int = NOT_MERGED, **values: Any) -> None:
    """Set fields of `Recipe` in one undo step named `text`."""
    recipe: Recipe = dataclasses.replace(document.settings.recipe, **values)
    change_settings(document, text, merge, recipe=recipe)
