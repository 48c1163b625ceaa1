"""Checkpoints of a training run: its whole state, in a file that is read without running code."""

from __future__ import annotations

import errno
import math
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from terrainpaint.core.files import atomic_path, why_unreadable
from terrainpaint.errors import TrainingError
from trainer.torch_files import TorchFileError, read_torch_file

FORMAT_VERSION = 3
"""Version 1 had only the networks, the two optimizers and `random`; version 2 had no `system`."""
_ADDED_IN_2: dict[str, Any] = {
    "generator_scaler": {}, "discriminator_scaler": {}, "balance": {"done": 0},
    "best": {"images": 0, "distance": math.inf}, "log": {"sums": {}, "counts": {}},
}  # fmt: skip
_ADDED_IN_3 = {"system": "terrain"}
_COMMON = {
    "images": int, "system": str, "network": dict, "data": dict, "settings": dict, "averaged": dict, "best": dict,
    "log": dict, "random": Tensor,
}  # fmt: skip
"""The parts of every checkpoint, with their types."""
_MOST_IMAGES = 10**12
_LONGEST_NAME = 100


def save_checkpoint(folder: Path, images: int, state: dict[str, Any], keep: int, best: int) -> Path:
    """Write `checkpoint-NNNNNNNN.pt` whole or not at all; then remove all but the newest `keep` and the one of `best`
    images.

    Raises OutputError when it cannot be written; the older ones stay then.
    """
    path = folder / f"checkpoint-{images:08d}.pt"
    with atomic_path(path) as temporary:
        _write(temporary, {"version": FORMAT_VERSION, "images": images, **state})
    for old in _checkpoints(folder)[:-keep]:
        if images_of(old) != best:
            old.unlink(missing_ok=True)
    return path


def newest_checkpoint(folder: Path) -> Path | None:
    """The checkpoint of a run's folder with the most images, or None."""
    return max(_checkpoints(folder), default=None)


def checkpoint_of(folder: Path) -> Path:
    """The newest checkpoint of a run's folder. Raises TrainingError when there is none."""
    newest = newest_checkpoint(folder)
    if newest is None:
        raise TrainingError(f"{folder} holds no checkpoint; name a run's folder or a checkpoint-*.pt file.")
    return newest


def best_checkpoint(folder: Path) -> Path:
    """The checkpoint with the lowest validation score. Raises TrainingError when there is none or it is broken."""
    newest = checkpoint_of(folder)
    state = load_checkpoint(newest, torch.device("cpu"))
    best = newest.with_name(f"checkpoint-{state['best']['images']:08d}.pt")
    return best if best.exists() else newest


def load_checkpoint(path: Path, device: torch.device) -> dict[str, Any]:
    """Read a checkpoint. Its common parts have the right types; those of a system, and what is in `network`, `data`
    and `settings`, are for the caller to check.

    Raises TrainingError when it is missing, broken or of a newer version.
    """
    try:
        state = read_torch_file(path, device)
        version = _typed(state, "version", int)
        if version > FORMAT_VERSION:
            raise TrainingError(f"{path} was written by a newer version; update TerrainPaint to use it.")
        state = {**_ADDED_IN_3, **(_ADDED_IN_2 if version == 1 else {}), **state}
        for name, kind in _COMMON.items():
            _typed(state, name, kind)
        _check_parts(state)
    except FileNotFoundError as error:
        raise TrainingError(f"{path} does not exist; name a run's folder or a checkpoint-*.pt file.") from error
    except OSError as error:
        raise TrainingError(f"{path} cannot be read: {why_unreadable(error)}.") from error
    except TorchFileError as error:
        raise TrainingError(f"{path} is not a readable checkpoint; copy it again, or remove it to continue from an "
                            "older one of the run.") from error  # fmt: skip
    return dict(state)


def _typed(state: Any, name: str, kind: type) -> Any:
    value = state.get(name) if isinstance(state, dict) else None
    # Not isinstance for numbers: a bool is an int to Python.
    if not (type(value) is int if kind is int else isinstance(value, kind)):
        raise TorchFileError(f"{name} is missing or of another type")
    return value


def _check_parts(state: dict[str, Any]) -> None:
    if not 0 <= state["images"] < _MOST_IMAGES:
        raise TorchFileError("its number of images is out of range")
    name = _typed(state["network"], "name", str)
    if not name.isprintable() or len(name) > _LONGEST_NAME:  # messages show it
        raise TorchFileError("its network has no name")
    _typed(state["network"], "config", dict)
    best = state["best"]
    if not 0 <= _typed(best, "images", int) < _MOST_IMAGES or not isinstance(best.get("distance"), int | float):
        raise TorchFileError("its best checkpoint is not described")
    if not all(isinstance(name, str) and isinstance(value, Tensor) for name, value in state["averaged"].items()):
        raise TorchFileError("its averaged weights are no tensors")


def images_of(path: Path) -> int:
    """The number of images that the run had seen at a checkpoint."""
    return int(path.stem.rsplit("-", 1)[1])


def averaged_weights(state: Mapping[str, Any], name: str) -> dict[str, torch.Tensor]:
    """The averaged weights of one network of a checkpoint, by the names within that network."""
    prefix = f"{name}."
    return {key.removeprefix(prefix): value for key, value in state["averaged"].items() if key.startswith(prefix)}


def training_settings(state: dict[str, Any]) -> dict[str, Any]:
    """The settings of a checkpoint's run and its images, for publishing: files without their folders."""
    settings = {name: Path(value).name if isinstance(value, str) and os.sep in value else value
                for name, value in state["settings"].items()}  # fmt: skip
    return {**settings, "images": state["images"]}


def _write(path: Path, state: dict[str, Any]) -> None:
    try:
        torch.save(state, path)
    except RuntimeError as error:
        # PyTorch hides why the disk refused; writing a little more gets the reason of the operating system.
        with path.open("ab") as stream:
            stream.write(bytes(1 << 16))
            stream.flush()
            os.fsync(stream.fileno())
        raise OSError(errno.EIO, str(error).splitlines()[0]) from error


def _checkpoints(folder: Path) -> list[Path]:
    found = (path for path in folder.glob("checkpoint-*.pt") if re.fullmatch(r"checkpoint-\d{8,}\.pt", path.name))
    return sorted(path for path in found if path.is_file())
