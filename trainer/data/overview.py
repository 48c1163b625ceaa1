"""A prepared set as one picture: its statistics, and some of its tiles with their map, height and hillshade."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from terrainpaint.core.classes import CLASS_NAMES, CLASSES, PALETTE
from terrainpaint.core.shading import hillshade
from trainer.data.statistics import SPLIT_NAMES, SetStatistics, describe
from trainer.data.tile_set import TileSet

THUMB_PX = 160
MARGIN_PX = 24
LINE_PX = 20
CHART_PX = (300, 120)
LEFT_OUT_SHOWN = 8
USUAL_SLOPE = 0.2
"""Root mean square of the slopes that hillshades are exaggerated to."""
INK, PALE, PAPER = (34, 38, 44), (120, 128, 138), (250, 250, 248)
SPLIT_INKS = {"train": (52, 101, 164), "held out": (206, 92, 0)}
NO_DATA = (236, 0, 140)
"""Pixels that are not valid, in a colour that land never has."""


def set_sheet(name: str, prepared: TileSet, numbers: SetStatistics, tiles: int, seed: int) -> NDArray[np.uint8]:
    """A picture (H, W, 3) uint8 sRGB: statistics above, then `tiles` random tiles of each split, one a column."""
    random = np.random.default_rng(seed)
    chosen = {
        split: np.sort(random.permutation(np.flatnonzero(prepared.split == split))[:tiles]).tolist()
        for split in SPLIT_NAMES
    }
    columns = max([3 * (CHART_PX[0] + MARGIN_PX) // (THUMB_PX + 4) + 1, *(len(each) for each in chosen.values())])
    width = 2 * MARGIN_PX + columns * (THUMB_PX + 4)
    above = _statistics(name, prepared, numbers, width)
    # One for all tiles, or plains would look like mountains.
    exaggeration = _exaggeration(prepared, [tile for each in chosen.values() for tile in each])
    parts = [above]
    parts += [_tiles(prepared, chosen[split], told, width, exaggeration) for split, told in SPLIT_NAMES.items()]
    return np.vstack([part for part in parts if len(part)])


def _statistics(name: str, prepared: TileSet, numbers: SetStatistics, width: int) -> NDArray[np.uint8]:
    told = describe(prepared, numbers)
    shown = [f"left out: {each} {reason}" for each, reason in prepared.left_out[:LEFT_OUT_SHOWN]]
    if len(prepared.left_out) > LEFT_OUT_SHOWN:
        shown.append(f"left out: {len(prepared.left_out) - LEFT_OUT_SHOWN} more")
    lines = [_fitting(line, width - 2 * MARGIN_PX) for line in [*told, *shown]]
    top = MARGIN_PX + 40
    charts = top + LINE_PX * len(lines) + 16
    page = Image.new("RGB", (width, charts + CHART_PX[1] + 2 * LINE_PX + MARGIN_PX), PAPER)
    draw = ImageDraw.Draw(page)
    draw.text((MARGIN_PX, MARGIN_PX), name, INK, ImageFont.load_default(24))
    for number, line in enumerate(lines):
        draw.text((MARGIN_PX, top + number * LINE_PX), line, INK, _font())
    left = MARGIN_PX
    curves = {name: split.lightness for name, split in numbers.splits.items() if split.tiles}
    _chart(draw, (left, charts), "lightness (CIELAB)", curves, ("0", "100"))
    left += CHART_PX[0] + MARGIN_PX
    if prepared.has_height:
        curves = {name: np.sqrt(split.heights) for name, split in numbers.splits.items() if split.tiles}
        ends = tuple(f"{each:,.0f} m" for each in numbers.height_m)
        _chart(draw, (left, charts), "height, root of the share", curves, (ends[0], ends[1]))
        left += CHART_PX[0] + MARGIN_PX
    if prepared.has_maps:
        _classes(draw, (left, charts), numbers)
    return np.asarray(page)


def _chart(
    draw: ImageDraw.ImageDraw,
    corner: tuple[int, int],
    title: str,
    curves: dict[str, NDArray[np.float64]],
    ends: tuple[str, str],
) -> None:
    """Histograms as steps, one a split, on a common scale."""
    left, top = corner
    across, down = CHART_PX
    draw.text((left, top), title, INK, _font())
    for number, each in enumerate(curves):
        draw.text((left + across, top + number * LINE_PX), each, SPLIT_INKS[each], _font(), anchor="ra")
    bottom = top + LINE_PX + down
    draw.line((left, bottom, left + across, bottom), PALE)
    draw.text((left, bottom + 2), ends[0], PALE, _font())
    draw.text((left + across, bottom + 2), ends[1], PALE, _font(), anchor="ra")
    most = max((float(each.max()) for each in curves.values()), default=0.0) or 1.0
    for each, shares in curves.items():
        step = across / len(shares)
        points = []
        for number, share in enumerate(shares):
            height = bottom - share / most * (down - LINE_PX)
            points += [(left + number * step, height), (left + (number + 1) * step, height)]
        draw.line(points, SPLIT_INKS[each], 2)


def _classes(draw: ImageDraw.ImageDraw, corner: tuple[int, int], numbers: SetStatistics) -> None:
    """A bar a class and split."""
    left, top = corner
    splits = [each for each in numbers.splits.values() if each.tiles]
    most = max(float(each.classes.max()) for each in splits) or 1.0
    told = " / ".join(name for name, each in numbers.splits.items() if each.tiles)
    draw.text((left, top), f"classes: {told}", INK, _font())
    row = (CHART_PX[1] + LINE_PX) / len(CLASSES)
    for number, each in enumerate(CLASSES):
        at = top + LINE_PX + number * row
        draw.text((left, at), CLASS_NAMES[each.id], INK, _font())
        bar = (row - 4) / len(splits)
        shares = [float(split.classes[each.id]) for split in splits]
        for index, share in enumerate(shares):
            upper = at + 1 + index * bar
            end = left + 84 + share / most * (CHART_PX[0] - 84)
            draw.rectangle((left + 84, upper, end, upper + bar - 1), each.colour, PALE)
        longest = left + 90 + max(shares) / most * (CHART_PX[0] - 84)
        draw.text((longest, at), " / ".join(f"{share:.1%}" for share in shares), INK, _font())


def _tiles(prepared: TileSet, chosen: Sequence[int], told: str, width: int, exaggeration: float) -> NDArray[np.uint8]:
    if not chosen:
        return np.zeros((0, width, 3), np.uint8)
    columns = [np.vstack([_framed(each) for each in _layers(prepared, tile, exaggeration)]) for tile in chosen]
    page = Image.new("RGB", (width, LINE_PX + 12 + len(columns[0]) + MARGIN_PX), PAPER)
    draw = ImageDraw.Draw(page)
    draw.text((MARGIN_PX, 4), f"{told}: {len(chosen)} tiles", SPLIT_INKS[told], _font())
    for number, column in enumerate(columns):
        page.paste(Image.fromarray(column), (MARGIN_PX + number * (THUMB_PX + 4), LINE_PX + 12))
    return np.asarray(page)


def _layers(prepared: TileSet, tile: int, exaggeration: float) -> list[NDArray[np.uint8]]:
    texture = prepared.texture[tile].copy()
    texture[~prepared.valid[tile]] = NO_DATA
    layers = [_small(texture)]
    if prepared.has_maps:
        layers.append(_small(PALETTE[prepared.labels[tile, 0]]))
    if prepared.has_height:
        height = _small(prepared.height[tile].astype(np.float32))
        low, high = float(height.min()), float(height.max())
        layers.append(_grey((height - low) / max(1.0, high - low)))
        layers.append(_grey(hillshade(height, _small_pixel_m(prepared), exaggeration=exaggeration)))
    return layers


def _exaggeration(prepared: TileSet, tiles: Sequence[int]) -> float:
    """What makes the relief of tiles plain to see, whatever ground a pixel covers."""
    steepness = 0.0
    for tile in tiles:
        slope = np.gradient(_small(prepared.height[tile].astype(np.float32)), _small_pixel_m(prepared))
        steepness += float(np.mean(np.square(slope))) / len(tiles)
    return float(np.clip(USUAL_SLOPE / max(1e-6, np.sqrt(steepness)), 1, 50))


def _small_pixel_m(prepared: TileSet) -> float:
    return prepared.pixel_size_m * prepared.tile_px / THUMB_PX


def _small(layer: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(cv2.resize(layer, (THUMB_PX, THUMB_PX), interpolation=cv2.INTER_AREA), layer.dtype)


def _framed(layer: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.copyMakeBorder(layer, 0, 4, 0, 0, cv2.BORDER_CONSTANT, value=PAPER), np.uint8)


def _grey(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    return np.repeat((np.clip(values, 0, 1) * 255).round().astype(np.uint8)[:, :, None], 3, axis=2)


def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(14)


def _fitting(line: str, width: int) -> str:
    """A line cut to a width in pixels."""
    while line and _font().getlength(line) > width:
        line = line[:-2].rstrip("… ") + "…"
    return line
