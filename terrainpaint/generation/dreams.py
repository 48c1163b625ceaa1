"""What the window and the worker process say to each other about dreamed layouts: values and arrays, never code."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.dream_controls import DreamControls

FIT_STEPS = 160
"""Steps after which a layout fits what is painted as well as it can."""
STEPS_AT_ONCE = 10
"""Steps of one request, so that the terrain does not wait long."""


@dataclass(frozen=True, eq=False)
class DreamRequest:
    """Draw layouts with the file `path`: of `seeds` where `latents` is None, else of `latents` (N, latent) float32 with
    the noise of as many seeds, each moved by its part of `variety`, 0..1, towards that of its seed (not at all where it
    is empty). `controls` is what the layouts should have."""

    path: Path
    seeds: tuple[int, ...]
    latents: NDArray[np.float32] | None = None
    variety: tuple[float, ...] = ()
    controls: DreamControls = field(default_factory=DreamControls)


@dataclass(frozen=True, eq=False)
class Dreams:
    """N layouts: class logits (N, 7, S, S) float32, and the `latents` (N, latent) float32 before the controls moved
    them."""

    logits: NDArray[np.float32]
    latents: NDArray[np.float32]
    seeds: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class FitState:
    """Where a fit is: `steps` done, `latents` (N, latent) float32, the `misfit` (N,) float32 of each in the last step,
    lower is better, and the two moments of Adam."""

    steps: int
    latents: NDArray[np.float32]
    misfit: NDArray[np.float32]
    mean: NDArray[np.float32]
    square: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class FitRequest:
    """Go on for STEPS_AT_ONCE steps to find layouts like `shares` (7, S, S) float32 where `weights` (S, S) float32 are
    not 0, one for each seed; from random ones where `state` is None."""

    path: Path
    seeds: tuple[int, ...]
    shares: NDArray[np.float32]
    weights: NDArray[np.float32]
    state: FitState | None = None
