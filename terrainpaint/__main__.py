"""Run `terrainpaint`, as a command or as `python -m terrainpaint`."""

from __future__ import annotations

import signal
import sys

# Ctrl+C in the middle of an import would show a traceback, or abort Qt. Until the program can answer it, it ends the
# process at once; there is nothing to lose yet.
signal.signal(signal.SIGINT, signal.SIG_DFL)


def main() -> int:
    """Run the command of the process; returns the exit code."""
    from terrainpaint.cli import main as run

    return run()


if __name__ == "__main__":
    sys.exit(main())
