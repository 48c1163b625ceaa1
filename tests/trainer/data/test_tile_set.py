import json
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from terrainpaint.core.labeller import Labeller, save_labeller
from terrainpaint.errors import OutputError, TrainingError
from trainer.data.tile_set import FORMAT_VERSION, TRAIN, VALIDATION, TileSet, load_tile_set, save_tile_set


def make_set(tiles: int = 3, side: int = 32, variants: int = 2) -> TileSet:
    random = np.random.default_rng(0)
    shape = tiles, side, side
    return TileSet(
        texture=np.full((*shape, 3), (200, 90, 30), np.uint8),
        height=random.integers(-400, 9000, shape).astype(np.int16),
        sea=random.random(shape) < 0.3,
        valid=random.random(shape) < 0.9,
        labels=random.integers(0, 7, (tiles, variants, side, side), dtype=np.uint8),
        split=np.array([TRAIN, VALIDATION, TRAIN], np.uint8)[:tiles],
        centre_deg=random.normal(0, 30, (tiles, 2)).astype(np.float32),
        pixel_size_m=2000.0,
        style="made-up",
        credits="nobody",
        names=tuple(f"übung/{tile}.png" for tile in range(tiles)),
        left_out=(("bad.png", "is cut short"),),
    )


def assert_same(back: TileSet, original: TileSet) -> None:
    for field in fields(TileSet):
        one, other = getattr(back, field.name), getattr(original, field.name)
        if field.name == "texture":  # JPEG is lossy; red and blue are not swapped
            assert np.abs(one.astype(int) - other).max() < 6
        else:
            assert np.array_equal(one, other), field.name


@pytest.mark.parametrize("variants", [0, 2])
def test_a_tile_set_is_the_same_after_saving_and_loading(tmp_path: Path, variants: int) -> None:
    original = replace(make_set(variants=variants), has_height=bool(variants))
    save_tile_set(tmp_path / "set.npz", original)
    assert_same(load_tile_set(tmp_path / "set.npz"), original)


def rewrite(path: Path, **changes: object) -> None:
    """Change entries of the header; None removes one."""
    with np.load(path) as stored:
        arrays = dict(stored)
    header = json.loads(arrays["header"].tobytes()) | changes
    header = {name: value for name, value in header.items() if value is not None}
    arrays["header"] = np.frombuffer(json.dumps(header).encode(), np.uint8)
    np.savez(path, **arrays)


def test_a_set_of_the_first_version_is_read(tmp_path: Path) -> None:
    original = make_set()
    save_tile_set(tmp_path / "set.npz", original)
    rewrite(tmp_path / "set.npz", version=1, has_height=None, names=None, left_out=None)
    assert_same(load_tile_set(tmp_path / "set.npz"), replace(original, names=(), left_out=()))


def test_a_set_of_a_newer_version_is_reported(tmp_path: Path) -> None:
    save_tile_set(tmp_path / "set.npz", make_set())
    rewrite(tmp_path / "set.npz", version=FORMAT_VERSION + 1)
    with pytest.raises(TrainingError, match=r"set\.npz was made by a newer version; update TerrainPaint"):
        load_tile_set(tmp_path / "set.npz")


@pytest.mark.parametrize("content", [b"", b"not a set", b"PK\x03\x04 broken"])
def test_a_file_of_another_kind_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "set.npz"
    path.write_bytes(content)
    with pytest.raises(TrainingError, match=r"set\.npz is not a tile set.*prepare"):
        load_tile_set(path)


def test_a_labeller_is_not_a_tile_set(tmp_path: Path) -> None:
    one = np.zeros((17,), np.float32)
    save_labeller(tmp_path / "labeller.npz", Labeller(one, one, (np.zeros((17, 7), np.float32),), (one[:7],)))
    with pytest.raises(TrainingError, match="is not a tile set"):
        load_tile_set(tmp_path / "labeller.npz")


def test_a_missing_set_is_reported(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"none\.npz cannot be read: there is no such file"):
        load_tile_set(tmp_path / "none.npz")


def test_a_set_that_is_cut_short_or_damaged_anywhere_is_refused(tmp_path: Path) -> None:
    save_tile_set(tmp_path / "set.npz", make_set())
    whole = (tmp_path / "set.npz").read_bytes()
    broken = tmp_path / "broken.npz"
    for end in range(0, len(whole) - 1, len(whole) // 40):
        broken.write_bytes(whole[:end])
        with pytest.raises(TrainingError, match="cut short"):
            load_tile_set(broken)
    refused = 0
    for at in range(0, len(whole), len(whole) // 60):
        broken.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        try:
            load_tile_set(broken)  # bytes that are not read, such as times, may change
        except TrainingError:
            refused += 1
    assert refused > 40


def test_layers_of_different_lengths_are_refused(tmp_path: Path) -> None:
    save_tile_set(tmp_path / "set.npz", replace(make_set(), split=np.zeros(2, np.uint8)))
    with pytest.raises(TrainingError, match="is not a tile set"):
        load_tile_set(tmp_path / "set.npz")


def test_the_name_of_a_style_is_one_line_that_can_be_printed(tmp_path: Path) -> None:
    save_tile_set(tmp_path / "set.npz", replace(make_set(), style="\x1b[31mred\n" + "x" * 10_000))
    style = load_tile_set(tmp_path / "set.npz").style
    assert style.isprintable() and style.startswith("\ufffd[31mred") and len(style) < 110


def test_a_set_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    folder = tmp_path / "set.npz"
    folder.mkdir()
    with pytest.raises(OutputError, match="it is a folder"):
        save_tile_set(folder, make_set())
    assert list(tmp_path.iterdir()) == [folder]


def test_a_split_has_its_own_tiles_and_names() -> None:
    original = make_set()
    held = original.subset(VALIDATION)
    assert len(held) == 1 and held.names == ("übung/1.png",) and np.array_equal(held.height[0], original.height[1])
    assert len(replace(original, names=()).subset(TRAIN)) == 2


@pytest.mark.parametrize(
    ("has_height", "variants", "text"),
    [(True, 1, "texture and height"), (True, 0, "label"), (False, 1, "no heights"), (False, 0, "neither")],
)
def test_the_description_of_what_a_set_can_train(has_height: bool, variants: int, text: str) -> None:
    original = replace(make_set(variants=variants), has_height=has_height)
    assert text in original.trains()
    if has_height:
        original.require_heights()
    else:
        with pytest.raises(TrainingError, match="no heights"):
            original.require_heights()
