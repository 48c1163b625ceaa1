import numpy as np
import pytest

from terrainpaint.errors import OptionError
from terrainpaint.export import ExportOptions
from terrainpaint.export.mesh import mesh_grid
from tests.export.terrains import lopsided, of_height


def test_a_vertex_of_the_full_mesh_is_the_centre_of_a_pixel() -> None:
    terrain = lopsided(48, 64, pixel_size_m=30.0)
    grid = mesh_grid(terrain, ExportOptions())
    assert grid.shape == (48, 64)
    np.testing.assert_array_equal(grid.y, terrain.height)
    np.testing.assert_allclose(grid.u, (np.arange(64) + 0.5) / 64)
    np.testing.assert_allclose(grid.v, 1 - (np.arange(48) + 0.5) / 48)
    np.testing.assert_allclose(grid.x, (np.arange(64) + 0.5 - 32) * 30.0)
    np.testing.assert_allclose(grid.z, (np.arange(48) + 0.5 - 24) * 30.0)


def test_a_coarse_mesh_has_the_mean_of_each_cell() -> None:
    terrain = lopsided(48, 64)
    grid = mesh_grid(terrain, ExportOptions(mesh_size=16))
    cells = terrain.height.reshape(12, 4, 16, 4)
    np.testing.assert_allclose(grid.y, cells.mean(axis=(1, 3)), atol=1e-3)
    # The first vertex is at the centre of the first 4 x 4 pixels, in metres as in the texture.
    assert (grid.x[0], grid.z[0]) == pytest.approx(((2 - 32) * 30.0, (2 - 24) * 30.0))
    assert (grid.u[0], grid.v[0]) == pytest.approx((2 / 64, 1 - 2 / 48))


@pytest.mark.parametrize("mesh_size", [7, 23, 40, 64, 65, 130])
def test_all_sizes_cover_the_same_ground(mesh_size: int) -> None:
    row, column = np.mgrid[0:40, 0:64] + 0.5
    terrain = of_height((3 * column + 5 * row).astype(np.float32), pixel_size_m=10.0)
    grid = mesh_grid(terrain, ExportOptions(mesh_size=mesh_size))
    assert max(grid.shape) == mesh_size
    ground = 3 * grid.u * 64 + 5 * (1 - grid.v[:, None]) * 40
    # A plane stays a plane, except in the half pixel at the edge outside all pixel centres.
    inside = (slice(2, -2), slice(2, -2))
    np.testing.assert_allclose(grid.y[inside], ground[inside], atol=1e-2)
    np.testing.assert_allclose(grid.x, (grid.u - 0.5) * 640.0)
    np.testing.assert_allclose(grid.z, (0.5 - grid.v) * 400.0)


def test_the_default_mesh_has_at_most_1024_vertices_a_side() -> None:
    assert mesh_grid(of_height(np.zeros((1024, 1536), np.float32)), ExportOptions()).shape == (683, 1024)
    assert mesh_grid(of_height(np.zeros((100, 32), np.float32)), ExportOptions()).shape == (100, 32)


def test_exaggeration_multiplies_heights_only() -> None:
    plain = mesh_grid(lopsided(), ExportOptions())
    steep = mesh_grid(lopsided(), ExportOptions(exaggeration=2.5))
    np.testing.assert_allclose(steep.y, plain.y * 2.5, rtol=1e-6)
    np.testing.assert_array_equal(steep.x, plain.x)


def test_normals_of_a_plane() -> None:
    row, column = np.mgrid[0:32, 0:40]
    terrain = of_height(((column * 2 - row * 1) * 30.0).astype(np.float32))  # rises 2 eastwards and 1 northwards
    normals = mesh_grid(terrain, ExportOptions()).normals(3, 9)
    expected = np.array([-2, 1, 1]) / np.sqrt(6)  # tilted to the west and the south
    np.testing.assert_allclose(normals, np.broadcast_to(expected, (6, 40, 3)), atol=1e-5)


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_heights_that_are_not_finite_are_refused(broken: float) -> None:
    height = np.zeros((32, 32), np.float32)
    height[5, 6] = broken
    with pytest.raises(ValueError, match="finite"):
        mesh_grid(of_height(height), ExportOptions())


@pytest.mark.parametrize("mesh_size", [-1, 0, 1, 16385])
def test_illegal_mesh_sizes(mesh_size: int) -> None:
    with pytest.raises(OptionError, match="from 2 to 16384"):
        ExportOptions(mesh_size=mesh_size)


@pytest.mark.parametrize("exaggeration", [0.0, -1.0, 1001.0, float("nan"), float("inf")])
def test_illegal_exaggerations(exaggeration: float) -> None:
    with pytest.raises(OptionError, match="above 0"):
        ExportOptions(exaggeration=exaggeration)
