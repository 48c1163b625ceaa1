"""Tiles for web maps, read with the reader of the makers of PMTiles and decoded by the documented formulas."""

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest
from pmtiles.reader import MmapSource, Reader, all_tiles
from rasterio.warp import transform

from terrainpaint.core.terrain import Terrain
from terrainpaint.errors import OptionError
from terrainpaint.export import FORMATS, ExportOptions, export
from terrainpaint.export.file_options import FileOptions, TerrainEncoding
from terrainpaint.export.georeference import crs_at
from tests.export.terrains import PROVENANCE, of_height, source

SHAPE, STEP_M = (300, 420), 40.0
EVERY = 8
PLACES = {None: (0.0, 0.0), (47.3, 11.4): (47.3, 11.4), (-62.0, -71.5): (-62.0, -71.5)}


def ramp(rows: int = SHAPE[0], cols: int = SHAPE[1], step_m: float = STEP_M) -> Terrain:
    """Heights and colours that grow linearly eastwards and southwards, so that interpolation changes nothing."""
    row, col = np.mgrid[0:rows, 0:cols] + 0.5
    height = (col * 8 - row * 3).astype(np.float32)
    albedo = np.stack((col / cols * 255, row / rows * 255, np.full((rows, cols), 60.0)), axis=-1)
    return Terrain(np.rint(albedo).astype(np.uint8), height, step_m, PROVENANCE)


def written(folder: Path, name: str, terrain: Terrain | None = None, **files: object) -> Path:
    (path,) = export(source(terrain or ramp()), folder, "map", [name], ExportOptions(files=FileOptions(**files)))
    return path


@contextmanager
def opened(path: Path) -> Iterator[Reader]:
    with path.open("rb") as file:
        yield Reader(MmapSource(file))


def tiles_of(path: Path) -> dict[tuple[int, int, int], np.ndarray]:
    with path.open("rb") as file:
        return {
            place: cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
            for place, data in all_tiles(MmapSource(file))
        }


def map_places(zoom: int, x: int, y: int, centre: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Row and column on the map, in pixels, of the centres of every eighth pixel of a tile."""
    side = 2 * math.pi * 6378137 / 2**zoom
    at = (np.arange(0, 512, EVERY) + 0.5) / 512
    east, south = np.meshgrid(x + at, y + at)
    half = math.pi * 6378137
    east_m, north_m = transform(
        "EPSG:3857", crs_at(*centre), (east * side - half).ravel(), (half - south * side).ravel()
    )
    rows, cols = SHAPE
    return (
        (rows / 2 - np.array(north_m) / STEP_M).reshape(east.shape),
        (cols / 2 + np.array(east_m) / STEP_M).reshape(east.shape),
    )


def metres(tile: np.ndarray, encoding: str) -> np.ndarray:
    blue, green, red = np.moveaxis(tile.astype(np.float64), -1, 0)
    if encoding == "mapbox":
        return -10000 + (red * 256 * 256 + green * 256 + blue) * 0.1
    return red * 256 + green + blue / 256 - 32768


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("encoding", "step"), [("mapbox", 0.1), ("terrarium", 1 / 256)])
def test_heights(tmp_path: Path, place: tuple[float, float] | None, encoding: str, step: float) -> None:
    path = written(tmp_path, "pmtiles", place=place, terrain_encoding=TerrainEncoding(encoding))
    tiles = tiles_of(path)
    finest = max(zoom for zoom, _, _ in tiles)
    inside_count = 0
    for (zoom, x, y), whole in tiles.items():
        tile = whole[::EVERY, ::EVERY]
        row, col = map_places(zoom, x, y, PLACES[place])
        shrink = 2 ** (finest - zoom)
        edge = 1.0 + shrink
        inside = (row > edge) & (row < SHAPE[0] - edge) & (col > edge) & (col < SHAPE[1] - edge)
        outside = (row < -edge) | (row > SHAPE[0] + edge) | (col < -edge) | (col > SHAPE[1] + edge)
        height = metres(tile, encoding)
        # GDAL places pixels to an eighth, which is a metre here; half of a coarse pixel where levels were averaged.
        np.testing.assert_allclose(height[inside], (8 * col - 3 * row)[inside], atol=step / 2 + 1.5)
        assert not np.any(np.round(height[outside], 6))
        inside_count += int(inside.sum())
    assert inside_count > SHAPE[0] * SHAPE[1] * 0.8 / EVERY**2
    assert len([place for place in tiles if place[0] == 0]) == 1


@pytest.mark.parametrize("place", PLACES)
def test_where_it_lies_and_what_it_says(tmp_path: Path, place: tuple[float, float] | None) -> None:
    with opened(written(tmp_path, "pmtiles", place=place)) as reader:
        header, facts = reader.header(), reader.metadata()
    latitude, longitude = PLACES[place]
    assert header["center_lat_e7"] / 1e7 == pytest.approx(latitude, abs=1e-3)
    assert header["center_lon_e7"] / 1e7 == pytest.approx(longitude, abs=1e-3)
    high_m = (header["max_lat_e7"] - header["min_lat_e7"]) / 1e7 * 111_000
    assert high_m == pytest.approx(SHAPE[0] * STEP_M, rel=0.02)
    assert header["clustered"] and header["min_zoom"] == 0
    pixel_m = 2 * math.pi * 6378137 * math.cos(math.radians(latitude)) / 512 / 2 ** header["max_zoom"]
    assert STEP_M / 2 <= pixel_m <= STEP_M * 1.08
    assert facts["encoding"] == "mapbox" and facts["tileSize"] == 512
    assert facts["terrain"]["place_is_made_up"] is (place is None)
    assert ("made up" in facts["description"]) is (place is None)
    assert facts["terrain"]["seed"] == 77 and json.dumps(facts)


def test_a_crs_places_it(tmp_path: Path) -> None:
    with opened(written(tmp_path, "pmtiles", crs="EPSG:32632", origin=(500_000.0, 5_200_000.0))) as reader:
        header = reader.header()
    ((longitude,), (latitude,)) = transform("EPSG:32632", "EPSG:4326", [500_000.0], [5_200_000.0])
    assert header["min_lon_e7"] / 1e7 == pytest.approx(longitude, abs=1e-3)
    assert header["max_lat_e7"] / 1e7 == pytest.approx(latitude, abs=1e-3)


@pytest.mark.parametrize("name", ["pmtiles-albedo", "pmtiles-hillshade"])
def test_pictures_are_see_through_beyond_the_map(tmp_path: Path, name: str) -> None:
    tiles = tiles_of(written(tmp_path, name, place=(47.3, 11.4)))
    finest = max(zoom for zoom, _, _ in tiles)
    for (zoom, x, y), whole in tiles.items():
        tile = whole[::EVERY, ::EVERY]
        row, col = map_places(zoom, x, y, (47.3, 11.4))
        edge = 1.0 + 2 ** (finest - zoom)
        inside = (row > edge) & (row < SHAPE[0] - edge) & (col > edge) & (col < SHAPE[1] - edge)
        outside = (row < -edge) | (row > SHAPE[0] + edge) | (col < -edge) | (col > SHAPE[1] + edge)
        assert not np.any(tile[..., 3][outside]) and np.all(tile[..., 3][inside] == 255)
        if name == "pmtiles-albedo" and zoom >= finest - 1:
            for channel, expected in ((2, col / SHAPE[1]), (1, row / SHAPE[0])):
                difference = tile[..., channel][inside] - expected[inside] * 255
                assert np.abs(difference).sum() <= 4 * difference.size
        elif zoom >= finest - 1:  # a plane has one light
            assert len(np.unique(tile[..., 0][inside])) <= 4


@pytest.mark.parametrize("place", [(84.98, 0.0), (0.0, 180.0), (60.0, -179.99)])
def test_a_map_that_does_not_fit_is_refused(tmp_path: Path, place: tuple[float, float]) -> None:
    with pytest.raises(OptionError, match="does not fit"):
        written(tmp_path, "pmtiles", place=place)
    assert not list(tmp_path.iterdir())


def test_a_map_larger_than_the_earth_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="does not fit"):
        written(tmp_path, "pmtiles", ramp(200, 300, 200_000.0))


def test_heights_that_an_encoding_does_not_have(tmp_path: Path) -> None:
    deep = of_height(np.full((40, 40), -11_000, np.float32))
    with pytest.raises(OptionError, match="mapbox"):
        written(tmp_path, "pmtiles", deep)
    tiles = tiles_of(written(tmp_path, "pmtiles", deep, terrain_encoding=TerrainEncoding.TERRARIUM))
    assert min(metres(tile, "terrarium").min() for tile in tiles.values()) == pytest.approx(-11_000, abs=0.01)


@pytest.mark.parametrize("files", [{"place": (86.0, 0.0)}, {"place": (0.0, 200.0)}])
def test_an_impossible_place(files: dict[str, tuple[float, float]]) -> None:
    with pytest.raises(OptionError, match="no place"):
        FileOptions(**files)


def test_two_places_are_refused() -> None:
    with pytest.raises(OptionError, match="two places"):
        FileOptions(crs="EPSG:32632", origin=(0, 0), place=(1, 2))


@pytest.mark.parametrize("name", ["pmtiles", "pmtiles-albedo", "pmtiles-hillshade"])
def test_heights_that_are_not_finite(tmp_path: Path, name: str) -> None:
    terrain = ramp(40, 40)
    terrain.height[3, 4] = np.nan
    with pytest.raises(ValueError, match="finite"):
        written(tmp_path, name, terrain)
    assert name in FORMATS and not list(tmp_path.iterdir())
