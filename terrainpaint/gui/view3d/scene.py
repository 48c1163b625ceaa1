"""The state of the 3D view: terrain, light, water and camera."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.project import ViewSettings
from terrainpaint.gui.view3d.fine_patches import FineLayer
from terrainpaint.gui.view3d.orbit_camera import OrbitCamera, perspective, units_per_pixel
from terrainpaint.gui.view3d.relief import Relief

Floats = NDArray[np.float64]
Colour = tuple[float, float, float]

_THICKNESS = 0.035  # of the block below its lowest point
_CLEARANCE = 0.004  # of the eye above the ground
_NEAREST, _FARTHEST = 0.01, 8.0
"""Of the eye from its target. Where land can be shown finer, the eye may come nearer, also to the ground."""
PIN_SIZE = 0.045
"""Of the pin in a picture; in a low view it is larger."""
SHADOW_MARGIN = 0.14
"""Of the shadow under the block, around it."""
_PIN_HALF_WIDTH = 0.3  # of its height, with a margin for the pointer
_FILM = 5.0  # units of height: generated seas lie within so many metres of the weights above their level
_MURKY = 0.012
_CLEAR_M = 3500.0
"""Where the floor of the sea is shown, it is seen down to the depths of oceans, which no water is clear enough for."""
_HOME_AZIMUTH_DEG, _HOME_ELEVATION_DEG = 205.0, 34.0
_HOME_FILL, _TRIES = 0.93, 8


@dataclass(frozen=True)
class Frame:
    """Which part of a picture is drawn, and how.

    `aspect` is width over height of the whole picture. `part` is (left, bottom, right, top) of what is drawn of it,
    -1..1 from its middle. `line_px` is the width of lines in pixels. Without its background the picture is transparent
    there.
    """

    aspect: float
    part: tuple[float, float, float, float] = (-1.0, -1.0, 1.0, 1.0)
    line_px: float = 1.0
    has_background: bool = True

    @property
    def crop(self) -> Floats:
        """(4, 4): clip space of the whole picture → that of the part."""
        left, bottom, right, top = self.part
        matrix = np.eye(4)
        matrix[0, 0], matrix[0, 3] = 2 / (right - left), -(right + left) / (right - left)
        matrix[1, 1], matrix[1, 3] = 2 / (top - bottom), -(top + bottom) / (top - bottom)
        return matrix


@dataclass
class Scene:
    """State of a 3D view. Lengths are in units of the longest side of the map unless they end in `_m`; z is up."""

    relief: Relief | None = None
    view: ViewSettings = ViewSettings()  # noqa: RUF009 - frozen
    wireframe: bool = False
    marker: tuple[int, int] | None = None
    pin_size: float = PIN_SIZE
    """Height of the pin in units of its distance from the eye."""
    has_sky: bool = True
    """Whether there are sky and haze; otherwise a plain background of the next two colours."""
    sky_top: Colour = (0.44, 0.58, 0.73)
    sky_bottom: Colour = (0.86, 0.89, 0.91)
    camera: OrbitCamera = OrbitCamera((0.0, 0.0, 0.0), _HOME_AZIMUTH_DEG, _HOME_ELEVATION_DEG, 2.0)  # noqa: RUF009 - frozen
    finest: int = 1
    """How many times finer than the map its land can be shown."""
    fine: tuple[FineLayer, ...] = ()
    """Finer land near the camera, from coarse to fine."""

    @property
    def lift(self) -> float:
        """Units per metre of height, exaggeration included."""
        return 0.0 if self.relief is None else self.view.exaggeration / self.relief.unit_m

    @property
    def base(self) -> float:
        """z of the underside of the block."""
        if self.relief is None:
            return -_THICKNESS
        return self.relief.low_m * self.lift - _THICKNESS

    @property
    def water(self) -> float | None:
        """z of the water surface, None without water."""
        return None if self.water_surface_m is None else self.water_surface_m * self.lift

    @property
    def water_surface_m(self) -> float | None:
        """Height of the drawn water surface, a little above its level; None without water."""
        if self.view.water_level_m is None:
            return None
        return self.view.water_level_m + _FILM * (self.relief.unit_height_m if self.relief else 1.0)

    @property
    def clear_depth(self) -> float:
        """Depth, in units, at which water hides two thirds of what it can hide of the ground."""
        return _MURKY if not self.view.has_sea_floor else max(_MURKY, _CLEAR_M * self.lift)

    @property
    def top(self) -> float:
        """z of the highest point of terrain or water."""
        high = 0.0 if self.relief is None else self.relief.high_m * self.lift
        return high if self.water is None else max(high, self.water)

    @property
    def sun(self) -> Floats:
        """Unit vector (3,) towards the sun."""
        azimuth, elevation = math.radians(self.view.sun_azimuth_deg), math.radians(self.view.sun_elevation_deg)
        level = math.cos(elevation)
        return np.array([level * math.sin(azimuth), level * math.cos(azimuth), math.sin(elevation)])

    def point_of(self, row: int, col: int) -> Floats:
        """The point (3,) on the ground, or on the water above it, in the middle of a pixel of the map."""
        if self.relief is None:
            return np.zeros(3)
        x, y = self.relief.point_of(row, col)
        ground = self.relief.height_at(x, y) * self.lift
        return np.array([x, y, ground if self.water is None else max(ground, self.water)])

    def intersection(self, across: float, up: float, aspect: float) -> Floats | None:
        """The point (3,) at a place of the picture, both coordinates -1..1 from its middle; None for the sky."""
        if self.relief is None:
            return None
        ray = self.camera.ray(across, up, aspect)
        return self.relief.intersection(self.camera.eye, ray, self.lift, self.base, self.water)

    def cell_at(self, across: float, up: float, aspect: float) -> tuple[int, int] | None:
        """(row, col) of the pixel of the map at a place of the picture, None for the sky."""
        point = self.intersection(across, up, aspect)
        return None if self.relief is None or point is None else self.relief.cell_of(point[0], point[1])

    def is_on_pin(self, across: float, up: float, aspect: float) -> bool:
        """Whether the pin is drawn at a place of the picture, both coordinates -1..1 from its middle."""
        if self.marker is None:
            return False
        tip = self.point_of(*self.marker)
        size = self.pin_size * float(np.linalg.norm(self.camera.eye - tip))
        ends = self.place_of(tip, aspect), self.place_of(tip + np.array([0.0, 0.0, size]), aspect)
        side = self.place_of(tip + _PIN_HALF_WIDTH * size * self.camera.right, aspect)
        if ends[0] is None or ends[1] is None or side is None:
            return False
        (foot_across, foot_up), (_, head_up) = ends[0], ends[1]
        is_beside = abs(across - foot_across) > abs(side[0] - foot_across)
        # Seen from above the pin is as short as it is wide.
        half_width_up = abs(side[0] - foot_across) * aspect
        return not is_beside and foot_up <= up <= max(head_up, foot_up + 2 * half_width_up)

    def place_of(self, point: Floats, aspect: float) -> tuple[float, float] | None:
        """The place of a point (3,) in the picture, both coordinates -1..1 from its middle; None behind the camera."""
        clip = self.projection(aspect) @ self.camera.view_matrix() @ np.append(point, 1.0)
        return None if clip[3] <= 0 else (float(clip[0] / clip[3]), float(clip[1] / clip[3]))

    @property
    def distances(self) -> tuple[float, float]:
        """From the eye to the nearest and the farthest point of the box around the block."""
        half_x, half_y = (0.5, 0.5) if self.relief is None else self.relief.half
        low, high = np.array([-half_x, -half_y, self.base]), np.array([half_x, half_y, self.top])
        eye = self.camera.eye
        nearest = float(np.linalg.norm(np.maximum(np.maximum(low - eye, eye - high), 0)))
        return nearest, float(np.linalg.norm(np.maximum(np.abs(low - eye), np.abs(high - eye))))

    def projection(self, aspect: float) -> Floats:
        """Eye → clip space (4, 4). Its depth fits the block, so that depth separates water from ground at any zoom."""
        nearest, farthest = self.distances
        half_x, half_y = (0.5, 0.5) if self.relief is None else self.relief.half
        # The shadow under the block extends beyond the box, and can be nearer; so does the pin.
        reach = np.array([half_x + SHADOW_MARGIN, half_y + SHADOW_MARGIN, 0.0])
        outside = np.maximum(np.abs(self.camera.eye - (0.0, 0.0, self.base)) - reach, 0)
        near = 0.7 * min(nearest, float(np.linalg.norm(outside)))
        # Not nearer than it must be, because depth has few bits.
        eye = self.camera.eye
        height = float(eye[2]) - self.floor(float(eye[0]), float(eye[1])) + self._clearance
        clearance = min(_CLEARANCE, max(height, self._clearance))
        return perspective(aspect, max(near, 0.3 * clearance), 1.05 * farthest + 0.6)

    def home(self, aspect: float) -> OrbitCamera:
        """A camera that shows the whole block from the south-west and orbits its middle."""
        half_x, half_y = (0.5, 0.5) if self.relief is None else self.relief.half
        corners = np.array(
            [(x, y, z, 1.0) for x in (-half_x, half_x) for y in (-half_y, half_y) for z in (self.base, self.top)]
        )
        camera = OrbitCamera((0.0, 0.0, self.base), _HOME_AZIMUTH_DEG, _HOME_ELEVATION_DEG, 2.5)
        # Perspective enlarges the near corner, so height and distance are iterated.
        for _ in range(_TRIES):
            clip = corners @ (perspective(aspect, 0.01, 10.0) @ camera.view_matrix()).T
            across, up = clip[:, 0] / clip[:, 3], clip[:, 1] / clip[:, 3]
            middle = float(up.max() + up.min()) / 2
            extent = max(float(np.abs(across).max()), float(up.max() - up.min()) / 2) / _HOME_FILL
            lower = middle * units_per_pixel(camera.distance, 2) / math.cos(math.radians(_HOME_ELEVATION_DEG))
            camera = dataclasses.replace(
                camera, target=(0.0, 0.0, camera.target[2] + lower), distance=camera.distance * extent
            )
        return self.kept(camera)

    def kept(self, camera: OrbitCamera) -> OrbitCamera:
        """The camera within limits, with the same target: not too far, near the map, never below the ground."""
        x, y, z = camera.target
        target = (min(max(x, -0.8), 0.8), min(max(y, -0.8), 0.8), min(max(z, self.base - 0.5), self.top + 0.5))
        camera = dataclasses.replace(
            camera, target=target, distance=min(max(camera.distance, _NEAREST / self.finest), _FARTHEST)
        )
        eye = camera.eye
        floor = self.floor(eye[0], eye[1])
        return camera if eye[2] >= floor else camera.with_eye(np.array([eye[0], eye[1], floor]))

    def raised(self, camera: OrbitCamera) -> OrbitCamera:
        """The camera within limits as in `kept`, but with the same direction: for flying."""
        eye = camera.eye
        x, y = (min(max(coordinate, -3.0), 3.0) for coordinate in eye[:2])
        z = min(max(eye[2], self.floor(x, y)), self.top + 3.0)
        return camera.moved(np.array([x, y, z]) - eye)

    def landed(self, camera: OrbitCamera) -> OrbitCamera:
        """From the same eye, with the point in the middle of the picture as target; of the map when that is the sky."""
        ahead = self.intersection(0.0, 0.0, 1.0)
        middle = np.array([0.0, 0.0, (self.base + self.top) / 2])
        x, y, z = (float(coordinate) for coordinate in (middle if ahead is None else ahead))
        return self.kept(dataclasses.replace(camera, target=(x, y, z)).with_eye(camera.eye))

    def floor(self, x: float, y: float) -> float:
        """Lowest z of an eye above a point, which may be outside the map."""
        if self.relief is None:
            return self.base + _CLEARANCE
        half_x, half_y = self.relief.half
        if abs(x) > half_x + _CLEARANCE or abs(y) > half_y + _CLEARANCE:
            return self.base + _CLEARANCE
        # Ground next to the eye counts too, or the view would cut into a steep slope.
        around = _CLEARANCE * np.array([[0, 0], [1, 0], [-1, 0], [0, 1], [0, -1]])
        around = around / self.finest
        ground = max(
            float(self.relief.heights_at(x + around[:, 0], y + around[:, 1]).max()),
            *(self._fine_height(x + float(right), y + float(up)) for right, up in around),
        )
        level = ground * self.lift
        return (level if self.water is None else max(level, self.water)) + self._clearance

    @property
    def _clearance(self) -> float:
        """Least height of the eye above the ground."""
        return _CLEARANCE / self.finest

    def _fine_height(self, x: float, y: float) -> float:
        """Height in metres of the nearest point of fine land, -infinity where none is shown."""
        if self.relief is None or not self.fine:
            return -math.inf
        (rows, cols), (half_x, half_y) = self.relief.shape, self.relief.half
        row, col = (1 - y / half_y) / 2 * rows, (x / half_x + 1) / 2 * cols
        patch = next((patch for layer in reversed(self.fine) if (patch := layer.patch_at(row, col)) is not None), None)
        if patch is None:
            return -math.inf
        return float(patch.height[
            int((row - patch.around.row) * patch.place.factor), int((col - patch.around.col) * patch.place.factor)
        ])  # fmt: skip
