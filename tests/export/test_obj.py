import re
import shutil
import subprocess
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from terrainpaint.core.terrain import Terrain
from terrainpaint.errors import OptionError
from terrainpaint.export import ExportOptions, export_file, obj_paths
from tests.export.terrains import lopsided, of_height, source

ASSIMP = shutil.which("assimp")


def read(path: Path) -> trimesh.Trimesh:
    mesh = trimesh.load_mesh(path, process=False, maintain_order=True)
    assert isinstance(mesh, trimesh.Trimesh)
    return mesh


def written_normals(path: Path) -> np.ndarray:
    """The vn lines, because trimesh computes normals from the triangles and ignores those of the file."""
    return np.array([line.split()[1:] for line in path.read_text().splitlines() if line.startswith("vn ")], float)


def place(mesh: trimesh.Trimesh, terrain: Terrain) -> tuple[np.ndarray, np.ndarray]:
    """Row and column of the pixel at each vertex, computed from its position in metres."""
    rows, columns = terrain.shape
    row = np.floor(mesh.vertices[:, 2] / terrain.pixel_size_m + rows / 2).astype(int)
    column = np.floor(mesh.vertices[:, 0] / terrain.pixel_size_m + columns / 2).astype(int)
    return row, column


@pytest.mark.parametrize("shape", [(32, 32), (48, 64), (70, 33)])
def test_each_vertex_has_height_and_colour_of_its_place(tmp_path: Path, shape: tuple[int, int]) -> None:
    terrain = lopsided(*shape)
    export_file(source(terrain), tmp_path / "map.obj", "obj", ExportOptions())
    mesh = read(tmp_path / "map.obj")
    row, column = place(mesh, terrain)
    assert len(set(zip(row.tolist(), column.tolist(), strict=True))) == shape[0] * shape[1] == len(mesh.vertices)
    assert np.abs(mesh.vertices[:, 1] - terrain.height[row, column]).max() <= 0.001
    texture = np.asarray(mesh.visual.material.image.convert("RGB"))
    u, v = mesh.visual.uv.T
    seen = texture[np.floor((1 - v) * shape[0]).astype(int), np.floor(u * shape[1]).astype(int)]
    np.testing.assert_array_equal(seen, terrain.albedo[row, column])


def test_the_high_peak_is_in_the_north_east(tmp_path: Path) -> None:
    export_file(source(lopsided(48, 64)), tmp_path / "map.obj", "obj", ExportOptions(mesh_size=32))
    x, y, z = read(tmp_path / "map.obj").vertices.T
    assert x[y.argmax()] > 0 > z[y.argmax()]
    assert x[y.argmin()] < -900  # the ramp starts in the west


@pytest.mark.parametrize("mesh_size", [None, 20, 100])
def test_triangles_cover_the_grid_and_face_the_sky(tmp_path: Path, mesh_size: int | None) -> None:
    export_file(source(lopsided(48, 64)), tmp_path / "map.obj", "obj", ExportOptions(mesh_size=mesh_size))
    mesh = read(tmp_path / "map.obj")
    w = mesh_size or 64
    h = w * 48 // 64
    assert len(mesh.vertices) == h * w and len(mesh.faces) == 2 * (h - 1) * (w - 1)
    assert (mesh.face_normals[:, 1] > 0).all()  # by the order of the corners
    normals = written_normals(tmp_path / "map.obj")
    assert (normals[:, 1] > 0).all()
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-3)
    # Seen from above, the triangles cover the rectangle of the vertices once.
    a, b, c = (mesh.vertices[mesh.faces[:, corner]][:, [0, 2]] for corner in range(3))
    area = 0.5 * np.cross(np.c_[b - a, np.zeros(len(a))], np.c_[c - a, np.zeros(len(a))])[:, 2]
    assert (area < 0).all()  # x east and z south have the opposite orientation of x and y on paper
    assert -area.sum() == pytest.approx(np.ptp(mesh.vertices[:, 0]) * np.ptp(mesh.vertices[:, 2]))


def test_the_text_follows_the_conventions(tmp_path: Path) -> None:
    terrain = lopsided(32, 32)
    export_file(source(terrain), tmp_path / "isle.obj", "obj", ExportOptions(exaggeration=2))
    text = (tmp_path / "isle.obj").read_text()
    lines = text.splitlines()
    head = [line for line in lines if line.startswith("#")]
    for fact in ("metres", "seed 77", "ab" * 32, "TerrainPaint 1.2.3", "30.0 m", "times 2"):
        assert any(fact in line for line in head), fact
    for line in ("mtllib isle.mtl", "o isle", "usemtl isle", "s 1"):
        assert lines.count(line) == 1
    assert lines[-1] == "f 992/992/992 1023/1023/1023 1024/1024/1024"
    assert lines[lines.index("s 1") + 1] == "f 1/1/1 33/33/33 2/2/2"
    assert {line.split()[0] for line in lines} == {"#", "mtllib", "o", "v", "vt", "vn", "usemtl", "s", "f"}
    assert (tmp_path / "isle.mtl").read_text().splitlines() == [
        *("newmtl isle", "Ka 0 0 0", "Kd 1 1 1", "Ks 0 0 0", "illum 1", "map_Kd isle.png")
    ]
    with Image.open(tmp_path / "isle.png") as texture:
        np.testing.assert_array_equal(np.asarray(texture), terrain.albedo)


def test_normals_match_the_triangles(tmp_path: Path) -> None:
    row, column = np.mgrid[0:48, 0:64]
    hills = 300 * np.sin(column / 9 + row / 30) + 200 * np.cos(row / 7) + 10 * column
    export_file(source(of_height(hills.astype(np.float32))), tmp_path / "map.obj", "obj", ExportOptions())
    mesh = read(tmp_path / "map.obj")
    of_triangles = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False).vertex_normals
    cosines = (written_normals(tmp_path / "map.obj") * of_triangles).sum(axis=1).reshape(48, 64)
    assert cosines[1:-1, 1:-1].min() > 0.999  # a vertex at the edge has triangles on one side only
    assert cosines.min() > 0.99


def test_exaggeration_changes_the_mesh(tmp_path: Path) -> None:
    terrain = lopsided(32, 32)
    export_file(source(terrain), tmp_path / "map.obj", "obj", ExportOptions(exaggeration=3))
    mesh = read(tmp_path / "map.obj")
    np.testing.assert_allclose(mesh.vertices[:, 1], terrain.height.ravel() * 3.0, atol=1e-3)


def test_a_water_surface_is_an_object_of_its_own(tmp_path: Path) -> None:
    terrain = lopsided(32, 48)
    options = ExportOptions(exaggeration=2, water_surface_m=12.5)
    export_file(source(terrain), tmp_path / "my map.obj", "obj", options)
    scene = trimesh.load_scene(tmp_path / "my map.obj", split_object=True, process=False)
    ground, water = sorted(scene.geometry.values(), key=lambda mesh: -len(mesh.faces))
    assert len(ground.vertices) == 32 * 48
    assert set(water.vertices[:, 1]) == {25.0}
    np.testing.assert_allclose(water.bounds[:, [0, 2]], ground.bounds[:, [0, 2]])
    assert (water.face_normals == (0, 1, 0)).all()
    assert water.area == pytest.approx(np.prod(water.extents[[0, 2]]))
    materials = (tmp_path / "my map.mtl").read_text()
    assert "newmtl my_map\n" in materials and "newmtl my_map_water\n" in materials
    assert "map_Kd" not in materials.split("my_map_water")[1]


@pytest.mark.parametrize("surface_m", [12_001.0, -12_001.0, float("nan"), float("inf")])
def test_an_impossible_water_surface_is_refused(surface_m: float) -> None:
    with pytest.raises(OptionError, match="water surface"):
        ExportOptions(water_surface_m=surface_m)


def test_vertices_closer_than_a_millimetre_stay_apart(tmp_path: Path) -> None:
    export_file(source(lopsided(32, 32, pixel_size_m=0.0004)), tmp_path / "map.obj", "obj", ExportOptions())
    x = np.unique(read(tmp_path / "map.obj").vertices[:, 0])
    np.testing.assert_allclose(np.diff(x), 0.0004, rtol=0.01)


@pytest.mark.parametrize(
    ("name", "inside"),
    [
        *(
            ("my map", "my map"),
            ("a  b -c", "a  b -c"),
            ("Höhe 山", "Höhe 山"),
            ("v1.2", "v1.2"),
            ("a&b(c)'d", "a&b(c)'d"),
        ),
        *((" lead", "_lead"), ("-dash", "_dash"), ("no#1", "no_1"), ('a"b', "a_b"), ("back\\slash", "back_slash")),
        *(("new\nline", "new_line"), ("tab\tx", "tab_x")),
    ],
)
def test_names_of_material_and_texture_that_readers_accept(tmp_path: Path, name: str, inside: str) -> None:
    written = export_file(source(lopsided(32, 32)), tmp_path / f"{name}.obj", "obj", ExportOptions())
    assert [path.name for path in written] == [f"{name}.obj", f"{inside}.mtl", f"{inside}.png"]
    assert sorted(tmp_path.iterdir()) == sorted(written)
    mesh = read(written[0])
    assert mesh.visual.material.image.size == (32, 32)
    if ASSIMP and "\\" not in name:  # assimp treats a backslash in the path of its input as a separator
        assert f"'{inside}.png'" in assimp_info(written[0])


def assimp_info(path: Path) -> str:
    assert ASSIMP
    return subprocess.run([ASSIMP, "info", path], capture_output=True, text=True, check=True).stdout


@pytest.mark.skipif(not ASSIMP, reason="assimp is not installed (Debian: assimp-utils)")
def test_assimp_reads_it(tmp_path: Path) -> None:
    terrain = lopsided(48, 64)
    export_file(source(terrain), tmp_path / "map.obj", "obj", ExportOptions())
    info = assimp_info(tmp_path / "map.obj")
    facts = re.findall(r"^(Meshes|Faces|Vertices|Minimum point|Maximum point):? +(.*)$", info, re.MULTILINE)
    assert ("Meshes", "1") in facts and ("Faces", str(2 * 47 * 63)) in facts
    low, high = terrain.height.min(), terrain.height.max()
    corners = {name: np.array(value.strip("()").split(), float) for name, value in facts if "point" in name}
    np.testing.assert_allclose(corners["Minimum point"], [-945, low, -705], atol=0.01)
    np.testing.assert_allclose(corners["Maximum point"], [945, high, 705], atol=0.01)


def test_a_file_of_another_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"map\.fbx.*\.obj"):
        export_file(source(lopsided(32, 32)), tmp_path / "map.fbx", "obj", ExportOptions())
    assert obj_paths(tmp_path / "A.OBJ") == (tmp_path / "A.OBJ", tmp_path / "A.mtl", tmp_path / "A.png")


def test_the_text_is_written_in_parts(tmp_path: Path) -> None:
    terrain = of_height(np.random.default_rng(0).normal(500, 200, (512, 512)).astype(np.float32))
    tracemalloc.start()
    export_file(source(terrain), tmp_path / "map.obj", "obj", ExportOptions())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (tmp_path / "map.obj").stat().st_size > 50e6
    assert peak < 25e6
