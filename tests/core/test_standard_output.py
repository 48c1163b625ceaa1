"""Programs go on when nobody reads what they print, and print what a terminal has no characters for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from terrainpaint.core.standard_output import printable

PROGRAM = """
import sys
from pathlib import Path
from terrainpaint.core.standard_output import lasting_output
from terrainpaint.errors import OutputError
try:
    with lasting_output():
        for number in range(20000):
            print("line", number, "\\u00e9 \\udcff", flush=True)
            print("also", file=sys.stderr, flush=True)
        Path(sys.argv[1]).write_text("the work was done")
except OutputError as error:
    print(error, file=sys.stderr)
    sys.exit(1)
"""


def run(tmp_path: Path, shell: str, **environment: str) -> tuple[int, bytes]:
    script, done = tmp_path / "program.py", tmp_path / "done"
    script.write_text(PROGRAM)
    command = f"{sys.executable} {script} {done} {shell}"
    result = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, timeout=600, check=False,
        env=os.environ | environment,
    )  # fmt: skip
    assert done.read_text() == "the work was done"
    assert b"Traceback" not in result.stderr and b"Exception" not in result.stderr
    return result.returncode, result.stdout


def test_a_reader_that_goes_away_ends_nothing(tmp_path: Path) -> None:
    assert run(tmp_path, "2>/dev/null | head -1", PYTHONIOENCODING="utf-8") == (0, "line 0 é ".encode() + b"\xff\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is always full is a device of Linux")
def test_a_full_disk_is_reported_after_the_work(tmp_path: Path) -> None:
    assert run(tmp_path, "2>/dev/null >/dev/full")[0] == 1


def test_closed_streams(tmp_path: Path) -> None:
    for shell in (">&- 2>&-", "2>&- >/dev/null"):
        assert run(tmp_path, shell)[0] == 0


def test_a_terminal_of_ascii_only(tmp_path: Path) -> None:
    code, output = run(tmp_path, "2>/dev/null", PYTHONIOENCODING="ascii")
    assert code == 0 and output.startswith(b"line 0 \\xe9 \xff\n")


def test_control_characters_of_foreign_names() -> None:
    assert printable("a\x1b[31m\tb\nc\u202e é \udcff") == "a\\x1b[31m\\tb c\\u202e é \udcff"
