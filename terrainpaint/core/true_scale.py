"""The ground sizes of a pixel at which a map can have land of its own scale."""

from __future__ import annotations

from terrainpaint.core.fine_land import FACTORS

_SIZE_TOLERANCE = 0.1
OTHER_LAND = (
    "The land of the map that this one was zoomed out of cannot be used with this style, so land is generated again."
)
"""What is said when a zoomed map cannot keep its land."""


def scale_factor(pixel_size_m: float, native_m: float) -> int | None:
    """How many times smaller than `native_m`, those of the weights, the pixels of a map are: 1, 4 or 16, within 10 %;
    None for others."""
    for factor in (1, *FACTORS):
        if abs(pixel_size_m * factor / native_m - 1) <= _SIZE_TOLERANCE:
            return factor
    return None


def true_sizes_m(native_m: float) -> tuple[float, ...]:
    """The ground sizes of a pixel in metres that have land of their own scale, from that of the weights down."""
    return tuple(native_m / factor for factor in (1, *FACTORS))


def sizes_text(native_m: float) -> str:
    """Those sizes in words: "2000, 500 or 125 m"."""
    *first, last = (f"{size_m:g}" for size_m in true_sizes_m(native_m))
    return f"{', '.join(first)} or {last} m"


def why_not(pixel_size_m: float, native_m: float, style: str, is_local: bool) -> str | None:
    """Why a map has no land of its own scale with the weights of a style, as the beginning of a sentence; None when it
    has."""
    factor = scale_factor(pixel_size_m, native_m)
    if factor == 1:
        return None
    if not is_local:
        return f'The network of the style "{style}" is not local, so it has no true scale'
    if factor is None:
        return f"There is no true scale for pixels of {pixel_size_m:g} m, only for {sizes_text(native_m)}"
    return None
