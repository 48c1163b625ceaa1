"""The tile set: square tiles of texture and height at one ground size of a pixel, in one small file.

The file is packed by `packed_pictures`. Textures are stored as JPEG and the other layers as PNG.
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
    JPEG,
    MOST_SIDE_PX,
    PIXEL_SIZE_M,
    PNG,
    TILE_SET_FORMAT,
    PackedPictures,
    header_of,
    pack_pictures,
    read_packed,
    style_name,
    text_pairs,
    texts,
    write_packed,
)

FORMAT_VERSION = 2
"""Version 1 has always heights, and neither `names` nor `left_out`."""
TRAIN, VALIDATION = 0, 1
_MOST_VARIANTS = 1000


@dataclass(frozen=True)
class TileSet:
    """N square tiles of S pixels, row 0 = north.

    `texture` (N, S, S, 3) uint8 sRGB; `height` (N, S, S) int16 metres; `sea` (N, S, S) bool, pixels of the sea;
    `valid` (N, S, S) bool, pixels that may be trained on; `labels` (N, V, S, S) uint8 class ids in V variants of
    smoothing, V = 0 before labelling; `split` (N,) uint8, TRAIN or VALIDATION; `centre_deg` (N, 2) float32 latitude
    and longitude, NaN where the source had no position; `pixel_size_m` metres; `style` name of the texture style;
    `credits` the attribution that the sources ask for; `has_height` False where the source had no heights, `height` is
    0 then; `names` the file that each tile was cut from, or empty for rasters; `left_out` the files that were not used,
    each with the reason; `notes` what was found in files that were used, such as gaps in their heights, each with the
    name of the file.
    """

    texture: NDArray[np.uint8]
    height: NDArray[np.int16]
    sea: NDArray[np.bool_]
    valid: NDArray[np.bool_]
    labels: NDArray[np.uint8]
    split: NDArray[np.uint8]
    centre_deg: NDArray[np.float32]
    pixel_size_m: float
    style: str
    credits: str
    has_height: bool = True
    names: tuple[str, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()
    notes: tuple[tuple[str, str], ...] = ()

    def __len__(self) -> int:
        return len(self.texture)

    @property
    def tile_px(self) -> int:
        """Side of a tile in pixels."""
        return int(self.texture.shape[1])

    @property
    def has_maps(self) -> bool:
        """Whether each tile has at least one map of the seven classes."""
        return bool(self.labels.shape[1])

    def trains(self) -> str:
        """What the set can train, as the end of a sentence."""
        match self.has_height, self.has_maps:
            case True, True:
                return "terrain, texture and height from a map"
            case True, False:
                return "terrain, once it has maps: run 'python -m trainer label' on it"
            case False, True:
                return "networks that make a picture of a map; no terrain, since it has no heights"
            case _:
                return "pictures from noise (dcgan, stylegan2); no terrain, since it has neither heights nor maps"

    def require_heights(self) -> None:
        """Raises TrainingError when the set has no heights, which labelling and terrain need."""
        if not self.has_height:
            raise TrainingError(f"The tile set '{self.style}' has no heights, so it cannot train terrain; prepare it "
                                "again with heights, or train pictures from noise with --system dcgan.")  # fmt: skip

    def require_maps(self) -> None:
        """Raises TrainingError when the tiles have no maps of the classes."""
        if not self.has_maps:
            raise TrainingError("The tile set has no maps yet; run 'python -m trainer label' on it first.")

    def with_labels(self, labels: NDArray[np.uint8]) -> TileSet:
        """The same set with other `labels`, (N, V, S, S) uint8."""
        return replace(self, labels=labels)

    def subset(self, split: int) -> TileSet:
        """The tiles of one split, TRAIN or VALIDATION."""
        return self.take(self.split == split)

    def take(self, keep: NDArray[np.bool_]) -> TileSet:
        """The tiles of a mask (N,) bool, with their splits."""
        arrays = ("texture", "height", "sea", "valid", "labels", "split", "centre_deg")
        names = tuple(name for name, kept in zip(self.names, keep, strict=False) if kept)
        return replace(self, names=names, **{name: getattr(self, name)[keep] for name in arrays})


def save_tile_set(path: Path, tiles: TileSet) -> None:
    """Write a tile set, whole or not at all. Raises OutputError when it cannot be written."""
    arrays: dict[str, NDArray[Any]] = {"split": tiles.split, "centre_deg": tiles.centre_deg}
    pack_pictures(arrays, "texture", (tile[:, :, ::-1] for tile in tiles.texture), JPEG)
    pack_pictures(arrays, "height", (tile.view(np.uint16) for tile in tiles.height), PNG)
    # Both masks are bits of one picture, which is smaller than two.
    masks = zip(tiles.sea, tiles.valid, strict=True)
    pack_pictures(arrays, "masks", (sea.astype(np.uint8) + 2 * valid.astype(np.uint8) for sea, valid in masks), PNG)
    pack_pictures(arrays, "labels", (variant for tile in tiles.labels for variant in tile), PNG)
    header: dict[str, Any] = {
        "format": TILE_SET_FORMAT,
        "version": FORMAT_VERSION,
        "pixel_size_m": tiles.pixel_size_m,
        "style": tiles.style,
        "credits": tiles.credits,
        "tile_px": tiles.tile_px,
        "label_variants": tiles.labels.shape[1],
        "has_height": tiles.has_height,
        "names": tiles.names,
        "left_out": tiles.left_out,
    }
    if tiles.notes:
        header["notes"] = tiles.notes
    write_packed(path, header, arrays)


def load_tile_set(path: Path) -> TileSet:
    """Read a tile set. Raises TrainingError when the file is missing, broken or of a newer version."""
    return read_packed(path, lambda stored: _read(path, stored), "a tile set", "prepare")


def read_split(stored: ArrayFile, count: int) -> NDArray[np.uint8]:
    """(`count`,) uint8, TRAIN or VALIDATION: the split of each member of a set. Raises ValueError for other numbers, or
    another count of them."""
    split = stored.read("split", np.uint8, (count,))
    if (split > VALIDATION).any():
        raise ValueError("a split that does not exist")
    return split


def _read(path: Path, stored: ArrayFile) -> TileSet:
    wanted = "a tile set is needed; make one with 'python -m trainer prepare'"
    header = header_of(path, stored, TILE_SET_FORMAT, FORMAT_VERSION, wanted)
    side, variants = header.whole("tile_px", 1, MOST_SIDE_PX), header.whole("label_variants", 0, _MOST_VARIANTS)
    runs = {name: PackedPictures.of(stored, name) for name in ("texture", "height", "masks", "labels")}
    count = len(runs["masks"])
    if any(len(runs[name]) != count for name in ("texture", "height")) or len(runs["labels"]) != count * variants:
        raise ValueError("layers of different lengths")
    # Texture, heights, masks before and after they are unpacked, labels.
    require_room(path, count * side * side * (3 + 2 + 3 + variants), TrainingError)
    masks = runs["masks"].pictures(cv2.IMREAD_UNCHANGED, (side, side), np.uint8)
    labels = runs["labels"].pictures(cv2.IMREAD_UNCHANGED, (side, side), np.uint8)
    if labels.size and labels.max() >= CLASS_COUNT:
        raise ValueError("labels that are no classes")
    split = read_split(stored, count)
    names = texts(header, "names")
    if len(names) not in (0, count):
        raise ValueError("names of another number of tiles")
    return TileSet(
        texture=runs["texture"].pictures(cv2.IMREAD_COLOR_RGB, (side, side, 3), np.uint8),
        height=runs["height"].pictures(cv2.IMREAD_UNCHANGED, (side, side), np.uint16).view(np.int16),
        sea=(masks & 1).astype(bool),
        valid=(masks & 2).astype(bool),
        labels=labels.reshape(count, variants, side, side),
        split=split,
        centre_deg=stored.read("centre_deg", np.float32, (count, 2)),
        pixel_size_m=header.number("pixel_size_m", *PIXEL_SIZE_M),
        style=style_name(header, "style"),
        credits=header.text("credits"),
        has_height=header.flag("has_height") if "has_height" in header else True,
        names=names,
        left_out=text_pairs(header, "left_out"),
        notes=text_pairs(header, "notes"),
    )
