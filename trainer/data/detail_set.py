"""The detail set: real heights at several ground sizes of a pixel, some with albedo, to train fine land on.

The file is packed by `packed_pictures`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.array_file import ArrayFile
from terrainpaint.core.main_memory import require_room
from terrainpaint.errors import TrainingError
from trainer.data.packed_pictures import (
    DETAIL_SET_FORMAT,
    MOST_SIDE_PX,
    PNG,
    SHARP_JPEG,
    PackedPictures,
    format_of,
    header_of,
    pack_pictures,
    read_packed,
    texts,
    write_packed,
)
from trainer.data.tile_set import read_split

FORMAT_VERSION = 1
_STEP_M, _LOWEST_M = 0.125, -500.0
"""Heights are stored as 16-bit multiples of an eighth of a metre: whole metres would be terraces on plains."""


@dataclass(frozen=True)
class DetailSet:
    """N square tiles of S pixels.

    `height` (N, S, S) uint16, see `metres`; `water` (N, S, S) bool; `known` (N, S, S) bool, pixels that may be learned
    from, heights elsewhere are those of the nearest known pixel; `pixel_size_m` (N,) float64; `split` (N,) uint8, TRAIN
    or VALIDATION; `names` of the source of each; `albedo` (M, S, S, 3) uint8 sRGB without light, of the tiles
    `albedo_of` (M,) int64 and of the styles `styles` (M names); `credits` the attribution that the sources ask for.
    """

    height: NDArray[np.uint16]
    water: NDArray[np.bool_]
    known: NDArray[np.bool_]
    pixel_size_m: NDArray[np.float64]
    split: NDArray[np.uint8]
    names: tuple[str, ...]
    albedo: NDArray[np.uint8]
    albedo_of: NDArray[np.int64]
    styles: tuple[str, ...]
    credits: str = ""

    def __len__(self) -> int:
        return len(self.height)

    @property
    def tile_px(self) -> int:
        """Side of a tile in pixels."""
        return int(self.height.shape[1])

    def of_scale(self, pixel_size_m: float, split: int) -> NDArray[np.int64]:
        """The tiles of a ground size, which may differ by a fifth, and of one split."""
        near = np.abs(np.log(self.pixel_size_m / pixel_size_m)) < np.log(1.2)
        return np.flatnonzero(near & (self.split == split))


def metres(stored: NDArray[np.uint16]) -> NDArray[np.float32]:
    """Heights in metres, float32, of the numbers that a set stores."""
    return stored.astype(np.float32) * np.float32(_STEP_M) + np.float32(_LOWEST_M)


def stored_heights(height_m: NDArray[np.floating]) -> NDArray[np.uint16]:
    """The inverse of `metres`; heights beyond -500 and 7691 m become these."""
    return np.asarray(np.clip(np.rint((height_m - _LOWEST_M) / _STEP_M), 0, 65535), np.uint16)


def is_detail_set(path: Path) -> bool:
    """Whether a file says that it is a detail set."""
    return format_of(path) == DETAIL_SET_FORMAT


def save_detail_set(path: Path, details: DetailSet) -> None:
    """Write a detail set, whole or not at all. Raises OutputError when it cannot be written."""
    arrays: dict[str, NDArray[Any]] = {
        "split": details.split, "pixel_size_m": details.pixel_size_m, "albedo_of": details.albedo_of,
    }  # fmt: skip
    pack_pictures(arrays, "height", details.height, PNG)
    masks = zip(details.water, details.known, strict=True)
    pack_pictures(arrays, "masks", (water.astype(np.uint8) + 2 * known.astype(np.uint8) for water, known in masks), PNG)
    pack_pictures(arrays, "albedo", (tile[:, :, ::-1] for tile in details.albedo), SHARP_JPEG)
    header = {
        "format": DETAIL_SET_FORMAT,
        "version": FORMAT_VERSION,
        "tile_px": details.tile_px,
        "names": details.names,
        "styles": details.styles,
        "credits": details.credits,
    }
    write_packed(path, header, arrays)


def load_detail_set(path: Path) -> DetailSet:
    """Read a detail set. Raises TrainingError when the file is missing, broken or of a newer version."""
    return read_packed(path, lambda stored: _read(path, stored), "a detail set", "details")


def _read(path: Path, stored: ArrayFile) -> DetailSet:
    wanted = "fine land is trained on a detail set; make one with 'python -m trainer details'"
    header = header_of(path, stored, DETAIL_SET_FORMAT, FORMAT_VERSION, wanted)
    side = header.whole("tile_px", 1, MOST_SIDE_PX)
    runs = {name: PackedPictures.of(stored, name) for name in ("height", "masks", "albedo")}
    count, coloured = len(runs["height"]), len(runs["albedo"])
    names, styles = texts(header, "names"), texts(header, "styles")
    if {len(runs["masks"]), len(names)} != {count} or len(styles) != coloured:
        raise ValueError("layers of different lengths")
    require_room(path, side * side * (6 * count + 3 * coloured), TrainingError)
    masks = runs["masks"].pictures(cv2.IMREAD_UNCHANGED, (side, side), np.uint8)
    split = read_split(stored, count)
    albedo_of = stored.read("albedo_of", np.int64, (coloured,))
    sizes = stored.read("pixel_size_m", np.float64, (count,))
    if (albedo_of < 0).any() or (albedo_of >= count).any() or not (sizes > 0).all() or not np.isfinite(sizes).all():
        raise ValueError("numbers out of range")
    return DetailSet(
        height=runs["height"].pictures(cv2.IMREAD_UNCHANGED, (side, side), np.uint16),
        water=(masks & 1).astype(bool),
        known=(masks & 2).astype(bool),
        pixel_size_m=sizes,
        split=split,
        names=names,
        albedo=runs["albedo"].pictures(cv2.IMREAD_COLOR_RGB, (side, side, 3), np.uint8),
        albedo_of=albedo_of,
        styles=styles,
        credits=header.text("credits"),
    )
