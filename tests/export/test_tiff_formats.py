"""GeoTIFF and COG of texture, shaded picture, classes and heights: read back with rasterio and rio-cogeo."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.enums import ColorInterp
from rasterio.windows import Window

from terrainpaint.core.classes import CLASSES
from terrainpaint.export import FORMATS, ExportOptions, export
from terrainpaint.export.file_options import FileOptions
from tests.export.terrains import ids_of, lopsided, source

SHAPE = (600, 1040)
PLACE = FileOptions(crs="EPSG:32632", origin=(500_000.0, 5_200_000.0))
CONTENT = {
    "geotiff": lopsided(*SHAPE).height,
    "cog": lopsided(*SHAPE).height,
    "albedo-geotiff": lopsided(*SHAPE).albedo,
    "albedo-cog": lopsided(*SHAPE).albedo,
    "terrain-geotiff": 255 - lopsided(*SHAPE).albedo,
    "classes-geotiff": ids_of(lopsided(*SHAPE)),
}


def written(folder: Path, name: str, files: FileOptions = PLACE) -> Path:
    return export(source(lopsided(*SHAPE)), folder, "map", [name], ExportOptions(files=files))[0]


@pytest.mark.parametrize("name", CONTENT)
def test_pixels_and_place(tmp_path: Path, name: str) -> None:
    expected = CONTENT[name] if CONTENT[name].ndim == 3 else CONTENT[name][..., None]
    with rasterio.open(written(tmp_path, name)) as file:
        np.testing.assert_array_equal(np.moveaxis(file.read(), 0, -1), expected)
        assert file.crs.to_string() == "EPSG:32632" and file.res == (30, 30)
        assert (file.bounds.left, file.bounds.top) == (500_000, 5_200_000)
        assert file.tags()["seed"] == "77"
        if expected.shape[2] == 3:
            assert file.colorinterp == (ColorInterp.red, ColorInterp.green, ColorInterp.blue)


@pytest.mark.parametrize("name", CONTENT)
def test_without_a_place_all_of_them_lie_in_the_same_made_up_system(tmp_path: Path, name: str) -> None:
    with rasterio.open(written(tmp_path, name, FileOptions())) as file:
        assert "not a place on the Earth" in file.crs.to_wkt()
        assert tuple(file.bounds) == (-520 * 30, -300 * 30, 520 * 30, 300 * 30)


def test_classes_have_their_colours_and_names(tmp_path: Path) -> None:
    with rasterio.open(written(tmp_path, "classes-geotiff")) as file:
        colours, names = file.colormap(1), file.tags(1)
    assert [colours[each.id][:3] for each in CLASSES] == [each.colour for each in CLASSES]
    assert [names[f"class_{each.id}"] for each in CLASSES] == [each.name for each in CLASSES]


@pytest.mark.parametrize("name", ["cog", "albedo-cog"])
@pytest.mark.parametrize("files", [PLACE, FileOptions()])
def test_a_cog_is_valid_and_its_smaller_copies_are_means(tmp_path: Path, name: str, files: FileOptions) -> None:
    rio_cogeo = pytest.importorskip("rio_cogeo")
    path = written(tmp_path, name, files)
    assert rio_cogeo.cog_validate(str(path), strict=True) == (True, [], [])
    expected = CONTENT[name] if CONTENT[name].ndim == 3 else CONTENT[name][..., None]
    means = expected.reshape(SHAPE[0] // 2, 2, SHAPE[1] // 2, 2, -1).mean(axis=(1, 3), dtype=np.float64)
    with rasterio.open(path) as file:
        assert file.overviews(1)[0] == 2
        half = file.read(window=Window(0, 0, SHAPE[1], SHAPE[0]), out_shape=(file.count, *means.shape[:2]))
    np.testing.assert_allclose(np.moveaxis(half, 0, -1), means, atol=1 if name == "albedo-cog" else 1e-2)


@pytest.mark.parametrize("name", [name for name in CONTENT if name != "terrain-geotiff"])
def test_sizes_are_estimated(tmp_path: Path, name: str) -> None:
    expected = FORMATS[name].estimate_bytes(*SHAPE, ExportOptions())
    assert 0 < written(tmp_path, name).stat().st_size < 2 * expected
