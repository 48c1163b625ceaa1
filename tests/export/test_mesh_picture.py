"""The picture of a mesh shows what is in front, in its colours and its light."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from terrainpaint.core.terrain import Provenance, Recipe, Terrain
from terrainpaint.export import ExportOptions
from terrainpaint.export.mesh import mesh_grid
from terrainpaint.export.mesh_picture import Sun, mesh_picture

SIZE = (120, 160)
GREY, RED, BLUE = (128, 128, 128), (200, 30, 30), (30, 30, 200)


def picture(
    height: NDArray[np.float32], albedo: NDArray[np.uint8], exaggeration: float = 1.0, sun: Sun | None = None
) -> NDArray[np.uint8]:
    terrain = Terrain(albedo, height, 30.0, Provenance("", "atlas", Recipe(), ""))
    options = ExportOptions(max(height.shape), exaggeration)
    return mesh_picture(mesh_grid(terrain, options), albedo, SIZE, sun or Sun())


def plain(colour: tuple[int, int, int], shape: tuple[int, int] = (64, 64)) -> NDArray[np.uint8]:
    return np.broadcast_to(np.uint8(colour), (*shape, 3)).copy()


def rows(shown: NDArray[np.uint8]) -> int:
    """Rows with some of the mesh."""
    return int((shown[..., 3] > 128).any(axis=1).sum())


def pixels(shown: NDArray[np.uint8], colour: tuple[int, int, int]) -> NDArray[np.bool_]:
    near = np.abs(shown[..., :3].astype(int) - colour).max(axis=2) < 60
    return near & (shown[..., 3] == 255)


def test_level_ground_has_the_colours_of_the_texture_and_nothing_around() -> None:
    shown = picture(np.zeros((64, 64), np.float32), plain(GREY))
    inside = shown[shown[..., 3] == 255]
    assert np.abs(inside[:, :3].astype(int) - 128).max() <= 1
    assert len(inside) > 0.2 * shown[..., 0].size
    corners = shown[[0, 0, -1, -1], [0, -1, 0, -1], 3]
    assert (corners == 0).all()


def test_north_is_at_the_back_and_east_at_the_right() -> None:
    albedo = plain(GREY)
    albedo[:8], albedo[-8:] = RED, BLUE
    shown = picture(np.zeros((64, 64), np.float32), albedo)
    north, south = (np.argwhere(pixels(shown, colour)).mean(axis=0) for colour in (RED, BLUE))
    assert north[0] < south[0]
    albedo = plain(GREY)
    albedo[:, :8], albedo[:, -8:] = RED, BLUE
    shown = picture(np.zeros((64, 64), np.float32), albedo)
    west, east = (np.argwhere(pixels(shown, colour)).mean(axis=0) for colour in (RED, BLUE))
    assert west[1] < east[1]


def test_a_wall_hides_what_is_behind_it() -> None:
    albedo = plain(GREY)
    albedo[:16] = RED
    flat = np.zeros((64, 64), np.float32)
    wall = flat.copy()
    wall[30:33] = 1200
    # The view is turned, so some of it is seen beside the end of the wall.
    assert pixels(picture(wall, albedo), RED).sum() < 0.3 * pixels(picture(flat, albedo), RED).sum()


def test_exaggeration_makes_it_higher() -> None:
    mound = np.zeros((64, 64), np.float32)
    mound[24:40, 24:40] = 300
    low, high = picture(mound, plain(GREY)), picture(mound, plain(GREY), exaggeration=4)
    # It fills the picture in its width or in its height.
    assert (low[..., 3] > 128).any(axis=0).sum() > (high[..., 3] > 128).any(axis=0).sum()
    assert rows(high) >= SIZE[0] - 8


def test_slopes_towards_the_sun_are_brighter() -> None:
    rise = np.broadcast_to(np.linspace(0, 600, 64, dtype=np.float32), (64, 64)).copy()
    west, east = (picture(rise, plain(GREY), sun=Sun(azimuth)) for azimuth in (270.0, 90.0))

    def brightness(shown: NDArray[np.uint8]) -> float:
        return float(shown[shown[..., 3] == 255][:, 0].mean())

    assert brightness(west) > 128 > brightness(east)


@pytest.mark.parametrize("shape", [(32, 32), (32, 600), (600, 32)])
@pytest.mark.parametrize("height_m", [0.0, -8000.0, 9000.0])
def test_any_shape_and_height_gives_a_picture(shape: tuple[int, int], height_m: float) -> None:
    height = np.zeros(shape, np.float32)
    height[:8, :8] = height_m
    shown = picture(height, plain(GREY, shape))
    assert shown.shape == (*SIZE, 4)
    assert (shown[..., 3] > 128).any()
