"""A tile set as one picture: its statistics, and some of its tiles with map, height and hillshade."""

from __future__ import annotations

from collections.abc import Sequence
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
    random = np.random.default_rng(seed)
    chosen = {
        split: np.sort(random.permutation(np.flatnonzero(tiles.split == split))[:count]).tolist()
        for split in SPLIT_NAMES
    }
    columns = max([MIN_COLUMNS, *(len(indices) for indices in chosen.values())])
    width = 2 * MARGIN_PX + columns * (THUMBNAIL_PX + GAP_PX)
    # One exaggeration for all tiles: with their own, plains would look like mountains.
    exaggeration = _exaggeration(tiles, [tile for indices in chosen.values() for tile in indices])
    rows = [_text(name, tiles, statistics, width), _charts(tiles, statistics, width)]
    rows += [
        _tiles(tiles, chosen[split], split_name, width, exaggeration)
        for split, split_name in SPLIT_NAMES.items()
        if chosen[split]
    ]
    return np.vstack(rows)


def _text(name: str, tiles: TileSet, statistics: SetStatistics, width: int) -> NDArray[np.uint8]:
    lines = describe(tiles, statistics)
    lines += [f"left out: {file} {reason}" for file, reason in tiles.left_out[:LEFT_OUT_SHOWN]]
    if len(tiles.left_out) > LEFT_OUT_SHOWN:
        lines.append(f"left out: {len(tiles.left_out) - LEFT_OUT_SHOWN} more")
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


def _tiles(
    tiles: TileSet, indices: Sequence[int], split_name: str, width: int, exaggeration: float
) -> NDArray[np.uint8]:
    """The layers of each tile, one below the other, a tile in each column."""
    columns = [np.vstack([_with_gap(layer) for layer in _layers(tiles, tile, exaggeration)]) for tile in indices]
    page = Image.new("RGB", (width, LINE_PX + 12 + len(columns[0]) + MARGIN_PX), PAPER)
    draw = ImageDraw.Draw(page)
    draw.text((MARGIN_PX, 4), f"{split_name}: {len(indices)} tiles", SPLIT_COLOURS[split_name], _font())
    for number, column in enumerate(columns):
        page.paste(Image.fromarray(column), (MARGIN_PX + number * (THUMBNAIL_PX + GAP_PX), LINE_PX + 12))
    return np.asarray(page)


def _layers(tiles: TileSet, tile: int, exaggeration: float) -> list[NDArray[np.uint8]]:
    texture = tiles.texture[tile].copy()
    texture[~tiles.valid[tile]] = NO_DATA
    layers = [_thumbnail(texture)]
    if tiles.has_maps:
        layers.append(_thumbnail(PALETTE[tiles.labels[tile, 0]]))
    if tiles.has_height:
        height = _thumbnail(tiles.height[tile].astype(np.float32))
        low, high = float(height.min()), float(height.max())
        layers.append(_grey((height - low) / max(1.0, high - low)))
        layers.append(_grey(hillshade(height, _thumbnail_pixel_m(tiles), exaggeration=exaggeration)))
    return layers


def _exaggeration(tiles: TileSet, indices: Sequence[int]) -> float:
    """The factor of heights that makes relief visible, whatever the ground size of a pixel."""
    step_m = _thumbnail_pixel_m(tiles)
    mean_square = 0.0
    for tile in indices:
        height = _thumbnail(tiles.height[tile].astype(np.float32))
        gradient = slopes(height, 0, len(height), (step_m, step_m))
        mean_square += float(np.mean(np.square(gradient))) / len(indices)
    return float(np.clip(USUAL_SLOPE / max(1e-6, np.sqrt(mean_square)), 1, 50))


def _thumbnail_pixel_m(tiles: TileSet) -> float:
    return tiles.pixel_size_m * tiles.tile_px / THUMBNAIL_PX


def _thumbnail(layer: NDArray[Any]) -> NDArray[Any]:
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
