"""The window with weights whose network sees the whole map."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from terrainpaint.core.project import Project, Settings
from terrainpaint.core.rects import Rect
from tests.generation.spade_terrain_weights import write_reference_weights
from tests.gui.windows import Person, open_window

SHAPE = (96, 160)


@pytest.fixture
def person(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, empty_folders: Path) -> Iterator[Person]:
    with open_window(qtbot, monkeypatch) as person:
        yield person


def opens(person: Person, shape: tuple[int, int], folder: Path) -> None:
    """A map of one class, with the style of such a network."""
    path = folder / "reference.safetensors"
    write_reference_weights(path, "spade-terrain-1.0")
    person.window.generation.weights.styles["reference"] = path
    person.opens(Project.painted(np.full(shape, 2, np.uint8), Settings(2000.0, "reference")))
    person.window.generation.start()


def test_an_edit_has_the_whole_map_made_again(person: Person, qtbot: QtBot, tmp_path: Path) -> None:
    generation = person.window.generation
    warnings: list[str] = []
    generation.warned.connect(warnings.append)
    opens(person, SHAPE, tmp_path)
    qtbot.waitUntil(lambda: generation.is_exact, timeout=60_000)
    assert generation.info is not None and generation.info.reach_px is None and generation.live is not None
    before = generation.live.height.copy()
    with qtbot.waitSignal(generation.patch_made, timeout=60_000) as made:
        person.paints((40, 40), (60, 70))
    assert made.args == [Rect.of_shape(SHAPE)]
    qtbot.waitUntil(lambda: generation.is_exact, timeout=60_000)
    assert (generation.live.height != before)[:, -30:].mean() > 0.5, "far from the stroke"
    assert not warnings


def test_a_map_that_is_too_large_for_it_says_so(person: Person, qtbot: QtBot, tmp_path: Path) -> None:
    with qtbot.waitSignal(person.window.generation.warned, timeout=60_000) as said:
        opens(person, (1040, 1040), tmp_path)
    assert said.args is not None
    assert person.sentence == said.args[0]
    assert "tiles that show seams" in person.sentence and "1040 x 1040 px" in person.sentence
