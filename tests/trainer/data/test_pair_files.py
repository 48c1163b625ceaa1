from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.trainer.pictures_in_pairs import make_picture
from trainer.__main__ import main
from trainer.data.pair_set import PairSet, load_pair_set
from trainer.data.tile_set import TRAIN, VALIDATION


def write(path: Path, picture: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.ascontiguousarray(picture[:, :, ::-1]))


def joined(seed: int, side: int = 64) -> NDArray[np.uint8]:
    source = make_picture(side, seed)
    return np.hstack([source, 255 - source])


def make(tmp_path: Path, *options: str) -> PairSet:
    assert main(["pairs", "-o", str(tmp_path / "set.npz"), *options]) == 0
    return load_pair_set(tmp_path / "set.npz")


def error_of(tmp_path: Path, capsys: pytest.CaptureFixture[str], *options: str) -> str:
    capsys.readouterr()
    assert main(["pairs", "-o", str(tmp_path / "set.npz"), *options]) != 0
    text = capsys.readouterr().err
    assert "Traceback" not in text and not (tmp_path / "set.npz").exists()
    return text


def near(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> bool:
    return float(np.abs(one.astype(int) - other).mean()) < 3


def test_joined_pictures_are_split_in_the_direction_that_is_asked_for(tmp_path: Path) -> None:
    for seed in range(5):
        write(tmp_path / "in" / f"{seed}.png", joined(seed))
    pairs = make(tmp_path, "--joined", str(tmp_path / "in"), "--styles", "photo", "map", "--validation", "0.4")
    assert len(pairs) == 5 and pairs.side_px == 64 and pairs.style == "photo → map" and pairs.split.sum() == 2
    assert pairs.names == tuple(f"{seed}.png" for seed in range(5)) and pairs.pixel_size_m is None
    assert near(pairs.source[3], make_picture(64, 3)) and near(pairs.target[3], 255 - make_picture(64, 3))
    back = make(tmp_path, "--joined", str(tmp_path / "in"), "--direction", "right-to-left", "--validation", "0.4")
    assert np.array_equal(back.source, pairs.target) and np.array_equal(back.target, pairs.source)
    assert np.array_equal(back.split, pairs.split) and back.style == "right → left"


def test_folders_named_train_and_val_decide_the_split(tmp_path: Path) -> None:
    for seed, folder in enumerate(["train", "train", "val"]):
        write(tmp_path / "maps" / folder / f"{seed}.jpg", joined(seed))
    pairs = make(tmp_path, "--joined", str(tmp_path / "maps"))
    assert pairs.split.tolist() == [TRAIN, TRAIN, VALIDATION]


def test_two_folders_are_paired_by_name_and_what_does_not_fit_is_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed in range(4):
        write(tmp_path / "maps" / f"{seed}.png", make_picture(64, seed))
        write(tmp_path / "photos" / f"{seed}.jpg", make_picture(64, seed + 10))
    write(tmp_path / "maps" / "alone.png", make_picture(64, 0))
    write(tmp_path / "photos" / "single.png", make_picture(64, 0))
    write(tmp_path / "photos" / "3.jpg", make_picture(48, 3))
    (tmp_path / "photos" / "2.jpg").write_bytes((tmp_path / "photos" / "2.jpg").read_bytes()[:300])
    pairs = make(tmp_path, "--source", str(tmp_path / "maps"), "--target", str(tmp_path / "photos"))
    assert pairs.names == ("0.png", "1.png") and pairs.style == "maps → photos"
    assert near(pairs.target[1], make_picture(64, 11))
    reasons = dict(pairs.left_out)
    assert set(reasons) == {"maps/alone.png", "photos/single.png", "2.png", "3.png"}
    assert "no file of its name" in reasons["maps/alone.png"] and "64 x 64" in reasons["3.png"]
    assert "2.jpg" in reasons["2.png"] and "partner" in reasons["2.png"]
    assert "left out: 2.png" in capsys.readouterr().err


def test_pictures_of_other_sizes_are_named_or_brought_to_one_size(tmp_path: Path) -> None:
    write(tmp_path / "in" / "a.png", joined(0, 64))
    write(tmp_path / "in" / "b.png", joined(1, 80))
    write(tmp_path / "in" / "c.png", joined(2, 64)[:40])
    write(tmp_path / "in" / "d.png", joined(2, 64)[:, 1:])
    pairs = make(tmp_path, "--joined", str(tmp_path / "in"))
    reasons = dict(pairs.left_out)
    assert pairs.names == ("a.png",) and "80 x 80" in reasons["b.png"] and "--tile" in reasons["b.png"]
    assert "64 x 40" in reasons["c.png"] and "127 px wide, an odd number" in reasons["d.png"]
    pairs = make(tmp_path, "--joined", str(tmp_path / "in"), "--tile", "40")
    assert pairs.names == ("a.png", "b.png", "c.png") and pairs.side_px == 40
    assert near(pairs.source[2], make_picture(64, 2)[:40, 12:52])


def test_a_grid_cuts_all_squares_of_a_picture_for_the_same_split(tmp_path: Path) -> None:
    for seed in range(4):
        write(tmp_path / "in" / f"{seed}.png", joined(seed, 96))
    pairs = make(tmp_path, "--joined", str(tmp_path / "in"), "--tile", "48", "--cut", "grid", "--validation", "0.5")
    assert len(pairs) == 16 and near(pairs.source[1], make_picture(96, 0)[:48, 48:])
    assert all(len(set(pairs.split[start : start + 4].tolist())) == 1 for start in range(0, 16, 4))
    assert pairs.split.sum() == 8


def test_pairs_are_written_side_by_side_and_read_back(tmp_path: Path) -> None:
    for seed in range(5):
        write(tmp_path / "in" / f"{seed}.png", joined(seed))
    out = tmp_path / "jpegs"
    pairs = make(tmp_path, "--joined", str(tmp_path / "in"), "--write-joined", str(out))
    assert len(list(out.glob("train/*.jpg"))) == 4 and len(list(out.glob("val/*.jpg"))) == 1
    back = make(tmp_path, "--joined", str(out))
    assert back.split.tolist() == [TRAIN] * 4 + [VALIDATION]
    order = [*np.flatnonzero(pairs.split == TRAIN), *np.flatnonzero(pairs.split == VALIDATION)]
    assert near(back.source, pairs.source[order]) and near(back.target, pairs.target[order])


def test_wrong_folders_are_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "one" / "a.png", make_picture(64, 0))
    write(tmp_path / "two" / "b.png", make_picture(64, 0))
    one, two = str(tmp_path / "one"), str(tmp_path / "two")
    assert "no file name in common" in error_of(tmp_path, capsys, "--source", one, "--target", two)
    assert "None of the 1 files" in error_of(tmp_path, capsys, "--joined", one)
    assert "nowhere" in error_of(tmp_path, capsys, "--joined", str(tmp_path / "nowhere"))
    write(tmp_path / "one" / "a.jpg", make_picture(64, 0))
    assert "two files named a" in error_of(tmp_path, capsys, "--source", one, "--target", two)


@pytest.mark.parametrize(
    "options",
    [
        [], ["--joined", "a", "--source", "b", "--target", "c"], ["--source", "a"], ["--target-set", "a.npz"],
        ["--joined", "a", "--tile", "8"], ["--joined", "a", "--validation", "1"],
        ["--joined", "a", "--pixel-size-m", "0"], ["--joined", "a", "--region-tiles", "0"],
        ["--joined", "a", "--step-px", "1"], ["--source", ".", "--target", "a.tif"],
    ],
)  # fmt: skip
def test_options_that_do_not_go_together_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["pairs", "-o", str(tmp_path / "set.npz"), *options])
    assert ended.value.code == 2 and "error: " in capsys.readouterr().err
