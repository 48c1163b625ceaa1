"""Texture and heights of any land → segmentation map, with a small classifier that was trained on the real Earth.

The classifier is a multilayer perceptron of a few thousand weights. Its input is a pixel with its surroundings
(`features`) at a fixed ground size of a pixel. Its file is a NumPy `.npz` without pickles.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.array_file import ArrayFile, ArrayFileError, open_arrays
from terrainpaint.core.classes import CLASS_COUNT
from terrainpaint.core.files import input_error
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.core.smoothing import Smoothing, gaussian_blur, smooth_map
from terrainpaint.errors import InputFileError

FEATURE_NAMES = (
    *("lightness", "green_red", "blue_yellow"),
    *("lightness_near", "green_red_near", "blue_yellow_near"),
    *("lightness_wide", "green_red_wide", "blue_yellow_wide", "lightness_deviation"),
    *("elevation", "elevation_wide", "relief_fine", "relief_middle", "relief_wide", "slope", "flatness"),
)
PIXEL_SIZE_M = 2000.0
"""Ground size of a pixel at which features are defined; other pictures are resampled to it first."""
_MOST_LAYERS, _WIDEST = 8, 256
_MOST_BYTES = 4 * _MOST_LAYERS * _WIDEST * (_WIDEST + 16)


def features(texture: NDArray[np.uint8], height: NDArray[np.float32]) -> NDArray[np.float32]:
    """(H, W, 17) float32, named by FEATURE_NAMES, of texture (H, W, 3) uint8 sRGB and height (H, W) float32 metres.

    Colours are CIELAB; "near" and "wide" are averages of the land around in Gaussian windows of 8 and 24 px; elevations
    are square roots of metres; relief is ln(1 + standard deviation in metres) in Gaussian windows of 2, 6 and 18 px;
    slope is ln(1 + mean gradient in metres a pixel); flatness is the fraction of exactly level ground around.
    """
    lab = np.asarray(cv2.cvtColor(texture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)
    land = height.astype(np.float32)
    level = (cv2.dilate(land, np.ones((3, 3))) == cv2.erode(land, np.ones((3, 3)))).astype(np.float32)
    # Exactly level ground is mostly water and hardly counts, so that the colour of a shore is that of its land.
    rough = 1 - level + 1e-3
    rows, cols = np.gradient(land) if min(land.shape) > 1 else (land * 0, land * 0)
    elevation = np.sign(land) * np.sqrt(np.abs(land))
    layers = [
        *cv2.split(gaussian_blur(lab, 0.7)),
        *cv2.split(_weighted_blur(lab, rough, 8.0)),
        *cv2.split(_weighted_blur(lab, rough, 24.0)),
        _deviation(lab[:, :, 0], 4.0),
        gaussian_blur(elevation, 4.0),
        gaussian_blur(elevation, 16.0),
        *(np.log1p(_deviation(land, scale)) for scale in (2.0, 6.0, 18.0)),
        np.log1p(gaussian_blur(np.hypot(rows, cols), 4.0)),
        gaussian_blur(level, 1.0),
    ]
    return np.stack(layers, axis=-1).astype(np.float32)


@dataclass(frozen=True)
class Labeller:
    """A multilayer perceptron from standardised features to the seven classes.

    `mean`, `scale` (17,) float32 standardise the features; `weights` and `biases` are its layers, (in, out) and
    (out,) float32, with ReLU between them and softmax at the end.
    """

    mean: NDArray[np.float32]
    scale: NDArray[np.float32]
    weights: tuple[NDArray[np.float32], ...]
    biases: tuple[NDArray[np.float32], ...]

    def probabilities(self, texture: NDArray[np.uint8], height: NDArray[np.float32]) -> NDArray[np.float32]:
        """(H, W, 7) float32 class probabilities at PIXEL_SIZE_M; the inputs are those of `features`."""
        values = features(texture, height)
        shape = values.shape
        hidden = (values.reshape(-1, shape[-1]) - self.mean) / self.scale
        for matrix, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            hidden = np.maximum(hidden @ matrix + bias, 0)
        logits = hidden @ self.weights[-1] + self.biases[-1]
        logits -= logits.max(axis=1, keepdims=True)
        np.exp(logits, out=logits)
        logits /= logits.sum(axis=1, keepdims=True)
        return np.asarray(logits.reshape(shape[0], shape[1], CLASS_COUNT), np.float32)

    def label(
        self, texture: NDArray[np.uint8], height: NDArray[np.float32], pixel_size_m: float, smoothing: Smoothing
    ) -> SegmentationMap:
        """The map (H, W) of a picture (H, W, 3) uint8 sRGB with heights (H, W) float32 metres."""
        rows, cols = height.shape
        factor = pixel_size_m / PIXEL_SIZE_M
        size = (max(1, round(cols * factor)), max(1, round(rows * factor)))
        method = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
        picture = np.asarray(cv2.resize(texture, size, interpolation=method), np.uint8)
        ground = np.asarray(cv2.resize(height, size, interpolation=method), np.float32)
        ids = smooth_map(self.probabilities(picture, ground), smoothing, np.random.default_rng(0))
        return SegmentationMap(np.asarray(cv2.resize(ids, (cols, rows), interpolation=cv2.INTER_NEAREST), np.uint8))


def save_labeller(path: Path, labeller: Labeller) -> None:
    """Write a labeller to a path; the caller makes the write atomic."""
    layers = {f"weight_{i}": weight for i, weight in enumerate(labeller.weights)}
    layers |= {f"bias_{i}": bias for i, bias in enumerate(labeller.biases)}
    with path.open("wb") as stream:
        np.savez_compressed(stream, allow_pickle=False, mean=labeller.mean, scale=labeller.scale, **layers)


def load_labeller(path: Path) -> Labeller:
    """Read a labeller. Raises InputFileError when the file is missing or is not a labeller."""
    try:
        with open_arrays(path, _MOST_BYTES) as stored:
            return _read(stored)
    except OSError as error:
        raise input_error(path, error) from error
    except ArrayFileError as error:
        raise InputFileError(
            f"{path} is not a labeller file ({error}); create one with 'python -m trainer label'."
        ) from error


def _read(stored: ArrayFile) -> Labeller:
    count = sum(name.startswith("weight_") for name in stored.names)
    width = len(FEATURE_NAMES)
    mean, scale = (stored.read(name, np.float32, (width,)) for name in ("mean", "scale"))
    weights, biases = [], []
    for index in range(count):
        weights.append(stored.read(f"weight_{index}", np.float32, (width, None)))
        width = weights[-1].shape[1]
        biases.append(stored.read(f"bias_{index}", np.float32, (width,)))
        if width > _WIDEST:
            raise ArrayFileError(f"its layers have more than {_WIDEST} units")
    if not 0 < count <= _MOST_LAYERS or width != CLASS_COUNT:
        raise ArrayFileError(f"its layers do not end with the {CLASS_COUNT} classes")
    if not all(np.isfinite(values).all() for values in (mean, scale, *weights, *biases)) or not (scale > 0).all():
        raise ArrayFileError("its values are not finite numbers")
    return Labeller(mean, scale, tuple(weights), tuple(biases))


def _weighted_blur(values: NDArray[np.float32], weight: NDArray[np.float32], sigma_px: float) -> NDArray[np.float32]:
    return gaussian_blur(values * weight[:, :, None], sigma_px) / gaussian_blur(weight, sigma_px)[:, :, None]


def _deviation(values: NDArray[np.float32], sigma_px: float) -> NDArray[np.float32]:
    mean = gaussian_blur(values, sigma_px)
    # The mean square of the deviation: a difference of squares loses all precision at 5,000 m.
    return np.sqrt(gaussian_blur(np.square(values - mean), sigma_px))
