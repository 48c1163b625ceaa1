"""What the command line refuses: one sentence, an exit code, and no files."""

from __future__ import annotations

import hashlib
import json
import os
import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from terrainpaint.core.assets import shipped_looks, shipped_styles
from terrainpaint.core.project import Project, Settings, ViewSettings
from terrainpaint.core.project_file import save_project
from tests.cli.files import GREEN, Run, assert_one_sentence, assert_wrong_usage, run_process, tree
from tests.models.small_looks import write_look


def blank_png(path: Path, width: int, height: int, depth: int = 8) -> None:
    """An RGB PNG of the declared size without pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(99))) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)


BAD_MAPS: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda path: None, "no such file"),
    "text": (lambda path: path.write_text("no picture"), "not a picture"),
    "empty": (lambda path: path.touch(), "not a picture"),
    "other colours": (lambda path: Image.fromarray(GREEN + np.uint8(1)).save(path), "--nearest-colour"),
    "JPEG": (lambda path: Image.fromarray(GREEN).save(path, "JPEG"), "--nearest-colour"),
    "16 bits grey": (lambda path: Image.fromarray(np.zeros((40, 40), np.uint16)).save(path), "terrainpaint import"),
    "small": (lambda path: Image.fromarray(GREEN[:31]).save(path), "at least 32"),
    "large": (lambda path: blank_png(path, 65_537, 40), "at most 65536"),
    "cut short": (lambda path: blank_png(path, 4000, 4000), "damaged"),
    "folder": (lambda path: path.mkdir(), "it is a folder"),
}


@pytest.mark.parametrize(("create", "message"), BAD_MAPS.values(), ids=BAD_MAPS)
def test_a_bad_map(run: Run, weights: Path, tmp_path: Path, create: Callable[[Path], object], message: str) -> None:
    path = tmp_path / "bad map.png"
    create(path)
    before = tree(tmp_path)
    assert_one_sentence(run("generate", path, "-o", tmp_path / "out" / "a.obj", "--weights", weights), path, message)
    assert tree(tmp_path) == before


def test_no_permission(run: Run, weights: Path, map_png: Path, tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    if os.access(locked, os.W_OK):
        pytest.skip("this user, such as root, may write everywhere")
    outcome = run("generate", map_png, "-o", locked / "a.obj", "--weights", weights)
    assert_one_sentence(outcome, locked / "a.obj", "permission")
    map_png.chmod(0)
    assert_one_sentence(run("generate", map_png, "-o", tmp_path / "a.obj", "--weights", weights), map_png, "permission")


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
    assert_one_sentence(run("generate", map_png, "-o", tmp_path / "out" / "a.obj", "--weights", path), path, message)
    assert_one_sentence(run("info", path), path, message)
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
    assert_one_sentence(run("generate", map_png, *filled, "--weights", weights), message.format(tmp_path))
    assert tree(tmp_path) == before


def test_an_unknown_style_lists_the_installed_ones(run: Run, map_png: Path, tmp_path: Path) -> None:
    outcome = run("generate", map_png, "-o", tmp_path / "a.obj", "--style", "baroque")
    assert_one_sentence(outcome, '"baroque"', "--weights", *shipped_styles())


def test_a_message_does_not_repeat_long_names_out_of_a_project(run: Run, tmp_path: Path) -> None:
    for settings in (Settings(2000.0, "x" * 100_000), Settings(2000.0, "atlas", look_name="x" * 100_000)):
        save_project(tmp_path / "a.terrainpaint", Project.empty((32, 32), settings), ViewSettings(), None)
        outcome = run("generate", tmp_path / "a.terrainpaint", "-o", tmp_path / "a.obj")
        assert_one_sentence(outcome, "There is no")
        assert len(outcome.err) < 320


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
    assert_one_sentence(
        run("generate", map_png, *out, "--look", "baroque"), '"baroque"', ".safetensors", *shipped_looks()
    )
    assert_one_sentence(run("generate", map_png, *out, "--look", tmp_path / "a.safetensors"), "no such file")
    assert_one_sentence(run("generate", map_png, *out, "--look", weights), "is a style")
    write_look(tmp_path / "look.safetensors")
    as_style = ["-o", tmp_path / "a.obj", "--weights", tmp_path / "look.safetensors"]
    assert_one_sentence(run("generate", map_png, *as_style), "is a look")
    assert not (tmp_path / "a.obj").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="this computer has the device")
def test_a_missing_device(run: Run, weights: Path, map_png: Path, tmp_path: Path) -> None:
    outcome = run("generate", map_png, "-o", tmp_path / "a.obj", "--weights", weights, "--device", "cuda")
    assert_one_sentence(outcome, "cuda")


@pytest.mark.parametrize("output", ["{}/in/land.obj", "{}/in/", "{}/in", "{}/link.obj"])
def test_the_map_is_not_replaced_by_the_texture(
    run: Run, weights: Path, map_png: Path, tmp_path: Path, output: str
) -> None:
    (tmp_path / "link.png").symlink_to(map_png)
    before = tree(tmp_path)
    outcome = run("generate", map_png, "-o", output.format(tmp_path), "--weights", weights)
    assert_one_sentence(outcome, map_png, "replace")
    assert tree(tmp_path) == before


def test_another_map_is_not_replaced(run: Run, weights: Path, map_png: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.png"
    other.write_bytes(map_png.read_bytes())
    before = tree(tmp_path)
    assert_one_sentence(run("generate", map_png, "-o", tmp_path / "other.obj", "--weights", weights), other, "replaced")
    assert tree(tmp_path) == before


def test_outputs_that_are_links_to_one_file(run: Run, weights: Path, map_png: Path, tmp_path: Path) -> None:
    (tmp_path / "a.mtl").symlink_to(tmp_path / "a.png")
    assert_one_sentence(run("generate", map_png, "-o", tmp_path / "a.obj", "--weights", weights), tmp_path / "a.obj")


def test_a_full_disk_leaves_the_old_files(weights: Path, map_png: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.obj"
    out.write_text("before")
    before = tree(tmp_path)
    assert_one_sentence(
        run_process("generate", map_png, "-o", out, "--weights", weights, "--mesh-size", 200, limit_bytes=100_000), out
    )
    assert tree(tmp_path) == before


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is always a screen")
def test_the_window_without_a_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    assert_one_sentence(run_process(), "no screen")


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
