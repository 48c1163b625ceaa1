"""The files around a projection: the picture that is projected, and what comes out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from terrainpaint.core.files import FileTransaction, write_image
from terrainpaint.core.progress import no_progress
from terrainpaint.errors import TrainingError
from trainer.data.image_folder import UnusableFile, read_rgb
from trainer.exploration.latent_models import StyleModel
from trainer.exploration.outputs import enlarged, write_film
from trainer.exploration.projection import Step, projection_arrays

LEAST_SIDE_PX = 16
"""Smaller pictures show nothing to look for."""


def read_target(path: Path, size_px: int) -> tuple[NDArray[np.uint8], str]:
    """The middle square of a picture as (S, S, 3) uint8, and a sentence about what was cut off or enlarged, or none.

    Raises TrainingError when the file is no picture, or a very small one.
    """
    try:
        picture = read_rgb(path)
    except UnusableFile as error:
        raise TrainingError(f"{path} {error}.") from error
    height, width = picture.shape[:2]
    side = min(height, width)
    if side < LEAST_SIDE_PX:
        raise TrainingError(f"{path} is {width} x {height} px; a picture to project has {LEAST_SIDE_PX} px a side at "
                            "least.")  # fmt: skip
    row, col = (height - side) // 2, (width - side) // 2
    square = Image.fromarray(picture[row : row + side, col : col + side])
    notes = []
    if height != width:
        notes.append(f"the middle {side} x {side} px of its {width} x {height} px are projected")
    if side < size_px:
        notes.append(f"it is enlarged to {size_px} px")
    target = np.array(square.resize((size_px, size_px), Image.Resampling.LANCZOS), np.uint8)
    return target, f"{path}: {', and '.join(notes)}" if notes else ""


class ProjectionFiles:
    """Collects the losses of a projection and, each `film_every` steps (0: never), pictures of its film.

    It writes target.png into the folder at once, so that one that cannot be written is known before the long search.
    Raises OutputError.
    """

    def __init__(self, folder: Path, model: StyleModel, target: NDArray[np.uint8], film_every: int) -> None:
        with FileTransaction() as files:
            write_image(files.path(folder / "target.png"), target[:, :, ::-1])
        self._folder = folder
        self._model, self._target, self._every = model, target, film_every
        self._steps: list[tuple[float, float, float]] = []
        self._frames: list[NDArray[np.uint8]] = []
        self._last: Step | None = None

    @property
    def distances(self) -> list[float]:
        """Of all steps so far."""
        return [step[0] for step in self._steps]

    def add(self, step: Step) -> None:
        """Take the next step, before it is made; the last one is the result."""
        if self._every and len(self._steps) % self._every == 0:
            self._frames.append(step.projection.picture(self._model))
        self._steps.append((step.distance, step.noise_penalty, step.rate))
        self._last = step

    def write(self, setup: Mapping[str, Any], times: int, fps: float) -> None:
        """Write projection.png, projection.npz, losses.csv, projection.json, and projection.mp4: the target and the
        picture of each step, enlarged. Raises OutputError."""
        assert self._last is not None
        folder = self._folder
        picture = self._last.projection.picture(self._model)
        lines = [f"{number},{distance:.6f},{penalty:.6f},{rate:.6f}" for number, (distance, penalty, rate) in
                 enumerate(self._steps)]  # fmt: skip
        figures = {**setup, "first distance": self._steps[0][0], "last distance": self._steps[-1][0]}
        with FileTransaction() as files:
            write_image(files.path(folder / "projection.png"), picture[:, :, ::-1])
            with files.path(folder / "projection.npz").open("wb") as file:
                np.savez(file, allow_pickle=False, **projection_arrays(self._last.projection))
            text = "\n".join(["step,distance,noise penalty,rate", *lines]) + "\n"
            files.path(folder / "losses.csv").write_text(text, encoding="utf-8")
            files.path(folder / "projection.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        if self._every:
            frames = [
                enlarged(np.concatenate([self._target, each], axis=1), times) for each in [*self._frames, picture]
            ]
            write_film(folder / "projection.mp4", frames, len(frames), fps, no_progress)
