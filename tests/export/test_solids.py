from pathlib import Path

import lib3mf
import numpy as np
import pytest
import trimesh

from terrainpaint.errors import OptionError
from terrainpaint.export import ExportOptions, export
from terrainpaint.export.file_options import FileOptions
from tests.export.terrains import lopsided, of_height, source


def written(folder: Path, name: str, options: ExportOptions, shape: tuple[int, int] = (48, 64)) -> Path:
    (path,) = export(source(lopsided(*shape)), folder, "map & co", [name], options)
    return path


def stl(folder: Path, options: ExportOptions, shape: tuple[int, int] = (48, 64)) -> trimesh.Trimesh:
    return trimesh.load_mesh(written(folder, "stl", options, shape))


def read_3mf(path: Path) -> tuple[object, object]:
    """The mesh object and the model that the library of the 3MF Consortium reads, without warnings."""
    model = lib3mf.get_wrapper().CreateModel()
    reader = model.QueryReader("3mf")
    reader.SetStrictModeActive(True)
    reader.ReadFromFile(str(path))
    assert reader.GetWarningCount() == 0
    meshes = model.GetMeshObjects()
    assert meshes.MoveNext()
    return meshes.GetCurrentMeshObject(), model


def mesh_of(path: Path) -> trimesh.Trimesh:
    mesh, _ = read_3mf(path)
    vertices = np.array([list(vertex.Coordinates) for vertex in mesh.GetVertices()])
    faces = np.array([list(triangle.Indices) for triangle in mesh.GetTriangleIndices()])
    return trimesh.Trimesh(vertices, faces, process=False)


@pytest.mark.parametrize("shape", [(32, 32), (48, 64), (70, 33)])
@pytest.mark.parametrize("mesh_size", [2, 20, None])
def test_the_solid_is_watertight_and_faces_outwards(
    tmp_path: Path, shape: tuple[int, int], mesh_size: int | None
) -> None:
    for mesh in (
        stl(tmp_path, ExportOptions(mesh_size, exaggeration=2), shape),
        mesh_of(written(tmp_path, "3mf", ExportOptions(mesh_size, exaggeration=2), shape)),
    ):
        assert mesh.is_watertight and mesh.is_winding_consistent and mesh.volume > 0
        assert mesh.body_count == 1 and mesh.euler_number == 2


def test_its_size_in_millimetres_and_its_base(tmp_path: Path) -> None:
    options = ExportOptions(files=FileOptions(print_size_mm=200.0, print_base_mm=5.0))
    terrain = lopsided(48, 64)
    scale = 200 / (63 * 30)
    for mesh in (stl(tmp_path, options), mesh_of(written(tmp_path, "3mf", options))):
        np.testing.assert_allclose(mesh.bounds[0], 0, atol=1e-6)
        expected = (200, 47 * 30 * scale, 5 + np.ptp(terrain.height) * scale)
        np.testing.assert_allclose(mesh.bounds[1], expected, atol=1e-3)
        top = mesh.vertices[mesh.vertices[:, 2].argmax()]
        assert top[0] > 100 and top[1] > 75  # the high cone is in the north-east
        ground = mesh.vertices[mesh.vertices[:, 2] > 1e-6]
        assert ground[:, 2].min() == pytest.approx(5)


def test_the_volume_is_that_of_the_land(tmp_path: Path) -> None:
    terrain = of_height(np.full((40, 40), 55.0, np.float32))
    (path,) = export(source(terrain), tmp_path, "a", ["stl"], ExportOptions())
    assert trimesh.load_mesh(path).volume == pytest.approx(150 * 150 * 3)


def test_3mf_has_the_colours_of_the_texture(tmp_path: Path) -> None:
    mesh, model = read_3mf(written(tmp_path, "3mf", ExportOptions()))
    assert mesh.GetName() == "map & co" and model.GetUnit() == lib3mf.ModelUnit.MilliMeter
    albedo = lopsided(48, 64).albedo
    groups = model.GetColorGroups()
    assert groups.MoveNext()
    group = groups.GetCurrentColorGroup()
    triangles = mesh.GetTriangleIndices()
    for number in (0, 1, 777, 2 * 47 * 63 - 1):
        corners, properties = triangles[number], mesh.GetTriangleProperties(number)
        for corner, identity in zip(corners.Indices, properties.PropertyIDs, strict=True):
            colour = group.GetColor(identity)
            assert (colour.Red, colour.Green, colour.Blue, colour.Alpha) == (*albedo[corner // 64, corner % 64], 255)


def test_equal_solids_give_equal_files(tmp_path: Path) -> None:
    first = written(tmp_path / "a", "3mf", ExportOptions()).read_bytes()
    assert written(tmp_path / "b", "3mf", ExportOptions()).read_bytes() == first


@pytest.mark.parametrize("files", [{"print_size_mm": 9.0}, {"print_base_mm": 0.0}, {"print_size_mm": float("nan")}])
def test_impossible_sizes_are_refused(files: dict[str, float]) -> None:
    with pytest.raises(OptionError, match="mm"):
        FileOptions(**files)
