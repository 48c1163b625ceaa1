"""A tile set as one picture: its statistics, and some of its tiles with map, height and hillshade."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from terrainpaint.core.classes import CLASS_NAMES, CLASSES, PALETTE
from terrainpaint.core.shading import hillshade, slopes
from terrainpaint.core.standard_output import drawable
from trainer.data.statistics import SPLIT_NAMES, SetStatistics, describe
from trainer.data.tile_set import TileSet
from trainer.reports import charts

THUMBNAIL_PX, GAP_PX = 160, 4
MARGIN_PX, LINE_PX = 24, 20
MIN_COLUMNS = 7
"""As many thumbnails are as wide as the three charts."""
LEFT_OUT_SHOWN = 8
USUAL_SLOPE = 0.2
"""Root mean square of the slopes, metres per metre, that hillshades are exaggerated to."""
INK, PAPER = (34, 38, 44), (255, 255, 255)
SPLIT_COLOURS = {"train": "#3465a4", "held out": "#ce5c00"}
NO_DATA = (236, 0, 140)
"""The colour of pixels that are not valid; land never has it."""


def overview_picture(name: str, tiles: TileSet, statistics: SetStatistics, count: int, seed: int) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 sRGB: statistics at the top, then a row of at most `count` random tiles for each split."""
    chosen = chosen_tiles(tiles.split, count, seed)
    width = width_of(chosen)
    # One exaggeration for all tiles: with their own, plains would look like mountains.
    exaggeration = _exaggeration(tiles, [tile for indices in chosen.values() for tile in indices])
    rows = [text_block(name, describe(tiles, statistics), tiles.left_out, width), _charts(tiles, statistics, width)]
    for split, indices in chosen.items():
        columns = [_layers(tiles, tile, exaggeration) for tile in indices]
        rows.append(split_row(f"{SPLIT_NAMES[split]}: {len(indices)} tiles", columns, split, width))
    return np.vstack(rows)


def chosen_tiles(split: NDArray[np.uint8], count: int, seed: int) -> dict[int, list[int]]:
    """Each split that has tiles → at most `count` random ones of it."""
    random = np.random.default_rng(seed)
    chosen = {
        number: np.sort(random.permutation(np.flatnonzero(split == number))[:count]).tolist() for number in SPLIT_NAMES
    }
    return {number: indices for number, indices in chosen.items() if indices}


def width_of(chosen: Mapping[int, Sequence[int]]) -> int:
    """The width of a picture with a column for each tile of a split."""
    columns = max([MIN_COLUMNS, *(len(indices) for indices in chosen.values())])
    return 2 * MARGIN_PX + columns * (THUMBNAIL_PX + GAP_PX)


def text_block(name: str, lines: Sequence[str], left_out: Sequence[tuple[str, str]], width: int) -> NDArray[np.uint8]:
    """A heading, lines below it, and the first files that were left out."""
    lines = [*lines, *(f"left out: {file} {reason}" for file, reason in left_out[:LEFT_OUT_SHOWN])]
    if len(left_out) > LEFT_OUT_SHOWN:
        lines.append(f"left out: {len(left_out) - LEFT_OUT_SHOWN} more")
    top = MARGIN_PX + 40
    page = Image.new("RGB", (width, top + LINE_PX * len(lines) + 16), PAPER)
    draw = ImageDraw.Draw(page)
    draw.text((MARGIN_PX, MARGIN_PX), drawable(name), INK, ImageFont.load_default(24))
    for number, line in enumerate(lines):
        shown = _shortened(drawable(line), width - 2 * MARGIN_PX)
        draw.text((MARGIN_PX, top + number * LINE_PX), shown, INK, _font())
    return np.asarray(page)


def _charts(tiles: TileSet, statistics: SetStatistics, width: int) -> NDArray[np.uint8]:
    splits = {name: split for name, split in statistics.splits.items() if split.tiles}
    lightness = {name: split.lightness for name, split in splits.items()}
    drawn = [charts.histograms("lightness (CIELAB)", lightness, ("0", "100"), SPLIT_COLOURS)]
    if tiles.has_height:
        heights = {name: np.sqrt(split.heights) for name, split in splits.items()}
        lowest, highest = (f"{height:,.0f} m" for height in statistics.height_m)
        drawn.append(charts.histograms("height, root of the fraction", heights, (lowest, highest), SPLIT_COLOURS))
    if tiles.has_maps:
        colours = ["#{:02x}{:02x}{:02x}".format(*terrain_class.colour) for terrain_class in CLASSES]
        fractions = [split.classes.tolist() for split in splits.values()]
        drawn.append(charts.grouped_bars(f"classes: {' / '.join(splits)}", CLASS_NAMES, fractions, colours))
    pictures = [chart.pixels() for chart in drawn]
    page = np.full((max(map(len, pictures)) + MARGIN_PX, width, 3), PAPER, np.uint8)
    left = MARGIN_PX
    for picture in pictures:
        page[: len(picture), left : left + picture.shape[1]] = picture
        left += picture.shape[1] + MARGIN_PX
    return page


def split_row(title: str, columns: Sequence[Sequence[NDArray[np.uint8]]], split: int, width: int) -> NDArray[np.uint8]:
    """The thumbnails of each tile, one below the other, a tile in each column."""
    stacks = [np.vstack([_with_gap(layer) for layer in layers]) for layers in columns]
    page = Image.new("RGB", (width, LINE_PX + 12 + len(stacks[0]) + MARGIN_PX), PAPER)
    draw = ImageDraw.Draw(page)
    draw.text((MARGIN_PX, 4), title, SPLIT_COLOURS[SPLIT_NAMES[split]], _font())
    for number, stack in enumerate(stacks):
        page.paste(Image.fromarray(stack), (MARGIN_PX + number * (THUMBNAIL_PX + GAP_PX), LINE_PX + 12))
    return np.asarray(page)


def _layers(tiles: TileSet, tile: int, exaggeration: float) -> list[NDArray[np.uint8]]:
    texture = tiles.texture[tile].copy()
    texture[~tiles.valid[tile]] = NO_DATA
    layers = [thumbnail(texture)]
    if tiles.has_maps:
        layers.append(thumbnail(PALETTE[tiles.labels[tile, 0]]))
    if tiles.has_height:
        height = thumbnail(tiles.height[tile].astype(np.float32))
        low, high = float(height.min()), float(height.max())
        layers.append(_grey((height - low) / max(1.0, high - low)))
        layers.append(_grey(hillshade(height, _thumbnail_pixel_m(tiles), exaggeration=exaggeration)))
    return layers


def _exaggeration(tiles: TileSet, indices: Sequence[int]) -> float:
    """The factor of heights that makes relief visible, whatever the ground size of a pixel."""
    step_m = _thumbnail_pixel_m(tiles)
    mean_square = 0.0
    for tile in indices:
        height = thumbnail(tiles.height[tile].astype(np.float32))
        gradient = slopes(height, 0, len(height), (step_m, step_m))
        mean_square += float(np.mean(np.square(gradient))) / len(indices)
    return float(np.clip(USUAL_SLOPE / max(1e-6, np.sqrt(mean_square)), 1, 50))


def _thumbnail_pixel_m(tiles: TileSet) -> float:
    return tiles.pixel_size_m * tiles.tile_px / THUMBNAIL_PX


def thumbnail(layer: NDArray[Any]) -> NDArray[Any]:
    """A layer of a tile as large as it is drawn."""
    return np.asarray(cv2.resize(layer, (THUMBNAIL_PX, THUMBNAIL_PX), interpolation=cv2.INTER_AREA), layer.dtype)


def _with_gap(layer: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.copyMakeBorder(layer, 0, GAP_PX, 0, 0, cv2.BORDER_CONSTANT, value=PAPER), np.uint8)


def _grey(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    return np.repeat((np.clip(values, 0, 1) * 255).round().astype(np.uint8)[:, :, None], 3, axis=2)


def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(14)


def _shortened(line: str, width: int) -> str:
    """A line that fits into a width in pixels, with an ellipsis where it was cut."""
    while line and _font().getlength(line) > width:
        line = line[:-2].rstrip("… ") + "…"
    return line
