"""Numbers by which the undo stack knows that steps in a row are of the same slider or field."""

from __future__ import annotations

from enum import IntEnum


class Merge(IntEnum):
    """One number a control; those of the style vector go on from STYLE, one each."""

    UNDERLAY_OPACITY = 1
    SEED = 2
    OTHER_SEED = 3
    BLEND = 4
    RELIEF = 5
    GROUND = 6
    VARIETY = 7
    STYLE = 100
