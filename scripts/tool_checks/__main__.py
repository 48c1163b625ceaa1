"""Export a land and open its files in other programs: the same corner of the map is the same corner everywhere.

Tools that are missing are skipped with a sentence. Blender is a package of Python, bpy, which is installed into an
environment of its own, with --blender the path of another one.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from scripts.tool_checks.corners import check_corners
from scripts.tool_checks.land import NAME, Land, exported
from scripts.tool_checks.missing import Missing
from scripts.tool_checks.readers import CHECKS

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / ".venv-tools"
_BPY = "bpy==4.5.*"
_BLENDER_PYTHON = (3, 11)


def main() -> int:
    """Run all checks; returns 1 when one failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the files and pictures in this folder")
    parser.add_argument("--blender", type=Path, metavar="PYTHON", help="a Python that has the package bpy")
    arguments = parser.parse_args()
    TOOLS.mkdir(exist_ok=True)
    failed = 0
    with tempfile.TemporaryDirectory(prefix="terrainpaint-") as temporary:
        folder = arguments.keep or Path(temporary)
        land = exported(folder)
        checks: dict[str, Callable[[Land, Path], str]] = {
            **CHECKS,
            "Blender": lambda land, tools: _blender_reads(land, _bpy(arguments.blender)),
            "Blender add-on": lambda land, tools: _addon_works(land, _bpy(arguments.blender)),
        }
        for name, check in checks.items():
            try:
                state, said = "ok", check(land, TOOLS)
            except Missing as missing:
                state, said = "skipped", f"it is not installed: {missing}"
            except (AssertionError, subprocess.SubprocessError) as error:
                state, said, failed = "FAILED", str(error), failed + 1
            print(f"{name:<14} {state:<8} {said}", flush=True)
    return min(failed, 1)


def _bpy(chosen: Path | None) -> Path:
    """A Python with Blender's package. Raises Missing."""
    if chosen is not None:
        return chosen
    python = TOOLS / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        if sys.version_info[:2] != _BLENDER_PYTHON:
            raise Missing(f"{_BPY} needs Python 3.11; give one that has it with --blender")
        venv.create(TOOLS, with_pip=True)
    if subprocess.run([python, "-c", "import bpy"], capture_output=True, check=False).returncode:
        done = subprocess.run([python, "-m", "pip", "install", "-q", _BPY], capture_output=True, check=False)
        if done.returncode:
            raise Missing(f"{python} -m pip install {_BPY}")
    return python


def _blender_reads(land: Land, python: Path) -> str:
    """Box, corners, normals, material and colours of each importer."""
    found = _result(python, "blender_files", [str(land.folder), str(land.folder / "blender.png")], os.environ)
    for end in (".obj", ".glb", ".ply"):
        facts = found[end]
        assert np.allclose(facts["box"][:2], (land.width_m, land.length_m), rtol=1e-3), (end, facts["box"])
        said = check_corners(land, facts["heights"])
        assert facts["up"] == 1, f"{end}: {1 - facts['up']:.1%} of the faces look down"
        if end == ".ply":
            continue
        assert facts["materials"] == 1 and "colours" in facts, f"{end} has no material with a texture"
        for seen, colour in zip(facts["colours"], land.colours, strict=True):
            assert max(abs(a - b) for a, b in zip(seen, colour, strict=True)) <= 2, f"{end}: {seen} and not {colour}"
    low, high = np.array(found[".stl"]["box"][:2]), np.array((200, 200 * land.length_m / land.width_m))
    assert np.allclose(low, high, rtol=0.01), low
    return f"{found['version']}: OBJ, GLB, PLY, STL: {said}; normals up, material and colours of the corners found"


def _addon_works(land: Land, python: Path) -> str:
    """The add-on in assets/extras."""
    from terrainpaint.core.assets import asset_path

    programs = land.folder / "bin"
    programs.mkdir(exist_ok=True)
    program = programs / "terrainpaint"
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m terrainpaint "$@"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    environment = {**os.environ, "BLENDER_USER_RESOURCES": str(land.folder / "blender")}
    copy = land.folder / f"{NAME}-of-the-add-on.png"
    shutil.copy(asset_path("maps/coast.png"), copy)
    addon = str(asset_path("extras/terrainpaint_blender.py"))
    second = str(asset_path("maps/highlands.png"))
    _result(python, "blender_addon", [addon, str(program), str(copy), second, str(land.folder)], environment)
    return "installed; makes a land, updates it in place with what was changed, and says what is wrong"


def _result(python: Path, module: str, arguments: list[str], environment: Mapping[str, str]) -> dict[str, Any]:
    """What a module that Blender's Python runs prints after RESULT. Raises AssertionError."""
    command = [str(python), "-m", f"scripts.tool_checks.{module}", *arguments]
    clean = {name: value for name, value in environment.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=clean, cwd=ROOT, timeout=1200)
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    assert done.returncode == 0 and lines, (done.stderr.strip() or done.stdout.strip()).splitlines()[-1]
    found: dict[str, Any] = json.loads(lines[-1].removeprefix("RESULT "))
    return found


if __name__ == "__main__":
    sys.exit(main())
