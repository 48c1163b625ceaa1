"""A camera that looks at a point: position, matrices and rays. z is up, x east, y north."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FIELD_OF_VIEW_DEG = 36.0
"""From the bottom to the top of the picture; narrow enough that the corners of the block are not drawn out."""

_TANGENT = math.tan(math.radians(FIELD_OF_VIEW_DEG) / 2)


@dataclass(frozen=True)
class Camera:
    """Where the eye is, seen from what it looks at.

    `target` (x, y, z) in units of the longest side of the map; `azimuth_deg` the direction in which the eye stands,
    clockwise from north, so 180 looks north; `elevation_deg` above the horizon, -89..90; `distance` in units.
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
        """Unit vector (3,) to the right; from the azimuth alone, so that looking straight down is no special case."""
        azimuth = math.radians(self.azimuth_deg)
        return np.array([-math.cos(azimuth), math.sin(azimuth), 0.0])

    @property
    def up(self) -> Floats:
        """Unit vector (3,) to the top of the picture."""
        return np.cross(self.outward, self.right)

    def view_matrix(self) -> Floats:
        """World → eye, (4, 4), for column vectors."""
        turn = np.stack([self.right, self.up, self.outward])
        matrix = np.eye(4)
        matrix[:3, :3], matrix[:3, 3] = turn, -turn @ self.eye
        return matrix

    def ray(self, across: float, up: float, aspect: float) -> Floats:
        """Unit vector (3,) from the eye through a point of the picture, each coordinate -1..1 from its middle."""
        towards = -self.outward + across * aspect * _TANGENT * self.right + up * _TANGENT * self.up
        return np.asarray(towards / np.linalg.norm(towards))

    def turned(self, azimuth_deg: float, elevation_deg: float) -> Camera:
        """Around the target; it stops above it and does not flip over."""
        elevation = min(max(self.elevation_deg + elevation_deg, -5.0), 90.0)
        return dataclasses.replace(self, azimuth_deg=(self.azimuth_deg + azimuth_deg) % 360, elevation_deg=elevation)

    def looking_around(self, azimuth_deg: float, elevation_deg: float) -> Camera:
        """Around the eye, which stays where it is."""
        elevation = min(max(self.elevation_deg + elevation_deg, -80.0), 89.0)
        aimed = dataclasses.replace(self, azimuth_deg=(self.azimuth_deg + azimuth_deg) % 360, elevation_deg=elevation)
        return aimed.moved(self.eye - aimed.eye)

    def moved(self, by: Floats) -> Camera:
        """Eye and target together."""
        x, y, z = (float(each) for each in self.target + by)
        return dataclasses.replace(self, target=(x, y, z))

    def closer(self, factor: float, point: Floats) -> Camera:
        """All distances to `point` times `factor`: the point stays where it is in the picture."""
        x, y, z = (float(each) for each in point + (np.array(self.target) - point) * factor)
        return dataclasses.replace(self, target=(x, y, z), distance=self.distance * factor)

    def with_eye(self, eye: Floats) -> Camera:
        """From another position at the same target."""
        outward = eye - self.target
        distance = float(np.linalg.norm(outward))
        if distance < 1e-9:
            return self
        level = math.hypot(outward[0], outward[1])
        # Straight above the target the azimuth is whatever it was.
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
    """How much land a pixel in the middle of a picture of `height_px` rows covers at a distance."""
    return 2 * distance * _TANGENT / height_px
