"""Layout sets from rasters of the whole Earth: label the land once, then cut large equal-area maps from it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import CLASS_COUNT, WATER
from terrainpaint.core.labeller import PIXEL_SIZE_M, Labeller
from terrainpaint.core.progress import Progress, no_progress
from terrainpaint.core.rects import Rect
from terrainpaint.core.smoothing import Smoothing, smooth_map
from terrainpaint.errors import TrainingError
from trainer.data.equal_area import EARTH_RADIUS_M, to_earth
from trainer.data.layout_set import UNKNOWN, LayoutSet
from trainer.data.raster_places import check_colours, raster_errors
from trainer.data.raster_sources import Source, open_heights, open_plain, open_texture
from trainer.data.tile_set import TRAIN, VALIDATION

Box = tuple[float, float, float, float]
"""West, south, east and north in degrees."""
HELD_OUT: tuple[Box, ...] = ((105, -50, 180, 0), (-170, 40, -110, 76), (30, -12, 62, 38))
"""Australia with the islands north and east of it; the north-west of America; Arabia with the east of Africa."""
WORLD: Box = (-180, -90, 180, 90)
_SMOOTHING = Smoothing(land_px=3.0, water_px=0.8, thin_water=False)
"""Of labels at 2 km: rivers are thinner than the pixels of a layout."""
_BLOCK_PX, _MARGIN_PX = (512, 2048), 64
_BUFFER_DEG = 0.5
"""Training keeps so far away from what is held out."""
_TRIES = 200
_WGS84 = "EPSG:4326"


@dataclass(frozen=True)
class LayoutSources:
    """Rasters on one grid whose rows are parallels: `texture` uint8 RGB, `height` metres; `sea` and `valid` are true
    where they are not 0."""

    texture: Path
    height: Path
    sea: Path
    valid: Path | None = None


@dataclass(frozen=True)
class LayoutOptions:
    """`count` maps of `tile_px` pixels of `pixel_size_m` metres, and a sixth as many within each box of `held_out`;
    each has at least `minimum_land` land and `minimum_known` of pixels that may be used. Centres of training are drawn
    from `within`."""

    count: int = 480
    tile_px: int = 512
    pixel_size_m: float = 8000.0
    minimum_land: float = 0.1
    minimum_known: float = 0.2
    held_out: tuple[Box, ...] = HELD_OUT
    within: Box = WORLD
    seed: int = 0
    credits: str = ""


def layouts_from_rasters(
    sources: LayoutSources, labeller: Labeller, options: LayoutOptions, progress: Progress = no_progress
) -> LayoutSet:
    """Label rasters of the whole Earth and cut maps around random places of it.

    Raises TrainingError when the rasters cannot be used or hold no place with enough land.
    """
    with raster_errors(), ExitStack() as stack:
        rasters = {"texture": open_texture(stack, sources.texture), "height": open_heights(stack, sources.height, None)}
        rasters["sea"] = open_plain(stack, sources.sea)
        if sources.valid is not None:
            rasters["valid"] = open_plain(stack, sources.valid)
        _check(rasters)
        ids = _labelled(rasters, labeller, lambda part: progress(0.7 * part))
        earth = _Earth(ids, rasters["texture"].dataset)
        return _cut(earth, options, lambda part: progress(0.7 + 0.3 * part))


def _check(rasters: dict[str, Source]) -> None:
    check_colours(rasters["texture"])
    grid = rasters["texture"].dataset
    for source in rasters.values():
        raster = source.dataset
        if raster.crs is None or (raster.crs, raster.shape) != (grid.crs, grid.shape):
            raise TrainingError(f"{source.path} must have a georeference, and the size and projection of "
                                f"{rasters['texture'].path}; warp it to that grid with 'rio warp --like'.")  # fmt: skip


def _labelled(rasters: dict[str, Source], labeller: Labeller, progress: Progress) -> NDArray[np.uint8]:
    """(H, W) uint8 class ids of the whole rasters, UNKNOWN where they may not be used."""
    height, width = rasters["texture"].dataset.shape
    ids = np.full((height, width), WATER, np.uint8)
    blocks = list(_blocks(height, width))
    for index, block in enumerate(blocks):
        progress(index / len(blocks))
        wide = block.grown(_MARGIN_PX).clipped((height, width))
        sea = _read(rasters["sea"], wide)[0] != 0
        inner = block.moved(-wide.row, -wide.col).slices
        if not sea.all():
            ids[block.slices] = _label(rasters, labeller, wide, sea)[inner]
        if "valid" in rasters:
            ids[block.slices][_read(rasters["valid"], block)[0] == 0] = UNKNOWN
    progress(1.0)
    return ids


def _label(rasters: dict[str, Source], labeller: Labeller, rect: Rect, sea: NDArray[np.bool_]) -> NDArray[np.uint8]:
    texture = np.ascontiguousarray(np.moveaxis(_read(rasters["texture"], rect, (1, 2, 3)), 0, -1))
    land = _read(rasters["height"], rect)[0].astype(np.float32)
    no_data = rasters["height"].dataset.nodata
    unknown = ~np.isfinite(land) if no_data is None else (land == no_data) | ~np.isfinite(land)
    land[unknown] = 0
    factor = _pixel_m(rasters["texture"].dataset, rect.row + rect.height / 2) / PIXEL_SIZE_M
    size = (max(1, round(rect.width * factor)), max(1, round(rect.height * factor)))
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    probabilities = labeller.probabilities(
        np.asarray(cv2.resize(texture, size, interpolation=method), np.uint8),
        np.asarray(cv2.resize(land, size, interpolation=method), np.float32),
    )
    wet = cv2.resize(sea.view(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    probabilities[wet] = np.eye(CLASS_COUNT, dtype=np.float32)[WATER]
    labels = smooth_map(probabilities, _SMOOTHING, np.random.default_rng(0))
    ids = np.asarray(cv2.resize(labels, (rect.width, rect.height), interpolation=cv2.INTER_NEAREST), np.uint8)
    ids[unknown & ~sea] = UNKNOWN
    return ids


class _Earth:
    """A map of classes (H, W) on the grid of a raster, looked up by latitude and longitude."""

    def __init__(self, ids: NDArray[np.uint8], dataset: Any) -> None:
        self._ids, self._crs, self._inverse = ids, dataset.crs, ~dataset.transform

    def _pixel(
        self, latitude: NDArray[np.float64], longitude: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        from rasterio.warp import transform

        x, y = transform(_WGS84, self._crs, longitude.ravel(), latitude.ravel())
        a, b, c, d, e, f = tuple(self._inverse)[:6]
        east, north = np.asarray(x), np.asarray(y)
        return a * east + b * north + c, d * east + e * north + f

    def at(self, earth_deg: NDArray[np.float64]) -> NDArray[np.uint8]:
        """(P,) uint8 of (P, 2) latitude and longitude; UNKNOWN beyond the raster."""
        longitude = (earth_deg[:, 1] + 180) % 360 - 180
        col, row = self._pixel(np.clip(earth_deg[:, 0], -89.9, 89.9), longitude)
        height, width = self._ids.shape
        rows, cols = np.floor(row).astype(np.int64), np.floor(col).astype(np.int64)
        inside = (rows >= 0) & (rows < height) & (cols >= 0) & (cols < width)
        ids = np.full(len(rows), UNKNOWN, np.uint8)
        ids[inside] = self._ids[rows[inside], cols[inside]]
        return ids


def _cut(earth: _Earth, options: LayoutOptions, progress: Progress) -> LayoutSet:
    random = np.random.default_rng(options.seed)
    side = options.tile_px
    axis = (np.arange(side) + 0.5 - side / 2) * options.pixel_size_m
    grid = np.stack([np.tile(axis, side), np.repeat(-axis, side)], axis=1)
    wanted = [(options.within, options.count), *((box, max(1, options.count // 6)) for box in options.held_out)]
    total = sum(count for _, count in wanted)
    maps: list[NDArray[np.uint8]] = []
    centres: list[tuple[float, float]] = []
    splits: list[int] = []
    for box, count in wanted:
        for _ in range(count):
            progress(len(maps) / total)
            split = TRAIN if len(maps) < options.count else VALIDATION
            ids, centre = _draw(earth, grid, box, split, options, random)
            maps.append(ids.reshape(side, side))
            centres.append(centre)
            splits.append(split)
    progress(1.0)
    return LayoutSet(
        np.stack(maps), np.array(splits, np.uint8), np.array(centres, np.float32), options.pixel_size_m, options.credits
    )


def _draw(
    earth: _Earth,
    grid: NDArray[np.float64],
    box: Box,
    split: int,
    options: LayoutOptions,
    random: np.random.Generator,
) -> tuple[NDArray[np.uint8], tuple[float, float]]:
    """One map around a random centre, turned at random, and that centre."""
    west, south, east, north = box
    low, high = np.sin(np.radians([south, north]))
    for _ in range(_TRIES):
        centre = float(np.degrees(np.arcsin(random.uniform(low, high)))), float(random.uniform(west, east))
        angle = random.uniform(0, 2 * np.pi)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        where = to_earth(grid @ turn, centre)
        ids = earth.at(where)
        inside = _within(where, box, 0) if split == VALIDATION else ~_in_any(where, options.held_out)
        ids[~inside] = UNKNOWN
        known = ids != UNKNOWN
        if known.mean() >= options.minimum_known and (ids[known] != WATER).mean() >= options.minimum_land:
            return ids, centre
    raise TrainingError("The rasters hold no place with enough land; lower --minimum-land, or change --held-out.")


def _in_any(where: NDArray[np.float64], boxes: tuple[Box, ...]) -> NDArray[np.bool_]:
    inside = np.zeros(len(where), bool)
    for box in boxes:
        inside |= _within(where, box, _BUFFER_DEG)
    return inside


def _within(where: NDArray[np.float64], box: Box, grown_deg: float) -> NDArray[np.bool_]:
    west, south, east, north = box
    latitude, longitude = where.T
    from_west = (longitude - west + grown_deg) % 360
    inside = from_west <= east - west + 2 * grown_deg
    return np.asarray(inside & (latitude >= south - grown_deg) & (latitude <= north + grown_deg))


def _blocks(height: int, width: int) -> Iterator[Rect]:
    rows, cols = _BLOCK_PX
    for row in range(0, height, rows):
        for col in range(0, width, cols):
            yield Rect(row, col, min(rows, height - row), min(cols, width - col))


def _read(source: Source, rect: Rect, bands: tuple[int, ...] = (1,)) -> NDArray[Any]:
    from rasterio.windows import Window

    values: NDArray[Any] = source.dataset.read(bands, window=Window(rect.col, rect.row, rect.width, rect.height))
    return values


def _pixel_m(dataset: Any, row: float) -> float:
    """Ground size in metres of a pixel in the middle of a row, from west to east."""
    from rasterio.warp import transform

    ends = [dataset.transform * (dataset.width / 2 + step, row) for step in (0, 1)]
    longitudes, latitudes = transform(dataset.crs, _WGS84, [x for x, _ in ends], [y for _, y in ends])
    return float(EARTH_RADIUS_M * np.cos(np.radians(latitudes[0])) * np.radians(abs(longitudes[1] - longitudes[0])))
