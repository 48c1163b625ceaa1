"""`terrainpaint info`: what it tells of files of every kind, for people and as JSON."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from rasterio.transform import Affine, from_origin

from terrainpaint.core.assets import shipped_styles
from terrainpaint.core.classes import CLASS_NAMES, PALETTE
from terrainpaint.core.dream_controls import DreamControls
from terrainpaint.core.dreamed import Dreamed
from terrainpaint.core.map_files import write_map
from terrainpaint.core.project import Layer, Project, Settings, ViewSettings
from terrainpaint.core.project_file import save_project
from terrainpaint.core.segmentation import SegmentationMap
from tests.cli.files import COLS, GREEN, HIGH_M, LOW_M, PIXEL_M, ROWS, Run, assert_one_sentence, land, write_tif
from tests.models.small_looks import CONFIG, write_look

KEYS = {"kind", "width", "height", "min_m", "max_m", "pixel_size_m", "gaps"}


def facts_of(run: Run, path: object) -> dict[str, Any]:
    outcome = run("info", path, "--json")
    assert (outcome.code, outcome.err) == (0, ""), outcome
    facts = json.loads(outcome.out)
    assert facts.keys() >= KEYS
    return facts


def in_feet(path: Path) -> Path:
    return write_tif(path, land() / np.float32(0.3048), units="ft")


def south_up(path: Path) -> Path:
    return write_tif(path, land()[::-1], transform=Affine(PIXEL_M, 0, 5e5, 0, PIXEL_M, 5e6))


def turned(path: Path) -> Path:
    return write_tif(path, land(), transform=Affine.translation(5e5, 5e6) @ Affine.rotation(20) @ Affine.scale(30, -30))


def mercator(path: Path) -> Path:
    """At 60 degrees north, where a pixel covers half of its nominal size."""
    return write_tif(path, land(), crs="EPSG:3857", transform=from_origin(1e6, 8_399_738, 2 * PIXEL_M, 2 * PIXEL_M))


HEIGHTS: dict[str, Callable[[Path], Path]] = {
    "metres": lambda path: write_tif(path, land()),
    "feet": in_feet,
    "scaled": lambda path: write_tif(path, np.rint(land() * 10).astype(np.int16), scale=0.1),
    "offset": lambda path: write_tif(path, np.rint(land()).astype(np.int16) - 500, scale=1.0, offset=500.0),
    "south up": south_up,
    "turned": turned,
    "Web Mercator": mercator,
    "US survey feet": lambda path: write_tif(
        path, land(), crs="EPSG:2263", transform=from_origin(1e6, 2e5, 30 / 0.3048006096, 30 / 0.3048006096)
    ),
}


@pytest.mark.parametrize("write", HEIGHTS.values(), ids=HEIGHTS)
def test_heights_in_metres_on_the_ground(run: Run, tmp_path: Path, write: Callable[[Path], Path]) -> None:
    facts = facts_of(run, write(tmp_path / "land.tif"))
    assert (facts["kind"], facts["width"], facts["height"], facts["gaps"]) == ("heights", COLS, ROWS, 0)
    assert facts["min_m"] == pytest.approx(LOW_M, abs=0.6)
    assert facts["max_m"] == pytest.approx(HIGH_M, abs=0.6)
    assert facts["pixel_size_m"] == pytest.approx(PIXEL_M, rel=0.005)


def test_heights_for_people(run: Run, tmp_path: Path) -> None:
    outcome = run("info", in_feet(tmp_path / "land.tif"))
    assert (outcome.code, outcome.err) == (0, "")
    lines = dict(line.split("  ", 1) for line in outcome.out.splitlines())
    assert lines["size"].strip() == f"{COLS} x {ROWS} px"
    assert lines["range"].strip() == "195 to 1005 m"
    assert lines["pixel size"].strip() == "30 m"
    assert lines["ground size"].strip() == "2.4 x 1.8 km"
    assert "feet" in lines["unit"]


@pytest.mark.parametrize("mark", [-9999.0, 32767.0])
def test_gaps_are_a_fraction_declared_or_not(run: Run, tmp_path: Path, mark: float) -> None:
    heights = np.rint(land()).astype(np.int16)
    heights[:15, :20] = mark
    for name, profile in {"declared.tif": {"nodata": mark}, "not.tif": {}}.items():
        facts = facts_of(run, write_tif(tmp_path / name, heights, **profile))
        assert facts["gaps"] == pytest.approx(15 * 20 / (ROWS * COLS))
        assert facts["max_m"] == pytest.approx(HIGH_M, abs=1)
        assert facts["suspected_gap_values"] == ([] if profile else [mark])


def test_a_raster_without_any_height_is_refused(run: Run, tmp_path: Path) -> None:
    path = write_tif(tmp_path / "empty.tif", np.full((40, 50), -9999, np.float32))
    assert_one_sentence(run("info", path), path, "only gaps")
    assert_one_sentence(run("import", path, "-o", tmp_path / "m.png"), path, "only gaps")


def test_heights_without_a_unit_have_no_metres(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "land.png"
    Image.fromarray(np.rint((land() - LOW_M) / (HIGH_M - LOW_M) * 60_000).astype(np.uint16)).save(path)
    facts = facts_of(run, path)
    assert (facts["kind"], facts["min_m"], facts["max_m"], facts["pixel_size_m"]) == ("heights", None, None, None)
    assert (facts["min"], facts["max"], facts["unit"]) == (0, 60_000, None)
    assert "does not tell" in run("info", path).out


def test_heights_as_colours(run: Run, tmp_path: Path) -> None:
    steps = np.rint((land() + 32768) * 256).astype(np.uint32)
    Image.fromarray(np.dstack([steps >> 16, steps >> 8 & 255, steps & 255]).astype(np.uint8)).save(tmp_path / "t.png")
    facts = facts_of(run, tmp_path / "t.png")
    assert facts["kind"] == "heights"
    assert (facts["min_m"], facts["max_m"]) == (pytest.approx(LOW_M, abs=0.1), pytest.approx(HIGH_M, abs=0.1))
    assert any("Terrarium" in note for note in facts["notes"])


def test_raw_heights_are_a_guess_and_say_so(run: Run, tmp_path: Path) -> None:
    (tmp_path / "land.raw").write_bytes(np.rint(land() * 60).astype("<u2").tobytes())
    facts = facts_of(run, tmp_path / "land.raw")
    assert (facts["kind"], facts["width"], facts["height"]) == ("heights", COLS, ROWS)
    assert any("likeliest" in note for note in facts["notes"])


def test_rasters_larger_than_a_map(run: Run, tmp_path: Path) -> None:
    wide = np.repeat(np.linspace(100, 900, 17_000, dtype=np.float32)[None], 40, axis=0)
    facts = facts_of(run, write_tif(tmp_path / "wide.tif", wide))
    assert (facts["kind"], facts["width"], facts["height"]) == ("heights", 17_000, 40)
    assert (facts["min_m"], facts["max_m"]) == (pytest.approx(100, abs=0.1), pytest.approx(900, abs=0.1))
    assert facts["pixel_size_m"] == pytest.approx(PIXEL_M)


def blocks() -> np.ndarray:
    return np.arange(7, dtype=np.uint8).repeat(10)[None].repeat(40, axis=0)


MAPS: dict[str, tuple[str, Callable[[Path], None]]] = {
    "palette": ("m.png", lambda path: write_map(path, SegmentationMap(blocks()))),
    "RGB": ("m.png", lambda path: Image.fromarray(PALETTE[blocks()]).save(path)),
    "opaque alpha": ("m.png", lambda path: Image.fromarray(PALETTE[blocks()]).convert("RGBA").save(path)),
    "GIF": ("m.gif", lambda path: Image.fromarray(PALETTE[blocks()]).save(path)),
}


@pytest.mark.parametrize(("name", "write"), MAPS.values(), ids=MAPS)
def test_maps(run: Run, tmp_path: Path, name: str, write: Callable[[Path], None]) -> None:
    write(tmp_path / name)
    facts = facts_of(run, tmp_path / name)
    assert (facts["kind"], facts["width"], facts["height"]) == ("map", 70, 40)
    assert (facts["min_m"], facts["max_m"], facts["pixel_size_m"], facts["gaps"]) == (None, None, None, None)
    assert facts["classes"] == pytest.approx(dict.fromkeys(CLASS_NAMES, 1 / 7))


def test_the_pixel_size_of_a_map_that_was_imported(run: Run, tmp_path: Path) -> None:
    write_map(tmp_path / "m.png", SegmentationMap(blocks()), 12.5)
    assert facts_of(run, tmp_path / "m.png")["pixel_size_m"] == 12.5
    assert "0.875 x 0.5 km" in run("info", tmp_path / "m.png").out


@pytest.mark.parametrize(("orientation", "size"), [(1, (70, 40)), (6, (40, 70))])
def test_pictures_stand_upright(run: Run, tmp_path: Path, orientation: int, size: tuple[int, int]) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(PALETTE[blocks()]).save(tmp_path / "m.jpg", exif=exif, quality=95)
    facts = facts_of(run, tmp_path / "m.jpg")
    assert facts["kind"] == "picture"
    assert (facts["width"], facts["height"]) == size


def test_a_picture_of_a_kind_that_holds_no_heights(run: Run, tmp_path: Path) -> None:
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 50, 3), dtype=np.uint8)).save(tmp_path / "p.gif")
    facts = facts_of(run, tmp_path / "p.gif")
    assert (facts["kind"], facts["width"], facts["height"], facts["format"]) == ("picture", 50, 40, "GIF")


def test_a_picture_too_small_for_a_map_is_described(run: Run, tmp_path: Path) -> None:
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (9, 12, 3), dtype=np.uint8)).save(tmp_path / "p.png")
    facts = facts_of(run, tmp_path / "p.png")
    assert (facts["kind"], facts["width"], facts["height"]) == ("picture", 12, 9)
    assert (facts["inexact"], facts["see_through"]) == (1, 0)


@pytest.mark.parametrize("kind", ["map", "picture"])
def test_see_through_pixels_count_for_no_class(run: Run, tmp_path: Path, kind: str) -> None:
    colours = PALETTE[blocks()] - np.uint8(kind == "picture")
    alpha = np.full(colours.shape[:2], 255, np.uint8)
    alpha[:, :20] = 0
    Image.fromarray(np.dstack([colours, alpha])).save(tmp_path / "p.png")
    facts = facts_of(run, tmp_path / "p.png")
    assert facts["kind"] == kind
    assert facts["see_through"] == pytest.approx(2 / 7)
    assert facts["classes"] == pytest.approx(dict.fromkeys(CLASS_NAMES, 0.2) | {"water": 0, "grassland": 0})
    assert "28.57%" in run("info", tmp_path / "p.png").out


def test_projects_and_openraster(run: Run, tmp_path: Path) -> None:
    project = Project.painted(blocks(), Settings(25.0, "atlas"))
    save_project(tmp_path / "p.terrainpaint", project, ViewSettings(), None)
    facts = facts_of(run, tmp_path / "p.terrainpaint")
    assert (facts["kind"], facts["width"], facts["height"], facts["pixel_size_m"]) == ("project", 70, 40, 25)
    assert (facts["style"], facts["layers"]) == ("atlas", ["Layer 1"])
    assert "atlas" in run("info", tmp_path / "p.terrainpaint").out
    assert facts["look"] is None
    repainted = Project.painted(blocks(), Settings(25.0, "atlas", look_name="satellite"))
    save_project(tmp_path / "l.terrainpaint", repainted, ViewSettings(), None)
    assert facts_of(run, tmp_path / "l.terrainpaint")["look"] == "satellite"
    assert "satellite" in run("info", tmp_path / "l.terrainpaint").out


def test_what_a_map_was_dreamed_of(run: Run, tmp_path: Path) -> None:
    layer = Layer(1, "Isles", blocks(), dreamed=Dreamed(7, DreamControls(sea=0.6), 9, 0.4))
    project = Project((layer,), 1, Settings(25.0, "atlas"), np.zeros(layer.cells.shape, np.uint8))
    save_project(tmp_path / "p.terrainpaint", project, ViewSettings(), None)
    (facts,) = facts_of(run, tmp_path / "p.terrainpaint")["dreamed"]
    assert (facts["layer"], facts["seed"], facts["controls"]["sea"], facts["way"]) == ("Isles", 7, 0.6, "seed")
    text = run("info", tmp_path / "p.terrainpaint").out
    assert "Isles: dreamed with seed 7, sea 60 %, 40 % of the way to seed 9" in text


def test_a_file_of_no_kind_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("words")
    for more in ((), ("--json",)):
        assert_one_sentence(run("info", tmp_path / "a.txt", *more), tmp_path / "a.txt")


def test_an_address_of_a_file(run: Run, tmp_path: Path) -> None:
    path = write_tif(tmp_path / "a land.tif", land())
    assert facts_of(run, path.as_uri())["kind"] == "heights"


def test_a_look(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "satellite.safetensors"
    write_look(path, training={"images": 2000, "note": "\x1b[31mred"})
    facts = facts_of(run, path)
    assert (facts["kind"], facts["source"], facts["target"]) == ("look", "atlas", "satellite")
    assert (facts["pixel_size_m"], facts["licence"], facts["training"]["images"]) == (2000, "CC0-1.0", 2000)
    assert facts["reach_px"] == CONFIG.reach_px and facts["parameters"] > 0
    assert facts["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    outcome = run("info", path)
    assert "repaints" in outcome.out and "atlas as satellite" in outcome.out
    assert "\x1b" not in outcome.out


def test_a_damaged_look(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "satellite.safetensors"
    write_look(path)
    path.write_bytes(path.read_bytes()[:-1])
    outcome = run("info", path)
    assert outcome.code != 0
    assert_one_sentence(outcome, path)


def test_info_of_a_map(run: Run, map_png: Path) -> None:
    outcome = run("info", map_png)
    assert (outcome.code, outcome.err) == (0, "")
    facts = dict(line.split(maxsplit=1) for line in outcome.out.splitlines())
    assert facts["map"] == str(map_png)
    assert facts["size"] == "64 x 48 px"
    with Image.open(map_png) as opened:
        ids = np.asarray(opened)
    for number, name in enumerate(CLASS_NAMES):
        assert facts[name] == f"{(ids == number).mean():.2%}"
    assert ("ground" in facts) == bool(shipped_styles())


def test_info_of_a_picture_with_other_colours(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    Image.fromarray(GREEN + np.uint8(1)).save(path)
    assert "100.00% of the pixels" in run("info", path).out


def test_info_of_weights(run: Run, weights: Path) -> None:
    outcome = run("info", weights)
    assert (outcome.code, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    for name, value in {
        "style": "untrained",
        "network": "spade-local",
        "pixel size": "1500 m",
        "licence": "CC0-1.0",
        "credits": "Made by a test.",
        "training: images": "12",
        "training: colour": '"\\u001b[31mred"',
        "sha256": hashlib.sha256(weights.read_bytes()).hexdigest(),
    }.items():
        assert any(line.startswith(name + "  ") and line.endswith("  " + value) for line in lines), name
    assert "\x1b" not in outcome.out
    assert any(line.strip() == "Of nothing." for line in lines)


@pytest.mark.parametrize("name", ["map.png", "weights.safetensors", "heights.json"])
def test_info_of_a_missing_file(run: Run, tmp_path: Path, name: str) -> None:
    assert_one_sentence(run("info", tmp_path / name), tmp_path / name, "no such file")
