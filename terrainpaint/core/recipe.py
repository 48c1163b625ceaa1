"""What a terrain is made from besides the map and the weights."""

from __future__ import annotations

import math
from dataclasses import dataclass

MAX_VARIETY = 2.0
_MASK_64 = (1 << 64) - 1


@dataclass(frozen=True)
class Recipe:
    """Seed and style of a terrain.

    `blend` 0..1 goes from the land of `seed` to that of `other_seed`; None stands for no other seed. `style`, in
    standard deviations of real land, replaces the style of the seed. `variety` 0..2 is how much the style varies from
    place to place: 1 as on real land, 0 not at all.
    Raises ValueError when `blend` or `variety` is out of range.
    """

    seed: int = 0
    other_seed: int | None = None
    blend: float = 0.0
    style: tuple[float, ...] | None = None
    variety: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.blend <= 1:
            raise ValueError(f"blend must be 0..1, not {self.blend}")
        if not 0 <= self.variety <= MAX_VARIETY:
            raise ValueError(f"variety must be 0..{MAX_VARIETY:g}, not {self.variety}")

    @property
    def weighted_seeds(self) -> tuple[tuple[int, float], ...]:
        """One or two seeds, each with the weight of what it draws; the squares of the weights add up to 1.

        So what is drawn has the same variance all the way. Seeds are equal when their low 64 bits are.
        """
        if self.other_seed is None or self.blend == 0 or (self.other_seed ^ self.seed) & _MASK_64 == 0:
            return ((self.seed, 1.0),)
        if self.blend == 1:
            return ((self.other_seed, 1.0),)
        angle = self.blend * math.pi / 2
        return (self.seed, math.cos(angle)), (self.other_seed, math.sin(angle))
