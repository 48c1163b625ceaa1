"""Projects to save and recover, and their comparison."""

from __future__ import annotations

import numpy as np

from terrainpaint.core.dream_controls import DreamControls
from terrainpaint.core.dreamed import Dreamed
from terrainpaint.core.guide_lines import GuideLine, GuideLines, LineKind
from terrainpaint.core.height_guide import HeightGuide
from terrainpaint.core.placement import Placement
from terrainpaint.core.project import EMPTY, Layer, Project, Settings, Underlay, ViewSettings
from terrainpaint.core.terrain import Recipe

VIEW = ViewSettings(120.5, 30.0, 7.25, None)


def blotches(shape: tuple[int, int], seed: int) -> np.ndarray:
    """(H, W) uint8 with areas of all classes and unpainted areas."""
    coarse = np.random.default_rng(seed).choice([0, 1, 2, 3, 4, 5, 6, EMPTY], (shape[0] // 7 + 1, shape[1] // 7 + 1))
    return np.kron(coarse, np.ones((7, 7), int))[: shape[0], : shape[1]].astype(np.uint8)


def full_project(shape: tuple[int, int] = (70, 90)) -> Project:
    """A project with every part, and no value at its default."""
    layers = (
        Layer(4, "Küste <&\"'>\n\x01", blotches(shape, 1)),
        Layer(2, "", blotches(shape, 2), visible=False),
        Layer(9, "\ud800 lone", blotches(shape, 3), locked=True, dreamed=Dreamed(7, DreamControls(0.5), 9, 0.25)),
    )
    recipe = Recipe(2**64 - 1, 5, 0.25, (0.5, -1.5, 3.0), 1.75, 0.6, True, 0.35)
    random = np.random.default_rng(4)
    rerolls = random.integers(0, 3, shape, dtype=np.uint8)
    underlay = Underlay(
        random.integers(0, 256, (20, 33, 3), dtype=np.uint8), 0.3, False, Placement(20.5, 31, 40, 66, -12.5)
    )
    lines = GuideLines(
        (
            GuideLine(LineKind.RIDGE, ((0.0, 3.25), (20.5, 30.01), (shape[0], shape[1]))),
            GuideLine(LineKind.RIVER, ((12.5, 3.5), (33.75, 30.5)), 3),
        ),
        visible=False,
        locked=True,
    )
    guide = HeightGuide.empty(shape, 617.25)
    guide.heights[3:9, 5:] = random.normal(0, 900, guide.heights[3:9, 5:].shape)
    settings = Settings(1234.5, "atlas", 4, 2.5, recipe)
    return Project(layers, 2, settings, rerolls, underlay, lines=lines, height_guide=guide)


def plain_project(shape: tuple[int, int] = (40, 48)) -> Project:
    return Project.painted(blotches(shape, 5), Settings(2000.0, "atlas"))


def assert_same(one: Project, other: Project) -> None:
    assert (one.shape, one.active, one.settings) == (other.shape, other.active, other.settings)
    assert [(e.key, e.name, e.visible, e.locked, e.dreamed) for e in one.layers] == [
        (e.key, e.name, e.visible, e.locked, e.dreamed) for e in other.layers
    ]
    for mine, yours in zip(one.layers, other.layers, strict=True):
        np.testing.assert_array_equal(mine.cells, yours.cells)
    np.testing.assert_array_equal(one.rerolls, other.rerolls)
    assert one.lines == other.lines
    assert (one.underlay is None) == (other.underlay is None)
    if one.underlay is not None and other.underlay is not None:
        np.testing.assert_array_equal(one.underlay.picture, other.underlay.picture)
        assert (one.underlay.opacity, one.underlay.visible) == (other.underlay.opacity, other.underlay.visible)
        assert one.underlay.placement == other.underlay.placement
    assert (one.height_guide is None) == (other.height_guide is None)
    if one.height_guide is not None and other.height_guide is not None:
        assert one.height_guide.pixel_size_m == other.height_guide.pixel_size_m
        assert one.height_guide.heights.tobytes() == other.height_guide.heights.tobytes()
