import json
import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from terrainpaint.errors import OptionError
from terrainpaint.export import ExportOptions, export, glb
from terrainpaint.export.file_options import FileOptions, Texture
from tests.export.terrains import lopsided, source

NODE = shutil.which("node")
VALIDATE = """
const validator = require("gltf-validator"), fs = require("fs");
validator.validateBytes(new Uint8Array(fs.readFileSync(process.argv[1])))
  .then((report) => console.log(JSON.stringify(report.issues)));
"""


def written(folder: Path, options: ExportOptions, shape: tuple[int, int] = (48, 64)) -> Path:
    (path,) = export(source(lopsided(*shape)), folder, "my isle", ["glb"], options)
    return path


def scene_of(path: Path) -> trimesh.Scene:
    return trimesh.load_scene(path, process=False, maintain_order=True)


def document_of(path: Path) -> dict[str, object]:
    data = path.read_bytes()
    magic, version, length, json_length, kind = struct.unpack("<4sIII4s", data[:20])
    assert (magic, version, length, kind) == (b"glTF", 2, len(data), b"JSON")
    return json.loads(data[20 : 20 + json_length])


@pytest.mark.parametrize("shape", [(32, 32), (48, 64), (70, 33)])
def test_each_vertex_has_height_and_colour_of_its_place(tmp_path: Path, shape: tuple[int, int]) -> None:
    terrain = lopsided(*shape)
    (mesh,) = scene_of(written(tmp_path, ExportOptions(), shape)).geometry.values()
    row = np.floor(mesh.vertices[:, 2] / 30.0 + shape[0] / 2).astype(int)
    column = np.floor(mesh.vertices[:, 0] / 30.0 + shape[1] / 2).astype(int)
    assert len(set(zip(row.tolist(), column.tolist(), strict=True))) == terrain.height.size == len(mesh.vertices)
    np.testing.assert_array_equal(mesh.vertices[:, 1].astype(np.float32), terrain.height[row, column])
    texture = np.asarray(mesh.visual.material.baseColorTexture.convert("RGB"))
    u, v = mesh.visual.uv.T
    seen = texture[np.floor((1 - v) * shape[0]).astype(int), np.floor(u * shape[1]).astype(int)]
    np.testing.assert_array_equal(seen, terrain.albedo[row, column])


def test_triangles_and_normals_face_the_sky(tmp_path: Path) -> None:
    (mesh,) = scene_of(written(tmp_path, ExportOptions(mesh_size=20, exaggeration=2))).geometry.values()
    assert len(mesh.faces) == 2 * 19 * 14
    assert (mesh.face_normals[:, 1] > 0).all()
    stored = mesh.vertex_normals  # those of the file
    np.testing.assert_allclose(np.linalg.norm(stored, axis=1), 1, atol=1e-5)
    assert (stored[:, 1] > 0).all()
    x, y, z = mesh.vertices.T
    assert x[y.argmax()] > 0 > z[y.argmax()]  # the high cone is in the north-east


def test_the_material_is_rough_and_no_metal_and_the_names_are_those_of_the_file(tmp_path: Path) -> None:
    document = document_of(written(tmp_path, ExportOptions()))
    (material,) = document["materials"]
    assert material["name"] == document["nodes"][0]["name"] == "my isle"
    assert material["pbrMetallicRoughness"]["metallicFactor"] == 0
    assert material["pbrMetallicRoughness"]["roughnessFactor"] == 1
    extras = document["asset"]["extras"]
    assert (extras["seed"], extras["pixel_size_m"], extras["weights_sha256"]) == (77, 30.0, "ab" * 32)


def test_the_texture_can_be_a_jpeg(tmp_path: Path) -> None:
    path = written(tmp_path, ExportOptions(files=FileOptions(glb_texture=Texture.JPEG)))
    (mesh,) = scene_of(path).geometry.values()
    texture = mesh.visual.material.baseColorTexture
    assert isinstance(texture, Image.Image) and texture.format == "JPEG"
    difference = np.asarray(texture.convert("RGB")).astype(int) - lopsided(48, 64).albedo
    assert np.abs(difference).mean() < 4


def test_the_water_is_a_mesh_of_its_own(tmp_path: Path) -> None:
    path = written(tmp_path, ExportOptions(exaggeration=2, water_surface_m=12.5))
    ground, water = scene_of(path).geometry.values()
    assert set(water.vertices[:, 1]) == {25.0} and (water.face_normals == (0, 1, 0)).all()
    np.testing.assert_allclose(water.bounds[:, [0, 2]], ground.bounds[:, [0, 2]])
    document = document_of(path)
    assert [node["name"] for node in document["nodes"]] == ["my isle", "my isle_water"]
    assert document["materials"][1]["alphaMode"] == "BLEND"


def test_the_texture_is_that_of_the_obj_written_before(tmp_path: Path) -> None:
    export(source(lopsided()), tmp_path, "a", ["obj", "glb"], ExportOptions())
    assert (tmp_path / "a.png").read_bytes() in (tmp_path / "a.glb").read_bytes()


def test_a_file_beyond_the_limit_of_the_format_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(glb, "_MOST_BYTES", 10_000)
    with pytest.raises(OptionError, match="smaller mesh"):
        written(tmp_path, ExportOptions())
    assert not list(tmp_path.iterdir())


def has_validator() -> bool:
    return (
        NODE is not None
        and subprocess.run([NODE, "-e", "require('gltf-validator')"], capture_output=True).returncode == 0
    )


@pytest.mark.skipif(not has_validator(), reason="node with gltf-validator is not installed")
@pytest.mark.parametrize(
    "options",
    [
        ExportOptions(),
        ExportOptions(mesh_size=21, exaggeration=3, water_surface_m=4.5),
        ExportOptions(files=FileOptions(glb_texture=Texture.JPEG)),
    ],
)
def test_the_validator_of_khronos_has_no_complaint(tmp_path: Path, options: ExportOptions) -> None:
    path = written(tmp_path, options, (64, 32))
    run = subprocess.run([str(NODE), "-e", VALIDATE, str(path)], capture_output=True, text=True, check=True)
    issues = json.loads(run.stdout)
    assert (issues["numErrors"], issues["numWarnings"]) == (0, 0), issues["messages"]
