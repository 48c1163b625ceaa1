"""Files of many kinds for the tests of the command line, all of one land, and the ways to run the commands on them."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from rasterio.transform import from_origin

from terrainpaint.cli import main
from terrainpaint.core.classes import PALETTE

ROOT = Path(__file__).resolve().parents[2]
ROWS, COLS, PIXEL_M = 60, 80, 30.0
LOW_M, HIGH_M = 195.0, 1005.0
STYLE_PIXEL_M = 1500.0
"""The pixel size of the untrained style of `weights`."""
GREEN = np.broadcast_to(PALETTE[2], (40, 40, 3)).copy()


@dataclass(frozen=True)
class Outcome:
    """What a command did: exit code, stdout and stderr."""

    code: int
    out: str
    err: str

    @property
    def paths(self) -> list[Path]:
        """The paths on stdout."""
        return [Path(line) for line in self.out.splitlines()]


Run = Callable[..., Outcome]


def land() -> NDArray[np.float32]:
    """(ROWS, COLS) float32 metres, LOW_M in the north-west to HIGH_M in the south-east, steeper in the south."""
    rows, cols = np.mgrid[0 : 1 : ROWS * 1j, 0 : 1 : COLS * 1j]
    return np.asarray(LOW_M + (HIGH_M - LOW_M) * (0.7 * rows**2 + 0.3 * cols), np.float32)


def write_tif(path: Path, heights: NDArray[Any], **profile: Any) -> Path:
    """A GeoTIFF of (H, W) or (bands, H, W) numbers, by default in UTM with pixels of PIXEL_M."""
    bands = heights if heights.ndim == 3 else heights[None]
    tags, units = profile.pop("tags", {}), profile.pop("units", None)
    scale, offset = profile.pop("scale", None), profile.pop("offset", None)
    place = {"crs": "EPSG:32633", "transform": from_origin(500_000, 5_000_000, PIXEL_M, PIXEL_M)}
    with rasterio.open(path, "w", driver="GTiff", count=len(bands), height=bands.shape[1], width=bands.shape[2],
                       dtype=bands.dtype, **(place | profile)) as raster:  # fmt: skip
        raster.write(bands)
        raster.update_tags(**tags)
        if units is not None:
            raster.units = (units,)
        if scale is not None:
            raster.scales, raster.offsets = (scale,), (offset or 0.0,)
    return path


def run_here(capfd: pytest.CaptureFixture[str]) -> Run:
    """The command line in this process."""

    def run(*arguments: object) -> Outcome:
        code = main([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return Outcome(code, out, err)

    return run


def run_process(*arguments: object, module: str = "terrainpaint", limit_bytes: int | None = None) -> Outcome:
    """The command line in a process of its own, whose files may have at most `limit_bytes`."""

    def limit() -> None:
        if limit_bytes is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))

    command = [sys.executable, "-m", module, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, preexec_fn=limit)
    return Outcome(done.returncode, done.stdout, done.stderr)


def tree(folder: Path) -> dict[str, bytes | None]:
    """All paths in a folder, files with their content."""
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def assert_one_sentence(outcome: Outcome, *parts: object) -> None:
    """Exit code 1 and one sentence with these parts, on stderr only."""
    assert outcome.code == 1, outcome
    assert outcome.out == ""
    assert outcome.err.startswith("terrainpaint: ")
    assert outcome.err.endswith(".\n") and outcome.err.count("\n") == 1, outcome.err
    for part in parts:
        assert str(part) in outcome.err


def assert_wrong_usage(outcome: Outcome, *parts: str) -> None:
    """Exit code 2 and one line with these parts, on stderr only."""
    assert outcome.code == 2, outcome
    assert outcome.out == ""
    assert outcome.err.count("\n") == 1
    for part in parts:
        assert part in outcome.err
