"""Square pictures of one size from where they are: a folder, a tile set, or a sample grid."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.progress import Progress, no_progress
from terrainpaint.errors import TrainingError
from trainer.data.folder_files import find_files
from trainer.data.image_folder import UnusableFile, read_rgb
from trainer.data.layout_set import is_layout_set
from trainer.data.tile_set import TRAIN, load_tile_set


@dataclass(frozen=True, eq=False)
class Pictures:
    """`pixels` (N, S, S, 3) uint8 sRGB, a name for each, and the files that were left out, each with the reason."""

    pixels: NDArray[np.uint8]
    names: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...] = ()

    def __len__(self) -> int:
        return len(self.pixels)

    @property
    def size_px(self) -> int:
        """Side of a picture."""
        return int(self.pixels.shape[1])

    def resized(self, size_px: int) -> Pictures:
        """The same pictures with another side."""
        if size_px == self.size_px:
            return self
        pixels = np.stack([_resized(picture, size_px) for picture in self.pixels])
        return Pictures(pixels, self.names, self.left_out)


def pictures_of_folder(folder: Path, size_px: int, progress: Progress = no_progress) -> Pictures:
    """The largest centred square of each picture below a folder, resized.

    Files that are no pictures are left out. Raises TrainingError when none is left.
    """
    files = find_files(folder)
    squares, names, left_out = [], [], list(files.left_out)
    for index, name in enumerate(files.names):
        progress(index / len(files))
        try:
            picture = read_rgb(files.path(name))
        except UnusableFile as error:
            left_out.append((name, str(error)))
            continue
        squares.append(_resized(_centred(picture), size_px))
        names.append(name)
    progress(1.0)
    if not squares:
        raise TrainingError(f"None of the {len(files)} files in {folder} can be used: {left_out[0][0]} "
                            f"{left_out[0][1]}.")  # fmt: skip
    return Pictures(np.stack(squares), tuple(names), tuple(left_out))


def refuse_layout_set(path: Path) -> None:
    """Raises TrainingError when the file is a layout set, which has no pictures."""
    if is_layout_set(path):
        raise TrainingError(f"{path} is a layout set; 'python -m trainer evaluate' compares layouts with it, and "
                            "writes novelty.html.")  # fmt: skip


def pictures_of_tile_set(path: Path) -> Pictures:
    """The textures of the training tiles. Raises TrainingError when the file is no tile set, or has none of them."""
    refuse_layout_set(path)
    tiles = load_tile_set(path).subset(TRAIN)
    if not len(tiles):
        raise TrainingError(f"{path} has no tiles for training; prepare it with a smaller --validation.")
    names = tiles.names or tuple(_place(index, *centre) for index, centre in enumerate(tiles.centre_deg.tolist()))
    return Pictures(tiles.texture, names)


def pictures_of_grid(path: Path, cell_px: int) -> Pictures:
    """The pictures of a sample grid without gaps, row by row, each named by its row and column.

    White ones at the end fill the last row and are left out. Raises TrainingError when the file is no picture or not a
    whole number of cells.
    """
    try:
        grid = read_rgb(path)
    except UnusableFile as error:
        raise TrainingError(f"{path} {error}.") from error
    height, width = grid.shape[:2]
    rows, columns = height // cell_px, width // cell_px
    if height % cell_px or width % cell_px:
        raise TrainingError(f"{path} is {width} x {height} px, not a grid of pictures of {cell_px} px; give their side "
                            "with --cell.")  # fmt: skip
    cells = grid.reshape(rows, cell_px, columns, cell_px, 3).swapaxes(1, 2).reshape(-1, cell_px, cell_px, 3)
    count = len(cells)
    while count > 1 and (cells[count - 1] == 255).all():
        count -= 1
    names = [f"row {index // columns + 1}, column {index % columns + 1}" for index in range(count)]
    return Pictures(np.ascontiguousarray(cells[:count]), tuple(names))


def _place(index: int, latitude: float, longitude: float) -> str:
    if np.isnan(latitude) or np.isnan(longitude):
        return f"tile {index + 1}"
    return (f"tile {index + 1}, {abs(latitude):.1f}° {'S' if latitude < 0 else 'N'} "
            f"{abs(longitude):.1f}° {'W' if longitude < 0 else 'E'}")  # fmt: skip


def _centred(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = picture.shape[:2]
    side = min(height, width)
    row, col = (height - side) // 2, (width - side) // 2
    return picture[row : row + side, col : col + side]


def _resized(picture: NDArray[np.uint8], size_px: int) -> NDArray[np.uint8]:
    method = cv2.INTER_AREA if size_px <= len(picture) else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, (size_px, size_px), interpolation=method), np.uint8)
