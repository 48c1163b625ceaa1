"""Heights from rasters of many formats."""

from __future__ import annotations

import gzip
import struct
import zipfile
from pathlib import Path

import numpy as np
import OpenEXR
import pytest
import rasterio
import rasterio.shutil
from rasterio.transform import from_origin

from terrainpaint.core.importing import (
    HeightUnit,
    read_height_map,
)
from terrainpaint.errors import InputFileError
from tests.core.rasters import UTM, hgt, land, saved


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
