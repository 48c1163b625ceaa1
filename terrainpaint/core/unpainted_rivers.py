"""Land without the rivers that a network draws where none is painted.

A network that learned from maps of real land draws rivers on its own: lines a few pixels wide, bluer or colder than the
land on both sides, with dark banks, in a bed of their own. They get the colours of the land around them and their beds
are filled. What is near painted water stays as it is. Everything depends on what is near, so tiles fit.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import WATER
from terrainpaint.core.rects import Rect

_AROUND_PX = 15
"""Side of the square whose middle colour is that of the land around a pixel."""
_BLUER, _RIVER = 3.0, 7.0
"""By how much of b in CIELAB a pixel is bluer than that: up to the first it stays, from the second on it is river."""
_SNOW, _SHADOW, _GREY = 6.0, 70.0, 136.0
"""In 8-bit CIELAB: what is brighter than the land around it by the first is snow, what is darker than the second is
shadow, and what has more b than the third is not even grey."""
_COLDER, _DARKER = (6.0, 12.0), (8.0, 18.0)
"""A stroke on bright land that is darker (red) than the land around, and colder (red less blue) than that would be
if it were as dark, is river too, whatever its own hue: on yellow grassland that of a narrow river is green. In shades
of 0..255, from where and from where fully."""
_WIDTH_PX = 11
"""Dark land that contains a disc of this diameter is no stroke, nor are its borders."""
_BRIGHT, _NO_SHADOW = (135.0, 155.0), (70.0, 90.0)
"""Red of the land around, and lightness of the stroke itself: on darker land cold strokes are shadows."""
_BANK_PX, _BANK = 2, (8.0, 20.0)
"""So near to a river, what is so much darker or brighter than the land around it is its bank."""
_STROKE_PX, _STROKE = 7, (6.0, 16.0)
"""So near to a river, what is darker by so much more than twice the usual of the place is a piece of it without hue."""
_RIM = 0.7
"""The weight of a river in the pixels next to it, from 0 for land to 1."""
_SHORE_PX = 4
"""Land so near to painted water belongs to it."""
_BED_PX = 9
"""Beds up to this width are filled."""
_LAND_PX = 25
"""Side of the square whose mean colour without rivers replaces the middle colour where there are many rivers."""
_MANY = (0.1, 0.25)
"""Share of rivers in the square of `_AROUND_PX`, from where and from where fully."""
_RIVER_REACH_PX = _WIDTH_PX - 1 + max(_AROUND_PX // 2, _STROKE_PX) + 1
RIVERS_PX = _RIVER_REACH_PX + _LAND_PX // 2
"""How far the colours and heights of a pixel depend on others."""


def without_unpainted_rivers(
    albedo: NDArray[np.uint8], height: NDArray[np.float32], ids: NDArray[np.uint8], inner: Rect
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Albedo (h, w, 3) uint8 sRGB and height (h, w) float32 metres of the rectangle `inner` of these arrays, which have
    `RIVERS_PX` more on each side. `ids` (H, W) uint8 are the classes."""
    cut = inner.slices
    water = cv2.dilate((ids == WATER).view(np.uint8), _square(_SHORE_PX)) > 0
    around = np.asarray(cv2.medianBlur(albedo, _AROUND_PX), np.uint8)
    river = np.where(water, np.float32(0), _rivers(albedo, around))
    if not river[cut].any():
        return np.ascontiguousarray(albedo[cut]), np.ascontiguousarray(height[cut])
    colours = albedo + river[:, :, None] * (_land_colours(albedo, around, river, water) - albedo)
    bed = cv2.morphologyEx(height, cv2.MORPH_CLOSE, _disc(_BED_PX))
    filled = height + river * (bed - height)
    return np.rint(colours[cut]).clip(0, 255).astype(np.uint8), np.ascontiguousarray(filled[cut], np.float32)


def _rivers(albedo: NDArray[np.uint8], around: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(h, w) float32: of each pixel how much it is a river, 0..1; `around` are the middle colours of the places.

    Rivers begin and end gradually: one shade more or less, as tiles may have, changes a river a little.
    """
    lab = cv2.cvtColor(albedo, cv2.COLOR_RGB2LAB)
    light, blue = lab[:, :, 0], lab[:, :, 2]
    bluer = cv2.medianBlur(blue, _AROUND_PX).astype(np.float32) - blue
    brighter = light.astype(np.float32) - cv2.medianBlur(light, _AROUND_PX)
    river = _rising(bluer, (_BLUER, _RIVER)) * (1 - brighter / _SNOW).clip(0, 1)
    river *= ((_GREY + _BLUER - blue) / _BLUER).clip(0, 1) * (light > _SHADOW)

    red = albedo[:, :, 0]
    # A river has land on both sides, which the rim of a forest has not.
    closed = cv2.morphologyEx(red, cv2.MORPH_CLOSE, _disc(_WIDTH_PX))
    darker = np.minimum(around[:, :, 0], closed).astype(np.float32) - red
    bright_land = _rising(around[:, :, 0], _BRIGHT)
    cold = _rising(_colder(albedo, around), _COLDER) * _rising(darker, _DARKER) * _rising(light, _NO_SHADOW)
    river = np.maximum(river, cold * bright_land)

    certain = _rising(river * bright_land, (0.5, 1)) * _rising(darker, _DARKER)
    contrast = np.abs(darker)
    usual = cv2.medianBlur(contrast.astype(np.uint8), _AROUND_PX)
    bank = cv2.dilate(certain, _square(_BANK_PX)) * _rising(contrast, _BANK)
    stroke = cv2.dilate(certain, _square(_STROKE_PX)) * _rising(darker - 2.0 * usual, _STROKE)
    river = np.maximum(river, np.maximum(bank, stroke))
    # The soft rim of a river goes with it.
    return np.asarray(np.maximum(river, _RIM * cv2.dilate(_rising(river, (0.5, 1)), _square(1))), np.float32)


def _colder(albedo: NDArray[np.uint8], around: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(h, w) float32: by how many shades red less blue is below that of the land around, if that were as dark."""
    # Halved, because middles over squares of this size need bytes.
    warmth = ((albedo[:, :, 0].astype(np.int16) - albedo[:, :, 2]) // 2 + 128).astype(np.uint8)
    usual = 2 * (cv2.medianBlur(warmth, _AROUND_PX).astype(np.float32) - 128)
    shading = (albedo[:, :, 0] / np.maximum(around[:, :, 0], 1).astype(np.float32)).clip(0, 1)
    return np.asarray(usual * shading - 2 * (warmth.astype(np.float32) - 128), np.float32)


def _land_colours(
    albedo: NDArray[np.uint8], around: NDArray[np.uint8], river: NDArray[np.float32], water: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """(h, w, 3) float32: colours of the land around; where rivers are many the middle colour is theirs, and the mean of
    what is neither river nor `water` takes its place."""
    # Never all zero, for squares with nothing but rivers and water.
    weight = np.where(water, np.float32(0), (1 - river) ** 4) + np.float32(1e-3)
    side = (_LAND_PX, _LAND_PX)
    mean = cv2.blur(albedo * weight[:, :, None], side) / cv2.blur(weight, side)[:, :, None]
    many = _rising(cv2.blur(river, (_AROUND_PX, _AROUND_PX)), _MANY)
    return np.asarray(around + many[:, :, None] * (mean - around), np.float32)


def _rising(values: NDArray[Any], bounds: tuple[float, float]) -> NDArray[np.float32]:
    """0 up to the first of the bounds, 1 from the second on, and even in between."""
    low, high = bounds
    return np.asarray(((values - np.float32(low)) / np.float32(high - low)).clip(0, 1), np.float32)


def _square(reach: int) -> NDArray[np.uint8]:
    return np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)


def _disc(diameter: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (diameter, diameter)), np.uint8)
