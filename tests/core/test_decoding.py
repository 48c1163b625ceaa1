"""Decoding of pictures of unknown origin."""

from __future__ import annotations

import io
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from terrainpaint.core.decoding import (
    PICTURE_FORMATS,
    UndecodableError,
    decoded,
    load_pixels,
    open_picture,
    read_heights,
    read_picture,
)
from terrainpaint.core.files import write_image
from terrainpaint.core.map_files import read_map_nearest
from terrainpaint.errors import InputFileError, MapError

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


def test_pictures_and_heights_are_read_from_files(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", RGB[:, :, ::-1])
    np.testing.assert_array_equal(read_picture(tmp_path / "a.png"), RGB)
    height = np.arange(600, dtype=np.uint16).reshape(20, 30)
    write_image(tmp_path / "b.png", height)
    np.testing.assert_array_equal(read_heights(tmp_path / "b.png"), height)
    with pytest.raises(InputFileError, match="not an 8-bit RGB picture"):
        read_picture(tmp_path / "b.png")
    with pytest.raises(InputFileError, match="not a height map"):
        read_heights(tmp_path / "a.png")
    with pytest.raises(InputFileError, match="no such file"):
        read_heights(tmp_path / "none.png")


def test_heights_with_gaps_are_refused(tmp_path: Path) -> None:
    height = np.zeros((20, 30), np.float32)
    height[3, 4] = np.nan
    cv2.imwrite(str(tmp_path / "a.tif"), height)
    with pytest.raises(InputFileError, match="1 heights that are not numbers"):
        read_heights(tmp_path / "a.tif")


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
