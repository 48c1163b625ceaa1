"""What a prepared set holds, in numbers."""

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
SPLIT_NAMES = {TRAIN: "train", VALIDATION: "held out"}


@dataclass(frozen=True)
class SplitStatistics:
    """Of one split: `tiles`; `files` that they were cut from, 0 for rasters; `valid`, `sea` shares of all pixels; the
    rest of valid pixels only: `classes` (7,) shares, zeros without maps; `mean_lightness` 0..100 (CIELAB); `lightness`
    and `heights` histograms that sum to 1, over 0..100 and over `SetStatistics.height_m`; `quantiles_m` of height on
    land: 0, 5, 50, 95, 100 %.
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
    """Numbers of each split by its name, and `height_m`, the lowest and the highest of the set."""

    splits: dict[str, SplitStatistics]
    height_m: tuple[float, float]


def statistics_of(prepared: TileSet) -> SetStatistics:
    """The numbers of a set, a tile at a time."""
    low, high = (float(prepared.height.min()), float(prepared.height.max())) if len(prepared) else (0.0, 0.0)
    bounds = (low, max(high, low + 1))
    return SetStatistics({name: _split(prepared, split, bounds) for split, name in SPLIT_NAMES.items()}, bounds)


def describe(prepared: TileSet, numbers: SetStatistics) -> list[str]:
    """The same as lines of text."""
    side = prepared.tile_px
    lines = [
        f"style {prepared.style}, {len(prepared)} tiles of {side} px"
        + (f", {prepared.pixel_size_m:g} m a pixel" if prepared.has_height else ""),
        f"heights {'yes' if prepared.has_height else 'no'}, maps a tile {prepared.labels.shape[1]}",
        f"it can train {prepared.trains()}",
        f"credits {prepared.credits or 'none'}",
    ]
    for name, split in numbers.splits.items():
        if not split.tiles:
            lines.append(f"{name}: no tiles")
            continue
        files = f" of {_counted(split.files)}" if split.files else ""
        lines.append(f"{name}: {split.tiles} tiles{files}, {split.valid:.1%} valid, {split.sea:.1%} sea, "
                     f"lightness {split.mean_lightness:.0f}")  # fmt: skip
        if prepared.has_height:
            told = " / ".join(f"{each:.0f}" for each in split.quantiles_m)
            lines.append(f"{name}: height on land {told} m (least, 5 %, median, 95 %, most)")
        if prepared.has_maps:
            shares = zip(CLASS_NAMES, split.classes, strict=True)
            lines.append(f"{name}: " + ", ".join(f"{each} {share:.1%}" for each, share in shares))
    lines.append(f"left out {_counted(len(prepared.left_out))}")
    return lines


def _counted(files: int) -> str:
    return f"{files} file" if files == 1 else f"{files} files"


def _split(prepared: TileSet, split: int, bounds: tuple[float, float]) -> SplitStatistics:
    chosen = np.flatnonzero(prepared.split == split)
    classes, lightness = np.zeros(CLASS_COUNT), np.zeros(LIGHTNESS_BINS)
    # Whole metres: all quantiles are exact, without keeping the pixels.
    land: Counter[int] = Counter()
    heights, bright = np.zeros(HEIGHT_BINS), 0.0
    valid_px = sea_px = 0
    for tile in chosen:
        valid = prepared.valid[tile]
        valid_px += int(valid.sum())
        sea_px += int(prepared.sea[tile].sum())
        lab = cv2.cvtColor(prepared.texture[tile].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
        lightness += np.histogram(lab[:, :, 0][valid].clip(0, 100), LIGHTNESS_BINS, (0, 100))[0]
        bright += float(lab[:, :, 0][valid].sum(dtype=np.float64))
        heights += np.histogram(prepared.height[tile][valid], HEIGHT_BINS, bounds)[0]
        classes += class_counts(prepared.labels[tile][:, valid])
        metres, count = np.unique(prepared.height[tile][valid & ~prepared.sea[tile]], return_counts=True)
        land.update(dict(zip(metres.tolist(), count.tolist(), strict=True)))
    all_px = max(1, len(chosen)) * prepared.tile_px**2
    names = {prepared.names[tile] for tile in chosen} if prepared.names else set()
    return SplitStatistics(
        tiles=len(chosen),
        files=len(names),
        valid=valid_px / all_px,
        sea=sea_px / all_px,
        classes=_shares(classes),
        mean_lightness=bright / max(1.0, lightness.sum()),
        lightness=_shares(lightness),
        heights=_shares(heights),
        quantiles_m=_quantiles(land),
    )


def _shares(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(counts / max(1.0, counts.sum()))


def _quantiles(counted: Counter[int]) -> tuple[float, ...]:
    if not counted:
        return (0.0,) * 5
    metres = np.array(sorted(counted))
    below = np.cumsum([counted[each] for each in metres.tolist()])
    return tuple(float(metres[np.searchsorted(below, share * below[-1])]) for share in (0, 0.05, 0.5, 0.95, 1))
