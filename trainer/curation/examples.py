"""Examples of good and bad pictures, and a small classifier that ranks all others by them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.quoting import shown
from terrainpaint.errors import TrainingError
from trainer.data.keep_list import lines_of, name_of_line, read_keep_list

_WORDS = ("good", "bad")
_REGULARISATION = 4.0
"""Inverse strength. From a tenth of it to ten times as much, the ranking of clip art was the same within its spread."""


@dataclass(frozen=True)
class Examples:
    """Names of good and of bad pictures, at least one of each and none in both."""

    good: tuple[str, ...]
    bad: tuple[str, ...]


def read_example_lists(good: Path, bad: Path) -> Examples:
    """Examples from a list of each kind. Raises TrainingError."""
    return _checked(f"{good} and {bad}", read_keep_list(good).names, read_keep_list(bad).names)


def read_labels(path: Path) -> Examples:
    """Examples from one file, whose lines are `good NAME` and `bad NAME`. Raises TrainingError."""
    names: dict[str, list[str]] = {word: [] for word in _WORDS}
    for number, line in lines_of(path):
        word, _, rest = line.replace("\t", " ", 1).partition(" ")
        if word not in names or not rest.strip():
            raise TrainingError(f"{path} has no label on line {number}; a line is 'good NAME' or 'bad NAME'.")
        names[word].append(name_of_line(path, number, rest.strip()))
    return _checked(str(path), names["good"], names["bad"])


def _checked(source: str, good: Sequence[str], bad: Sequence[str]) -> Examples:
    both = sorted(set(good) & set(bad))
    if both:
        raise TrainingError(f"{source} call {shown(both[0])} good as well as bad; keep one of the two labels.")
    if not good or not bad:
        has, lacks = ("good", "bad") if good else ("bad", "good")
        raise TrainingError(f"{source} has {has} examples only; label a few {lacks} pictures too.")
    return Examples(tuple(dict.fromkeys(good)), tuple(dict.fromkeys(bad)))


def indices_of(examples: Examples, names: Sequence[str], where: str) -> tuple[list[int], list[int]]:
    """Indices of the good and of the bad pictures among all `names`. Raises TrainingError when one is not there."""
    places = {name: index for index, name in enumerate(names)}
    missing = [name for name in (*examples.good, *examples.bad) if name not in places]
    if missing:
        others = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise TrainingError(f"{shown(missing[0])}{others} is labelled, but is no picture of {where}; names are paths "
                            f"within that folder, such as {shown(names[0])}.")  # fmt: skip
    return [places[name] for name in examples.good], [places[name] for name in examples.bad]


def goodness(features: NDArray[np.float32], good: Sequence[int], bad: Sequence[int]) -> NDArray[np.float64]:
    """(N,) probability 0..1 that a picture is good: logistic regression on standardised features (N, F)."""
    from sklearn.linear_model import LogisticRegression

    scaled = (features - features.mean(axis=0)) / np.maximum(features.std(axis=0), 1e-6) / np.sqrt(features.shape[1])
    labels = np.array([1] * len(good) + [0] * len(bad))
    model = LogisticRegression(C=_REGULARISATION, class_weight="balanced", max_iter=2000)
    model.fit(scaled[[*good, *bad]], labels)
    return np.asarray(model.predict_proba(scaled)[:, 1], np.float64)
