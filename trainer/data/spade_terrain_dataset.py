"""The published data set of SPADE-Terrain-GAN: `NNNN_i2.png` map, `NNNN_t.png` terrain, `NNNN_h.png` 16-bit height."""

from __future__ import annotations

from pathlib import Path

from terrainpaint.core.decoding import read_heights, read_picture
from terrainpaint.core.map_files import read_map_nearest
from terrainpaint.core.progress import Progress
from terrainpaint.errors import TrainingError
from trainer.data.tile_cutting import Patch, PrepareOptions, Square, assemble, cut_patch, whole_metres
from trainer.data.tile_set import TileSet


def read_dataset(
    folder: Path, options: PrepareOptions, height_range_m: tuple[float, float], progress: Progress
) -> TileSet:
    """A prepared set, maps included, of all patches of a folder, each resized to a tile.

    `height_range_m` are the metres of 0 and 65535. Raises TrainingError when the folder has no patch, when one is
    incomplete or of another size, and when the heights cannot be metres; InputFileError when a picture cannot be read.
    """
    maps = sorted(folder.glob("*_i2.png"))
    if not maps:
        raise TrainingError(f"{folder} holds no *_i2.png; name the folder of the published patches.")
    patches: list[Patch] = []
    side = 0
    for index, path in enumerate(maps):
        progress(index / len(maps))
        stem = path.name.removesuffix("_i2.png")
        texture_path, height_path = path.with_name(stem + "_t.png"), path.with_name(stem + "_h.png")
        # The published maps went through resampling: a few pixels on borders are blends.
        labels = read_map_nearest(path)[0].ids
        texture = read_picture(texture_path)
        low, high = height_range_m
        height = whole_metres(low + read_heights(height_path) * ((high - low) / 65535), height_path)
        side = side or labels.shape[0]
        for each, found in ((path, labels), (texture_path, texture), (height_path, height)):
            if found.shape[:2] != (side, side):
                raise TrainingError(
                    f"{each} is {found.shape[1]} x {found.shape[0]} px, not {side} x {side} px; all pictures of a data "
                    "set must be squares of the same size."
                )
        patches.append(cut_patch(stem, Square(0, 0, side), options.tile_px, texture, height, labels))
    progress(1.0)
    return assemble(patches, options)
