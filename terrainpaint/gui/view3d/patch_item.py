"""Draws the fine land of a scene with OpenGL.

Importing this module loads OpenGL, so import it only to create a view.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from OpenGL import GL

from terrainpaint.core.rects import Rect
from terrainpaint.gui.view3d import block_mesh
from terrainpaint.gui.view3d.fine_patches import FineLayer, FinePatch, Joint
from terrainpaint.gui.view3d.graphics import Mesh, Program, Texture

_FINE, _FINE_PICTURE, _BELOW, _BELOW_PICTURE, _WEIGHT, COVER = 3, 4, 5, 6, 7, 8  # texture units after those of the map
_SKIRT = 0.15  # of the side of a patch
WATER_OFFSETS = -12.0, -8.0, -4.0
"""Steps of the depth buffer by which water is nearer than it is: of the map, and of its fine land, coarse to fine."""

Pair = tuple[float, float]


class PatchesOnCard:
    """The data of fine land on the graphics card: kept as long as a scene has it."""

    def __init__(self) -> None:
        self._patches: dict[FinePatch, tuple[Texture, Texture]] = {}
        self._joints: dict[Joint, tuple[Texture, Texture]] = {}
        self._meshes: dict[int, Mesh] = {}

    def refresh(self, layers: tuple[FineLayer, ...]) -> None:
        """Upload what is new, and free what is no longer there."""
        patches = {patch for layer in layers for patch in layer.patches}
        for gone in self._patches.keys() - patches:
            _delete(self._patches.pop(gone))
        for patch in patches - self._patches.keys():
            self._patches[patch] = Texture(patch.height), Texture(patch.picture)
        joints = {layer.joint for layer in layers}
        for old in self._joints.keys() - joints:
            _delete(self._joints.pop(old))
        for joint in joints - self._joints.keys():
            self._joints[joint] = Texture(joint.weight), Texture(joint.cover)

    def cover(self, above: FineLayer | None) -> dict[str, Any]:
        """The uniforms of what lies under a layer and is not drawn where that has patches."""
        if above is None:
            return {"has_cover": 0.0, "cover": COVER}
        self._joints[above.joint][1].bind(COVER)
        return {"has_cover": 1.0, "cover": COVER, "cover_tiles": above.joint.tiles}

    def draw(
        self,
        program: Program,
        layers: tuple[FineLayer, ...],
        shape: tuple[int, int],
        side: int,
        map_mesh: tuple[int, int],
        reaches: tuple[Pair, Pair],
        map_textures: tuple[Texture, Texture],
        uniforms: Mapping[str, Any],
    ) -> None:
        """Draw all patches, with `side` vertices along a side. `map_mesh` (rows, cols) of the map (H, W); `reaches` and
        `map_textures` are those of its heights and its picture."""
        mesh = self._mesh(side)
        program.use(
            **uniforms,
            fine=_FINE,
            fine_picture=_FINE_PICTURE,
            below=_BELOW,
            below_picture=_BELOW_PICTURE,
            weight=_WEIGHT,
        )
        for layer, above in _with_above(layers):
            program.use(**self.cover(above), weight_scale=layer.joint.scale, weight_offset=layer.joint.offset)
            self._joints[layer.joint][0].bind(_WEIGHT)
            for patch, below in zip(layer.patches, layer.below, strict=True):
                if below is None:
                    textures, mesh_cells = map_textures, (map_mesh[1] - 1.0, map_mesh[0] - 1.0)
                    under = {
                        "below_first": (0.0, 0.0), "below_reach": reaches[0], "below_picture_reach": reaches[1],
                        "mesh_first": (0.0, 0.0), "mesh_size": (1.0, 1.0),
                    }  # fmt: skip
                else:
                    textures, mesh_cells = self._patches[below], (side - 1.0, side - 1.0)
                    first, reach = _span(below.around, shape)
                    mesh_first, mesh_size = _part(below.rect, shape)
                    under = {
                        "below_first": first, "below_reach": reach, "below_picture_reach": reach,
                        "mesh_first": mesh_first, "mesh_size": mesh_size,
                    }  # fmt: skip
                textures[0].bind(_BELOW)
                textures[1].bind(_BELOW_PICTURE)
                self._bind(patch)
                first, size = _part(patch.rect, shape)
                fine_first, fine_reach = _span(patch.around, shape)
                program.use(
                    **under, mesh_cells=mesh_cells, patch_first=first, patch_size=size, fine_first=fine_first,
                    fine_reach=fine_reach, skirt=_SKIRT * max(patch.rect.height, patch.rect.width) / max(shape),
                )  # fmt: skip
                mesh.draw()

    def draw_water(self, program: Program, quad: Mesh, layers: tuple[FineLayer, ...], shape: tuple[int, int]) -> None:
        """Draw the water over all patches with the program of water, which has its other uniforms."""
        for offset, (layer, above) in zip(WATER_OFFSETS[1:], _with_above(layers), strict=False):
            GL.glPolygonOffset(-1.0, offset)
            program.use(**self.cover(above), heights=_FINE)
            for patch in layer.patches:
                self._bind(patch)
                first, size = _part(patch.rect, shape)
                fine_first, fine_reach = _span(patch.around, shape)
                program.use(patch_first=first, patch_size=size, first=fine_first, reach=fine_reach)
                quad.draw()

    def delete(self) -> None:
        """Free everything in the driver."""
        self.refresh(())
        for mesh in self._meshes.values():
            mesh.delete()
        self._meshes = {}

    def _bind(self, patch: FinePatch) -> None:
        height, picture = self._patches[patch]
        height.bind(_FINE)
        picture.bind(_FINE_PICTURE)

    def _mesh(self, side: int) -> Mesh:
        if side not in self._meshes:
            self._meshes[side] = Mesh(*block_mesh.patch(side), (3,))
        return self._meshes[side]


def _with_above(layers: tuple[FineLayer, ...]) -> Iterator[tuple[FineLayer, FineLayer | None]]:
    for number, layer in enumerate(layers, 1):
        yield layer, layers[number] if number < len(layers) else None


def _part(rect: Rect, shape: tuple[int, int]) -> tuple[Pair, Pair]:
    """The first place and the size of a rectangle of a map (H, W), as fractions of the map."""
    return (rect.col / shape[1], rect.row / shape[0]), (rect.width / shape[1], rect.height / shape[0])


def _span(rect: Rect, shape: tuple[int, int]) -> tuple[Pair, Pair]:
    """The first place and the reach of a texture of a rectangle of a map (H, W)."""
    first, size = _part(rect, shape)
    return first, (1 / size[0], 1 / size[1])


def _delete(textures: tuple[Texture, Texture]) -> None:
    for texture in textures:
        texture.delete()
