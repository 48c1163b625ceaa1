"""Checkpoints of a training run: everything to go on from, in a file that is read without running code."""

from __future__ import annotations

import errno
import math
import os
import pickle
import re
from pathlib import Path
from typing import Any

import torch

from terrainpaint.core.files import atomic_path
from terrainpaint.errors import TrainingError

FORMAT_VERSION = 2
"""Version 1 had only the networks, the two optimizers and `random`."""
_NEW_IN_2: dict[str, Any] = {
    "generator_scaler": {}, "discriminator_scaler": {}, "balance": {"done": 0},
    "best": {"images": 0, "distance": math.inf}, "log": {"sums": {}, "counts": {}},
}  # fmt: skip


def save_checkpoint(folder: Path, images: int, state: dict[str, Any], keep: int, best: int) -> Path:
    """Write `checkpoint-NNNNNNNN.pt` whole or not at all; then remove all but the newest `keep` and that of `best`.

    Raises OutputError when it cannot be written; the older ones are untouched then.
    """
    path = folder / f"checkpoint-{images:08d}.pt"
    with atomic_path(path) as temporary:
        _write(temporary, {"version": FORMAT_VERSION, "images": images, **state})
    for old in _checkpoints(folder)[:-keep]:
        if images_of(old) != best:
            old.unlink(missing_ok=True)
    return path


def newest_checkpoint(folder: Path) -> Path | None:
    """The checkpoint of a run with the most images, or None."""
    return max(_checkpoints(folder), default=None)


def best_checkpoint(folder: Path) -> Path | None:
    """The checkpoint of a run that came nearest to held-out land, or None. Raises TrainingError as loading does."""
    newest = newest_checkpoint(folder)
    if newest is None:
        return None
    state = load_checkpoint(newest, torch.device("cpu"))
    best = newest.with_name(f"checkpoint-{state['best']['images']:08d}.pt")
    return best if best.exists() else newest


def load_checkpoint(path: Path, device: torch.device) -> dict[str, Any]:
    """Read a checkpoint. Raises TrainingError when it is broken or of a newer version."""
    try:
        state = torch.load(path, map_location=device, weights_only=True)
        version = state["version"]
    except (OSError, RuntimeError, KeyError, TypeError, EOFError, pickle.UnpicklingError) as error:
        raise TrainingError(f"{path} is not a readable checkpoint; remove it to go on from an older one of the run, or "
                            "copy it again.") from error  # fmt: skip
    if version > FORMAT_VERSION:
        raise TrainingError(f"{path} was written by a newer version; update TerrainPaint to go on with it.")
    return _NEW_IN_2 | state if version == 1 else dict(state)


def images_of(path: Path) -> int:
    """How many images had been shown at a checkpoint."""
    return int(path.stem.rsplit("-", 1)[1])


def _write(path: Path, state: dict[str, Any]) -> None:
    try:
        torch.save(state, path)
    except RuntimeError as error:
        # PyTorch says in words of its own that the disk is full; what the disk says is what a user can act on.
        with path.open("ab") as stream:
            stream.write(bytes(1 << 16))
            stream.flush()
            os.fsync(stream.fileno())
        raise OSError(errno.EIO, str(error).splitlines()[0]) from error


def _checkpoints(folder: Path) -> list[Path]:
    return sorted(each for each in folder.glob("checkpoint-*.pt") if re.fullmatch(r"checkpoint-\d{8,}\.pt", each.name))
