"""`terrainpaint generate`: the files that it writes."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
import rasterio
import trimesh
from PIL import Image

from terrainpaint.core.assets import asset_path, shipped_styles
from terrainpaint.core.classes import CLASS_NAMES, PALETTE, WATER
from terrainpaint.core.map_files import read_map, write_map
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.export import FORMATS, export_paths
from tests.cli.files import STYLE_PIXEL_M, Run, assert_one_sentence, run_process, tree

ALL_FORMATS = ",".join(FORMATS)


def test_an_obj_with_material_and_texture(run: Run, weights: Path, map_png: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "folder" / "hills.obj"
    outcome = run("generate", map_png, "-o", out, "--weights", weights, "--seed", 3)
    assert outcome.code == 0
    assert outcome.err == ""
    assert outcome.paths == [out, out.with_suffix(".mtl"), out.with_suffix(".png")]
    assert sorted(out.parent.iterdir()) == sorted(outcome.paths)
    mesh = trimesh.load(out, process=False, force="mesh")
    assert len(mesh.vertices) == 48 * 64
    np.testing.assert_allclose(mesh.extents[[0, 2]], [63 * STYLE_PIXEL_M, 47 * STYLE_PIXEL_M])
    with Image.open(out.with_suffix(".png")) as texture:
        assert texture.size == (64, 48)


def test_all_formats_in_a_folder(run: Run, weights: Path, map_png: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    outcome = run("generate", map_png, "-o", out, "--formats", ALL_FORMATS, "--weights", weights, "--seed", 99)
    assert outcome.code == 0
    assert outcome.paths == export_paths(out, "land", list(FORMATS))
    assert sorted(out.iterdir()) == sorted(outcome.paths)
    facts = json.loads((out / "land_height16.json").read_text())
    steps = cv2.imread(str(out / "land_height16.png"), cv2.IMREAD_UNCHANGED)
    assert (steps.dtype, steps.shape) == (np.uint16, (48, 64))
    assert (steps.min(), steps.max()) == (0, 65535)
    assert facts["seed"] == 99
    assert facts["sea_level_m"] == 0
    assert facts["pixel_size_m"] == STYLE_PIXEL_M
    assert facts["weights_sha256"] == hashlib.sha256(weights.read_bytes()).hexdigest()
    mesh = trimesh.load(out / "land.obj", process=False, force="mesh")
    np.testing.assert_allclose(
        [facts["height_min_m"], facts["height_max_m"]],
        [mesh.vertices[:, 1].min(), mesh.vertices[:, 1].max()],
        atol=1e-3,
    )


def test_a_dry_run_tells_files_disk_memory_and_time(run: Run, weights: Path, map_png: Path, tmp_path: Path) -> None:
    before = tree(tmp_path)
    chosen = ("--formats", "glb,height16", "--weights", weights, "--dry-run")
    outcome = run("generate", map_png, "-o", f"{tmp_path}/out/", *chosen)
    *paths, disk, memory, time = outcome.out.splitlines()
    assert outcome.code == 0 and tree(tmp_path) == before
    assert [Path(path) for path in paths] == export_paths(tmp_path / "out", map_png.stem, ["glb", "height16"])
    assert re.fullmatch(r"disk: about [\d.]+ [kM]B, [\d.,]+ [MG]B free", disk)
    assert re.fullmatch(r"memory: about [\d.]+ [MG]B, [\d.,]+ [MG]B free", memory)
    assert re.fullmatch(r"time: (about|less).*; generating .*, writing .*", time)
    many = run("export", map_png, "-o", tmp_path / "out", *chosen, "--tiles", "4")
    assert "and 29 more files" in many.out and tree(tmp_path) == before
    assert_one_sentence(run("export", map_png, "-o", tmp_path / "out", *chosen, "--crop", "0,0,9999,9999"), "9999")


def test_the_formats_are_listed(run: Run) -> None:
    outcome = run("formats")
    assert outcome.code == 0
    assert all(f"  {form.name} " in outcome.out and form.description in outcome.out for form in FORMATS.values())
    assert "NAME.obj, NAME.mtl, NAME.png" in outcome.out


def test_options_of_single_formats(run: Run, weights: Path, map_png: Path, tmp_path: Path) -> None:
    common = ("generate", map_png, "-o", tmp_path / "out", "--formats", "glb", "--weights", weights)
    assert run(*common, "--glb-texture", "jpeg").code == 0
    assert b"image/jpeg" in (tmp_path / "out" / "land.glb").read_bytes()


def test_a_preset_writes_sizes_options_and_a_readme(run: Run, weights: Path, map_png: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "folder"
    outcome = run("generate", map_png, "-o", out, "--preset", "unity", "--weights", weights)
    assert outcome.code == 0 and sorted(out.iterdir()) == sorted(outcome.paths)
    facts = json.loads((out / "land_height.r16.json").read_text())
    assert (facts["width_px"], facts["height_px"], facts["first_row"]) == (65, 65, "south")
    assert "65" in (out / "land_README.txt").read_text()


def test_a_preset_of_the_user(run: Run, weights: Path, map_png: Path, tmp_path: Path) -> None:
    common = ("generate", map_png, "-o", tmp_path / "out", "--weights", weights, "--preset", tmp_path / "my.toml")
    text = 'formats = ["stl"]\n[options]\nmesh_size = 8\n[options.files]\nprint_size_mm = 80\n'
    (tmp_path / "my.toml").write_text(text)
    assert run(*common).code == 0
    mesh = trimesh.load_mesh(tmp_path / "out" / "land.stl")
    assert mesh.extents[:2].max() == pytest.approx(80) and len(mesh.faces) < 300
    assert run(*common, "--print-size-mm", 90).code == 0
    assert trimesh.load_mesh(tmp_path / "out" / "land.stl").extents[:2].max() == pytest.approx(90)
    (tmp_path / "my.toml").write_text('formats = ["stl"]\ncolour = 5\n')
    assert_one_sentence(run(*common), '"colour"', "title")
    for options, said in ((["--preset", "maya"], '"maya"'), (["--preset", "unreal", "--formats", "obj"], "--formats")):
        assert_one_sentence(run("generate", map_png, "-o", tmp_path / "out", "--weights", weights, *options), said)


def test_a_rectangle_in_tiles(run: Run, weights: Path, map_png: Path, tmp_path: Path) -> None:
    common = ("generate", map_png, "-o", tmp_path / "out", "--weights", weights, "--formats", "classes,r16")
    outcome = run(*common, "--crop", "8,4,49,33", "--tiles", "3x2", "--tile-names", "{name}-{x}-{y}", "--flip-y")
    names = [Path(line).name for line in outcome.out.splitlines()]
    assert outcome.code == 0 and names[-1] == "land_tiles.json" and len(names) == 6 * 3 + 1
    whole = read_map(map_png).ids
    with Image.open(tmp_path / "out" / "land-2-1_classes.png") as picture:
        np.testing.assert_array_equal(np.asarray(picture), whole[4:21, 40:57])
    for options, said in (
        (("--tiles", "many"), "513px"),
        (("--crop", "1,2,3"), "0,0,512,512"),
        (("--crop", "0,0,4000,40"), "not within the map"),
        (("--lods", "2"), "--tiles"),
        (("--tiles", "2", "--lods", "99"), "levels of detail"),
        (("--tiles", "2", "--tile-names", "{a}"), "token"),
        (("--tiles", "17px", "--lods", "6"), "halved"),
    ):
        refused = run(*common, *options)
        assert refused.code != 0 and said in refused.err and refused.err.count("\n") == 1


def test_classes_that_were_written_before_are_replaced(run: Run, weights: Path, map_png: Path, tmp_path: Path) -> None:
    command = ("generate", map_png, "-o", tmp_path / "out", "--formats", "classes", "--weights", weights)
    assert run(*command).code == 0
    np.testing.assert_array_equal(read_map(tmp_path / "out" / "land_classes.png").ids, read_map(map_png).ids)
    assert run(*command).code == 0


def test_a_geotiff_in_the_system_that_is_given(run: Run, weights: Path, map_png: Path, tmp_path: Path) -> None:
    common = ("generate", map_png, "-o", tmp_path / "out", "--formats", "geotiff", "--weights", weights)
    assert run(*common, "--crs", "EPSG:32632", "--origin", "500000,5200000").code == 0
    with rasterio.open(tmp_path / "out" / "land_geo.tif") as file:
        assert (file.crs.to_epsg(), file.bounds.left, file.bounds.top) == (32632, 500_000, 5_200_000)
    for options, said in (
        (["--crs", "EPSG:4326", "--origin", "1,2"], "EPSG:32632"),
        (["--crs", "nonsense", "--origin", "1,2"], '"nonsense"'),
        (["--crs", "EPSG:32632"], "north-west corner"),
    ):
        assert_one_sentence(run(*common, *options), said)


def test_a_folder_without_formats_gets_the_mesh(run: Run, weights: Path, map_png: Path, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    for folder in (f"{tmp_path}/new/", tmp_path / "there"):
        outcome = run("generate", map_png, "-o", folder, "--weights", weights)
        assert [path.name for path in outcome.paths] == ["land.obj", "land.mtl", "land.png"]
        assert all(path.parent == Path(folder) and path.is_file() for path in outcome.paths)


@pytest.mark.parametrize(("rows", "cols"), [(33, 101), (32, 32), (130, 47)])
def test_size_resamples_the_map(run: Run, weights: Path, map_png: Path, tmp_path: Path, rows: int, cols: int) -> None:
    outcome = run("generate", map_png, "-o", f"{tmp_path}/", "--formats", "albedo", "--weights", weights,
                  "--size", f"{rows}x{cols}")  # fmt: skip
    with Image.open(*outcome.paths) as picture:
        assert picture.size == (cols, rows)


def test_the_pixel_size_of_the_map_or_of_the_option_sizes_the_terrain(
    run: Run, weights: Path, map_png: Path, tmp_path: Path
) -> None:
    def facts(map_path: Path, *options: object) -> dict[str, float]:
        out = tmp_path / "out"
        assert run("generate", map_path, "-o", out, "--formats", "height16", "--weights", weights, *options).code == 0
        return dict(json.loads((out / f"{map_path.stem}_height16.json").read_text()))

    native = facts(map_png)
    write_map(tmp_path / "imported.png", read_map(map_png), 30.0)
    for pixel_m, small in (
        (30, facts(tmp_path / "imported.png")),
        (75, facts(map_png, "--pixel-size-m", 75)),
        (75, facts(tmp_path / "imported.png", "--pixel-size-m", 75)),
    ):
        assert small["pixel_size_m"] == pixel_m
        for name in ("height_min_m", "height_max_m"):
            assert small[name] == pytest.approx(native[name] * pixel_m / STYLE_PIXEL_M, rel=1e-3, abs=1e-3)


def test_mesh_size_and_exaggeration_change_the_mesh_only(
    run: Run, weights: Path, map_png: Path, tmp_path: Path
) -> None:
    def mesh_and_steps(name: str, *options: object) -> tuple[trimesh.Trimesh, bytes]:
        out = tmp_path / name
        outcome = run("generate", map_png, "-o", out, "--formats", "obj,height16", "--weights", weights,
                      "--mesh-size", 16, *options)  # fmt: skip
        assert outcome.code == 0
        mesh = trimesh.load(out / "land.obj", process=False, force="mesh")
        return mesh, (out / "land_height16.png").read_bytes()

    (plain, steps), (steep, same) = mesh_and_steps("plain"), mesh_and_steps("steep", "--exaggeration", 2.5)
    assert len(plain.vertices) == 16 * 12
    np.testing.assert_allclose(steep.vertices[:, 1], 2.5 * plain.vertices[:, 1], atol=2e-3)
    assert same == steps


def test_a_water_surface_is_added_to_the_mesh(run: Run, weights: Path, map_png: Path, tmp_path: Path) -> None:
    out = tmp_path / "land.obj"
    options = ("--exaggeration", 2, "--water-surface", -25)
    run("generate", map_png, "-o", out, "--weights", weights, *options)
    scene = trimesh.load_scene(out, split_object=True, process=False)
    water = min(scene.geometry.values(), key=lambda mesh: len(mesh.faces))
    assert set(water.vertices[:, 1]) == {-50.0}
    assert_one_sentence(
        run("generate", map_png, "-o", out, "--weights", weights, "--water-surface", 13_000), "13000", "water surface"
    )


def test_level_water(run: Run, weights: Path, tmp_path: Path) -> None:
    ids = np.ones((48, 64), np.uint8)
    ids[:, :24] = WATER
    write_map(tmp_path / "shore.png", SegmentationMap(ids))
    steps = {}
    for name, options in (("unchanged", ()), ("level", ("--level-water",))):
        out = tmp_path / name
        run("generate", tmp_path / "shore.png", "-o", out, "--formats", "height16", "--weights", weights, *options)
        assert json.loads((out / "shore_height16.json").read_text()).get("water_levelled", False) == bool(options)
        steps[name] = cv2.imread(str(out / "shore_height16.png"), cv2.IMREAD_UNCHANGED)[:, :24]
    assert np.ptp(steps["unchanged"]) > np.ptp(steps["level"]) == 0


def test_the_same_seed_gives_the_same_bytes_in_another_run_process(
    run: Run, weights: Path, map_png: Path, tmp_path: Path
) -> None:
    def arguments(name: str, seed: int) -> Sequence[object]:
        return (
            "generate",
            map_png,
            "-o",
            tmp_path / name,
            "--formats",
            ALL_FORMATS,
            "--weights",
            weights,
            "--seed",
            seed,
        )

    assert run(*arguments("here", 5)).code == 0
    assert run(*arguments("other", 6)).code == 0
    assert run_process(*arguments("there", 5)).code == 0
    here = tree(tmp_path / "here")
    assert here == tree(tmp_path / "there")
    other = tree(tmp_path / "other")
    masks = [name for name, form in FORMATS.items() if form.group == "Masks"]
    # Of an untrained network, the ground is so level that the whole sky is seen everywhere.
    no_land = [*masks, "lines", "lines-png"]
    same = {path.name for path in export_paths(tmp_path, "land", no_land)} | {"land.mtl", "land_ao.png"}
    assert all(here[name] != other[name] for name in here if name not in same)


def test_the_default_and_the_largest_seed(run: Run, weights: Path, map_png: Path, tmp_path: Path) -> None:
    for number, seed in enumerate([(), ("--seed", 0), ("--seed", 2**64 - 1)]):
        out = tmp_path / str(number)
        assert run("generate", map_png, "-o", out, "--formats", "height16", "--weights", weights, *seed).code == 0
    assert tree(tmp_path / "0") == tree(tmp_path / "1") != tree(tmp_path / "2")


def test_existing_files_are_replaced(run: Run, weights: Path, map_png: Path, tmp_path: Path) -> None:
    out = tmp_path / "hills.obj"
    for seed in (1, 2):
        assert run("generate", map_png, "-o", out, "--weights", weights, "--seed", seed).code == 0
    assert "# seed 2," in out.read_text()


@pytest.mark.parametrize("style", shipped_styles())
def test_a_shipped_style_generates_a_sample_map(run: Run, tmp_path: Path, style: str) -> None:
    sample = asset_path("maps/coast.png")
    outcome = run("generate", sample, "-o", tmp_path / "coast.obj", "--style", style, "--size", "96x128")
    assert outcome.code == 0, outcome.err
    mesh = trimesh.load(tmp_path / "coast.obj", process=False, force="mesh")
    assert len(mesh.vertices) == 96 * 128
    assert np.ptp(mesh.vertices[:, 1]) > 100


def test_see_through_pixels_become_water_or_a_class_of_choice(
    run: Run, weights: Path, map_png: Path, tmp_path: Path
) -> None:
    colours = PALETTE[read_map(map_png).ids]
    alpha = np.full(colours.shape[:2], 255, np.uint8)
    alpha[:, :16] = 0
    outputs = {}
    for name, under in {"water": WATER, "tundra": CLASS_NAMES.index("tundra")}.items():
        filled = colours.copy()
        filled[:, :16] = PALETTE[under]
        Image.fromarray(filled).save(tmp_path / f"{name}.png")
        Image.fromarray(np.dstack([colours, alpha])).save(tmp_path / "clear.png")
        for source, options in ((f"{name}.png", ()), ("clear.png", ("--under", name))):
            outcome = run("generate", tmp_path / source, "-o", tmp_path / "out", "--formats", "albedo", "--weights",
                          weights, *options)  # fmt: skip
            assert outcome.code == 0 and ("see-through" in outcome.err) == (source == "clear.png")
            outputs[name, source] = outcome.paths[0].read_bytes()
        assert outputs[name, f"{name}.png"] == outputs[name, "clear.png"]
    outcome = run(
        "generate", tmp_path / "clear.png", "-o", tmp_path / "out", "--formats", "albedo", "--weights", weights
    )
    assert outcome.paths[0].read_bytes() == outputs["water", "clear.png"]


def test_nearest_colour_reports_the_inexact_fraction(run: Run, weights: Path, map_png: Path, tmp_path: Path) -> None:
    with Image.open(map_png) as picture:
        pixels = np.asarray(picture.convert("RGB")).copy()
    pixels[:12] ^= 1  # a quarter of the rows
    noisy = tmp_path / "land.png"
    Image.fromarray(pixels).save(noisy)
    common = ("--weights", weights, "--formats", "height16")
    assert run("generate", map_png, "-o", tmp_path / "exact", *common).code == 0
    outcome = run("generate", noisy, "-o", tmp_path / "near", "--nearest-colour", *common)
    assert outcome.code == 0
    assert outcome.err.startswith(f"terrainpaint: 25.00% of the pixels of {noisy} had no class colour")
    assert outcome.err.count("\n") == 1
    assert tree(tmp_path / "exact") == tree(tmp_path / "near")
    quiet = run("generate", noisy, "-o", tmp_path / "quiet", "--nearest-colour", "--quiet", *common)
    assert (quiet.code, quiet.err) == (0, "")
