"""The segmentation map that the user paints, and how it is read from and written to a picture."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from terrainpaint.core.classes import CLASS_COUNT, CLASSES, PALETTE
from terrainpaint.core.files import atomic_path
from terrainpaint.core.map_picture import (
    MAX_SIDE_PX,
    MIN_SIDE_PX,
    colours_of,
    load_pixels,
    open_picture,
    strips,
)
from terrainpaint.errors import MapError

__all__ = ["MAX_SIDE_PX", "MIN_SIDE_PX", "SegmentationMap", "nearest_ids", "read_map", "read_map_nearest", "write_map"]

_NO_CLASS = 255


@dataclass(eq=False)
class SegmentationMap:
    """What class is where: `ids` (H, W) uint8 in 0..6, row 0 = north, both sides 32..65,536 px.

    `ids` is painted in place; whoever paints keeps the values in range. Another thread gets a `snapshot()`.
    Raises ValueError when shape, dtype or values are not these.
    """

    ids: NDArray[np.uint8]

    def __post_init__(self) -> None:
        if self.ids.dtype != np.uint8 or self.ids.ndim != 2:
            raise ValueError(f"ids must be (H, W) uint8, not {self.ids.shape} {self.ids.dtype}")
        if min(self.ids.shape) < MIN_SIDE_PX or max(self.ids.shape) > MAX_SIDE_PX:
            raise ValueError(f"sides must be {MIN_SIDE_PX}..{MAX_SIDE_PX} px, not {self.ids.shape}")
        if int(self.ids.max()) >= CLASS_COUNT:
            raise ValueError(f"ids must be 0..{CLASS_COUNT - 1}, not {int(self.ids.max())}")

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) in pixels."""
        return self.ids.shape[0], self.ids.shape[1]

    def snapshot(self) -> SegmentationMap:
        """A copy that later painting does not change."""
        return SegmentationMap(self.ids.copy())

    def resized(self, height: int, width: int) -> SegmentationMap:
        """The same map with (height, width) pixels, nearest neighbour of the pixel centres.

        Raises ValueError for sides out of 32..65,536 px.
        """
        if min(height, width) < MIN_SIDE_PX or max(height, width) > MAX_SIDE_PX:
            raise ValueError(f"sides must be {MIN_SIDE_PX}..{MAX_SIDE_PX} px, not {(height, width)}")
        ids = cv2.resize(self.ids, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
        return SegmentationMap(np.asarray(ids, np.uint8))


def read_map(path: Path) -> SegmentationMap:
    """Read a palette or RGB PNG whose pixels all have exact class colours; palette order does not matter.

    Raises MapError that says what is wrong with the picture; for foreign colours it names the first one.
    """
    with open_picture(path) as picture:
        if picture.format != "PNG":
            raise MapError(
                f"{path} is a {picture.format} picture, and such files may have changed colours; "
                "save the map as PNG or read it with --nearest-colour."
            )
        load_pixels(path, picture)
        table = _exact_table(picture)
        ids = np.empty((picture.height, picture.width), np.uint8)
        foreign = 0
        example = ""
        for top, codes in strips(path, picture):
            part = table[codes]
            wrong = part == _NO_CLASS
            count = int(np.count_nonzero(wrong))
            if count and not foreign:
                row, col = np.unravel_index(int(wrong.argmax()), wrong.shape)
                red, green, blue = colours_of(picture, codes[row, col : col + 1])[0]
                example = f"#{red:02x}{green:02x}{blue:02x} at row {top + row}, column {col}"
            foreign += count
            ids[top : top + len(part)] = part
    if foreign:
        raise MapError(
            f"{path} has colours that belong to no class on {foreign / ids.size:.2%} of its pixels, "
            f"the first is {example}; repaint them or read the map with --nearest-colour."
        )
    return SegmentationMap(ids)


def read_map_nearest(path: Path) -> tuple[SegmentationMap, float]:
    """Read any 8-bit RGB or palette picture; a foreign colour becomes the class of the nearest sRGB colour.

    Returns the map and the share 0..1 of pixels whose colour was not exact. Raises MapError.
    """
    with open_picture(path) as picture:
        load_pixels(path, picture)
        exact = _exact_table(picture)
        nearest = exact.copy()
        ids = np.empty((picture.height, picture.width), np.uint8)
        foreign = 0
        for top, codes in strips(path, picture):
            wrong = codes[exact[codes] == _NO_CLASS]
            foreign += wrong.size
            new = np.unique(wrong[nearest[wrong] == _NO_CLASS])
            nearest[new] = nearest_ids(colours_of(picture, new))
            ids[top : top + len(codes)] = nearest[codes]
    return SegmentationMap(ids), foreign / ids.size


def write_map(path: Path, segmentation: SegmentationMap) -> None:
    """Write a palette PNG, index = class id, with the class names as iTXt text; whole or not at all.

    Raises OutputError.
    """
    picture = Image.fromarray(segmentation.ids)
    picture.putpalette(PALETTE.tobytes())
    names = PngInfo()
    names.add_itxt("Terrain classes", ", ".join(f"{each.id} {each.name}" for each in CLASSES))
    # Through memory, since Pillow hides the reason of a failed write; a map packs to a small part of its pixels.
    data = io.BytesIO()
    picture.save(data, "PNG", pnginfo=names)
    with atomic_path(path) as temporary:
        temporary.write_bytes(data.getbuffer())


def _exact_table(picture: Image.Image) -> NDArray[np.uint8]:
    """Class id of each code of `strips`, `_NO_CLASS` where the colour is no class colour exactly."""
    if picture.mode == "P":
        colours = colours_of(picture, np.arange(256, dtype=np.uint32))
        same = (colours[:, None] == PALETTE).all(axis=2)
        return np.where(same.any(axis=1), same.argmax(axis=1), _NO_CLASS).astype(np.uint8)
    table = np.full(1 << 24, _NO_CLASS, np.uint8)
    for each in CLASSES:
        red, green, blue = each.colour
        table[red | green << 8 | blue << 16] = each.id
    return table


def nearest_ids(colours: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(N,) uint8 ids of the classes whose sRGB colours are nearest to (N, 3) uint8 sRGB colours."""
    best = np.full(len(colours), np.iinfo(np.int32).max, np.int32)
    ids = np.zeros(len(colours), np.uint8)
    signed = colours.astype(np.int32)
    for each in CLASSES:
        distance = ((signed - np.array(each.colour, np.int32)) ** 2).sum(axis=1, dtype=np.int32)
        ids[distance < best] = each.id
        np.minimum(best, distance, out=best)
    return ids
