"""What an evaluation has measured so far, in a form in which parts of it join exactly."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.files import FileTransaction
from terrainpaint.errors import TrainingError

FORMAT = "terrainpaint-evaluation"
VERSION = 1


@dataclass(frozen=True, eq=False)
class Part:
    """Measures of some crops.

    `rows`: `WHAT@LIST` → array whose first axis goes with `number@LIST`, ascending numbers of crops: all of them, or
    those few that have it. `sums`: name → int64 counts, which add up. `told`: what was measured, and with what; `once`:
    what one of the parts says for all.
    """

    rows: dict[str, NDArray[Any]]
    sums: dict[str, NDArray[np.int64]]
    told: dict[str, Any]
    once: dict[str, Any]


def save_part(path: Path, part: Part) -> None:
    """Write a part, whole or not at all. Raises OutputError."""
    header = {"format": FORMAT, "version": VERSION, "told": part.told, "once": part.once}
    arrays = {f"rows/{name}": each for name, each in part.rows.items()}
    arrays |= {f"sums/{name}": each for name, each in part.sums.items()}
    text = np.frombuffer(json.dumps(header).encode(), np.uint8)
    with FileTransaction() as files, files.path(path).open("wb") as stream:
        np.savez_compressed(stream, header=text, **arrays)  # type: ignore[arg-type]


def load_part(path: Path) -> Part:
    """Read a part. Raises TrainingError when the file is missing, broken or of a newer version."""
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            header = json.loads(stored["header"].tobytes())
            if header["format"] != FORMAT or header["version"] > VERSION:
                raise TrainingError(f"{path} was made by a newer version; update TerrainPaint or evaluate anew.")
            kinds: dict[str, dict[str, NDArray[Any]]] = {"rows": {}, "sums": {}}
            for name in stored.files:
                kind, _, key = name.partition("/")
                if key:
                    kinds[kind][key] = stored[name]
            return Part(kinds["rows"], kinds["sums"], header["told"], header["once"])
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile, EOFError) as error:
        raise TrainingError(f"{path} is not a part of an evaluation; make it with --shard.") from error


def merge(parts: Sequence[Part]) -> Part:
    """Join the parts of one evaluation; the result is that of an evaluation in one piece, bit for bit.

    Raises TrainingError when parts of different evaluations are mixed, or when one is missing or there twice.
    """
    first = parts[0]
    for part in parts[1:]:
        for key, value in first.told.items():
            if part.told.get(key) != value:
                raise TrainingError(
                    f"The parts do not belong together, {key} is {value!r} in one and "
                    f"{part.told.get(key)!r} in another; merge the parts of one evaluation."
                )
    numbers = np.concatenate([part.rows["number@all"] for part in parts])
    if len(np.unique(numbers)) != len(numbers):
        raise TrainingError("A part is there twice; give each part once.")
    if len(numbers) != first.told["crops"]:
        raise TrainingError(f"The parts hold {len(numbers)} of {first.told['crops']} crops; give all parts.")
    rows = {}
    for name in {name: None for part in parts for name in part.rows}:
        having = [part.rows for part in parts if name in part.rows]
        order = np.concatenate([each["number@" + name.partition("@")[2]] for each in having]).argsort()
        rows[name] = np.concatenate([each[name] for each in having])[order]
    sums = {name: np.sum([part.sums[name] for part in parts], axis=0) for name in first.sums}
    once = next((part.once for part in parts if part.once), {})
    return Part(rows, sums, first.told, once)
