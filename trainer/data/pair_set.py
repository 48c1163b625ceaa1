"""The set of pairs: square pictures in two versions, of which a network learns to make the second from the first.

The file is packed as tile sets are; both versions are stored as JPEG.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.array_file import ArrayFile
from terrainpaint.core.main_memory import require_room
from terrainpaint.errors import TrainingError
from trainer.data.packed_pictures import (
    MOST_SIDE_PX,
    PAIR_SET_FORMAT,
    PIXEL_SIZE_M,
    SHARP_JPEG,
    PackedPictures,
    format_of,
    header_of,
    pack_pictures,
    read_packed,
    style_name,
    text_pairs,
    texts,
    write_packed,
)
from trainer.data.tile_set import read_split

FORMAT_VERSION = 1


@dataclass(frozen=True)
class PairSet:
    """N pairs of square pictures of S pixels, row 0 = north.

    `source` and `target` (N, S, S, 3) uint8 sRGB, pixel by pixel the same place; `split` (N,) uint8, TRAIN or
    VALIDATION; `names` the file or the place of each pair; `centre_deg` (N, 2) float32 latitude and longitude, NaN
    where unknown; `source_style` and `target_style` the names of the two versions; `credits` the attribution that the
    sources ask for; `pixel_size_m` metres, None where pictures have no ground size; `left_out` the files and places
    that were not used, each with the reason; `notes` what was found in files that were used.
    """

    source: NDArray[np.uint8]
    target: NDArray[np.uint8]
    split: NDArray[np.uint8]
    names: tuple[str, ...]
    centre_deg: NDArray[np.float32]
    source_style: str
    target_style: str
    credits: str
    pixel_size_m: float | None
    left_out: tuple[tuple[str, str], ...] = ()
    notes: tuple[tuple[str, str], ...] = ()

    def __len__(self) -> int:
        return len(self.source)

    @property
    def side_px(self) -> int:
        """Side of a picture in pixels."""
        return int(self.source.shape[1])

    @property
    def style(self) -> str:
        """Both versions, as "atlas → satellite"."""
        return f"{self.source_style} → {self.target_style}"

    def subset(self, split: int) -> PairSet:
        """The pairs of one split, TRAIN or VALIDATION."""
        return self.take(np.flatnonzero(self.split == split))

    def take(self, indices: NDArray[np.int64]) -> PairSet:
        """The pairs of these indices, in their order."""
        return replace(
            self,
            source=self.source[indices],
            target=self.target[indices],
            split=self.split[indices],
            names=tuple(self.names[index] for index in indices.tolist()),
            centre_deg=self.centre_deg[indices],
        )

    def reversed(self) -> PairSet:
        """The same pairs with source and target swapped."""
        return replace(self, source=self.target, target=self.source,
                       source_style=self.target_style, target_style=self.source_style)  # fmt: skip


def save_pair_set(path: Path, pairs: PairSet) -> None:
    """Write a set of pairs, whole or not at all. Raises OutputError when it cannot be written."""
    arrays: dict[str, NDArray[Any]] = {"split": pairs.split, "centre_deg": pairs.centre_deg}
    for name, pictures in (("source", pairs.source), ("target", pairs.target)):
        pack_pictures(arrays, name, (picture[:, :, ::-1] for picture in pictures), SHARP_JPEG)
    header = {
        "format": PAIR_SET_FORMAT,
        "version": FORMAT_VERSION,
        "side_px": pairs.side_px,
        "names": pairs.names,
        "source_style": pairs.source_style,
        "target_style": pairs.target_style,
        "credits": pairs.credits,
        "pixel_size_m": pairs.pixel_size_m,
        "left_out": pairs.left_out,
        "notes": pairs.notes,
    }
    write_packed(path, header, arrays)


def load_pair_set(path: Path) -> PairSet:
    """Read a set of pairs. Raises TrainingError when the file is missing, broken, of a newer version or a tile set."""
    return read_packed(path, lambda stored: _read(path, stored), "a set of pairs", "pairs")


def is_pair_set(path: Path) -> bool:
    """Whether the header of a file says that it is a set of pairs; False when it cannot be read."""
    return format_of(path) == PAIR_SET_FORMAT


def _read(path: Path, stored: ArrayFile) -> PairSet:
    wanted = (
        "pairs of pictures are needed; join two tile sets with 'python -m trainer pairs --source-set A.npz "
        "--target-set B.npz'"
    )
    header = header_of(path, stored, PAIR_SET_FORMAT, FORMAT_VERSION, wanted)
    side = header.whole("side_px", 1, MOST_SIDE_PX)
    packed = {name: PackedPictures.of(stored, name) for name in ("source", "target")}
    names = texts(header, "names")
    count = len(names)
    if any(len(pictures) != count for pictures in packed.values()):
        raise ValueError("layers of different lengths")
    require_room(path, count * side * side * 6, TrainingError)
    split = read_split(stored, count)
    return PairSet(
        source=packed["source"].pictures(cv2.IMREAD_COLOR_RGB, (side, side, 3), np.uint8),
        target=packed["target"].pictures(cv2.IMREAD_COLOR_RGB, (side, side, 3), np.uint8),
        split=split,
        names=names,
        centre_deg=stored.read("centre_deg", np.float32, (count, 2)),
        source_style=style_name(header, "source_style"),
        target_style=style_name(header, "target_style"),
        credits=header.text("credits"),
        pixel_size_m=None if header["pixel_size_m"] is None else header.number("pixel_size_m", *PIXEL_SIZE_M),
        left_out=text_pairs(header, "left_out"),
        notes=text_pairs(header, "notes"),
    )
