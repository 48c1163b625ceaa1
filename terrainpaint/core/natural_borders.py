"""Borders between classes as rough as natural coasts: every pixel takes the class of a place nearby.

The map is warped by smooth noise of place, octave after octave: each octave is half as wide and displaces half as far
as the one before it, and follows the borders as those have displaced them, so that a border looks alike at every
scale. Every octave is invertible, so areas stay connected and keep about their size. Parts that are too thin for this,
such as rivers of 1 to 3 px, are drawn where their pixels go, with lines between neighbours.

The displacement of a pixel depends on its place and the seed only.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import WATER
from terrainpaint.core.rects import Rect

TILE_PX = 256
MIN_AMOUNT_PX, MAX_AMOUNT_PX = 1.0, 200.0
MIN_SCALE_PX, MAX_SCALE_PX = 4.0, 800.0

_FINEST_PX = 4.0
_NOISE_GAIN = 2.5
"""A spline through random numbers is rarely near its limits; with this gain displacements do come near the amount."""
_MOST_OF_SCALE = 0.6
_THIN_PX = 3
_DRAWN_INTO_AREAS_PX = 3
_INVERSION_STEPS = 24
_INVERSION_DAMPING = 0.6
_EDGES = ((0, 1), (1, 0), (1, 1), (1, -1))
_SAMPLES_PER_PX = 3


@dataclass(frozen=True)
class Roughness:
    """How rough: the largest bends, of about `scale_px`, displace borders by up to `amount_px`, finer ones by less.

    Raises ValueError for numbers out of range.
    """

    amount_px: float = 16.0
    scale_px: float = 48.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not MIN_AMOUNT_PX <= self.amount_px <= MAX_AMOUNT_PX:
            raise ValueError(f"amount_px must be {MIN_AMOUNT_PX}..{MAX_AMOUNT_PX}, not {self.amount_px}")
        if not MIN_SCALE_PX <= self.scale_px <= MAX_SCALE_PX:
            raise ValueError(f"scale_px must be {MIN_SCALE_PX}..{MAX_SCALE_PX}, not {self.scale_px}")

    @property
    def limited_px(self) -> float:
        """The amount that is used: with a larger one than this part of the scale, borders would fold into scraps."""
        return min(self.amount_px, _MOST_OF_SCALE * self.scale_px)

    @property
    def displacement_px(self) -> int:
        """No border moves further than this: all octaves together are less than twice the first one."""
        return math.ceil(2 * self.limited_px)

    @property
    def reach_px(self) -> int:
        """A pixel depends on no cell that is further away."""
        return self.displacement_px + 2 * (_THIN_PX + _DRAWN_INTO_AREAS_PX) + 2

    @property
    def fade_px(self) -> float:
        """The width over which the roughness begins inside a selection or a brush, so that borders stay connected."""
        return 3 * self.limited_px


def tiles(rect: Rect) -> Iterator[Rect]:
    """The rectangle cut along the tiles of the map, row by row."""
    for row in range(rect.row // TILE_PX, -(-rect.bottom // TILE_PX)):
        for col in range(rect.col // TILE_PX, -(-rect.right // TILE_PX)):
            yield Rect(row * TILE_PX, col * TILE_PX, TILE_PX, TILE_PX).intersection(rect)


def faded(mask: NDArray[np.bool_], fade_px: float) -> NDArray[np.float32]:
    """(h, w) float32: 0 outside of the mask (h, w) bool, up to 1 from `fade_px` inside of it. Beyond it, all counts."""
    if mask.all():
        return np.ones(mask.shape, np.float32)
    distance = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    return np.asarray(np.minimum(distance / np.float32(max(fade_px, 1.0)), 1), np.float32)


def roughened(
    cells: NDArray[np.uint8],
    rect: Rect,
    roughness: Roughness,
    values: Collection[int] | None = None,
    weight: NDArray[np.float32] | None = None,
) -> tuple[Rect, NDArray[np.uint8]]:
    """The part of `rect` on the map, and its cells (h, w) uint8 with rough borders.

    `cells` (H, W) uint8 may hold any values, EMPTY is one of them; they are not changed. With `values`, only borders of
    those values move. `weight` (H, W) float32 0..1 scales the displacement of each pixel.
    """
    shape = cells.shape[0], cells.shape[1]
    rect = rect.clipped(shape)
    if rect.is_empty:
        return rect, np.zeros((rect.height, rect.width), np.uint8)
    wide = rect.grown(roughness.reach_px).clipped(shape)
    part = None if weight is None else weight[wide.slices]
    return rect, roughened_part(cells[wide.slices], wide, rect, roughness, values, part)


def roughened_part(
    around: NDArray[np.uint8],
    wide: Rect,
    rect: Rect,
    roughness: Roughness,
    values: Collection[int] | None = None,
    weight: NDArray[np.float32] | None = None,
) -> NDArray[np.uint8]:
    """(h, w) uint8: `roughened` for a caller that has only a part of the map.

    `rect` lies on the map; `wide` is the part of it within `reach_px` that is on the map too. `around` (h, w) uint8 are
    the cells and `weight` (h, w) float32 the weights of `wide`.
    """
    inner = rect.moved(-wide.row, -wide.col).slices
    if (around == around[0, 0]).all() or (weight is not None and not weight[inner].any()):
        return around[inner].copy()
    shift = _displacement(wide, roughness)
    if weight is not None:
        shift = _quantised(shift * weight[:, :, None])
    thin = _thin(around)
    rows, cols = np.indices(around.shape, np.float32)
    body = _without(around, thin) if thin.any() else around
    result = np.asarray(
        cv2.remap(
            body, cols + shift[:, :, 1], rows + shift[:, :, 0], cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE
        ),
        np.uint8,
    )
    if thin.any():
        _draw_thin(result, around, thin, shift)
    result, before = result[inner], around[inner]
    if values is not None:
        chosen = np.zeros(256, np.bool_)
        chosen[list(values)] = True
        stays = ~(chosen[before] | chosen[result]) | (thin[inner] & ~chosen[before])
        result = np.where(stays, before, result)
    if weight is not None:
        result = np.where(weight[inner] > 0, result, before)
    return np.ascontiguousarray(result)


# Noise of place


def _displacement(rect: Rect, roughness: Roughness) -> NDArray[np.float32]:
    """(h, w, 2) float32: how far away, in rows and columns, each pixel finds its class."""
    shift = np.empty((rect.height, rect.width, 2), np.float32)
    for tile in tiles(rect):
        row, col = tile.row // TILE_PX, tile.col // TILE_PX
        inside = tile.moved(-row * TILE_PX, -col * TILE_PX)
        shift[tile.moved(-rect.row, -rect.col).slices] = _tile_displacement(row, col, roughness)[inside.slices]
    return shift


@functools.lru_cache(maxsize=128)
def _tile_displacement(tile_row: int, tile_col: int, roughness: Roughness) -> NDArray[np.float32]:
    """`_displacement` of one tile. Always computed whole, so that parts of a map equal those of the whole."""
    octaves = _octaves(roughness.scale_px)
    slope = roughness.limited_px / roughness.scale_px
    margin = roughness.displacement_px + 2
    area = Rect(tile_row * TILE_PX, tile_col * TILE_PX, TILE_PX, TILE_PX).grown(margin)
    rows, cols = np.indices((area.height, area.width), np.float32)
    shift = np.zeros((area.height, area.width, 2), np.float32)
    # The finest octave first: the coarser ones then displace what it points to.
    for number, wave_px in reversed(list(enumerate(octaves))):
        field = np.dstack([_noise(area, wave_px, roughness.seed, 2 * number + axis) for axis in (0, 1)]) * np.float32(
            slope * wave_px
        )
        shift += cv2.remap(
            field, cols + shift[:, :, 1], rows + shift[:, :, 0], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
    return _quantised(shift[margin:-margin, margin:-margin])


def _quantised(shift: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rounded to 64ths between which no pixel changes, so that rounding is the same wherever a window begins."""
    return np.asarray((np.floor(shift * 64) + np.float32(0.5)) / 64, np.float32)


def _octaves(scale_px: float) -> list[float]:
    halved = itertools.takewhile(lambda wave_px: wave_px >= _FINEST_PX, (scale_px / 2**i for i in itertools.count()))
    return list(halved) or [scale_px]


def _noise(area: Rect, wave_px: float, seed: int, channel: int) -> NDArray[np.float32]:
    """(h, w) float32 within -1..1: a cubic B-spline through random numbers on a lattice of `wave_px`.

    Without matrix products and exponentials, whose rounding differs from one computer to another.
    """
    (row_cells, row_weights), (col_cells, col_weights) = (
        _spline(area.row, area.height, wave_px),
        _spline(area.col, area.width, wave_px),
    )
    rows, cols = (np.arange(cells[0], cells[-1] + 4) for cells in (row_cells, col_cells))
    lattice = hashed(rows[:, None], cols[None, :], seed, channel)
    between_rows = sum(row_weights[i][:, None] * lattice[row_cells - rows[0] + i] for i in range(4))
    smooth = sum(col_weights[i] * between_rows[:, col_cells - cols[0] + i] for i in range(4))
    smooth *= np.float32(_NOISE_GAIN)
    return np.asarray(smooth / np.sqrt(1 + smooth * smooth), np.float32)


def _spline(start: int, count: int, wave_px: float) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """(count,) the first of the four lattice points around each pixel, and (4, count) their weights."""
    places = (np.arange(start, start + count) + 0.5) / wave_px
    cells = np.floor(places).astype(np.int64)
    t = places - cells
    weights = ((1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3)
    return cells - 1, (np.array(weights) / 6).astype(np.float32)


def hashed(rows: NDArray[np.int64], cols: NDArray[np.int64], seed: int, channel: int) -> NDArray[np.float32]:
    """Random numbers -1..1 of lattice points: an integer hash of seed, channel, row and column."""
    with np.errstate(over="ignore"):
        mixed = (
            rows.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
            ^ cols.astype(np.uint64) * np.uint64(0xC2B2AE3D27D4EB4F)
            ^ np.uint64((seed * 0x165667B19E3779F9 + channel * 0x27D4EB2F165667C5) % 2**64)
        )
        for factor in (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)):
            mixed = (mixed ^ (mixed >> np.uint64(29))) * factor
        mixed ^= mixed >> np.uint64(32)
    return ((mixed >> np.uint64(40)).astype(np.float32) / np.float32(2**23) - 1).astype(np.float32)


# Thin parts


def _values(cells: NDArray[np.uint8]) -> list[int]:
    """All values, water last: a river that crosses a thin strip of land is drawn over it."""
    return sorted(np.flatnonzero(np.bincount(cells.ravel(), minlength=256)).tolist(), key=lambda value: value == WATER)


def _thin(cells: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """(h, w) bool: parts of an area that are up to _THIN_PX wide, without the corners of its wider parts."""
    side = _THIN_PX + 1
    square, around = np.ones((side, side), np.uint8), np.ones((3, 3), np.uint8)
    thin = np.zeros(cells.shape, np.bool_)
    for value in _values(cells):
        # Beyond the map an area goes on as at the border.
        mask = np.pad((cells == value).view(np.uint8), side, mode="edge")
        wide = cv2.dilate(cv2.morphologyEx(mask, cv2.MORPH_OPEN, square), around)
        thin |= (mask > wide)[side:-side, side:-side]
    return thin


def _without(cells: NDArray[np.uint8], thin: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """The cells with what is thin covered by its surroundings."""
    around = np.ones((3, 3), np.uint8)
    result = cells.copy()
    missing = thin.copy()
    for _ in range(_THIN_PX):
        # Larger numbers win, which does not matter, but is the same everywhere.
        grown = cv2.dilate(np.where(missing, np.uint8(0), result + np.uint8(1)), around)
        filled = missing & (grown > 0)
        result[filled] = grown[filled] - np.uint8(1)
        missing &= ~filled
    result[missing] = cells[missing]
    return result


def _draw_thin(
    result: NDArray[np.uint8], cells: NDArray[np.uint8], thin: NDArray[np.bool_], shift: NDArray[np.float32]
) -> None:
    """Draw thin parts into `result` (h, w) uint8 where the displacement moves them, and their ends into wide parts."""
    reach = np.ones((2 * _DRAWN_INTO_AREAS_PX + 1,) * 2, np.uint8)
    for value in _values(cells):
        box = _around(thin & (cells == value), _DRAWN_INTO_AREAS_PX)
        if box.is_empty:
            continue
        areas = cells[box.slices] == value
        own = thin[box.slices] & areas
        drawn = areas & cv2.dilate(own.view(np.uint8), reach).view(np.bool_)
        numbers = np.full(drawn.shape, -1, np.int64)
        at = np.argwhere(drawn) + np.array([box.row, box.col])
        numbers[drawn] = np.arange(len(at))
        moved = _inverse(at, shift)
        _draw_lines(result, at, moved, moved, value)
        for down, across in _EDGES:
            first, second = _neighbours(numbers, down, across)
            both = (first >= 0) & (second >= 0)
            first, second = first[both], second[both]
            _draw_lines(result, at[first], moved[first], moved[second] + (down, across), value)


def _around(mask: NDArray[np.bool_], margin: int) -> Rect:
    """The smallest rectangle around a mask (h, w) bool with a margin, within it; empty for an empty mask."""
    rows, cols = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return Rect(0, 0, 0, 0)
    around = Rect.spanned(int(rows[0]), int(cols[0]), int(rows[-1]) + 1, int(cols[-1]) + 1).grown(margin)
    return around.clipped((mask.shape[0], mask.shape[1]))


def _neighbours(numbers: NDArray[np.int64], down: int, across: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    height, width = numbers.shape
    left, right = max(0, -across), width - max(0, across)
    return numbers[: height - down, left:right], numbers[down:, left + across : right + across]


def _inverse(at: NDArray[np.intp], shift: NDArray[np.float32]) -> NDArray[np.float64]:
    """(n, 2) how far from the pixels `at` (n, 2) the displacement leads to them, by damped iteration.

    Only offsets are rounded, never places, so that the result does not depend on where a window begins.
    """
    moved = np.zeros(at.shape, np.float64)
    for _ in range(_INVERSION_STEPS):
        moved -= _INVERSION_DAMPING * (moved + _interpolated(shift, at, moved))
    return moved


def _interpolated(shift: NDArray[np.float32], at: NDArray[np.intp], moved: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 2) the displacement between pixels, bilinear; beyond the window as at its border."""
    whole = np.floor(moved)
    part = moved - whole
    row, col = (at + whole.astype(np.intp)).T
    last_row, last_col = shift.shape[0] - 1, shift.shape[1] - 1
    result = np.zeros(at.shape, np.float64)
    for down, across in ((0, 0), (0, 1), (1, 0), (1, 1)):
        weight = (part[:, 0] if down else 1 - part[:, 0]) * (part[:, 1] if across else 1 - part[:, 1])
        values = shift[(row + down).clip(0, last_row), (col + across).clip(0, last_col)]
        result += weight[:, None] * values
    return result


def _draw_lines(
    result: NDArray[np.uint8],
    at: NDArray[np.intp],
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    value: int,
) -> None:
    """Draw connected lines between two offsets (n, 2) from pixels `at` (n, 2)."""
    length = np.abs(second - first).max(axis=1, initial=0.0)
    counts = np.maximum(1, np.ceil(length * _SAMPLES_PER_PX)).astype(np.int64)
    for count in np.unique(counts):
        some = counts == count
        start, along = first[some], second[some] - first[some]
        for step in range(count + 1):
            place = at[some] + np.floor(start + step / count * along + 0.5).astype(np.intp)
            inside = (place >= 0).all(axis=1) & (place < result.shape).all(axis=1)
            result[place[inside, 0], place[inside, 1]] = value
