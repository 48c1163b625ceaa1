"""Terrain that is exported at a finer scale, from Python and from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import rasterio

import terrainpaint as tp
from terrainpaint.api import chosen_weights
from terrainpaint.api.requests import crop_of
from terrainpaint.cli import main
from terrainpaint.core.map_files import write_map
from terrainpaint.core.project import Project, Settings, ViewSettings
from terrainpaint.core.project_file import save_project
from terrainpaint.core.rects import GroundRect
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.core.terrain import Recipe
from terrainpaint.errors import Cancelled, OptionError, WeightsError
from terrainpaint.export import detail as detail_module
from tests.generation.random_weights import write_fine_land
from tests.models.small_weights import write_weights

SIDE = 40


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "small.safetensors"
    write_weights(path)
    return path


@pytest.fixture(scope="module")
def fine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "fine.safetensors"
    write_fine_land(path)
    return path


def classes() -> np.ndarray:
    rows, cols = np.mgrid[0:SIDE, 0:SIDE]
    return ((rows // 9 + cols // 7) % 7).astype(np.uint8)


@pytest.fixture(scope="module")
def land(weights: Path, fine: Path) -> tp.GeneratedTerrain:
    return tp.generate(
        tp.from_classes(classes(), name="land", pixel_size_m=2000), seed=3, weights=weights, detail_weights=fine
    )


def corners(obj: Path) -> tuple[np.ndarray, np.ndarray]:
    points = [line.split()[1:] for line in obj.read_text().splitlines() if line.startswith("v ")]
    places = np.array(points, float)[:, [0, 2]]
    return places.min(axis=0), places.max(axis=0)


def test_finer_land_has_finer_pixels_and_the_same_heights(land: tp.GeneratedTerrain) -> None:
    finer = land.detail(4)
    assert finer.heights.shape == finer.classes.shape == (4 * SIDE, 4 * SIDE)
    assert finer.pixel_size_m == land.pixel_size_m / 4
    assert finer.shaded.shape == finer.albedo.shape == (4 * SIDE, 4 * SIDE, 3)
    means = cv2.resize(finer.heights, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    inland = cv2.erode((land.classes != 0).astype(np.uint8), np.ones((7, 7))) > 0
    assert inland.any()
    assert np.abs(means - land.heights)[inland].max() < 0.05
    assert np.unique(finer.classes).tolist() == np.unique(land.classes).tolist()


def test_a_part_equals_that_part_of_the_whole(land: tp.GeneratedTerrain) -> None:
    whole = land.detail(4)
    for crop, window in (
        ((10, 4, 12, 8), np.s_[16:48, 40:88]),
        ("21,9,10.5,16km", np.s_[18:50, 42:63]),
    ):
        part = land.detail(4, crop=crop)  # type: ignore[arg-type]
        assert np.array_equal(part.classes, whole.classes[window])
        assert np.abs(part.heights - whole.heights[window]).max() < 0.01


def test_files_have_the_fine_scale_and_lie_where_the_map_lies(land: tp.GeneratedTerrain, tmp_path: Path) -> None:
    land.save(tmp_path / "part_height16.png", detail=16, crop="16,20,4,6km")
    pixels = cv2.imread(str(tmp_path / "part_height16.png"), cv2.IMREAD_UNCHANGED)
    assert pixels.shape == (48, 32) and pixels.dtype == np.uint16
    facts = json.loads((tmp_path / "part_height16.json").read_text())
    assert (facts["pixel_size_x_m"], facts["corner_east_m"], facts["corner_south_m"]) == (125, 16000, 20000)
    assert (facts["detail"], facts["map_width_m"]) == (16, 2000 * SIDE)
    land.save(tmp_path / "part_geo.tif", format="geotiff", detail=4, crop=(8, 10, 2, 3))
    with rasterio.open(tmp_path / "part_geo.tif") as raster:
        assert raster.shape == (12, 8) and raster.res == (500, 500)
        assert (raster.bounds.left, raster.bounds.top) == (16000 - 1000 * SIDE, 1000 * SIDE - 20000)
    land.save(tmp_path / "coarse.obj", crop=(8, 10, 4, 4))
    land.save(tmp_path / "fine.obj", crop=(8, 10, 4, 4), detail=4)
    for corner, fine_corner, shift in zip(corners(tmp_path / "coarse.obj"), corners(tmp_path / "fine.obj"), (-750, 750),
                                          strict=True):  # fmt: skip
        assert np.allclose(fine_corner, corner + shift, atol=0.01)  # vertices are the centres of pixels
    assert cv2.imread(str(tmp_path / "fine.png")).shape == (16, 16, 3)


def test_every_format_of_a_tiled_export_is_fine(land: tp.GeneratedTerrain, tmp_path: Path) -> None:
    land.export(tmp_path, formats=["albedo", "classes"], tiles=2, detail=4)
    index = json.loads((tmp_path / "land_tiles.json").read_text())
    assert index["pixel_size_x_m"] == pytest.approx(500, rel=0.02)
    assert index["tile_width_px"] == pytest.approx(2 * SIDE, abs=1)


def test_the_command_line_writes_a_valley(weights: Path, fine: Path, tmp_path: Path) -> None:
    path = tmp_path / "map.png"
    write_map(path, SegmentationMap(classes()), None)
    arguments = [
        "generate",
        str(path),
        "--weights",
        str(weights),
        "--detail-weights",
        str(fine),
        "--pixel-size-m",
        "2000",
        "--quiet",
    ]
    out = tmp_path / "valley.obj"
    assert main([*arguments, "--detail", "16", "--crop", "20,16,5,4km", "-o", str(out)]) == 0
    assert cv2.imread(str(tmp_path / "valley.png")).shape == (32, 40, 3)
    first, last = corners(out)
    assert np.allclose(last - first, (5000 - 125, 4000 - 125), atol=0.01)


def test_true_scale_makes_the_relief_of_the_ground(weights: Path, fine: Path, tmp_path: Path) -> None:
    def made(pixel_size_m: float, true_scale: bool) -> tp.GeneratedTerrain:
        painted = tp.from_classes(np.kron(classes(), np.ones((4, 4), np.uint8)), pixel_size_m=pixel_size_m)
        return tp.generate(painted, seed=3, weights=weights, detail_weights=fine, true_scale=true_scale)

    true, scaled = made(375, True), made(375, False)  # a quarter of the size of these weights
    coarse = tp.generate(tp.from_classes(classes()), seed=3, weights=weights)
    assert true.pixel_size_m == scaled.pixel_size_m == 375
    inland = cv2.erode((coarse.classes != 0).astype(np.uint8), np.ones((7, 7))) > 0
    means = cv2.resize(true.heights, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    assert np.abs(means - coarse.heights)[inland].max() < 0.05
    assert np.abs(scaled.heights).max() < 0.5 * np.abs(true.heights).max()
    assert true.shaded.shape == true.albedo.shape
    assert np.allclose(made(360, True).heights, true.heights * 0.96, atol=0.01)
    assert np.array_equal(made(1500, True).heights, made(1500, False).heights)
    path = tmp_path / "map.png"
    write_map(path, SegmentationMap(np.kron(classes(), np.ones((4, 4), np.uint8))), None)
    command = [
        "generate",
        str(path),
        "--weights",
        str(weights),
        "--detail-weights",
        str(fine),
        "--seed",
        "3",
        "--quiet",
    ]
    out = tmp_path / "out"
    assert main([*command, "--pixel-size-m", "375", "--true-scale", "--formats", "height16", "-o", str(out) + "/"]) == 0
    facts = json.loads(next(out.glob("*height16.json")).read_text())
    assert facts["painted_finer"] == 4 and len(facts["detail_sha256"]) == 64
    assert facts["height_max_m"] == pytest.approx(float(true.heights.max()), abs=0.1)
    # A project at true scale needs no option, and can be made without it.
    big = np.kron(classes(), np.ones((4, 4), np.uint8))
    settings, file = Settings(375.0, "", recipe=Recipe(3), true_scale=True), tmp_path / "a.terrainpaint"
    save_project(file, Project.painted(big, settings), ViewSettings(), None)
    opened = tp.open_project(file)
    made_so = tp.generate(opened, weights=weights, detail_weights=fine)
    assert np.array_equal(made_so.heights, true.heights)
    scaled_down = tp.generate(opened, weights=weights, detail_weights=fine, true_scale=False)
    assert np.array_equal(scaled_down.heights, scaled.heights)
    said: list[str] = []
    other = tp.generate(opened, weights=weights, detail_weights=fine, pixel_size_m=200, say=said.append)
    assert other.pixel_size_m == 200 and "land is scaled instead" in said[0]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--true-scale", "--pixel-size-m", "200"], "only for 1500, 375 or 93.75 m"),
        (["--detail", "8"], "choose 1, 4 or 16"),
        (["--detail", "4", "--crop", "70,70,20,20km"], "at most 10 x 10 km fit"),
        (["--crop", "0,0,0,3km"], "choose one within the map"),
        (["--crop", "0,0,2.5,3"], "whole numbers"),
    ],
)
def test_what_is_impossible_is_refused_before_anything_is_generated(
    weights: Path, fine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], words: str
) -> None:
    path = tmp_path / "map.png"
    write_map(path, SegmentationMap(classes()), None)
    common = [
        "generate",
        str(path),
        "--weights",
        str(weights),
        "--detail-weights",
        str(fine),
        "--pixel-size-m",
        "2000",
        "--quiet",
    ]
    try:
        code = main([*common, *options, "-o", str(tmp_path / "x.obj")])
    except SystemExit as end:
        code = end.code  # type: ignore[assignment]
    assert code != 0
    assert words in capsys.readouterr().err
    assert not (tmp_path / "x.obj").exists()


def test_without_its_networks_there_is_no_detail(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chosen_weights, "shipped_fine_land", dict)
    land = tp.generate(tp.from_classes(classes()), weights=weights)
    with pytest.raises(OptionError, match="not installed"):
        land.detail(4)
    other = tp.generate(tp.from_classes(classes()), weights=weights, detail_weights=weights)
    with pytest.raises(WeightsError):
        other.detail(4)
    with pytest.raises(OptionError, match="not possible"):
        land.save(tmp_path / "x.obj", detail=3)


def test_too_much_for_the_memory_says_what_fits(land: tp.GeneratedTerrain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detail_module, "free_memory", lambda: (500 << 20) + 18 * 100 * 100)
    with pytest.raises(OptionError, match=r"at most about 100 x 100 pixels, which are 50 x 50 km"):
        land.detail(4)
    assert land.detail(4, crop=(0, 0, 25, 25)).heights.shape == (100, 100)


def test_cancelling_leaves_no_files(land: tp.GeneratedTerrain, tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        land.save(tmp_path / "x.obj", detail=4, cancel=lambda: True)
    assert not list(tmp_path.iterdir())


def test_rectangles_of_texts() -> None:
    assert crop_of("1,2,30,40") == (1, 2, 30, 40)
    assert crop_of("1.5, 2, 3, 4km") == GroundRect(1500, 2000, 3000, 4000)
    assert crop_of("0,0,250,500m") == GroundRect(0, 0, 250, 500)
    assert GroundRect(250, 500, 1000, 990).pixels(125) == (2, 4, 8, 8)
