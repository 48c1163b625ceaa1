"""The figures that compare a set of generated pictures with one of real pictures, for every system."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.metrics.features import mean_distance
from trainer.metrics.fid_kid import fid, kid
from trainer.metrics.neighbours import NEIGHBOURS, precision_recall

FEWEST = NEIGHBOURS + 2
"""Pictures of each set, at least."""


@dataclass(frozen=True)
class SetFigures:
    """FID, KID, precision and recall of N generated against N real pictures; `diversity` is the mean distance of the
    features of all pairs of the generated ones, and falls when they become alike."""

    fid: float
    kid: float
    precision: float
    recall: float
    diversity: float

    @classmethod
    def of(cls, real: NDArray[np.float32], generated: NDArray[np.float32]) -> SetFigures:
        """From features (N, F) of both, with the same N, at least `FEWEST`."""
        precision, recall = precision_recall(real, generated)
        return cls(fid(real, generated), kid(real, generated), precision, recall, mean_distance(generated))

    def named(self, label: str, count: int) -> Mapping[str, float]:
        """The figures by names that tell what they can be compared with: features and number of pictures."""
        return {figure_name(kind, label, count): value for kind, value in asdict(self).items()}


KINDS: Mapping[str, str] = {
    "fid": "FID", "kid": "KID", "precision": "precision", "recall": "recall", "diversity": "diversity",
}  # fmt: skip
"""Field of `SetFigures` → its name."""
DIGITS: Mapping[str, int] = {"fid": 1, "kid": 4, "precision": 3, "recall": 3, "diversity": 2}
"""Field of `SetFigures` → decimals to show."""


def figure_name(kind: str, label: str, count: int) -> str:
    """Such as `KID (EfficientNet-Lite0 579344248a93, N = 1000)`; `label` is that of the features."""
    return f"{KINDS[kind]} ({label}, N = {count})"
