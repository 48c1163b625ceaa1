from pathlib import Path

import cv2
import numpy as np
import OpenEXR
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from terrainpaint.core.classes import CLASS_NAMES
from terrainpaint.core.map_files import map_pixel_size_m, read_map
from terrainpaint.errors import OptionError
from terrainpaint.export import ExportOptions, export, job
from terrainpaint.export.class_masks import class_weights, control_bits
from terrainpaint.export.file_options import FileOptions
from tests.export.terrains import ids_of, lopsided, source

SHAPE = (40, 56)


def written(folder: Path, name: str, border_px: float = 0.0) -> list[Path]:
    options = ExportOptions(files=FileOptions(border_px=border_px))
    return export(source(lopsided(*SHAPE)), folder, "map", [name], options)


def ids() -> np.ndarray:
    return ids_of(lopsided(*SHAPE))


def test_exact_weights_are_the_classes(tmp_path: Path) -> None:
    paths = written(tmp_path, "weights")
    assert [path.name for path in paths] == [f"map_weight_{name}.png" for name in CLASS_NAMES]
    for number, path in enumerate(paths):
        with Image.open(path) as picture:
            assert picture.mode == "L"
            np.testing.assert_array_equal(np.asarray(picture), (ids() == number) * 255)


@pytest.mark.parametrize("border_px", [0.0, 1.5, 12.0])
def test_the_weights_of_a_pixel_sum_to_255_in_both_formats(tmp_path: Path, border_px: float) -> None:
    grey = np.stack([cv2.imread(str(path), cv2.IMREAD_UNCHANGED) for path in written(tmp_path, "weights", border_px)])
    assert (grey.sum(axis=0) == 255).all()
    packs = []
    for path in written(tmp_path, "splat", border_px):
        with Image.open(path) as picture:
            assert picture.mode == "RGBA"
            packs.append(np.asarray(picture))
    channels = np.moveaxis(np.concatenate(packs, axis=2), -1, 0)
    np.testing.assert_array_equal(channels[:7], grey)
    assert not channels[7].any()


def test_a_soft_border_blends_over_its_width() -> None:
    halves = np.ones((64, 64), np.uint8)
    halves[:, 32:] = 4
    weights = class_weights(halves, 0, 64, 16.0)
    row = weights[4, 20].astype(int)
    assert (np.diff(row) >= 0).all() and row[31] + row[32] in (254, 255, 256)
    assert (row[:20] == 0).all() and (row[44:] == 255).all()
    assert 0 < row[26] < 128 < row[38] < 255


def test_bands_equal_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = [path.read_bytes() for path in written(tmp_path / "whole", "terrain3d", 6.0)]
    pictures = [cv2.imread(str(path), -1) for path in written(tmp_path / "whole", "weights", 6.0)]
    monkeypatch.setattr(job, "_BAND_PX", 56 * 7)
    assert [path.read_bytes() for path in written(tmp_path / "parts", "terrain3d", 6.0)] == whole
    for path, picture in zip(written(tmp_path / "parts", "weights", 6.0), pictures, strict=True):
        np.testing.assert_array_equal(cv2.imread(str(path), -1), picture)


@settings(max_examples=20, deadline=None)
@given(rows=st.integers(32, 50), cols=st.integers(32, 50), border_px=st.floats(0, 64), seed=st.integers(0, 99))
def test_any_map_and_border_sums_to_255(rows: int, cols: int, border_px: float, seed: int) -> None:
    speckled = np.random.default_rng(seed).integers(0, 7, (rows, cols)).astype(np.uint8)
    weights = class_weights(speckled, 3, rows - 2, border_px)
    assert (weights.sum(axis=0) == 255).all()


def test_the_index_picture_is_the_map(tmp_path: Path) -> None:
    (path,) = written(tmp_path, "classes")
    np.testing.assert_array_equal(read_map(path).ids, ids())
    assert map_pixel_size_m(path) == 30.0
    with Image.open(path) as picture:
        assert picture.mode == "P"
        np.testing.assert_array_equal(np.asarray(picture), ids())


def test_the_control_map_has_the_bits_of_terrain3d(tmp_path: Path) -> None:
    (path,) = written(tmp_path, "terrain3d")
    channels = OpenEXR.File(str(path), separate_channels=True).channels()
    assert list(channels) == ["R"] and channels["R"].pixels.dtype == np.float32
    bits = np.ascontiguousarray(channels["R"].pixels).view(np.uint32)
    # Decoded as its documentation says.
    np.testing.assert_array_equal(bits >> 27 & 0x1F, ids())
    np.testing.assert_array_equal(bits >> 22 & 0x1F, ids())
    assert not (bits & (0xFF << 14)).any() and not (bits & 0x3FFF).any()


def test_the_control_map_blends_the_two_strongest_classes() -> None:
    weights = np.zeros((7, 1, 2), np.uint8)
    weights[3, 0, 0], weights[5, 0, 0], weights[0, 0, 0] = 150, 100, 5
    weights[6, 0, 1] = 255
    first, second = control_bits(weights)[0].tolist()
    assert (first >> 27 & 0x1F, first >> 22 & 0x1F, first >> 14 & 0xFF) == (3, 5, 102)
    assert (second >> 27 & 0x1F, second >> 22 & 0x1F, second >> 14 & 0xFF) == (6, 6, 0)


@pytest.mark.parametrize("border_px", [-1.0, 65.0, float("nan")])
def test_an_impossible_border_is_refused(border_px: float) -> None:
    with pytest.raises(OptionError, match="border"):
        FileOptions(border_px=border_px)
