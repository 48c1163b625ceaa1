"""Decoding of pictures of unknown origin."""

from __future__ import annotations

import io
import os
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from PIL import Image, ImageCms, PngImagePlugin

from terrainpaint.core import main_memory
from terrainpaint.core.decoding import (
    PICTURE_FORMATS,
    UndecodableError,
    describe_picture,
    is_upright,
    load_pixels,
    open_picture,
    read_picture,
)
from terrainpaint.core.files import write_image
from terrainpaint.core.importing import read_colours
from terrainpaint.core.map_files import read_map_nearest
from terrainpaint.core.opencv_decoding import decoded
from terrainpaint.errors import DeviceError, InputFileError, MapError
from tests.core.test_map_files import chunk

RGB = np.random.default_rng(3).integers(0, 256, (20, 30, 3), dtype=np.uint8)


def png() -> bytes:
    return cv2.imencode(".png", RGB[:, :, ::-1])[1].tobytes()


def test_both_libraries_decode_the_same_picture() -> None:
    picture = open_picture(io.BytesIO(png()))
    load_pixels(picture)
    np.testing.assert_array_equal(np.asarray(picture), RGB)
    np.testing.assert_array_equal(decoded(png()), RGB[:, :, ::-1])


@pytest.mark.parametrize("data", [b"", b"no picture", png()[:20]])
def test_other_bytes_are_undecodable(data: bytes) -> None:
    with pytest.raises(UndecodableError):
        decoded(data)
    with pytest.raises(UndecodableError):
        open_picture(io.BytesIO(data))


def test_a_picture_that_is_cut_short_is_undecodable() -> None:
    picture = open_picture(io.BytesIO(png()[:-300]))
    with pytest.raises(UndecodableError):
        load_pixels(picture)


def test_an_error_of_the_system_is_passed_on(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_picture(tmp_path / "none.png")


def test_the_pixel_limit_of_pillow_is_lifted_and_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    assert open_picture(io.BytesIO(png())).size == (30, 20)
    assert Image.MAX_IMAGE_PIXELS == 10


def test_pictures_are_read_from_files(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", RGB[:, :, ::-1])
    np.testing.assert_array_equal(read_picture(tmp_path / "a.png").rgb, RGB)
    with pytest.raises(InputFileError, match="no such file"):
        read_picture(tmp_path / "none.png")


def saved(path: Path, picture: Image.Image, **options: Any) -> Path:
    picture.save(path, **options)
    return path


def halves(left: int, right: int) -> NDArray[np.uint8]:
    """(20, 30) uint8."""
    return np.tile(np.repeat(np.array([left, right], np.uint8), 15), (20, 1))


def test_an_opaque_alpha_channel_is_dropped(tmp_path: Path) -> None:
    picture = read_picture(saved(tmp_path / "a.png", Image.fromarray(np.dstack([RGB, halves(255, 255)]))))
    assert picture.alpha is None and picture.see_through is None and not picture.notes
    np.testing.assert_array_equal(picture.rgb, RGB)
    np.testing.assert_array_equal(picture.over((1, 2, 3)), RGB)


def test_what_is_see_through_shows_the_ground(tmp_path: Path) -> None:
    picture = read_picture(saved(tmp_path / "a.png", Image.fromarray(np.dstack([RGB, halves(0, 255)]))))
    assert picture.see_through is not None
    np.testing.assert_array_equal(picture.see_through, halves(1, 0))
    np.testing.assert_array_equal(picture.over((1, 2, 3))[:, :15], np.broadcast_to((1, 2, 3), (20, 15, 3)))
    np.testing.assert_array_equal(picture.over((1, 2, 3))[:, 15:], RGB[:, 15:])
    indexed = Image.fromarray(halves(0, 1))
    indexed.putpalette([10, 20, 30, 40, 50, 60])
    picture = read_picture(saved(tmp_path / "b.png", indexed, transparency=b"\0\xff"))
    assert picture.over((7, 8, 9))[5, [3, 20]].tolist() == [[7, 8, 9], [40, 50, 60]]


def test_a_picture_that_is_see_through_everywhere_keeps_its_colours(tmp_path: Path) -> None:
    picture = read_picture(saved(tmp_path / "a.png", Image.fromarray(np.dstack([RGB, halves(0, 0)]))))
    assert picture.alpha is None and "see-through everywhere" in picture.notes[0]
    np.testing.assert_array_equal(picture.rgb, RGB)


@pytest.mark.parametrize("suffix", [".gif", ".png", ".webp"])
def test_the_first_picture_of_an_animation_is_read(suffix: str, tmp_path: Path) -> None:
    first, second = (Image.new("RGB", (30, 20), colour) for colour in ((200, 30, 40), (1, 2, 250)))
    path = saved(tmp_path / f"a{suffix}", first, save_all=True, append_images=[second])
    picture = read_picture(path)
    assert np.abs(picture.rgb.astype(int) - (200, 30, 40)).max() <= 6
    assert picture.notes == ("It has 2 pictures; the first one is used.",)


def test_the_first_page_of_a_tiff_is_read_and_smaller_copies_are_not_mentioned(tmp_path: Path) -> None:
    pages = [Image.fromarray(RGB), Image.fromarray(255 - RGB)]
    picture = read_picture(saved(tmp_path / "a.tif", pages[0], save_all=True, append_images=pages[1:]))
    np.testing.assert_array_equal(picture.rgb, RGB)
    assert picture.notes == ("It has 2 pages; the first one is used.",)
    pages[1].encoderinfo = {"tiffinfo": {254: 1}}
    assert read_picture(saved(tmp_path / "b.tif", pages[0], save_all=True, append_images=pages[1:])).notes == ()


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_as_its_file_says(suffix: str, orientation: int, tmp_path: Path) -> None:
    upright = np.kron(np.array([[0, 60, 120], [180, 220, 255]]), np.ones((16, 16))).astype(np.uint8)
    # How the sensor saw it: the inverse of what the orientation asks for.
    seen = [upright, upright[:, ::-1], upright[::-1, ::-1], upright[::-1], upright.T, np.rot90(upright),
            upright[::-1, ::-1].T, np.rot90(upright, -1)][orientation - 1]  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = saved(tmp_path / f"a{suffix}", Image.fromarray(np.ascontiguousarray(seen)).convert("RGB"), exif=exif)
    picture = read_picture(path)
    assert picture.file_shape == (32, 48)
    assert np.abs(picture.rgb[:, :, 1].astype(int) - upright)[4::8, 4::8].max() <= 8


def test_broken_notes_of_a_camera_do_not_matter(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", Image.fromarray(RGB), exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x09broken")
    np.testing.assert_array_equal(read_picture(path).rgb, RGB)


def test_channels_of_sixteen_bits(tmp_path: Path) -> None:
    assert cv2.imwrite(str(tmp_path / "a.png"), RGB[:, :, ::-1].astype(np.uint16) * 257)
    np.testing.assert_array_equal(read_picture(tmp_path / "a.png").rgb, RGB)
    grey = np.arange(600, dtype=np.uint16).reshape(20, 30) * 109
    assert cv2.imwrite(str(tmp_path / "b.png"), grey)
    picture = read_picture(tmp_path / "b.png")
    np.testing.assert_array_equal(picture.rgb[:, :, 0], grey >> 8)
    assert not picture.notes


def test_numbers_without_a_white_are_shown_from_black_to_white(tmp_path: Path) -> None:
    height = np.linspace(-50, 950, 600, dtype=np.float32).reshape(20, 30)
    height[0, 3] = np.nan
    picture = read_picture(saved(tmp_path / "a.tif", Image.fromarray(height)))
    assert picture.rgb[0, 0, 0] == 0 and picture.rgb[-1, -1, 0] == 255
    assert picture.notes == ("Its numbers, -50 to 950, are shown from black to white.",)


def test_printing_colours_become_rgb(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.jpg", Image.new("CMYK", (30, 20), (255, 0, 0, 0)), quality=95)
    picture = read_picture(path)
    assert np.abs(picture.rgb.astype(int) - (0, 255, 255)).max() <= 3
    assert "CMYK" in picture.notes[0]


def test_a_colour_profile_is_applied(tmp_path: Path) -> None:
    swapped = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    # The same primaries in another order: red shows as green and the reverse.
    for tag, other in ((b"rXYZ", b"xXYZ"), (b"gXYZ", b"rXYZ"), (b"xXYZ", b"gXYZ")):
        at = swapped.index(tag)
        swapped[at : at + 4] = other
    swapped = bytearray(bytes(swapped).replace(b"sRGB", b"Else").replace("sRGB".encode("utf-16-be"), b"\0E\0l\0s\0e"))
    path = saved(tmp_path / "a.png", Image.new("RGB", (30, 20), (250, 10, 40)), icc_profile=bytes(swapped))
    picture = read_picture(path)
    assert np.abs(picture.rgb.astype(int) - (10, 250, 40)).max() <= 4
    assert "converted from Else" in picture.notes[0]
    plain = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    picture = read_picture(saved(tmp_path / "b.png", Image.fromarray(RGB), icc_profile=plain))
    np.testing.assert_array_equal(picture.rgb, RGB)
    np.testing.assert_array_equal(
        read_picture(saved(tmp_path / "c.png", Image.fromarray(RGB), icc_profile=b"broken")).rgb, RGB
    )


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_a_large_picture_is_reduced(suffix: str, tmp_path: Path) -> None:
    large = np.repeat(np.repeat(halves(20, 220), 10, axis=0), 10, axis=1)
    path = saved(tmp_path / f"a{suffix}", Image.fromarray(large).convert("RGB"))
    picture = read_picture(path, longest_px=60)
    assert picture.rgb.shape == (40, 60, 3) and picture.file_shape == (200, 300)
    assert np.abs(picture.rgb[:, [10, 50], 0].astype(int) - (20, 220)).max() <= 3
    assert picture.notes == ("It was reduced from 300 × 200 to 60 × 40 pixels.",)


@pytest.mark.parametrize("left", [0, 8, 20, 200, 1000])
def test_a_picture_that_is_cut_short_says_so(left: int, tmp_path: Path) -> None:
    path = tmp_path / "cut.png"
    path.write_bytes(png()[:left])
    with pytest.raises(InputFileError, match="damaged or cut short" if left else "is not a picture"):
        read_picture(path)


def test_nothing_is_printed_about_a_picture(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    whole = png()
    odd = whole[:33] + chunk(b"iCCP", b"x\0\0" + zlib.compress(b"bad")) + whole[33:]
    (tmp_path / "a.png").write_bytes(odd)
    np.testing.assert_array_equal(decoded(odd), RGB[:, :, ::-1])
    np.testing.assert_array_equal(read_picture(tmp_path / "a.png").rgb, RGB)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("suffix", [".png", ".eps", ".jpg"])
def test_postscript_is_not_decoded_and_starts_no_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    """Pillow recognises EPS by its content and would run Ghostscript, named `gs`, with the file."""
    marker = tmp_path / "started"
    program = tmp_path / "bin" / "gs"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\ntouch '{marker}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    path = tmp_path / f"map{suffix}"
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n%%EndComments\nshowpage\n%%EOF\n")
    with pytest.raises(UndecodableError, match="is not a picture that can be read"):
        open_picture(path)
    with pytest.raises(MapError, match=r"map\.\w+ is not"):
        read_map_nearest(path)
    assert not marker.exists()


def test_no_format_that_is_opened_needs_another_program() -> None:
    Image.init()
    assert not {"EPS", "WMF", "MPEG", "BUFR", "GRIB", "HDF5", "FITS", "IPTC"} & set(PICTURE_FORMATS)
    assert {"PNG", "JPEG", "TIFF", "GIF", "BMP", "WEBP"} <= set(PICTURE_FORMATS) & set(Image.OPEN)


def test_the_header_of_a_large_png_is_read_without_its_pixels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(*_: object) -> None:
        raise MemoryError

    path = tmp_path / "a.png"
    Image.new("L", (2100, 2000)).save(path)
    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load", load)
    header = describe_picture(path)
    assert (header.width, header.height) == (2100, 2000) and is_upright(path)


def test_a_picture_that_would_fill_the_memory_is_refused_before_it_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plain colours make a small file of any size."""
    Image.new("RGBA", (2000, 2000)).save(tmp_path / "a.png")
    Image.new("P", (2000, 2000)).save(tmp_path / "map.png")
    monkeypatch.setattr(main_memory, "free_memory", lambda: 20_000_000)
    with pytest.raises(DeviceError, match="not enough memory"):
        read_picture(tmp_path / "a.png")
    assert read_map_nearest(tmp_path / "map.png")[0].shape == (2000, 2000)
    monkeypatch.setattr(main_memory, "free_memory", lambda: 3_000_000)
    with pytest.raises(DeviceError, match="not enough memory"):
        read_map_nearest(tmp_path / "map.png")


def test_bands_that_would_fill_the_memory_are_refused_before_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.tif"
    profile = {"driver": "GTiff", "width": 4000, "height": 4000, "count": 40, "dtype": "float32", "tiled": True}
    with rasterio.open(path, "w", sparse_ok=True, **profile):
        pass
    assert path.stat().st_size < 10_000_000
    monkeypatch.setattr(main_memory, "free_memory", lambda: 2_000_000_000)
    with pytest.raises(DeviceError, match="not enough memory"):
        read_colours(path)
