"""Steps of tests of the terrain in the real window, and what it must be."""

from __future__ import annotations

import random

import numpy as np
from pytestqt.qtbot import QtBot

from terrainpaint.core.assets import shipped_styles
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.generation.generator import Generator
from terrainpaint.gui.live_generation import LiveGeneration
from tests.gui.windows import Person

SHAPE = (150, 210)
ATLAS = shipped_styles()["atlas"]


def settled(person: Person, qtbot: QtBot) -> LiveGeneration:
    """Wait until all of the terrain is exact."""
    generation = person.window.generation
    qtbot.waitUntil(lambda: generation.is_exact)
    return generation


def assert_exact(person: Person, qtbot: QtBot, generator: Generator) -> None:
    """The shown terrain equals a generation of the whole map."""
    live, document = settled(person, qtbot).live, person.window.document
    assert live is not None
    whole = generator.terrain(SegmentationMap(document.ids), document.settings.recipe, document.project.rerolls)
    assert np.abs(live.height - whole.height).max() < 1e-4 * np.ptp(whole.height)
    assert np.abs(live.albedo.astype(int) - whole.albedo).max() <= 1
    assert np.abs(live.shaded.astype(int) - generator.shaded(whole)).max() <= 1


def scribbles(person: Person, seed: int, count: int) -> None:
    draw = random.Random(seed)
    for _ in range(count):
        person.window.tools.class_id = draw.randrange(7)
        person.window.tools.size_px = draw.uniform(4, 40)
        at = [(draw.uniform(0, SHAPE[0]), draw.uniform(0, SHAPE[1])) for _ in range(draw.randrange(2, 5))]
        person.paints(*at, pause_ms=15)
