"""`terrainpaint import`: heights, pictures, maps and projects become maps in the class colours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from terrainpaint.core.classes import CLASS_NAMES, PALETTE, WATER
from terrainpaint.core.importing import SEA_COLOUR, classes_of_earth, classes_of_heights, suggested_limits
from terrainpaint.core.map_files import map_pixel_size_m, read_map, write_map
from terrainpaint.core.project import Layer, Project, Settings, ViewSettings
from terrainpaint.core.project_file import save_project
from terrainpaint.core.segmentation import SegmentationMap
from tests.cli.files import (
    COLS,
    HIGH_M,
    LOW_M,
    PIXEL_M,
    ROWS,
    Outcome,
    Run,
    assert_one_sentence,
    land,
    write_tif,
)

GRASSLAND, DESERT = CLASS_NAMES.index("grassland"), CLASS_NAMES.index("desert")


def imported(run: Run, path: Path, *options: object) -> tuple[NDArray[np.uint8], Outcome]:
    """The class ids of the map, and what the command printed."""
    out = path.parent / "out" / "map.png"
    outcome = run("import", path, "-o", out, "--force", *options)
    assert outcome.code == 0, outcome
    assert outcome.out == f"{out}\n"
    return read_map(out).ids, outcome


def island() -> NDArray[np.float32]:
    """Land from -200 m to 600 m, so that there are water and several classes."""
    return (land() - LOW_M - 200).astype(np.float32)


def test_heights_become_the_map_of_the_window(run: Run, tmp_path: Path) -> None:
    ids, outcome = imported(run, write_tif(tmp_path / "land.tif", island()))
    np.testing.assert_array_equal(ids, classes_of_heights(island(), PIXEL_M, suggested_limits(island(), PIXEL_M)))
    assert (ids == WATER).any() and len(np.unique(ids)) > 2
    assert outcome.err == ""
    assert map_pixel_size_m(tmp_path / "out" / "map.png") == PIXEL_M


def test_heights_in_feet_give_the_same_map(run: Run, tmp_path: Path) -> None:
    ids, _ = imported(run, write_tif(tmp_path / "land.tif", island()))
    feet = write_tif(tmp_path / "feet.tif", island() / np.float32(0.3048))
    by_option, _ = imported(run, feet, "--unit", "ft")
    assert (by_option == ids).mean() > 0.995
    wrong, _ = imported(run, feet)
    assert (wrong == ids).mean() < 0.98


def test_a_range_is_asked_for_and_then_used(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "land.png"
    Image.fromarray(np.rint((land() - LOW_M) / (HIGH_M - LOW_M) * 65535).astype(np.uint16)).save(path)
    assert_one_sentence(run("import", path, "-o", tmp_path / "map.png"), path, "--lowest", "--highest")
    assert not (tmp_path / "map.png").exists()
    ids, outcome = imported(run, path, "--unit", "range", "--lowest", -200, "--highest", HIGH_M - LOW_M - 200)
    expected, _ = imported(run, write_tif(tmp_path / "same.tif", island()))
    assert (ids == expected).mean() > 0.995
    assert "30 m was assumed" in outcome.err
    with_pixels, _ = imported(run, path, "--lowest", 0, "--highest", 3000, "--pixel-size-m", 5)
    assert map_pixel_size_m(tmp_path / "out" / "map.png") == 5
    assert (with_pixels != ids).any()


@pytest.mark.parametrize(("dtype", "is_photograph"), [(np.uint8, True), (np.uint16, False)])
def test_a_photograph_in_grey_can_be_imported_as_a_picture(
    run: Run, tmp_path: Path, dtype: type[np.generic], is_photograph: bool
) -> None:
    white = np.iinfo(dtype).max
    Image.fromarray(np.rint((land() - LOW_M) / (HIGH_M - LOW_M) * white).astype(dtype)).save(tmp_path / "p.png")
    outcome = run("import", tmp_path / "p.png", "-o", tmp_path / "m.png")
    assert_one_sentence(outcome, "--lowest")
    assert ("--as picture" in outcome.err) == is_photograph
    assert imported(run, tmp_path / "p.png", "--as", "picture")[0].shape == (ROWS, COLS)


def test_whole_metres_without_a_unit_are_taken_as_such_and_said(run: Run, tmp_path: Path) -> None:
    Image.fromarray(np.rint(land()).astype(np.uint16)).save(tmp_path / "land.png")
    _, outcome = imported(run, tmp_path / "land.png")
    assert "taken as metres" in outcome.err and "--unit" in outcome.err
    assert imported(run, tmp_path / "land.png", "--quiet")[1].err == ""


def test_limits_are_options_and_push_each_other(run: Run, tmp_path: Path) -> None:
    path = write_tif(tmp_path / "land.tif", land())
    ids, _ = imported(run, path, "--sea-m", 600, "--mountain-deg", 90, "--hills-deg", 90)
    np.testing.assert_array_equal(ids == WATER, land() <= 600)
    dry, _ = imported(run, path, "--desert-m", 2000, "--hills-deg", 90, "--mountain-deg", 90)
    assert (dry == DESERT).all()
    assert_one_sentence(
        run("import", path, "-o", tmp_path / "map.png", "--sea-m", 10, "--desert-m", 5), "must rise", "--sea-m"
    )


@pytest.mark.parametrize("mark", [-9999.0, None])
def test_gaps_are_filled_and_said(run: Run, tmp_path: Path, mark: float | None) -> None:
    heights = island() + 300
    whole, _ = imported(run, write_tif(tmp_path / "whole.tif", heights))
    heights[20:30, 20:30] = -9999
    ids, outcome = imported(run, write_tif(tmp_path / "gaps.tif", heights, nodata=mark))
    assert "100 pixels" in outcome.err and outcome.err.startswith("terrainpaint: ")
    assert (ids == whole).mean() > 0.97
    kept, outcome = imported(run, tmp_path / "gaps.tif", "--keep-suspected")
    assert (kept[20:30, 20:30] == WATER).all() == (mark is None) and ("100 pixels" in outcome.err) == (mark is not None)
    assert not (ids == WATER).any() or (whole == WATER).any()


def test_a_texture_asks_the_labeller(run: Run, tmp_path: Path) -> None:
    heights = write_tif(tmp_path / "land.tif", land())
    green = np.broadcast_to(np.array([90, 140, 70], np.uint8), (2 * ROWS, 2 * COLS, 3))
    Image.fromarray(np.ascontiguousarray(green)).save(tmp_path / "t.png")
    ids, _ = imported(run, heights, "--texture", tmp_path / "t.png", "--pixel-size-m", 2000)
    np.testing.assert_array_equal(ids, classes_of_earth(green, land(), 2000.0))
    Image.fromarray(np.zeros((50, 50, 3), np.uint8)).save(tmp_path / "square.png")
    assert_one_sentence(
        run("import", heights, "-o", tmp_path / "m.png", "--texture", tmp_path / "square.png"), "square.png", "crop"
    )


def test_a_see_through_texture_is_taken_as_sea(run: Run, tmp_path: Path) -> None:
    heights = write_tif(tmp_path / "land.tif", land())
    texture = np.full((ROWS, COLS, 4), (90, 140, 70, 255), np.uint8)
    texture[:, :20, 3] = 0
    Image.fromarray(texture).save(tmp_path / "t.png")
    ids, outcome = imported(run, heights, "--texture", tmp_path / "t.png", "--pixel-size-m", 2000)
    colours = texture[:, :, :3].copy()
    colours[:, :20] = SEA_COLOUR
    np.testing.assert_array_equal(ids, classes_of_earth(colours, land(), 2000.0))
    assert f"see-through on {20 / COLS:.2%} of its pixels; it was taken as sea there" in outcome.err


def test_an_unlikely_pixel_size_is_said_with_a_proposal(run: Run, tmp_path: Path) -> None:
    path = write_tif(tmp_path / "land.tif", island())
    _, outcome = imported(run, path, "--pixel-size-m", 0.2)
    assert "steeper than any land with 0.2 m a pixel" in outcome.err
    proposed = outcome.err.split("--pixel-size-m ")[1].split(".\n")[0]
    assert imported(run, path, "--pixel-size-m", proposed)[1].err == ""


def test_files_larger_than_a_map_are_reduced_on_demand(run: Run, tmp_path: Path) -> None:
    wide = np.repeat(np.linspace(-500, 900, 17_000, dtype=np.float32)[None], 600, axis=0)
    path = write_tif(tmp_path / "wide.tif", wide)
    assert_one_sentence(run("import", path, "-o", tmp_path / "m.png"), "17000", "--longest-side")
    ids, _ = imported(run, path, "--longest-side", 1700)
    assert ids.shape == (60, 1700)
    assert (ids == WATER).mean() == pytest.approx(500 / 1400, abs=0.01)
    assert map_pixel_size_m(tmp_path / "out" / "map.png") == pytest.approx(10 * PIXEL_M)


def test_raw_heights_with_a_guessed_and_a_given_layout(run: Run, tmp_path: Path) -> None:
    (tmp_path / "land.raw").write_bytes(np.rint(land() * 60).astype(">u2").tobytes())
    options = ("--lowest", 0, "--highest", 65535 / 60, "--pixel-size-m", PIXEL_M)
    ids, outcome = imported(run, tmp_path / "land.raw", *options)
    assert ids.shape == (ROWS, COLS) and "likeliest" in outcome.err
    given, outcome = imported(run, tmp_path / "land.raw", "--raw", f"{ROWS}x{COLS}:u16:big", *options)
    np.testing.assert_array_equal(given, ids)
    assert "likeliest" not in outcome.err
    assert imported(run, tmp_path / "land.raw", "--longest-side", 40, *options)[0].shape == (32, 40)
    assert map_pixel_size_m(tmp_path / "out" / "map.png") == pytest.approx(2 * PIXEL_M)
    assert_one_sentence(
        run("import", tmp_path / "land.raw", "-o", tmp_path / "m.png", "--raw", f"{ROWS}x{COLS}:f32"), "land.raw"
    )


def stripes() -> NDArray[np.uint8]:
    return np.arange(7, dtype=np.uint8).repeat(12)[None].repeat(40, axis=0)


def test_a_map_is_imported_as_it_is(run: Run, tmp_path: Path) -> None:
    write_map(tmp_path / "in.png", SegmentationMap(stripes()), 12.5)
    ids, outcome = imported(run, tmp_path / "in.png")
    np.testing.assert_array_equal(ids, stripes())
    assert outcome.err == "" and map_pixel_size_m(tmp_path / "out" / "map.png") == 12.5


@pytest.mark.parametrize("under", ["desert", "#e6c8b5", None])
def test_what_lies_under_a_see_through_picture(run: Run, tmp_path: Path, under: str | None) -> None:
    alpha = np.full(stripes().shape, 255, np.uint8)
    alpha[:10] = 0
    Image.fromarray(np.dstack([PALETTE[stripes()], alpha])).save(tmp_path / "in.png")
    ids, outcome = imported(run, tmp_path / "in.png", *(() if under is None else ("--under", under)))
    assert (ids[:10] == (WATER if under is None else DESERT)).all()
    np.testing.assert_array_equal(ids[10:], stripes()[10:])
    assert "see-through on 25.00%" in outcome.err


def test_a_picture_by_nearest_colour_and_by_clusters(run: Run, tmp_path: Path) -> None:
    Image.fromarray(PALETTE[stripes()]).save(tmp_path / "in.jpg", quality=95)
    ids, _ = imported(run, tmp_path / "in.jpg")
    assert (ids == stripes()).mean() > 0.95
    as_map, outcome = imported(run, tmp_path / "in.jpg", "--as", "map")
    assert (as_map == ids).mean() > 0.95
    assert "no class colour" in outcome.err
    two = np.zeros((40, 80, 3), np.uint8)
    two[:, :40], two[:, 40:] = (20, 120, 210), (140, 140, 140)
    Image.fromarray(two).save(tmp_path / "two.png")
    for count in (("--clusters", 2), ("--clusters",)):
        clustered, _ = imported(run, tmp_path / "two.png", *count)
        assert set(np.unique(clustered)) == {WATER, CLASS_NAMES.index("mountain")}


def test_a_picture_of_a_camera_is_turned(run: Run, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.rot90(PALETTE[stripes()])).save(tmp_path / "in.jpg", quality=95, exif=exif)
    ids, _ = imported(run, tmp_path / "in.jpg")
    assert ids.shape == stripes().shape and (ids == stripes()).mean() > 0.95


def test_the_layers_of_a_project_become_one_map(run: Run, tmp_path: Path) -> None:
    upper = np.full(stripes().shape, 255, np.uint8)
    upper[:, :20] = DESERT
    project = Project.painted(stripes(), Settings(25.0, "atlas"))
    project = Project((*project.layers, Layer(2, "Upper", upper)), 2, project.settings, project.rerolls)
    save_project(tmp_path / "p.terrainpaint", project, ViewSettings(), None)
    ids, _ = imported(run, tmp_path / "p.terrainpaint")
    assert (ids[:, :20] == DESERT).all() and (ids[:, 20:] == stripes()[:, 20:]).all()
    assert map_pixel_size_m(tmp_path / "out" / "map.png") == 25


def test_no_input_and_no_map_is_replaced(run: Run, tmp_path: Path) -> None:
    path = write_tif(tmp_path / "land.tif", land())
    write_map(tmp_path / "map.png", SegmentationMap(stripes()))
    before = (tmp_path / "map.png").read_bytes()
    assert_one_sentence(run("import", path, "-o", tmp_path / "map.png"), "map.png", "--force")
    assert (tmp_path / "map.png").read_bytes() == before
    assert run("import", path, "-o", tmp_path / "map.png", "--force").code == 0
    assert read_map(tmp_path / "map.png").shape == (ROWS, COLS)
    assert_one_sentence(
        run("import", tmp_path / "map.png", "-o", tmp_path / "map.png", "--force"), "would replace the input"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("-o", "map.jpg"), "does not end in .png"),
        (("-o", "m.png", "--unit", "range"), "--lowest"),
        (("-o", "m.png", "--lowest", "5"), "--highest"),
        (("-o", "m.png", "--lowest", "5", "--highest", "5"), "below"),
        (("-o", "m.png", "--unit", "ft", "--lowest", "5", "--highest", "6"), "--unit range"),
        (("-o", "m.png", "--clusters", "7", "--unit", "m"), "heights only"),
        (("-o", "m.png", "--as", "heights", "--clusters", "7"), "pictures only"),
        (("-o", "m.png", "--as", "picture", "--sea-m", "7"), "heights only"),
        (("-o", "m.png", "--sea-m", "nan"), "finite"),
        (("-o", "m.png", "--under", "snow"), "no class"),
        (("-o", "m.png", "--raw", "12:u16"), "layout"),
        (("-o", "m.png", "--pixel-size-m", "0"), "0.01"),
    ],
)
def test_wrong_usage(run: Run, options: tuple[str, ...], message: str) -> None:
    outcome = run("import", "land.tif", *options)
    assert outcome.code == 2 and outcome.out == ""
    assert message in outcome.err and outcome.err.count("\n") == 1


def test_options_that_the_file_cannot_follow_are_refused(run: Run, tmp_path: Path) -> None:
    write_map(tmp_path / "map.png", SegmentationMap(stripes()))
    heights = write_tif(tmp_path / "land.tif", land())
    assert_one_sentence(run("import", tmp_path / "map.png", "-o", tmp_path / "m.png", "--sea-m", 5), "limits", "(map)")
    assert_one_sentence(run("import", heights, "-o", tmp_path / "m.png", "--clusters", 5), "--clusters", "(heights)")
    assert not (tmp_path / "m.png").exists()


def test_weights_are_no_land(run: Run, tmp_path: Path) -> None:
    (tmp_path / "w.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0{}              ")
    assert_one_sentence(run("import", tmp_path / "w.safetensors", "-o", tmp_path / "m.png"), "weights file")
