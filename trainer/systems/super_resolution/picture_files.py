"""Picture files → picture files two or four times finer, and the weights files that do it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from terrainpaint.core.progress import Progress
from trainer.data.made_pictures import make_files
from trainer.loop.checkpoints import load_checkpoint
from trainer.systems.picture_weights import PictureFile, PictureWeights, read_description
from trainer.systems.super_resolution.picture_detail import PictureDetail, shape_of
from trainer.systems.super_resolution.picture_system import NETWORK

_WINDOW = 256
"""Pixels of the input to the side of what is made at once."""
_BYTES_OF_A_PIXEL = 8
"""Memory for each pixel of the result."""


def publish_pictures(checkpoint: Path, target: Path, licence: str) -> str:
    """Write the averaged network of a checkpoint. Returns a description of it.

    Raises TrainingError when the checkpoint cannot be used, OutputError when the file cannot be written.
    """
    file = _WEIGHTS.publish(checkpoint, target, licence)
    return f"pictures made {file.generator.shape.factor} times finer, style {file.style}"


def is_of_pictures(path: Path) -> bool:
    """Whether a checkpoint or a weights file of super-resolution is of pictures. Raises TrainingError."""
    if path.suffix == ".pt":
        return bool(load_checkpoint(path, torch.device("cpu"))["network"]["name"] == NETWORK)
    return read_description(path).values.get("network") == NETWORK


def load_pictures(path: Path) -> PictureFile[PictureDetail]:
    """The network of a checkpoint or a weights file of pictures. Raises TrainingError."""
    return _WEIGHTS.load(path)


def finer_files(path: Path, source: Path, target: Path, seed: int, progress: Progress) -> list[str]:
    """Make a picture, or those of a folder, finer with a checkpoint or a weights file; returns lines to print.

    Raises TrainingError when the files cannot be used, OutputError.
    """
    network = load_pictures(path).generator
    needed = network.shape.factor**2 * _BYTES_OF_A_PIXEL
    return make_files(lambda pixels: finer(network, pixels, seed), needed, source, target, progress)


@torch.inference_mode()
def finer(network: PictureDetail, pixels: NDArray[np.uint8], seed: int) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 sRGB → (factor H, factor W, 3), made in windows that fit together."""
    factor, margin = network.shape.factor, network.margin
    rows, cols = pixels.shape[:2]
    whole = torch.from_numpy(pixels.copy()).movedim(-1, 0)[None].float() / 255
    whole = F.pad(whole, (margin,) * 4, mode="replicate")
    made = np.empty((factor * rows, factor * cols, 3), np.uint8)
    for top, left in _windows(rows, cols):
        height, width = min(_WINDOW, rows - top), min(_WINDOW, cols - left)
        part = whole[..., top : top + height + 2 * margin, left : left + width + 2 * margin]
        fine = (network.by_place(part, seed, top, left)[0] * 255).round().byte().movedim(0, -1).numpy()
        made[factor * top : factor * (top + height), factor * left : factor * (left + width)] = fine
    return made


def _windows(rows: int, cols: int) -> Iterator[tuple[int, int]]:
    return ((top, left) for top in range(0, rows, _WINDOW) for left in range(0, cols, _WINDOW))


def _build(config: Mapping[str, Any]) -> PictureDetail:
    return PictureDetail(shape_of(config))


_WEIGHTS = PictureWeights(NETWORK, "super-resolution of pictures", _build, lambda network: asdict(network.shape))
