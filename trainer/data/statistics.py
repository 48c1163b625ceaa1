"""Statistics of a tile set."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import CLASS_COUNT, CLASS_NAMES, class_counts
from trainer.data.tile_set import TRAIN, VALIDATION, TileSet

LIGHTNESS_BINS = 50
HEIGHT_BINS = 50
NOTES_SHOWN = 8
SPLIT_NAMES = {TRAIN: "train", VALIDATION: "held out"}
_QUANTILES = (0, 0.05, 0.5, 0.95, 1)


@dataclass(frozen=True)
class SplitStatistics:
    """Statistics of one split.

    `tiles` and `files` are numbers; `files` are those that the tiles were cut from, 0 for rasters. `valid` and `sea`
    are fractions of all pixels. The rest is about valid pixels only: `classes` (7,) fractions, zeros without maps;
    `mean_lightness` 0..100 (CIELAB); `lightness` and `heights` histograms that sum to 1, over 0..100 and over
    `SetStatistics.height_m`; `quantiles_m` of height on land: 0, 5, 50, 95, 100 %.
    """

    tiles: int
    files: int
    valid: float
    sea: float
    classes: NDArray[np.float64]
    mean_lightness: float
    lightness: NDArray[np.float64]
    heights: NDArray[np.float64]
    quantiles_m: tuple[float, ...]


@dataclass(frozen=True)
class SetStatistics:
    """Name of each split → its statistics, and `height_m`, the lowest and the highest of the set."""

    splits: dict[str, SplitStatistics]
    height_m: tuple[float, float]


def statistics_of(tiles: TileSet) -> SetStatistics:
    """The statistics of a set, computed one tile at a time to save memory."""
    low, high = (float(tiles.height.min()), float(tiles.height.max())) if len(tiles) else (0.0, 0.0)
    bounds = (low, max(high, low + 1))
    return SetStatistics({name: _split_statistics(tiles, split, bounds) for split, name in SPLIT_NAMES.items()}, bounds)


def class_fractions_of(tiles: TileSet) -> NDArray[np.float64]:
    """(7,) fraction of each class in the valid pixels of all maps."""
    counts = np.zeros(CLASS_COUNT)
    for tile in range(len(tiles)):
        counts += _class_counts(tiles, tile)
    return _normalised(counts)


def describe(tiles: TileSet, statistics: SetStatistics) -> list[str]:
    """The statistics as lines of text."""
    side = tiles.tile_px
    lines = [
        f"style {tiles.style}, {len(tiles)} tiles of {side} px"
        + (f", {tiles.pixel_size_m:g} m a pixel" if tiles.has_height else ""),
        f"heights {'yes' if tiles.has_height else 'no'}, maps a tile {tiles.labels.shape[1]}",
        f"it can train {tiles.trains()}",
        f"credits {tiles.credits or 'none'}",
    ]
    for name, split in statistics.splits.items():
        if not split.tiles:
            lines.append(f"{name}: no tiles")
            continue
        files = f" of {_files(split.files)}" if split.files else ""
        ground = f"{split.valid:.1%} valid, {split.sea:.1%} sea, " if tiles.has_height else ""
        lines.append(f"{name}: {split.tiles} tiles{files}, {ground}lightness {split.mean_lightness:.0f}")
        if tiles.has_height:
            quantiles = " / ".join(f"{height:.0f}" for height in split.quantiles_m)
            lines.append(f"{name}: height on land {quantiles} m (lowest, 5 %, median, 95 %, highest)")
        if tiles.has_maps:
            fractions = zip(CLASS_NAMES, split.classes, strict=True)
            lines.append(f"{name}: " + ", ".join(f"{class_name} {fraction:.1%}" for class_name, fraction in fractions))
    lines.append(f"left out {_files(len(tiles.left_out))}")
    lines += [f"{name}: {note}" for name, note in tiles.notes[:NOTES_SHOWN]]
    if len(tiles.notes) > NOTES_SHOWN:
        lines.append(f"{len(tiles.notes) - NOTES_SHOWN} more notes about files")
    return lines


def _files(count: int) -> str:
    return f"{count} file" if count == 1 else f"{count} files"


def _split_statistics(tiles: TileSet, split: int, bounds: tuple[float, float]) -> SplitStatistics:
    indices = np.flatnonzero(tiles.split == split)
    classes, lightness = np.zeros(CLASS_COUNT), np.zeros(LIGHTNESS_BINS)
    # Heights are whole metres: counts of each give exact quantiles without keeping the pixels.
    land: Counter[int] = Counter()
    heights, lightness_sum = np.zeros(HEIGHT_BINS), 0.0
    valid_px = sea_px = 0
    for tile in indices.tolist():
        valid = tiles.valid[tile]
        valid_px += int(valid.sum())
        sea_px += int(tiles.sea[tile].sum())
        lab = cv2.cvtColor(tiles.texture[tile].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
        lightness += np.histogram(lab[:, :, 0][valid].clip(0, 100), LIGHTNESS_BINS, (0, 100))[0]
        lightness_sum += float(lab[:, :, 0][valid].sum(dtype=np.float64))
        heights += np.histogram(tiles.height[tile][valid], HEIGHT_BINS, bounds)[0]
        classes += _class_counts(tiles, tile)
        metres, count = np.unique(tiles.height[tile][valid & ~tiles.sea[tile]], return_counts=True)
        land.update(dict(zip(metres.tolist(), count.tolist(), strict=True)))
    all_px = max(1, len(indices)) * tiles.tile_px**2
    names = {tiles.names[tile] for tile in indices} if tiles.names else set()
    return SplitStatistics(
        tiles=len(indices),
        files=len(names),
        valid=valid_px / all_px,
        sea=sea_px / all_px,
        classes=_normalised(classes),
        mean_lightness=lightness_sum / max(1.0, lightness.sum()),
        lightness=_normalised(lightness),
        heights=_normalised(heights),
        quantiles_m=_quantiles(land),
    )


def _class_counts(tiles: TileSet, tile: int) -> NDArray[np.int64]:
    """(7,) pixels of each class in the valid pixels of all maps of a tile."""
    return class_counts(tiles.labels[tile][:, tiles.valid[tile]])


def _normalised(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(counts / max(1.0, counts.sum()))


def _quantiles(counts: Counter[int]) -> tuple[float, ...]:
    """The `_QUANTILES` of numbers that were counted."""
    if not counts:
        return (0.0,) * len(_QUANTILES)
    values = np.array(sorted(counts))
    cumulative = np.cumsum([counts[value] for value in values.tolist()])
    return tuple(float(values[np.searchsorted(cumulative, quantile * cumulative[-1])]) for quantile in _QUANTILES)
