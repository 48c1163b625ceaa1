"""What was exported last is remembered for each project file."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings

from terrainpaint.core.project import ViewSettings
from terrainpaint.core.rects import GroundRect
from terrainpaint.core.sea_choice import Sea
from terrainpaint.errors import OptionError
from terrainpaint.export import ExportOptions, TileOptions
from terrainpaint.export.file_options import FileOptions, Texture
from terrainpaint.gui.export_choice import ExportChoice, ExportMemory

CHOICE = ExportChoice(Path("/out"), "land", ("obj", "terrain"), 256, 2.5, level_water=False)
FOLLOWING = ExportChoice(Path("/other"), "sea", ("albedo",), None, None, level_water=True, has_water=True)
VALLEY = dataclasses.replace(CHOICE, ground=GroundRect(120_000, 80_000, 40_000, 20_500), detail=16)
JPEG = dataclasses.replace(CHOICE, files=FileOptions(glb_texture=Texture.JPEG), preset="unreal")
pytestmark = pytest.mark.usefixtures("qapp", "empty_folders")


def test_each_project_has_its_own(tmp_path: Path) -> None:
    assert ExportMemory().of(tmp_path / "a.terrainpaint") is None
    ExportMemory().put(tmp_path / "a.terrainpaint", CHOICE)
    ExportMemory().put(tmp_path / "b.terrainpaint", FOLLOWING)
    assert ExportMemory().of(tmp_path / "a.terrainpaint") == CHOICE
    assert ExportMemory().of(tmp_path / "x" / ".." / "b.terrainpaint") == FOLLOWING
    ExportMemory().put(tmp_path / "a.terrainpaint", FOLLOWING)
    assert ExportMemory().of(tmp_path / "a.terrainpaint") == FOLLOWING


def test_a_rectangle_and_the_detail_are_remembered(tmp_path: Path) -> None:
    ExportMemory().put(tmp_path / "a", VALLEY)
    assert ExportMemory().of(tmp_path / "a") == VALLEY
    stored = json.loads(str(QSettings().value("exports")))
    for wrong in ([1, 2, 3], [0, 0, -1, 5], "all"):
        next(iter(stored.values()))["ground_m"] = wrong
        QSettings().setValue("exports", json.dumps(stored))
        assert ExportMemory().of(tmp_path / "a") is None


def test_a_choice_of_the_sea_is_remembered(tmp_path: Path) -> None:
    choice = dataclasses.replace(CHOICE, sea=Sea(True, -120.5))
    ExportMemory().put(tmp_path / "a", choice)
    assert ExportMemory().of(tmp_path / "a") == choice
    stored = json.loads(str(QSettings().value("exports")))
    next(iter(stored.values()))["sea_level_m"] = 1e9
    QSettings().setValue("exports", json.dumps(stored))
    assert ExportMemory().of(tmp_path / "a") is None


def test_options_of_formats_are_remembered(tmp_path: Path) -> None:
    ExportMemory().put(tmp_path / "a", JPEG)
    assert ExportMemory().of(tmp_path / "a") == JPEG
    stored = json.loads(str(QSettings().value("exports")))
    (choice,) = stored.values()
    for name in (
        "files",
        "preset",
        "is_cropped",
        "tiles",
        "max_error_m",
        "ground_m",
        "detail",
        "sea_depth",
        "sea_level_m",
    ):  # as an older version stored it
        del choice[name]
    QSettings().setValue("exports", json.dumps(stored))
    assert ExportMemory().of(tmp_path / "a") == CHOICE
    choice["files"] = {"glb_texture": "gif"}
    QSettings().setValue("exports", json.dumps(stored))
    assert ExportMemory().of(tmp_path / "a") is None


@pytest.mark.parametrize(
    "tiles",
    [TileOptions(count=(3, 2)), TileOptions(side_px=257, names="{x}{y}{lod}", flip_y=True, lods=3, skirt_m=2.5)],
)
def test_tiles_are_remembered(tmp_path: Path, tiles: TileOptions) -> None:
    choice = dataclasses.replace(CHOICE, tiles=tiles, is_cropped=True, max_error_m=4.5)
    ExportMemory().put(tmp_path / "a", choice)
    assert ExportMemory().of(tmp_path / "a") == choice
    stored = json.loads(str(QSettings().value("exports")))
    for wrong in ({"count": [1]}, {"count": ["a", 2]}, {"colour": 1}, {"count": [2, 2], "lods": "3"}):
        next(iter(stored.values()))["tiles"] = wrong
        QSettings().setValue("exports", json.dumps(stored))
        assert ExportMemory().of(tmp_path / "a") is None


def test_the_oldest_are_forgotten(tmp_path: Path) -> None:
    for number in [*range(50), 0, 50]:
        ExportMemory().put(tmp_path / f"{number}", CHOICE)
    known = [number for number in range(51) if ExportMemory().of(tmp_path / f"{number}") is not None]
    assert known == [0, *range(2, 51)]


@pytest.mark.parametrize(
    "stored",
    ["", "nonsense", "[]", "{}", '{"KEY": 3}', '{"KEY": {"folder": 1}}', '{"KEY": {"folder": "/", "name": "a"}}'],
)
def test_settings_that_were_damaged_are_as_none(tmp_path: Path, stored: str) -> None:
    path = (tmp_path / "a.terrainpaint").resolve()
    QSettings().setValue("exports", stored.replace("KEY", str(path)))
    assert ExportMemory().of(path) is None
    ExportMemory().put(path, CHOICE)
    assert ExportMemory().of(path) == CHOICE


@pytest.mark.parametrize(("level_m", "has_water"), [(None, False), (0.0, False), (120.0, True)])
def test_water_of_the_3d_view_is_suggested_where_the_mesh_has_none(level_m: float | None, has_water: bool) -> None:
    choice = ExportChoice.usual(Path("/out"), "land", (64, 64), ViewSettings(water_level_m=level_m))
    assert choice.has_water == has_water
    assert choice.request((64, 64), ViewSettings(water_level_m=level_m)).options.water_surface_m == (
        level_m if has_water else None
    )


def test_what_the_3d_view_shows_of_the_sea_is_suggested() -> None:
    choice = ExportChoice.usual(Path("/out"), "land", (64, 64), ViewSettings(has_sea_floor=True))
    assert choice.sea == Sea(True) and choice.has_water
    assert not ExportChoice.usual(Path("/out"), "land", (64, 64), ViewSettings(water_level_m=None)).has_water


def test_the_request_follows_the_map_and_the_3d_view() -> None:
    request = FOLLOWING.request((300, 400), ViewSettings(exaggeration=20.0, water_level_m=55.0))
    assert request.options == ExportOptions(400, 20.0, 55.0)
    assert [path.name for path in request.paths()] == ["sea_albedo.png"]
    assert CHOICE.request((300, 400), ViewSettings(exaggeration=20.0, water_level_m=55.0)).options == ExportOptions(
        256, 2.5
    )
    with pytest.raises(OptionError):
        ExportChoice(Path("/"), "a/b", ("obj",), None, None, level_water=True).request((32, 32), ViewSettings()).paths()
