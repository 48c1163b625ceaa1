"""What kind of file a file is, and heights in colours."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from terrainpaint.core.classes import PALETTE
from terrainpaint.core.importing import ColourHeights, Kind, colour_heights, kind_of, read_height_map
from terrainpaint.core.map_files import write_map
from terrainpaint.core.project import Project, Settings, ViewSettings
from terrainpaint.core.project_file import save_project
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.errors import InputFileError
from tests.core.rasters import land, saved


def encoded(metres: NDArray[np.floating], encoding: ColourHeights) -> NDArray[np.uint8]:
    """(H, W, 3) of the heights."""
    if encoding == ColourHeights.TERRARIUM:
        number = np.rint((metres.astype(np.float64) + 32768) * 256).astype(np.int64)
    else:
        number = np.rint((metres.astype(np.float64) + 10000) * 10).astype(np.int64)
    return np.stack([number >> 16, number >> 8 & 255, number & 255], axis=-1).astype(np.uint8)


@pytest.mark.parametrize("encoding", ColourHeights)
@pytest.mark.parametrize("relief", ["mountains", "plain", "with sea"])
@pytest.mark.parametrize("alpha", [False, True])
def test_heights_as_colours_are_recognised(tmp_path: Path, encoding: ColourHeights, relief: str, alpha: bool) -> None:
    row, col = np.mgrid[:128, :160]
    metres = 900 + 800 * np.sin(col / 20) + 700 * np.cos(row / 17) + 11 * np.sin(col * row / 9)
    if relief == "plain":
        metres = 40 + metres / 40
    elif relief == "with sea":
        metres = np.maximum(metres - 900, 0)
    pixels = encoded(metres, encoding)
    if alpha:
        pixels = np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)])
    Image.fromarray(pixels).save(tmp_path / "a.png")
    assert colour_heights(tmp_path / "a.png") == encoding and kind_of(tmp_path / "a.png") == Kind.PICTURE
    heights = read_height_map(tmp_path / "a.png", colours=encoding)
    np.testing.assert_allclose(heights.height, metres, atol=0.06)
    assert heights.unit == "m" and heights.in_metres() is heights
    with pytest.raises(InputFileError, match="is a colour picture"):
        read_height_map(tmp_path / "a.png")


@pytest.mark.parametrize("encoding", ColourHeights)
def test_steep_land_in_whole_metres_with_gaps_as_colours(tmp_path: Path, encoding: ColourHeights) -> None:
    random = np.random.default_rng(4)
    metres = np.rint(land(96, 128) * 4 + random.normal(0, 90, (96, 128)))
    pixels = encoded(metres, encoding)
    pixels[30:40, 50:60] = 0
    Image.fromarray(pixels).save(tmp_path / "a.png")
    assert colour_heights(tmp_path / "a.png") == encoding
    heights = read_height_map(tmp_path / "a.png", colours=encoding)
    assert heights.gaps.count == 100 and heights.gaps.mask is not None
    np.testing.assert_allclose(heights.height[~heights.gaps.mask], metres[~heights.gaps.mask], atol=0.01)


def test_pictures_are_not_taken_for_heights(tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    row, col = np.mgrid[:128, :160]
    smooth = np.stack([90 + 60 * np.sin(col / 30 + part) + 40 * np.cos(row / 25 - part) for part in range(3)], axis=-1)
    pictures = {
        "photograph": smooth + random.normal(0, 6, smooth.shape),
        "gradient": smooth,
        "noise": random.integers(0, 256, smooth.shape),
        "sky": np.stack([col, row, 255 - row], axis=-1),
        "flat": np.broadcast_to([128, 5, 9], smooth.shape),
        "red": np.stack([np.full_like(col, 128), col % 7 + 3, row % 5], axis=-1),
        "grey": np.repeat(smooth[..., :1], 3, axis=-1),
        "map": PALETTE[(row // 20 + col // 30) % 7],
    }
    for name, pixels in pictures.items():
        Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(tmp_path / f"{name}.png")
        assert colour_heights(tmp_path / f"{name}.png") is None, name


def test_files_that_cannot_hold_heights_as_colours(tmp_path: Path) -> None:
    Image.fromarray(PALETTE[np.zeros((40, 40), np.uint8)]).save(tmp_path / "a.gif")
    saved(tmp_path / "b.tif", land())
    (tmp_path / "c.txt").write_text("text")
    for name in ("a.gif", "b.tif", "c.txt"):
        assert colour_heights(tmp_path / name) is None


def test_kinds_of_rasters(tmp_path: Path) -> None:
    ids = (np.mgrid[:48, :64][0] // 8 % 7).astype(np.uint8)
    write_map(tmp_path / "map.png", SegmentationMap(ids))
    Image.fromarray(PALETTE[ids]).save(tmp_path / "rgb.png")
    painted = PALETTE[ids]
    painted[47, 63] = 1, 2, 3
    Image.fromarray(painted).save(tmp_path / "spoilt.png")
    Image.fromarray(painted).save(tmp_path / "picture.jpg")
    Image.fromarray(painted).save(tmp_path / "picture.gif")
    saved(tmp_path / "float.tif", land())
    saved(tmp_path / "grey.png", land().astype(np.uint16), "PNG")
    saved(tmp_path / "three.tif", np.stack([land().astype(np.uint16)] * 3))
    deep = np.stack([land() * number for number in (1, 2, 3)]).astype(np.uint16)
    saved(tmp_path / "deep.tif", deep)
    land().tofile(tmp_path / "a.raw")
    kinds = {
        **{"map.png": Kind.MAP, "rgb.png": Kind.MAP, "spoilt.png": Kind.PICTURE, "picture.jpg": Kind.PICTURE},
        **{"picture.gif": Kind.PICTURE, "float.tif": Kind.HEIGHTS, "grey.png": Kind.HEIGHTS},
        **{"three.tif": Kind.HEIGHTS, "deep.tif": Kind.PICTURE, "a.raw": Kind.HEIGHTS},
    }
    assert {name: kind_of(tmp_path / name) for name in kinds} == kinds
    saved(tmp_path / "many.tif", np.stack([land() * number for number in range(5)]))
    with pytest.raises(InputFileError, match="has 5 bands that differ"):
        kind_of(tmp_path / "many.tif")


def test_a_photograph_with_superfluous_bytes_is_a_picture(tmp_path: Path) -> None:
    row, col = np.mgrid[:96, :128]
    picture = Image.fromarray(np.stack([row * 2, col, 255 - row], axis=-1).astype(np.uint8))
    picture.save(tmp_path / "a.jpg", restart_marker_rows=1)
    data = (tmp_path / "a.jpg").read_bytes()
    assert b"\xff\xd0" in data
    (tmp_path / "a.jpg").write_bytes(data.replace(b"\xff\xd0", b"\x12\x34\xff\xd0"))
    assert kind_of(tmp_path / "a.jpg") == Kind.PICTURE and colour_heights(tmp_path / "a.jpg") is None
    (tmp_path / "a.jpg").write_bytes(data[: len(data) // 2])
    with pytest.raises(InputFileError, match="damaged or cut short"):
        kind_of(tmp_path / "a.jpg")


def test_the_content_counts_and_not_the_suffix(tmp_path: Path) -> None:
    ids = np.zeros((48, 64), np.uint8)
    save_project(tmp_path / "a.png", Project.painted(ids, Settings(30.0, "s")), ViewSettings(), None)
    assert kind_of(tmp_path / "a.png") == Kind.PROJECT
    saved(tmp_path / "b.png", land())
    assert kind_of(tmp_path / "b.png") == Kind.HEIGHTS
    header = b'{"__metadata__":{}}'
    (tmp_path / "c.bin").write_bytes(struct.pack("<Q", len(header)) + header)
    assert kind_of(tmp_path / "c.bin") == Kind.WEIGHTS


def test_files_of_no_kind(tmp_path: Path) -> None:
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "text.png").write_text("a text")
    (tmp_path / "a.hdr").write_text("NROWS 40")
    (tmp_path / "cut.zip").write_bytes(b"PK\3\4 and nothing more")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("a.txt", "text")
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)).save(tmp_path / "cut.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "cut.png").read_bytes()[:3000])
    Image.new("P", (64, 64)).save(tmp_path / "cut.gif")
    (tmp_path / "cut.gif").write_bytes((tmp_path / "cut.gif").read_bytes()[:9])
    (tmp_path / "photo.jpg").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    (tmp_path / "page.png").write_bytes(b"%PDF-1.7 and more")
    (tmp_path / "drawing.svg").write_text('<?xml version="1.0"?><svg/>')
    reasons = {
        "empty.png": "is empty",
        "cut.gif": "damaged or cut short",
        "photo.jpg": "is a HEIC photograph, which cannot be read; save it as PNG or JPEG",
        "page.png": "is a PDF document",
        "drawing.svg": "is an SVG drawing",
        "text.png": "is no kind of file that can be read",
        "cut.zip": "damaged or cut short",
        "other.zip": "no raster in it",
        "cut.png": "damaged or cut short",
        "none.png": "no such file",
        "a.hdr": "belongs to a raster",
        ".": "is a folder",
    }
    for name, reason in reasons.items():
        with pytest.raises(InputFileError, match=reason) as caught:
            kind_of(tmp_path / name)
        assert str(caught.value).endswith(".")
