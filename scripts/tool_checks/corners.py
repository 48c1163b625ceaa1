"""The comparison that every check makes."""

from __future__ import annotations

from collections.abc import Sequence

from scripts.tool_checks.land import CORNERS, MOST_ERROR_M, Land


def check_corners(land: Land, found_m: Sequence[float], scale: float = 1.0, base_m: float = 0.0) -> str:
    """Compare the heights of the corners, in metres after `scale` and `base_m`; returns them as text."""
    for name, expected, found in zip(CORNERS, land.heights_m, found_m, strict=True):
        assert abs(found * scale + base_m - expected) <= MOST_ERROR_M, (
            f"the {name} corner has {found * scale + base_m:.1f} m and not {expected:.1f} m"
        )
    return "corners " + ", ".join(f"{found * scale + base_m:.0f}" for found in found_m) + " m"
