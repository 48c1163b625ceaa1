"""What is asked of the sea of a terrain. Plain values, so that nothing large is imported for them."""

from __future__ import annotations

from dataclasses import dataclass

from terrainpaint.errors import OptionError

MAX_SEA_LEVEL_M = 12_000.0


@dataclass(frozen=True)
class Sea:
    """What is done to the sea, besides levelling it.

    `has_floor` gives it a floor below 0 m. `level_m` is how much higher than painted it is, -12,000 to 12,000 m.
    Raises OptionError for another level.
    """

    has_floor: bool = False
    level_m: float = 0.0

    def __post_init__(self) -> None:
        if not abs(self.level_m) <= MAX_SEA_LEVEL_M:
            raise OptionError(
                f"A sea level of {self.level_m:g} m is not possible; "
                f"choose {-MAX_SEA_LEVEL_M:.0f} to {MAX_SEA_LEVEL_M:.0f} m."
            )

    def __bool__(self) -> bool:
        return self.has_floor or self.level_m != 0


AS_PAINTED = Sea()
