import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import trimesh

from terrainpaint.core.terrain import Terrain
from terrainpaint.errors import Cancelled, OptionError, OutputError
from terrainpaint.export import ExportOptions, export
from terrainpaint.export.mesh import mesh_grid
from tests.export.terrains import lopsided, of_height, source

matplotlib_tri = pytest.importorskip("matplotlib.tri")
pytest.importorskip("pydelatin")


def hills(rows: int = 80, cols: int = 110) -> Terrain:
    row, col = np.mgrid[0:rows, 0:cols]
    rough = np.random.default_rng(3).normal(0, 1.5, (rows, cols))
    height = 300 * np.sin(col / 19 + row / 30) + 200 * np.cos(row / 15) + 5 * col + rough
    return Terrain(lopsided(rows, cols).albedo, height.astype(np.float32), 30.0, lopsided().provenance)


def read(path: Path) -> trimesh.Trimesh:
    (mesh,) = trimesh.load_scene(path, process=False, maintain_order=True).geometry.values()
    return mesh


@pytest.mark.parametrize("max_error_m", [1.0, 5.0, 40.0])
@pytest.mark.parametrize("options", [{}, {"mesh_size": 40}, {"exaggeration": 3.0}])
def test_the_error_at_every_vertex_of_the_grid_is_kept(
    tmp_path: Path, max_error_m: float, options: dict[str, Any]
) -> None:
    chosen = ExportOptions(max_error_m=max_error_m, **options)
    terrain = hills()
    grid = mesh_grid(terrain, chosen)
    mesh = read(export(source(terrain), tmp_path, "map", ["glb"], chosen)[0])
    x, y, z = mesh.vertices.T
    surface = matplotlib_tri.LinearTriInterpolator(matplotlib_tri.Triangulation(x, z, mesh.faces), y)
    inside = slice(1, -1)  # the interpolator finds no triangle exactly at the edge
    at = surface(*np.meshgrid(grid.x[inside], grid.z[inside]))
    assert at.count() == at.size
    assert np.abs(at - grid.y[inside, inside]).max() <= max_error_m * chosen.exaggeration * 1.001
    assert len(mesh.vertices) < grid.y.size


@pytest.mark.parametrize("name", ["obj", "glb", "ply"])
def test_the_vertices_are_those_of_the_grid(tmp_path: Path, name: str) -> None:
    terrain = hills()
    mesh = read(export(source(terrain), tmp_path, "map", [name], ExportOptions(max_error_m=10.0))[0])
    x, up, south = mesh.vertices.T if name != "ply" else (mesh.vertices * (1, -1, 1))[:, [0, 2, 1]].T
    row, col = np.rint(south / 30 + 39.5).astype(int), np.rint(x / 30 + 54.5).astype(int)
    np.testing.assert_allclose(up, terrain.height[row, col], atol=0.001)
    assert (mesh.face_normals[:, 2 if name == "ply" else 1] > 0).all()
    corners = {(0, 0), (0, 109), (79, 0), (79, 109)}
    assert corners <= set(zip(row.tolist(), col.tolist(), strict=True))
    area = np.abs(mesh.face_normals[:, 2 if name == "ply" else 1] * mesh.area_faces).sum()
    assert area == pytest.approx(79 * 109 * 900)
    if name == "ply":
        np.testing.assert_array_equal(mesh.visual.vertex_colors[:, :3], terrain.albedo[row, col])
    else:
        u, v = mesh.visual.uv.T
        np.testing.assert_allclose((u, 1 - v), ((col + 0.5) / 110, (row + 0.5) / 80), atol=1e-6)
        normals = mesh_grid(terrain, ExportOptions()).normals(0, 80)[row, col]
        if name == "glb":
            np.testing.assert_allclose(mesh.vertex_normals, normals, atol=1e-5)


def test_level_ground_takes_two_triangles(tmp_path: Path) -> None:
    flat = of_height(np.full((64, 64), 5.0, np.float32))
    assert len(read(export(source(flat), tmp_path, "map", ["ply"], ExportOptions(max_error_m=1.0))[0]).faces) == 2


def test_water_comes_after_the_vertices_of_the_ground(tmp_path: Path) -> None:
    options = ExportOptions(max_error_m=20.0, water_surface_m=12.0)
    export(source(hills()), tmp_path, "map", ["obj"], options)
    scene = trimesh.load_scene(tmp_path / "map.obj", split_object=True, process=False)
    water = min(scene.geometry.values(), key=lambda mesh: len(mesh.faces))
    assert set(water.vertices[:, 1]) == {12.0} and (water.face_normals == (0, 1, 0)).all()


@pytest.mark.parametrize("max_error_m", [0.0, -1.0, float("nan"), 1e9])
def test_an_impossible_error_is_refused(max_error_m: float) -> None:
    with pytest.raises(OptionError, match="largest error"):
        ExportOptions(max_error_m=max_error_m)


def test_without_the_package_the_command_that_installs_it_is_told(tmp_path: Path) -> None:
    code = """
import sys
sys.modules["pydelatin"] = None
from pathlib import Path
from terrainpaint.errors import Cancelled, OptionError, OutputError
from terrainpaint.export import ExportOptions, export
from tests.export.terrains import lopsided, source
try:
    export(source(lopsided()), Path(sys.argv[1]), "map", ["glb"], ExportOptions(max_error_m=5.0))
except OptionError as error:
    print(error)
"""
    run = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert "[tin]" in run.stdout and not list(tmp_path.iterdir())


def test_it_can_be_cancelled_while_it_computes(tmp_path: Path) -> None:
    random = np.random.default_rng(4)
    rough = of_height(random.normal(0, 500, (1500, 1500)).astype(np.float32))
    calls = 0

    def cancel() -> bool:
        nonlocal calls
        calls += 1
        return calls > 3

    with pytest.raises(Cancelled):
        export(source(rough), tmp_path, "map", ["ply"], ExportOptions(1500, max_error_m=0.01), cancel=cancel)
    assert not list(tmp_path.iterdir()) and calls == 4
    # Nothing of the process is left.
    assert not [child for child in psutil.Process().children() if "delatin_worker" in " ".join(child.cmdline())]


def test_a_process_that_fails_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(OutputError, match="largest error"):
        export(source(hills()), tmp_path, "map", ["ply"], ExportOptions(max_error_m=5))


@pytest.mark.parametrize("name", ["obj", "glb", "ply"])
def test_progress_never_goes_back_and_is_told_while_it_computes(tmp_path: Path, name: str) -> None:
    rough = of_height(np.random.default_rng(2).normal(0, 50, (320, 320)).astype(np.float32))
    told = list[float]()
    options = ExportOptions(max_error_m=0.01)
    export(source(rough), tmp_path, "map", [name], options, progress=told.append)
    assert told == sorted(told) and told[-1] == 1
    assert any(0 < fraction <= 0.5 for fraction in told)
