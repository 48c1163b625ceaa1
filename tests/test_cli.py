"""The command line: exit codes, messages, and the files that it writes."""

from __future__ import annotations

import hashlib
import json
import os
import pty
import re
import resource
import signal
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
import rasterio
import torch
import trimesh
from PIL import Image

from terrainpaint import __version__
from terrainpaint.cli import main
from terrainpaint.core.assets import asset_path, shipped_looks, shipped_styles
from terrainpaint.core.classes import CLASS_NAMES, PALETTE, WATER
from terrainpaint.core.map_files import read_map, write_map
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.export import FORMATS, export_paths
from terrainpaint.models.shadow import ShadowConfig, ShadowGenerator
from terrainpaint.models.spade_local import SpadeLocal, SpadeLocalConfig
from terrainpaint.models.weights import WeightsHeader, save_weights
from tests.models.small_looks import write_look

ROOT = Path(__file__).resolve().parent.parent
ALL_FORMATS = ",".join(FORMATS)
PIXEL_SIZE_M = 1500.0


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def paths(self) -> list[Path]:
        """The paths on stdout."""
        return [Path(line) for line in self.out.splitlines()]


Run = Callable[..., Outcome]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """Run the command line in this process."""

    def run(*arguments: object) -> Outcome:
        code = main([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return Outcome(code, out, err)

    return run


def process(*arguments: object, limit_bytes: int | None = None) -> Outcome:
    """Run the command line in a new process, whose files may have at most `limit_bytes`."""

    def limit() -> None:
        if limit_bytes is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))

    command = [sys.executable, "-m", "terrainpaint", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, preexec_fn=limit)
    return Outcome(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A valid weights file of a small untrained network."""
    torch.manual_seed(3)
    config = SpadeLocalConfig(widths=(8, 8, 8, 8), blocks=(1, 1, 1, 1), hidden=8)
    shadow_config = ShadowConfig(hidden=4)
    header = WeightsHeader(
        network="spade-local",
        config=config,
        shadow_config=shadow_config,
        pixel_size_m=PIXEL_SIZE_M,
        style="untrained",
        credits="Made by a test.\nOf nothing.",
        licence="CC0-1.0",
        training={"images": 12, "data": "none", "colour": "\x1b[31mred"},
    )
    path = tmp_path_factory.mktemp("weights") / "untrained.safetensors"
    save_weights(path, header, SpadeLocal(config), ShadowGenerator(shadow_config))
    return path


@pytest.fixture
def map_png(tmp_path: Path) -> Path:
    """A map of 48 x 64 px with every class, in blocks."""
    path = tmp_path / "in" / "land.png"
    ids = np.random.default_rng(5).integers(0, 7, (6, 8), dtype=np.uint8)
    ids.flat[:7] = range(7)
    write_map(path, SegmentationMap(ids.repeat(8, axis=0).repeat(8, axis=1)))
    return path


def tree(folder: Path) -> dict[str, bytes | None]:
    """All paths in a folder, files with their content."""
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def assert_refused(outcome: Outcome, *parts: object) -> None:
    """Exit code 1 and one sentence with these parts, on stderr only."""
    assert outcome.code == 1, outcome
    assert outcome.out == ""
    assert outcome.err.startswith("terrainpaint: ")
    assert outcome.err.endswith(".\n")
    assert outcome.err.count("\n") == 1
    for part in parts:
        assert str(part) in outcome.err


def assert_wrong_usage(outcome: Outcome, *parts: str) -> None:
    """Exit code 2 and one line with these parts, on stderr only."""
    assert outcome.code == 2, outcome
    assert outcome.out == ""
    assert outcome.err.count("\n") == 1
    for part in parts:
        assert part in outcome.err


# --- written files


def test_an_obj_with_material_and_texture(run: Run, weights: Path, map_png: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "folder" / "hills.obj"
    outcome = run("generate", map_png, "-o", out, "--weights", weights, "--seed", 3)
    assert outcome.code == 0
    assert outcome.err == ""
    assert outcome.paths == [out, out.with_suffix(".mtl"), out.with_suffix(".png")]
    assert sorted(out.parent.iterdir()) == sorted(outcome.paths)
    mesh = trimesh.load(out, process=False, force="mesh")
    assert len(mesh.vertices) == 48 * 64
    np.testing.assert_allclose(mesh.extents[[0, 2]], [63 * PIXEL_SIZE_M, 47 * PIXEL_SIZE_M])
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
    assert facts["pixel_size_m"] == PIXEL_SIZE_M
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
    assert_refused(run("export", map_png, "-o", tmp_path / "out", *chosen, "--crop", "0,0,9999,9999"), "9999")


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
    assert_refused(run(*common), '"colour"', "title")
    for options, said in ((["--preset", "maya"], '"maya"'), (["--preset", "unreal", "--formats", "obj"], "--formats")):
        assert_refused(run("generate", map_png, "-o", tmp_path / "out", "--weights", weights, *options), said)


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
        assert_refused(run(*common, *options), said)


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
            assert small[name] == pytest.approx(native[name] * pixel_m / PIXEL_SIZE_M, rel=1e-3, abs=1e-3)


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
    assert_refused(
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


def test_the_same_seed_gives_the_same_bytes_in_another_process(
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
    assert process(*arguments("there", 5)).code == 0
    here = tree(tmp_path / "here")
    assert here == tree(tmp_path / "there")
    other = tree(tmp_path / "other")
    masks = [name for name, form in FORMATS.items() if form.group == "Masks"]
    # Of an untrained network, the ground is so level that the whole sky is seen everywhere.
    same = {path.name for path in export_paths(tmp_path, "land", masks)} | {"land.mtl", "land_ao.png"}
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
        picture(tmp_path / f"{name}.png", filled)
        picture(tmp_path / "clear.png", np.dstack([colours, alpha]))
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


def test_a_path_that_is_not_unicode_is_printed_as_its_bytes(weights: Path, map_png: Path, tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/caf\xe9/"
    command = [sys.executable, "-m", "terrainpaint", "generate", map_png, "-o", name, "--formats", "albedo",
               "--weights", weights]  # fmt: skip
    done = subprocess.run(command, capture_output=True, cwd=ROOT, env={**os.environ, "PYTHONUTF8": "1"})
    assert done.stdout == name + b"land_albedo.png\n", done.stderr
    assert Path(os.fsdecode(done.stdout.rstrip())).exists()


# --- errors, which leave no files


def picture(path: Path, array: np.ndarray, **options: object) -> None:
    Image.fromarray(array).save(path, **options)


def blank_png(path: Path, width: int, height: int, depth: int = 8) -> None:
    """An RGB PNG of the declared size without pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(99))) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)


GREEN = np.broadcast_to(PALETTE[2], (40, 40, 3)).copy()

BAD_MAPS: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda path: None, "no such file"),
    "text": (lambda path: path.write_text("no picture"), "not a picture"),
    "empty": (lambda path: path.touch(), "not a picture"),
    "other colours": (lambda path: picture(path, GREEN + np.uint8(1)), "--nearest-colour"),
    "JPEG": (lambda path: picture(path, GREEN, format="JPEG"), "--nearest-colour"),
    "16 bits grey": (lambda path: picture(path, np.zeros((40, 40), np.uint16)), "terrainpaint import"),
    "small": (lambda path: picture(path, GREEN[:31]), "at least 32"),
    "large": (lambda path: blank_png(path, 65_537, 40), "at most 65,536"),
    "cut short": (lambda path: blank_png(path, 4000, 4000), "damaged"),
    "folder": (lambda path: path.mkdir(), "it is a folder"),
}


@pytest.mark.parametrize(("create", "message"), BAD_MAPS.values(), ids=BAD_MAPS)
def test_a_bad_map(run: Run, weights: Path, tmp_path: Path, create: Callable[[Path], object], message: str) -> None:
    path = tmp_path / "bad map.png"
    create(path)
    before = tree(tmp_path)
    assert_refused(run("generate", path, "-o", tmp_path / "out" / "a.obj", "--weights", weights), path, message)
    assert tree(tmp_path) == before


def test_no_permission(run: Run, weights: Path, map_png: Path, tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    if os.access(locked, os.W_OK):
        pytest.skip("this user, such as root, may write everywhere")
    outcome = run("generate", map_png, "-o", locked / "a.obj", "--weights", weights)
    assert_refused(outcome, locked / "a.obj", "permission")
    map_png.chmod(0)
    assert_refused(run("generate", map_png, "-o", tmp_path / "a.obj", "--weights", weights), map_png, "permission")


BAD_WEIGHTS: dict[str, tuple[Callable[[Path, bytes], object], str]] = {
    "missing": (lambda path, good: None, "no such file"),
    "text": (lambda path, good: path.write_text("no weights"), "not a weights file"),
    "cut short": (lambda path, good: path.write_bytes(good[:-1]), "damaged"),
    "pickle": (lambda path, good: torch.save({"a": torch.zeros(3)}, path), "PyTorch checkpoint"),
    "folder": (lambda path, good: path.mkdir(), "folder"),
}


@pytest.mark.parametrize(("create", "message"), BAD_WEIGHTS.values(), ids=BAD_WEIGHTS)
def test_bad_weights(
    run: Run, weights: Path, map_png: Path, tmp_path: Path, create: Callable[[Path, bytes], object], message: str
) -> None:
    path = tmp_path / "bad.safetensors"
    create(path, weights.read_bytes())
    before = tree(tmp_path)
    assert_refused(run("generate", map_png, "-o", tmp_path / "out" / "a.obj", "--weights", path), path, message)
    assert_refused(run("info", path), path, message)
    assert tree(tmp_path) == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-o", "{}/out/", "--formats", "obj,fbx"], '"fbx"'),
        (["-o", "{}/out/", "--formats", ","], "No format"),
        (["-o", "{}/out.obj", "--formats", "obj"], "{}/out.obj"),
        (["-o", "{}/out.fbx"], "{}/out.fbx"),
        (["-o", "{}/out.png"], "{}/out.png can be one of several formats"),
        (["-o", "{}/out"], "{}/out"),
        (["-o", "{}/in/land.png/out.obj"], "{}/in/land.png/out.obj"),
        (["-o", "{}/in/land.png/"], "{}/in/land.png"),
        (["-o", "{}/" + 255 * "n" + ".obj"], "too long"),
        (["-o", "{}/out.obj", "--seed", "-1"], "-1"),
        (["-o", "{}/out.obj", "--seed", str(2**64)], str(2**64)),
        (["-o", "{}/out.obj", "--mesh-size", "1"], "mesh of 1 "),
        (["-o", "{}/out.obj", "--mesh-size", "16385"], "16385"),
        (["-o", "{}/out.obj", "--exaggeration", "0"], "exaggeration"),
        (["-o", "{}/out.obj", "--exaggeration", "nan"], "exaggeration"),
        (["-o", "{}/out.obj", "--exaggeration", "inf"], "exaggeration"),
        (["-o", "{}/out.obj", "--size", "31x64"], "31x64"),
        (["-o", "{}/out.obj", "--size", "64x65537"], "64x65537"),
    ],
    ids=lambda value: " ".join(value)[:60] if isinstance(value, list) else "",
)
def test_an_impossible_value(
    run: Run, weights: Path, map_png: Path, tmp_path: Path, options: list[str], message: str
) -> None:
    before = tree(tmp_path)
    filled = [option.format(tmp_path) for option in options]
    assert_refused(run("generate", map_png, *filled, "--weights", weights), message.format(tmp_path))
    assert tree(tmp_path) == before


def test_an_unknown_style_lists_the_installed_ones(run: Run, map_png: Path, tmp_path: Path) -> None:
    outcome = run("generate", map_png, "-o", tmp_path / "a.obj", "--style", "baroque")
    assert_refused(outcome, '"baroque"', "--weights", *shipped_styles())


def test_a_look_repaints_the_texture_and_keeps_the_heights(
    run: Run, weights: Path, map_png: Path, tmp_path: Path
) -> None:
    write_look(tmp_path / "painted.safetensors", source="untrained")
    options = ["--formats", "albedo,height16", "--weights", weights]
    facts, texture, height = [], [], []
    for name, look in (("plain", []), ("look", ["--look", tmp_path / "painted.safetensors"])):
        outcome = run("generate", map_png, "-o", tmp_path / name, *options, *look)
        assert (outcome.code, outcome.err) == (0, "")
        facts.append(json.loads((tmp_path / name / "land_height16.json").read_text()))
        texture.append(np.asarray(Image.open(tmp_path / name / "land_albedo.png")).astype(int))
        height.append(np.asarray(Image.open(tmp_path / name / "land_height16.png")).astype(int))
    assert np.abs(texture[1] - texture[0]).mean() > 5
    assert np.abs(height[1] - height[0]).max() <= 1
    sha256 = hashlib.sha256((tmp_path / "painted.safetensors").read_bytes()).hexdigest()
    assert (facts[1]["look"], facts[1]["look_sha256"]) == ("satellite", sha256)
    assert "look" not in facts[0]


def test_a_look_for_another_style_is_used_with_a_warning(
    run: Run, weights: Path, map_png: Path, tmp_path: Path
) -> None:
    write_look(tmp_path / "painted.safetensors", source="atlas")
    options = ["-o", tmp_path / "out.obj", "--weights", weights, "--look", tmp_path / "painted.safetensors"]
    outcome = run("generate", map_png, *options)
    assert outcome.code == 0 and outcome.err.count("\n") == 1
    assert all(f'"{name}"' in outcome.err for name in ("painted", "atlas", "untrained"))
    assert run("generate", map_png, *options, "--quiet").err == ""


def test_a_look_that_cannot_be_used(run: Run, weights: Path, map_png: Path, tmp_path: Path) -> None:
    out = ["-o", tmp_path / "a.obj", "--weights", weights]
    assert_refused(run("generate", map_png, *out, "--look", "baroque"), '"baroque"', ".safetensors", *shipped_looks())
    assert_refused(run("generate", map_png, *out, "--look", tmp_path / "a.safetensors"), "no such file")
    assert_refused(run("generate", map_png, *out, "--look", weights), "is a style")
    write_look(tmp_path / "look.safetensors")
    as_style = ["-o", tmp_path / "a.obj", "--weights", tmp_path / "look.safetensors"]
    assert_refused(run("generate", map_png, *as_style), "is a look")
    assert not (tmp_path / "a.obj").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="this computer has the device")
def test_a_missing_device(run: Run, weights: Path, map_png: Path, tmp_path: Path) -> None:
    outcome = run("generate", map_png, "-o", tmp_path / "a.obj", "--weights", weights, "--device", "cuda")
    assert_refused(outcome, "cuda")


@pytest.mark.parametrize("output", ["{}/in/land.obj", "{}/in/", "{}/in", "{}/link.obj"])
def test_the_map_is_not_replaced_by_the_texture(
    run: Run, weights: Path, map_png: Path, tmp_path: Path, output: str
) -> None:
    (tmp_path / "link.png").symlink_to(map_png)
    before = tree(tmp_path)
    outcome = run("generate", map_png, "-o", output.format(tmp_path), "--weights", weights)
    assert_refused(outcome, map_png, "replace")
    assert tree(tmp_path) == before


def test_another_map_is_not_replaced(run: Run, weights: Path, map_png: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.png"
    other.write_bytes(map_png.read_bytes())
    before = tree(tmp_path)
    assert_refused(run("generate", map_png, "-o", tmp_path / "other.obj", "--weights", weights), other, "replaced")
    assert tree(tmp_path) == before


def test_outputs_that_are_links_to_one_file(run: Run, weights: Path, map_png: Path, tmp_path: Path) -> None:
    (tmp_path / "a.mtl").symlink_to(tmp_path / "a.png")
    assert_refused(run("generate", map_png, "-o", tmp_path / "a.obj", "--weights", weights), tmp_path / "a.obj")


def test_a_full_disk_leaves_the_old_files(weights: Path, map_png: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.obj"
    out.write_text("before")
    before = tree(tmp_path)
    assert_refused(
        process("generate", map_png, "-o", out, "--weights", weights, "--mesh-size", 200, limit_bytes=100_000), out
    )
    assert tree(tmp_path) == before


# --- wrong usage


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is always a screen")
def test_the_window_without_a_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    assert_refused(process(), "no screen")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["paint"], "paint"),
        (["generate", "a.png"], "--output"),
        (["generate", "-o", "a.obj"], "MAP"),
        (["generate", "a.png", "-o", ""], "--output"),
        (["generate", "a.png", "-o", "a.obj", "--size", "512"], "512x768"),
        (["generate", "a.png", "-o", "a.obj", "--size", "0x-3"], "--size"),
        (["generate", "a.png", "-o", "a.obj", "--seed", "1.5"], "whole number"),
        (["generate", "a.png", "-o", "a.obj", "--seed", "9" * 5000], "whole number"),
        (["generate", "a.png", "-o", "a.obj", "--exaggeration", "much"], "not a number"),
        (["generate", "a.png", "-o", "a.obj", "--device", "abacus"], "abacus"),
        (["generate", "a.png", "-o", "a.obj", "--style", "atlas", "--weights", "a.safetensors"], "--style"),
        (["generate", "a.png", "-o", "a.obj", "--mesh", "5"], "--mesh"),
        (["generate", "a.png", "-o", "a.obj", "--se\ned", "5"], "--se ed"),
        (["info"], "FILE"),
    ],
    ids=lambda value: " ".join(value)[:60] if isinstance(value, list) else "",
)
def test_wrong_usage(run: Run, arguments: list[str], message: str) -> None:
    assert_wrong_usage(run(*arguments), message, "--help")


# --- the terminal


@pytest.mark.parametrize(
    ("stage", "number", "code"), [("Generating", signal.SIGINT, 130), ("Writing", signal.SIGTERM, 143)]
)
def test_stopping_leaves_nothing(
    weights: Path, map_png: Path, tmp_path: Path, stage: str, number: signal.Signals, code: int
) -> None:
    out = tmp_path / "out" / "a.obj"
    before = tree(tmp_path)
    size = "3000x3000" if stage == "Generating" else "64x64"
    command = [sys.executable, "-m", "terrainpaint", "generate", map_png, "-o", out, "--weights", weights,
               "--size", size, "--mesh-size", "3000"]  # fmt: skip
    with OnTerminal(command) as (running, terminal):
        shown = b""
        while stage.encode() not in shown:
            shown += os.read(terminal, 1000)
        running.send_signal(number)
        shown = read_all(terminal)
        assert running.wait(60) == code
    assert b"Traceback" not in shown
    assert shown.endswith(b"\r")  # the progress line was cleared
    assert tree(tmp_path) == before


def test_progress_on_a_terminal(weights: Path, map_png: Path, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "terrainpaint",
        "generate",
        map_png,
        "-o",
        tmp_path / "a.obj",
        "--weights",
        weights,
    ]
    with OnTerminal(command) as (running, terminal):
        shown = read_all(terminal).decode()
        assert running.wait(60) == 0
    lines = [line.rstrip() for line in shown.split("\r")]
    assert {"Loading", "Generating   0%", "Generating 100%", "Writing 100%"} <= set(lines)
    assert lines[-1] == ""
    assert "\n" not in shown


def _accept_interrupts() -> None:
    """A shell makes background jobs ignore SIGINT, and their child processes inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class OnTerminal:
    """A process whose stderr is a terminal; gives the process and the other end of the terminal."""

    def __init__(self, command: Sequence[object]) -> None:
        self._terminal, end = pty.openpty()
        arguments = [str(argument) for argument in command]
        self._running = subprocess.Popen(
            arguments, stdout=subprocess.DEVNULL, stderr=end, cwd=ROOT, preexec_fn=_accept_interrupts
        )
        os.close(end)

    def __enter__(self) -> tuple[subprocess.Popen[bytes], int]:
        return self._running, self._terminal

    def __exit__(self, *error: object) -> None:
        self._running.kill()
        self._running.wait()
        os.close(self._terminal)


def read_all(terminal: int) -> bytes:
    shown = b""
    try:
        while part := os.read(terminal, 1000):
            shown += part
    except OSError:  # Linux reports the end of the terminal as an error
        pass
    return shown


# With unbuffered output argparse writes the help and the version itself, and ignores errors.
BUFFERED = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}


def test_a_closed_reader_is_not_an_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stdout:
        command = [sys.executable, "-m", "terrainpaint", "--version"]
        done = subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=BUFFERED)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_stdout_on_a_full_disk() -> None:
    with Path("/dev/full").open("w") as stdout:
        command = [sys.executable, "-m", "terrainpaint", "--version"]
        done = subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=BUFFERED)
    assert_refused(Outcome(done.returncode, "", done.stderr), "Standard output")


# --- help, version, info


def test_version(run: Run) -> None:
    assert run("--version") == Outcome(0, f"terrainpaint {__version__}\n", "")


@pytest.mark.parametrize("command", ["generate", "export", "batch", "serve", "import", "info", "dream"])
def test_the_guide_has_every_option_of_the_help(run: Run, command: str) -> None:
    text = run(command, "--help").out
    guide = (ROOT / "docs" / "command-line.md").read_text("utf-8")
    options = set(re.findall(r"^  (?:-o [A-Za-z.]+, )?(--[a-z-]+)", text, re.MULTILINE))
    assert options
    assert all(f"`{option}" in guide for option in options)


def test_help_and_wrong_usage_load_no_torch() -> None:
    code = "import sys; from terrainpaint.cli import main; main(sys.argv[1:]); print('torch' in sys.modules)"
    for arguments in (
        ["--help"],
        ["import", "--help"],
        ["generate", "a.png"],
        ["generate", "no.png", "-o", "a.obj", "--style", "none"],
    ):
        command = [sys.executable, "-c", code, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
        assert done.stdout.splitlines()[-1] == "False"


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
    picture(path, GREEN + np.uint8(1))
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
    assert_refused(run("info", tmp_path / name), tmp_path / name, "no such file")


def test_ctrl_c_during_the_imports_ends_the_process_without_a_traceback() -> None:
    """A module that is imported by the window sends the signal, as a user may at that moment."""
    code = (
        "import os, signal, sys, terrainpaint.__main__ as program\n"
        "class Finder:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'terrainpaint.gui.app': os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Finder())\n"
        "sys.argv = ['terrainpaint']\n"
        "program.main()"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (-signal.SIGINT, b"")


def test_little_address_space_is_said_in_a_sentence() -> None:
    """Libraries are mapped into it before they are used."""
    for limit in (300_000, 700_000):
        command = f"ulimit -v {limit} && exec {sys.executable} -m terrainpaint info {ROOT}/assets/maps/coast.png"
        ended = subprocess.run(["bash", "-c", command], capture_output=True, timeout=60, check=False, text=True)
        assert ended.returncode == 1 and ended.stderr.startswith("terrainpaint: ") and "memory" in ended.stderr
        assert ended.stderr.count("\n") == 1


def test_a_terminal_of_ascii_only(weights: Path, tmp_path: Path) -> None:
    path = tmp_path / "Küste\x1b[31m.png"
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", "terrainpaint", "info", str(path)]
    ended = subprocess.run(command, capture_output=True, timeout=60, check=False, env=environment)
    assert ended.returncode == 1 and ended.stderr.isascii() and b"K\\xfcste\\x1b[31m.png" in ended.stderr
