"""Segmentation maps, and pictures that are maps or are refused."""

from __future__ import annotations

import io
import os
import struct
import warnings
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray
from PIL import Image

from terrainpaint.core.classes import CLASS_COUNT, CLASS_NAMES, PALETTE, WATER
from terrainpaint.core.map_files import read_map, read_map_cells, read_map_nearest, write_map
from terrainpaint.core.project import EMPTY
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.errors import MapError

ID_MAPS = npst.arrays(np.uint8, st.tuples(st.integers(32, 50), st.integers(32, 50)), elements=st.integers(0, 6))


@pytest.fixture
def ids() -> NDArray[np.uint8]:
    """(40, 56) with every class and without any symmetry."""
    return np.random.default_rng(5).integers(0, CLASS_COUNT, (40, 56), dtype=np.uint8)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def forged_png(width: int, height: int) -> bytes:
    """An RGB PNG that declares a size and contains nearly no pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(99))) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("shape", [(32, 32), (32, 65_536), (65_536, 32)])
def test_legal_sides(shape: tuple[int, int]) -> None:
    assert SegmentationMap(np.zeros(shape, np.uint8)).shape == shape


@pytest.mark.parametrize(
    "ids",
    [
        np.zeros((31, 64), np.uint8),
        np.zeros((32, 65_537), np.uint8),
        np.zeros((64, 64), np.int64),
        np.zeros((64, 64, 1), np.uint8),
        np.full((64, 64), 7, np.uint8),
    ],
    ids=["small", "large", "dtype", "dimensions", "class"],
)
def test_illegal_ids(ids: NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match="must be"):
        SegmentationMap(ids)


@given(ids=ID_MAPS, factor=st.integers(1, 3))
@settings(max_examples=20, deadline=None)
def test_enlarging_repeats_pixels_and_shrinking_undoes_it(ids: NDArray[np.uint8], factor: int) -> None:
    segmentation = SegmentationMap(ids)
    height, width = segmentation.shape
    large = segmentation.resized(height * factor, width * factor)
    np.testing.assert_array_equal(large.ids, ids.repeat(factor, axis=0).repeat(factor, axis=1))
    np.testing.assert_array_equal(large.resized(height, width).ids, ids)


def test_resizing_to_an_illegal_side_is_refused(ids: NDArray[np.uint8]) -> None:
    for height, width in [(31, 64), (64, 65_537)]:
        with pytest.raises(ValueError, match="sides must be"):
            SegmentationMap(ids).resized(height, width)


@given(ids=ID_MAPS)
@settings(max_examples=25, deadline=None)
def test_written_map_reads_back_the_same(ids: NDArray[np.uint8], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("map") / "map.png"
    write_map(path, SegmentationMap(ids))
    np.testing.assert_array_equal(read_map(path).ids, ids)
    nearest, inexact = read_map_nearest(path)
    np.testing.assert_array_equal(nearest.ids, ids)
    assert inexact == 0


def test_written_map_is_a_palette_png_with_names(tmp_path: Path, ids: NDArray[np.uint8]) -> None:
    path = tmp_path / "map.png"
    write_map(path, SegmentationMap(ids))
    with Image.open(path) as picture:
        assert (picture.format, picture.mode) == ("PNG", "P")
        np.testing.assert_array_equal(np.asarray(picture), ids)
        np.testing.assert_array_equal(np.asarray(picture.convert("RGB")), PALETTE[ids])
        text = picture.info["Terrain classes"]
    assert all(name in text for name in CLASS_NAMES)
    assert b"iTXt" in path.read_bytes()


def test_non_contiguous_map_is_written(tmp_path: Path, ids: NDArray[np.uint8]) -> None:
    path = tmp_path / "map.png"
    write_map(path, SegmentationMap(ids.T))
    np.testing.assert_array_equal(read_map(path).ids, ids.T)


def test_rgb_png_in_class_colours(tmp_path: Path, ids: NDArray[np.uint8]) -> None:
    path = tmp_path / "rgb.png"
    Image.fromarray(PALETTE[ids]).save(path)
    np.testing.assert_array_equal(read_map(path).ids, ids)


def test_a_map_of_many_strips(tmp_path: Path) -> None:
    ids = np.random.default_rng(1).integers(0, CLASS_COUNT, (1500, 1501), dtype=np.uint8)
    path = tmp_path / "rgb.png"
    Image.fromarray(PALETTE[ids]).save(path, compress_level=1)
    np.testing.assert_array_equal(read_map(path).ids, ids)


def palette_picture(indices: NDArray[np.uint8], palette: NDArray[np.uint8]) -> Image.Image:
    picture = Image.fromarray(indices)
    picture.putpalette(palette.tobytes())
    return picture


def test_palette_is_read_by_colour_not_by_index(tmp_path: Path, ids: NDArray[np.uint8]) -> None:
    path = tmp_path / "order.png"
    palette_picture(6 - ids, PALETTE[::-1]).save(path)
    np.testing.assert_array_equal(read_map(path).ids, ids)


def test_unused_palette_entries_do_not_matter(tmp_path: Path, ids: NDArray[np.uint8]) -> None:
    path = tmp_path / "unused.png"
    palette = np.vstack([[[255, 0, 255]], PALETTE, [[1, 2, 3]]]).astype(np.uint8)
    palette_picture(ids + 1, palette).save(path, transparency=0)
    np.testing.assert_array_equal(read_map(path).ids, ids)


def test_a_used_palette_colour_of_no_class_is_named(tmp_path: Path, ids: NDArray[np.uint8]) -> None:
    path = tmp_path / "inexact.png"
    palette = PALETTE.copy()
    palette[0] = (250, 0, 16)
    ids[ids == 0] = 1
    ids[13, 17] = 0
    palette_picture(ids, palette).save(path)
    with pytest.raises(MapError, match=r"#fa0010 at row 13, column 17.*--nearest-colour"):
        read_map(path)


def test_an_rgb_colour_of_no_class_is_named_with_its_fraction(tmp_path: Path) -> None:
    colours = np.broadcast_to(PALETTE[2], (1100, 1000, 3)).copy()
    colours[1090:, :500] = (10, 20, 30)
    path = tmp_path / "inexact.png"
    Image.fromarray(colours).save(path, compress_level=1)
    with pytest.raises(MapError, match=r"on 0\.45% of its pixels, the first is #0a141e at row 1090, column 0;"):
        read_map(path)


def test_nearest_colour_of_a_slightly_changed_picture(tmp_path: Path, ids: NDArray[np.uint8]) -> None:
    colours = PALETTE[ids]
    colours[:10] += 3
    path = tmp_path / "changed.png"
    Image.fromarray(colours).save(path)
    segmentation, inexact = read_map_nearest(path)
    np.testing.assert_array_equal(segmentation.ids, ids)
    assert inexact == 10 / 40


def test_nearest_colour_of_a_palette_picture(tmp_path: Path, ids: NDArray[np.uint8]) -> None:
    path = tmp_path / "changed.gif"
    palette_picture(ids, PALETTE + np.uint8(2)).save(path)
    segmentation, inexact = read_map_nearest(path)
    np.testing.assert_array_equal(segmentation.ids, ids)
    assert inexact == 1


def test_jpeg_is_read_only_by_nearest_colour(tmp_path: Path, ids: NDArray[np.uint8]) -> None:
    large = ids.repeat(16, axis=0).repeat(16, axis=1)
    path = tmp_path / "map.jpg"
    Image.fromarray(PALETTE[large]).save(path, quality=95, subsampling=0)
    with pytest.raises(MapError, match=r"JPEG.*--nearest-colour"):
        read_map(path)
    segmentation, inexact = read_map_nearest(path)
    assert (segmentation.ids == large).mean() > 0.9
    assert 0 < inexact <= 1


BAD_PICTURES = {
    "grey with alpha": (Image.new("LA", (64, 64)), {}, "grey picture"),
    "grey": (Image.new("L", (64, 64), 5), {}, "grey picture"),
    "black and white": (Image.new("1", (64, 64)), {}, "grey picture"),
    "16-bit grey": (Image.new("I;16", (64, 64)), {}, "grey picture"),
    "narrow": (Image.new("RGB", (31, 64), (17, 141, 215)), {}, "31 x 64 pixels; a map has at least 32"),
    "wide": (Image.new("RGB", (65_537, 32), (17, 141, 215)), {}, "65537 x 32 pixels; a map has at most 65536"),
}


@pytest.mark.parametrize("name", BAD_PICTURES)
def test_pictures_that_are_not_maps(name: str, tmp_path: Path) -> None:
    picture, options, message = BAD_PICTURES[name]
    path = tmp_path / "bad.png"
    picture.save(path, **options)
    for read in (read_map, read_map_nearest):
        with pytest.raises(MapError, match=message) as caught:
            read(path)
        assert str(caught.value).startswith(str(path))


def test_an_opaque_alpha_channel_does_not_matter(tmp_path: Path, ids: NDArray[np.uint8]) -> None:
    path = tmp_path / "alpha.png"
    Image.fromarray(PALETTE[ids]).convert("RGBA").save(path)
    np.testing.assert_array_equal(read_map(path).ids, ids)
    Image.fromarray(PALETTE[ids]).save(path, transparency=(1, 2, 3))
    np.testing.assert_array_equal(read_map(path).ids, ids)
    nearest, inexact = read_map_nearest(path)
    np.testing.assert_array_equal(nearest.ids, ids)
    assert inexact == 0


def see_through_pictures(ids: NDArray[np.uint8]) -> dict[str, tuple[Image.Image, dict[str, object]]]:
    """Pictures whose forest is see-through: whatever colour they have there."""
    shown = np.where(ids == 2, np.uint8(100), np.uint8(200))
    colours = np.where((ids == 2)[..., None], np.uint8(9), PALETTE[ids])
    return {
        "RGBA": (Image.fromarray(np.dstack([colours, shown])), {}),
        "palette": (palette_picture(ids, PALETTE), {"transparency": b"\xff\xff\x64\xff\xff"}),
        "palette entry": (palette_picture(ids, PALETTE), {"transparency": 2}),
        "RGB with tRNS": (Image.fromarray(colours), {"transparency": (9, 9, 9)}),
    }


@pytest.mark.parametrize("kind", ["RGBA", "palette", "palette entry", "RGB with tRNS"])
def test_what_is_see_through_becomes_the_class_under_it(kind: str, tmp_path: Path, ids: NDArray[np.uint8]) -> None:
    picture, options = see_through_pictures(ids)[kind]
    path = tmp_path / "holes.png"
    picture.save(path, **options)
    np.testing.assert_array_equal(read_map_cells(path), np.where(ids == 2, EMPTY, ids))
    said: list[str] = []
    np.testing.assert_array_equal(read_map(path, say=said.append).ids, np.where(ids == 2, WATER, ids))
    assert f"see-through on {(ids == 2).mean():.2%} of its pixels; they became water" in said[0]
    np.testing.assert_array_equal(read_map(path, under=4).ids, np.where(ids == 2, 4, ids))
    nearest, inexact = read_map_nearest(path, under=5)
    np.testing.assert_array_equal(nearest.ids, np.where(ids == 2, 5, ids))
    assert inexact == 0


def test_a_map_that_is_see_through_everywhere_keeps_its_colours(tmp_path: Path, ids: NDArray[np.uint8]) -> None:
    path = tmp_path / "clear.png"
    Image.fromarray(np.dstack([PALETTE[ids], np.zeros_like(ids)])).save(path)
    said: list[str] = []
    np.testing.assert_array_equal(read_map(path, say=said.append).ids, ids)
    assert said == [f"{path}: It is see-through everywhere, so its alpha channel was ignored."]


def test_the_first_picture_of_an_animation_is_the_map(tmp_path: Path, ids: NDArray[np.uint8]) -> None:
    path = tmp_path / "map.gif"
    palette_picture(ids, PALETTE).save(path, save_all=True, append_images=[palette_picture(6 - ids, PALETTE)])
    said: list[str] = []
    np.testing.assert_array_equal(read_map(path, say=said.append).ids, ids)
    assert said == [f"{path}: It has 2 pictures; the first one is used."]


@pytest.mark.parametrize("suffix", [".bmp", ".tif", ".gif", ".tga"])
def test_any_format_that_keeps_colours_can_be_a_map(suffix: str, tmp_path: Path, ids: NDArray[np.uint8]) -> None:
    path = tmp_path / f"map{suffix}"
    palette_picture(ids, PALETTE).save(path)
    np.testing.assert_array_equal(read_map(path).ids, ids)


def test_a_map_is_turned_as_its_file_says(tmp_path: Path, ids: NDArray[np.uint8]) -> None:
    path = tmp_path / "turned.png"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(PALETTE[np.rot90(ids)]).save(path, exif=exif)
    np.testing.assert_array_equal(read_map(path).ids, ids)
    np.testing.assert_array_equal(read_map_nearest(path)[0].ids, ids)


@pytest.mark.parametrize("low_byte", [0, 1])
def test_sixteen_bits_a_channel_are_read_exactly(low_byte: int, tmp_path: Path, ids: NDArray[np.uint8]) -> None:
    path = tmp_path / "deep.png"
    deep = PALETTE[ids].astype(np.uint16)
    assert cv2.imwrite(str(path), (deep * 256 + deep * low_byte)[:, :, ::-1])
    np.testing.assert_array_equal(read_map(path).ids, ids)


def test_printing_colours_are_read_by_the_nearest_class(tmp_path: Path, ids: NDArray[np.uint8]) -> None:
    path = tmp_path / "print.tif"
    Image.fromarray(PALETTE[ids]).convert("CMYK").save(path)
    np.testing.assert_array_equal(read_map_nearest(path)[0].ids, ids)


@given(cut=st.floats(0, 0.95), palette=st.booleans())
@settings(max_examples=30, deadline=None)
def test_picture_cut_short(cut: float, palette: bool, tmp_path_factory: pytest.TempPathFactory) -> None:
    ids = np.random.default_rng(9).integers(0, CLASS_COUNT, (64, 64), dtype=np.uint8)
    whole = io.BytesIO()
    (palette_picture(ids, PALETTE) if palette else Image.fromarray(PALETTE[ids])).save(whole, "PNG")
    path = tmp_path_factory.mktemp("cut") / "cut.png"
    path.write_bytes(whole.getvalue()[: int(len(whole.getvalue()) * cut)])
    with pytest.raises(MapError, match=r"cut short|not a picture"):
        read_map(path)


def test_transparency_of_more_colours_than_a_palette_has(tmp_path: Path, ids: NDArray[np.uint8]) -> None:
    write_map(tmp_path / "a.png", SegmentationMap(ids))
    data = (tmp_path / "a.png").read_bytes()
    body = b"tRNS" + bytes([255] * 255 + [0] * 66)
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    at = data.index(b"IDAT") - 4
    (tmp_path / "b.png").write_bytes(data[:at] + chunk + data[at:])
    np.testing.assert_array_equal(read_map(tmp_path / "b.png").ids, ids)


def test_absurd_size_is_refused_by_the_header(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(forged_png(2**31 - 1, 2**31 - 1))
    with pytest.raises(MapError, match="at most 65536 a side"):
        read_map(path)


def test_pillows_pixel_limit_does_not_apply_and_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "map.png"
    write_map(path, SegmentationMap(np.zeros((64, 64), np.uint8)))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 64 * 64 - 1)
    monkeypatch.setattr("terrainpaint.core.map_files.STRIP_PX", 64)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_map(path).shape == (64, 64)
    assert Image.MAX_IMAGE_PIXELS == 64 * 64 - 1


def test_files_that_are_not_pictures(tmp_path: Path) -> None:
    text = tmp_path / "text.png"
    text.write_text("not a picture")
    empty = tmp_path / "empty.png"
    empty.touch()
    pipe = tmp_path / "pipe.png"
    os.mkfifo(pipe)
    for path, message in [
        (tmp_path / "none.png", "there is no such file"),
        (tmp_path / ("n" * 300), "there is no such file"),
        (text / "map.png", "there is no such file"),
        (tmp_path, "it is a folder"),
        (pipe, "it is a pipe or a device"),
        (text, "not a picture"),
        (empty, "not a picture"),
    ]:
        with pytest.raises(MapError, match=message):
            read_map(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable_file(tmp_path: Path) -> None:
    path = tmp_path / "map.png"
    write_map(path, SegmentationMap(np.zeros((32, 32), np.uint8)))
    path.chmod(0)
    with pytest.raises(MapError, match="no permission"):
        read_map(path)
