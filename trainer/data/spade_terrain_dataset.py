"""Tiles from the published data set of SPADE-Terrain-GAN.

Each patch of the data set is `NNNN_i2.png` map, `NNNN_t.png` terrain and `NNNN_h.png` 16-bit height.
"""

from __future__ import annotations

from pathlib import Path

from terrainpaint.core.decoding import WHITE, read_picture
from terrainpaint.core.map_files import read_map_nearest
from terrainpaint.core.progress import Progress
from terrainpaint.errors import TrainingError
from trainer.data.height_layers import HeightRange, read_height_layer
from trainer.data.tile_cutting import PrepareOptions, Square, Tile, assemble, cut_tile, whole_metres
from trainer.data.tile_set import TileSet


def tiles_from_dataset(
    folder: Path, options: PrepareOptions, height_range_m: HeightRange, progress: Progress
) -> TileSet:
    """All patches of a folder with their maps, each resized to a tile.

    `height_range_m` are the metres of 0 and 65535, None when the numbers are metres. Raises TrainingError when the
    folder has no patch, a patch is incomplete or of another size, or the heights cannot be metres; InputFileError when
    a picture cannot be read.
    """
    maps = sorted(folder.glob("*_i2.png"))
    if not maps:
        raise TrainingError(f"{folder} holds no *_i2.png; name the folder of the published patches.")
    tiles: list[Tile] = []
    notes: list[tuple[str, str]] = []
    side = 0
    for index, path in enumerate(maps):
        progress(index / len(maps))
        stem = path.name.removesuffix("_i2.png")
        texture_path, height_path = path.with_name(stem + "_t.png"), path.with_name(stem + "_h.png")
        # The published maps were resampled, so a few pixels at borders are blends of two class colours.
        labels = read_map_nearest(path)[0].ids
        texture = read_picture(texture_path).over(WHITE)
        heights = read_height_layer(height_path, height_range_m)
        notes += [(height_path.name, note) for note in heights.notes]
        height = whole_metres(heights.metres, height_path)
        side = side or labels.shape[0]
        for layer_path, layer in ((path, labels), (texture_path, texture), (height_path, height)):
            if layer.shape[:2] != (side, side):
                raise TrainingError(
                    f"{layer_path} is {layer.shape[1]} x {layer.shape[0]} px, not {side} x {side} px; all pictures of "
                    "a data set must be squares of the same size."
                )
        tiles.append(cut_tile(stem, Square(0, 0, side), options.tile_px, texture, height, labels, heights.gaps))
    progress(1.0)
    return assemble(tiles, options, notes=notes)
