"""The published data set of SPADE-Terrain-GAN: `NNNN_i2.png` map, `NNNN_t.png` terrain, `NNNN_h.png` 16-bit height."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import WATER
from terrainpaint.core.jobs import Progress
from terrainpaint.core.rasters import read_heights, read_picture
from terrainpaint.core.segmentation import read_map_nearest
from terrainpaint.errors import TrainingError
from trainer.prepare import PrepareOptions, held_out
from trainer.prepared import PreparedSet


def read_dataset(
    folder: Path, options: PrepareOptions, height_range_m: tuple[float, float], progress: Progress
) -> PreparedSet:
    """A prepared set, labels included, of all patches of a folder.

    `height_range_m` are the metres of 0 and 65535. Raises TrainingError when the folder has no patch or a patch is
    incomplete or of another size, InputFileError when a picture cannot be read.
    """
    maps = sorted(folder.glob("*_i2.png"))
    if not maps:
        raise TrainingError(f"{folder} holds no *_i2.png; name the folder of the published patches.")
    tiles: list[tuple[NDArray[np.uint8], NDArray[np.int16], NDArray[np.uint8]]] = []
    for index, path in enumerate(maps):
        progress(index / len(maps))
        stem = path.name.removesuffix("_i2.png")
        tiles.append(_patch(path, path.with_name(stem + "_t.png"), path.with_name(stem + "_h.png"),
                            options.tile_px, height_range_m))  # fmt: skip
    progress(1.0)
    texture, height, labels = (np.stack(each) for each in zip(*tiles, strict=True))
    return PreparedSet(
        texture=texture,
        height=height,
        sea=(labels == WATER) & (height <= 0),
        valid=np.ones(labels.shape, bool),
        labels=labels[:, None],
        split=held_out(len(tiles), options.validation_share, options.seed),
        centre_deg=np.full((len(tiles), 2), math.nan, np.float32),
        pixel_size_m=options.pixel_size_m,
        style=options.style,
        credits=options.credits,
    )


def _patch(
    map_path: Path, texture_path: Path, height_path: Path, side: int, height_range_m: tuple[float, float]
) -> tuple[NDArray[np.uint8], NDArray[np.int16], NDArray[np.uint8]]:
    # The published maps went through resampling: a few pixels on borders are blends.
    labels = read_map_nearest(map_path)[0].ids
    texture = read_picture(texture_path)
    low, high = height_range_m
    height = low + read_heights(height_path) * ((high - low) / 65535)
    for path, found in ((texture_path, texture), (height_path, height)):
        if found.shape[:2] != labels.shape:
            raise TrainingError(
                f"{path} is {found.shape[1]} x {found.shape[0]} px and its map {labels.shape[1]} x {labels.shape[0]} "
                "px; the three pictures of a patch must be the same size."
            )
    size = (side, side)
    return (
        cv2.resize(texture, size, interpolation=cv2.INTER_AREA).astype(np.uint8),
        np.round(cv2.resize(height, size, interpolation=cv2.INTER_AREA)).astype(np.int16),
        cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST).astype(np.uint8),
    )
