"""Bad input of the commands that write files: one sentence each, before anything is generated."""

from __future__ import annotations

import builtins
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from terrainpaint.core.map_files import write_map
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.export import FORMATS
from terrainpaint.export.presets import shipped_presets
from tests.cli.files import Run, assert_one_sentence


@pytest.fixture
def map_png(tmp_path: Path) -> Path:
    path = tmp_path / "land.png"
    write_map(path, SegmentationMap(np.ones((32, 40), np.uint8)))
    return path


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--formats", "geotiff", "--crs", "EPSG:99999", "--origin", "0,0"], ["EPSG:99999"]),
        (["--formats", "geotiff", "--crs", "EPSG:4326", "--origin", "0,0"], ["EPSG:4326"]),
        (["--formats", "geotiff", "--crs", "EPSG:32632"], ["EPSG:32632", "origin"]),
        (["--preset", "unreel"], ["unreel", "unreal"]),
        (["--preset", "unreal", "--formats", "obj"], ["--preset"]),
        (["--formats", "glb,fbx"], ["fbx"]),
        (["--formats", "glb", "--mesh-size", "20000"], ["20000", "16384"]),
        (["--formats", "glb", "--style", "oils"], ["oils", "atlas"]),
        (["--formats", "glb", "--look", "oils"], ["oils"]),
        (["--formats", "glb", "--relief", "0"], ["relief"]),
        (["--formats", "glb", "--name", "a/b"], ["a/b"]),
    ],
)
def test_an_export_that_cannot_be(run: Run, map_png: Path, tmp_path: Path, options: list[str], said: list[str]) -> None:
    out = tmp_path / "out"
    assert_one_sentence(run("export", map_png, "-o", out, *options), *said)
    assert not out.exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('formats = ["height16"]\nsize = 513\n', '"size"'),
        ('formats = ["height16"]\nsides = [513, 70000]\n', "sides"),
        ('formats = ["height16"]\n[options]\nscale = 2\n', '"options.scale"'),
    ],
)
def test_a_preset_that_cannot_be_used(run: Run, map_png: Path, tmp_path: Path, text: str, said: str) -> None:
    preset = tmp_path / "my.toml"
    preset.write_text(text)
    assert_one_sentence(run("export", map_png, "-o", tmp_path / "out", "--preset", preset), preset, said)


def test_an_extra_that_is_missing(run: Run, map_png: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **named: Any) -> Any:
        if name == "pydelatin":
            raise ImportError(name)
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    outcome = run("export", map_png, "-o", tmp_path / "out", "--formats", "obj", "--max-error", "5m")
    assert_one_sentence(outcome, "-m pip install -e", "[tin]")


def test_neither_preset_nor_formats_is_wrong_usage(run: Run, map_png: Path, tmp_path: Path) -> None:
    outcome = run("export", map_png, "-o", tmp_path / "out")
    assert outcome.code == 2 and "--preset" in outcome.err and outcome.err.count("\n") == 1


def test_a_file_instead_of_a_command_can_be_opened(run: Run, map_png: Path) -> None:
    outcome = run(map_png)
    assert outcome.code == 2 and f"terrainpaint open {map_png}" in outcome.err and outcome.err.count("\n") == 1


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b"])
def test_impossible_names_of_files(run: Run, map_png: Path, tmp_path: Path, name: str) -> None:
    out = tmp_path / "out"
    assert_one_sentence(run("export", name, "-o", out, "--formats", "obj"), "no such file")
    assert_one_sentence(run("export", map_png, "-o", out, "--formats", "obj", "--look", name), "no look")
    assert run(name).code == 2


def test_formats_as_json(run: Run) -> None:
    record = json.loads(run("formats", "--json").out)
    assert list(record["formats"]) == list(FORMATS) and list(record["presets"]) == list(shipped_presets())
    assert {"atlas", "satellite"} <= set(record["styles"])
    assert (Path(record["extras"]) / "terrainpaint_blender.py").is_file()
