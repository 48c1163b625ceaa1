from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from terrainpaint.core.classes import PALETTE
from terrainpaint.core.project import ViewSettings
from terrainpaint.core.rects import Rect
from terrainpaint.core.shading import hypsometric
from terrainpaint.generation.live import Job, LiveTerrain
from terrainpaint.generation.messages import TerrainPatch
from terrainpaint.gui.icons import icon_names
from terrainpaint.gui.legend import Legend, LegendOverlay, draw_legend, height_legend, slope_legend
from terrainpaint.gui.map_camera import Camera, Projection
from terrainpaint.gui.terrain_pictures import FROM_ABOVE, IN_3D, PICTURES, Sample
from terrainpaint.gui.terrain_ranges import TerrainRanges, terrain_ranges
from terrainpaint.gui.terrain_view import screen_heights
from terrainpaint.gui.theme import apply_theme


@pytest.fixture
def slope() -> Sample:
    """(60, 80): a plane that rises 100 m to the east with each pixel of 100 m."""
    draw = np.random.default_rng(3)
    albedo, shaded = draw.integers(0, 256, (2, 60, 80, 3), dtype=np.uint8)
    height = np.broadcast_to(np.arange(80, dtype=np.float32) * 100, (60, 80)).copy()
    ids = draw.integers(0, 7, (60, 80), dtype=np.uint8)
    steep = np.full((60, 80), 45, np.float32)
    return Sample(
        ids,
        albedo,
        shaded,
        height,
        1.0,
        100.0,
        ViewSettings(90.0, 45.0, 1.0),
        TerrainRanges(0, 7900, 60.0, 1.0),
        lambda: steep,
        lambda: None,
    )


def test_each_picture_has_its_own_name_and_an_icon() -> None:
    assert {picture.icon for picture in PICTURES.values()} <= set(icon_names())
    assert len({picture.name for picture in PICTURES.values()}) == len(PICTURES)
    assert set(FROM_ABOVE) | set(IN_3D) == set(PICTURES)


def test_pictures_show_what_they_are_named_after(slope: Sample) -> None:
    assert np.array_equal(PICTURES["shaded"].paint(slope), slope.shaded)
    assert np.array_equal(PICTURES["albedo"].paint(slope), slope.albedo)
    assert np.array_equal(PICTURES["map"].paint(slope), PALETTE[slope.ids])
    away_from_the_sun = PICTURES["sunlit"].paint(slope).mean()
    assert away_from_the_sun < slope.albedo.mean()
    assert len(np.unique(PICTURES["slope"].paint(slope).reshape(-1, 3), axis=0)) == 1, "it is as steep everywhere"


def test_the_flow_is_blue_where_much_land_drains(slope: Sample) -> None:
    dry = PICTURES["flow"].paint(slope)
    flow = np.full(slope.ids.shape, 20, np.uint8)
    flow[30] = 255
    wet = PICTURES["flow"].paint(dataclasses.replace(slope, flow=lambda: flow))
    assert np.array_equal(wet[29], dry[29]) and np.array_equal(wet[31], dry[31])
    assert len(np.unique(wet[30], axis=0)) == 1 and wet[30, 0, 2] > 150 > wet[30, 0, 0]


def land(height: NDArray[np.float32]) -> LiveTerrain:
    """A terrain that is exact, with heights (H, W) in metres of the weights."""
    shape = height.shape[0], height.shape[1]
    live, whole = LiveTerrain(shape, 10), Rect.of_shape(shape)
    colour = np.zeros((*shape, 3), np.uint8)
    live.accept(Job(whole, True, 0), TerrainPatch(whole, colour, height, colour, exact=True))
    return live


def test_ranges_are_those_of_the_heights_and_slopes() -> None:
    height = np.full((300, 400), -20, np.float32)
    height[:, 200:] = np.arange(200) * 10
    ranges = terrain_ranges(land(height), height, 2.0, 100.0)
    assert (ranges.low_m, ranges.high_m) == (-40, 3980)
    assert ranges.steepest_deg == 15, "an arc tangent of 0.2 is 11.3°"
    assert ranges.rise == pytest.approx(0.2, rel=1e-3)


def test_ranges_leave_out_what_is_not_known() -> None:
    live = LiveTerrain((600, 600), 10)
    assert terrain_ranges(live, live.height, 1.0, 100.0) == TerrainRanges()
    part = Rect(0, 0, 64, 96)
    colour = np.zeros((64, 96, 3), np.uint8)
    live.accept(Job(part, True, 0), TerrainPatch(part, colour, np.full((64, 96), 500, np.float32), colour, exact=True))
    assert (
        terrain_ranges(live, live.height, 1.0, 100.0).low_m,
        terrain_ranges(live, live.height, 1.0, 100.0).high_m,
    ) == (500, 500)


@pytest.mark.parametrize("zoom", [0.07, 0.4, 1.0, 3.0, 9.0])
def test_heights_of_a_part_of_the_screen_are_those_of_the_whole(zoom: float) -> None:
    rows, cols = np.mgrid[0:500, 0:700].astype(np.float32)
    height = (3 * cols - rows).astype(np.float32)
    projection = Projection.of(Camera(250, 350, zoom), height.shape, (300, 400))
    whole = screen_heights(height, projection, Rect(0, 0, 300, 400))
    part = Rect(31, 47, 150, 211)
    np.testing.assert_allclose(screen_heights(height, projection, part), whole[part.slices], atol=0.05)
    row, col = projection.to_map(150.5, 200.5)
    assert whole[150, 200] == pytest.approx(3 * (col - 0.5) - (row - 0.5), abs=0.1), "a plane stays a plane"


def drawn(legend: Legend, theme: str, qapp: QApplication, size: tuple[int, int] = (300, 300)) -> NDArray[np.uint8]:
    apply_theme(qapp, theme)
    image = QImage(*size, QImage.Format.Format_RGB888)
    image.fill(0x808080)
    painter = QPainter(image)
    draw_legend(painter, legend, QRectF(0, 0, *size), qapp.font())
    painter.end()
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(size[1], image.bytesPerLine())[:, : size[0] * 3]
    return pixels.reshape(size[1], size[0], 3).copy()


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_legend_has_the_colours_in_a_corner(qapp: QApplication, theme: str) -> None:
    legend = slope_legend(TerrainRanges(0, 900, 20.0, 0.1))
    pixels = drawn(legend, theme, qapp)
    assert (pixels[:, :150] == 0x80).all() and (pixels[280:] == 0x80).all()
    middle = legend.colours[128].astype(int)
    assert (np.abs(pixels.astype(int) - middle).max(axis=2) < 12).any()
    apply_theme(qapp, "dark")


def test_there_is_no_legend_where_it_has_no_room(qapp: QApplication) -> None:
    assert (drawn(slope_legend(TerrainRanges()), "dark", qapp, (300, 90)) == 0x80).all()
    assert (drawn(slope_legend(TerrainRanges()), "dark", qapp, (90, 300)) == 0x80).all()


def test_the_numbers_of_the_legends_are_true() -> None:
    labels = dict(slope_legend(TerrainRanges(0, 900, 20.0, 0.1)).labels)
    assert labels[0.0] == "0°" and labels[0.5] == "10°"
    heights = height_legend(TerrainRanges(-0.4, 2000.0, 20.0, 0.1), 1.0, 100.0)
    assert heights.labels[:2] == ((1.0, "2000 m"), (0.0, "0 m")), "not −0 m"
    places = {text: place for place, text in heights.labels}
    assert places["1000 m"] == pytest.approx(0.5, abs=1e-3)
    assert np.array_equal(heights.colours[-1], hypsometric(np.full((1, 1), 2000, np.float32))[0, 0])
    assert "100 m" in heights.note


def test_the_legend_over_another_widget_follows_its_size_and_hides(qtbot: QtBot) -> None:
    below = QWidget()
    qtbot.addWidget(below)
    below.resize(300, 300)
    below.show()
    overlay = LegendOverlay(below)
    assert not overlay.isVisible()
    overlay.show_legend(height_legend(TerrainRanges(0, 900, 20.0, 0.1), 1.0))
    assert overlay.isVisible() and below.childAt(280, 30) is None, "it lets the mouse through"
    below.resize(420, 310)
    qtbot.waitUntil(lambda: overlay.size() == below.size())
    overlay.show_legend(None)
    assert not overlay.isVisible()
