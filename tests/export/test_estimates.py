"""Estimated file sizes against written files, and estimates of memory and time."""

from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest

from terrainpaint.core.hydrology import NO_FLOW, FlowingWater
from terrainpaint.core.hydrology.waters import BYTES_PER_CELL, memory_with_files
from terrainpaint.core.terrain import Terrain
from terrainpaint.export import FORMATS, MESH, ExportOptions, TileOptions, export
from terrainpaint.export.estimates import Needs, export_needs, water_needs
from terrainpaint.export.formats import estimated_bytes
from terrainpaint.export.machine_speed import slowness
from tests.export.terrains import PROVENANCE, lopsided, source


def written(folder: Path, terrain: Terrain, name: str, options: ExportOptions) -> int:
    """Bytes of the files of a format."""
    return sum(path.stat().st_size for path in export(source(terrain), folder, "map", [name], options))


def relief(rows: int, cols: int, roughness: float) -> Terrain:
    """Land with colours and heights like the sample maps: large forms, and fine noise of `roughness`."""
    random = np.random.default_rng(5)
    coarse = lopsided(rows, cols, 2000.0)
    height = coarse.height + random.normal(0, 12 * roughness, (rows, cols)).astype(np.float32)
    albedo = coarse.albedo.astype(np.float32) + random.normal(0, 2.2 * roughness, (rows, cols, 3))
    return Terrain(np.clip(albedo, 0, 255).astype(np.uint8), height, 2000.0, PROVENANCE)


@pytest.mark.parametrize("shape", [(64, 64), (200, 300), (256, 256)])
@pytest.mark.parametrize("mesh_size", [None, 50, 400])
@pytest.mark.parametrize("pixel_size_m", [1.0, 2000.0])
def test_the_text_of_a_mesh(tmp_path: Path, shape: tuple[int, int], mesh_size: int | None, pixel_size_m: float) -> None:
    options = ExportOptions(mesh_size)
    terrain = lopsided(*shape, pixel_size_m)
    mesh = written(tmp_path, terrain, "obj", options) - (tmp_path / "map.png").stat().st_size
    expected = FORMATS["obj"].estimate_bytes(*shape, options) - FORMATS["albedo"].estimate_bytes(*shape, options)
    assert expected == pytest.approx(mesh, rel=0.08)


@pytest.mark.parametrize("name", ["glb", "ply", "stl"])
@pytest.mark.parametrize("mesh_size", [None, 50, 400])
def test_binary_meshes(tmp_path: Path, name: str, mesh_size: int | None) -> None:
    options, terrain = ExportOptions(mesh_size), relief(200, 300, 1.0)
    size = written(tmp_path, terrain, name, options)
    assert FORMATS[name].estimate_bytes(200, 300, options) == pytest.approx(size, rel=0.05)


@pytest.mark.parametrize("name", ["albedo", "terrain", "height16", "geotiff", "exr-half"])
def test_pictures_are_above_and_below_the_estimate(tmp_path: Path, name: str) -> None:
    options = ExportOptions()
    sizes = [written(tmp_path, relief(256, 256, roughness), name, options) for roughness in (0.0, 3.0)]
    assert sizes[0] < FORMATS[name].estimate_bytes(256, 256, options) < sizes[1]


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_grows_with_the_map(name: str) -> None:
    options = ExportOptions()
    small, large = (FORMATS[name].estimate_bytes(side, side, options) for side in (128, 512))
    assert 0 < 3 * small < large


@pytest.fixture
def usual_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine as fast as that of the rates."""
    monkeypatch.setattr("terrainpaint.export.estimates.slowness", lambda: 1.0)


@pytest.mark.parametrize("name", FORMATS)
def test_time_and_memory_of_every_format_grow_with_the_map(name: str, usual_speed: None) -> None:
    options = ExportOptions()
    small, large = (export_needs([name], (side, side), options) for side in (512, 4096))
    assert 0 < small.seconds < large.seconds and 0 < small.memory <= large.memory
    if FORMATS[name].group != MESH:
        assert large.seconds == pytest.approx(64 * small.seconds)
    assert large.disk == estimated_bytes(FORMATS[name], (4096, 4096), options)


def test_several_formats_take_their_sum_of_time_and_the_most_of_memory(usual_speed: None) -> None:
    options, shape = ExportOptions(), (1000, 1500)
    one, other = (export_needs([name], shape, options) for name in ("3mf", "albedo"))
    both = export_needs(["3mf", "albedo"], shape, options)
    assert both.seconds == pytest.approx(one.seconds + other.seconds)
    assert both.memory == max(one.memory, other.memory) and both.disk == one.disk + other.disk


def test_rivers_are_found_once_for_all_of_their_formats(usual_speed: None) -> None:
    options, shape = ExportOptions(), (1000, 1000)
    one = export_needs(["rivers"], shape, options)
    four = export_needs(["rivers", "lakes", "water", "flow"], shape, options)
    assert one.memory > BYTES_PER_CELL * 10**6
    assert four.seconds < 1.5 * one.seconds and four.memory == one.memory


def test_tiles_take_their_own_size_and_a_crop_less(usual_speed: None) -> None:
    shape = (2048, 2048)
    whole = export_needs(["albedo"], shape, ExportOptions())
    tiled = export_needs(["albedo"], shape, ExportOptions(tiles=TileOptions(count=(4, 4))))
    coarser = export_needs(["albedo"], shape, ExportOptions(tiles=TileOptions(count=(4, 4), lods=2)))
    assert tiled.seconds == pytest.approx(whole.seconds, rel=0.02) and tiled.memory < whole.memory
    assert coarser.seconds == pytest.approx(1.25 * whole.seconds, rel=0.02)
    cropped = export_needs(["albedo"], shape, ExportOptions(crop=(100, 0, 1024, 1024)))
    assert cropped.seconds == pytest.approx(whole.seconds / 4)


def test_a_largest_error_and_water_take_longer(usual_speed: None) -> None:
    shape = (1024, 1024)
    grid, tin = (export_needs(["obj"], shape, ExportOptions(max_error_m=error)) for error in (None, 5.0))
    assert tin.seconds > 2 * grid.seconds and tin.memory > grid.memory and tin.disk == grid.disk
    assert water_needs(shape, False, NO_FLOW) == Needs()
    level, carved = water_needs(shape, True, NO_FLOW), water_needs(shape, True, FlowingWater(carve_rivers=True))
    both = water_needs(shape, False, FlowingWater(carve_rivers=True, breach=True))
    assert 0 < level.seconds < carved.seconds < both.seconds and carved.memory == both.memory


def test_the_speed_of_the_machine_is_measured_once() -> None:
    assert slowness() > 0 and slowness() == slowness()


def test_a_slow_machine_takes_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    needs = []
    for slow in (1.0, 3.0):
        monkeypatch.setattr("terrainpaint.export.estimates.slowness", lambda factor=slow: factor)
        needs.append(export_needs(["glb"], (500, 500), ExportOptions()))
    assert needs[1].seconds == pytest.approx(3 * needs[0].seconds) and needs[1].memory == needs[0].memory


def test_flowing_water_on_a_large_map_is_told_with_its_temporary_files() -> None:
    shape, flowing = (16384, 16384), FlowingWater(carve_rivers=True, breach=True)
    with patch("terrainpaint.export.estimates.free_memory", return_value=100 << 30):
        in_memory = water_needs(shape, False, flowing)
    with patch("terrainpaint.export.estimates.free_memory", return_value=8 << 30):
        with_files = water_needs(shape, False, flowing)
    assert in_memory.memory > 16384**2 * BYTES_PER_CELL
    assert with_files.memory == memory_with_files(16384**2) < 0.6 * in_memory.memory
