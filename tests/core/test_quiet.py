"""What C libraries print is dropped, and standard error works again afterwards."""

from __future__ import annotations

import os
import subprocess
import sys

from terrainpaint.core.quiet import quiet_libraries

PROGRAM = """
import os, threading
from terrainpaint.core.quiet import quiet_libraries

def say(text):
    os.write(2, text)

say(b"before ")
first, second = quiet_libraries(), quiet_libraries()
first.__enter__(); say(b"1 ")
second.__enter__(); say(b"2 ")
first.__exit__(None, None, None); say(b"3 ")
second.__exit__(None, None, None); say(b"after")
"""


def test_blocks_may_overlap() -> None:
    ended = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, check=True)
    assert ended.stderr == b"before after"


def test_a_closed_standard_error() -> None:
    code = "import os\nos.close(2)\nfrom terrainpaint.core.quiet import quiet_libraries\nwith quiet_libraries(): pass\n"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_error_in_the_block_restores_it() -> None:
    before = os.fstat(2)
    try:
        with quiet_libraries():
            raise KeyError
    except KeyError:
        pass
    assert os.path.samestat(before, os.fstat(2))
