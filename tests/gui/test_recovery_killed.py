"""The program is killed while it paints and saves; what is recovered afterwards is a state that it was in.

`TERRAINPAINT_KILLS` says how often.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from terrainpaint.core.journal import abandoned_journals, recover
from terrainpaint.core.project_file import load_project
from tests.gui.painter import new_document, state, steps

ROOT = Path(__file__).resolve().parents[2]
KILLS = int(os.environ.get("TERRAINPAINT_KILLS", "12"))


def paint_until_killed(folder: Path, seed: int, seconds: float) -> tuple[list[tuple[int, float]], int, float]:
    """(number, time) of the steps that were complete, the last of them that was saved, and when the end came."""
    command = [sys.executable, "-m", "tests.gui.painter", str(folder), str(seed)]
    environment = {**os.environ, "XDG_CONFIG_HOME": str(folder / "settings")}
    with (
        (folder / "errors").open("w") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, cwd=ROOT, env=environment, text=True) as child,
    ):
        assert child.stdout is not None
        assert child.stdout.readline() == "begun\n", (folder / "errors").read_text()
        time.sleep(seconds)
        when = time.monotonic()
        child.kill()
        lines = child.stdout.read().splitlines(keepends=True)
    assert (folder / "errors").read_text() == ""
    done, saved = [(0, 0.0)], 0
    for line in lines:
        if line == "saved\n":
            saved = done[-1][0]
        elif line.endswith("\n"):  # the last one may be cut short
            number, at = line.split()
            done.append((int(number), float(at)))
    return done, saved, when


@pytest.mark.parametrize("seed", range(KILLS))
def test_a_killed_program_leaves_a_state_that_it_was_in(qapp: QApplication, tmp_path: Path, seed: int) -> None:
    # Every third time it paints for long enough that falling behind would show.
    lives = (1.0, 2.5) if seed % 3 == 2 else (0.05, 0.5)
    done, saved, when = paint_until_killed(tmp_path, seed, random.Random(seed).uniform(*lives))

    document = new_document()
    states = [state(document.project)]
    # One more step may have been complete, but not printed.
    states += [state(document.project) for _ in islice(steps(document, seed), done[-1][0] + 1)]

    path = tmp_path / "map.terrainpaint"
    # Undo brings states back, so the file may be older than the last state that equals it.
    in_file = _first_of(states, state(load_project(path)[0]), saved) if path.exists() else 0
    journals = abandoned_journals(tmp_path / "recovery")
    assert len(journals) <= 1
    project = (
        recover(journals[0])[0] if journals else load_project(path)[0] if path.exists() else new_document().project
    )
    recovered = _last_of(states, state(project))
    assert recovered >= in_file
    known = next((at for number, at in done if number > recovered), when)
    print(f"killed after {len(done) - 1} steps; the last {done[-1][0] - recovered} are lost, of {when - known:.3f} s")


def _first_of(states: list[str], wanted: str, start: int) -> int:
    """The number of the first state from `start` on that is the same."""
    assert wanted in states[start:], f"it was not in this state from step {start} on"
    return states.index(wanted, start)


def _last_of(states: list[str], wanted: str) -> int:
    """States come back by undo; the number of the last that is the same."""
    assert wanted in states, "it never was in this state"
    return len(states) - 1 - states[::-1].index(wanted)
