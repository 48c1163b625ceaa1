"""What holds for every format of the table, for any terrain."""

import json
import tempfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from terrainpaint.core.terrain import Terrain
from terrainpaint.export import FORMATS, ExportOptions, ExportSource, export, export_paths
from tests.export.terrains import PROVENANCE

DEEPEST_M, HIGHEST_M = -9_000.0, 9_000.0
SHAPES = st.tuples(st.integers(2, 41), st.integers(2, 41))
PIXELS_M = st.sampled_from([0.5, 30.0, 2000.0])


@st.composite
def heights(draw: st.DrawFn) -> NDArray[np.float32]:
    """Level or tilted land of any size, with peaks and islands of one pixel, from the deepest to the highest."""
    rows, cols = draw(SHAPES)
    base, tilt = draw(st.floats(DEEPEST_M, HIGHEST_M)), draw(st.sampled_from([0.0, 0.01, 100.0]))
    height = base + tilt * np.arange(rows * cols).reshape(rows, cols)
    for _ in range(draw(st.integers(0, 3))):
        row, col = draw(st.integers(0, rows - 1)), draw(st.integers(0, cols - 1))
        height[row, col] = draw(st.sampled_from([DEEPEST_M, HIGHEST_M, 0.0, 1e-3]))
    return np.clip(height, DEEPEST_M, HIGHEST_M).astype(np.float32)


def source_of(height: NDArray[np.float32], pixel_size_m: float) -> ExportSource:
    """Land of seven classes, with islands of one pixel."""
    rows, cols = height.shape
    ids = (np.arange(rows * cols).reshape(rows, cols) % 7).astype(np.uint8)
    albedo = np.stack((ids * 30, 255 - ids * 30, np.zeros_like(ids)), axis=-1)
    terrain = Terrain(albedo, height, pixel_size_m, PROVENANCE)
    return ExportSource(terrain, lambda: albedo, ids)


ODD = [
    np.zeros((2, 2), np.float32),
    np.full((3, 33), HIGHEST_M, np.float32),
    np.where(np.eye(7, dtype=bool), HIGHEST_M, DEEPEST_M).astype(np.float32),
]


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("height", ODD, ids=["tiny", "level", "peaks"])
def test_odd_land_is_written(name: str, height: NDArray[np.float32]) -> None:
    check_written(name, height, 2000.0)


@pytest.mark.parametrize("name", [name for name, form in FORMATS.items() if form.is_divided])
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(height=heights(), pixel_size_m=PIXELS_M)
def test_any_land_is_written(name: str, height: NDArray[np.float32], pixel_size_m: float) -> None:
    check_written(name, height, pixel_size_m)


def check_written(name: str, height: NDArray[np.float32], pixel_size_m: float) -> None:
    """All files are there, none is empty, and the range of heights is told."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder)
        written = export(source_of(height, pixel_size_m), target, "map", [name], ExportOptions())
        assert written == export_paths(target, "map", [name]) and sorted(written) == sorted(target.iterdir())
        assert all(path.stat().st_size for path in written)
        for path in written:
            if path.suffix == ".json":
                facts = json.loads(path.read_text())
                if "height_min_m" in facts:
                    low, high = float(height.min()), float(height.max())
                    assert facts["height_min_m"] == low
                    # Level ground gets a range, so that 16 bits can be decoded.
                    assert facts["height_max_m"] in (high, low + 1)


@pytest.mark.parametrize("name", ["height16", "r16"])
@pytest.mark.parametrize("crop", [None, (5, 3, 20, 11)])
def test_a_small_range_of_heights_is_not_black(
    tmp_path: Path, name: str, crop: tuple[int, int, int, int] | None
) -> None:
    height = np.linspace(4321.0, 4322.0, 30 * 40, dtype=np.float32).reshape(30, 40)
    path, beside = export(source_of(height, 30.0), tmp_path, "map", [name], ExportOptions(crop=crop))
    values = np.fromfile(path, "<u2") if name == "r16" else np.asarray(cv2.imread(str(path), cv2.IMREAD_UNCHANGED))
    assert (values.min(), values.max()) == (0, 65535)
    facts = json.loads(beside.read_text())
    part = height if crop is None else height[3:14, 5:25]
    assert "normalised" in facts
    assert (facts["height_min_m"], facts["height_max_m"]) == (float(part.min()), float(part.max()))


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_heights_that_are_not_finite_are_refused_or_not_needed(tmp_path: Path, name: str, wrong: float) -> None:
    height = np.linspace(0, 50, 30 * 40, dtype=np.float32).reshape(30, 40)
    height[7, 11] = wrong
    without_heights = {
        *("albedo", "terrain", "albedo-geotiff", "albedo-cog", "terrain-geotiff", "classes-geotiff"),
        *("weights", "splat", "classes", "lines", "lines-png"),
    }
    if name in without_heights:
        assert export(source_of(height, 30.0), tmp_path, "map", [name], ExportOptions())
        return
    with pytest.raises(ValueError, match="finite"):
        export(source_of(height, 30.0), tmp_path, "map", [name], ExportOptions())
    assert not list(tmp_path.iterdir())
