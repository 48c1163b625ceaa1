"""What a dreamed layout can be asked for: shares of sea, mountains and dry land."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import CLASS_COUNT, CLASS_NAMES
from terrainpaint.errors import OptionError

MAX_SEED = 2**31 - 1
"""Seeds of dreamed maps are 0 to this."""
_WEIGHTS = {
    "sea": {"water": 1.0},
    "mountains": {"hills": 1.0, "mountain": 1.0},
    "dryness": {"grassland": 0.5, "desert": 1.0},
}
"""How much a pixel of a class counts in each measure."""
_BASES = {
    "sea": CLASS_NAMES,
    "mountains": tuple(name for name in CLASS_NAMES if name != "water"),
    "dryness": ("forest", "grassland", "desert"),
}
"""The classes whose area a measure is divided by."""
CONTROL_NAMES = tuple(_WEIGHTS)


def _table(classes: dict[str, float]) -> NDArray[np.float64]:
    return np.array([classes.get(name, 0.0) for name in CLASS_NAMES])


NUMERATORS = np.stack([_table(_WEIGHTS[name]) for name in CONTROL_NAMES])
DENOMINATORS = np.stack([_table(dict.fromkeys(_BASES[name], 1.0)) for name in CONTROL_NAMES])
"""(3, 7) float64 both: a measure is the quotient of the products with the shares of the classes."""


@dataclass(frozen=True)
class DreamControls:
    """What layouts should have, each 0..1, or None for what comes: `sea` share of the water, `mountains` share of hills
    and mountains in the land, `dryness` of forest, grassland and desert: 0 all forest, 0.5 all grassland, 1 all desert.

    Raises OptionError for a number out of range.
    """

    sea: float | None = None
    mountains: float | None = None
    dryness: float | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None and not 0 <= value <= 1:
                raise OptionError(f"{field.name} must be from 0 to 1, not {value:g}.")

    @property
    def wanted(self) -> tuple[float | None, ...]:
        """The numbers in the order of CONTROL_NAMES."""
        return self.sea, self.mountains, self.dryness

    @property
    def is_free(self) -> bool:
        """Whether nothing is asked for."""
        return all(value is None for value in self.wanted)


def measures(shares: NDArray[np.floating]) -> NDArray[np.float64]:
    """(..., 3) float64 in 0..1, in the order of CONTROL_NAMES, of shares of the classes (..., 7); 0 where a layout has
    no class that counts."""
    if shares.shape[-1] != CLASS_COUNT:
        raise ValueError(f"{CLASS_COUNT} shares are needed, not {shares.shape[-1]}")
    parts, wholes = shares @ NUMERATORS.T, shares @ DENOMINATORS.T
    return np.asarray(parts / np.maximum(wholes, 1e-9), np.float64)


def shifted_to(logits: NDArray[np.float32], controls: DreamControls) -> NDArray[np.float32]:
    """Class logits (7, S, S) with a constant added to some classes, so that the layout has what is asked for.

    The water rises or falls first; then hills and mountains gain or lose to the other land, and desert and grassland to
    forest. What no constant can give, such as mountains without land, stays as it is.
    """
    logits = logits.copy()
    for row, wanted in enumerate(controls.wanted):
        if wanted is not None:
            _shift(logits, row, wanted)
    return logits


_STEPS, _RANGE = 18, 24.0


def _shift(logits: NDArray[np.float32], row: int, wanted: float) -> None:
    flat = logits.reshape(CLASS_COUNT, -1)
    low, high = -_RANGE, _RANGE
    for _ in range(_STEPS):
        middle = (low + high) / 2
        ids = np.argmax(_moved(flat, row, middle), axis=0)
        shares = np.bincount(ids, minlength=CLASS_COUNT) / flat.shape[1]
        if measures(shares)[row] < wanted:
            low = middle
        else:
            high = middle
    flat[:] = _moved(flat, row, (low + high) / 2)


def _moved(flat: NDArray[np.float32], row: int, amount: float) -> NDArray[np.float32]:
    """Logits (7, P) where the classes of a measure gain so much over the others that it is divided by; the largest of
    all these stays, so that other classes neither win nor lose."""
    group = DENOMINATORS[row] > 0
    moved = flat.copy()
    inner = moved[group] + (NUMERATORS[row][group] * amount).astype(np.float32)[:, None]
    moved[group] = inner + (flat[group].max(axis=0) - inner.max(axis=0))
    return moved
