"""The ground sizes of a pixel at which a map can have land of its own scale."""

from __future__ import annotations

from terrainpaint.core.fine_land import FACTORS

_SIZE_TOLERANCE = 0.1


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
