"""`python -m tests.campaign.worker READER`: reads the files that are named on stdin, and says on stdout how it went.

Each answer is a line of JSON: `outcome` is "read", "refused" or "finding", `text` the message or the traceback.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import traceback
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
    is_limited = False
    for line in sys.stdin:
        path = Path(json.loads(line))
        written = os.fstat(2).st_size
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        outcome, text = _outcome(read, path)
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10
        if outcome != "finding" and os.fstat(2).st_size > written:
            outcome, text = "finding", "something was printed"
        elif outcome != "finding" and is_limited and grown > MOST_BYTES >> 20:
            outcome, text = "finding", f"it took {grown} MB"
        print(json.dumps({"outcome": outcome, "text": text}), file=answers, flush=True)
        if not is_limited:
            # The first file is valid: by now everything is imported.
            is_limited = True
            used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (used + MOST_BYTES, resource.RLIM_INFINITY))


def _outcome(read: object, path: Path) -> tuple[str, str]:
    assert callable(read)
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
