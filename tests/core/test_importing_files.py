"""Reading height maps of many formats."""

from __future__ import annotations

import dataclasses
import json
import os
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from terrainpaint.core.importing import (
    HeightUnit,
    RawFormat,
    RawNumber,
    is_raw,
    likely_raw_format,
    raw_sizes,
    read_height_map,
    read_raw_heights,
    sample_raw_heights,
)
from terrainpaint.core.importing.raw_heights import open_raw
from terrainpaint.errors import InputFileError
from tests.core.test_map_files import chunk

rasterio = pytest.importorskip("rasterio", reason="GeoTIFF files to read are written with rasterio")


def ramp(dtype: str) -> NDArray[np.generic]:
    """(40, 50) without two equal rows or columns."""
    values = np.arange(2000).reshape(40, 50) * (1 if dtype != "uint8" else 1 / 8)
    return values.astype(dtype)


def geotiff(path: Path, values: NDArray[np.generic], **options: object) -> Path:
    profile = {"driver": "GTiff", "height": values.shape[0], "width": values.shape[1], "count": 1} | options
    with rasterio.open(path, "w", dtype=values.dtype, **profile) as file:
        file.write(values, 1)
    return path


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "uint32", "int32", "float32", "float64"])
@pytest.mark.parametrize("options", [{}, {"compress": "deflate", "tiled": True, "blockxsize": 16, "blockysize": 16},
                                     {"compress": "lzw", "predictor": 2}, {"BIGTIFF": "YES"}])  # fmt: skip
def test_tiff_of_every_kind(tmp_path: Path, dtype: str, options: dict[str, object]) -> None:
    if "predictor" in options and dtype.startswith("float"):
        options = options | {"predictor": 3}
    heights = read_height_map(geotiff(tmp_path / "a.tif", ramp(dtype), **options))
    np.testing.assert_array_equal(heights.height, ramp(dtype))
    assert heights.height.dtype == np.float32
    full = {"uint8": 255.0, "uint16": 65535.0, "uint32": 4294967295.0}
    if dtype in full:
        assert heights.unit is None and heights.numbers == (0.0, full[dtype])
        assert heights.suggested == (HeightUnit.RANGE if dtype == "uint8" else HeightUnit.METRES)
    else:
        assert heights.unit == HeightUnit.METRES and heights.in_metres() is heights
    assert heights.gaps.count == 0 and heights.gaps.mask is None and heights.pixel_size_m is None
    assert heights.notes == ()


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_png_with_grey_in_any_number_of_channels(tmp_path: Path, dtype: str, channels: int) -> None:
    values = ramp(dtype)
    picture = values if channels == 1 else np.dstack([values] * 3 + [np.full_like(values, 200)] * (channels - 3))
    cv2.imwrite(str(tmp_path / "a.png"), picture)
    heights = read_height_map(tmp_path / "a.png")
    np.testing.assert_array_equal(heights.height, values)
    full = float(np.iinfo(dtype).max)
    assert heights.unit is None and heights.numbers == (0.0, full)
    metres = heights.in_metres(HeightUnit.RANGE, -100.0, 90_000.0)
    np.testing.assert_allclose(metres.height, values / full * 90_100 - 100, rtol=1e-5, atol=1e-3)
    assert metres.unit == HeightUnit.METRES and metres.in_metres() is metres
    np.testing.assert_array_equal(heights.in_metres(HeightUnit.METRES).height, values)
    np.testing.assert_allclose(heights.in_metres(HeightUnit.FEET).height, values * 0.3048, rtol=1e-6)
    for refused in ((), (HeightUnit.RANGE,), (HeightUnit.RANGE, 5.0, 5.0)):
        with pytest.raises(ValueError, match=r"height|unit"):
            heights.in_metres(*refused)


def test_float_heights_within_0_to_1_have_no_unit(tmp_path: Path) -> None:
    heights = read_height_map(geotiff(tmp_path / "a.tif", ramp("float32") / 2000))
    assert (heights.unit, heights.suggested, heights.numbers) == (None, HeightUnit.RANGE, (0.0, 1.0))
    heights = read_height_map(geotiff(tmp_path / "b.tif", ramp("float32") / 2000 - 0.25))
    assert (heights.unit, heights.numbers) == (None, (-0.25, 1.0))
    np.testing.assert_allclose(
        heights.in_metres(HeightUnit.RANGE, -250, 1000).height, ramp("float32") / 2 - 250, atol=0.01
    )


def test_a_geotiff_has_metres_and_a_pixel_size(tmp_path: Path) -> None:
    place = rasterio.transform.from_origin(5e5, 5e6, 30, 30)
    heights = read_height_map(geotiff(tmp_path / "a.tif", ramp("uint16"), crs="EPSG:32633", transform=place))
    assert heights.unit == HeightUnit.METRES and heights.pixel_size_m == pytest.approx(30.0)
    feet = read_height_map(geotiff(tmp_path / "f.tif", ramp("uint16"), crs="EPSG:2229", transform=place))
    assert feet.pixel_size_m == pytest.approx(30.0 * 0.3048, rel=1e-5)
    degrees = rasterio.transform.from_origin(10.0, 60.0 + 20 / 3600, 1 / 3600, 1 / 3600)
    heights = read_height_map(geotiff(tmp_path / "b.tif", ramp("int16"), crs="EPSG:4326", transform=degrees))
    assert heights.pixel_size_m == pytest.approx(np.sqrt(30.95 * 15.50), rel=1e-3)


@pytest.mark.parametrize(("dtype", "gap", "no_data"), [
    ("int16", -32768, None), ("int16", -9999, None), ("uint16", 65535, 65535), ("float32", np.nan, None),
    ("float32", -3.4e38, None), ("float32", 7e5, 7e5), ("float64", np.inf, None),
])  # fmt: skip
def test_gaps_are_filled_from_their_surroundings(tmp_path: Path, dtype: str, gap: float, no_data: float | None) -> None:
    values = np.tile(np.linspace(100, 300, 80), (60, 1)).astype(dtype)
    whole = values.astype(np.float32)
    values[20:33, 30:50] = gap
    values[:5, :5] = gap
    place = rasterio.transform.from_origin(5e5, 5e6, 30, 30)
    path = geotiff(tmp_path / "a.tif", values, nodata=no_data, crs="EPSG:32633", transform=place)
    heights = read_height_map(path)
    assert heights.gaps.count == 13 * 20 + 25
    assert heights.gaps.fraction == pytest.approx(285 / 4800)
    assert heights.gaps.mask is not None and np.count_nonzero(heights.gaps.mask) == 285
    declared = no_data is not None or not abs(gap) < 1e30
    assert heights.gaps.values == (() if declared else (gap,))
    assert ("does not declare" in heights.notes[0]) != declared and "285 pixels (6 %)" in heights.notes[0]
    known = np.ones(values.shape, bool)
    known[20:33, 30:50] = known[:5, :5] = False
    np.testing.assert_array_equal(heights.height[known], whole[known])
    assert np.abs(heights.height - whole).max() < 40


def test_a_file_with_gaps_only(tmp_path: Path) -> None:
    path = geotiff(tmp_path / "a.tif", np.full((40, 40), -32768, np.int16))
    with pytest.raises(InputFileError, match="only gaps"):
        read_height_map(path)


def test_an_exported_height_map_has_metres(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a_height16.png"), ramp("uint16") * np.uint16(32))
    facts = {"height_min_m": -50.0, "height_max_m": 1950.0, "pixel_size_m": 30.0, "sea_level_m": 0.0}
    sidecar = tmp_path / "a_height16.json"
    sidecar.write_text(json.dumps(facts))
    heights = read_height_map(tmp_path / "a_height16.png")
    assert heights.unit == HeightUnit.METRES and heights.pixel_size_m == 30.0
    np.testing.assert_allclose(heights.height, ramp("uint16") * 32 / 65535 * 2000 - 50, atol=1e-3)
    for broken in ("", "[]", '{"height_min_m": NaN, "height_max_m": 1, "pixel_size_m": 1}', '{"height_min_m": "x"}'):
        sidecar.write_text(broken)
        assert read_height_map(tmp_path / "a_height16.png").unit is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_next_to_a_height_map_is_not_waited_for(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a_height16.png"), ramp("uint16"))
    os.mkfifo(tmp_path / "a_height16.json")
    assert read_height_map(tmp_path / "a_height16.png").unit is None


@pytest.mark.parametrize("big_endian", [False, True])
def test_raw(tmp_path: Path, big_endian: bool) -> None:
    path = tmp_path / "a.r16"
    ramp("uint16").astype(">u2" if big_endian else "<u2").tofile(path)
    heights = read_raw_heights(path, RawFormat(40, 50, big_endian))
    np.testing.assert_array_equal(heights.height, ramp("uint16"))
    assert heights.unit is None and heights.numbers == (0.0, 65535.0)
    np.testing.assert_array_equal(sample_raw_heights(path, RawFormat(40, 50, big_endian), 25), ramp("uint16")[::2, ::2])
    for read in (read_raw_heights, lambda *arguments: sample_raw_heights(*arguments, 40)):
        with pytest.raises(InputFileError, match="has 4000 bytes"):
            read(path, RawFormat(40, 40))


def test_a_raw_file_that_becomes_shorter_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.raw"
    # Larger than a page of memory: a file that is mapped would end the process.
    np.zeros((512, 512), np.uint16).tofile(path)
    with open_raw(path, RawFormat(512, 512)) as raster:
        os.truncate(path, 1000)
        with pytest.raises(InputFileError, match="is cut short"):
            raster.rows(500, 512)


def test_sizes_of_raw_files(tmp_path: Path) -> None:
    path = tmp_path / "a.raw"
    path.write_bytes(bytes(2 * 64 * 96))
    assert raw_sizes(path) == ((192, 32), (128, 48), (96, 64), (64, 96), (48, 128), (32, 192))
    # Nothing in the file distinguishes these sizes.
    assert likely_raw_format(path) in (RawFormat(64, 96), RawFormat(96, 64))
    path.write_bytes(bytes(2 * 64 * 64))
    assert likely_raw_format(path) == RawFormat(64, 64)
    for size in (0, 2 * 64 * 64 + 1, 2 * 31 * 31, 2 * 8191):
        path.write_bytes(bytes(size))
        assert raw_sizes(path) == ()
    for size in (0, 99):
        path.write_bytes(bytes(size))
        with pytest.raises(InputFileError, match=f"has {size} bytes"):
            likely_raw_format(path)


@pytest.mark.parametrize(
    "layout", [RawFormat(96, 240), RawFormat(240, 96, True), RawFormat(60, 384), RawFormat(128, 128, True)]
)
def test_the_likely_format_of_a_raw_file(tmp_path: Path, layout: RawFormat) -> None:
    rough = np.random.default_rng(5).normal(30_000, 8_000, (12, 12)).astype(np.float32)
    land = cv2.resize(rough, (layout.width, layout.height), interpolation=cv2.INTER_CUBIC).clip(0, 65535)
    land.astype(">u2" if layout.big_endian else "<u2").tofile(tmp_path / "a.raw")
    assert likely_raw_format(tmp_path / "a.raw") == layout


@pytest.mark.parametrize("number", RawNumber)
@pytest.mark.parametrize("big_endian", [False, True])
@pytest.mark.parametrize("shape", [(120, 160), (257, 129), (96, 96)])
@pytest.mark.parametrize("relief", ["rough", "smooth", "low"])
def test_kind_size_and_order_of_raw_files_are_guessed(
    tmp_path: Path, number: RawNumber, big_endian: bool, shape: tuple[int, int], relief: str
) -> None:
    layout = RawFormat(*shape, big_endian and number.size > 1, number)
    random = np.random.default_rng(8)
    land = sum(
        weight * cv2.resize(random.normal(0, 1, (count, count)), shape[::-1], interpolation=cv2.INTER_CUBIC)
        for count, weight in ((5, 0.2), (12, 0.06), (40, 0.02 if relief == "rough" else 0.002))
    )
    middle, spread = {
        RawNumber.UINT8: (128.0, 200.0),
        RawNumber.UINT16: (30_000.0, 50_000.0),
        RawNumber.INT16: (300.0, 3000.0),
        RawNumber.FLOAT32: (300.0, 3000.0),
    }[number]
    values = middle + spread * land / (4 if relief == "low" else 1)
    if number is not RawNumber.FLOAT32:
        limits = np.iinfo(number.value)
        values = np.rint(values).clip(limits.min, limits.max)
    path = tmp_path / "a.raw"
    values.astype(layout.dtype).tofile(path)
    guessed = likely_raw_format(path)
    if number is RawNumber.INT16 and values.min() >= 0:
        assert guessed == dataclasses.replace(layout, number=RawNumber.UINT16)
    else:
        assert guessed == layout
    np.testing.assert_array_equal(read_raw_heights(path, layout).height, values.astype(np.float32))


def test_the_meaning_of_raw_numbers(tmp_path: Path) -> None:
    path = tmp_path / "a.raw"
    units = {}
    for number in RawNumber:
        (ramp("float32") / 8 + 1).astype(number.value).tofile(path)
        heights = read_raw_heights(path, RawFormat(40, 50, False, number))
        units[number] = heights.unit, heights.numbers[1]
    assert units[RawNumber.UINT8] == (None, 255.0) and units[RawNumber.UINT16] == (None, 65535.0)
    assert units[RawNumber.INT16][0] == units[RawNumber.FLOAT32][0] == HeightUnit.METRES
    for suffix, number in ((".r8", RawNumber.UINT8), (".r32", RawNumber.FLOAT32)):
        path = tmp_path / f"a{suffix}"
        path.write_bytes(bytes(64 * 64 * number.size))
        assert is_raw(path) and likely_raw_format(path) == RawFormat(64, 64, False, number)


def empty_png(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 16, 0, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(bytes(99)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")


@pytest.mark.parametrize(("data", "message"), [
    (b"", "not a raster"),
    (b"no picture at all", "not a raster"),
    (empty_png(20_000, 20_000), "20000 px wide; a map has at most 16384"),
    (empty_png(31, 64), "31 x 64 pixels; a map has at least 32"),
    (empty_png(64, 64)[:60], "damaged or cut short"),
    (b"II\x2a\0\xff\xff\xff\x7f", "damaged or cut short"),
    (b"MM\0\x2b\0\x08\0\0\0\0\0\0\0\0\0\x10", "damaged or cut short"),
])  # fmt: skip
def test_files_that_are_not_height_maps(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(data)
    with pytest.raises(InputFileError, match=message) as caught:
        read_height_map(path)
    assert str(caught.value).startswith(str(path)) and str(caught.value).endswith(".")


def test_huge_tiffs_are_refused_by_their_header(tmp_path: Path) -> None:
    path = geotiff(tmp_path / "a.tif", np.zeros((32, 17_000), np.uint8), compress="deflate")
    with pytest.raises(InputFileError, match="at most 16384"):
        read_height_map(path)
    with pytest.raises(InputFileError, match="at most 16384"):
        read_raw_heights(path, RawFormat(32, 17_000))


def test_colour_pictures_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8))
    with pytest.raises(InputFileError, match="colour picture"):
        read_height_map(path)
    two = {"driver": "GTiff", "height": 40, "width": 40, "count": 2, "dtype": "int16"}
    with rasterio.open(path.with_suffix(".tif"), "w", **two) as file:
        file.write(np.full((40, 40), 7, np.int16), 1)
    with pytest.raises(InputFileError, match="has 2 bands that differ"):
        read_height_map(path.with_suffix(".tif"))


def test_no_file(tmp_path: Path) -> None:
    for read in (read_height_map, raw_sizes, likely_raw_format):
        with pytest.raises(InputFileError, match="there is no such file"):
            read(tmp_path / "none.png")
    with pytest.raises(InputFileError, match="there is no such file"):
        read_raw_heights(tmp_path / "none.raw", RawFormat(40, 40))
    with pytest.raises(InputFileError, match="is a folder"):
        read_height_map(tmp_path)


def test_absurd_heights(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match=r"over 10\^9"):
        read_height_map(geotiff(tmp_path / "a.tif", np.full((40, 40), 1e10, np.float32)))
