"""Colours of rasters that are not ordinary pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from PIL import Image
from rasterio.transform import from_origin

from terrainpaint.core.importing import read_colours
from terrainpaint.errors import InputFileError

RGB = np.random.default_rng(4).integers(0, 256, (48, 64, 3), dtype=np.uint8)


def tiff(path: Path, bands: NDArray[Any], **options: Any) -> Path:
    """A GeoTIFF of bands (n, H, W)."""
    profile = {
        "driver": "GTiff", "count": len(bands), "height": bands.shape[1], "width": bands.shape[2],
        "dtype": bands.dtype.name, "crs": "EPSG:32633", "transform": from_origin(4e5, 5e6, 30, 30),
    }  # fmt: skip
    with rasterio.open(path, "w", **(profile | options)) as dataset:
        dataset.write(bands)
    return path


def bands_of(rgb: NDArray[Any]) -> NDArray[Any]:
    return np.moveaxis(rgb, -1, 0)


@pytest.mark.parametrize("options", [
    {"compress": "deflate"}, {"compress": "zstd"}, {"compress": "lzma"}, {"compress": "lerc"},
    {"compress": "webp", "webp_lossless": True}, {"interleave": "band", "tiled": True, "blockxsize": 16,
                                                  "blockysize": 16},
])  # fmt: skip
def test_any_compression(tmp_path: Path, options: dict[str, Any], capfd: pytest.CaptureFixture[str]) -> None:
    picture = read_colours(tiff(tmp_path / "a.tif", bands_of(RGB), photometric="rgb", **options))
    np.testing.assert_array_equal(picture.rgb, RGB)
    assert picture.alpha is None and capfd.readouterr() == ("", "")


def test_dark_numbers_of_a_satellite_are_shown_from_black_to_white(tmp_path: Path) -> None:
    reflectance = (RGB.astype(np.uint16) * 10 + 200).astype(np.uint16)
    picture = read_colours(tiff(tmp_path / "a.tif", bands_of(reflectance), photometric="rgb"))
    assert np.abs(picture.rgb.astype(int) - RGB).max() <= 4
    assert "are shown from black to white" in picture.notes[0]


def test_the_first_three_bands_of_many_are_used_and_gaps_are_see_through(tmp_path: Path) -> None:
    bands = np.concatenate([bands_of(RGB), bands_of(RGB)]).astype(np.float32) / 255
    bands[:, :10] = -1
    picture = read_colours(tiff(tmp_path / "a.tif", bands, nodata=-1))
    assert picture.notes[0] == "It has 6 bands; the first three are used."
    assert picture.see_through is not None
    assert picture.see_through[:10].all() and not picture.see_through[10:].any()
    assert np.abs(picture.rgb.astype(int) - RGB)[10:].max() <= 4


def test_north_is_on_top(tmp_path: Path) -> None:
    south_up = from_origin(4e5, 5e6, 30, -30)
    path = tiff(tmp_path / "a.tif", bands_of(RGB[::-1]), photometric="rgb", transform=south_up)
    np.testing.assert_array_equal(read_colours(path).rgb, RGB)


def test_large_rasters_are_reduced(tmp_path: Path) -> None:
    large = np.repeat(np.repeat(RGB, 4, axis=0), 4, axis=1)
    picture = read_colours(tiff(tmp_path / "a.tif", bands_of(large), compress="lerc"), longest_px=64)
    assert np.abs(picture.rgb.astype(int) - RGB).max() <= 1
    assert picture.file_shape == (192, 256)
    assert picture.notes[-1] == "It was reduced from 256 × 192 to 64 × 48 pixels."


def test_ordinary_pictures_are_read_as_they_are(tmp_path: Path) -> None:
    Image.fromarray(RGB).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_colours(tmp_path / "a.png").rgb, RGB)
    Image.fromarray(RGB // 8).save(tmp_path / "night.png")
    np.testing.assert_array_equal(read_colours(tmp_path / "night.png").rgb, RGB // 8)


@pytest.mark.parametrize("compress", ["lzw", "deflate", "zstd", "jpeg"])
def test_a_damaged_tiff_says_so_and_prints_nothing(
    tmp_path: Path, compress: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tiff(tmp_path / "a.tif", bands_of(RGB), photometric="rgb", compress=compress)
    path.write_bytes(path.read_bytes()[:-1500])
    with pytest.raises(InputFileError, match="damaged or cut short"):
        read_colours(path)
    assert capfd.readouterr() == ("", "")
