"""Heights from rasters of many formats: units, places, orientation, and files that refer to others."""

from __future__ import annotations

import gzip
import os
import struct
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import numpy as np
import OpenEXR
import pytest
import rasterio
import rasterio.shutil
from numpy.typing import NDArray
from PIL import Image
from rasterio.control import GroundControlPoint
from rasterio.transform import Affine, from_origin

from terrainpaint.core import main_memory
from terrainpaint.core.importing import (
    HeightUnit,
    RawFormat,
    RawNumber,
    describe_raster,
    kind_of,
    measure_heights,
    measure_raw_heights,
    packed_rasters,
    read_colours,
    read_height_map,
)
from terrainpaint.core.progress import never_cancel, no_progress
from terrainpaint.errors import Cancelled, InputFileError

PLACE = from_origin(4e5, 5e6, 30, 30)
UTM = {"crs": "EPSG:32633", "transform": PLACE}


def land(rows: int = 48, cols: int = 64) -> NDArray[np.float32]:
    """(rows, cols) whole metres within 100..900, without symmetry."""
    row, col = np.mgrid[:rows, :cols]
    return np.rint(500 + 200 * np.sin(col / 9) + 150 * np.cos(row / 7) + row).astype(np.float32)


def saved(path: Path, values: NDArray[np.generic], driver: str = "GTiff", **options: object) -> Path:
    bands = values if values.ndim == 3 else values[None]
    count, height, width = bands.shape
    profile = {"driver": driver, "height": height, "width": width, "count": count, "dtype": bands.dtype} | options
    with rasterio.open(path, "w", **profile) as file:
        file.write(bands)
    return path


@pytest.mark.parametrize("compression", ["lzw", "deflate", "zstd", "lzma", "lerc", "lerc_zstd", "packbits"])
def test_compressed_geotiff(tmp_path: Path, compression: str) -> None:
    heights = read_height_map(saved(tmp_path / "a.tif", land(), compress=compression, **UTM))
    np.testing.assert_array_equal(heights.height, land())
    assert heights.unit == HeightUnit.METRES and heights.pixel_size_m == 30


def test_an_unknown_compression_is_named(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.tif", land(), compress="zstd", **UTM)
    zstd, jpeg_xl = (struct.pack("<HHII", 259, 3, 1, code) for code in (50000, 50002))
    path.write_bytes(path.read_bytes().replace(zstd, jpeg_xl))
    with pytest.raises(InputFileError, match="compression that is not known"):
        read_height_map(path)


def test_tiff_with_webp(tmp_path: Path) -> None:
    grey = (land() / 4).astype(np.uint8)
    path = saved(tmp_path / "a.tif", np.stack([grey] * 3), compress="webp", WEBP_LOSSLESS="YES", photometric="rgb")
    np.testing.assert_array_equal(read_height_map(path).height, grey)


def test_half_floats_and_12_bits(tmp_path: Path) -> None:
    half = saved(tmp_path / "half.tif", land(), nbits=16, **UTM)
    np.testing.assert_allclose(read_height_map(half).height, land(), atol=0.5)
    twelve = saved(tmp_path / "12.tif", land().astype(np.uint16), nbits=12, **UTM)
    np.testing.assert_array_equal(read_height_map(twelve).height, land())
    heights = read_height_map(saved(tmp_path / "grey.tif", land().astype(np.uint16) * 4, nbits=12))
    assert heights.unit is None and heights.numbers == (0, 4095)


@pytest.mark.parametrize(("name", "driver", "pixel_size_m"), [
    ("a.asc", "AAIGrid", 30), ("a.bil", "EHdr", 30), ("a.flt", "EHdr", 30), ("a.dat", "ENVI", 30),
    ("a.img", "ENVI", 30), ("a.bt", "BT", 30), ("a.xyz", "XYZ", 30), ("a.ter", "Terragen", 30),
    ("a.grd", "GSBG", None), ("a.grd", "GS7BG", None),
])  # fmt: skip
def test_formats_of_surveys_and_terrain_programs(
    tmp_path: Path, name: str, driver: str, pixel_size_m: float | None
) -> None:
    options = {"MINUSERPIXELVALUE": "0", "MAXUSERPIXELVALUE": "1000"} if driver == "Terragen" else {}
    values = land().astype(np.float64 if driver == "GS7BG" else np.float32)
    heights = read_height_map(saved(tmp_path / name, values, driver, **UTM, **options))
    np.testing.assert_allclose(heights.height, land(), atol=0.05)
    assert heights.unit == HeightUnit.METRES and heights.pixel_size_m == pixel_size_m


def test_text_grid_without_a_projection(tmp_path: Path) -> None:
    degrees = {"crs": "EPSG:4326", "transform": from_origin(7, 60, 1 / 3600, 1 / 3600)}
    for name, place, size in (("m", UTM, 30.0), ("deg", degrees, np.sqrt(30.95 * 15.50))):
        path = saved(tmp_path / f"{name}.asc", land(), "AAIGrid", **place)
        path.with_suffix(".prj").unlink()
        assert read_height_map(path).pixel_size_m == pytest.approx(size, rel=1e-3)


def test_text_grid_with_decimal_commas(tmp_path: Path) -> None:
    rows = "\n".join(" ".join(f"{row + col},5" for col in range(50)) for row in range(40))
    head = "NCOLS 50\nNROWS 40\nXLLCENTER 400000,5\nYLLCENTER 5000000,5\nCELLSIZE 30,5\nNODATA_VALUE -9999\n"
    (tmp_path / "a.asc").write_text(head + rows)
    heights = read_height_map(tmp_path / "a.asc")
    np.testing.assert_array_equal(heights.height[:2, :2], [[0.5, 1.5], [1.5, 2.5]])
    assert heights.pixel_size_m == 30.5


@pytest.mark.parametrize("name", ["a.bil", "a.asc", "a.flt"])
def test_the_projection_next_to_a_raster(tmp_path: Path, name: str) -> None:
    feet = {"crs": "EPSG:2263", "transform": from_origin(980_000, 200_000, 100, 100)}
    path = saved(tmp_path / name, land(), "AAIGrid" if name == "a.asc" else "EHdr", **feet)
    assert path.with_suffix(".prj").is_file()
    assert read_height_map(path).pixel_size_m == pytest.approx(30.48006, abs=1e-4)


@pytest.mark.parametrize(("name", "driver"), [("a.png", "PNG"), ("a.pgm", "PNM"), ("a.bmp", "BMP"), ("a.dt1", "DTED"),
                                              ("a.dem", "USGSDEM")])  # fmt: skip
def test_whole_numbers_in_other_formats(tmp_path: Path, name: str, driver: str) -> None:
    values = land(1201, 1201) if driver in ("DTED", "USGSDEM") else land()
    values = (values / 4).astype({"BMP": np.uint8, "PNG": np.uint16, "PNM": np.uint16}.get(driver, np.int16))
    place = {"crs": "EPSG:4326", "transform": from_origin(7 - 1 / 2400, 47 + 1 / 2400, 1 / 1200, 1 / 1200)}
    source = saved(tmp_path / "source.tif", values, **(place if values.dtype == np.int16 else {}))
    try:
        rasterio.shutil.copy(source, tmp_path / name, driver=driver)
    except Exception as error:  # GDAL from 3.12 on reads USGS DEM, and does not write it
        if "no create method" not in str(error):
            raise
        pytest.skip(f"this version of GDAL does not write {driver}")
    heights = read_height_map(tmp_path / name)
    np.testing.assert_array_equal(heights.height, values)
    size = np.sqrt(92.6 * 63.9) if values.dtype == np.int16 else None
    assert heights.pixel_size_m == (None if size is None else pytest.approx(size, rel=0.005))


def test_grass_ascii_grid(tmp_path: Path) -> None:
    rows = "\n".join(" ".join(f"{number:g}" for number in row) for row in land())
    head = "north: 5001440\nsouth: 5000000\neast: 401920\nwest: 400000\nrows: 48\ncols: 64\n"
    (tmp_path / "a.txt").write_text(head + rows)
    heights = read_height_map(tmp_path / "a.txt")
    np.testing.assert_array_equal(heights.height, land())
    assert heights.pixel_size_m == 30


def test_a_raster_without_its_header(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.bil", land(), "EHdr", **UTM)
    path.with_suffix(".hdr").unlink()
    with pytest.raises(InputFileError, match=r"put a\.hdr next to it"):
        read_height_map(path)


def hgt(folder: Path, name: str = "N46E007.hgt") -> tuple[Path, NDArray[np.generic]]:
    tile = land(1201, 1201).astype(">i2")
    tile[5:15, 20:30] = -32768
    tile.tofile(folder / name)
    return folder / name, tile


def test_srtm_tiles(tmp_path: Path) -> None:
    path, tile = hgt(tmp_path)
    with zipfile.ZipFile(tmp_path / "N46E007.SRTMGL3.hgt.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(path, path.name)
    with gzip.open(tmp_path / "N46E007.hgt.gz", "wb") as file:
        file.write(path.read_bytes())
    for packed in sorted(tmp_path.iterdir()):
        heights = read_height_map(packed)
        known = tile != -32768
        np.testing.assert_array_equal(heights.height[known], tile[known])
        assert heights.gaps.declared == 100 and heights.gaps.suspected == 0
        assert heights.pixel_size_m == pytest.approx(np.sqrt(92.6 * 63.9), rel=0.003)
    # The name of the tile counts, not that of the zip file.
    for tile_name, size in (("N46E007.hgt", 76.8), ("alps.hgt", None)):
        with zipfile.ZipFile(tmp_path / "download.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(path, f"folder/{tile_name}")
        heights = read_height_map(tmp_path / "download.zip")
        assert heights.pixel_size_m == (None if size is None else pytest.approx(size, rel=0.003))
        np.testing.assert_array_equal(heights.height[known], tile[known])
    assert read_height_map(hgt(tmp_path, "alps.hgt")[0]).pixel_size_m is None


def test_names_of_srtm_tiles(tmp_path: Path) -> None:
    for name, north in (("n46_e007_1arc_v3.hgt", 46.5), ("s01w080.hgt", 0.5), ("N46E007.HGT", 46.5)):
        path, _ = hgt(tmp_path, name)
        size = 92.5 * np.sqrt(np.cos(np.radians(north)))
        assert read_height_map(path).pixel_size_m == pytest.approx(size, rel=0.005)


def test_big_endian_numbers_with_a_header(tmp_path: Path) -> None:
    """GTOPO30 and SRTM30, whose suffix is that of USGS DEM."""
    land().astype(">i2").tofile(tmp_path / "E020N40.DEM")
    (tmp_path / "E020N40.HDR").write_text(
        "BYTEORDER M\nLAYOUT BIL\nNROWS 48\nNCOLS 64\nNBANDS 1\nNBITS 16\nNODATA -9999\n"
        "ULXMAP 20.004166667\nULYMAP 39.995833333\nXDIM 0.008333333\nYDIM 0.008333333\n"
    )
    heights = read_height_map(tmp_path / "E020N40.DEM")
    np.testing.assert_array_equal(heights.height, land())
    assert heights.pixel_size_m == pytest.approx(np.sqrt(925 * 712), rel=0.01)


def test_a_local_system_has_a_pixel_size(tmp_path: Path) -> None:
    local = 'LOCAL_CS["site",UNIT["foot",0.3048],AXIS["x",EAST],AXIS["y",NORTH]]'
    path = saved(tmp_path / "a.tif", land(), crs=local, transform=from_origin(0, 0, 10, 10))
    assert read_height_map(path).pixel_size_m == pytest.approx(3.048)


def test_zip_files_of_other_content(tmp_path: Path) -> None:
    path, _ = hgt(tmp_path)
    for count, message in ((0, "has no raster in it"), (2, "has 2 rasters in it")):
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            archive.writestr("readme.txt", "text")
            for number in range(count):
                archive.write(path, f"N46E00{number}.hgt")
        with pytest.raises(InputFileError, match=message):
            read_height_map(tmp_path / "a.zip")
    data = (tmp_path / "a.zip").read_bytes()
    (tmp_path / "cut.zip").write_bytes(data[: len(data) // 2])
    with pytest.raises(InputFileError, match="damaged or cut short"):
        read_height_map(tmp_path / "cut.zip")


def test_a_picture_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    """GDAL can take it for a whole one, with whatever was in memory in place of the rows that are missing."""
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 4), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.png")
    data = (tmp_path / "a.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(data[: len(data) // 2])
    for read in (read_height_map, read_colours):
        with pytest.raises(InputFileError, match="damaged or cut short"):
            read(tmp_path / "cut.png")


def test_a_zip_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed_rasters, "_MAX_UNPACKED", 1_000_000)
    path, _ = hgt(tmp_path)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(path, path.name)
    with gzip.open(tmp_path / "N46E007.hgt.gz", "wb") as file:
        file.write(path.read_bytes())
    for packed in ("a.zip", "N46E007.hgt.gz"):
        with pytest.raises(InputFileError, match="when unpacked"):
            read_height_map(tmp_path / packed)
    monkeypatch.undo()
    monkeypatch.setattr(main_memory, "free_memory", lambda: 1 << 20)
    for packed in ("a.zip", "N46E007.hgt.gz"):
        with pytest.raises(InputFileError, match="of memory and"):
            read_height_map(tmp_path / packed)


def test_a_zip_file_with_a_huge_directory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    end = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 1, 1, 0xFFFF_FFF0, 0, 0)
    with path.open("wb") as file:
        file.write(b"PK\3\4")
        file.truncate(0xFFFF_FFF0)
        file.seek(0, os.SEEK_END)
        file.write(end)
    for read in (read_height_map, kind_of):
        with pytest.raises(InputFileError, match="damaged"):
            read(path)


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("channels", ["Y", "height", "RGB", "RGBA"])
def test_openexr(tmp_path: Path, dtype: str, channels: str) -> None:
    values = land().astype(dtype)
    pixels = values if channels in ("Y", "height") else np.dstack([values] * len(channels))
    OpenEXR.File({}, {channels: pixels}).write(str(tmp_path / "a.exr"))
    heights = read_height_map(tmp_path / "a.exr")
    np.testing.assert_array_equal(heights.height, values)
    assert heights.unit == HeightUnit.METRES and heights.pixel_size_m is None and heights.gaps.count == 0


def test_openexr_that_holds_no_heights(tmp_path: Path) -> None:
    OpenEXR.File({}, {"RGB": np.dstack([land(), land() * 2, land()])}).write(str(tmp_path / "a.exr"))
    with pytest.raises(InputFileError, match="3 bands that differ"):
        read_height_map(tmp_path / "a.exr")


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
    assert heights.pixel_size_m == pytest.approx(480) and "1,920 × 1,440 px" in heights.notes[-1]
    np.testing.assert_array_equal(read_height_map(path).height, values)


def test_larger_than_a_map(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.tif", np.zeros((40, 17_000), np.uint8), compress="lzw")
    with pytest.raises(InputFileError, match="is 17,000 px wide; a map has at most 16,384"):
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


VRT = """<VRTDataset rasterXSize="{cols}" rasterYSize="{rows}"><VRTRasterBand dataType="Float32" band="1"><SimpleSource>
<SourceFilename>{source}</SourceFilename><SourceBand>1</SourceBand></SimpleSource></VRTRasterBand></VRTDataset>"""


def test_no_file_makes_gdal_open_another(tmp_path: Path) -> None:
    secret = saved(tmp_path / "secret.tif", np.full((48, 64), 7777, np.float32))
    other = tmp_path / "other.vrt"
    other.write_text(VRT.format(cols=64, rows=48, source=secret))
    with pytest.raises(InputFileError, match="not a raster"):
        read_height_map(other)
    for suffix in (".tif", ".png", ".hgt", ".asc"):
        renamed = tmp_path / f"N46E007{suffix}"
        renamed.write_bytes(other.read_bytes())
        with pytest.raises(InputFileError, match=r"not a raster|damaged"):
            read_height_map(renamed)
    path = saved(tmp_path / "a.tif", np.kron(land(), np.ones((4, 4), np.float32)), **UTM)
    for beside in (".ovr", ".msk", ".aux.xml"):
        (tmp_path / f"a.tif{beside}").write_bytes(other.read_bytes())
    (tmp_path / "a.tif.aux.xml").write_text(
        f'<PAMDataset><Metadata domain="OVERVIEWS"><MDI key="OVERVIEW_FILE">{other}</MDI></Metadata></PAMDataset>'
    )
    for longest_px in (None, 64):
        assert read_height_map(path, longest_px).height.max() < 1000
    with rasterio.open(path, "r+") as file:
        file.update_tags(ns="OVERVIEWS", OVERVIEW_FILE=str(other))
    (tmp_path / "a.tif.aux.xml").unlink(missing_ok=True)
    with pytest.raises(InputFileError, match="refers to another file"):
        read_height_map(path, 64)


def test_headers_of_strangers(tmp_path: Path) -> None:
    """The header of a BIL file says where its numbers are; it must not reach beyond the file or name another."""
    path = saved(tmp_path / "a.bil", land(), "EHdr", **UTM)
    saved(tmp_path / "secret.tif", np.full((48, 64), 7777, np.float32))
    header = path.with_suffix(".hdr").read_text()
    (tmp_path / "a.prj").write_bytes(b"\xff\0" * 50)
    (tmp_path / "a.clr").write_text("not numbers")
    (tmp_path / "a.stx").write_text("1 0 99999")
    (tmp_path / "a.bil.ovr").write_text(VRT.format(cols=32, rows=24, source=tmp_path / "secret.tif"))
    np.testing.assert_array_equal(read_height_map(path).height, land())
    for line in ("NROWS 2000000000", "NCOLS 99999999", "NBANDS 100000", "SKIPBYTES 999999999999",
                 "NROWS -4"):  # fmt: skip
        key = line.split()[0]
        kept = [text for text in header.splitlines() if not text.upper().startswith(key)]
        path.with_suffix(".hdr").write_text("\n".join([*kept, line]) + "\n")
        with pytest.raises(InputFileError):
            read_height_map(path)


@pytest.mark.parametrize("text", ["http://127.0.0.1:9/a", "+init=/etc/hosts:x", "/etc/hosts", "EPSG:4326", "\0", ""])
def test_a_projection_that_is_no_well_known_text_is_ignored(tmp_path: Path, text: str) -> None:
    path = saved(tmp_path / "a.bil", land(), "EHdr", **UTM)
    path.with_suffix(".prj").write_text(text)
    assert read_height_map(path).pixel_size_m == 30


def test_erdas_imagine_and_the_files_that_it_names(tmp_path: Path) -> None:
    assert read_height_map(saved(tmp_path / "a.img", land(), "HFA", compressed="yes", **UTM)).pixel_size_m == 30
    path = saved(tmp_path / "b.img", land(), "HFA", use_spill="yes", **UTM)
    np.testing.assert_array_equal(read_height_map(path).height, land())
    # The same file with the name of another one in its place.
    (tmp_path / "b.ige").rename(tmp_path / "c.ige")
    path.write_bytes(path.read_bytes().replace(b"b.ige", b"c.ige"))
    with pytest.raises(InputFileError, match="damaged or cut short"):
        read_height_map(path)


@pytest.mark.parametrize("stem", ["a#b?c", "a:b", "100% ü", "a!b", "zip+a", "a,b;c", "(a) [b] {c}", "-a", "~"])
def test_names_with_other_characters(tmp_path: Path, stem: str) -> None:
    for suffix, driver in ((".tif", "GTiff"), (".bil", "EHdr"), (".asc", "AAIGrid")):
        plain = saved(tmp_path / f"plain{suffix}", land(), driver, **UTM)
        for file in tmp_path.glob(f"{plain.stem}.*"):
            file.rename(tmp_path / f"{stem}{file.suffix}")
        np.testing.assert_array_equal(read_height_map(tmp_path / f"{stem}{suffix}").height, land())


@pytest.mark.parametrize("name", ["/vsicurl/http://127.0.0.1:9/a.tif", "/vsizip//tmp/a.zip/a.tif", "http://127.0.0.1:9/a.tif",
                                  "NETCDF:a.nc", "a\0b.tif"])  # fmt: skip
def test_names_that_are_no_files(name: str) -> None:
    with pytest.raises(InputFileError, match=r"no such file|not the name of a file"):
        read_height_map(Path(name))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_pipes_and_devices_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.tif")
    for path in (tmp_path / "a.tif", Path("/dev/zero")):
        with pytest.raises(InputFileError, match="is a pipe or a device"):
            read_height_map(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize(
    ("name", "driver"),
    [("a.tif", "GTiff"), ("a.asc", "AAIGrid"), ("a.bt", "BT"), ("a.img", "HFA"), ("a.grd", "GSBG"), ("a.bil", "EHdr")],
)
def test_what_is_no_file_next_to_a_raster_is_not_opened(tmp_path: Path, name: str, driver: str) -> None:
    """Pipes, and projections that are huge."""
    saved(tmp_path / "land.tif", land(), **UTM)
    rasterio.shutil.copy(tmp_path / "land.tif", tmp_path / name, driver=driver)
    plain = read_height_map(tmp_path / name).height
    for suffix in (".prj", ".PRJ", ".tfw", ".wld", ".ovr", ".ige", ".json", ".clr", ".stx"):
        (tmp_path / name).with_suffix(suffix).unlink(missing_ok=True)
        os.mkfifo((tmp_path / name).with_suffix(suffix))
    np.testing.assert_array_equal(read_height_map(tmp_path / name).height, plain)
    (tmp_path / "a.prj").unlink()
    with (tmp_path / "a.prj").open("wb") as file:
        file.truncate(20 << 30)
    np.testing.assert_array_equal(read_height_map(tmp_path / name).height, plain)


def test_damaged_files_and_silence(tmp_path: Path) -> None:
    """Also what libraries print from C reaches neither standard output nor standard error."""
    saved(tmp_path / "a.tif", land(), compress="zstd", **UTM)
    saved(tmp_path / "b.png", land().astype(np.uint16), "PNG")
    saved(tmp_path / "c.jpg", (land() / 4).astype(np.uint8), "JPEG")
    OpenEXR.File({}, {"Y": land()}).write(str(tmp_path / "d.exr"))
    hgt(tmp_path, "N46E007.hgt")
    saved(tmp_path / "f.bil", land(), "EHdr", **UTM)
    saved(tmp_path / "g.asc", land(), "AAIGrid", **UTM)
    names = [path.name for path in tmp_path.iterdir() if path.suffix not in (".hdr", ".prj", ".xml", ".stx")]
    for name in names:
        data = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(data[: len(data) * 2 // 3])
    code = (
        "import sys\nfrom pathlib import Path\nfrom terrainpaint.core.importing import read_height_map\n"
        "from terrainpaint.errors import InputFileError\nmessages = []\n"
        "for name in sys.argv[1:]:\n    try:\n        read_height_map(Path(name))\n"
        "    except InputFileError as error:\n        messages.append(str(error))\n"
        "assert len(messages) == len(sys.argv) - 1, messages\n"
        "assert all('damaged or cut short' in text for text in messages), messages"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *names], cwd=tmp_path, capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_threads_can_read_at_the_same_time(tmp_path: Path) -> None:
    paths = [saved(tmp_path / f"{number}.tif", land() + number, **UTM) for number in range(4)]
    lowest: dict[int, float] = {}

    def read(number: int) -> None:
        lowest[number] = float(read_height_map(paths[number]).height.min())

    threads = [threading.Thread(target=read, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert lowest == {number: float(land().min()) + number for number in range(4)}
