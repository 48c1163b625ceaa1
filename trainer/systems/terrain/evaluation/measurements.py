"""The measurements of an evaluation, or of one shard of it, and the file that holds them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.array_file import open_arrays
from terrainpaint.core.checked_json import parse_object
from terrainpaint.core.files import FileTransaction
from terrainpaint.core.main_memory import free_memory
from terrainpaint.core.quoting import shown
from terrainpaint.errors import TrainingError

FORMAT = "terrainpaint-evaluation"
VERSION = 5
_MOST_CROPS = 1 << 31


@dataclass(frozen=True, eq=False)
class Measurements:
    """Measurements of some crops.

    `rows`: `MEASURE@CROPS` → array whose first axis goes with `crop@CROPS`, the ascending numbers of those crops. CROPS
    is "all", or names the few crops for which the measure was taken. `sums`: name → int64 counts, which add up over
    crops. `setup`: what was measured, and with what. `checks`: what does not depend on the crops; empty in all shards
    but the first.
    """

    rows: dict[str, NDArray[Any]]
    sums: dict[str, NDArray[np.int64]]
    setup: dict[str, Any]
    checks: dict[str, Any]


def save_measurements(path: Path, measurements: Measurements) -> None:
    """Write the measurements, whole or not at all. Raises OutputError."""
    header = {"format": FORMAT, "version": VERSION, "setup": measurements.setup, "checks": measurements.checks}
    arrays = {f"rows/{name}": values for name, values in measurements.rows.items()}
    arrays |= {f"sums/{name}": counts for name, counts in measurements.sums.items()}
    text = np.frombuffer(json.dumps(header).encode(), np.uint8)
    with FileTransaction() as files, files.path(path).open("wb") as stream:
        np.savez_compressed(stream, header=text, **arrays)  # type: ignore[arg-type]


def load_measurements(path: Path) -> Measurements:
    """Read measurements. Raises TrainingError when the file is missing, broken or of another version."""
    try:
        with open_arrays(path, free_memory()) as stored:
            header = parse_object(stored.read("header", np.uint8, (None,)).tobytes())
            if header["format"] != FORMAT or header["version"] != VERSION:
                raise TrainingError(f"{path} was made by another version of TerrainPaint; evaluate again.")
            arrays: dict[str, dict[str, NDArray[Any]]] = {"rows": {}, "sums": {}}
            for name in stored.names:
                kind, _, key = name.partition("/")
                if key and kind in arrays:
                    arrays[kind][key] = stored.read_any(name, "biuf")
            setup, checks = header.object("setup"), header.object("checks").values
            setup.whole("crops", 1, _MOST_CROPS)
            _check_rows(arrays["rows"])
            return Measurements(arrays["rows"], arrays["sums"], setup.values, checks)
    except (OSError, ValueError) as error:
        raise TrainingError(f"{path} is not a shard of an evaluation; make it with --shard.") from error


def _check_rows(rows: dict[str, NDArray[Any]]) -> None:
    """Raises ValueError when the crops of some rows are missing, or are others."""
    for name in ("crop@all", *rows):
        crops = rows.get("crop@" + name.partition("@")[2])
        if crops is None or crops.ndim != 1 or crops.dtype.kind not in "iu" or rows[name].shape[:1] != crops.shape:
            raise ValueError(f"{name} goes with no crops")


def merge(shards: Sequence[Measurements]) -> Measurements:
    """Join the shards of one evaluation; the result is that of an evaluation in one piece, bit for bit.

    Raises TrainingError when shards of different evaluations are mixed, or when one is missing or given twice.
    """
    first = shards[0]
    for shard in shards[1:]:
        for key, value in first.setup.items():
            if shard.setup.get(key) != value:
                raise TrainingError(
                    f"The parts do not belong together, {shown(key)} is {shown(value)} in one and "
                    f"{shown(shard.setup.get(key))} in another; merge the parts of one evaluation."
                )
    crops = np.concatenate([shard.rows["crop@all"] for shard in shards])
    if len(np.unique(crops)) != len(crops):
        raise TrainingError("A part is given twice; name each part once.")
    if len(crops) != first.setup["crops"]:
        raise TrainingError(f"The parts hold {len(crops)} of {first.setup['crops']} crops; name all parts.")
    rows = {}
    for name in {name: None for shard in shards for name in shard.rows}:
        having = [shard.rows for shard in shards if name in shard.rows]
        order = np.concatenate([arrays["crop@" + name.partition("@")[2]] for arrays in having]).argsort()
        rows[name] = np.concatenate([arrays[name] for arrays in having])[order]
    sums = {name: np.sum([shard.sums[name] for shard in shards], axis=0) for name in first.sums}
    checks = next((shard.checks for shard in shards if shard.checks), {})
    return Measurements(rows, sums, first.setup, checks)
