"""Programs that a campaign starts: their environment, and how they end."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path


def environment(folder: Path) -> dict[str, str]:
    """No screen, and a folder in place of the user's own ones."""
    own = {f"XDG_{name}_HOME": str(folder / "settings" / name) for name in ("CONFIG", "DATA", "STATE", "CACHE")}
    return {**os.environ, "QT_QPA_PLATFORM": "offscreen", "HOME": str(folder / "settings"), **own}


def start(arguments: Sequence[str], folder: Path, name: str) -> subprocess.Popen[bytes]:
    """Start Python; what it prints goes to `NAME.out` and `NAME.err` in the folder."""
    with (folder / f"{name}.out").open("wb") as out, (folder / f"{name}.err").open("wb") as errors:
        return subprocess.Popen([sys.executable, *arguments], stdout=out, stderr=errors, env=environment(folder))


def run(arguments: Sequence[str], folder: Path, seconds: float) -> str:
    """Run Python to its end; returns what it said on stderr, or how it ended, "" when all is well."""
    child = start(arguments, folder, "program")
    try:
        code = child.wait(seconds)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
        return f"{said(folder, 'program')}\nit did not end within {seconds:.0f} s"
    return said(folder, "program") or (f"exit code {code}" if code else "")


def said(folder: Path, name: str) -> str:
    """The end of what a program said on stderr, without what Qt says of a screen that is none."""
    lines = (folder / f"{name}.err").read_text(errors="replace").splitlines()
    return "\n".join(line for line in lines if not line.startswith("This plugin does not support"))[-2000:]


def wait_until(is_done: Callable[[], bool], seconds: float) -> bool:
    """Whether something becomes true in time."""
    end = time.monotonic() + seconds
    while not is_done():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


Scenario = Callable[[random.Random, Path], str]
Scenarios = Mapping[str, Scenario]
"""Each tries something once, with numbers drawn from a `random.Random` and an empty folder, and returns what went
wrong, "" for nothing."""
