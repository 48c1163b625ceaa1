"""Lambert's azimuthal equal-area projection on a sphere, between degrees and metres around a centre.

Snyder, Map Projections: a Working Manual (1987), equations 20-14, 20-15, 24-2 to 24-4 and 24-16.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

EARTH_RADIUS_M = 6_371_008.8


def to_earth(
    plane_m: NDArray[np.float64], centre_deg: NDArray[np.float64] | tuple[float, float]
) -> NDArray[np.float64]:
    """(P, 2) x and y of a Lambert azimuthal equal-area plane around a centre → latitude and longitude, degrees.

    Snyder, Map Projections (1987), equations 20-14 to 24-16, on a sphere.
    """
    latitude, longitude = np.radians(centre_deg)
    x, y = plane_m[:, 0], plane_m[:, 1]
    rho = np.maximum(np.hypot(x, y), 1e-9)
    c = 2 * np.arcsin(np.clip(rho / (2 * EARTH_RADIUS_M), -1, 1))
    phi = np.arcsin(np.cos(c) * np.sin(latitude) + y * np.sin(c) * np.cos(latitude) / rho)
    run = rho * np.cos(latitude) * np.cos(c) - y * np.sin(latitude) * np.sin(c)
    return np.asarray(np.degrees(np.stack([phi, longitude + np.arctan2(x * np.sin(c), run)], axis=-1)))


def to_plane(earth_deg: NDArray[np.float64], centre_deg: NDArray[np.float64]) -> NDArray[np.float64]:
    """(…, 2) latitude and longitude → x and y of the plane around centres that broadcast with them."""
    phi, lam = np.moveaxis(np.radians(earth_deg), -1, 0)
    phi_0, lam_0 = np.moveaxis(np.radians(centre_deg), -1, 0)
    cosine = np.sin(phi_0) * np.sin(phi) + np.cos(phi_0) * np.cos(phi) * np.cos(lam - lam_0)
    k = EARTH_RADIUS_M * np.sqrt(2 / np.maximum(1 + cosine, 1e-12))
    x = k * np.cos(phi) * np.sin(lam - lam_0)
    y = k * (np.cos(phi_0) * np.sin(phi) - np.sin(phi_0) * np.cos(phi) * np.cos(lam - lam_0))
    return np.stack([x, y], axis=-1)
