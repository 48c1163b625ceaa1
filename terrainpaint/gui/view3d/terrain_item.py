"""Draws a scene with OpenGL. Importing this module loads pyqtgraph, so import it only to create a view."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from OpenGL import GL
from pyqtgraph.opengl.GLGraphicsItem import GLGraphicsItem

from terrainpaint.gui.view3d import block_mesh, shaders
from terrainpaint.gui.view3d.graphics import Mesh, Program, Texture, can_sharpen
from terrainpaint.gui.view3d.relief import Relief, sunlit
from terrainpaint.gui.view3d.scene import Scene

GRID, RESTING_GRID, MOVING_GRID = 512, 256, 128
"""Vertices along the longest side of the map. Software OpenGL, whose frames block the window, draws the second, and the
third while something moves."""

_HEIGHTS, _PICTURE, _SUNLIT = 0, 1, 2  # texture units
_PIN_SIZE = 0.045  # of the distance to the eye
_SHADOW_MARGIN, _SHADOW_STRENGTH = 0.14, 0.34
_WATER_DEPTH = 0.012  # at which water hides two thirds of the ground
_EARTH, _DEEP_EARTH = (0.66, 0.54, 0.43), (0.42, 0.33, 0.26)
_SEA, _DEEP_SEA = (0.20, 0.47, 0.58), (0.08, 0.24, 0.38)


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
        self.grids: dict[int, tuple[Mesh, tuple[int, int]]] = {}
        for most in (GRID, RESTING_GRID, MOVING_GRID):
            shape = block_mesh.grid_shape(relief.shape, most)
            self.grids[most] = (Mesh(*block_mesh.grid(*shape), (2,)), shape)
        self.walls = Mesh(*block_mesh.walls(*self.grids[GRID][1]), (2, 3))

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
        grids = [grid for grid, _ in self.grids.values()]
        parts: list[Texture | Mesh | None] = [self.heights, self.picture, self.sunlit, self.walls, *grids]
        for part in parts:
            if part is not None:
                part.delete()


class TerrainItem(GLGraphicsItem):  # type: ignore[misc]  # pyqtgraph has no types
    """Draws a `Scene`, sky included. The view sets `grid` to GRID, RESTING_GRID or MOVING_GRID."""

    def __init__(self, scene: Scene, is_software: bool) -> None:
        super().__init__()
        self.grid = RESTING_GRID if is_software else GRID
        self._scene, self._is_software = scene, is_software
        self._programs: dict[str, Program] = {}
        self._meshes: dict[str, Mesh] = {}
        self._on_card: _OnCard | None = None

    def initializeGL(self) -> None:
        """Create programs and meshes in the current context. Raises DeviceError when the driver rejects them."""
        self._programs = {
            "sky": Program(shaders.SKY_VERTEX, shaders.SKY_FRAGMENT),
            "ground": Program(shaders.GROUND_VERTEX, shaders.GROUND_FRAGMENT),
            "surface": Program(shaders.SURFACE_VERTEX, shaders.SURFACE_FRAGMENT),
            "wall": Program(shaders.WALL_VERTEX, shaders.WALL_FRAGMENT),
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

    def paint(self) -> None:
        """Called by pyqtgraph. It would print exceptions and continue, so they are passed to the view."""
        view = self.view()
        try:
            self.draw(view.aspect)
        except Exception as error:  # a driver can fail in any call
            view.fail(error)

    def draw(self, aspect: float) -> None:
        """Draw the scene through its camera; `aspect` is width over height of the picture."""
        scene = self._scene
        GL.glDisable(GL.GL_CULL_FACE)
        GL.glDisable(GL.GL_DEPTH_TEST)
        GL.glDisable(GL.GL_BLEND)
        GL.glBlendFuncSeparate(GL.GL_SRC_ALPHA, GL.GL_ONE_MINUS_SRC_ALPHA, GL.GL_ONE, GL.GL_ONE_MINUS_SRC_ALPHA)
        self._programs["sky"].use(top=scene.sky_top, bottom=scene.sky_bottom)
        self._meshes["quad"].draw()
        if scene.relief is not None:
            on_card = self._current(scene.relief)
            on_card.refresh(scene)
            on_card.bind()
            self._draw_block(on_card, scene.projection(aspect) @ scene.camera.view_matrix())
        GL.glUseProgram(0)
        GL.glActiveTexture(GL.GL_TEXTURE0)

    def _current(self, relief: Relief) -> _OnCard:
        if self._on_card is None or self._on_card.relief is not relief:
            if self._on_card is not None:
                self._on_card.delete()
            self._on_card = _OnCard(relief, self._is_software)
        return self._on_card

    def _draw_block(self, on_card: _OnCard, view_projection: NDArray[np.float64]) -> None:
        scene = self._scene
        eye = scene.camera.eye
        down, across = on_card.relief.height.reach
        picture_down, picture_across = on_card.relief.texture.reach
        half, lift = on_card.relief.half, scene.lift
        land: dict[str, Any] = {
            "view_projection": view_projection,
            "heights": _HEIGHTS,
            "reach": (across, down),
            "half_size": half,
            "lift": lift,
        }
        light: dict[str, Any] = {"sun": scene.sun, **_daylight(scene.view.sun_elevation_deg)}

        GL.glEnable(GL.GL_DEPTH_TEST)
        GL.glEnable(GL.GL_BLEND)
        GL.glDepthMask(GL.GL_FALSE)
        self._programs["ground"].use(
            view_projection=view_projection,
            half_size=half,
            base=scene.base,
            margin=_SHADOW_MARGIN,
            strength=_SHADOW_STRENGTH,
        )
        self._meshes["quad"].draw()
        GL.glDepthMask(GL.GL_TRUE)
        GL.glDisable(GL.GL_BLEND)

        grid = on_card.grids[self.grid][0]
        rows, cols = on_card.grids[GRID][1]
        self._programs["surface"].use(
            **land,
            **light,
            picture=_PICTURE,
            sunlit=_SUNLIT,
            picture_reach=(picture_across, picture_down),
            lines=(float(cols - 1), float(rows - 1)),
            wireframe=float(scene.wireframe),
        )
        grid.draw()
        wall = self._programs["wall"]
        wall.use(
            **land,
            **light,
            eye=eye,
            base=scene.base,
            of_water=0.0,
            upper_colour=_EARTH,
            lower_colour=_DEEP_EARTH,
            fading=9.0,
            opacity=1.0,
        )
        on_card.walls.draw()
        self._draw_pin(view_projection)

        water = scene.water
        if water is None:
            return
        GL.glEnable(GL.GL_BLEND)
        GL.glDepthMask(GL.GL_FALSE)
        # From afar the depth buffer cannot separate shallow water from the ground below.
        GL.glEnable(GL.GL_POLYGON_OFFSET_FILL)
        GL.glPolygonOffset(-1.0, -4.0)
        self._programs["water"].use(**land, **light, sunlit=_SUNLIT, eye=eye, water=water, deep=_WATER_DEPTH)
        self._meshes["quad"].draw()
        wall.use(water=water, of_water=1.0, upper_colour=_SEA, lower_colour=_DEEP_SEA, fading=25.0, opacity=0.8)
        on_card.walls.draw()
        GL.glDisable(GL.GL_POLYGON_OFFSET_FILL)
        GL.glDepthMask(GL.GL_TRUE)
        GL.glDisable(GL.GL_BLEND)

    def _draw_pin(self, view_projection: NDArray[np.float64]) -> None:
        scene = self._scene
        if scene.marker is None:
            return
        tip = scene.point_of(*scene.marker)
        towards_eye = scene.camera.eye - tip
        distance = float(np.linalg.norm(towards_eye))
        self._programs["pin"].use(
            view_projection=view_projection,
            tip=tip,
            size=_PIN_SIZE * distance,
            towards_eye=towards_eye / max(distance, 1e-9),
        )
        self._meshes["pin"].draw()


def _daylight(sun_elevation_deg: float) -> dict[str, NDArray[np.float64]]:
    """Colours of sun and sky: near the horizon the sun is red, and most light comes from the sky."""
    high = float(np.clip(sun_elevation_deg / 35, 0, 1)) ** 0.7
    warm, white = np.array([1.50, 0.95, 0.52]), np.array([1.34, 1.26, 1.12])
    dusk, day = np.array([0.26, 0.28, 0.40]), np.array([0.27, 0.33, 0.43])
    return {"sun_colour": warm + (white - warm) * high, "sky_colour": dusk + (day - dusk) * high}
