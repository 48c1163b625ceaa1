"""The part of a campaign with programs that are killed, or lose their disk, while they write."""

from __future__ import annotations

import random
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from terrainpaint.core.project import Layer, Project, Settings
from terrainpaint.core.unfinished_writes import sweep
from terrainpaint.errors import OutputError
from tests.campaign.programs import Scenario, environment
from tests.core.projects import VIEW

NAMES = ("a.obj", "a.mtl", "a.png")
FIRST_TEXT = "version 0\n"


def versions() -> list[Project]:
    """Projects that differ in every cell."""
    import numpy as np

    settings = Settings(2000.0, "atlas")
    return [Project((Layer(1, "a", np.full((600, 700), each, np.uint8)),), 1, settings, np.zeros((600, 700), np.uint8))
            for each in range(7)]  # fmt: skip


def save_for_ever(folder: Path) -> None:
    """Save one version of a project after the other under one name."""
    from terrainpaint.core.project_file import save_project

    projects, number = versions(), 0
    while True:
        try:
            save_project(folder / "a.terrainpaint", projects[number % 7], VIEW, None)
        except OutputError:
            print("refused", flush=True)
        number += 1
        print("saved", flush=True)


def export_for_ever(folder: Path) -> None:
    """Write three files of one version, then those of the next."""
    from terrainpaint.core.files import FileTransaction

    number = 0
    while True:
        number += 1
        try:
            with FileTransaction() as files:
                for name in NAMES:
                    files.path(folder / name).write_text(f"version {number}\n" * 20_000)
        except OutputError:
            print("refused", flush=True)
        print("saved", flush=True)


def _check_save(folder: Path) -> str:
    from terrainpaint.core.project_file import load_project

    path = folder / "a.terrainpaint"
    if not path.exists():
        return ""
    cells = load_project(path)[0].layers[0].cells
    return "" if (cells == cells[0, 0]).all() else "a project holds two versions"


def _check_export(folder: Path) -> str:
    texts = [path.read_text() if path.exists() else "" for path in (folder / name for name in NAMES)]
    lines = {line for text in texts for line in set(text.splitlines())}
    whole = len(set(texts)) == 1 and len(lines) <= 1
    return "" if whole else f"files of an export are of {len(lines)} versions, {[len(text) for text in texts]} long"


def _check_paint(folder: Path) -> str:
    """Whatever is left can be recovered, and there is at most one journal."""
    from terrainpaint.core.journal import abandoned_journals, recover
    from terrainpaint.core.project_file import load_project

    path = folder / "map.terrainpaint"
    if path.exists():
        load_project(path)
    journals = abandoned_journals(folder / "recovery")
    for journal in journals:
        recover(journal)
    return "" if len(journals) <= 1 else f"{len(journals)} journals"


def _module(name: str) -> list[str]:
    return ["-c", f"import sys; from pathlib import Path; from tests.campaign.kills import {name}; "
                  f"{name}(Path(sys.argv[1]))"]  # fmt: skip


def _scenario(command: list[str], check: Callable[[Path], str], largest: int | None = None) -> Scenario:
    """A program to kill, the check afterwards, and the largest file in bytes that the disk takes, None for any."""

    def killed_and_checked(draw: random.Random, folder: Path) -> str:
        problem = _killed(draw, [*command, str(folder), str(draw.randrange(1 << 30))], folder, largest)
        sweep(folder)
        problem = problem or check(folder)
        crumbs = [path.name for path in folder.iterdir() if path.name.startswith(".writing-")]
        return problem or (f"crumbs: {crumbs}" if crumbs else "")

    return killed_and_checked


KILLS: Mapping[str, Scenario] = {
    "save": _scenario(_module("save_for_ever"), _check_save),
    "export": _scenario(_module("export_for_ever"), _check_export),
    "paint": _scenario(["-m", "tests.gui.painter"], _check_paint),
    "save, full disk": _scenario(_module("save_for_ever"), _check_save, 3000),
    "export, full disk": _scenario(_module("export_for_ever"), _check_export, 100_000),
}


def _killed(draw: random.Random, command: list[str], folder: Path, largest: int | None) -> str:
    """Run Python with a command, and kill it some time after its first line; returns what it said on stderr."""

    def limit() -> None:
        if largest is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))

    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(
            [sys.executable, *command], stdout=subprocess.PIPE, stderr=errors, env=environment(folder), preexec_fn=limit
        ) as child,
    ):
        assert child.stdout is not None
        child.stdout.readline()
        try:
            child.communicate(timeout=draw.uniform(0, 0.6))
        except subprocess.TimeoutExpired:
            child.kill()
        child.communicate()
        errors.seek(0)
        return errors.read().decode(errors="replace")[-1000:]
