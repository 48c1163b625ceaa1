"""The terrain of the real window follows heights, and is what a generation of the whole map gives."""

from __future__ import annotations

import dataclasses

import numpy as np
from pytestqt.qtbot import QtBot

from terrainpaint.core.height_guide import HeightGuide
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.generation.generator import Generator
from tests.gui.live.steps import SHAPE, settled
from tests.gui.windows import Person


def test_painted_heights_are_followed_while_the_map_is_painted(
    person: Person, qtbot: QtBot, generator: Generator
) -> None:
    window, generation = person.window, settled(person, qtbot)
    document = window.document
    assert generation.live is not None
    plain = generation.live.height.copy()

    window.canvas.set_tool("height")
    window.tools.size_px, window.tools.height_amount_m = 60, 900
    person.paints((75, 80), (75, 130), pause_ms=15)
    window.canvas.set_tool("brush")
    window.tools.class_id, window.tools.size_px = 5, 20
    person.paints((60, 60), (90, 150), pause_ms=15)
    recipe = dataclasses.replace(document.settings.recipe, guide_strength=0.8, painted_rivers_only=True)
    document.change_settings("Recipe", dataclasses.replace(document.settings, recipe=recipe))

    def compare() -> None:
        settled(person, qtbot)
        live, project = generation.live, document.project
        assert live is not None
        whole = generator.terrain(
            SegmentationMap(document.ids), project.settings.recipe, project.rerolls, guide=project.height_guide
        )
        assert np.abs(live.height - whole.height).max() < 1e-4 * np.ptp(whole.height)
        assert (np.abs(live.albedo.astype(int) - whole.albedo).max(axis=2) > 2).mean() < 1e-3

    compare()
    # 900 m on pixels of 500 m are 3,600 m on those of the weights.
    assert generation.live.height[70:80, 90:120].mean() > plain[70:80, 90:120].mean() + 1500
    assert generation.copies.terrain().provenance.has_height_guide
    document.set_height_guide(HeightGuide.of(np.full(SHAPE, 250, np.float32), SHAPE, 500.0))
    compare()
    document.set_height_guide(None)
    compare()
