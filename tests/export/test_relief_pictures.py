import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from terrainpaint.core.shading import hillshade, slope_deg
from terrainpaint.core.terrain import Terrain
from terrainpaint.export import ExportOptions, export, job
from terrainpaint.export.mesh import mesh_grid
from terrainpaint.export.relief_pictures import sky_view
from tests.export.terrains import lopsided, of_height, source

PICTURES = ["normal", "normal-dx", "ao", "slope", "hillshade"]


def written(folder: Path, name: str, terrain: Terrain, exaggeration: float = 1.0) -> np.ndarray:
    path = export(source(terrain), folder, "map", [name], ExportOptions(exaggeration=exaggeration))[0]
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    return picture[..., ::-1] if picture.ndim == 3 else picture


@pytest.mark.parametrize("exaggeration", [1.0, 4.0])
def test_normals_are_those_of_the_mesh(tmp_path: Path, exaggeration: float) -> None:
    terrain = lopsided(48, 64)
    decoded = written(tmp_path, "normal", terrain, exaggeration) / 127.5 - 1
    mesh = mesh_grid(terrain, ExportOptions(exaggeration=exaggeration)).normals(0, 48)
    # Red is east, green north, blue up; the mesh has x east, y up, z south.
    np.testing.assert_allclose(decoded, np.stack((mesh[..., 0], -mesh[..., 2], mesh[..., 1]), axis=-1), atol=0.005)


def test_a_slope_to_the_south_is_bright_green_in_no_opengl_map(tmp_path: Path) -> None:
    row, _ = np.mgrid[0:32, 0:40]
    terrain = of_height((row * -30.0).astype(np.float32))  # falls to the south, so the normal points there
    assert (written(tmp_path, "normal", terrain)[..., 1] < 50).all()
    assert (written(tmp_path, "normal-dx", terrain)[..., 1] > 200).all()
    level = written(tmp_path, "normal", of_height(np.zeros((32, 40), np.float32)))
    assert (np.abs(level.astype(int) - (128, 128, 255)) <= 1).all()


def test_valleys_are_darker_than_peaks_and_level_ground_is_white(tmp_path: Path) -> None:
    row, _ = np.mgrid[0:96, 0:128]
    valley = (np.abs(row - 48.0) * 30.0).astype(np.float32)
    picture = written(tmp_path, "ao", of_height(valley))
    assert picture[48, 64] < 200 and picture[0, 64] == 255
    assert (written(tmp_path, "ao", of_height(valley * 0 + 5)) == 255).all()
    # In a valley with sides of 45 degrees: horizons of tan = |sin(direction)|, so the mean of 1 / (1 + sin²).
    angles = np.arange(16) * np.pi / 8
    assert picture[48, 64] / 255 == pytest.approx((1 / (1 + np.sin(angles) ** 2)).mean(), abs=0.03)


def test_the_slope_is_normalised_and_the_file_has_the_degrees(tmp_path: Path) -> None:
    terrain = lopsided(48, 64)
    picture = written(tmp_path, "slope", terrain, exaggeration=5.0)
    facts = json.loads((tmp_path / "map_slope.png.json").read_text())
    assert picture.max() == 255 and "normalised" in facts
    degrees = picture / 255 * facts["slope_max_deg"]
    np.testing.assert_allclose(degrees, slope_deg(terrain.height, 30.0), atol=facts["slope_max_deg"] / 510 * 1.01)


def test_the_slope_of_level_ground(tmp_path: Path) -> None:
    assert not written(tmp_path, "slope", of_height(np.ones((32, 40), np.float32))).any()
    assert json.loads((tmp_path / "map_slope.png.json").read_text())["slope_max_deg"] == 90


def test_the_hillshade(tmp_path: Path) -> None:
    terrain = lopsided(48, 64)
    expected = hillshade(terrain.height, 30.0, exaggeration=3.0) * 255
    np.testing.assert_allclose(written(tmp_path, "hillshade", terrain, 3.0), expected, atol=0.51)


@pytest.mark.parametrize("name", PICTURES)
def test_bands_equal_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    whole = written(tmp_path / "whole", name, lopsided(90, 40))
    monkeypatch.setattr(job, "_BAND_PX", 40 * 7)
    np.testing.assert_array_equal(written(tmp_path / "parts", name, lopsided(90, 40)), whole)


@pytest.mark.parametrize("name", PICTURES)
def test_heights_that_are_not_finite_are_refused(tmp_path: Path, name: str) -> None:
    height = np.zeros((32, 40), np.float32)
    height[1, 1] = np.nan
    with pytest.raises(ValueError, match="finite"):
        written(tmp_path, name, of_height(height))


def test_the_sky_above_a_cone_is_open() -> None:
    row, col = np.mgrid[0:65, 0:65]
    cone = (-np.hypot(row - 32, col - 32)).astype(np.float32)
    assert sky_view(cone, 32, 33, (1.0, 1.0))[0, 32] == pytest.approx(1)
