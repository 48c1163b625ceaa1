"""Presets write what their program takes, and the same place of the map stays the same place."""

import json
import re
from pathlib import Path

import cv2
import numpy as np
import OpenEXR
import pytest
import rasterio
import trimesh
from PIL import Image

from terrainpaint.core.terrain import Terrain
from terrainpaint.errors import OptionError
from terrainpaint.export import FORMATS, ExportOptions, export
from terrainpaint.export.file_options import FileOptions
from terrainpaint.export.presets import find_preset, nearest_side, read_preset, shipped_presets
from terrainpaint.export.run import readme_path
from tests.export.terrains import lopsided, source


def written(folder: Path, name: str, terrain: Terrain, **files: object) -> str:
    """Write the files of a preset; return its README."""
    preset = find_preset(name)
    options = ExportOptions(
        preset.mesh_size,
        files=FileOptions.of({**preset.files, **files}),
        picture_shape=preset.picture_shape(terrain.shape),
    )
    paths = export(source(terrain), folder, "map", preset.formats, options, readme=preset.readme_text)
    assert paths[-1] == readme_path(folder, "map") and all(path.stat().st_size for path in paths)
    return paths[-1].read_text()


def is_high_in_the_north_east(height: np.ndarray) -> bool:
    row, col = np.unravel_index(height.argmax(), height.shape)
    return bool(row < height.shape[0] / 2 and col > height.shape[1] / 2)


@pytest.mark.parametrize("name", list(shipped_presets()))
def test_every_preset_writes_its_files_and_says_what_to_click(tmp_path: Path, name: str) -> None:
    text = written(tmp_path, name, lopsided(48, 64))
    assert text.startswith("map for ") and "1. " in text and "$" not in text
    names = {path.name for path in tmp_path.iterdir()}
    mentioned = {word.rstrip(".") for word in re.findall(r"map[\w.]*\.\w+", text)}
    mentioned = {word.replace("CLASS", "water") for word in mentioned}
    assert mentioned <= names, mentioned - names


def test_unreal(tmp_path: Path) -> None:
    terrain = lopsided(300, 480)
    text = written(tmp_path, "unreal", terrain)
    steps = cv2.imread(str(tmp_path / "map_height16.png"), cv2.IMREAD_UNCHANGED)
    assert steps.shape == (253, 505) and steps.dtype == np.uint16 and is_high_in_the_north_east(steps)
    with Image.open(tmp_path / "map_weight_water.png") as weight, Image.open(tmp_path / "map_albedo.png") as albedo:
        assert weight.size == albedo.size == (505, 253)
    low, high = steps_range(tmp_path / "map_height16.json")
    for number in (30 * 480 / 505 * 100, 30 * 300 / 253 * 100, (high - low) * 100 / 512, (low + high) / 2 * 100):
        assert f"{number:.4f}".rstrip("0").rstrip(".") in text


@pytest.mark.parametrize(("pixel_m", "spacing", "scale"), [(30.0, "30", "1"), (2000.0, "100", "0.05")])
def test_terrain3d_gets_a_spacing_that_it_takes(tmp_path: Path, pixel_m: float, spacing: str, scale: str) -> None:
    text = " ".join(written(tmp_path, "godot-terrain3d", lopsided(48, 64, pixel_m)).split())
    assert f"node to {spacing}. " in text and f"import scale {scale}, " in text


def test_the_print_tells_its_relief(tmp_path: Path) -> None:
    terrain = lopsided(48, 64, 200.0)
    text = written(tmp_path, "print", terrain)
    relief_mm = np.ptp(trimesh.load(tmp_path / "map.stl").vertices[:, 2]) - 3
    told = float(re.search(r"about ([\d.]+) mm", text)[1])
    assert told == pytest.approx(relief_mm, rel=0.05)


def steps_range(path: Path) -> tuple[float, float]:
    facts = json.loads(path.read_text())
    return facts["height_min_m"], facts["height_max_m"]


def test_unity_begins_in_the_south(tmp_path: Path) -> None:
    terrain = lopsided(60, 70)
    text = written(tmp_path, "unity", terrain)
    rows = np.fromfile(tmp_path / "map_height.r16", "<u2").reshape(65, 65)
    assert is_high_in_the_north_east(rows[::-1]) and not is_high_in_the_north_east(rows)
    with Image.open(tmp_path / "map_splat0.png") as splat:
        assert splat.size == (65, 65)
        water = np.asarray(splat)[..., 0] == 255
    assert water[-8:, :8].all() and not water[:, -8:].any()  # pictures begin in the north
    assert str(70 * 30 / 65 * 64)[:7] in text and "south" in (tmp_path / "map_height.r16.json").read_text()


def test_heights_are_resampled_in_place(tmp_path: Path) -> None:
    terrain = lopsided(96, 128)
    options = ExportOptions(picture_shape=(61, 200))
    export(source(terrain), tmp_path, "map", ["exr", "geotiff", "classes", "albedo"], options)
    height = OpenEXR.File(str(tmp_path / "map_height.exr"), separate_channels=True).channels()["R"].pixels
    assert height.shape == (61, 200)
    with rasterio.open(tmp_path / "map_geo.tif") as file:
        np.testing.assert_array_equal(file.read(1), height)
        assert tuple(file.bounds) == pytest.approx((-64 * 30, -48 * 30, 64 * 30, 48 * 30))
        peak = file.xy(*np.unravel_index(height.argmax(), height.shape))
    true_peak = np.unravel_index(terrain.height.argmax(), terrain.shape)
    assert peak == pytest.approx(((true_peak[1] + 0.5 - 64) * 30, (48 - true_peak[0] - 0.5) * 30), abs=50)
    with Image.open(tmp_path / "map_albedo.png") as albedo:
        red, green = (np.asarray(albedo, float)[..., channel] for channel in (0, 1))
    np.testing.assert_allclose(red[30], (np.arange(200) + 0.5) / 200 * 255, atol=2.5)
    np.testing.assert_allclose(green[:, 100], (np.arange(61) + 0.5) / 61 * 255, atol=2.5)


def test_pixels_that_are_no_squares_have_true_slopes(tmp_path: Path) -> None:
    row, col = np.mgrid[0:64, 0:64]
    plane = Terrain(
        np.zeros((64, 64, 3), np.uint8), (col * 30 + row * 15).astype(np.float32), 30.0, lopsided().provenance
    )
    options = ExportOptions(picture_shape=(32, 128))
    export(source(plane), tmp_path, "map", ["normal", "slope"], options)
    normal = cv2.imread(str(tmp_path / "map_normal.png"))[16, 64, ::-1] / 127.5 - 1
    np.testing.assert_allclose(normal, np.array((-1, 0.5, 1)) / 1.5, atol=0.01)
    facts = json.loads((tmp_path / "map_slope.png.json").read_text())
    middle = cv2.imread(str(tmp_path / "map_slope.png"), -1)[16, 64] / 255 * facts["slope_max_deg"]
    assert middle == pytest.approx(np.degrees(np.arctan(np.hypot(1, 0.5))), abs=0.3)


def test_meshes_keep_their_own_size(tmp_path: Path) -> None:
    written(tmp_path, "print", lopsided(48, 64))
    assert trimesh.load_mesh(tmp_path / "map.stl").is_watertight
    preset = tmp_path / "my.toml"
    preset.write_text('formats = ["glb", "height16"]\nsides = [33]\nis_square = true\n')
    written(tmp_path, str(preset), lopsided(48, 64))
    (mesh,) = trimesh.load_scene(tmp_path / "map.glb").geometry.values()
    assert len(mesh.vertices) == 512 * 384 or len(mesh.vertices) == 48 * 64
    assert mesh.extents[0] == pytest.approx(63 * 30, rel=0.02)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("formats = [", "not a preset"),
        ("", "formats"),
        ('formats = ["fbx"]', '"fbx"'),
        ('formats = "obj"', "formats"),
        ("formats = [[1]]", "\\[1\\]"),
        ("formats = [{a = 1}]", "'a'"),
        (f'formats = ["{"x" * 99}"]', f"{'x' * 60}…"),
        (f"{'x' * 99} = 1", f"{'x' * 60}…"),
        ('formats = ["obj"]\nsize = 5', '"size"'),
        ('formats = ["obj"]\n[options]\nlevel = true', '"options.level"'),
        ('formats = ["obj"]\n[options.files]\nraw_order = "big"', '"raw_order"'),
        ('formats = ["obj"]\n[options]\nmesh_size = 1', "mesh of 1"),
        ('formats = ["obj"]\n[options]\nmesh_size = true', "mesh_size"),
        ('formats = ["obj"]\nsides = [1]', "sides"),
        ('formats = ["obj"]\nreadme = "${height_of_sea}"', "height_of_sea"),
        ('formats = ["obj"]\nreadme = "5 $"', "\\$"),
    ],
)
def test_what_is_wrong_with_a_preset_is_a_sentence(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(OptionError, match=said) as caught:
        read_preset(path)
    assert str(caught.value).startswith(str(path)) and "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["nowhere.toml", "maya"])
def test_a_missing_preset(name: str) -> None:
    with pytest.raises(OptionError, match=name):
        find_preset(name)


@pytest.mark.parametrize("name", list(shipped_presets()))
def test_shipped_presets_have_known_formats_and_options(name: str) -> None:
    preset = find_preset(name)
    assert set(preset.formats) <= set(FORMATS) and preset.readme
    FileOptions.of(preset.files)


def test_the_nearest_size() -> None:
    assert [nearest_side((127, 253, 505), value) for value in (1, 190, 191, 4000)] == [127, 253, 253, 505]
