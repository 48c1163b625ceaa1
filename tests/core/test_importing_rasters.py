"""What the heights of a raster are: units, places, orientation, gaps, and rasters of any size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import OpenEXR
import pytest
import rasterio
import rasterio.shutil
from rasterio.control import GroundControlPoint
from rasterio.transform import Affine, from_origin

from terrainpaint.core.importing import (
    HeightUnit,
    RawFormat,
    RawNumber,
    describe_raster,
    measure_heights,
    measure_raw_heights,
    read_height_map,
)
from terrainpaint.core.progress import never_cancel, no_progress
from terrainpaint.errors import Cancelled, InputFileError
from tests.core.rasters import UTM, land, saved


@pytest.mark.parametrize(("unit", "expected", "factor"), [
    ("m", HeightUnit.METRES, 1), ("metre", HeightUnit.METRES, 1), ("ft", HeightUnit.FEET, 0.3048),
    ("US survey foot", HeightUnit.SURVEY_FEET, 1200 / 3937), ("cm", HeightUnit.METRES, 0.01),
    ("Foot (US)", HeightUnit.SURVEY_FEET, 1200 / 3937), ("feet, US survey", HeightUnit.SURVEY_FEET, 1200 / 3937),
    ("metre (EGM96)", HeightUnit.METRES, 1), ("cubits", HeightUnit.METRES, 1),
])  # fmt: skip
def test_the_unit_of_the_band(tmp_path: Path, unit: str, expected: HeightUnit, factor: float) -> None:
    path = saved(tmp_path / "a.tif", land(), **UTM)
    with rasterio.open(path, "r+") as file:
        file.units = (unit,)
    heights = read_height_map(path)
    assert heights.unit == heights.suggested == expected
    np.testing.assert_allclose(heights.in_metres().height, land() * factor, rtol=1e-6)
    assert bool(heights.notes) == (unit not in ("m", "metre"))
    # The user knows better.
    np.testing.assert_allclose(heights.in_metres(HeightUnit.FEET).height, heights.height * 0.3048, rtol=1e-6)


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_systems_in_feet(tmp_path: Path, version: str) -> None:
    place = from_origin(980_000, 200_000, 100, 100)
    path = saved(tmp_path / "a.tif", land(), crs="EPSG:2263", transform=place, GEOTIFF_VERSION=version)
    heights = read_height_map(path)
    assert heights.pixel_size_m == pytest.approx(30.48006, abs=1e-4)
    assert heights.unit == HeightUnit.METRES and "does not tell the unit" in heights.notes[0]
    path = saved(tmp_path / "b.tif", land(), crs="EPSG:2263+6360", transform=place, GEOTIFF_VERSION=version)
    heights = read_height_map(path)
    assert heights.unit == HeightUnit.SURVEY_FEET and heights.pixel_size_m == pytest.approx(30.48006, abs=1e-4)


def test_scale_offset_and_no_data(tmp_path: Path) -> None:
    stored = (land() * 10).astype(np.int16)
    stored[:, :4] = -9999
    path = saved(tmp_path / "a.tif", stored, nodata=-9999, **UTM)
    with rasterio.open(path, "r+") as file:
        file.scales, file.offsets = (0.1,), (5.0,)
    heights = read_height_map(path)
    np.testing.assert_allclose(heights.height[:, 4:], land()[:, 4:] + 5, atol=1e-3)
    assert heights.gaps.declared == 4 * 48
    # A mark near the largest float does not overflow.
    wide = np.where(land() > 800, np.float32(-3.4e38), land())
    path = saved(tmp_path / "b.tif", wide, **UTM)
    with rasterio.open(path, "r+") as file:
        file.scales = (100.0,)
    assert read_height_map(path).height.max() <= 80_000


@pytest.mark.parametrize(("crs", "north", "expected", "tolerance"), [
    ("EPSG:3857", 8_399_737, 30.0, 0.01), ("EPSG:3395", 8_362_698, 30.07, 0.03), ("EPSG:3857", 0, 60.0, 1e-4),
])  # fmt: skip
def test_mercator_by_latitude(tmp_path: Path, crs: str, north: float, expected: float, tolerance: float) -> None:
    path = saved(tmp_path / "a.tif", land(), crs=crs, transform=from_origin(1e6, north, 60, 60))
    assert read_height_map(path).pixel_size_m == pytest.approx(expected, abs=tolerance)


@pytest.mark.parametrize(("turn", "matrix"), [
    (lambda values: values[::-1], Affine(30, 0, 4e5, 0, 30, 5e6 - 30 * 48)),
    (lambda values: values[:, ::-1], Affine(-30, 0, 4e5 + 30 * 64, 0, -30, 5e6)),
    (lambda values: values[::-1, ::-1], Affine(-30, 0, 4e5 + 30 * 64, 0, 30, 5e6 - 30 * 48)),
    (lambda values: values.T, Affine(0, 30, 4e5, -30, 0, 5e6)),
    (lambda values: values[::-1].T, Affine(0, 30, 4e5, 30, 0, 5e6 - 30 * 48)),
])  # fmt: skip
def test_north_comes_on_top(tmp_path: Path, turn, matrix: Affine) -> None:  # type: ignore[no-untyped-def]
    values = land()
    values[3, 5] = np.nan
    heights = read_height_map(saved(tmp_path / "a.tif", np.ascontiguousarray(turn(values)), crs="EPSG:32633",
                                    transform=matrix))  # fmt: skip
    known = np.isfinite(values)
    np.testing.assert_array_equal(heights.height[known], values[known])
    assert heights.gaps.mask is not None and np.argwhere(heights.gaps.mask).tolist() == [[3, 5]]
    assert heights.pixel_size_m == 30 and any("north on top" in note for note in heights.notes)


def test_a_turned_raster_keeps_its_rows_and_says_so(tmp_path: Path) -> None:
    matrix = Affine.translation(4e5, 5e6) @ Affine.rotation(20) @ Affine.scale(30, -30)
    heights = read_height_map(saved(tmp_path / "a.tif", land(), crs="EPSG:32633", transform=matrix))
    np.testing.assert_array_equal(heights.height, land())
    assert heights.pixel_size_m == pytest.approx(30) and "20°" in heights.notes[0]


def test_pixels_that_are_no_squares_are_said(tmp_path: Path) -> None:
    degrees = from_origin(10, 60 + 24 / 3600, 1 / 3600, 1 / 3600)
    heights = read_height_map(saved(tmp_path / "a.tif", land(), crs="EPSG:4326", transform=degrees))
    assert len(heights.notes) == 1 and "15.49 × 30.97 m" in heights.notes[0], heights.notes
    heights = read_height_map(saved(tmp_path / "b.tif", land().T.copy(), crs="EPSG:32633",
                                    transform=Affine(0, 20, 4e5, -10, 0, 5e6)))  # fmt: skip
    assert any("20 × 10 m" in note for note in heights.notes), heights.notes
    assert heights.pixel_size_m == pytest.approx(np.sqrt(200))


def test_ground_control_points(tmp_path: Path) -> None:
    points = [GroundControlPoint(row, col, 4e5 + 30 * col, 5e6 - 30 * row) for row in (0, 48) for col in (0, 64)]
    heights = read_height_map(saved(tmp_path / "a.tif", land(), crs="EPSG:32633", gcps=points))
    assert heights.pixel_size_m == pytest.approx(30)


def test_masks_and_alpha_channels_are_gaps(tmp_path: Path) -> None:
    mask = np.full(land().shape, 255, np.uint8)
    mask[:6, :7] = 0
    path = saved(tmp_path / "a.tif", land(), **UTM)
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "r+") as file:
        file.write_mask(mask)
    grey = (land() / 4).astype(np.uint8)
    saved(tmp_path / "a.png", np.stack([grey, mask]), "PNG")
    for name in ("a.tif", "a.png"):
        heights = read_height_map(tmp_path / name)
        assert heights.gaps.declared == heights.gaps.count == 42 and "(1 %)" in heights.notes[0]


@pytest.mark.parametrize(("dtype", "mark"), [
    ("int16", 32767), ("int16", -32768), ("float32", -9999), ("float32", 9999), ("float32", -32767), ("uint16", 65535),
    ("float32", -99999), ("float32", 1e20),
])  # fmt: skip
def test_undeclared_gaps_are_suspected_and_said(tmp_path: Path, dtype: str, mark: float) -> None:
    values = land().astype(dtype)
    values[10:20, 10:20] = mark
    heights = read_height_map(saved(tmp_path / "a.tif", values, **UTM))
    assert heights.gaps.count == 100 and (heights.gaps.suspected == 100) == (mark < 1e15)
    assert heights.height.min() >= 100 and heights.height.max() <= 950
    assert len(heights.notes) == 1


def test_heights_that_look_like_marks_are_kept(tmp_path: Path) -> None:
    ocean = np.linspace(-10_900, 8_600, 48 * 64).reshape(48, 64).astype(np.int16)
    ocean[4, 4:8] = -9999
    assert read_height_map(saved(tmp_path / "a.tif", ocean, **UTM)).gaps.count == 0
    white = np.linspace(0, 60_000, 48 * 64).reshape(48, 64).astype(np.uint16)
    white[10:20] = 65535
    assert read_height_map(saved(tmp_path / "b.tif", white)).gaps.count == 0
    tidal = land() - 1500
    tidal[4, 4:8] = -999
    assert read_height_map(saved(tmp_path / "c.tif", tidal, **UTM)).gaps.count == 0


def test_bands_that_repeat_the_heights(tmp_path: Path) -> None:
    values = land().astype(np.uint16)
    heights = read_height_map(saved(tmp_path / "a.tif", np.stack([values] * 3)))
    np.testing.assert_array_equal(heights.height, values)
    assert heights.unit is None and heights.suggested == HeightUnit.METRES
    differing = np.stack([values, values, values, values + 1])
    with pytest.raises(InputFileError, match="has 4 bands that differ"):
        read_height_map(saved(tmp_path / "b.tif", differing, photometric="minisblack"))


def test_palettes(tmp_path: Path) -> None:
    indices = (land() / 100).astype(np.uint8)
    for name, colour, message in (("grey", (1, 1, 1), None), ("colour", (1, 2, 3), "palette of colours")):
        path = saved(tmp_path / f"{name}.tif", indices, photometric="palette")
        with rasterio.open(path, "r+") as file:
            file.write_colormap(1, {index: (*(10 * index * part % 256 for part in colour), 255) for index in range(20)})
        if message is None:
            np.testing.assert_array_equal(read_height_map(path).height, indices * 10.0)
        else:
            with pytest.raises(InputFileError, match=message):
                read_height_map(path)


def test_large_rasters_are_reduced(tmp_path: Path) -> None:
    values = np.kron(land(60, 90), np.ones((10, 10), np.float32))
    values[:10, :10] = -9999
    values[10:15, 10:20] = np.nan
    path = saved(tmp_path / "a.tif", values, **UTM)
    assert (describe_raster(path).width, describe_raster(path).height) == (900, 600)
    heights = read_height_map(path, 90)
    expected = land(60, 90)
    expected[0, 0] = heights.height[0, 0]
    np.testing.assert_allclose(heights.height, expected, rtol=1e-5)
    assert heights.pixel_size_m == pytest.approx(300) and heights.gaps.suspected == heights.gaps.count == 1
    assert any("reduced from 900 × 600 px" in note for note in heights.notes)
    # Not by a whole number, and without a loss of the mean.
    heights = read_height_map(
        saved(tmp_path / "b.tif", np.kron(land(60, 90), np.ones((10, 10), np.float32)), **UTM), 700
    )
    assert heights.height.shape == (467, 700) and heights.pixel_size_m == pytest.approx(30 * 900 / 700)
    assert heights.height.mean() == pytest.approx(land(60, 90).mean(), rel=1e-3)
    assert read_height_map(path, 2000).height.shape == (600, 900)


def test_overviews_of_a_cloud_optimised_geotiff(tmp_path: Path) -> None:
    values = np.kron(land(90, 120), np.ones((16, 16), np.float32))
    path = saved(tmp_path / "a.tif", values, "COG", resampling="average", **UTM)
    heights = read_height_map(path, 120)
    np.testing.assert_allclose(heights.height, land(90, 120), rtol=1e-5)
    assert heights.pixel_size_m == pytest.approx(480) and "1920 × 1440 px" in heights.notes[-1]
    np.testing.assert_array_equal(read_height_map(path).height, values)


def test_larger_than_a_map(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.tif", np.zeros((40, 17_000), np.uint8), compress="lzw")
    with pytest.raises(InputFileError, match="is 17000 px wide; a map has at most 16384"):
        read_height_map(path)
    with pytest.raises(InputFileError, match="at least 32 a side"):
        read_height_map(path, 10_000)


def test_heights_that_do_not_fit_into_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved(tmp_path / "a.tif", land(), **UTM)
    OpenEXR.File({}, {"Y": land()}).write(str(tmp_path / "a.exr"))
    monkeypatch.setattr("terrainpaint.core.main_memory.free_memory", lambda: 10_000)
    for name in ("a.tif", "a.exr"):
        with pytest.raises(InputFileError, match="of memory"):
            read_height_map(tmp_path / name)


def test_facts_about_heights_of_any_size(tmp_path: Path) -> None:
    wide = np.full((20, 17_000), 50, np.float32)
    wide[3, 9], wide[4, 10], wide[5, :17], wide[6, :34] = -123, 8000, np.nan, -9999
    facts = measure_heights(saved(tmp_path / "a.tif", wide, compress="deflate", **UTM))
    assert facts.info.full_size == (17_000, 20) and facts.unit == HeightUnit.METRES
    assert (facts.low, facts.high, facts.range_m) == (-123, 8000, (-123, 8000))
    assert (facts.gaps.declared, facts.gaps.suspected, facts.gaps.fraction) == (17, 34, 51 / 340_000)
    assert len(facts.notes) == 2 and facts.gaps.mask is None
    # Numbers of no land on the Earth, and -9999 in the depths of an ocean.
    ocean = np.linspace(-10_900, 4000, 20 * 40).reshape(20, 40)
    ocean[0, :4] = -25_000, -30_000, -9999, -10_000
    facts = measure_heights(saved(tmp_path / "b.tif", ocean.astype(np.float32), **UTM))
    assert facts.gaps.declared == 2 and facts.low == pytest.approx(ocean[0, 4], abs=1e-2)
    path = saved(tmp_path / "c.tif", land(), **UTM)
    with rasterio.open(path, "r+") as file:
        file.units, file.scales, file.offsets = ("ft",), (10.0,), (7.0,)
    facts, heights = measure_heights(path), read_height_map(path)
    assert facts.unit == heights.unit == HeightUnit.FEET and facts.notes == heights.notes
    assert facts.range_m == pytest.approx((heights.in_metres().height.min(), heights.in_metres().height.max()))
    facts = measure_heights(saved(tmp_path / "d.png", land().astype(np.uint16), "PNG"))
    assert (facts.unit, facts.suggested, facts.range_m) == (None, HeightUnit.METRES, None)
    assert (facts.low, facts.high) == (land().min(), land().max())
    with pytest.raises(InputFileError, match="only gaps"):
        measure_heights(saved(tmp_path / "e.tif", np.full((40, 40), np.nan, np.float32)))
    land().tofile(tmp_path / "f.raw")
    facts = measure_raw_heights(tmp_path / "f.raw", RawFormat(48, 64, False, RawNumber.FLOAT32))
    assert facts.range_m == (land().min(), land().max())


def test_cancel_and_progress(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("terrainpaint.core.importing.height_numbers._STRIP_PX", 64 * 4)
    path = saved(tmp_path / "a.tif", land(), **UTM)
    seen: list[float] = []
    read_height_map(path, 50, progress=seen.append)
    assert seen == sorted(seen) and seen[-1] == 1 and len(seen) > 10
    with pytest.raises(Cancelled):
        read_height_map(path, cancel=lambda: True)
    assert read_height_map(path, None, None, no_progress, never_cancel).height.shape == (48, 64)
