"""The log of a run: JSON lines and TensorBoard always, Weights & Biases on request.

A log that cannot be written, because the disk is full or the folder was removed, does not end the run: the lines are
lost, with a warning, and the next ones are tried again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.files import atomic_path, open_regular, output_error
from terrainpaint.core.installing import pip_install
from terrainpaint.errors import TrainingError
from trainer.loop.event_file import EventFile

Warn = Callable[[str], object]
"""Called with a sentence for the user."""


class RunLog:
    """Collects the values of steps and writes their means. A context manager; its sums are part of a checkpoint."""

    def __init__(self, folder: Path, images: int, settings: dict[str, Any], wandb_project: str, warn: Warn) -> None:
        """Continue after `images` images; lines of an interrupted run beyond them are removed.

        Raises TrainingError when TensorBoard, or Weights & Biases with a `wandb_project`, is not installed, and
        OutputError when the folder cannot be written.
        """
        self._sums: dict[str, float] = {}
        self._counts: dict[str, int] = {}
        self._warn = warn
        self._path = folder / "log.jsonl"
        # First, so that no file is open when it is missing.
        self._wandb = _wandb(wandb_project, folder, settings) if wandb_project else None
        try:
            _remove_lines_after(self._path, images)
            self._board = EventFile(folder / "tensorboard", images)
        except OSError as error:
            raise output_error(self._path, error) from error

    def __enter__(self) -> RunLog:
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self._board.close()
        if self._wandb is not None:
            self._wandb.finish(exit_code=0 if error is None else 1)

    def add(self, values: dict[str, float]) -> None:
        """Add the values of a step; not every step has every value."""
        for name, value in values.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
            self._counts[name] = self._counts.get(name, 0) + 1

    def write(self, images: int, values: dict[str, float]) -> dict[str, float]:
        """Write the means since the last line together with some other values, and return them all."""
        means = {name: value / self._counts[name] for name, value in self._sums.items()} | values
        self._sums, self._counts = {}, {}
        self._write(images, means)
        return means

    def note(self, images: int, values: Mapping[str, float]) -> None:
        """Write values that are not measured in every step."""
        self._write(images, dict(values))

    def _write(self, images: int, means: dict[str, float]) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps({"images": images, **means}) + "\n")
            self._board.add_values(means, images)
        except OSError as error:
            self._warn(str(output_error(self._path, error)))
        if self._wandb is not None:
            self._wandb.log(means, step=images)

    def add_picture(self, name: str, picture: NDArray[np.uint8], images: int) -> None:
        """Add a picture, (H, W, 3) uint8 sRGB, to TensorBoard."""
        try:
            self._board.add_picture(name, picture, images)
        except OSError as error:
            self._warn(str(output_error(self._path, error)))

    def state_dict(self) -> dict[str, Any]:
        """Sums and counts since the last line of means."""
        return {"sums": dict(self._sums), "counts": dict(self._counts)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore sums and counts."""
        self._sums, self._counts = dict(state["sums"]), dict(state["counts"])


def _remove_lines_after(path: Path, images: int) -> None:
    """Remove lines of later steps, and lines that are damaged, as a power cut leaves them. Raises OSError."""
    if not path.exists():
        return
    kept = []
    with open_regular(path) as file:
        text = file.readall().decode("utf-8", "replace")
    for line in text.splitlines():
        try:
            if json.loads(line)["images"] <= images:
                kept.append(line + "\n")
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
    if kept:
        with atomic_path(path) as temporary:
            temporary.write_text("".join(kept), encoding="utf-8")
    else:
        path.unlink()


def _wandb(project: str, folder: Path, settings: dict[str, Any]) -> Any:
    try:
        import wandb  # type: ignore[import-not-found, unused-ignore]
    except ImportError as error:
        raise TrainingError(f"--wandb needs Weights & Biases; run: {pip_install('wandb')}, or leave it out.") from error
    # The run of a folder keeps its id when it is resumed.
    name = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]
    return wandb.init(project=project, name=folder.name, id=name, resume="allow", dir=folder, config=settings)
