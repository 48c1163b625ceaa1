"""Another sea in files, as the command line, Python, the server and presets ask for it, read by other programs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import rasterio
import trimesh
from numpy.typing import NDArray
from PIL import Image

import terrainpaint as tp
from terrainpaint.api.requests import TerrainRequest
from terrainpaint.cli import main
from terrainpaint.core.classes import CLASS_NAMES, WATER
from terrainpaint.core.map_files import write_map
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.errors import OptionError
from terrainpaint.export.presets import find_preset, shipped_presets
from terrainpaint.serve.parameters import served_request
from tests.models.small_weights import write_weights


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "small.safetensors"
    write_weights(path)
    return path


def classes() -> NDArray[np.uint8]:
    """Forest in the north-west, sea in the south-east."""
    rows, cols = np.mgrid[0:64, 0:80]
    return np.where(rows + cols < 60, CLASS_NAMES.index("forest"), WATER).astype(np.uint8)


LOW = "--relief", "0.01", "--pixel-size-m", "200"
"""The small network knows no sea level: so it is near 0 m."""
LEVEL_M = 300.0


def shore(weights: Path) -> tp.GeneratedTerrain:
    """Land that rises by 20 m a pixel from a sea at 0 m."""
    generated = tp.generate(tp.from_classes(classes()), weights=weights, device="cpu")
    rows, cols = np.mgrid[0:64, 0:80]
    height = np.maximum(20.0 * (60 - rows - cols), 0).astype(np.float32)
    return replace(generated, terrain=replace(generated.terrain, height=height))


def test_a_higher_sea_is_the_same_in_all_files(weights: Path, tmp_path: Path) -> None:
    before = shore(weights)
    level = before.with_level_water()
    dry = level.heights >= LEVEL_M
    terrain = replace(before, request=TerrainRequest(sea_level_m=LEVEL_M))
    assert 300 < np.count_nonzero(dry) < 1500
    land, level_m = dry, LEVEL_M
    formats = ["geotiff", "classes-geotiff", "height16", "glb", "water", "weights", "contours"]
    terrain.export(tmp_path, formats=formats, name="a", mesh_size=80)

    with rasterio.open(tmp_path / "a_geo.tif") as file:
        height = file.read(1)
        assert float(file.tags()["sea_raised_by_m"]) == level_m
    assert np.allclose(height[land], level.heights[land] - np.float32(level_m), atol=1e-3)
    assert bool((height[~land] == 0).all()) and height.max() > 0
    with rasterio.open(tmp_path / "a_classes_geo.tif") as file:
        assert np.array_equal(file.read(1) == WATER, ~land)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "a_water.png")) > 0, ~land)
    assert np.array_equal(cv2.imread(str(tmp_path / "a_weight_water.png"), cv2.IMREAD_UNCHANGED) == 255, ~land)
    facts = json.loads((tmp_path / "a_height16.json").read_text())
    assert facts["sea_level_m"] == 0 and facts["sea_raised_by_m"] == level_m and facts["height_min_m"] == 0
    mesh = trimesh.load(tmp_path / "a.glb", force="mesh")
    assert abs(float(mesh.vertices[:, 1].min())) < 1e-3
    assert float(mesh.vertices[:, 1].max()) == pytest.approx(float(height.max()), abs=0.01)
    heights = {
        f["properties"]["height_m"] for f in json.loads((tmp_path / "a_contours.geojson").read_text())["features"]
    }
    assert min(heights) >= 0 and max(heights) <= height.max()


def test_a_lower_sea_with_its_floor_on_the_command_line(
    weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_map(tmp_path / "m.png", SegmentationMap(classes()))
    command = ["generate", str(tmp_path / "m.png"), "--weights", str(weights), "--quiet", "--device", "cpu", *LOW]
    formats = ["--formats", "geotiff,classes,r32"]
    assert main([*command, "-o", str(tmp_path / "a"), "--sea-depth", *formats]) == 0
    assert main([*command, "-o", str(tmp_path / "b"), "--sea-depth", "--sea-level", "-100", *formats]) == 0
    with rasterio.open(tmp_path / "a/m_geo.tif") as first, rasterio.open(tmp_path / "b/m_geo.tif") as second:
        deep, sunk = first.read(1), second.read(1)
    assert np.allclose(sunk, deep + 100, atol=1e-3)
    ids = np.asarray(Image.open(tmp_path / "b/m_classes.png"))
    assert np.array_equal(ids == WATER, sunk < 0) and np.count_nonzero(ids != classes()) > 0
    raw = np.fromfile(tmp_path / "b/m_height.r32", "<f4").reshape(64, 80)
    assert np.array_equal(raw, sunk)
    capsys.readouterr()
    assert main([*command, "-o", str(tmp_path / "c.obj"), "--sea-level", "1e6"]) == 1
    assert "sea level" in capsys.readouterr().err


def test_presets_of_engines_give_the_sea_a_floor_unless_it_is_left_out(weights: Path, tmp_path: Path) -> None:
    engines = {"unreal", "unity", "godot-terrain3d", "godot-hterrain"}
    assert {name for name in shipped_presets() if find_preset(name).sea.has_floor} == engines
    painted = tp.from_classes(classes(), name="a")
    for name, choice, is_deep in (("b", None, True), ("c", False, False), ("d", True, True)):
        terrain = tp.generate(painted, weights=weights, device="cpu", sea_depth=choice, relief=0.01, pixel_size_m=200)
        terrain.export(tmp_path, preset="unreal", name=name)
        facts = json.loads((tmp_path / f"{name}_height16.json").read_text())
        assert (facts["height_min_m"] < -100) == is_deep == ("sea_depth" in facts)


def test_a_preset_can_have_a_sea_level(weights: Path, tmp_path: Path) -> None:
    preset = tmp_path / "my.toml"
    preset.write_text('formats = ["height16"]\n[options]\nsea_level_m = -120\nsea_depth = true\n')
    painted = tp.from_classes(classes(), name="a")
    for level_m, told in ((None, -120), (0, None), (-50, -50)):
        terrain = tp.generate(painted, weights=weights, device="cpu", sea_level_m=level_m)
        terrain.export(tmp_path, preset=str(preset))
        assert json.loads((tmp_path / "a_height16.json").read_text()).get("sea_raised_by_m") == told
    for text in ("sea_level_m = 20000", 'sea_depth = "yes"', "sea_level_m = true"):
        preset.write_text(f'formats = ["obj"]\n[options]\n{text}\n')
        with pytest.raises(OptionError, match=r"my\.toml"):
            find_preset(str(preset))


def test_the_server_takes_both() -> None:
    request = served_request([("sea_depth", "false"), ("sea_level_m", "-120")]).terrain
    assert request.sea_depth is False and request.sea_level_m == -120
    assert served_request([]).terrain.sea_depth is None
    with pytest.raises(OptionError, match="sea_level_m"):
        served_request([("sea_level_m", "13000")])
