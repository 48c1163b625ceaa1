"""Sets of small pictures for tests of systems that need no maps."""

from __future__ import annotations

import cv2
import numpy as np

from trainer.data.tile_set import TRAIN, VALIDATION, TileSet


def discs(count: int, held_out: int, side: int = 32, seed: int = 0, named: str = "") -> TileSet:
    """Discs of random colour, size and place on white; the first `held_out` are held out."""
    random = np.random.default_rng(seed)
    pictures = np.full((count, side, side, 3), 255, np.uint8)
    for picture in pictures:
        row, col = random.integers(side // 3, 2 * side // 3, 2).tolist()
        cv2.circle(picture, (col, row), int(random.integers(3, side // 3)), random.integers(0, 200, 3).tolist(), -1)
    split = np.where(np.arange(count) < held_out, VALIDATION, TRAIN).astype(np.uint8)
    names = tuple(f"{named}{index}.png" for index in range(count)) if named else ()
    return of_pictures(pictures, split, names)


def of_pictures(
    pictures: np.ndarray[tuple[int, ...], np.dtype[np.uint8]],
    split: np.ndarray[tuple[int, ...], np.dtype[np.uint8]],
    names: tuple[str, ...] = (),
) -> TileSet:
    """A set without heights and maps of pictures (N, S, S, 3)."""
    shape = pictures.shape[:3]
    return TileSet(
        texture=pictures, height=np.zeros(shape, np.int16), sea=np.zeros(shape, np.bool_),
        valid=np.ones(shape, np.bool_), labels=np.zeros((shape[0], 0, *shape[1:]), np.uint8), split=split,
        centre_deg=np.full((shape[0], 2), np.nan, np.float32), pixel_size_m=1.0, style="discs", credits="nobody",
        has_height=False, names=names,
    )  # fmt: skip
