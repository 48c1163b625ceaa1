"""The classes of the map as pictures: one weight map a class, RGBA packs of weights, indices, Terrain3D's control map.

The program knows the classes exactly, so the weights are exact, not guessed from heights and slopes.
"""

from __future__ import annotations

import math
from contextlib import ExitStack
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import CLASS_COUNT, CLASS_NAMES
from terrainpaint.core.map_files import classes_png
from terrainpaint.core.progress import check_cancel
from terrainpaint.export.height_formats import write_exr_channels
from terrainpaint.export.job import ExportJob, ExportOptions, Paths, row_bands
from terrainpaint.export.png import PngWriter

FULL = 255
"""The sum of the weights of a pixel."""
_PACK = 4
_SIGMA_PART = 0.25
"""Of the width of a soft border: the standard deviation of the blur that makes it."""
_BASE_SHIFT, _OVERLAY_SHIFT, _BLEND_SHIFT = 27, 22, 14
# Bytes a pixel of the sample maps: with exact borders, and what the softest ones add.
_WEIGHTS_BYTES = 0.09, 0.55
_SPLAT_BYTES = 0.07, 0.68
_CONTROL_BYTES = 0.12, 0.65
_CLASSES_BYTES = 0.035
_HALF_AS_SOFT_PX = 6.0
"""Borders of this width add half as much as the softest ones."""


def weights_paths(path: Path) -> Paths:
    """Of a path that ends in the name of the first class: the paths of all classes."""
    stem = path.stem.removesuffix(CLASS_NAMES[0])
    return tuple(path.with_name(f"{stem}{name}{path.suffix}") for name in CLASS_NAMES)


def splat_paths(path: Path) -> Paths:
    """Of a path that ends in 0: the paths of the two packs."""
    return path, path.with_name(path.stem.removesuffix("0") + "1" + path.suffix)


def write_weights(job: ExportJob, paths: Paths) -> None:
    """Write a grey PNG for each class, 255 where it is the only one; the weights of a pixel sum to 255.

    Raises OutputError, Cancelled.
    """
    ids = job.raster.ids
    with ExitStack() as stack:
        files = [stack.enter_context(PngWriter(job.files.path(path), (*ids.shape, 1))) for path in paths]
        for start, stop in row_bands(ids.shape):
            check_cancel(job.cancel)
            for file, weights in zip(files, _weights(job, start, stop), strict=True):
                file.write(weights)
            job.progress(stop / ids.shape[0])


def write_splat(job: ExportJob, paths: Paths) -> None:
    """Write two RGBA PNG: classes 0 to 3, classes 4 to 6 and an empty alpha; the eight values of a pixel sum to 255.

    Raises OutputError, Cancelled.
    """
    ids = job.raster.ids
    with ExitStack() as stack:
        files = [stack.enter_context(PngWriter(job.files.path(path), (*ids.shape, _PACK))) for path in paths]
        for start, stop in row_bands(ids.shape):
            check_cancel(job.cancel)
            weights = np.zeros((len(files) * _PACK, stop - start, ids.shape[1]), np.uint8)
            weights[:CLASS_COUNT] = _weights(job, start, stop)
            for number, file in enumerate(files):
                file.write(np.moveaxis(weights[number * _PACK : (number + 1) * _PACK], 0, -1))
            job.progress(stop / ids.shape[0])


def write_classes(job: ExportJob, paths: Paths) -> None:
    """Write the class ids as palette PNG, which is also a map for TerrainPaint. Raises OutputError, Cancelled."""
    check_cancel(job.cancel)
    (path,) = paths
    job.files.path(path).write_bytes(classes_png(job.raster.ids, job.raster.step_m[1]))


def write_terrain3d_control(job: ExportJob, paths: Paths) -> None:
    """Write the control map of Terrain3D: the bits of a uint32 as the float of one channel of an OpenEXR.

    Bits 28..32 are the texture of the strongest class, 23..27 of the second, 15..22 how much of the second; textures
    have the ids of the classes. (Terrain3D documentation, "Control map format".)
    Raises OutputError, Cancelled.
    """
    (path,) = paths
    ids = job.raster.ids
    control = np.empty(ids.shape, np.uint32)
    for start, stop in row_bands(ids.shape):
        check_cancel(job.cancel)
        control[start:stop] = control_bits(_weights(job, start, stop))
        job.progress(stop / ids.shape[0])
    write_exr_channels(job, path, {"R": control.view(np.float32)})


def control_bits(weights: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """(h, W) uint32 of class weights (7, h, W) uint8: strongest class, second class, and the blend of the two."""
    base = weights.argmax(axis=0).astype(np.uint32)
    first = weights.max(axis=0).astype(np.uint32)
    others = weights.copy()
    np.put_along_axis(others, base[None].astype(np.intp), 0, axis=0)
    second = others.max(axis=0).astype(np.uint32)
    overlay = np.where(second > 0, others.argmax(axis=0).astype(np.uint32), base)
    blend = (second * 255 + (first + second) // 2) // (first + second)
    bits: NDArray[np.uint32] = base << _BASE_SHIFT | overlay << _OVERLAY_SHIFT | blend << _BLEND_SHIFT
    return bits


def class_weights(ids: NDArray[np.uint8], start: int, stop: int, border_px: float) -> NDArray[np.uint8]:
    """(7, stop - start, W) uint8: the weight of each class in rows `start`..`stop` of a map (H, W); they sum to 255.

    With `border_px` 0 a pixel has one class. Otherwise classes blend over about `border_px` pixels around each border
    (a Gaussian blur), and the rounded weights still sum to 255.
    """
    classes = np.arange(CLASS_COUNT, dtype=np.uint8)[:, None, None]
    if border_px <= 0:
        exact: NDArray[np.uint8] = (ids[None, start:stop] == classes).astype(np.uint8) * np.uint8(FULL)
        return exact
    sigma = border_px * _SIGMA_PART
    reach = math.ceil(3 * sigma)
    first, last = max(0, start - reach), min(ids.shape[0], stop + reach)
    size = 2 * reach + 1
    weights = np.empty((CLASS_COUNT, stop - start, ids.shape[1]), np.float32)
    for index in range(CLASS_COUNT):
        one = (ids[first:last] == index).astype(np.float32)
        blurred = cv2.GaussianBlur(one, (size, size), sigma, borderType=cv2.BORDER_REPLICATE)
        weights[index] = blurred[start - first : stop - first]
    return _rounded(weights)


def _rounded(weights: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Fractions (7, h, W) as whole numbers that sum to 255: the largest remainders are rounded up."""
    scaled = weights * np.float32(FULL) / weights.sum(axis=0)
    whole = np.floor(scaled)
    missing = FULL - whole.sum(axis=0)
    order = np.argsort(whole - scaled, axis=0, kind="stable")
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.arange(CLASS_COUNT)[:, None, None], axis=0)
    return np.asarray(whole + (rank < missing), np.uint8)


def _weights(job: ExportJob, start: int, stop: int) -> NDArray[np.uint8]:
    return class_weights(job.raster.ids, start, stop, job.options.files.border_px)


def weights_bytes(rows: int, cols: int, options: ExportOptions) -> int:
    """Approximate bytes of the seven weight maps."""
    return _soft_bytes(rows, cols, options, *_WEIGHTS_BYTES)


def splat_bytes(rows: int, cols: int, options: ExportOptions) -> int:
    """Approximate bytes of the two packs of weights."""
    return _soft_bytes(rows, cols, options, *_SPLAT_BYTES)


def classes_bytes(rows: int, cols: int, options: ExportOptions) -> int:
    """Approximate bytes of the palette PNG."""
    return round(rows * cols * _CLASSES_BYTES)


def control_bytes(rows: int, cols: int, options: ExportOptions) -> int:
    """Approximate bytes of the control map."""
    return _soft_bytes(rows, cols, options, *_CONTROL_BYTES)


def _soft_bytes(rows: int, cols: int, options: ExportOptions, exact: float, soft: float) -> int:
    width = options.files.border_px
    return round(rows * cols * (exact + soft * width**2 / (width**2 + _HALF_AS_SOFT_PX**2)))
