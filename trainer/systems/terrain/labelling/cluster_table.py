"""The table that names the class of each cluster: proposed from the features, then edited by a person."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.checked_toml import MOST_BYTES, parse_toml
from terrainpaint.core.classes import CLASS_NAMES
from terrainpaint.core.files import FileTransaction, read_regular
from terrainpaint.core.labeller import FEATURE_NAMES
from terrainpaint.errors import TrainingError
from trainer.systems.terrain.labelling.clusters import Samples

MOST_DIFFERENCE = 0.5
"""Difference of a mean from that in the table, in standard deviations of the feature, above which a cluster is another.
Another order of the sums, in another version of scikit-learn, moves the means of the same cluster much less."""
_ROUNDING = 0.05


def propose_class(mean: dict[str, float]) -> str:
    """A first guess of the class of a cluster, from the means of its features.

    The thresholds were read off clusters of the Earth with hypsometric tints. Relief is ln(1 + metres), so 5.25 are
    190 m and 4.3 are 73 m.
    """
    if mean["flatness"] > 0.5 or mean["blue_yellow"] < -12:
        return "water"
    if mean["relief_middle"] > 5.25 or mean["elevation"] > 62:
        return "mountain"
    if mean["relief_middle"] > 4.3:
        return "hills"
    if mean["green_red_wide"] < -11.5:
        return "forest"
    if mean["green_red_wide"] < -4.5 and mean["blue_yellow_wide"] > 11:
        return "grassland"
    if mean["blue_yellow_wide"] > 10.5:
        return "desert"
    return "tundra"


def write_table(path: Path, samples: Samples, clusters: NDArray[np.int64], centre_deg: NDArray[np.float32]) -> None:
    """Write a proposed class for each cluster as TOML, with the means that it was guessed from as a comment.

    `clusters` (M,) are those of the samples, `centre_deg` (N, 2) latitude and longitude of the tiles. Raises
    OutputError.
    """
    lines = [
        "# The class of each cluster. Edit the right-hand sides; the comments describe the clusters.",
        f"# Classes: {', '.join(CLASS_NAMES)}.",
        "",
        "[classes]",
    ]
    for number in range(int(clusters.max()) + 1):
        members = clusters == number
        mean = _means(samples, members)
        latitude = np.abs(centre_deg[samples.tile[members], 0])
        features = ", ".join(f"{name} {value:.1f}" for name, value in mean.items())
        lines += [
            f"# fraction {members.mean():.3f}, latitude {latitude.mean():.0f}, {features}",
            f'{number} = "{propose_class(mean)}"',
        ]
    with FileTransaction() as files:
        files.path(path).write_text("\n".join(lines) + "\n", encoding="utf-8")


def read_table(path: Path, samples: Samples, clusters: NDArray[np.int64], count: int) -> NDArray[np.uint8]:
    """(count,) class id of each cluster.

    Raises TrainingError when the table does not name them all, or when the means in its comments are those of other
    clusters: their numbers depend on the data, the seed and the version of scikit-learn.
    """
    try:
        data = read_regular(path, MOST_BYTES)
        named, text = parse_toml(data)["classes"], data.decode("utf-8")
        names = [str(named[str(number)]) for number in range(count)]
        if len(named) != count:
            raise ValueError(f"it names {len(named)} clusters, there are {count}")
        classes = np.array([CLASS_NAMES.index(name) for name in names], dtype=np.uint8)
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise TrainingError(f"{path} is not a table of {count} clusters ({error}); write a new one without --table.") \
            from error  # fmt: skip
    deviation = dict(zip(FEATURE_NAMES, samples.values[0].std(axis=0).tolist(), strict=True))
    for number, described in _described(text).items():
        mean = _means(samples, clusters == number)
        for name, value in described.items():
            if abs(mean[name] - value) > MOST_DIFFERENCE * deviation[name] + _ROUNDING:
                raise TrainingError(
                    f"{path} names other clusters: the {name} of cluster {number} is {value:.1f} there and "
                    f"{mean[name]:.1f} in these tiles; write a new table without --table."
                )
    return classes


def _described(text: str) -> Mapping[int, dict[str, float]]:
    """The means in the comments of a table, as far as they are still there: cluster → feature → mean."""
    described = {}
    for comment, number in re.findall(r"^# fraction (.*)\n(\d+) *=", text, re.MULTILINE):
        values = re.findall(r"(\w+) (-?\d+\.\d)(?:,|$)", comment)
        described[int(number)] = {name: float(value) for name, value in values if name in FEATURE_NAMES}
    return described


def _means(samples: Samples, members: NDArray[np.bool_]) -> dict[str, float]:
    return dict(zip(FEATURE_NAMES, samples.values[0][members].mean(axis=0).tolist(), strict=True))
