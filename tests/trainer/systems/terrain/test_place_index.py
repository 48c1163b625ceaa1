"""The index of places from tile sets: positions, names and numbers of the pieces, and files that do not fit."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from terrainpaint.core.landscape import colours_of, form_of
from terrainpaint.core.places import distances_km, load_places
from terrainpaint.errors import TrainingError
from tests.trainer.data.test_country_names import outlines
from trainer.__main__ import main
from trainer.data.country_names import CountryNames
from trainer.data.tile_set import TileSet, save_tile_set
from trainer.systems.terrain.place_index import PIECE_PX, make_index, retrieval

SIDE = 384


@pytest.fixture(scope="module")
def tiles() -> TileSet:
    """A tile in the middle of Westia and one in the sea beside Isle; the first one's south-east is not valid."""
    random = np.random.default_rng(0)
    height = random.integers(0, 900, (2, SIDE, SIDE)).astype(np.int16)
    valid = np.ones((2, SIDE, SIDE), bool)
    valid[0, 300:, 300:] = False
    return TileSet(
        texture=random.integers(0, 256, (2, SIDE, SIDE, 3), np.uint8),
        height=height,
        sea=height < 0,
        valid=valid,
        labels=random.integers(0, 7, (2, 3, SIDE, SIDE), np.uint8),
        split=np.zeros(2, np.uint8),
        centre_deg=np.array([(5, -5), (-60, 100)], np.float32),
        pixel_size_m=2000.0,
        style="atlas",
        credits="Made up.",
    )


@pytest.fixture(scope="module")
def countries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return outlines(tmp_path_factory.mktemp("countries") / "countries.json")


def test_pieces_have_their_place_name_and_numbers(tiles: TileSet, countries: Path) -> None:
    other = replace(tiles, style="satellite", texture=255 - tiles.texture)
    index = make_index({Path("a"): tiles, Path("s"): other}, CountryNames.load(countries), step_px=128)
    # Two rows and columns of each tile, without the piece that is not valid.
    assert [index.names[number] for number in index.name] == ["Westia"] * 3 + ["An island"] * 4
    # The north-western piece of a tile is 64 px = 128 km north and west of the centre of the tile.
    both = np.array([(5, -5), index.centre_deg[0]])
    assert distances_km(both)[0, 1] == pytest.approx(128 * 2**0.5, rel=0.01)
    assert index.centre_deg[0] == pytest.approx((5 + 128 / 111.2, -5 - 128 / 111.2), abs=0.02)
    assert index.centre_deg[3] == pytest.approx(
        (-60 + 128 / 111.2, 100 - 128 / 111.2 / np.cos(np.radians(58.85))), abs=0.1
    )
    piece = tiles.labels[1, 1, :PIECE_PX, 128:], tiles.height[1, :PIECE_PX, 128:].astype(np.float32)
    np.testing.assert_array_equal(index.form[4], form_of(*piece, 2000.0))
    np.testing.assert_array_equal(
        index.colours["satellite"][4], colours_of(piece[0], other.texture[1, :PIECE_PX, 128:])
    )
    assert index.side_km == 512 and index.credits == "Made up. Countries: Natural Earth."


def test_the_command_writes_an_index_that_the_program_reads(
    tiles: TileSet, countries: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_tile_set(tmp_path / "atlas.npz", tiles)
    arguments = ["places", str(tmp_path / "atlas.npz"), "--countries", str(countries), "--step", "128"]
    assert main([*arguments, "-o", str(tmp_path / "places.npz"), "--check"]) == 0
    assert len(load_places(tmp_path / "places.npz")) == 7
    assert "7 pieces of 256 px" in capsys.readouterr().out
    assert main([*arguments[:2], "--countries", str(tmp_path / "atlas.npz"), "-o", str(tmp_path / "other.npz")]) == 1
    assert "countries-50m.json" in capsys.readouterr().err and not (tmp_path / "other.npz").exists()


def test_retrieval_leaves_out_what_overlaps(tiles: TileSet, countries: Path) -> None:
    index = make_index({Path("a"): tiles}, CountryNames.load(countries), step_px=128)
    found = retrieval(index, "atlas", apart_km=600, near_km=1000)
    # Only the pieces of the other tile are left, and they are far away.
    assert (found["first"], found["five"], found["random"]) == (0, 0, 0) and found["km"] > 5000


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"has_height": False}, "has no heights"),
        ({"labels": np.zeros((2, 0, SIDE, SIDE), np.uint8)}, "no maps yet"),
        ({"centre_deg": np.full((2, 2), np.nan, np.float32)}, "without a position"),
        ({"centre_deg": np.zeros((2, 2), np.float32), "style": "s"}, "not the same tiles"),
        ({}, "style 'atlas'"),
    ],
)
def test_sets_that_do_not_fit_are_one_sentence(
    tiles: TileSet, countries: Path, change: dict[str, object], message: str
) -> None:
    sets = {Path("first"): tiles, Path("second"): replace(tiles, **change)}
    with pytest.raises(TrainingError, match=message):
        make_index(sets, CountryNames.load(countries))


def test_sets_without_land_are_one_sentence(tiles: TileSet, countries: Path) -> None:
    with pytest.raises(TrainingError, match="no two pieces"):
        make_index({Path("a"): tiles.with_labels(tiles.labels * 0)}, CountryNames.load(countries))
