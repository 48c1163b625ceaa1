"""An evaluation of fine land: made from the area means of held-out land, against that land."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from terrainpaint.core.classes import CLASS_COUNT, WATER
from terrainpaint.core.progress import Progress
from terrainpaint.errors import TrainingError, WeightsError
from terrainpaint.models.devices import pick_device
from terrainpaint.models.fine_land import FineLandStep
from terrainpaint.models.fine_land_means import FACTOR
from terrainpaint.models.fine_land_weights import FineLand, load_fine_land
from trainer.data.detail_set import DetailSet, load_detail_set, metres
from trainer.data.tile_set import VALIDATION
from trainer.metrics.features import Features
from trainer.metrics.fid_kid import kid
from trainer.systems.super_resolution.relief_figures import (
    bicubic,
    relief_figures,
    shade_gain,
    shaded,
    with_noise,
)

COLOURS = "colours"
"""The part of an evaluation that has the colours; the others are named after their scale."""
CROP_PX = 128
MOST_CROPS = 160
_FEWEST = 8
_STRIDE_PX = 64
_LEAST_KNOWN, _MOST_WATER, _LEAST_RELIEF_M = 0.995, 0.5, 10.0
_SHOWN, _FEW_TILES = 6, 4
_FINE_PX = 8.0
_DIRECTIONS = 8


@dataclass(frozen=True)
class EvaluationOptions:
    """Files and numbers of an evaluation; `count` crops of each scale at most. Raises TrainingError."""

    weights: Path
    data: Path
    features: Path
    count: int = MOST_CROPS
    seed: int = 0
    device: str = "auto"

    def __post_init__(self) -> None:
        if self.count < _FEWEST or self.seed < 0:
            raise TrainingError(f"count must be at least {_FEWEST} and seed at least 0, not {self.count} and "
                                f"{self.seed}.")  # fmt: skip


@dataclass(frozen=True, eq=False)
class Evaluation:
    """`figures` as `results.json` holds them; `pictures` name → rows (H, W, 3) uint8 of what was generated and of what
    is enlarged and real beside it."""

    figures: dict[str, Any]
    pictures: dict[str, NDArray[np.uint8]]


@dataclass(frozen=True)
class _Crop:
    """Held-out land with a margin: `height` (H, W) metres, `water` (H, W), `albedo` (H, W, 3) or None."""

    height: NDArray[np.float32]
    water: NDArray[np.bool_]
    albedo: NDArray[np.uint8] | None


def evaluate_fine_land(options: EvaluationOptions, progress: Progress) -> Evaluation:
    """Measure a weights file with the held-out tiles of a detail set. Raises TrainingError."""
    device = pick_device(options.device)
    try:
        fine = load_fine_land(options.weights, device)
    except WeightsError as error:
        raise TrainingError(str(error)) from error
    details = load_detail_set(options.data)
    features = Features.load(options.features, device)
    figures: dict[str, Any] = {"setup": {
        "weights": options.weights.name, "weights sha256": fine.sha256, "features": features.label,
        "crops": f"at most {options.count} of {CROP_PX} px", "seed": options.seed,
        "held out": sorted({name for name, split in zip(details.names, details.split, strict=True)
                            if split == VALIDATION}),
    }}  # fmt: skip
    pictures: dict[str, NDArray[np.uint8]] = {}
    scales = _scales(fine, details)
    for number, pixel_m in enumerate(scales):
        name = f"{pixel_m:g} m"
        found = _evaluate_heights(fine, pixel_m, details, features, options, _part_of(progress, number, len(scales)))
        if found is not None:
            figures[name], pictures[name] = found
    painted = _evaluate_colours(fine, details, features, options)
    if painted is not None:
        figures[COLOURS], pictures[COLOURS] = painted
    if len(figures) == 1:
        raise TrainingError(f"{options.data} has too little held-out land; make it with --held-out.")
    progress(1.0)
    return Evaluation(figures, pictures)


def _scales(fine: FineLand, details: DetailSet) -> list[float]:
    """The ground sizes of a pixel of held-out land, from large to small, that are finer than the cells of the first
    step."""
    sizes = details.pixel_size_m[details.split == VALIDATION]
    return sorted({float(size) for size in sizes if size < 0.8 * fine.steps[0].config.cell_m}, reverse=True)


def _part_of(progress: Progress, number: int, count: int) -> Progress:
    return lambda part: progress((number + part) / (count + 1))


def _evaluate_heights(
    fine: FineLand, pixel_m: float, details: DetailSet, features: Features, options: EvaluationOptions,
    progress: Progress,
) -> tuple[dict[str, Any], NDArray[np.uint8]] | None:  # fmt: skip
    step = fine.nearest_step(pixel_m * FACTOR)
    margin = step.margin
    crops = _crops(details, pixel_m, margin, options, coloured=False)
    if len(crops) < _FEWEST:
        return None
    random = np.random.default_rng(options.seed)
    rim = FACTOR * margin
    real = [crop.height[rim:-rim, rim:-rim] for crop in crops]
    water = [crop.water[rim:-rim, rim:-rim] for crop in crops]
    kinds: dict[str, list[NDArray[np.float32]]] = {"fine land": [], "bicubic": [], "noise": [], "real": real}
    for number, (crop, truth) in enumerate(zip(crops, real, strict=True)):
        progress(0.4 * number / len(crops))
        coarse = _means(crop.height)
        scale = pixel_m * FACTOR / step.config.cell_m  # a step that was made for other cells sees the true slopes
        kinds["fine land"].append(_refined(step, crop, options.seed + number, scale)[0] * np.float32(scale))
        kinds["bicubic"].append(bicubic(coarse, margin))
        kinds["noise"].append(with_noise(coarse, truth, margin, random))
    gains = [shade_gain(truth, pixel_m) for truth in real]
    progress(0.5)
    embedded = {name: [features.of(view) for view in shaded(fields, pixel_m, gains)] for name, fields in kinds.items()}
    progress(0.9)
    found: dict[str, Any] = {}
    for name, fields in kinds.items():
        distances = [
            halves_kid(real_view, view) for real_view, view in zip(embedded["real"], embedded[name], strict=True)
        ]
        found[name] = {"KID of hillshades": float(np.mean(distances))} | relief_figures(fields, real, pixel_m, water)
    shown = np.linspace(0, len(crops) - 1, _SHOWN).astype(int)
    rows = [
        np.concatenate([shaded([kinds[kind][index]], pixel_m, [gains[index]])[0][0] for index in shown], axis=1)
        for kind in ("bicubic", "noise", "fine land", "real")
    ]
    return {"crops": len(crops), **found}, np.concatenate(rows)


def _evaluate_colours(
    fine: FineLand, details: DetailSet, features: Features, options: EvaluationOptions
) -> tuple[dict[str, Any], NDArray[np.uint8]] | None:
    """Land at 2 km from 8 km: heights are scaled to the slopes that the first step was made for."""
    step = fine.steps[0]
    pixel_m = step.config.cell_m
    crops = _crops(details, pixel_m, step.margin, options, coloured=True)
    if len(crops) < _FEWEST:
        return None
    rim = FACTOR * step.margin
    kinds: dict[str, list[NDArray[np.uint8]]] = {"fine land": [], "bicubic": [], "real": []}
    heights: dict[str, list[NDArray[np.float32]]] = {"fine land": [], "bicubic": [], "real": []}
    for number, crop in enumerate(crops):
        if crop.albedo is None:
            continue
        height, albedo = _refined(step, crop, options.seed + number, FACTOR)
        small = cv2.resize(crop.albedo, None, fx=1 / FACTOR, fy=1 / FACTOR, interpolation=cv2.INTER_AREA)
        large = cv2.resize(small, None, fx=FACTOR, fy=FACTOR, interpolation=cv2.INTER_CUBIC)
        truth = crop.height[rim:-rim, rim:-rim]
        for name, picture, ground in (
            ("fine land", albedo, height * FACTOR), ("bicubic", large[rim:-rim, rim:-rim], truth),
            ("real", crop.albedo[rim:-rim, rim:-rim], truth),
        ):  # fmt: skip
            kinds[name].append(np.ascontiguousarray(picture))
            heights[name].append(ground)
    embedded = {name: features.of(np.stack(each)) for name, each in kinds.items()}
    found: dict[str, Any] = {}
    for name in kinds:
        added = [
            picture - large.astype(np.float32) for picture, large in zip(kinds[name], kinds["bicubic"], strict=True)
        ]
        found[name] = {
            "KID": halves_kid(embedded["real"], embedded[name]),
            "leak": leak(kinds[name], heights[name], pixel_m),
            "leak of the detail": leak(added, heights[name], pixel_m),
        }
    shown = np.linspace(0, len(crops) - 1, _SHOWN).astype(int)
    rows = [
        np.concatenate([kinds[kind][index] for index in shown], axis=1) for kind in ("bicubic", "fine land", "real")
    ]
    return {"crops": len(crops), **found}, np.concatenate(rows)


def leak(pictures: Sequence[NDArray[Any]], heights: Sequence[NDArray[np.float32]], pixel_m: float) -> float:
    """Largest correlation, over eight directions of the light, of the fine lightness of pictures with the slope that
    faces the light."""
    light, south, east = [], [], []
    for picture, height in zip(pictures, heights, strict=True):
        down, along = np.gradient(height.astype(np.float64), pixel_m)
        inner = np.s_[4:-4, 4:-4]
        light.append(_fine(picture.mean(axis=2, dtype=np.float32))[inner].ravel())
        south.append(_fine(np.tanh(10 * down).astype(np.float32))[inner].ravel())
        east.append(_fine(np.tanh(10 * along).astype(np.float32))[inner].ravel())
    x, s, e = (np.concatenate(each).astype(np.float64) for each in (light, south, east))
    angles = 2 * np.pi * np.arange(_DIRECTIONS) / _DIRECTIONS
    return max(abs(_correlation(x, np.cos(angle) * s - np.sin(angle) * e)) for angle in angles)


def _correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Pearson's r; 0 where one of them is uniform."""
    spread = float(one.std() * other.std())
    return float(((one - one.mean()) * (other - other.mean())).mean() / spread) if spread > 0 else 0.0


def _fine(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(values - cv2.GaussianBlur(values, (0, 0), _FINE_PX), np.float32)


def halves_kid(real: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """KID of one half of the crops against the other half of the real ones, both ways: for the real ones themselves it
    is the floor. No crop is compared with the land that it was made from."""
    one, two = slice(0, None, 2), slice(1, None, 2)
    count = len(real) // 2
    ways = ((real[one][:count], other[two][:count]), (real[two][:count], other[one][:count]))
    return float(np.mean([kid(ours, theirs) for ours, theirs in ways]))


@torch.inference_mode()
def _refined(
    step: FineLandStep, crop: _Crop, seed: int, scale: float = 1.0
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Heights divided by `scale` and albedo of a crop, four times finer than its area means, without the margin."""
    device = next(step.parameters()).device
    height = torch.from_numpy(_means(crop.height) / np.float32(scale))[None, None]
    share = torch.from_numpy(_means(crop.water.astype(np.float32)))
    classes = torch.zeros((1, CLASS_COUNT, *share.shape))
    classes[0, WATER], classes[0, WATER + 1] = share, 1 - share
    albedo = torch.zeros((1, 3, *share.shape))
    if crop.albedo is not None:
        albedo[0] = torch.from_numpy(_means(crop.albedo.astype(np.float32) / np.float32(255))).movedim(-1, 0)
    fine, colours = step(height.to(device), albedo.to(device), classes.to(device), seed, 0, 0)
    picture = (colours[0].movedim(0, -1).cpu().numpy() * 255).round().astype(np.uint8)
    return np.asarray(fine[0, 0].cpu().numpy(), np.float32), picture


def _means(values: NDArray[np.float32]) -> NDArray[np.float32]:
    rows, cols = (side // FACTOR for side in values.shape[:2])
    blocks = values.reshape(rows, FACTOR, cols, FACTOR, *values.shape[2:])
    return np.asarray(blocks.mean(axis=(1, 3)), np.float32)


def _crops(details: DetailSet, pixel_m: float, margin: int, options: EvaluationOptions, coloured: bool) -> list[_Crop]:
    """Held-out crops with their margin, on a grid; those that are known and mostly land, spread over all of them."""
    rim = FACTOR * margin
    albedo_of = {int(tile): index for index, tile in enumerate(details.albedo_of)}
    tiles = [int(tile) for tile in details.of_scale(pixel_m, VALIDATION) if not coloured or int(tile) in albedo_of]
    # Where there is little land, crops overlap more.
    stride = _STRIDE_PX if len(tiles) > _FEW_TILES else _STRIDE_PX // 4
    usable = []
    for tile in tiles:
        # Land beyond the tile is unknown in any case; the crops themselves are known.
        height = np.pad(metres(details.height[tile]), rim, mode="edge")
        water = np.pad(details.water[tile], rim, mode="edge")
        albedo = (
            np.pad(details.albedo[albedo_of[tile]], ((rim, rim), (rim, rim), (0, 0)), mode="edge") if coloured else None
        )
        for row in range(0, details.tile_px - CROP_PX + 1, stride):
            for col in range(0, details.tile_px - CROP_PX + 1, stride):
                inner = np.s_[row + rim : row + rim + CROP_PX, col + rim : col + rim + CROP_PX]
                known = details.known[tile, row : row + CROP_PX, col : col + CROP_PX]
                if (known.mean() >= _LEAST_KNOWN and water[inner].mean() <= _MOST_WATER
                        and float(np.ptp(height[inner])) > _LEAST_RELIEF_M):  # fmt: skip
                    at = np.s_[row : row + CROP_PX + 2 * rim, col : col + CROP_PX + 2 * rim]
                    usable.append(_Crop(height[at], water[at], None if albedo is None else albedo[at]))
    places = np.linspace(0, len(usable) - 1, min(len(usable), options.count)).astype(int)
    return [usable[index] for index in np.unique(places)]
