"""Estimated file sizes against written files."""

from pathlib import Path

import numpy as np
import pytest

from terrainpaint.core.terrain import Terrain
from terrainpaint.export import FORMATS, ExportOptions, export
from tests.export.terrains import PROVENANCE, lopsided, source


def written(folder: Path, terrain: Terrain, name: str, options: ExportOptions) -> int:
    """Bytes of the files of a format."""
    return sum(path.stat().st_size for path in export(source(terrain), folder, "map", [name], options))


def relief(rows: int, cols: int, roughness: float) -> Terrain:
    """Land with colours and heights like the sample maps: large forms, and fine noise of `roughness`."""
    random = np.random.default_rng(5)
    coarse = lopsided(rows, cols, 2000.0)
    height = coarse.height + random.normal(0, 12 * roughness, (rows, cols)).astype(np.float32)
    albedo = coarse.albedo.astype(np.float32) + random.normal(0, 2.2 * roughness, (rows, cols, 3))
    return Terrain(np.clip(albedo, 0, 255).astype(np.uint8), height, 2000.0, PROVENANCE)


@pytest.mark.parametrize("shape", [(64, 64), (200, 300), (256, 256)])
@pytest.mark.parametrize("mesh_size", [None, 50, 400])
@pytest.mark.parametrize("pixel_size_m", [1.0, 2000.0])
def test_the_text_of_a_mesh(tmp_path: Path, shape: tuple[int, int], mesh_size: int | None, pixel_size_m: float) -> None:
    options = ExportOptions(mesh_size)
    terrain = lopsided(*shape, pixel_size_m)
    mesh = written(tmp_path, terrain, "obj", options) - (tmp_path / "map.png").stat().st_size
    expected = FORMATS["obj"].estimate_bytes(*shape, options) - FORMATS["albedo"].estimate_bytes(*shape, options)
    assert expected == pytest.approx(mesh, rel=0.08)


@pytest.mark.parametrize("name", ["glb", "ply", "stl"])
@pytest.mark.parametrize("mesh_size", [None, 50, 400])
def test_binary_meshes(tmp_path: Path, name: str, mesh_size: int | None) -> None:
    options, terrain = ExportOptions(mesh_size), relief(200, 300, 1.0)
    size = written(tmp_path, terrain, name, options)
    assert FORMATS[name].estimate_bytes(200, 300, options) == pytest.approx(size, rel=0.05)


@pytest.mark.parametrize("name", ["albedo", "terrain", "height16", "geotiff", "exr-half"])
def test_pictures_are_above_and_below_the_estimate(tmp_path: Path, name: str) -> None:
    options = ExportOptions()
    sizes = [written(tmp_path, relief(256, 256, roughness), name, options) for roughness in (0.0, 3.0)]
    assert sizes[0] < FORMATS[name].estimate_bytes(256, 256, options) < sizes[1]


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_grows_with_the_map(name: str) -> None:
    options = ExportOptions()
    small, large = (FORMATS[name].estimate_bytes(side, side, options) for side in (128, 512))
    assert 0 < 3 * small < large
