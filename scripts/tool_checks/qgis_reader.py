"""What QGIS finds in the GeoTIFF and GeoJSON of a land."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from scripts.tool_checks.corners import check_corners
from scripts.tool_checks.land import COLS, CRS, ORIGIN, PIXEL_M, ROWS, Land
from scripts.tool_checks.missing import Missing, found_program

_HOW = "apt install --no-install-recommends python3-qgis"


def qgis_reads(land: Land) -> str:
    """Heights at the corners, coordinate systems, the texture and contours on the same ground; a picture of them."""
    python = found_program("/usr/bin/python3", _HOW)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment["QT_QPA_PLATFORM"] = "offscreen"
    if subprocess.run([python, "-c", "import qgis.core"], capture_output=True, check=False, env=environment).returncode:
        raise Missing(_HOW)
    command = [python, str(Path(__file__).with_name("qgis_files.py")), str(land.folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=600)
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    assert lines, (done.stderr.strip() or done.stdout.strip() or "it ended without a word").splitlines()[-1]
    found: dict[str, Any] = json.loads(lines[-1].removeprefix("RESULT "))
    assert found["crs"] == [CRS, CRS], found["crs"]
    west, north = ORIGIN
    extent = [west, north - ROWS * PIXEL_M, west + COLS * PIXEL_M, north]
    assert found["extent"] == extent, found["extent"]
    for name in ("contours", "lakes"):
        box = found[name]["extent"]
        inside = all(low >= edge - PIXEL_M for low, edge in zip(box[:2], extent[:2], strict=True))
        inside = inside and all(high <= edge + PIXEL_M for high, edge in zip(box[2:], extent[2:], strict=True))
        assert found[name]["features"] and inside, f"the {name} lie at {box}"
    for seen, colour in zip(found["colours"], land.colours, strict=True):
        assert tuple(seen) == colour, f"{seen} and not {colour}"
    said = check_corners(land, found["heights"])
    return f"{found['version']}: GeoTIFF: {said}, colours; contours and lakes as GeoJSON lie on it"
