from pathlib import Path

import cv2
import numpy as np
import pytest

from terrainpaint.core.classes import PALETTE
from trainer.__main__ import main
from trainer.data.tile_set import load_tile_set


def make_patches(folder: Path, count: int = 3, side: int = 64) -> None:
    random = np.random.default_rng(0)
    folder.mkdir()
    for index in range(count):
        ids = np.kron(random.integers(0, 7, (4, 4)), np.ones((side // 4, side // 4), int))
        cv2.imwrite(str(folder / f"{index:04d}_i2.png"), PALETTE[ids][:, :, ::-1])
        cv2.imwrite(str(folder / f"{index:04d}_t.png"), random.integers(0, 255, (side, side, 3), dtype=np.uint8))
        cv2.imwrite(str(folder / f"{index:04d}_h.png"), (ids * 9362).astype(np.uint16))


def prepare(folder: Path, out: Path) -> int:
    return main(["prepare", "--dataset", str(folder), "--style", "published", "--tile", "64", "--validation", "0.34",
                 "--height-range-m", "0", "7000", "-o", str(out)])  # fmt: skip


def test_published_patches_become_a_set_with_their_own_maps(tmp_path: Path) -> None:
    make_patches(tmp_path / "patches")
    assert prepare(tmp_path / "patches", tmp_path / "set.npz") == 0
    tiles = load_tile_set(tmp_path / "set.npz")
    assert len(tiles) == 3 and tiles.labels.shape == (3, 1, 64, 64) and tiles.split.sum() == 1
    assert tiles.style == "published" and tiles.valid.all()
    # In these patches a class is a height: 9362 of 65535 are 1000 m.
    assert np.abs(tiles.height - 1000 * tiles.labels[:, 0].astype(int)).max() <= 1


@pytest.mark.parametrize("missing", ["0001_t.png", "0002_h.png"])
def test_an_incomplete_patch_is_left_out_and_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], missing: str
) -> None:
    make_patches(tmp_path / "patches")
    (tmp_path / "patches" / missing).unlink()
    assert prepare(tmp_path / "patches", tmp_path / "set.npz") == 0
    message = capsys.readouterr().err
    assert missing in message and message.count("\n") == 1
    assert (
        missing[:4] not in load_tile_set(tmp_path / "set.npz").names and len(load_tile_set(tmp_path / "set.npz")) == 2
    )


def test_a_folder_without_a_complete_patch_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_patches(tmp_path / "patches", count=1)
    (tmp_path / "patches" / "0000_h.png").unlink()
    assert prepare(tmp_path / "patches", tmp_path / "set.npz") == 1
    message = capsys.readouterr().err
    assert "0000_h.png" in message and message.count("\n") == 1 and not (tmp_path / "set.npz").exists()


def test_patches_of_unequal_sizes_and_empty_folders_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_patches(tmp_path / "patches")
    cv2.imwrite(str(tmp_path / "patches" / "0000_h.png"), np.zeros((32, 32), np.uint16))
    assert prepare(tmp_path / "patches", tmp_path / "set.npz") == 1
    assert "same size" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    assert prepare(tmp_path / "empty", tmp_path / "set.npz") == 1
    assert "holds no files" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command", [["prepare", "--style", "none", "-o", "set.npz"], ["label"], ["label", "--apply"], ["train"], []]
)
def test_wrong_usage_is_exit_code_2(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(command)
    assert stopped.value.code == 2 and "usage:" in capsys.readouterr().err


def test_the_same_patches_give_the_same_bytes(tmp_path: Path) -> None:
    make_patches(tmp_path / "patches")
    for name in ("one.npz", "two.npz"):
        assert prepare(tmp_path / "patches", tmp_path / name) == 0
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()


def test_heights_that_cannot_be_metres_are_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_patches(tmp_path / "patches")
    assert main(["prepare", "--dataset", str(tmp_path / "patches"), "--style", "x", "-o", str(tmp_path / "s.npz")]) == 1
    message = capsys.readouterr().err
    assert "56,172 m" in message and "--height-range-m" in message and not (tmp_path / "s.npz").exists()
