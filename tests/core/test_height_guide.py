from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from rasterio.transform import from_origin

from terrainpaint.core.height_guide import CELL_PX, HeightGuide, cells_of, decoded_heights
from terrainpaint.core.importing.guide_file import read_height_guide
from terrainpaint.core.project import HEIGHT_GUIDE, Project, Settings
from terrainpaint.core.rects import Rect
from terrainpaint.core.zooming import zoomed
from terrainpaint.errors import InputFileError, OptionError


def slope(shape: tuple[int, int], down: float = 3.0, along: float = 5.0) -> NDArray[np.float32]:
    """Heights (H, W) of a plane, metres, at the middles of pixels."""
    rows, cols = np.indices(shape, np.float32)
    return 100 + down * (rows + 0.5) + along * (cols + 0.5)


def project(guide: HeightGuide, shape: tuple[int, int]) -> Project:
    return replace(Project.empty(shape, Settings(500.0, "atlas")), height_guide=guide)


def test_cells_are_means_of_4_by_4_pixels() -> None:
    guide = HeightGuide.of(slope((40, 46)), (40, 46), 500.0)
    assert guide.heights.shape == cells_of((40, 46)) == (10, 12)
    np.testing.assert_allclose(guide.heights[:, :11], slope((10, 11), 12, 20), rtol=1e-5)


def test_heights_of_another_size_cover_the_same_land() -> None:
    shape = 96, 128
    exact = HeightGuide.of(slope(shape), shape, 500.0).heights
    finer = slope((192, 256), 1.5, 2.5)
    coarser = slope((24, 32), 12, 20)
    np.testing.assert_allclose(HeightGuide.of(finer, shape, 500.0).heights, exact, rtol=1e-5)
    np.testing.assert_allclose(HeightGuide.of(coarser, shape, 500.0).heights, exact, rtol=1e-5)


def test_an_empty_guide_leaves_all_land_free() -> None:
    guide = HeightGuide.empty((40, 48), 500.0)
    assert guide.is_free
    assert (guide.cells == 255).all() and guide.cells.shape == (10, 48)
    guide.cells[2:4, 8:12] = np.full((2, 1), 250, np.float32).view(np.uint8)
    assert (guide.heights[2:4, 2] == 250).all() and not guide.is_free
    assert decoded_heights(guide.encoded(), (40, 48)).tobytes() == guide.heights.tobytes()


@pytest.mark.parametrize("bad", [np.inf, -np.inf, 2e6])
def test_impossible_heights_are_refused(bad: float) -> None:
    heights = np.full((8, 8), bad, np.float32)
    with pytest.raises(ValueError, match="beyond"):
        decoded_heights(heights.tobytes(), (32, 32))
    with pytest.raises(ValueError, match="bytes"):
        decoded_heights(heights.tobytes()[:-1], (32, 32))


def test_a_guide_stays_on_its_ground_when_a_map_is_resized_or_cropped() -> None:
    shape = 96, 128
    guide = HeightGuide.of(slope(shape), shape, 500.0)
    larger = project(guide, shape).resized((192, 256))
    assert larger.height_guide is not None and larger.height_guide.pixel_size_m == larger.settings.pixel_size_m == 250
    inside = np.s_[1:-1, 1:-1]
    exact = HeightGuide.of(slope((192, 256), 1.5, 2.5), (192, 256), 250.0).heights
    np.testing.assert_allclose(larger.height_guide.heights[inside], exact[inside], rtol=1e-4)

    for top, left in ((8, 16), (9, 18), (-8, 0)):
        cropped = project(guide, shape).cropped(top, left, (64, 64)).height_guide
        assert cropped is not None
        exact = slope((64, 64)) + 3 * top + 5 * left
        exact = HeightGuide.of(exact, (64, 64), 500.0).heights
        known = ~np.isnan(cropped.heights)
        np.testing.assert_allclose(cropped.heights[known], exact[known], rtol=1e-4)
        assert known[2:, :].all() and (top >= 0 or not known[:1].any())


def test_a_part_that_becomes_a_map_has_the_heights_of_its_ground() -> None:
    shape, rect = (96, 128), Rect(20, 30, 24, 32)
    whole = project(HeightGuide.of(slope(shape), shape, 500.0), shape)
    child = zoomed(whole, np.zeros((96, 128), np.uint8), rect, 4, "map").height_guide
    assert child is not None and child.pixel_size_m == 125
    exact = 100 + 3 * 20 + 5 * 30 + (slope(shape, 0.75, 1.25) - 100)
    np.testing.assert_allclose(child.heights, HeightGuide.of(exact, shape, 125.0).heights, rtol=1e-5)


def test_a_project_finds_the_bytes_of_its_guide() -> None:
    guide = HeightGuide.empty((40, 48), 500.0)
    one = project(guide, (40, 48))
    assert np.shares_memory(one.cells(HEIGHT_GUIDE), guide.heights)
    with pytest.raises(KeyError):
        replace(one, height_guide=None).cells(HEIGHT_GUIDE)
    with pytest.raises(ValueError, match="cells"):
        replace(one, height_guide=HeightGuide.empty((80, 48), 500.0))
    assert guide.copy().token is guide.token and guide.resized((40, 48), (40, 48)).token is not guide.token


def write_dem(path: Path, heights: NDArray[np.float32]) -> None:
    with rasterio.open(
        path, "w", driver="GTiff", width=heights.shape[1], height=heights.shape[0], count=1, dtype="float32",
        crs="EPSG:32632", transform=from_origin(5e5, 5e6, 90, 90),
    ) as file:  # fmt: skip
        file.write(heights, 1)


def test_a_file_of_heights_becomes_a_guide(tmp_path: Path) -> None:
    write_dem(tmp_path / "dem.tif", slope((192, 256), 1.5, 2.5))
    guide = read_height_guide(tmp_path / "dem.tif", (96, 128), 500.0)
    assert guide.pixel_size_m == 500
    np.testing.assert_allclose(guide.heights, HeightGuide.of(slope((96, 128)), (96, 128), 500.0).heights, rtol=1e-4)
    with pytest.raises(OptionError, match="another shape"):
        read_height_guide(tmp_path / "dem.tif", (96, 96), 500.0)


def test_a_file_without_metres_is_refused(tmp_path: Path) -> None:
    with rasterio.open(tmp_path / "grey.png", "w", driver="PNG", width=64, height=64, count=1, dtype="uint16") as file:
        file.write(np.arange(4096, dtype=np.uint16).reshape(64, 64) * 15, 1)
    with pytest.raises(InputFileError, match="in metres"):
        read_height_guide(tmp_path / "grey.png", (64, 64), 500.0)


def test_a_cell_covers_as_many_pixels_as_one_of_the_networks_guides() -> None:
    from terrainpaint.models.guides import GUIDE_LEVEL

    assert CELL_PX == 1 << GUIDE_LEVEL
