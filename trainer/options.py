"""What all ways of preparing share: their options, and which tiles are held out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.prepared import TRAIN, VALIDATION


@dataclass(frozen=True)
class PrepareOptions:
    """`pixel_size_m` ground size of a pixel; `tile_px` side of a tile; `minimum_land` least share of valid land in a
    tile of rasters; `validation_share` share held out whole; `seed` decides what, and where random crops are;
    `source_pixel_size_m` is needed only for rasters without georeference."""

    style: str
    credits: str = ""
    pixel_size_m: float = 2000.0
    tile_px: int = 512
    minimum_land: float = 0.1
    validation_share: float = 0.08
    seed: int = 0
    source_pixel_size_m: float | None = None


def held_out(count: int, share: float, seed: int) -> NDArray[np.uint8]:
    """(count,) uint8: which are VALIDATION, of `count` tiles that do not overlap, or pictures that tiles are cut of."""
    split = np.full(count, TRAIN, dtype=np.uint8)
    chosen = np.random.default_rng(seed).permutation(count)[: round(count * share)]
    split[chosen] = VALIDATION
    return split
