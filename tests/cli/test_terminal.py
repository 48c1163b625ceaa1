"""The command line in a terminal: progress, interruption, output that cannot be written, help."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from terrainpaint import __version__
from tests.cli.files import ROOT, Outcome, Run, assert_one_sentence, tree


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
    assert_one_sentence(Outcome(done.returncode, "", done.stderr), "Standard output")


def test_a_path_that_is_not_unicode_is_printed_as_its_bytes(weights: Path, map_png: Path, tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/caf\xe9/"
    command = [sys.executable, "-m", "terrainpaint", "generate", map_png, "-o", name, "--formats", "albedo",
               "--weights", weights]  # fmt: skip
    done = subprocess.run(command, capture_output=True, cwd=ROOT, env={**os.environ, "PYTHONUTF8": "1"})
    assert done.stdout == name + b"land_albedo.png\n", done.stderr
    assert Path(os.fsdecode(done.stdout.rstrip())).exists()


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
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=600, check=False)
    assert (ended.returncode, ended.stderr) == (-signal.SIGINT, b"")


def test_little_address_space_is_said_in_a_sentence() -> None:
    """Libraries are mapped into it before they are used."""
    for limit in (300_000, 700_000):
        command = f"ulimit -v {limit} && exec {sys.executable} -m terrainpaint info {ROOT}/assets/maps/coast.png"
        ended = subprocess.run(["bash", "-c", command], capture_output=True, timeout=600, check=False, text=True)
        assert ended.returncode == 1 and ended.stderr.startswith("terrainpaint: ") and "memory" in ended.stderr
        assert ended.stderr.count("\n") == 1


def test_a_terminal_of_ascii_only(weights: Path, tmp_path: Path) -> None:
    path = tmp_path / "Küste\x1b[31m.png"
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", "terrainpaint", "info", str(path)]
    ended = subprocess.run(command, capture_output=True, timeout=600, check=False, env=environment)
    assert ended.returncode == 1 and ended.stderr.isascii() and b"K\\xfcste\\x1b[31m.png" in ended.stderr
