"""The add-on of Blender and the import script of Godot, as far as they can be checked without those programs."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest

from terrainpaint.cli.arguments import ExportArguments, parse
from terrainpaint.core.assets import asset_path
from terrainpaint.export import FORMATS, export_paths
from terrainpaint.export.presets import find_preset

ADDON = asset_path("extras/terrainpaint_blender.py")
SCRIPT = asset_path("extras/terrainpaint_godot.gd")


def test_the_add_on_needs_blender_and_the_standard_library_only() -> None:
    tree = ast.parse(ADDON.read_text("utf-8"), feature_version=(3, 11))
    names = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names] if isinstance(node, ast.Import)
            else [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        )
    }  # fmt: skip
    assert names - set(sys.stdlib_module_names) == {"bpy"}


def test_the_options_that_the_add_on_gives_exist(tmp_path: Path) -> None:
    text = ADDON.read_text("utf-8")
    options = re.findall(r'"(--[a-z-]+)["=]', text)
    assert {"--formats", "--mesh-size", "--seed", "--style", "--level-water", "--carve-rivers"} <= set(options)
    assert {"--sea-depth", "--sea-level"} <= set(options)
    values = {"--name": "terrain", "--formats": "glb", "--mesh-size": "512", "--seed": "7", "--style": "atlas"}
    values["--sea-level"] = "-50"
    given = [
        part
        for option in options
        if option != "--json"
        for part in ([f"{option}={values[option]}"] if option in values else [option])
    ]
    arguments = parse(["export", str(tmp_path / "a.png"), "-o", str(tmp_path), *given])
    assert isinstance(arguments, ExportArguments)
    assert arguments.terrain.level_water and arguments.terrain.carve_rivers and arguments.files.mesh_size == 512
    assert arguments.terrain.sea_depth and arguments.terrain.sea_level_m == -50
    assert export_paths(tmp_path, "terrain", ["glb"]) == [tmp_path / "terrain.glb"] and '"terrain.glb"' in text


def test_the_script_of_godot_reads_what_the_preset_writes(tmp_path: Path) -> None:
    ends = set(re.findall(r'NAME \+ "(_[a-z_.]+)"', SCRIPT.read_text("utf-8"))) - {"_regions"}
    written = {path.name for path in export_paths(tmp_path, "map", find_preset("godot-terrain3d").formats)}
    assert ends and {f"map{end}" for end in ends} <= written
    assert FORMATS["exr"].suffix in ends


def test_the_script_of_godot_parses() -> None:
    parser = pytest.importorskip("gdtoolkit.parser", reason="the package gdtoolkit is missing").parser
    tree = parser.parse(SCRIPT.read_text("utf-8"))
    assert sum(1 for _ in tree.find_data("func_def")) >= 7
