from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from terrainpaint.core.classes import PALETTE
from trainer.__main__ import main
from trainer.data.tile_set import load_tile_set

SIDE = 150


def make_ids(seed: int) -> NDArray[np.int64]:
    return np.kron(np.random.default_rng(seed).integers(0, 7, (3, 3)), np.ones((SIDE // 3, SIDE // 3), int))


def make_pair(path: Path, seed: int, *more: NDArray[np.generic], dtype: type[np.generic] = np.uint8) -> None:
    ids = make_ids(seed)
    scale = np.iinfo(dtype).max // 255
    terrain = cv2.GaussianBlur(PALETTE[ids][:, :, ::-1].copy(), (0, 0), 9)  # other channels, so that the parts differ
    whole = np.hstack([PALETTE[ids].astype(dtype) * scale, terrain.astype(dtype) * scale, *more])
    path.parent.mkdir(exist_ok=True)
    assert cv2.imwrite(str(path), whole[:, :, ::-1])


def prepare(folder: Path, *more: str) -> int:
    return main(["prepare", "--pairs", str(folder / "in"), "--style", "pairs", "--tile", "64", "--validation", "0.5",
                 "-o", str(folder / "set.npz"), *more])  # fmt: skip


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_pairs_become_four_tiles_with_their_maps(
    tmp_path: Path, suffix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed in range(2):
        make_pair(tmp_path / "in" / f"{seed}{suffix}", seed)
    assert prepare(tmp_path) == 0
    tiles = load_tile_set(tmp_path / "set.npz")
    assert len(tiles) == 8 and tiles.labels.shape == (8, 1, 64, 64) and not tiles.has_height
    assert tiles.split.tolist() in ([0] * 4 + [1] * 4, [1] * 4 + [0] * 4)
    expected = make_ids(0)[11 : 11 + 64, 11 : 11 + 64]  # 150 px are two tiles and 11 px on each side
    assert (tiles.labels[0, 0] == expected).mean() > 0.95
    assert "a picture of a map; no terrain" in capsys.readouterr().out


def test_a_third_part_is_the_height_and_16_bits_are_kept(tmp_path: Path) -> None:
    slope = np.linspace(0, 65535, SIDE).astype(np.uint16)
    height = np.repeat(np.tile(slope, (SIDE, 1))[:, :, None], 3, axis=2)
    make_pair(tmp_path / "in" / "0.png", 0, height, dtype=np.uint16)
    assert prepare(tmp_path, "--parts", "map", "picture", "height", "--height-range-m", "-100", "4900") == 0
    tiles = load_tile_set(tmp_path / "set.npz")
    assert tiles.has_height and tiles.has_maps and len(tiles) == 4
    expected = -100 + 5000 * np.arange(11, 75) / (SIDE - 1)
    assert np.abs(tiles.height[0] - expected).max() <= 1  # 8 bits would have steps of 20 m
    assert np.array_equal(tiles.sea, (tiles.labels[:, 0] == 0) & (tiles.height <= 0))


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_pairs_that_a_camera_turned_stand_upright(tmp_path: Path, suffix: str) -> None:
    """The colours of the maps are the same as without turning; 8 bits, and 16 bits where the format has them."""
    make_pair(tmp_path / "in" / f"0{suffix}", 0, dtype=np.uint16 if suffix == ".png" else np.uint8)
    assert prepare(tmp_path) == 0
    right = load_tile_set(tmp_path / "set.npz")
    make_pair(tmp_path / "in" / f"0{suffix}", 0)
    with Image.open(tmp_path / "in" / f"0{suffix}") as picture:
        exif = Image.Exif()
        exif[0x0112] = 6
        turned = picture.transpose(Image.Transpose.ROTATE_90)
    turned.save(tmp_path / "in" / f"0{suffix}", exif=exif, quality=95)
    assert prepare(tmp_path) == 0
    tiles = load_tile_set(tmp_path / "set.npz")
    assert (tiles.labels == right.labels).mean() > 0.97
    assert np.abs(tiles.texture.astype(int) - right.texture).mean() < 4


def test_parts_may_be_in_another_order(tmp_path: Path) -> None:
    make_pair(tmp_path / "in" / "0.png", 0)
    assert prepare(tmp_path, "--parts", "other", "picture") == 0
    right = load_tile_set(tmp_path / "set.npz")
    assert not right.has_maps
    assert prepare(tmp_path, "--parts", "picture", "other", "--cuts", "whole") == 0
    left = load_tile_set(tmp_path / "set.npz")
    expected = cv2.resize(PALETTE[make_ids(0)], (64, 64), interpolation=cv2.INTER_AREA)
    assert len(left) == 1 and np.abs(left.texture[0].astype(int) - expected).mean() < 6


def test_files_that_are_no_pairs_are_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_pair(tmp_path / "in" / "good.png", 0)
    street = np.random.default_rng(0).integers(0, 90, (SIDE, 2 * SIDE, 3), dtype=np.uint8)
    cv2.imwrite(str(tmp_path / "in" / "street.png"), street)
    cv2.imwrite(str(tmp_path / "in" / "odd.png"), street[:, 1:])
    cv2.imwrite(str(tmp_path / "in" / "tiny.png"), street[:40, :80])
    (tmp_path / "in" / "words.txt").write_text("no picture")
    assert prepare(tmp_path) == 0
    left_out = dict(load_tile_set(tmp_path / "set.npz").left_out)
    assert left_out.keys() == {"street.png", "odd.png", "tiny.png", "words.txt"}
    assert "other colours than those of the classes" in left_out["street.png"]
    assert "not 2 equal parts" in left_out["odd.png"] and "40 x 40 px, smaller" in left_out["tiny.png"]
    assert capsys.readouterr().err.count("left out") == 4


def test_a_set_without_heights_is_refused_by_label(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_pair(tmp_path / "in" / "0.png", 0)
    assert prepare(tmp_path) == 0
    before = (tmp_path / "set.npz").read_bytes()
    assert main(["label", str(tmp_path / "set.npz"), "--labeller", str(tmp_path / "labeller.npz")]) == 1
    assert "has no heights" in capsys.readouterr().err
    assert (tmp_path / "set.npz").read_bytes() == before and not (tmp_path / "labeller.npz").exists()


def test_a_set_without_heights_is_refused_by_train(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_pair(tmp_path / "in" / "0.png", 0)
    assert prepare(tmp_path) == 0
    assert main(["train", str(tmp_path / "set.npz"), "-o", str(tmp_path / "run")]) == 1
    assert "has no heights" in capsys.readouterr().err
