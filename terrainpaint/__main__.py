"""Run `terrainpaint` as `python -m terrainpaint`."""

from __future__ import annotations

import sys

from terrainpaint.cli import main

if __name__ == "__main__":
    sys.exit(main())
