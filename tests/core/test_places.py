"""The most alike place is found, and index files of any content are read or refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from terrainpaint.core.places import (
    APART_KM,
    Place,
    distances_km,
    load_places,
    places_like,
    save_places,
    shipped_places,
)
from terrainpaint.errors import InputFileError, OptionError
from tests.core.places import PLACES, STYLE, land, small_index


@pytest.mark.parametrize("number", range(len(PLACES)))
@pytest.mark.parametrize("style", [STYLE, "unknown"])
def test_land_is_most_like_other_land_of_its_place(number: int, style: str) -> None:
    ids, height, picture = land(number, seed=7)
    found = places_like(small_index(), ids, height, picture, 2000.0, style)
    assert found[0].name == list(PLACES)[number] and found[0].similarity > 0.3
    # The pieces of a place are too near to be listed twice.
    assert sorted(place.name for place in found) == sorted(PLACES)
    assert [place.similarity for place in found] == sorted((place.similarity for place in found), reverse=True)


def test_finer_land_is_compared_at_the_scale_of_the_index() -> None:
    ids, height, picture = land(1, seed=7, side=64)
    fine = tuple(np.repeat(np.repeat(values, 4, axis=0), 4, axis=1) for values in (ids, height, picture))
    found = places_like(small_index(), *fine, 500.0, STYLE)
    assert found == places_like(small_index(), ids, height, picture, 2000.0, STYLE)
    assert found != places_like(small_index(), *fine, 2000.0, STYLE)
    # Rows and columns that are left over do not count, and what is too small is said in kilometres too.
    ragged = tuple(np.pad(values, [(0, 3), (0, 2)] + [(0, 0)] * (values.ndim - 2)) for values in fine)
    assert places_like(small_index(), *ragged, 500.0, STYLE) == found
    with pytest.raises(OptionError, match=r"256 x 127 px is too small .* at least 128 px, 64 km, a side"):
        places_like(small_index(), *(values[:127] for values in fine), 500.0, STYLE)


def test_the_same_land_is_wholly_similar() -> None:
    index = small_index()
    first = index.nearest(index.form[6], index.colours[STYLE][6], STYLE, 2)[0]
    assert (first.name, first.similarity) == ("Highland", 1.0)


def test_colours_count_in_the_styles_of_the_index_only() -> None:
    index = small_index()
    (ids, height, _), (_, _, other) = land(0, seed=7), land(3, seed=7)
    own, unknown = (index.distances(*measured(ids, height, other), style)[0] for style in (STYLE, "unknown"))
    assert own[0] > unknown[0] * 1.2


def measured(ids: Any, height: Any, picture: Any) -> tuple[Any, Any]:
    from terrainpaint.core.landscape import colours_of, form_of

    return form_of(ids, height, 2000.0), colours_of(ids, picture)


def test_positions_and_the_map_of_a_place() -> None:
    place = Place("Nowhere", -9.4, 179.6, 0.5)
    assert place.position == "9° S 180° E"
    assert place.map_address.startswith("https://www.openstreetmap.org/?mlat=-9.4000&mlon=179.6000#map=7/-9.4000/179.6")
    assert Place("x", -0.3, -0.4, 0).position == "0° N 0° E"


def test_distances_on_the_earth() -> None:
    found = distances_km(np.array([[0, 0], [0, 90], [90, 0], [0, -180]]))
    quarter = np.pi / 2 * 6371
    assert found[0] == pytest.approx([0, quarter, quarter, 2 * quarter], abs=1)


@pytest.mark.parametrize(("rows", "cols"), [(31, 200), (200, 20)])
def test_too_little_land_is_one_sentence(rows: int, cols: int) -> None:
    ids = np.ones((rows, cols), np.uint8)
    height, picture = np.zeros((rows, cols), np.float32), np.zeros((rows, cols, 3), np.uint8)
    with pytest.raises(OptionError, match=f"{cols} x {rows} px is too small"):
        places_like(small_index(), ids, height, picture, 2000.0, STYLE)
    sea = np.zeros((64, 64), np.uint8)
    with pytest.raises(OptionError, match="nearly all water"):
        places_like(small_index(), sea, np.zeros((64, 64), np.float32), np.zeros((64, 64, 3), np.uint8), 2000.0, STYLE)


def test_an_index_is_read_as_it_was_written(tmp_path: Path) -> None:
    index = small_index()
    save_places(tmp_path / "places.npz", index)
    read = load_places(tmp_path / "places.npz")
    assert (read.names, read.side_km, read.credits, len(read)) == (index.names, 512.0, "Made up.", 12)
    np.testing.assert_allclose(read.form, index.form, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(read.colours[STYLE], index.colours[STYLE], rtol=1e-3)
    assert np.array_equal(read.centre_deg, index.centre_deg) and np.array_equal(read.name, index.name)


@pytest.mark.parametrize(
    "change",
    [
        {"form": np.zeros((12, 3), np.float16)},
        {"name": np.full(12, 9, np.uint16)},
        {"centre_deg": np.full((12, 2), 100, np.float32)},
        {"centre_deg": np.full((12, 2), np.nan, np.float32)},
        {"colours_0": None},
        {"form": np.full((12, 1), np.inf, np.float16)},
        {"header": np.frombuffer(b"{}", np.uint8)},
        {"header": np.frombuffer(b'{"format": "terrainpaint-places", "version": 1, "names": 3}', np.uint8)},
    ],
)
def test_a_damaged_index_is_one_sentence(tmp_path: Path, change: dict[str, Any]) -> None:
    path = tmp_path / "places.npz"
    save_places(path, small_index())
    with np.load(path) as stored:
        arrays: dict[str, Any] = dict(stored)
    arrays |= change
    if "form" in change and change["form"].shape[1] == 1:
        arrays["form"] = np.full_like(small_index().form, np.inf, np.float16)
    np.savez(path, **{name: values for name, values in arrays.items() if values is not None})
    with pytest.raises(InputFileError, match=r"places\.npz is not an index of places"):
        load_places(path)


def test_other_files_and_newer_ones_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.npz").write_text("places")
    with pytest.raises(InputFileError, match="not an index of places"):
        load_places(tmp_path / "text.npz")
    with pytest.raises(InputFileError, match=r"none\.npz"):
        load_places(tmp_path / "none.npz")
    path = tmp_path / "places.npz"
    save_places(path, small_index())
    with np.load(path) as stored:
        arrays = dict(stored)
    header = json.loads(arrays["header"].tobytes()) | {"version": 2}
    np.savez(path, **(arrays | {"header": np.frombuffer(json.dumps(header).encode(), np.uint8)}))
    with pytest.raises(InputFileError, match="newer version"):
        load_places(path)


def test_the_shipped_index_covers_the_earth() -> None:
    index = shipped_places()
    assert len(index) > 2000 and {"atlas", "satellite"} <= set(index.colours) and "Natural Earth" in index.credits
    latitude, longitude = index.centre_deg.T
    assert latitude.min() < -35 and latitude.max() > 65 and longitude.min() < -120 and longitude.max() > 150
    # Known land: a piece in the Sahara is most like itself, and then like land of the dry belts.
    at = int(np.square(index.centre_deg - (23, 10)).sum(axis=1).argmin())
    found = index.nearest(index.form[at], index.colours["atlas"][at], "atlas", 5)
    assert found[0].similarity == 1 and all(abs(place.latitude) < 50 for place in found)
    assert distances_km(np.array([(each.latitude, each.longitude) for each in found]))[0, 1:].min() >= APART_KM
