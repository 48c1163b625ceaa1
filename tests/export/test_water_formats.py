import json
import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from rasterio.crs import CRS
from rasterio.features import rasterize
from rasterio.transform import from_origin
from rasterio.warp import transform

from terrainpaint.core.classes import WATER
from terrainpaint.core.hydrology import FlowingWater, with_flowing_water
from terrainpaint.core.terrain import Terrain
from terrainpaint.export import ExportOptions, ExportSource, export
from terrainpaint.export.file_options import FileOptions
from tests.export.terrains import of_height

PIXEL_M = 30.0
ROWS, COLS = 100, 160
TO_PIXELS = from_origin(-COLS / 2 * PIXEL_M, ROWS / 2 * PIXEL_M, PIXEL_M, PIXEL_M)


@pytest.fixture(scope="module")
def painted() -> tuple[Terrain, NDArray[np.uint8]]:
    """The sea in the west, a lake with an island in the east, a river between them, a second one from the north."""
    ids = np.ones((ROWS, COLS), np.uint8)
    ids[:, :20] = WATER
    cv2.circle(ids, (130, 60), 18, WATER, -1)
    cv2.circle(ids, (130, 60), 5, 2, -1)
    cv2.line(ids, (18, 40), (115, 60), WATER, 3)
    cv2.line(ids, (60, 49), (66, 30), WATER, 2)
    height = np.tile(np.maximum(0, np.arange(COLS) - 20.0) * 2, (ROWS, 1))
    height += np.random.default_rng(3).uniform(-1, 1, ids.shape) * (np.arange(COLS) > 20)
    terrain = of_height(height.astype(np.float32), PIXEL_M)
    return with_flowing_water(terrain, ids, FlowingWater(carve_rivers=True)), ids


Painted = tuple[Terrain, NDArray[np.uint8]]


def written(folder: Path, painted: Painted, name: str, **options: Any) -> list[Path]:
    terrain, ids = painted
    return export(ExportSource(terrain, lambda: terrain.albedo, ids), folder, "map", [name], ExportOptions(**options))


def features(folder: Path, painted: Painted, name: str, **files: Any) -> list[dict[str, Any]]:
    (path,) = written(folder, painted, name, files=FileOptions(**files))
    document = json.loads(path.read_text())
    assert document["type"] == "FeatureCollection"
    return list(document["features"])


def test_reaches_lie_in_the_painted_rivers_and_fall_to_the_sea(tmp_path: Path, painted: Painted) -> None:
    reaches = features(tmp_path, painted, "rivers")
    lines = [feature["geometry"] for feature in reaches]
    drawn = rasterize(lines, out_shape=(ROWS, COLS), transform=TO_PIXELS, all_touched=True) == 1
    assert drawn.sum() > 100
    near_water = cv2.dilate((painted[1] == WATER).astype(np.uint8), np.ones((3, 3), np.uint8)) == 1
    assert near_water[drawn].all()
    facts = [feature["properties"] for feature in reaches]
    main = [fact for fact in facts if fact["mouth"] == "sea"]
    (side,) = (fact for fact in facts if fact["mouth"] == "river")
    assert [fact["reach"] for fact in main] == [1, 2] and [fact["order"] for fact in main] == [1, 2]
    assert side["into_river"] == main[0]["river"] and side["order"] == 1
    assert main[0]["from_lake"] is not None and main[1]["from_lake"] is None and main[1]["into_lake"] is not None
    assert main[1]["discharge_m3_s"] == pytest.approx(main[1]["catchment_km2"] * 0.01, abs=0.001)
    assert main[1]["catchment_km2"] > main[0]["catchment_km2"] + side["catchment_km2"] - 0.01
    assert main[1]["width_m"] >= main[0]["width_start_m"] > 0 and main[1]["depth_m"] > 0
    for feature in reaches:
        heights = np.array(feature["geometry"]["coordinates"])[:, 2]
        assert (np.diff(heights) <= 0).all() and heights[0] == feature["properties"]["height_start_m"]
    # Reaches meet: the second one begins where the first one and the other river end.
    ends = [tuple(line["coordinates"][-1]) for line in lines]
    assert ends.count(tuple(lines[facts.index(main[1])]["coordinates"][0])) == 2


def test_lakes_are_the_painted_pixels_with_level_and_outlet(tmp_path: Path, painted: Painted) -> None:
    terrain, ids = painted
    sea, lake = features(tmp_path, painted, "lakes")
    assert (sea["properties"]["kind"], lake["properties"]["kind"]) == ("sea", "lake")
    assert sea["properties"]["level_m"] == 0 and sea["properties"]["outlet"] is None
    for feature, inside in ((sea, np.s_[:, :20]), (lake, np.s_[:, 116:])):
        shape = rasterize([feature["geometry"]], out_shape=(ROWS, COLS), transform=TO_PIXELS) == 1
        np.testing.assert_array_equal(shape[inside], (ids == WATER)[inside])
        assert shape.sum() * PIXEL_M**2 / 1e6 == pytest.approx(feature["properties"]["area_km2"], rel=1e-5)
        assert terrain.height[shape] == pytest.approx(feature["properties"]["level_m"], abs=0.001)
    (rings,) = lake["geometry"]["coordinates"]
    assert len(rings) == 2 and [area_of(ring) > 0 for ring in rings] == [True, False]
    col, row = ~TO_PIXELS * lake["properties"]["outlet"]
    assert col == pytest.approx(112, abs=4) and row == pytest.approx(59.5, abs=3)


def area_of(ring: list[list[float]]) -> float:
    """Twice the area, positive when the ring runs counter-clockwise."""
    x, y = np.array(ring[:-1])[:, :2].T
    return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum())


def test_a_system_of_coordinates_gives_longitudes_and_latitudes(tmp_path: Path, painted: Painted) -> None:
    chosen = {"crs": "EPSG:32632", "origin": (500_000.0, 5_200_000.0)}
    for name in ("rivers", "lakes"):
        for local, placed in zip(
            features(tmp_path, painted, name), features(tmp_path, painted, name, **chosen), strict=True
        ):
            before, after = (flat(feature["geometry"]["coordinates"]) for feature in (local, placed))
            x, y = transform(CRS.from_epsg(4326), CRS.from_epsg(32632), *after[:, :2].T)
            np.testing.assert_allclose(x, before[:, 0] + 500_000 + COLS / 2 * PIXEL_M, atol=0.05)
            np.testing.assert_allclose(y, before[:, 1] + 5_200_000 - ROWS / 2 * PIXEL_M, atol=0.05)


def flat(coordinates: list[Any]) -> NDArray[np.float64]:
    """All positions of a geometry, one after the other."""
    while isinstance(coordinates[0][0], list):
        coordinates = [position for part in coordinates for position in part]
    return np.array(coordinates)


def test_the_mask_says_what_each_pixel_is(tmp_path: Path, painted: Painted) -> None:
    _, ids = painted
    picture, facts = written(tmp_path, painted, "water")
    with Image.open(picture) as opened:
        assert opened.mode == "L"
        mask = np.asarray(opened)
    assert json.loads(facts.read_text())["values"] == {"0": "land", "85": "river", "170": "lake", "255": "sea"}
    np.testing.assert_array_equal(mask > 0, ids == WATER)
    assert (mask[5, 10], mask[60, 115], mask[40, 63]) == (255, 170, 85)


def test_flow_is_decoded_by_its_json(tmp_path: Path, painted: Painted) -> None:
    picture, facts_file = written(tmp_path, painted, "flow")
    facts = json.loads(facts_file.read_text())
    with Image.open(picture) as opened:
        values = np.asarray(opened).astype(np.float64)
    low, high = facts["catchment_min_km2"], facts["catchment_max_km2"]
    assert low == pytest.approx(0.0009) and values.min() == 0 and values.max() == 65535
    catchment = low * (high / low) ** (values / 65535)
    # The mouth has gathered what the reach says.
    reach = next(fact for fact in features(tmp_path, painted, "rivers") if fact["properties"]["mouth"] == "sea"
                 and fact["properties"]["reach"] == 2)  # fmt: skip
    col, row = ~TO_PIXELS * reach["geometry"]["coordinates"][-1][:2]
    assert catchment[math.floor(row), math.floor(col)] == pytest.approx(reach["properties"]["catchment_km2"], rel=0.01)


def test_pictures_of_another_size_keep_thin_rivers(tmp_path: Path, painted: Painted) -> None:
    (_, _), (flow, _) = (written(tmp_path, painted, name, picture_shape=(33, 40)) for name in ("water", "flow"))
    with Image.open(flow) as opened:
        assert opened.size == (40, 33)
        columns = np.asarray(opened)[:, 6:28].max(axis=0)
    assert columns.min() > 40_000


def test_a_map_without_water_has_no_rivers(tmp_path: Path) -> None:
    dry = of_height(np.random.default_rng(1).uniform(0, 9, (40, 50)).astype(np.float32)), np.ones((40, 50), np.uint8)
    assert features(tmp_path, dry, "rivers") == features(tmp_path, dry, "lakes") == []
    assert not np.asarray(Image.open(written(tmp_path, dry, "water")[0])).any()
