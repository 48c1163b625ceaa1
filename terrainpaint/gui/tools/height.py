"""The tool that paints heights for the land to follow: a soft brush on the height guide."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.height_guide import CELL_PX
from terrainpaint.core.height_painting import HeightDabs, HeightMode
from terrainpaint.core.rects import Point
from terrainpaint.gui.height_stroke import HeightStroke
from terrainpaint.gui.step_texts import step_text
from terrainpaint.gui.tools.tool import Pointer, Tool

_OPPOSITE = {HeightMode.RAISE: HeightMode.LOWER, HeightMode.LOWER: HeightMode.RAISE}
_NAMES = {
    HeightMode.RAISE: "raise", HeightMode.LOWER: "lower", HeightMode.SMOOTH: "smooth", HeightMode.FREE: "free",
}  # fmt: skip


class HeightTool(Tool):
    """Raises, lowers or smooths the land that is shown, once in each stroke."""

    _stroke: HeightStroke | None = None
    _dabs: HeightDabs | None = None
    _at: Point = (0.0, 0.0)
    _selected: NDArray[np.float32] | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a stroke is under way."""
        return self._stroke is not None

    def press(self, pointer: Pointer) -> None:
        """Begin a stroke on the guide, which a document gets with its first one."""
        document = self.document
        size_m = document.settings.pixel_size_m
        land = self.view.land_in_cells()
        if land is None:
            self.view.say("The terrain is still being generated; paint heights when it is there.")
            return
        mode = self.settings.height_mode
        if pointer.alt:
            mode = _OPPOSITE.get(mode, mode)
        self._stroke = document.begin_height_stroke(step_text("Heights", _NAMES[mode]))
        guide = self._stroke.guide
        metres = np.float32(guide.pixel_size_m / size_m)
        self._dabs = HeightDabs(
            np.where(np.isnan(guide.heights), land * metres, guide.heights), guide.heights.copy(), mode,
            float(self.settings.height_amount_m * metres),
        )  # fmt: skip
        self._selected = document.selected_cells()
        self._at = pointer.at
        self._go_to(pointer)

    def move(self, pointer: Pointer) -> None:
        """Paint from where the pointer was."""
        if self._stroke is not None:
            self._go_to(pointer)

    def release(self, pointer: Pointer) -> None:
        """End the stroke as one step."""
        self.finish()

    def finish(self) -> None:
        """End the stroke as one step."""
        if (stroke := self._let_go()) is not None:
            stroke.end()

    def cancel(self) -> None:
        """Take back what the stroke did."""
        if (stroke := self._let_go()) is not None:
            stroke.cancel()

    def forget(self) -> None:
        """Something else ended the stroke."""
        self._let_go()

    def _go_to(self, pointer: Pointer) -> None:
        if self._stroke is None or self._dabs is None:
            return
        radius = self.settings.size_px * (pointer.pressure if self.settings.pressure else 1.0) / (2 * CELL_PX)
        for start, end in self.images([self._at, pointer.at]):
            cells = self._dabs.sweep(_in_cells(start), _in_cells(end), max(radius, 1.0))
            if not cells.is_empty:
                self._stroke.put_heights(cells, self._dabs.result(cells, self._selected))
        self._at = pointer.at

    def _let_go(self) -> HeightStroke | None:
        stroke, self._stroke, self._dabs = self._stroke, None, None
        return stroke


def _in_cells(at: Point) -> Point:
    return at[0] / CELL_PX, at[1] / CELL_PX
