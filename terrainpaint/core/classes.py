"""The seven terrain classes: their exact sRGB colours (SPADE-Terrain-GAN's public data set), nearest class, counts."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class TerrainClass:
    """One class: `id` is the value in a segmentation map, `colour` its sRGB colour in 0..255."""

    id: int
    name: str
    colour: tuple[int, int, int]


CLASSES: tuple[TerrainClass, ...] = (
    TerrainClass(0, "water", (17, 141, 215)),
    TerrainClass(1, "grassland", (225, 227, 155)),
    TerrainClass(2, "forest", (127, 173, 123)),
    TerrainClass(3, "hills", (185, 122, 87)),
    TerrainClass(4, "desert", (230, 200, 181)),
    TerrainClass(5, "mountain", (150, 150, 150)),
    TerrainClass(6, "tundra", (193, 190, 175)),
)
CLASS_COUNT = len(CLASSES)
CLASS_NAMES: tuple[str, ...] = tuple(terrain_class.name for terrain_class in CLASSES)
WATER = 0
MOUNTAIN = 5

PALETTE: NDArray[np.uint8] = np.array([terrain_class.colour for terrain_class in CLASSES], dtype=np.uint8)
"""(7, 3) uint8 sRGB: `PALETTE[ids]` paints a segmentation map."""
PALETTE.setflags(write=False)

_BAND_PX = 1 << 20
"""Pixels per step; the temporary arrays need up to 16 bytes a pixel."""


def nearest_classes(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(...) uint8 class ids: the class whose sRGB colour is nearest to each pixel of (..., 3) uint8 sRGB.

    A colour midway between two classes becomes the one with the lower id.
    """
    pixels = rgb.reshape(1, -1, 3)
    ids = np.zeros(pixels.shape[:2], np.uint8)
    # |x - c|^2 without |x|^2, which is the same for all classes; whole numbers this small are exact in float32.
    towards = np.hstack([-2.0 * PALETTE, (PALETTE.astype(np.float64) ** 2).sum(axis=1, keepdims=True)])
    for start in range(0, pixels.shape[1], _BAND_PX):
        part = slice(start, start + _BAND_PX)
        band = pixels[:, part].astype(np.float32)
        smallest = cv2.transform(band, towards[:1])
        for class_id in range(1, CLASS_COUNT):
            distance = cv2.transform(band, towards[class_id : class_id + 1])
            ids[:, part][distance < smallest] = class_id
            cv2.min(distance, smallest, dst=smallest)
    return ids.reshape(rgb.shape[:-1])


def class_counts(ids: NDArray[np.uint8]) -> NDArray[np.int64]:
    """(7,) int64: how many of the class ids (...) uint8 are of each class."""
    counts = np.zeros(CLASS_COUNT, np.int64)
    flat = ids.reshape(-1)
    # In bands, because bincount converts each id to eight bytes.
    for start in range(0, flat.size, _BAND_PX):
        counts += np.bincount(flat[start : start + _BAND_PX], minlength=CLASS_COUNT)
    return counts


def class_fractions(ids: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(7,) float64, 0..1: the fraction that each class has of the class ids (...) uint8; zeros of an empty array."""
    return class_counts(ids) / max(1, ids.size)
