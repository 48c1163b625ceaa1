import dataclasses
import json
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtSvg import QSvgRenderer
from rasterio.crs import CRS
from rasterio.features import rasterize
from rasterio.warp import transform

from terrainpaint.core.terrain import Terrain
from terrainpaint.errors import OptionError
from terrainpaint.export import ExportOptions, contour_formats, export
from terrainpaint.export.contour_formats import contour_levels
from terrainpaint.export.file_options import FileOptions
from tests.export.terrains import lopsided, of_height, source


def written(folder: Path, name: str, terrain: Terrain, **files: object) -> Path:
    (path,) = export(source(terrain), folder, "map", [name], ExportOptions(files=FileOptions(**files)))
    return path


def slope_of(rows: int, cols: int) -> Terrain:
    """Rises by 10 m a pixel to the east, 5 m at the first centre."""
    return of_height(np.tile((np.arange(cols) * 10 + 5).astype(np.float32), (rows, 1)))


def test_geojson_in_metres_from_the_centre(tmp_path: Path) -> None:
    document = json.loads(written(tmp_path, "contours", slope_of(40, 64), contour_interval_m=100).read_text())
    assert "metres" in document["coordinate_unit"]
    heights = [feature["properties"]["height_m"] for feature in document["features"]]
    assert heights == [100, 200, 300, 400, 500, 600]
    assert [feature["properties"]["is_index"] for feature in document["features"]] == [False] * 4 + [True, False]
    for feature in document["features"]:
        (line,) = feature["geometry"]["coordinates"]
        x, y = np.array(line).T
        # The height h is h / 10 pixels of 30 m east of the west edge.
        np.testing.assert_allclose(x, feature["properties"]["height_m"] * 3 - 32 * 30)
        assert sorted((y.min(), y.max())) == pytest.approx([-19.5 * 30, 19.5 * 30])


def test_lines_lie_where_the_heights_are(tmp_path: Path) -> None:
    """Drawn by rasterio into the pixels of an asymmetric map."""
    terrain = lopsided(96, 128)
    document = json.loads(written(tmp_path, "contours", terrain, contour_interval_m=250).read_text())
    origin = np.array((-64 * 30.0, 48 * 30.0))
    steep = np.hypot(*np.gradient(terrain.height)) * 1.5 + 1
    drawn = 0
    for feature in document["features"]:
        lines = [(np.array(line) - origin) / (30, -30) for line in feature["geometry"]["coordinates"]]
        shape = {"type": "MultiLineString", "coordinates": [line.tolist() for line in lines]}
        pixels = rasterize([shape], out_shape=terrain.shape, all_touched=True) == 1
        assert (np.abs(terrain.height - feature["properties"]["height_m"])[pixels] <= steep[pixels]).all()
        drawn += np.count_nonzero(pixels)
    assert drawn > 500


def test_geojson_with_a_system_has_longitudes_and_latitudes(tmp_path: Path) -> None:
    path = written(
        tmp_path, "contours", slope_of(40, 64), contour_interval_m=300, crs="EPSG:32632", origin=(500_000, 5_200_000)
    )
    document = json.loads(path.read_text())
    assert "longitude" in document["coordinate_unit"]
    (line,) = document["features"][0]["geometry"]["coordinates"]
    x, y = transform(CRS.from_epsg(4326), CRS.from_epsg(32632), *np.array(line).T)
    np.testing.assert_allclose(x, 500_000 + 30 * 30, atol=0.05)
    assert max(y) == pytest.approx(5_200_000 - 15, abs=0.05)


def test_svg_is_read_by_qt_and_has_the_lines_of_the_map(tmp_path: Path, qapp: object) -> None:
    path = written(tmp_path, "contours-svg", slope_of(40, 64), contour_interval_m=100)
    renderer = QSvgRenderer(str(path))
    assert renderer.isValid() and (renderer.defaultSize().width(), renderer.defaultSize().height()) == (64, 40)
    groups = ET.parse(path).getroot()
    assert [group.get("id") for group in groups] == [f"{height} m" for height in range(100, 700, 100)]
    (line,) = groups[0].findall("{http://www.w3.org/2000/svg}path")
    points = [tuple(map(float, point.split(","))) for point in line.get("d", "").removeprefix("M").split()]
    assert {x for x, _ in points} == {10.0} and {y for _, y in points} == {row + 0.5 for row in range(40)}


def test_closed_lines_are_closed_in_svg(tmp_path: Path) -> None:
    text = written(tmp_path, "contours-svg", lopsided(96, 128), contour_interval_m=1000).read_text()
    assert text.count('Z"/>') >= 2


def test_the_coast_is_a_line_only_where_the_water_is_level(tmp_path: Path) -> None:
    sea = slope_of(40, 64)
    sea = dataclasses.replace(sea, height=sea.height - 200)
    levelled = dataclasses.replace(sea, provenance=dataclasses.replace(sea.provenance, has_level_water=True))
    for terrain, expected in ((sea, False), (levelled, True)):
        document = json.loads(written(tmp_path, "contours", terrain, contour_interval_m=100).read_text())
        assert (0 in [feature["properties"]["height_m"] for feature in document["features"]]) == expected


def test_a_large_map_is_reduced_and_stays_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contour_formats, "LARGEST_PX", 32)
    document = json.loads(written(tmp_path, "contours", slope_of(40, 64), contour_interval_m=300).read_text())
    (line,) = document["features"][0]["geometry"]["coordinates"]
    np.testing.assert_allclose(np.array(line)[:, 0], 900 - 960, atol=0.1)


def test_level_ground_has_no_lines(tmp_path: Path) -> None:
    flat = of_height(np.full((40, 40), 7.5, np.float32))
    assert json.loads(written(tmp_path, "contours", flat).read_text())["features"] == []
    assert ET.parse(written(tmp_path, "contours-svg", flat)).getroot() is not None


def test_levels() -> None:
    assert 10 <= len(contour_levels(-50.0, 3000.0, None)) <= 40
    assert len(contour_levels(0.0, 8000.0, 0.01)) <= 2001
    assert contour_levels(-10, 30, 10) == [(-10, False), (0, True), (10, False), (20, False), (30, False)]


@pytest.mark.parametrize("interval", [0.0, -5.0, 10_001.0, float("nan")])
def test_an_impossible_interval_is_refused(interval: float) -> None:
    with pytest.raises(OptionError, match="interval"):
        FileOptions(contour_interval_m=interval)
