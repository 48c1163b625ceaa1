"""Picture files → picture files in the other style."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from terrainpaint.core.progress import Progress
from trainer.data.made_pictures import make_files
from trainer.sampling.grid import to_uint8
from trainer.systems.pix2pix.generators import bytes_of_a_pixel
from trainer.systems.pix2pix.weights import Translator


def translate_files(translator: Translator, source: Path, target: Path, seed: int, progress: Progress) -> list[str]:
    """Translate a picture, or those of a folder; the results have the same sizes. Returns lines to print.

    Raises TrainingError when nothing can be used, OutputError.
    """

    def translated(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        picture = torch.from_numpy(pixels.copy()).movedim(-1, 0)[None].float() / 127.5 - 1
        made = translator(F.pad(picture, (translator.margin_px,) * 4, mode="replicate"), seed)
        return np.asarray(to_uint8(made)[0], np.uint8)

    return make_files(translated, bytes_of_a_pixel(translator.generator), source, target, progress)
