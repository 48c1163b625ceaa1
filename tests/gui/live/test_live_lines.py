"""The terrain follows drawn lines in the real window, with the real process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from terrainpaint.core.guide_lines import LineKind, guide_raster
from terrainpaint.core.hydrology import FlowingWater, find_waters, with_flowing_water
from terrainpaint.core.project import Project, Settings
from terrainpaint.core.rects import Rect
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.generation.generator import Generator
from terrainpaint.gui.tools import LineMode
from tests.generation.random_weights import write_random_guided_weights, write_random_weights
from tests.gui.live.steps import SHAPE, settled
from tests.gui.windows import Buttons, Person, own_window


@pytest.fixture(scope="module")
def styles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A style that follows lines, and one that does not."""
    folder = tmp_path_factory.mktemp("styles")
    paths = {name: folder / f"{name}.safetensors" for name in ("guided", "plain")}
    write_random_guided_weights(paths["guided"])
    write_random_weights(paths["plain"])
    return paths


@pytest.fixture(scope="module")
def window_of_all(
    request: pytest.FixtureRequest,
    qapp: QApplication,
    tmp_path_factory: pytest.TempPathFactory,
    styles: dict[str, Path],
) -> Iterator[Person]:
    with own_window(request, tmp_path_factory.mktemp("live")) as person:
        person.window.generation.weights.styles.update(styles)
        person.window.start(None)
        yield person


@pytest.fixture
def person(window_of_all: Person) -> Person:
    """A new document of hills, and the tool for lines."""
    window_of_all.answer = Buttons.Discard
    window_of_all.opens(Project.empty(SHAPE, Settings(2000.0, "guided", base_class=3)))
    window_of_all.window.canvas.set_tool("lines")
    window_of_all.window.tools.line_mode = LineMode.DRAW
    window_of_all.window.tools.line_kind = LineKind.RIDGE
    return window_of_all


def test_the_land_follows_a_line_and_forgets_it(person: Person, qtbot: QtBot, styles: dict[str, Path]) -> None:
    live = settled(person, qtbot).live
    assert live is not None
    plain = live.height.copy()
    person.paints((40, 20), (45, 30), (42, 45), (50, 60), pause_ms=10)
    generation, document = settled(person, qtbot), person.window.document
    lines = guide_raster(document.project.lines.guiding, Rect.of_shape(SHAPE))
    assert lines is not None and generation.live is live
    whole = Generator.load(styles["guided"], "cpu").terrain(
        SegmentationMap(document.ids), document.settings.recipe, lines=lines
    )
    assert np.abs(live.height - whole.height).max() < 1e-4 * np.ptp(whole.height)
    assert np.abs(live.albedo.astype(int) - whole.albedo).max() <= 1
    assert not np.array_equal(live.height, plain) and generation.copies.terrain().provenance.has_lines
    document.undo_stack.undo()
    settled(person, qtbot)
    assert np.abs(live.height - plain).max() < 1e-4 * np.ptp(plain)
    assert not generation.copies.terrain().provenance.has_lines


def test_a_drawn_river_is_carved_without_the_switch(person: Person, qtbot: QtBot) -> None:
    person.window.tools.line_kind = LineKind.RIVER
    person.paints((40, 20), (60, 80), (50, 150), (60, 209), pause_ms=10)
    generation, document = settled(person, qtbot), person.window.document
    live = generation.live
    assert live is not None and not document.settings.flowing_water
    qtbot.waitUntil(lambda: generation.heights is not live.height)
    shown = generation.copies.shown_terrain()
    assert shown.provenance.has_carved_rivers
    wanted = with_flowing_water(generation.copies.terrain(), document.ids, FlowingWater(carve_rivers=True))
    np.testing.assert_allclose(shown.height, wanted.height, atol=1e-2)
    rivers = [river for river in find_waters(wanted, document.ids).rivers if len(river.line) > 20]
    assert rivers and all((np.diff(river.height_m) <= 0).all() for river in rivers)
    document.undo_stack.undo()
    qtbot.waitUntil(lambda: generation.heights is live.height)


def test_weights_without_guides_say_so_once_and_the_lines_stay(person: Person, qtbot: QtBot) -> None:
    settled(person, qtbot)
    heard: list[str] = []
    person.window.generation.warned.connect(heard.append)
    person.window.document.change_settings("Style", Settings(2000.0, "plain", base_class=3))
    settled(person, qtbot)
    assert not heard
    for row in (40, 80):
        person.paints((row, 20), (row + 5, 40), (row, 80), pause_ms=10)
        settled(person, qtbot)
    assert len(heard) == 1 and "does not follow drawn ridges" in heard[0]
    assert len(person.window.document.project.lines.lines) == 2
    assert not person.window.generation.copies.terrain().provenance.has_lines


def test_the_panel_hides_locks_and_erases(person: Person, qtbot: QtBot) -> None:
    document, box = person.window.document, person.window.layers_panel.lines
    assert not box.shown.isVisibleTo(box) and box.draw.isVisibleTo(box)
    person.paints((40, 20), (45, 40), (40, 80), pause_ms=10)
    assert box.counts.text() == "1 ridge" and box.erase.isEnabled()
    box.locked.click()
    assert document.project.lines.locked and not box.erase.isEnabled()
    box.locked.click()
    box.shown.click()
    assert not document.project.lines.guiding and "hidden" in document.lines_refusal
    box.shown.click()
    person.window.tools.line_kind = LineKind.VALLEY
    for row in (90, 120):
        person.paints((row, 20), (row + 5, 40), (row, 80), pause_ms=10)
    assert box.counts.text() == "1 ridge, 2 valleys"
    box.erase.click()
    assert not document.project.lines and box.draw.isVisibleTo(box)
    document.undo_stack.undo()
    assert len(document.project.lines.lines) == 3
    person.window.canvas.set_tool("brush")
    box.draw.click()
    assert person.window.canvas.tool_name == "lines"


def test_the_view_switch_only_hides_them_on_the_screen(person: Person) -> None:
    person.paints((40, 20), (45, 40), (40, 80), pause_ms=10)
    person.window.canvas.set_tool("brush")
    action = person.window.actions_["lines"]
    with_lines = person.window.canvas.grab().toImage()
    action.trigger()
    assert person.window.canvas.grab().toImage() != with_lines
    assert person.window.document.project.lines.guiding
    action.trigger()
    assert person.window.canvas.grab().toImage() == with_lines


def test_delete_is_for_the_chosen_line_also_when_a_part_of_the_map_is_selected(person: Person) -> None:
    document = person.window.document
    person.paints((40, 20), (40, 60), (40, 120), pause_ms=10)
    person.presses(Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    person.window.tools.line_mode = LineMode.CHOOSE
    person.paints((40, 60), (40, 60))
    person.presses(Qt.Key.Key_Delete)
    assert not document.project.lines
