"""Checkpoints of a training run: everything to go on from, in a file that is read without running code."""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import Any

import torch

from terrainpaint.core.files import FileTransaction
from terrainpaint.errors import TrainingError

FORMAT_VERSION = 1
KEPT = 2


def save_checkpoint(folder: Path, images: int, state: dict[str, Any]) -> Path:
    """Write `checkpoint-NNNNNNNN.pt` whole or not at all, and remove all but the newest two."""
    path = folder / f"checkpoint-{images:08d}.pt"
    with FileTransaction() as files:
        torch.save({"version": FORMAT_VERSION, "images": images, **state}, files.path(path))
    for old in _checkpoints(folder)[:-KEPT]:
        old.unlink(missing_ok=True)
    return path


def newest_checkpoint(folder: Path) -> Path | None:
    """The checkpoint of a run with the most images, or None."""
    return max(_checkpoints(folder), default=None)


def load_checkpoint(path: Path, device: torch.device) -> dict[str, Any]:
    """Read a checkpoint. Raises TrainingError when it is broken or of a newer version."""
    try:
        state = torch.load(path, map_location=device, weights_only=True)
        version = state["version"]
    except (OSError, RuntimeError, KeyError, TypeError, EOFError, pickle.UnpicklingError) as error:
        raise TrainingError(f"{path} is not a readable checkpoint; go on from an older one of the run.") from error
    if version > FORMAT_VERSION:
        raise TrainingError(f"{path} was written by a newer version; update TerrainPaint to go on with it.")
    return dict(state)


def _checkpoints(folder: Path) -> list[Path]:
    return sorted(each for each in folder.glob("checkpoint-*.pt") if re.fullmatch(r"checkpoint-\d{8}\.pt", each.name))
