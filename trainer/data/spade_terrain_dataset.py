"""Tiles from the published data set of SPADE-Terrain-GAN.

Each patch of the data set is `NNNN_i2.png` map, `NNNN_t.png` terrain and `NNNN_h.png` 16-bit height.
"""

from __future__ import annotations

from pathlib import Path

from terrainpaint.core.map_files import read_map_nearest
from terrainpaint.core.progress import Progress
from terrainpaint.errors import DeviceError, InputFileError, TrainingError
from trainer.data.folder_files import find_files
from trainer.data.height_layers import HeightRange, read_height_layer
from trainer.data.image_folder import UnusableFile, read_rgb
from trainer.data.tile_cutting import PrepareOptions, Square, Tile, assemble, cut_tile, whole_metres
from trainer.data.tile_set import TileSet

_MAP = "_i2.png"


def tiles_from_dataset(
    folder: Path, options: PrepareOptions, height_range_m: HeightRange, progress: Progress
) -> TileSet:
    """All patches of a folder with their maps, each resized to a tile.

    `height_range_m` are the metres of 0 and 65535, None when the numbers are metres. A patch of which a picture is
    missing or cannot be read is left out. Raises TrainingError when no patch is left, a patch is of another size, or
    the heights cannot be metres.
    """
    files = find_files(folder)
    maps = [name for name in files.names if "/" not in name and name.endswith(_MAP)]
    if not maps:
        raise TrainingError(f"{folder} holds no *{_MAP}; name the folder of the published patches.")
    left_out = [(name, why) for name, why in files.left_out if name.endswith((_MAP, "_t.png", "_h.png"))]
    reported = {name for name, _ in left_out}
    tiles: list[Tile] = []
    notes: list[tuple[str, str]] = []
    side = 0
    for index, name in enumerate(maps):
        progress(index / len(maps))
        path, stem = files.path(name), name.removesuffix(_MAP)
        texture_path, height_path = path.with_name(stem + "_t.png"), path.with_name(stem + "_h.png")
        if not reported.isdisjoint((texture_path.name, height_path.name)):
            continue
        try:
            # The published maps were resampled, so a few pixels at borders are blends of two class colours.
            labels = read_map_nearest(path)[0].ids
            texture = read_rgb(texture_path)
            heights = read_height_layer(height_path, height_range_m)
        except UnusableFile as error:
            left_out.append((texture_path.name, str(error)))
            continue
        except (InputFileError, DeviceError) as error:
            left_out.append((stem, f"is not complete: {str(error).rstrip('.')}"))
            continue
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
    if not tiles:
        raise TrainingError(f"None of the {len(maps)} patches in {folder} can be used: {left_out[0][0]} "
                            f"{left_out[0][1]}.")  # fmt: skip
    return assemble(tiles, options, left_out, notes)
