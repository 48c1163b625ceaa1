"""The examples of docs/python.md run, and write what the document says."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import rasterio
import trimesh

import terrainpaint as tp
from terrainpaint.core.map_files import write_map
from terrainpaint.core.project import Project, Settings, ViewSettings
from terrainpaint.core.project_file import save_project
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.core.terrain import Recipe

ROOT = Path(__file__).resolve().parents[2]


def small_land() -> np.ndarray:
    rows, cols = np.mgrid[0:48, 0:64]
    return np.where(np.hypot(rows - 20, cols - 40) < 18, 5, 0).astype(np.uint8)


def test_the_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    write_map(tmp_path / "m.png", SegmentationMap(small_land()))
    project = Project.painted(small_land(), Settings(500.0, "satellite", recipe=Recipe(4)))
    save_project(tmp_path / "island.terrainpaint", project, ViewSettings(), None)
    text = (ROOT / "docs" / "python.md").read_text("utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 8
    script = tmp_path / "examples.py"
    script.write_text("\n".join(blocks))
    names = runpy.run_path(str(script))

    assert isinstance(trimesh.load(tmp_path / "x.glb"), trimesh.Scene)
    assert names["dreamed"].classes.shape == (128, 192) and names["dreamed"].name == "dream-7"
    assert isinstance(trimesh.load(tmp_path / "dreamed.glb"), trimesh.Scene)
    terrain = names["terrain"]
    assert terrain.heights.shape == (96, 128) and terrain.heights.dtype == np.float32
    assert (terrain.style, terrain.seed, terrain.pixel_size_m, terrain.name) == ("satellite", 7, 30, "island")
    assert len(trimesh.load(tmp_path / "island.obj", process=False, force="mesh").vertices) == 64 * 48
    with rasterio.open(tmp_path / "heights.tif") as raster:
        assert raster.crs.to_epsg() == 32632 and raster.transform.c == 500_000 and raster.transform.f == 5_200_000
        np.testing.assert_array_equal(raster.read(1), terrain.heights)
    assert cv2.imread(str(tmp_path / "engine" / "island_height16.png"), -1).shape == (127, 127)
    assert (tmp_path / "engine" / "island_README.txt").is_file()
    assert len(list((tmp_path / "pictures").iterdir())) == 1 + 2 + 7
    tiles = sorted((tmp_path / "tiles").glob("*.glb"))
    assert len(tiles) == 6 and all(isinstance(trimesh.load(tile), trimesh.Scene) for tile in tiles)
    variants = [cv2.imread(str(tmp_path / f"variant-{seed}_terrain.png")) for seed in range(3)]
    assert variants[0].shape == (48, 64, 3) and not np.array_equal(variants[0], variants[1])
    assert 'no preset "unreel"' in capsys.readouterr().out


def test_each_public_name_can_be_had_and_is_documented() -> None:
    guide = (ROOT / "docs" / "python.md").read_text("utf-8")
    stub = (ROOT / "terrainpaint" / "__init__.pyi").read_text("utf-8")
    for name in tp.__all__:
        assert getattr(tp, name) is not None
        if name != "__version__":
            assert f"tp.{name}" in guide
            assert f"import {name} as {name}\n" in stub
    assert set(tp.__all__) <= set(dir(tp))
    with pytest.raises(AttributeError, match="paint"):
        _ = tp.paint  # type: ignore[attr-defined]


def test_importing_it_is_quick() -> None:
    code = "import sys, terrainpaint; print(sorted({'numpy', 'cv2', 'torch', 'PySide6'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"
