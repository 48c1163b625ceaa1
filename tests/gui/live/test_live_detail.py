"""Fine land in the real window, with the real process and random networks of fine land."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from terrainpaint.core.classes import WATER
from terrainpaint.core.fine_land import FineTile, coarse_window
from terrainpaint.core.painting import ellipse
from terrainpaint.core.project import Project, Settings
from terrainpaint.core.rects import Rect
from terrainpaint.core.terrain import Provenance, Recipe, Terrain
from terrainpaint.generation.generator import Generator
from terrainpaint.generation.refiner import Refiner
from terrainpaint.gui.fine_ground import FineGround
from terrainpaint.gui.fine_picture import fine_picture, map_rect
from terrainpaint.gui.live_detail import LiveDetail
from terrainpaint.gui.map_camera import MAX_ZOOM, Camera, Projection
from terrainpaint.gui.relief_detail import dry_land
from terrainpaint.gui.terrain_pictures import FROM_ABOVE
from terrainpaint.gui.terrain_view import TerrainView
from terrainpaint.gui.widgets.pictures import pixels_of
from terrainpaint.models.fine_land_weights import load_fine_land
from tests.generation.random_weights import write_fine_land
from tests.gui.live.steps import ATLAS
from tests.gui.windows import Person, own_window

SHAPE = (128, 192)
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("fine") / "fine.safetensors"
    write_fine_land(path)
    return path


@pytest.fixture(scope="module")
def window_of_all(
    request: pytest.FixtureRequest, qapp: QApplication, tmp_path_factory: pytest.TempPathFactory, weights: Path
) -> Iterator[Person]:
    """One window and one process for all tests of this file, because loading the weights takes seconds."""
    with own_window(request, tmp_path_factory.mktemp("detail")) as person:
        person.window.generation.detail.use_file(weights)
        person.window.start(None)
        yield person


@pytest.fixture
def person(window_of_all: Person) -> Person:
    """A new document with land in its middle, seen as a whole."""
    window_of_all.opens(Project.empty(SHAPE, Settings(2000.0, "atlas", base_class=0)))
    window_of_all.window.document.paint_mark("Land", ellipse((10, 10), (118, 182), SHAPE), 5)
    window_of_all.window.terrain.show_picture("shaded")
    return window_of_all


def detail_of(person: Person) -> LiveDetail:
    return person.window.generation.detail


def settled(person: Person, qtbot: QtBot) -> None:
    """Wait until the terrain is exact and all fine land that is wanted was made."""
    generation, detail = person.window.generation, detail_of(person)

    def is_done() -> bool:
        tiles = detail.tiles
        return generation.is_exact and tiles is not None and all(
            tiles.next_place(rect, factor, lambda _: True) is None for rect, factor in detail.wants
        )  # fmt: skip

    person.window.terrain.view.repaint()
    qtbot.waitUntil(is_done)


def looks_at(person: Person, qtbot: QtBot, row: float, col: float, zoom: float) -> TerrainView:
    """Show a place in the terrain from above and wait for its fine land."""
    view: TerrainView = person.window.terrain.view
    view.set_camera(Camera(row, col, zoom))
    settled(person, qtbot)
    return view


def made_at_once(person: Person, weights: Path, rect: Rect, factor: int) -> FineTile:
    """The fine land of a rectangle of the map, without tiles."""
    live, document = person.window.generation.live, person.window.document
    assert live is not None
    refiner = Refiner(load_fine_land(weights, CPU), CPU)
    margin = refiner.margin(factor, 2000.0)
    window = coarse_window(live.height, live.albedo, document.ids, rect, margin, 2000.0)
    return refiner.refine(window, factor, document.settings.recipe.seed)


def ground(person: Person, rect: Rect, factor: int) -> FineGround:
    generation = person.window.generation
    tiles = detail_of(person).tiles
    assert generation.live is not None and tiles is not None
    return FineGround(person.window.document, generation, generation.live, tiles, rect, factor)


@pytest.mark.parametrize(("zoom", "factor"), [(3.0, 4), (12.0, 16)])
def test_what_is_seen_is_the_fine_land_without_seams(
    person: Person, qtbot: QtBot, weights: Path, zoom: float, factor: int
) -> None:
    view = looks_at(person, qtbot, 64, 96, zoom)
    rect = view.visible_rect().intersection(Rect(60, 92, 8, 8))
    assert rect.area == 64
    around = rect.grown(1)
    shown, expected = ground(person, rect, factor), made_at_once(person, weights, around, factor)
    inside = slice(factor, -factor), slice(factor, -factor)
    assert np.abs(shown.height - expected.height[inside]).max() < 1e-4 * np.ptp(expected.height)
    assert np.abs(shown.albedo.astype(int) - expected.albedo[inside]).max() <= 1
    np.testing.assert_array_equal(shown.ids, expected.ids[inside])
    terrain = Terrain(expected.albedo, expected.height, 2000.0 / factor, Provenance("", "", Recipe(), ""))
    shaded = Generator.load(ATLAS, "cpu").shaded(terrain)[inside]
    assert np.abs(shown.shaded.astype(int) - shaded).max() <= 2


def test_the_reading_is_that_of_the_land_that_is_shown(person: Person, qtbot: QtBot) -> None:
    inspection, generation = person.window.inspection, person.window.generation
    looks_at(person, qtbot, 64, 96, 1.0)
    of_map = inspection.reading(63.3, 95.7)
    assert generation.live is not None and of_map.height_m == pytest.approx(float(generation.live.height[63, 95]))
    looks_at(person, qtbot, 64, 96, 12.0)
    fine, reading = ground(person, Rect(60, 90, 8, 8), 16), inspection.reading(63.3, 95.7)
    at = int(3.3 * 16), int(5.7 * 16)
    assert (reading.row, reading.col, reading.class_id) == (63, 95, int(fine.ids[at]))
    assert reading.height_m == pytest.approx(float(fine.height[at]))
    assert reading.slope_deg == pytest.approx(float(fine.slope_deg()[at]), abs=1e-3)
    assert reading.height_m != pytest.approx(of_map.height_m)


def test_fine_land_follows_what_is_painted_and_is_never_older_than_the_land(
    person: Person, qtbot: QtBot, weights: Path
) -> None:
    window, detail = person.window, detail_of(person)
    looks_at(person, qtbot, 70, 100, 6.0)
    generation = window.generation
    before = ground(person, Rect(60, 90, 20, 20), 4).height
    stale: list[Rect] = []

    def look(rect: Rect) -> None:
        tiles = detail.tiles
        assert tiles is not None
        around = rect.clipped(SHAPE)
        if not tiles.drop(around).is_empty:
            stale.append(around)

    generation.patch_made.connect(look)
    window.document.paint_mark("Lake", ellipse((60, 90), (80, 110), SHAPE), 0)
    settled(person, qtbot)
    generation.patch_made.disconnect(look)
    assert stale == [], "views are told of new land when the old details of it are gone"
    rect = Rect(60, 90, 20, 20)
    after, expected = ground(person, rect, 4).height, made_at_once(person, weights, rect, 4).height
    assert np.abs(after - before).max() > 10
    assert np.abs(after - expected).max() < 1e-4 * np.ptp(expected) + 0.01


def test_far_from_what_is_painted_the_tiles_are_kept(person: Person, qtbot: QtBot) -> None:
    looks_at(person, qtbot, 40, 40, 16.0)
    tiles = detail_of(person).tiles
    assert tiles is not None
    count = len(tiles)
    person.window.document.paint_mark("Lake", ellipse((110, 170), (120, 180), SHAPE), 0)
    qtbot.waitUntil(lambda: person.window.generation.is_exact)
    assert len(tiles) > 0 and detail_of(person).tiles is tiles and len(tiles) <= count


@pytest.mark.parametrize("key", FROM_ABOVE)
def test_every_picture_shows_the_fine_land(person: Person, qtbot: QtBot, key: str) -> None:
    view = looks_at(person, qtbot, 70, 100, 16.0)
    person.window.terrain.show_picture(key)
    if key == "flow":
        qtbot.waitUntil(lambda: person.window.generation.flow() is not None)
    fine = pixels_of(view.grab().toImage()).astype(int)
    detail_of(person).set_on(False)
    coarse = pixels_of(view.grab().toImage()).astype(int)
    detail_of(person).set_on(True)
    assert np.abs(fine - coarse).max() > 8
    # A pixel of the map is 16 px wide: coarse land has no other edges within it.
    middle = coarse.shape[0] // 2
    assert (np.abs(np.diff(fine[middle], axis=0)).sum(axis=1) > 0).sum() > (
        np.abs(np.diff(coarse[middle], axis=0)).sum(axis=1) > 0
    ).sum()


def test_the_switch_of_the_view_menu_shows_the_land_of_the_map_alone(person: Person, qtbot: QtBot) -> None:
    action = person.window.actions_["live_detail"]
    assert action.isChecked()
    view = looks_at(person, qtbot, 70, 100, 16.0)
    fine = pixels_of(view.grab().toImage())
    action.trigger()
    assert not action.isChecked() and detail_of(person).factor_at(16.0) is None
    assert not np.array_equal(pixels_of(view.grab().toImage()), fine)
    action.trigger()
    settled(person, qtbot)
    np.testing.assert_array_equal(pixels_of(view.grab().toImage()), fine)


def test_a_valley_of_five_kilometres_fills_both_views(person: Person, qtbot: QtBot) -> None:
    window = person.window
    window.actions_["linked"].setChecked(True)
    window.options.apply()
    window.canvas.set_camera(Camera(70, 100, MAX_ZOOM))
    across_m = window.canvas.width() * window.canvas.devicePixelRatioF() / MAX_ZOOM * 2000.0
    assert across_m < 5000
    view = window.terrain.view
    assert view.camera.zoom > 16 and abs(view.camera.row - 70) < 0.01 and abs(view.camera.col - 100) < 0.01
    settled(person, qtbot)
    assert not view.grab().isNull() and not window.canvas.grab().isNull()
    for _ in range(40):
        view.zoom_by(1)
    assert view.camera.zoom == MAX_ZOOM


def test_a_shore_from_near_has_no_rim_of_other_colours(person: Person, qtbot: QtBot) -> None:
    looks_at(person, qtbot, 64, 96, 64)
    rect = Rect(60, 92, 8, 8)
    fine = ground(person, rect, 16)
    steps = np.where(np.arange(128)[None, :, None] < 70, np.uint8(40), np.uint8(200)).repeat(128, 0).repeat(3, 2)
    fine.__dict__["shaded"] = steps  # which is computed when it is asked for
    shape = person.window.document.shape
    projection = Projection(shape, 64.0, 0, 0)
    screen = Rect(64 * 61, 64 * 93, 64 * 6, 64 * 6)
    assert map_rect(projection, screen) == rect
    picture = fine_picture(fine, "shaded", projection, screen)
    assert picture.min() == 40 and picture.max() == 200
    assert len(np.unique(picture)) > 4, "the edge is smooth"


def test_land_of_the_map_stays_above_the_surface_of_the_water_in_3d(person: Person, qtbot: QtBot) -> None:
    generation, document, rect = person.window.generation, person.window.document, Rect(4, 100, 24, 24)
    looks_at(person, qtbot, rect.row + 12, rect.col + 12, 16)
    fine = ground(person, rect, 16)
    heights = generation.heights.copy()
    land, surface_m = fine.ids != WATER, 5.0
    dry = dry_land(fine, document.ids, heights, 0.0, surface_m)
    assert land.any() and not land.all()
    assert (dry[land] >= surface_m + 0.5).all() and np.array_equal(dry[~land], fine.height[~land])
    assert np.array_equal(dry[fine.height > 6], fine.height[fine.height > 6])
    # What lies below the level on the map is under water.
    assert np.array_equal(dry_land(fine, document.ids, heights, 9000.0, 9005.0), fine.height)


def test_a_part_that_is_drawn_again_equals_the_whole(person: Person, qtbot: QtBot) -> None:
    view = looks_at(person, qtbot, 70, 100, 12.0)
    for key in ("shaded", "height", "sunlit", "slope"):
        person.window.terrain.show_picture(key)
        screen = Rect(0, 0, view.height(), view.width()).intersection(view.projection.screen)
        everything = view.drawn(screen, 1).astype(int)
        some = Rect(screen.row + 31, screen.col + 47, 60, 70)
        inside = some.moved(-screen.row, -screen.col)
        assert np.abs(view.drawn(some, 1).astype(int) - everything[inside.slices]).max() <= 2, key


def test_another_seed_makes_other_fine_land(person: Person, qtbot: QtBot, weights: Path) -> None:
    looks_at(person, qtbot, 70, 100, 16.0)
    settings = person.window.document.settings
    person.window.document.change_settings("Seed", dataclasses.replace(settings, recipe=Recipe(77)))
    settled(person, qtbot)
    rect = Rect(60, 90, 16, 16)
    expected = made_at_once(person, weights, rect, 16).height
    assert np.abs(ground(person, rect, 16).height - expected).max() < 1e-4 * np.ptp(expected) + 0.01


def test_a_damaged_file_leaves_the_land_of_the_map(person: Person, qtbot: QtBot, weights: Path, tmp_path: Path) -> None:
    looks_at(person, qtbot, 70, 100, 16.0)
    generation, detail = person.window.generation, detail_of(person)
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(weights.read_bytes()[:-9])
    warnings: list[str] = []
    generation.warned.connect(warnings.append)
    detail.use_file(broken)
    qtbot.waitUntil(lambda: bool(warnings))
    person.window.document.paint_mark("Lake", ellipse((60, 90), (80, 110), SHAPE), 0)
    qtbot.waitUntil(lambda: generation.is_exact)
    generation.warned.disconnect(warnings.append)
    assert len(warnings) == 1 and "broken.safetensors is damaged" in warnings[0]
    assert detail.factor_at(16.0) is None and not detail.is_available
    detail.use_file(weights)
    qtbot.waitUntil(lambda: detail.tiles is not None)
    settled(person, qtbot)
    assert detail.factor_at(16.0) == 16 and len(detail.tiles or ()) > 0
