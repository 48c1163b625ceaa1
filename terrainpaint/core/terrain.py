"""A generated terrain, the recipe that it was generated from, and its provenance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

MAX_VARIETY = 2.0
SNOW = "snow"
"""The style number for how much of the ground is white."""
LATER_STYLE_NAMES = (SNOW,)
"""Style numbers that older weights of the same kind do not have."""
_MASK_64 = (1 << 64) - 1


@dataclass(frozen=True)
class Recipe:
    """Seed and style of a terrain: its input besides the map and the weights.

    `blend` 0..1 interpolates from the noise of `seed` to that of `other_seed`; None stands for no other seed. `style`,
    in standard deviations of real land, replaces the style of the seed. `variety` 0..2 is how much the style varies
    from place to place: 1 as on real land, 0 not at all. `guide_strength` 0..1 is how much the land follows a height
    guide, where there is one. `painted_rivers_only` leaves out the rivers that networks draw on their own.
    `follow` 0..1 is how exactly the land follows the painted borders, see `core.loose_paint`. Raises ValueError when a
    number is out of range.
    """

    seed: int = 0
    other_seed: int | None = None
    blend: float = 0.0
    style: tuple[float, ...] | None = None
    variety: float = 1.0
    guide_strength: float = 1.0
    painted_rivers_only: bool = False
    follow: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.blend <= 1:
            raise ValueError(f"blend must be 0..1, not {self.blend}")
        if not 0 <= self.variety <= MAX_VARIETY:
            raise ValueError(f"variety must be 0..{MAX_VARIETY:g}, not {self.variety}")
        if not 0 <= self.follow <= 1:
            raise ValueError(f"follow must be 0..1, not {self.follow}")
        if not 0 <= self.guide_strength <= 1:
            raise ValueError(f"guide_strength must be 0..1, not {self.guide_strength}")

    def style_for(self, names: Sequence[str]) -> tuple[float, ...] | None:
        """`style` for weights whose style numbers have these names; None without a style, or when it was chosen for
        other weights. Where it was chosen for older weights, the numbers that they lacked are 0: usual land."""
        if self.style is None:
            return None
        missing = names[len(self.style) :]
        fits = len(self.style) <= len(names) and all(name in LATER_STYLE_NAMES for name in missing)
        return (*self.style, *[0.0] * len(missing)) if fits else None

    @property
    def weighted_seeds(self) -> tuple[tuple[int, float], ...]:
        """One or two seeds with the weights of their noise.

        The squares of the weights add up to 1, so the variance of the noise does not depend on `blend`. Two seeds are
        the same when their low 64 bits are.
        """
        if self.other_seed is None or self.blend == 0 or (self.other_seed ^ self.seed) & _MASK_64 == 0:
            return ((self.seed, 1.0),)
        if self.blend == 1:
            return ((self.other_seed, 1.0),)
        angle = self.blend * math.pi / 2
        return (self.seed, math.cos(angle)), (self.other_seed, math.sin(angle))


@dataclass(frozen=True)
class Provenance:
    """How a terrain was generated: enough to generate the same one again.

    `weights_sha256` is the hex digest of the weights file, `style` its style name, `recipe` seed and style numbers,
    `version` the version of TerrainPaint. The heights of the weights were multiplied by `height_scale`. `has_rerolls`:
    some places got new noise, which the project file records. `has_lines`: it follows a picture of crests and valleys.
    `has_height_guide`: it follows heights that were given.
    `has_level_water`: lakes and sea were levelled; `has_sea_depth`: the sea has a floor, and lies `sea_level_m` higher
    than painted; `has_carved_rivers` and `has_breached_depressions`: water was made to flow. `look` is the style in
    which a look repainted the albedo, `look_sha256` the digest of its file; both are empty without one. `detail` is how
    many times finer than its map the terrain was made, with the weights `detail_sha256`. `painted_finer` is how many
    times finer than the weights its map was painted, when the relief has the size of the map; then `detail_sha256` made
    that too.
    """

    weights_sha256: str
    style: str
    recipe: Recipe
    version: str
    height_scale: float = 1.0
    has_rerolls: bool = False
    has_level_water: bool = False
    has_carved_rivers: bool = False
    has_breached_depressions: bool = False
    has_lines: bool = False
    look: str = ""
    look_sha256: str = ""
    has_sea_depth: bool = False
    detail: int = 1
    detail_sha256: str = ""
    painted_finer: int = 1
    sea_level_m: float = 0.0
    has_height_guide: bool = False


@dataclass(frozen=True)
class Terrain:
    """Texture and heights of one map; `[row, col]`, row 0 = north.

    `albedo` (H, W, 3) uint8 sRGB without shading; `height` (H, W) float32 metres above sea level;
    `pixel_size_m` is the ground size of a pixel in metres. Raises ValueError for other shapes or dtypes.
    """

    albedo: NDArray[np.uint8]
    height: NDArray[np.float32]
    pixel_size_m: float
    provenance: Provenance

    def __post_init__(self) -> None:
        if self.albedo.dtype != np.uint8 or self.albedo.ndim != 3 or self.albedo.shape[2] != 3:
            raise ValueError(f"albedo must be (H, W, 3) uint8, not {self.albedo.shape} {self.albedo.dtype}")
        if self.height.dtype != np.float32 or self.height.shape != self.albedo.shape[:2]:
            raise ValueError(f"height must be {self.albedo.shape[:2]} float32, not {self.height.shape}")
        if not self.pixel_size_m > 0:
            raise ValueError(f"pixel_size_m must be positive, not {self.pixel_size_m}")

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) in pixels."""
        return self.height.shape[0], self.height.shape[1]


def at_pixel_size(terrain: Terrain, pixel_size_m: float, relief: float = 1.0) -> Terrain:
    """The same terrain with another ground size of a pixel; heights change with it, so that slopes stay, and are then
    multiplied by `relief`."""
    if pixel_size_m == terrain.pixel_size_m and relief == 1:
        return terrain
    factor = pixel_size_m / terrain.pixel_size_m * relief
    provenance = replace(terrain.provenance, height_scale=terrain.provenance.height_scale * factor)
    return Terrain(terrain.albedo, terrain.height * np.float32(factor), pixel_size_m, provenance)
