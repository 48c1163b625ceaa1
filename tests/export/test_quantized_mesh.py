"""Quantized-mesh tiles, read with the library quantized-mesh-tile."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rasterio.warp import transform

from terrainpaint.core.terrain import Terrain
from terrainpaint.errors import OptionError
from terrainpaint.export import ExportOptions, export
from terrainpaint.export.file_options import FileOptions
from terrainpaint.export.georeference import crs_at
from terrainpaint.export.quantized_mesh import SIDE, tile_degrees
from tests.export.terrains import PROVENANCE, of_height, source

terrain_module = pytest.importorskip("quantized_mesh_tile.terrain")
SHAPE, STEP_M, CENTRE = (130, 200), 60.0, (46.5, 8.2)


def ramp() -> Terrain:
    row, col = np.mgrid[0 : SHAPE[0], 0 : SHAPE[1]] + 0.5
    return of_height((500 + col * 8 - row * 3).astype(np.float32), STEP_M)


def written(folder: Path, terrain: Terrain | None = None, **files: object) -> dict[str, bytes]:
    options = ExportOptions(exaggeration=4, files=FileOptions(**files))
    (path,) = export(source(terrain or ramp()), folder, "map", ["quantized-mesh"], options)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def decoded(data: bytes, level: int, x: int, y: int) -> Any:
    west, south, east, north = tile_degrees(level, x, y)
    tile = terrain_module.TerrainTile(west=west, south=south, east=east, north=north)
    tile.fromBytesIO(io.BytesIO(data))
    return tile


def names_of(layer: dict) -> set[str]:
    return {
        f"{level}/{x}/{y}.terrain"
        for level, parts in enumerate(layer["available"])
        for part in parts
        for x in range(part["startX"], part["endX"] + 1)
        for y in range(part["startY"], part["endY"] + 1)
    }


def test_the_layer_lists_the_tiles(tmp_path: Path) -> None:
    members = written(tmp_path, place=CENTRE)
    layer = json.loads(members.pop("layer.json"))
    assert set(members) == names_of(layer) and {"0/0/0.terrain", "0/1/0.terrain"} <= set(members)
    assert (layer["format"], layer["scheme"], layer["projection"]) == ("quantized-mesh-1.0", "tms", "EPSG:4326")
    assert layer["maxzoom"] == len(layer["available"]) - 1
    vertex_m = 180 / 2 ** layer["maxzoom"] / 64 * 111_195
    assert STEP_M / 2 < vertex_m < STEP_M * 1.08
    assert "made up" not in layer["description"]


def test_heights_are_at_their_places(tmp_path: Path) -> None:
    members = written(tmp_path, place=CENTRE)
    layer = json.loads(members["layer.json"])
    finest = layer["maxzoom"]
    inside_count = 0
    for name in [name for name in members if name.startswith((f"{finest}/", f"{finest - 2}/"))]:
        level, x, y = (int(part) for part in name.removesuffix(".terrain").split("/"))
        tile = decoded(members[name], level, x, y)
        longitude, latitude, height = np.array(tile.getVerticesCoordinates()).T
        east_m, north_m = transform("EPSG:4326", crs_at(*CENTRE), longitude, latitude)
        row, col = SHAPE[0] / 2 - np.array(north_m) / STEP_M, SHAPE[1] / 2 + np.array(east_m) / STEP_M
        inside = (row > 0.6) & (row < SHAPE[0] - 0.6) & (col > 0.6) & (col < SHAPE[1] - 0.6)
        outside = (row < -0.1) | (row > SHAPE[0] + 0.1) | (col < -0.1) | (col > SHAPE[1] + 0.1)
        # The library rounds degrees to the quantized steps: 1/512 of a pixel.
        np.testing.assert_allclose(height[inside], (500 + 8 * col - 3 * row)[inside], atol=0.2)
        assert np.abs(height[outside]).max(initial=0) < 0.05
        inside_count += int(inside.sum())
        assert len(height) == SIDE**2
        for edge, axis, bound in (
            (tile.westI, tile.u, 0), (tile.eastI, tile.u, 32767), (tile.southI, tile.v, 0), (tile.northI, tile.v, 32767)
        ):  # fmt: skip
            assert len(edge) == SIDE and {axis[index] for index in edge} == {bound}
        corners = np.array(tile.indices).reshape(-1, 3)
        assert len(corners) == 2 * 64**2 and set(corners.ravel()) == set(range(SIDE**2))
        a, b, c = (np.stack((longitude[corners[:, k]], latitude[corners[:, k]]), axis=-1) for k in range(3))
        turn = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
        assert (turn > 0).all()  # counter-clockwise seen from above
    assert inside_count > SHAPE[0] * SHAPE[1] * 0.5


def test_the_header(tmp_path: Path) -> None:
    members = written(tmp_path, place=CENTRE)
    finest = json.loads(members["layer.json"])["maxzoom"]
    name = next(name for name in members if name.startswith(f"{finest}/"))
    tile = decoded(members[name], *(int(part) for part in name.removesuffix(".terrain").split("/")))
    centre = np.array([tile.header[f"center{axis}"] for axis in "XYZ"])
    latitude = np.degrees(np.arcsin(centre[2] / np.linalg.norm(centre)))
    assert latitude == pytest.approx(CENTRE[0], abs=0.3)  # geocentric
    assert np.degrees(np.arctan2(centre[1], centre[0])) == pytest.approx(CENTRE[1], abs=0.2)
    assert np.linalg.norm(centre) == pytest.approx(6_367_000, rel=2e-3)
    horizon = np.array([tile.header[f"horizonOcclusionPoint{axis}"] for axis in "XYZ"])
    assert 1 < np.linalg.norm(horizon) < 1.01
    assert 0 < tile.header["boundingSphereRadius"] < 10_000


def test_without_a_place_it_says_so(tmp_path: Path) -> None:
    layer = json.loads(written(tmp_path)["layer.json"])
    assert "made up" in layer["description"]
    west, south, east, north = layer["terrain_bounds"]
    assert (west, south) == pytest.approx((-east, -north), abs=1e-9)


def test_level_ground_and_equal_bytes(tmp_path: Path) -> None:
    level = of_height(np.full((40, 50), 12.5, np.float32), STEP_M)
    first, second = written(tmp_path / "a", level), written(tmp_path / "b", level)
    assert first == second
    assert (tmp_path / "a/map_quantized_mesh.zip").read_bytes() == (tmp_path / "b/map_quantized_mesh.zip").read_bytes()


def test_a_map_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="does not fit"):
        written(tmp_path, Terrain(ramp().albedo, ramp().height, 200_000.0, PROVENANCE))
