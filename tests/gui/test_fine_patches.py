"""Patches of fine land in the 3D view: where they lie, and how they join the land around them."""

from __future__ import annotations

import numpy as np
import pytest

from terrainpaint.core.rects import Rect
from terrainpaint.generation.detail_tiles import TilePlace, places
from terrainpaint.gui.view3d import block_mesh
from terrainpaint.gui.view3d.fine_patches import FineLayer, FinePatch, Joint, layers, needed_rects
from terrainpaint.gui.view3d.near_land import near_rect
from terrainpaint.gui.view3d.orbit_camera import OrbitCamera
from terrainpaint.gui.view3d.relief import Relief
from terrainpaint.gui.view3d.scene import Scene

SHAPE = (300, 400)


def patch(place: TilePlace) -> FinePatch:
    rect = place.rect.clipped(SHAPE)
    around = rect.grown(2).clipped(SHAPE)
    size = around.height * place.factor, around.width * place.factor
    return FinePatch(place, rect, around, np.zeros(size, np.float32), np.zeros((*size, 3), np.uint8))


def built(*places: TilePlace) -> tuple[FineLayer, ...]:
    return layers({place: patch(place) for place in places}, SHAPE)


def weight_at(joint: Joint, row: float, col: float) -> float:
    """As the graphics card reads it: bilinear, in texture coordinates."""
    height, width = joint.weight.shape
    across, down = (
        (place / SHAPE[axis] * joint.scale[1 - axis] + joint.offset[1 - axis]) * size - 0.5
        for place, axis, size in ((col, 1, width), (row, 0, height))
    )
    left, top = int(np.clip(np.floor(across), 0, width - 2)), int(np.clip(np.floor(down), 0, height - 2))
    x, y = np.clip(across - left, 0, 1), np.clip(down - top, 0, 1)
    near = joint.weight[top : top + 2, left : left + 2]
    return float(near[0] @ (1 - x, x) * (1 - y) + near[1] @ (1 - x, x) * y)


def test_fine_land_counts_inside_and_not_at_the_border_of_all_patches() -> None:
    (layer,) = built(*(TilePlace(4, row, col) for row in (1, 2) for col in (2, 3)))
    joint = layer.joint
    area = Rect(64, 128, 128, 128)
    for along in np.linspace(0, 128, 41):
        for row, col in ((64, 128 + along), (192, 128 + along), (64 + along, 128), (64 + along, 256)):
            assert weight_at(joint, row, col) == pytest.approx(0, abs=1e-6)
    assert weight_at(joint, 128, 192) == 1, "patches next to each other join inside"
    assert weight_at(joint, 70, 192) < 0.2 < weight_at(joint, 84, 192)
    covered = np.argwhere(joint.cover)
    assert {tuple(cell) for cell in covered} == {(1, 2), (1, 3), (2, 2), (2, 3)}
    assert joint.tiles == (400 / 64, 300 / 64) and area.area == 4 * 64 * 64


def test_a_missing_patch_at_a_corner_is_a_border_too() -> None:
    (layer,) = built(*(TilePlace(4, row, col) for row, col in ((1, 1), (1, 2), (2, 1))))
    for along in np.linspace(0, 64, 21):
        assert weight_at(layer.joint, 128, 128 + along) == pytest.approx(0, abs=1e-6)
        assert weight_at(layer.joint, 128 + along, 128) == pytest.approx(0, abs=1e-6)
    assert weight_at(layer.joint, 96, 128) == pytest.approx(1)


def test_at_the_border_of_the_map_the_land_is_that_of_the_map() -> None:
    (layer,) = built(*(TilePlace(4, row, col) for row in (3, 4) for col in (5, 6)))
    for along in np.linspace(192, 300, 31):
        assert weight_at(layer.joint, along, 400) == pytest.approx(0, abs=1e-6)
    for along in np.linspace(320, 400, 31):
        assert weight_at(layer.joint, 300, along) == pytest.approx(0, abs=1e-6)


def test_finer_patches_lie_where_the_coarser_ones_count_fully() -> None:
    coarse = [TilePlace(4, row, col) for row in (0, 1, 2) for col in (1, 2, 3)]
    inside, across, outside = TilePlace(16, 6, 10), TilePlace(16, 4, 10), TilePlace(16, 1, 10)
    first, second = built(*coarse, inside, across, outside)
    assert {patch.place for patch in first.patches} == set(coarse) and set(first.below) == {None}
    assert [patch.place for patch in second.patches] == [inside, across], "the last one is too near the border"
    below = second.below[0]
    assert below is not None and below.rect.intersection(inside.rect) == inside.rect
    assert built(inside) == (), "without land of its own scale below"


@pytest.mark.parametrize("near", [Rect(140, 190, 30, 24), Rect(150, 200, 1, 1), Rect(100, 130, 90, 77)])
def test_all_that_is_near_is_shown_finest(near: Rect) -> None:
    needed = needed_rects({4: near, 16: near}, SHAPE)
    found = layers({place: patch(place) for factor in (4, 16) for place in places(needed[factor], factor)}, SHAPE)
    assert len(found) == 2
    for row in np.linspace(near.row, near.bottom, 12):
        for col in np.linspace(near.col, near.right, 12):
            assert found[1].patch_at(min(row, near.bottom - 0.1), min(col, near.right - 0.1)) is not None
            assert weight_at(found[0].joint, row, col) == pytest.approx(1, abs=0.01)
            assert weight_at(found[1].joint, row, col) == pytest.approx(1, abs=0.01)
    far = needed_rects({4: near, 16: Rect(0, 0, 0, 0)}, SHAPE)
    assert far[16].is_empty and far[4].intersection(near) == near


@pytest.mark.parametrize("side", [2, 5, 17])
def test_a_patch_has_a_skirt_below_its_border(side: int) -> None:
    vertices, triangles = block_mesh.patch(side)
    assert triangles.max() == len(vertices) - 1 and len(vertices) == side * side + 4 * (side - 1)
    skirt = vertices[vertices[:, 2] == 1]
    assert ((skirt[:, :2] == 0) | (skirt[:, :2] == 1)).any(axis=1).all()
    assert len(triangles) == 3 * (2 * (side - 1) ** 2 + 2 * 4 * (side - 1))
    uses = np.bincount(triangles, minlength=len(vertices))
    assert (uses > 0).all()


def test_what_is_near_the_camera_is_wanted() -> None:
    scene = Scene(Relief(np.zeros((*SHAPE, 3), np.uint8), np.zeros(SHAPE, np.float32), 2000.0))
    scene.camera = OrbitCamera((0.1, 0.05, 0.0), 180.0, 35.0, 0.1)
    rect = near_rect(scene, 1.5, 800, 1.5, 64)
    row, col = scene.relief.cell_of(0.1, 0.05) if scene.relief else (0, 0)
    assert rect.contains(row, col) and rect.clipped(SHAPE) == rect
    nearer = near_rect(scene, 1.5, 800, 12.0, 16)
    assert not nearer.is_empty and nearer.area < rect.area
    scene.camera = OrbitCamera((0.0, 0.0, 0.0), 180.0, 35.0, 4.0)
    assert near_rect(scene, 1.5, 800, 1.5, 64).is_empty
