"""The figures of a run of a study, and the file that keeps them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.checked_json import parse_object
from terrainpaint.core.files import atomic_path, read_regular
from trainer.data.tile_set import TRAIN
from trainer.loop.run_log import Warn
from trainer.metrics.cached_features import cached_features, pictures_sha256
from trainer.metrics.features import Features
from trainer.metrics.neighbours import nearest_distance
from trainer.metrics.set_figures import SetFigures
from trainer.studies.plan import StudyPlan, StudyRun, at_size

_MOST_BYTES = 1 << 16
_LARGEST = 1e12


@dataclass(frozen=True)
class StudyFigures:
    """Figures of pictures against the held-out ones: those of `SetFigures`, and `nearest`, the mean distance of a
    picture's features from those of the nearest training picture; `nearest_held_out` is the same of the held-out ones,
    which are new by definition: a run whose pictures lie much nearer has learned its pictures by heart."""

    fid: float
    kid: float
    precision: float
    recall: float
    diversity: float
    nearest: float
    nearest_held_out: float


class Measurement:
    """Measures pictures for a study; features of real pictures are kept in its folder."""

    def __init__(self, plan: StudyPlan, features: Features, folder: Path, warn: Warn) -> None:
        self._plan, self._features, self._folder, self._warn = plan, features, folder, warn
        self._real = self._kept(plan.held_out)
        self.key = f"{features.sha256} {pictures_sha256(plan.held_out)}"
        """Figures with the same key were measured in the same way."""

    @property
    def count(self) -> int:
        """Pictures of each side."""
        return len(self._real)

    def of_samples(self, run: StudyRun, samples: NDArray[np.uint8]) -> StudyFigures:
        """The figures of generated pictures (N, S, S, 3) of a run, N = `count`."""
        return self._figures(self._features.of(at_size(samples, self._plan.size_px)), run)

    def of_real(self, run: StudyRun) -> StudyFigures:
        """The figures of as many real pictures of the first set that are not held out: the floor of the distances.

        They may be among those that the run is trained on, so `nearest` is that of the held-out pictures.
        """
        figures = self._figures(self._kept(self._plan.others), run)
        return StudyFigures(**{**asdict(figures), "nearest": figures.nearest_held_out})

    def of_held_out(self) -> float:
        """The diversity of the held-out pictures."""
        return SetFigures.of(self._real, self._real).diversity

    def _figures(self, generated: NDArray[np.float32], run: StudyRun) -> StudyFigures:
        trained = self._kept(at_size(run.tiles.subset(TRAIN).texture, self._plan.size_px))
        nearest, nearest_held_out = (float(nearest_distance(each, trained).mean()) for each in (generated, self._real))
        return StudyFigures(**asdict(SetFigures.of(self._real, generated)), nearest=nearest,
                            nearest_held_out=nearest_held_out)  # fmt: skip

    def _kept(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        return cached_features(pictures, self._features, self._folder, self._warn)


def save_figures(path: Path, figures: StudyFigures, key: str) -> None:
    """Write the figures of a run. Raises OutputError."""
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps({"key": key, **asdict(figures)}, indent=2) + "\n", encoding="utf-8")


def load_figures(path: Path, key: str) -> StudyFigures | None:
    """The figures in a file; None when there is none, or they are damaged or of another `key`."""
    try:
        stored = parse_object(read_regular(path, _MOST_BYTES))
        if stored.text("key") != key:
            return None
        return StudyFigures(**{name: stored.number(name, -_LARGEST, _LARGEST)
                               for name in StudyFigures.__dataclass_fields__})  # fmt: skip
    except (OSError, ValueError):
        return None
