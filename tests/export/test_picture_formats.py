import dataclasses
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from terrainpaint.core.terrain import Provenance, Recipe, Terrain
from terrainpaint.export import ExportOptions, ExportSource, export
from tests.export.terrains import ids_of, lopsided, of_height, source


def height16(terrain: Terrain, folder: Path) -> tuple[np.ndarray, dict[str, object]]:
    export(source(terrain), folder, "map", ["height16"], ExportOptions(exaggeration=5))
    steps = cv2.imread(str(folder / "map_height16.png"), cv2.IMREAD_UNCHANGED)
    return steps, json.loads((folder / "map_height16.json").read_text())


def decoded(steps: np.ndarray, facts: dict[str, object]) -> np.ndarray:
    low, high = float(str(facts["height_min_m"])), float(str(facts["height_max_m"]))
    return low + steps / 65535 * (high - low)


@pytest.mark.parametrize("shape", [(32, 32), (33, 90)])
def test_the_numbers_of_the_json_file_decode_the_heights(tmp_path: Path, shape: tuple[int, int]) -> None:
    terrain = lopsided(*shape, pixel_size_m=12.5)
    steps, facts = height16(terrain, tmp_path)
    assert steps.dtype == np.uint16 and steps.shape == shape
    assert (steps.min(), steps.max()) == (0, 65535)
    half_a_step = np.ptp(terrain.height.astype(np.float64)) / 65535 / 2
    assert np.abs(decoded(steps, facts) - terrain.height).max() <= half_a_step * 1.0001
    assert facts == facts | {
        "height_min_m": float(terrain.height.min()),
        "height_max_m": float(terrain.height.max()),
        "pixel_size_m": 12.5,
        "sea_level_m": 0.0,
        "seed": 77,
        "width_px": shape[1],
        "height_px": shape[0],
        "style": "test",
        "program": "TerrainPaint 1.2.3",
        "weights_sha256": "ab" * 32,
    }


@pytest.mark.parametrize("level", [0.0, -37.25, 8848.0])
def test_level_ground_decodes_too(tmp_path: Path, level: float) -> None:
    steps, facts = height16(of_height(np.full((32, 40), level, np.float32)), tmp_path)
    assert float(str(facts["height_max_m"])) > float(str(facts["height_min_m"]))
    np.testing.assert_array_equal(decoded(steps, facts), level)


def test_a_large_map_is_encoded_in_bands(tmp_path: Path) -> None:
    height = np.linspace(-50, 4000, 1100 * 1000, dtype=np.float32).reshape(1100, 1000)
    steps, facts = height16(of_height(height), tmp_path)
    np.testing.assert_allclose(decoded(steps, facts), height, atol=4050 / 65535 / 2 * 1.0001)


def test_heights_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    height = np.zeros((32, 32), np.float32)
    height[0, 0] = np.nan
    with pytest.raises(ValueError, match="finite"):
        height16(of_height(height), tmp_path)
    assert not list(tmp_path.iterdir())


def test_albedo_and_shaded_pictures(tmp_path: Path) -> None:
    terrain = lopsided(40, 52)
    export(source(terrain), tmp_path, "map", ["albedo", "terrain"], ExportOptions(mesh_size=8))
    for suffix, expected in (("albedo", terrain.albedo), ("terrain", 255 - terrain.albedo)):
        with Image.open(tmp_path / f"map_{suffix}.png") as picture:
            assert picture.mode == "RGB"
            np.testing.assert_array_equal(np.asarray(picture), expected)


def test_shading_is_computed_only_for_the_format_that_needs_it(tmp_path: Path) -> None:
    terrain = lopsided()
    calls: list[int] = []

    def shaded() -> np.ndarray:
        calls.append(1)
        return terrain.albedo

    export(
        ExportSource(terrain, shaded, ids_of(terrain)), tmp_path, "map", ["obj", "albedo", "height16"], ExportOptions()
    )
    assert not calls
    export(ExportSource(terrain, shaded, ids_of(terrain)), tmp_path, "map", ["terrain"], ExportOptions())
    assert len(calls) == 1


def test_a_shaded_picture_of_another_size_is_refused(tmp_path: Path) -> None:
    terrain = lopsided()
    with pytest.raises(ValueError, match="shaded"):
        export(
            ExportSource(terrain, lambda: terrain.albedo[:5], ids_of(terrain)),
            tmp_path,
            "map",
            ["terrain"],
            ExportOptions(),
        )


def test_the_json_file_has_the_whole_provenance(tmp_path: Path) -> None:
    terrain = lopsided(32, 32)
    provenance = Provenance("ab" * 32, "test", Recipe(5, 9, 0.25, (0.5, -1.0), 0.5), "1.2.3", 0.125, True, True)
    _, facts = height16(dataclasses.replace(terrain, provenance=provenance), tmp_path)
    expected = {
        "seed": 5,
        "other_seed": 9,
        "blend": 0.25,
        "style_numbers": [0.5, -1.0],
        "variety": 0.5,
        "rerolled_in_places": True,
    }
    assert facts.items() >= (expected | {"height_scale": 0.125, "water_levelled": True}).items()
