from pathlib import Path

import numpy as np
import pytest
import trimesh

from terrainpaint.export import ExportOptions, export
from tests.export.terrains import lopsided, source


def read(folder: Path, options: ExportOptions, shape: tuple[int, int] = (48, 64)) -> trimesh.Trimesh:
    (path,) = export(source(lopsided(*shape)), folder, "map", ["ply"], options)
    return trimesh.load_mesh(path, process=False, maintain_order=True)


@pytest.mark.parametrize("shape", [(32, 32), (48, 64), (70, 33)])
def test_each_vertex_has_height_and_colour_of_its_place(tmp_path: Path, shape: tuple[int, int]) -> None:
    terrain = lopsided(*shape)
    mesh = read(tmp_path, ExportOptions(), shape)
    column = np.floor(mesh.vertices[:, 0] / 30.0 + shape[1] / 2).astype(int)
    row = np.floor(shape[0] / 2 - mesh.vertices[:, 1] / 30.0).astype(int)
    assert len(set(zip(row.tolist(), column.tolist(), strict=True))) == terrain.height.size == len(mesh.vertices)
    np.testing.assert_array_equal(mesh.vertices[:, 2].astype(np.float32), terrain.height[row, column])
    np.testing.assert_array_equal(mesh.visual.vertex_colors[:, :3], terrain.albedo[row, column])


def test_triangles_and_normals_face_the_sky(tmp_path: Path) -> None:
    mesh = read(tmp_path, ExportOptions(exaggeration=3))
    assert len(mesh.faces) == 2 * 47 * 63
    assert (mesh.face_normals[:, 2] > 0).all()
    stored = mesh.metadata["_ply_raw"]["vertex"]["data"]
    normals = np.stack([stored[name] for name in ("nx", "ny", "nz")], axis=-1).reshape(-1, 3)
    computed = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False).vertex_normals
    cosines = (normals * computed).sum(axis=1).reshape(48, 64)
    assert cosines.min() > 0 and np.median(cosines) > 0.9999


def test_a_coarse_mesh_has_mean_colours_and_a_fine_one_all(tmp_path: Path) -> None:
    terrain = lopsided(48, 64)
    coarse = read(tmp_path, ExportOptions(mesh_size=16)).visual.vertex_colors[:, :3].reshape(12, 16, 3)
    expected = terrain.albedo.reshape(12, 4, 16, 4, 3).mean(axis=(1, 3))
    assert np.abs(coarse - expected).max() <= 1
    assert len(read(tmp_path, ExportOptions(mesh_size=100)).vertices) == 75 * 100
