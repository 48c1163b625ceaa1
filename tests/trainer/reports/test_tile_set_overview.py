from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.trainer.data.test_tile_set import make_set
from tests.trainer.pictures_in_pairs import make_pairs
from trainer.__main__ import main
from trainer.data.pair_set import save_pair_set
from trainer.data.statistics import statistics_of
from trainer.data.tile_set import VALIDATION, TileSet, save_tile_set


def plain(count: int = 6) -> TileSet:
    """Two thirds of grey land of class 3 at 700 m, and water; the last tile is held out and not valid by half."""
    shape = count, 48, 48
    rows = np.broadcast_to(np.arange(48)[None, :, None], shape)
    labels = np.where(rows < 32, 3, 0).astype(np.uint8)
    valid = np.ones(shape, bool)
    valid[-1, :, 24:] = False
    return TileSet(
        texture=np.full((*shape, 3), 119, np.uint8),  # a grey of lightness 50
        height=np.where(rows < 32, 700, -30).astype(np.int16),
        sea=rows >= 32,
        valid=valid,
        labels=labels[:, None],
        split=np.where(np.arange(count) == count - 1, VALIDATION, 0).astype(np.uint8),
        centre_deg=np.zeros((count, 2), np.float32),
        pixel_size_m=500.0,
        style="plain",
        credits="",
    )


def test_statistics_are_those_of_valid_pixels() -> None:
    splits = statistics_of(plain()).splits
    train, held = splits["train"], splits["held out"]
    assert (train.tiles, held.tiles, train.files) == (5, 1, 0)
    assert train.valid == 1 and held.valid == 0.5 and train.sea == pytest.approx(1 / 3)
    for split in (train, held):
        assert split.classes[3] == pytest.approx(2 / 3) and split.classes[0] == pytest.approx(1 / 3)
        assert split.quantiles_m == (700,) * 5
        assert split.lightness.sum() == pytest.approx(1) and split.lightness[24:26].sum() == pytest.approx(1)
        assert split.heights[0] == pytest.approx(1 / 3) and split.heights[-1] == pytest.approx(2 / 3)


def test_quantiles_of_height_are_exact() -> None:
    tiles = plain(2)
    height = np.arange(48 * 48).reshape(48, 48).astype(np.int16)
    tiles = replace(tiles, height=np.stack([height, height]), sea=np.zeros_like(tiles.sea))
    assert statistics_of(tiles).splits["train"].quantiles_m == (0, 115, 1151, 2188, 2303)


def test_inspect_prints_the_statistics_and_writes_a_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_tile_set(tmp_path / "set.npz", plain())
    assert main(["inspect", str(tmp_path / "set.npz"), "-o", str(tmp_path / "overview.png"), "--tiles", "4"]) == 0
    printed = capsys.readouterr().out
    assert "train: 5 tiles, 100.0% valid, 33.3% sea, lightness 50" in printed
    assert "hills 66.7%" in printed and "700 / 700 / 700" in printed and "texture and height from a map" in printed
    picture = cv2.imread(str(tmp_path / "overview.png"))[:, :, ::-1]
    colours = {tuple(colour) for colour in picture.reshape(-1, 3).tolist()}
    assert {(185, 122, 87), (17, 141, 215), (236, 0, 140)} <= colours  # both classes, and pixels that are not valid
    first = (tmp_path / "overview.png").read_bytes()
    assert main(["inspect", str(tmp_path / "set.npz"), "-o", str(tmp_path / "overview.png"), "--tiles", "4"]) == 0
    assert (tmp_path / "overview.png").read_bytes() == first


@pytest.mark.parametrize(("has_height", "variants"), [(True, 0), (False, 1), (False, 0)])
def test_sets_without_some_layers_have_an_overview(tmp_path: Path, has_height: bool, variants: int) -> None:
    tiles = replace(make_set(variants=variants), has_height=has_height, left_out=(("x" * 300, "is damaged"),) * 12)
    save_tile_set(tmp_path / "set.npz", tiles)
    assert main(["inspect", str(tmp_path / "set.npz"), "-o", str(tmp_path / "overview.jpg")]) == 0
    assert cv2.imread(str(tmp_path / "overview.jpg")).shape[1] > 900


def test_sets_without_a_held_out_tile_have_an_overview(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_tile_set(tmp_path / "set.npz", make_set().subset(0))
    assert main(["inspect", str(tmp_path / "set.npz"), "-o", str(tmp_path / "overview.png")]) == 0
    assert "held out: no tiles" in capsys.readouterr().out


def test_a_broken_set_leaves_no_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "set.npz").write_bytes(b"PK")
    assert main(["inspect", str(tmp_path / "set.npz"), "-o", str(tmp_path / "overview.png")]) == 1
    assert "not a tile set" in capsys.readouterr().err and not (tmp_path / "overview.png").exists()


@pytest.mark.parametrize("wrong", [["-o", "overview.txt"], ["--tiles", "0"]])
def test_impossible_options_are_wrong_usage(tmp_path: Path, wrong: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["inspect", str(tmp_path / "set.npz"), *wrong])
    assert stopped.value.code == 2


def test_a_set_of_pairs_is_described_and_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pairs = make_pairs(5, 48, held_out=2)
    pairs.source[3:], pairs.target[3:] = (200, 0, 0), (0, 0, 200)
    save_pair_set(tmp_path / "pairs.npz", pairs)
    assert main(["inspect", str(tmp_path / "pairs.npz"), "-o", str(tmp_path / "p.png"), "--tiles", "2"]) == 0
    output = capsys.readouterr().out
    assert "colour → grey, 5 pairs of 48 px, 2000 m a pixel" in output and "train: 3 pairs" in output
    assert "held out: 2 pairs" in output and "left out: bad.png is cut short" in output and "credits nobody" in output
    picture = cv2.imread(str(tmp_path / "p.png"))
    for colour in ((0, 0, 200), (200, 0, 0)):  # BGR: both held-out pairs are drawn, each version as a thumbnail
        assert 2 * 155**2 < (np.abs(picture.astype(int) - colour).max(axis=2) < 12).sum() < 2 * 165**2
