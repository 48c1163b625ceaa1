"""The five steps of the tour: what a new user needs to know to paint a terrain."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtWidgets import QWidget

from terrainpaint.gui.tour import TourStep

_Keys = Mapping[str, str]


def first_steps(
    classes: QWidget, canvas: QWidget, above: QWidget, relief: QWidget, export: QWidget
) -> tuple[TourStep, ...]:
    """Choose, paint, see, look around, export; each with the widget that does it."""
    return (
        TourStep(
            "Choose what to paint",
            lambda keys: "There are seven classes of land. Click one, or press 1 to 7.",
            lambda: classes,
        ),
        TourStep(
            "Paint the map",
            lambda keys: (
                "Drag over the map. [ and ] change the size of the brush, a right click opens a palette, and "
                f"{keys.get('undo', 'Edit > Undo')} takes a stroke back."
            ),
            lambda: canvas,
        ),
        TourStep(
            "See the terrain",
            lambda keys: (
                "It follows the brush: first as a preview, then exactly. "
                f"The dice ({keys.get('dice', 'Terrain > Roll the dice')}) gives other land on the same map."
            ),
            lambda: above,
        ),
        TourStep(
            "Look at it in 3D",
            lambda keys: "Drag to turn, use the wheel to zoom, press F to fly. Sun and relief are below the view.",
            lambda: relief,
        ),
        TourStep(
            "Take it with you",
            lambda keys: (
                f"Export ({keys.get('export', 'File > Export')}) writes mesh, texture and heights for other programs; "
                f"save the project ({keys.get('save', 'File > Save')}) to go on painting later. "
                f"The guide is in the Help menu ({keys.get('guide', 'Help > Guide')})."
            ),
            lambda: export,
        ),
    )
