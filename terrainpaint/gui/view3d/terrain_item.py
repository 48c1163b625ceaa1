"""Draws a scene with OpenGL. Importing this module loads pyqtgraph, so import it only to create a view."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from OpenGL import GL
from pyqtgraph.opengl.GLGraphicsItem import GLGraphicsItem

from terrainpaint.gui.view3d import block_mesh, shaders
from terrainpaint.gui.view3d.daylight import Daylight, haze_density
from terrainpaint.gui.view3d.fine_patches import FineLayer
from terrainpaint.gui.view3d.graphics import Mesh, Program, Texture, can_sharpen
from terrainpaint.gui.view3d.patch_item import WATER_OFFSETS, PatchesOnCard
from terrainpaint.gui.view3d.relief import Relief, sunlit
from terrainpaint.gui.view3d.scene import SHADOW_MARGIN, Frame, Scene

PICTURE_GRID, GRID, RESTING_GRID, MOVING_GRID = 1024, 512, 256, 128
"""Vertices along the longest side of the map: of pictures that are saved, and on the screen. Software OpenGL, whose
frames block the window, draws the third, and the fourth while something moves."""

_PATCH_GRIDS = {PICTURE_GRID: 129, GRID: 65, RESTING_GRID: 65, MOVING_GRID: 17}
"""Vertices along the side of a patch of fine land, for each of these grids."""

_HEIGHTS, _PICTURE, _SUNLIT = 0, 1, 2  # texture units
_SHADOW_STRENGTH = 0.34
_EARTH, _DEEP_EARTH = (0.66, 0.54, 0.43), (0.42, 0.33, 0.26)
_SEA, _DEEP_SEA = (0.20, 0.47, 0.58), (0.08, 0.24, 0.38)


@dataclass(frozen=True)
class _Block:
    """The meshes of a block; all of them have the same vertices on its upper edge."""

    surface: Mesh
    walls: Mesh
    lid: Mesh

    @classmethod
    def over(cls, rows: int, cols: int) -> _Block:
        return cls(
            Mesh(*block_mesh.grid(rows, cols), (2,)),
            Mesh(*block_mesh.walls(rows, cols), (2, 3)),
            Mesh(*block_mesh.lid(rows, cols), (2,)),
        )

    def delete(self) -> None:
        for mesh in (self.surface, self.walls, self.lid):
            mesh.delete()


class _OnCard:
    """The data of one relief on the graphics card."""

    def __init__(self, relief: Relief, is_software: bool) -> None:
        self.relief = relief
        relief.height.take_dirty(), relief.texture.take_dirty()
        self.heights, self.picture = Texture(relief.height.cells), Texture(relief.texture.cells)
        if not is_software and can_sharpen():
            self.picture.sharpen()
        self.sunlit: Texture | None = None
        self.sunlit_for: tuple[float, ...] = ()
        self._blocks: dict[int, _Block] = {}

    def block(self, most: int) -> _Block:
        """The meshes with at most `most` vertices along the longest side."""
        if most not in self._blocks:
            self._blocks[most] = _Block.over(*block_mesh.grid_shape(self.relief.shape, most))
        return self._blocks[most]

    def refresh(self, scene: Scene) -> None:
        """Upload changed cells, and recompute the shadows when heights or sun changed."""
        changed = self.relief.height.take_dirty()
        if changed is not None:
            self.heights.upload(self.relief.height.cells, changed)
        repainted = self.relief.texture.take_dirty()
        if repainted is not None:
            self.picture.upload(self.relief.texture.cells, repainted)
        view = scene.view
        wanted = (view.sun_azimuth_deg, view.sun_elevation_deg, view.exaggeration)
        if changed is not None or wanted != self.sunlit_for:
            cell_m = self.relief.pixel_size_m * self.relief.height.factor
            self._show_sunlit(sunlit(self.relief.height.cells, cell_m, *wanted))
            self.sunlit_for = wanted

    def _show_sunlit(self, cells: NDArray[np.uint8]) -> None:
        if self.sunlit is not None:
            self.sunlit.delete()
        self.sunlit = Texture(cells)

    def bind(self) -> None:
        """Bind the textures to their units."""
        self.heights.bind(_HEIGHTS)
        self.picture.bind(_PICTURE)
        if self.sunlit is not None:
            self.sunlit.bind(_SUNLIT)

    def delete(self) -> None:
        """Free everything in the driver."""
        parts: list[Texture | _Block | None] = [self.heights, self.picture, self.sunlit, *self._blocks.values()]
        for part in parts:
            if part is not None:
                part.delete()


class TerrainItem(GLGraphicsItem):  # type: ignore[misc]  # pyqtgraph has no types
    """Draws a `Scene`, sky included. The view sets `grid` to one of the grids."""

    def __init__(self, scene: Scene, is_software: bool) -> None:
        super().__init__()
        self.grid = RESTING_GRID if is_software else GRID
        self._scene, self._is_software = scene, is_software
        self._programs: dict[str, Program] = {}
        self._meshes: dict[str, Mesh] = {}
        self._on_card: _OnCard | None = None
        self._other: _OnCard | None = None
        self._patches = PatchesOnCard()

    def initializeGL(self) -> None:
        """Create programs and meshes in the current context. Raises DeviceError when the driver rejects them."""
        self._programs = {
            "sky": Program(shaders.SKY_VERTEX, shaders.SKY_FRAGMENT),
            "ground": Program(shaders.GROUND_VERTEX, shaders.GROUND_FRAGMENT),
            "surface": Program(shaders.SURFACE_VERTEX, shaders.SURFACE_FRAGMENT),
            "wall": Program(shaders.WALL_VERTEX, shaders.WALL_FRAGMENT),
            "patch": Program(shaders.PATCH_VERTEX, shaders.PATCH_FRAGMENT),
            "water": Program(shaders.WATER_VERTEX, shaders.WATER_FRAGMENT),
            "pin": Program(shaders.PIN_VERTEX, shaders.PIN_FRAGMENT),
        }
        self._meshes = {"quad": Mesh(*block_mesh.quad(), (2,)), "pin": Mesh(*block_mesh.pin(), (3, 3))}

    def release(self) -> None:
        """Free everything in the driver before the context is destroyed; `initializeGL` creates it again."""
        parts: list[Program | Mesh] = [*self._programs.values(), *self._meshes.values()]
        for part in parts:
            part.delete()
        if self._on_card is not None:
            self._on_card.delete()
        self._programs, self._meshes, self._on_card = {}, {}, None
        self._patches.delete()
        self.forget_other()

    def forget_other(self) -> None:
        """Free the relief of a picture in the driver, when it was not that of the screen."""
        if self._other is not None:
            self._other.delete()
        self._other = None

    def paint(self) -> None:
        """Called by pyqtgraph. It would print exceptions and continue, so they are passed to the view."""
        view = self.view()
        try:
            self.draw(self._scene, Frame(view.aspect, line_px=view.devicePixelRatioF()))
        except Exception as error:  # a driver can fail in any call
            view.fail(error)

    def draw(self, scene: Scene, frame: Frame) -> None:
        """Draw a part of a picture of a scene through its camera."""
        GL.glDisable(GL.GL_CULL_FACE)
        GL.glDisable(GL.GL_BLEND)
        GL.glEnable(GL.GL_DEPTH_TEST)
        GL.glBlendFuncSeparate(GL.GL_SRC_ALPHA, GL.GL_ONE_MINUS_SRC_ALPHA, GL.GL_ONE, GL.GL_ONE_MINUS_SRC_ALPHA)
        daylight = Daylight.at(scene.view.sun_elevation_deg)
        if scene.relief is None:
            self._draw_background(scene, frame, daylight)
        else:
            on_card = self._current(scene.relief)
            on_card.refresh(scene)
            self._patches.refresh(self._fine(scene))
            on_card.bind()
            self._draw_block(on_card, scene, frame, daylight)
        GL.glDisable(GL.GL_DEPTH_TEST)
        GL.glUseProgram(0)
        GL.glActiveTexture(GL.GL_TEXTURE0)

    def _fine(self, scene: Scene) -> tuple[FineLayer, ...]:
        """The finer land that is drawn: software OpenGL leaves it out while something moves."""
        return () if self._is_software and self.grid == MOVING_GRID else scene.fine

    def _current(self, relief: Relief) -> _OnCard:
        if relief is not self._scene.relief:
            if self._other is None or self._other.relief is not relief:
                self.forget_other()
                self._other = _OnCard(relief, self._is_software)
            return self._other
        if self._on_card is None or self._on_card.relief is not relief:
            if self._on_card is not None:
                self._on_card.delete()
            self._on_card = _OnCard(relief, self._is_software)
        return self._on_card

    def _draw_background(self, scene: Scene, frame: Frame, daylight: Daylight) -> None:
        """Draw behind everything that has been drawn."""
        if not frame.has_background:
            return
        GL.glDepthFunc(GL.GL_LEQUAL)  # it is as far as the empty depth buffer
        ahead, right, upward = scene.camera.picture_axes(frame.aspect)
        self._programs["sky"].use(
            **_air(scene, daylight),
            part=frame.part,
            ahead=ahead,
            right=right,
            upward=upward,
            plain=float(not scene.has_sky),
            top=scene.sky_top,
            bottom=scene.sky_bottom,
        )
        self._meshes["quad"].draw()
        GL.glDepthFunc(GL.GL_LESS)

    def _draw_block(self, on_card: _OnCard, scene: Scene, frame: Frame, daylight: Daylight) -> None:
        view_projection = frame.crop @ scene.projection(frame.aspect) @ scene.camera.view_matrix()
        eye = scene.camera.eye
        down, across = on_card.relief.height.reach
        picture_down, picture_across = on_card.relief.texture.reach
        half, lift = on_card.relief.half, scene.lift
        land: dict[str, Any] = {
            "view_projection": view_projection,
            "heights": _HEIGHTS,
            "first": (0.0, 0.0),
            "reach": (across, down),
            "half_size": half,
            "lift": lift,
        }
        light: dict[str, Any] = {"sun": scene.sun, "sun_colour": daylight.sun, "sky_colour": daylight.sky}
        # Without a sky behind it, haze would be a grey veil.
        density = haze_density(float(eye[2]) - scene.base) if scene.has_sky and frame.has_background else 0.0
        haze: dict[str, Any] = {
            **_air(scene, daylight), "eye": eye, "haze": density, "haze_start": scene.distances[0],
        }  # fmt: skip

        fine = self._fine(scene)
        uncovered = self._patches.cover(fine[0] if fine else None)
        block = on_card.block(self.grid)
        rows, cols = block_mesh.grid_shape(on_card.relief.shape, GRID)
        self._programs["surface"].use(
            **uncovered,
            **land,
            **light,
            **haze,
            picture=_PICTURE,
            sunlit=_SUNLIT,
            picture_reach=(picture_across, picture_down),
            lines=(float(cols - 1), float(rows - 1)),
            line_px=frame.line_px,
            wireframe=float(scene.wireframe),
        )
        block.surface.draw()
        if fine:
            self._patches.draw(
                self._programs["patch"], fine, on_card.relief.shape, _PATCH_GRIDS[self.grid],
                block_mesh.grid_shape(on_card.relief.shape, self.grid),
                ((across, down), (picture_across, picture_down)), (on_card.heights, on_card.picture),
                {**land, **light, **haze, "sunlit": _SUNLIT, "wireframe": float(scene.wireframe)},
            )  # fmt: skip
        wall = self._programs["wall"]
        wall.use(
            **land,
            **light,
            **haze,
            base=scene.base,
            of_water=0.0,
            upper_colour=_EARTH,
            lower_colour=_DEEP_EARTH,
            fading=9.0,
            opacity=1.0,
        )
        block.walls.draw()
        self._draw_background(scene, frame, daylight)
        GL.glEnable(GL.GL_BLEND)
        GL.glDepthMask(GL.GL_FALSE)
        self._programs["ground"].use(
            view_projection=view_projection,
            half_size=half,
            base=scene.base,
            margin=SHADOW_MARGIN,
            strength=_SHADOW_STRENGTH,
        )
        self._meshes["quad"].draw()
        GL.glDepthMask(GL.GL_TRUE)
        GL.glDisable(GL.GL_BLEND)
        self._draw_pin(scene, view_projection)

        water = scene.water
        if water is None:
            return
        GL.glEnable(GL.GL_BLEND)
        # From afar the depth buffer cannot separate shallow water from the ground below. Water of fine land lies a
        # little deeper: where both are drawn along a border, only the first stays, as twice it would be a dark line.
        GL.glEnable(GL.GL_POLYGON_OFFSET_FILL)
        GL.glPolygonOffset(-1.0, WATER_OFFSETS[0])
        lid = self._programs["water"]
        lid.use(
            **land, **light, **haze, **self._patches.cover(fine[0] if fine else None), sunlit=_SUNLIT,
            sunlit_reach=(across, down), water=water, deep=scene.clear_depth,
            patch_first=(0.0, 0.0), patch_size=(1.0, 1.0),
        )  # fmt: skip
        block.lid.draw()
        self._patches.draw_water(lid, self._meshes["quad"], fine, on_card.relief.shape)
        GL.glDepthMask(GL.GL_FALSE)
        wall.use(
            water=water,
            of_water=1.0,
            upper_colour=_SEA,
            lower_colour=_DEEP_SEA,
            fading=25.0,
            opacity=0.8,
        )
        block.walls.draw()
        GL.glDisable(GL.GL_POLYGON_OFFSET_FILL)
        GL.glDepthMask(GL.GL_TRUE)
        GL.glDisable(GL.GL_BLEND)

    def _draw_pin(self, scene: Scene, view_projection: NDArray[np.float64]) -> None:
        if scene.marker is None:
            return
        tip = scene.point_of(*scene.marker)
        towards_eye = scene.camera.eye - tip
        distance = float(np.linalg.norm(towards_eye))
        self._programs["pin"].use(
            view_projection=view_projection,
            tip=tip,
            size=scene.pin_size * distance,
            towards_eye=towards_eye / max(distance, 1e-9),
        )
        self._meshes["pin"].draw()


def _air(scene: Scene, daylight: Daylight) -> dict[str, Any]:
    return {
        "sun_direction": scene.sun,
        "zenith": daylight.zenith,
        "horizon": daylight.horizon,
        "far_horizon": daylight.far_horizon,
        "nadir": daylight.nadir,
    }
