import json
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from terrainpaint.errors import TrainingError
from tests.trainer.data.test_tile_set import make_set
from tests.trainer.pictures_in_pairs import make_pairs
from trainer.data.pair_set import FORMAT_VERSION, is_pair_set, load_pair_set, save_pair_set
from trainer.data.tile_set import TRAIN, VALIDATION, load_tile_set, save_tile_set


@pytest.mark.parametrize("pixel_size_m", [None, 30.0])
def test_a_set_of_pairs_is_the_same_after_saving_and_loading(tmp_path: Path, pixel_size_m: float | None) -> None:
    pairs = replace(make_pairs(), pixel_size_m=pixel_size_m)
    pairs.centre_deg[0] = np.nan
    save_pair_set(tmp_path / "set.npz", pairs)
    back = load_pair_set(tmp_path / "set.npz")
    assert is_pair_set(tmp_path / "set.npz")
    for field in fields(pairs):
        one, other = getattr(back, field.name), getattr(pairs, field.name)
        if field.name in ("source", "target"):  # JPEG is lossy; red and blue are not swapped
            assert np.abs(one.astype(int) - other).max() < 8
        else:
            assert np.array_equal(one, other, equal_nan=field.name == "centre_deg"), field.name


def test_thin_coloured_lines_keep_their_colour(tmp_path: Path) -> None:
    """Streets of one pixel in other colours would turn grey if only every fourth colour were stored."""
    pairs = make_pairs(1, held_out=0)
    pairs.source[:] = (240, 240, 235)
    pairs.source[:, ::8] = (250, 60, 60)
    save_pair_set(tmp_path / "set.npz", pairs)
    error = np.abs(load_pair_set(tmp_path / "set.npz").source.astype(int) - pairs.source)
    assert error.mean() < 4 and error.max() < 40


def test_the_splits_are_the_whole_set_and_reversing_swaps_the_versions() -> None:
    pairs = make_pairs(5, held_out=2)
    train, held_out = pairs.subset(TRAIN), pairs.subset(VALIDATION)
    assert (len(train), len(held_out)) == (3, 2) and train.names + held_out.names == pairs.names
    assert np.array_equal(held_out.target, pairs.target[3:])
    back = pairs.reversed()
    assert back.style == "grey → colour" and pairs.style == "colour → grey"
    assert np.array_equal(back.source, pairs.target) and np.array_equal(back.target, pairs.source)


def rewrite(path: Path, **changes: object) -> None:
    """Change entries of the header or arrays; None removes an entry of the header."""
    with np.load(path) as stored:
        arrays = dict(stored)
    header = json.loads(arrays["header"].tobytes())
    for name, value in changes.items():
        if name in arrays:
            arrays[name] = np.asarray(value)
        else:
            header[name] = value
    arrays["header"] = np.frombuffer(json.dumps(header).encode(), np.uint8)
    np.savez(path, **arrays)


@pytest.mark.parametrize(
    "changes",
    [
        {"side_px": 63}, {"side_px": 0}, {"names": ["one"]}, {"names": 3}, {"pixel_size_m": -1}, {"format": "other"},
        {"split": np.array([0, 0, 0, 2], np.uint8)}, {"split": np.zeros(3, np.uint8)},
        {"target": np.zeros(9, np.uint8)}, {"centre_deg": np.zeros((4, 3), np.float32)}, {"source_style": 1},
    ],
)  # fmt: skip
def test_damaged_sets_are_refused_in_one_sentence(tmp_path: Path, changes: dict[str, object]) -> None:
    save_pair_set(tmp_path / "set.npz", make_pairs())
    rewrite(tmp_path / "set.npz", **changes)
    with pytest.raises(TrainingError, match=r"set\.npz is not a set of pairs, or is damaged.*trainer pairs"):
        load_pair_set(tmp_path / "set.npz")


def test_newer_sets_and_the_other_kind_of_set_are_told_apart(tmp_path: Path) -> None:
    save_pair_set(tmp_path / "pairs.npz", make_pairs())
    save_tile_set(tmp_path / "tiles.npz", make_set())
    with pytest.raises(TrainingError, match=r"tiles\.npz is a tile set, and pairs of pictures are needed"):
        load_pair_set(tmp_path / "tiles.npz")
    with pytest.raises(TrainingError, match=r"pairs\.npz is a set of pairs, and a tile set is needed"):
        load_tile_set(tmp_path / "pairs.npz")
    assert not is_pair_set(tmp_path / "tiles.npz") and not is_pair_set(tmp_path / "nowhere.npz")
    (tmp_path / "text.npz").write_text("no set")
    assert not is_pair_set(tmp_path / "text.npz")
    rewrite(tmp_path / "pairs.npz", version=FORMAT_VERSION + 1)
    with pytest.raises(TrainingError, match="made by a newer version"):
        load_pair_set(tmp_path / "pairs.npz")
