"""A program that is killed at any moment of a write leaves all old files or all new ones, and no crumbs for long."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from terrainpaint.core.files import FileTransaction, atomic_path
from terrainpaint.core.unfinished_writes import sweep

NAMES = ("a.obj", "a.mtl", "a.png")
WRITER = """
import os, sys
from pathlib import Path
from terrainpaint.core.files import FileTransaction

folder, killed_at, fails_at = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
calls = 0

def dying(real):
    def call(self, target):
        global calls
        calls += 1
        if calls == killed_at:
            os._exit(9)
        if calls == fails_at:
            raise PermissionError(13, "refused")
        return real(self, target)
    return call

Path.replace = dying(Path.replace)
with FileTransaction() as files:
    for name in ("a.obj", "a.mtl", "a.png"):
        files.path(folder / name).write_text("new")
    if killed_at == 0:
        os._exit(9)
"""


def write(folder: Path, killed_at: int, fails_at: int = -1) -> int:
    command = [sys.executable, "-c", WRITER, str(folder), str(killed_at), str(fails_at)]
    return subprocess.run(command, capture_output=True, timeout=600, check=False).returncode


def contents(folder: Path) -> list[str]:
    return [path.read_text() if path.exists() else "none" for path in (folder / name for name in NAMES)]


@pytest.mark.parametrize("old", [(), ("a.obj",), NAMES])
def test_killed_at_each_rename(tmp_path: Path, old: tuple[str, ...]) -> None:
    outcomes = []
    for killed_at in range(6):
        folder = tmp_path / str(killed_at)
        folder.mkdir()
        for name in old:
            (folder / name).write_text("old")
        before = contents(folder)
        code = write(folder, killed_at)
        sweep(folder)
        assert contents(folder) in (before, ["new"] * 3)
        assert all(not path.name.startswith(".") for path in folder.iterdir())
        outcomes.append((code, contents(folder) == before))
    # While writing and before the plan is in its place everything is old, from then on everything is new.
    assert outcomes == [(9, True), (9, True), (9, False), (9, False), (9, False), (0, False)]


def test_killed_while_a_failed_write_is_undone(tmp_path: Path) -> None:
    for killed_at in range(3, 8):
        folder = tmp_path / str(killed_at)
        folder.mkdir()
        (folder / "a.obj").write_text("old")
        # The third rename is that of the second file: the first has its new name already.
        write(folder, killed_at, fails_at=3)
        sweep(folder)
        assert contents(folder) in (["old", "none", "none"], ["new"] * 3), killed_at
        assert all(not path.name.startswith(".") for path in folder.iterdir())


def test_the_next_write_into_a_folder_removes_what_a_killed_one_left(tmp_path: Path) -> None:
    write(tmp_path, 0)
    assert len(list(tmp_path.iterdir())) > 3
    with atomic_path(tmp_path / "other.txt") as path:
        path.write_text("x")
    assert [path.name for path in tmp_path.iterdir()] == ["other.txt"]


def test_a_write_in_progress_is_left_alone(tmp_path: Path) -> None:
    with FileTransaction() as files:
        temporary = files.path(tmp_path / "a.txt")
        temporary.write_text("half")
        sweep(tmp_path)
        with atomic_path(tmp_path / "b.txt") as other:
            other.write_text("b")
        assert temporary.read_text() == "half"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "b.txt"]


def test_files_without_a_lock_are_removed_after_a_day(tmp_path: Path) -> None:
    for name in (".writing-12ab-0.png", ".writing-34cd-0.png", ".writing-notours.txt"):
        (tmp_path / name).write_text("x")
    os.utime(tmp_path / ".writing-12ab-0.png", (time.time() - 90_000,) * 2)
    sweep(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".writing-34cd-0.png", ".writing-notours.txt"]


@pytest.mark.parametrize(
    ("temporary", "target"),
    [
        (".writing-12ab-0.png", "../victim"), (".writing-12ab-0.png", "/tmp/victim"), ("mine.txt", "victim"),
        ("../other", "victim"), (".writing-12ab-0.png", ".writing-77-0.x"), (".writing-12ab-0.png", ""),
    ],
)  # fmt: skip
def test_a_forged_plan_reaches_no_other_file(tmp_path: Path, temporary: str, target: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for path in (tmp_path / "victim", tmp_path / "other", folder / "mine.txt", folder / ".writing-12ab-0.png"):
        path.write_text("mine")
    entry = {"temporary": temporary, "target": target, "is_new": False}
    (folder / ".writing-12ab.plan").write_text(json.dumps({"files": [entry]}))
    (folder / ".writing-12ab.lock").touch()
    sweep(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["mine.txt"]
    assert [(tmp_path / name).read_text() for name in ("victim", "other")] == ["mine"] * 2


def test_folders_and_links_with_such_names_stay(tmp_path: Path) -> None:
    (tmp_path / ".writing-12ab-0").mkdir()
    (tmp_path / ".writing-12ab-1").symlink_to(tmp_path / "nowhere")
    (tmp_path / ".writing-12ab.lock").touch()
    sweep(tmp_path)
    sweep(tmp_path / "none")
    assert {path.name for path in tmp_path.iterdir()} == {".writing-12ab-0", ".writing-12ab-1"}
