"""Write the pairs of a set as pictures with both versions side by side, as other programs for pairs read them."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np

from terrainpaint.core.files import FileTransaction
from trainer.data.packed_pictures import SHARP_JPEG
from trainer.data.pair_set import PairSet
from trainer.data.tile_set import TRAIN, VALIDATION

FOLDERS = {TRAIN: "train", VALIDATION: "val"}
"""The folder of each split; `pair_files` reads the split from it again."""


def write_joined(folder: Path, pairs: PairSet) -> None:
    """Write one JPEG for each pair, source left and target right, to a folder for each split: all of them or none.

    They are named by their number and the name of the pair. Raises OutputError when they cannot be written.
    """
    with FileTransaction() as files:
        for number, (name, split) in enumerate(zip(pairs.names, pairs.split.tolist(), strict=True)):
            plain = re.sub(r"[^\w.+-]+", "_", Path(name).with_suffix("").as_posix() if "/" in name else name)
            path = folder / FOLDERS[split] / f"{number:05}_{plain[:100]}.jpg"
            joined = np.hstack([pairs.source[number], pairs.target[number]])[:, :, ::-1]
            suffix, options = SHARP_JPEG
            files.path(path).write_bytes(cv2.imencode(suffix, np.ascontiguousarray(joined), options)[1].tobytes())
