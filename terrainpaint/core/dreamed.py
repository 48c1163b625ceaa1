"""How a layer was dreamed: what a project keeps, so that the layout can be drawn again."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from terrainpaint.core.dream_controls import CONTROL_NAMES, DreamControls


class DreamWay(StrEnum):
    """Where a layout came from; the values are in project files."""

    SEED = "seed"
    LIKE_MAP = "like"
    REST_OF_MAP = "rest"


_BEGINNINGS = {
    DreamWay.SEED: "dreamed with seed",
    DreamWay.LIKE_MAP: "dreamed like the map, with seed",
    DreamWay.REST_OF_MAP: "dreamed to fit what was painted, with seed",
}


@dataclass(frozen=True)
class Dreamed:
    """A layout of `seed` with these `controls`, `part` 0..1 of the way to the layout of `end_seed` if there is one.

    Layouts that were searched for (another `way`) follow the map of that time too.
    """

    seed: int
    controls: DreamControls = field(default_factory=DreamControls)
    end_seed: int | None = None
    part: float = 0.0
    way: DreamWay = DreamWay.SEED

    @property
    def sentence(self) -> str:
        """It in words, such as "dreamed with seed 7, sea 60 %, 40 % of the way to seed 9"."""
        parts = [f"{_BEGINNINGS[self.way]} {self.seed}"]
        parts += [
            f"{name} {value * 100:.0f} %"
            for name, value in zip(CONTROL_NAMES, self.controls.wanted, strict=True)
            if value is not None
        ]
        if self.end_seed is not None:
            parts.append(f"{self.part * 100:.0f} % of the way to seed {self.end_seed}")
        return ", ".join(parts)
