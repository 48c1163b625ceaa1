"""The layout set: large square maps of the seven classes, cut from the whole Earth, to train layouts on.

The file is packed by `packed_pictures`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.array_file import ArrayFile
from terrainpaint.core.classes import CLASS_COUNT
from terrainpaint.core.main_memory import require_room
from terrainpaint.errors import TrainingError
from trainer.data.packed_pictures import (
    LAYOUT_SET_FORMAT,
    MOST_SIDE_PX,
    PIXEL_SIZE_M,
    PNG,
    PackedPictures,
    format_of,
    header_of,
    pack_pictures,
    read_packed,
    write_packed,
)
from trainer.data.tile_set import read_split

FORMAT_VERSION = 1
UNKNOWN = 255
"""Stands for a pixel that must not be used: without data, or held out from the tiles of training."""


@dataclass(frozen=True)
class LayoutSet:
    """N square maps of S pixels; north is up in none of them, each is turned at random.

    `ids` (N, S, S) uint8 class ids, or UNKNOWN; `split` (N,) uint8, TRAIN or VALIDATION; `centre_deg` (N, 2) float32
    latitude and longitude; `pixel_size_m` metres; `credits` the attribution that the sources ask for.
    """

    ids: NDArray[np.uint8]
    split: NDArray[np.uint8]
    centre_deg: NDArray[np.float32]
    pixel_size_m: float
    credits: str = ""

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def tile_px(self) -> int:
        """Side of a map in pixels."""
        return int(self.ids.shape[1])

    def subset(self, split: int) -> LayoutSet:
        """The maps of one split, TRAIN or VALIDATION."""
        keep = self.split == split
        return replace(self, ids=self.ids[keep], split=self.split[keep], centre_deg=self.centre_deg[keep])


def is_layout_set(path: Path) -> bool:
    """Whether a file says that it is a layout set."""
    return format_of(path) == LAYOUT_SET_FORMAT


def save_layout_set(path: Path, layouts: LayoutSet) -> None:
    """Write a layout set, whole or not at all. Raises OutputError when it cannot be written."""
    arrays: dict[str, NDArray[Any]] = {"split": layouts.split, "centre_deg": layouts.centre_deg}
    pack_pictures(arrays, "ids", layouts.ids, PNG)
    header = {
        "format": LAYOUT_SET_FORMAT,
        "version": FORMAT_VERSION,
        "pixel_size_m": layouts.pixel_size_m,
        "tile_px": layouts.tile_px,
        "credits": layouts.credits,
    }
    write_packed(path, header, arrays)


def load_layout_set(path: Path) -> LayoutSet:
    """Read a layout set. Raises TrainingError when the file is missing, broken or of a newer version."""
    return read_packed(path, lambda stored: _read(path, stored), "a layout set", "layouts")


def _read(path: Path, stored: ArrayFile) -> LayoutSet:
    wanted = "layouts are trained on a layout set; make one with 'python -m trainer layouts'"
    header = header_of(path, stored, LAYOUT_SET_FORMAT, FORMAT_VERSION, wanted)
    side = header.whole("tile_px", 1, MOST_SIDE_PX)
    packed = PackedPictures.of(stored, "ids")
    count = len(packed)
    require_room(path, count * side * side, TrainingError)
    ids = packed.pictures(cv2.IMREAD_UNCHANGED, (side, side), np.uint8)
    if (ids[ids != UNKNOWN] >= CLASS_COUNT).any():
        raise ValueError("ids that are no classes")
    split = read_split(stored, count)
    return LayoutSet(
        ids, split, stored.read("centre_deg", np.float32, (count, 2)),
        header.number("pixel_size_m", *PIXEL_SIZE_M), header.text("credits"),
    )  # fmt: skip
