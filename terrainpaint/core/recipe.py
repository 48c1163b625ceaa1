"""What a terrain is made from besides the map and the weights."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """Seed and style of a terrain.

    `blend` 0..1 goes from the land of `seed` to that of `other_seed`; None stands for no other seed. `style`, in
    standard deviations of real land, replaces the style of the seed.
    Raises ValueError when `blend` is out of range.
    """

    seed: int = 0
    other_seed: int | None = None
    blend: float = 0.0
    style: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.blend <= 1:
            raise ValueError(f"blend must be 0..1, not {self.blend}")
