"""`python -m tests.campaign.worker READER`: reads the files that are named on stdin, and says on stdout how it went.

Each answer is a line of JSON: `outcome` is "read", "refused" or "finding", `text` the message or the traceback.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from terrainpaint.errors import TerrainPaintError
from tests.campaign.readers import READERS

MOST_BYTES = 1 << 30
"""Address space beyond what the libraries take: no damaged file of some kilobytes needs more."""
LONGEST = 320
"""Characters of a message, without the path of the file."""


def main(reader: str) -> None:
    """Answer until stdin ends."""
    read = READERS[reader].read
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    judge = Judge(read)
    for line in sys.stdin:
        outcome, text = judge.judged(Path(json.loads(line)))
        print(json.dumps({"outcome": outcome, "text": text}), file=answers, flush=True)


class Judge:
    """Reads files in this process and says how it went. The first one must be valid: then all is imported, and from the
    second one on memory is limited."""

    def __init__(self, read: Callable[[Path], object]) -> None:
        self._read, self._is_limited = read, False

    def judged(self, path: Path) -> tuple[str, str]:
        """Outcome and text for a file. Stderr must be a file."""
        written = os.fstat(2).st_size
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        outcome, text = _outcome(self._read, path)
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10
        if outcome != "finding" and os.fstat(2).st_size > written:
            outcome, text = "finding", "something was printed"
        elif outcome != "finding" and self._is_limited and grown > MOST_BYTES >> 20:
            outcome, text = "finding", f"it took {grown} MB"
        if not self._is_limited:
            self._is_limited = True
            used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (used + MOST_BYTES, resource.RLIM_INFINITY))
        return outcome, text


def _outcome(read: Callable[[Path], object], path: Path) -> tuple[str, str]:
    try:
        read(path)
    except TerrainPaintError as error:
        text = str(error)
        rest = text.replace(str(path), "")
        if len(rest) > LONGEST or not rest.isprintable():
            return "finding", f"message: {text[:2000]!r}"
        return "refused", text
    except MemoryError:
        return "refused", "there is not enough memory"  # the programs say so where they call a reader
    except BaseException:
        return "finding", traceback.format_exc()[-3000:]
    return "read", ""


if __name__ == "__main__":
    main(sys.argv[1])
