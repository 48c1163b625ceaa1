"""A small index of places whose land is known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.landscape import colours_of, form_of
from terrainpaint.core.places import PlaceIndex
from terrainpaint.core.smoothing import gaussian_blur

STYLE = "atlas"
PLACES = {"Flatland": (9.2, 40.4), "Hillland": (-33.4, -70.0), "Highland": (50.0, 10.0), "Wetland": (64.0, -100.0)}
Land = tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.uint8]]


def land(number: int, seed: int = 0, side: int = 192) -> Land:
    """Classes, heights and picture of land of the kind of a place: each higher, rougher and of another class."""
    random = np.random.default_rng([number, seed])
    smooth = gaussian_blur(random.normal(0, 1, (side, side)).astype(np.float32), 1.5 + number)
    height = np.asarray(200 + 700 * number + (10 + 200 * number) * smooth / smooth.std(), np.float32)
    ids = np.full((side, side), number + 1, np.uint8)
    if number == 3:
        ids[smooth < 0] = 0
    picture = np.full((side, side, 3), (60 * number + 30, 90, 200 - 50 * number), np.uint8)
    return ids, height, picture


def small_index() -> PlaceIndex:
    """Three pieces of each of PLACES, 60 km apart."""
    lands = [(number, land(number, seed)) for number in range(len(PLACES)) for seed in (1, 2, 3)]
    centres = list(PLACES.values())
    return PlaceIndex(
        form=np.stack([form_of(ids, height, 2000.0) for _, (ids, height, _) in lands]),
        colours={STYLE: np.stack([colours_of(ids, picture) for _, (ids, _, picture) in lands])},
        centre_deg=np.array(
            [(centres[n][0] + 0.5 * (i % 3), centres[n][1]) for i, (n, _) in enumerate(lands)], np.float32
        ),
        names=tuple(PLACES),
        name=np.array([number for number, _ in lands], np.uint16),
        side_km=512.0,
        credits="Made up.",
    )
