"""A camera that orbits a target: position, matrices and rays. x is east, y north, z up."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FIELD_OF_VIEW_DEG = 36.0
"""From the bottom to the top of the picture; narrow, so that the corners of the block are not distorted."""

_TANGENT = math.tan(math.radians(FIELD_OF_VIEW_DEG) / 2)


@dataclass(frozen=True)
class OrbitCamera:
    """The position of the eye relative to its target.

    `target` (x, y, z) in units of the longest side of the map; `azimuth_deg` the direction from the target to the
    eye, clockwise from north, so 180 looks north; `elevation_deg` above the horizon, -89..90; `distance` in units.
    """

    target: tuple[float, float, float]
    azimuth_deg: float
    elevation_deg: float
    distance: float

    @property
    def outward(self) -> Floats:
        """Unit vector (3,) from the target to the eye."""
        azimuth, elevation = math.radians(self.azimuth_deg), math.radians(self.elevation_deg)
        level = math.cos(elevation)
        return np.array([level * math.sin(azimuth), level * math.cos(azimuth), math.sin(elevation)])

    @property
    def eye(self) -> Floats:
        """Position (3,) of the eye."""
        return np.asarray(self.target + self.distance * self.outward)

    @property
    def right(self) -> Floats:
        """Unit vector (3,) to the right; it depends on the azimuth only, so it exists straight above the target too."""
        azimuth = math.radians(self.azimuth_deg)
        return np.array([-math.cos(azimuth), math.sin(azimuth), 0.0])

    @property
    def up(self) -> Floats:
        """Unit vector (3,) towards the top of the picture."""
        return np.cross(self.outward, self.right)

    def view_matrix(self) -> Floats:
        """World → eye, (4, 4), for column vectors."""
        turn = np.stack([self.right, self.up, self.outward])
        matrix = np.eye(4)
        matrix[:3, :3], matrix[:3, 3] = turn, -turn @ self.eye
        return matrix

    def picture_axes(self, aspect: float) -> tuple[Floats, Floats, Floats]:
        """Three vectors (3,): from the eye to the middle of the picture plane, from there to its right border, and to
        its upper border."""
        return -self.outward, aspect * _TANGENT * self.right, _TANGENT * self.up

    def ray(self, across: float, up: float, aspect: float) -> Floats:
        """Unit vector (3,) from the eye through a point of the picture, both coordinates -1..1 from its middle."""
        middle, right, top = self.picture_axes(aspect)
        towards = middle + across * right + up * top
        return np.asarray(towards / np.linalg.norm(towards))

    def turned(self, azimuth_deg: float, elevation_deg: float) -> OrbitCamera:
        """Turned around the target; straight above the target it stops."""
        elevation = min(max(self.elevation_deg + elevation_deg, -5.0), 90.0)
        return dataclasses.replace(self, azimuth_deg=(self.azimuth_deg + azimuth_deg) % 360, elevation_deg=elevation)

    def looking_around(self, azimuth_deg: float, elevation_deg: float) -> OrbitCamera:
        """Turned around the eye."""
        elevation = min(max(self.elevation_deg + elevation_deg, -80.0), 89.0)
        aimed = dataclasses.replace(self, azimuth_deg=(self.azimuth_deg + azimuth_deg) % 360, elevation_deg=elevation)
        return aimed.moved(self.eye - aimed.eye)

    def moved(self, by: Floats) -> OrbitCamera:
        """Eye and target moved together."""
        x, y, z = (float(coordinate) for coordinate in self.target + by)
        return dataclasses.replace(self, target=(x, y, z))

    def closer(self, factor: float, point: Floats) -> OrbitCamera:
        """All distances to `point` multiplied by `factor`: the point keeps its place in the picture."""
        x, y, z = (float(coordinate) for coordinate in point + (np.array(self.target) - point) * factor)
        return dataclasses.replace(self, target=(x, y, z), distance=self.distance * factor)

    def with_eye(self, eye: Floats) -> OrbitCamera:
        """The camera from another position at the same target."""
        outward = eye - self.target
        distance = float(np.linalg.norm(outward))
        if distance < 1e-9:
            return self
        level = math.hypot(outward[0], outward[1])
        # Straight above the target the azimuth is undefined and stays.
        azimuth = math.degrees(math.atan2(outward[0], outward[1])) if level > 1e-9 else self.azimuth_deg
        elevation = math.degrees(math.atan2(outward[2], level))
        return dataclasses.replace(self, azimuth_deg=azimuth % 360, elevation_deg=elevation, distance=distance)


def perspective(aspect: float, near: float, far: float) -> Floats:
    """Eye → clip space, (4, 4), for column vectors; `aspect` width over height."""
    matrix = np.zeros((4, 4))
    matrix[0, 0], matrix[1, 1] = 1 / (aspect * _TANGENT), 1 / _TANGENT
    matrix[2, 2], matrix[2, 3] = -(far + near) / (far - near), -2 * far * near / (far - near)
    matrix[3, 2] = -1
    return matrix


def units_per_pixel(distance: float, height_px: int) -> float:
    """The length that a pixel in the middle of a picture of `height_px` rows covers at a distance."""
    return 2 * distance * _TANGENT / height_px
