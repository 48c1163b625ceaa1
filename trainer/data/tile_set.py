"""The tile set: square tiles of texture and height at one ground size of a pixel, in one small file.

The file is a NumPy `.npz` without pickles. Textures are stored as JPEG and the other layers as PNG, concatenated into
one array of bytes for each layer, so that the tiles of the whole Earth need a few dozen megabytes. Reading needs numpy
and OpenCV only.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.decoding import decoded
from terrainpaint.core.files import FileTransaction, why_unreadable
from terrainpaint.errors import TrainingError

FORMAT_VERSION = 2
"""Version 1 has always heights, and neither `names` nor `left_out`."""
TRAIN, VALIDATION = 0, 1
JPEG_QUALITY = 92


@dataclass(frozen=True)
class TileSet:
    """N square tiles of S pixels, row 0 = north.

    `texture` (N, S, S, 3) uint8 sRGB; `height` (N, S, S) int16 metres; `sea` (N, S, S) bool, pixels of the sea;
    `valid` (N, S, S) bool, pixels that may be trained on; `labels` (N, V, S, S) uint8 class ids in V variants of
    smoothing, V = 0 before labelling; `split` (N,) uint8, TRAIN or VALIDATION; `centre_deg` (N, 2) float32 latitude
    and longitude, NaN where the source had no position; `pixel_size_m` metres; `style` name of the texture style;
    `credits` the attribution that the sources ask for; `has_height` False where the source had no heights, `height` is
    0 then; `names` the file that each tile was cut from, or empty for rasters; `left_out` the files that were not used,
    each with the reason.
    """

    texture: NDArray[np.uint8]
    height: NDArray[np.int16]
    sea: NDArray[np.bool_]
    valid: NDArray[np.bool_]
    labels: NDArray[np.uint8]
    split: NDArray[np.uint8]
    centre_deg: NDArray[np.float32]
    pixel_size_m: float
    style: str
    credits: str
    has_height: bool = True
    names: tuple[str, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()

    def __len__(self) -> int:
        return len(self.texture)

    @property
    def tile_px(self) -> int:
        """Side of a tile in pixels."""
        return int(self.texture.shape[1])

    @property
    def has_maps(self) -> bool:
        """Whether each tile has at least one map of the seven classes."""
        return bool(self.labels.shape[1])

    def trains(self) -> str:
        """What the set can train, as the end of a sentence."""
        match self.has_height, self.has_maps:
            case True, True:
                return "terrain, texture and height from a map"
            case True, False:
                return "terrain, once it has maps: run 'python -m trainer label' on it"
            case False, True:
                return "networks that make a picture of a map; no terrain, since it has no heights"
            case _:
                return "networks of pictures alone; no terrain, since it has neither heights nor maps"

    def require_heights(self) -> None:
        """Raises TrainingError when the set has no heights, which labelling and terrain need."""
        if not self.has_height:
            raise TrainingError(f"The tile set '{self.style}' has no heights, so it cannot train terrain; prepare it "
                                "again from pictures with heights.")  # fmt: skip

    def require_maps(self) -> None:
        """Raises TrainingError when the tiles have no maps of the classes."""
        if not self.has_maps:
            raise TrainingError("The tile set has no maps yet; run 'python -m trainer label' on it first.")

    def with_labels(self, labels: NDArray[np.uint8]) -> TileSet:
        """The same set with other `labels`, (N, V, S, S) uint8."""
        return replace(self, labels=labels)

    def subset(self, split: int) -> TileSet:
        """The tiles of one split, TRAIN or VALIDATION."""
        keep = self.split == split
        arrays = ("texture", "height", "sea", "valid", "labels", "split", "centre_deg")
        names = tuple(name for name, kept in zip(self.names, keep, strict=False) if kept)
        return replace(self, names=names, **{name: getattr(self, name)[keep] for name in arrays})


def save_tile_set(path: Path, tiles: TileSet) -> None:
    """Write a tile set, whole or not at all. Raises OutputError when it cannot be written."""
    arrays: dict[str, NDArray[Any]] = {"split": tiles.split, "centre_deg": tiles.centre_deg}
    _pack(arrays, "texture", (tile[:, :, ::-1] for tile in tiles.texture), ".jpg")
    _pack(arrays, "height", (tile.view(np.uint16) for tile in tiles.height), ".png")
    # Both masks are bits of one picture, which is smaller than two.
    masks = zip(tiles.sea, tiles.valid, strict=True)
    _pack(arrays, "masks", (sea.astype(np.uint8) + 2 * valid.astype(np.uint8) for sea, valid in masks), ".png")
    _pack(arrays, "labels", (variant for tile in tiles.labels for variant in tile), ".png")
    header = {
        "format": "terrainpaint-prepared",
        "version": FORMAT_VERSION,
        "pixel_size_m": tiles.pixel_size_m,
        "style": tiles.style,
        "credits": tiles.credits,
        "tile_px": tiles.tile_px,
        "label_variants": tiles.labels.shape[1],
        "has_height": tiles.has_height,
        "names": tiles.names,
        "left_out": tiles.left_out,
    }
    arrays["header"] = np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)
    with FileTransaction() as files, files.path(path).open("wb") as stream:
        np.savez(stream, allow_pickle=False, **arrays)


def load_tile_set(path: Path) -> TileSet:
    """Read a tile set. Raises TrainingError when the file is missing, broken or of a newer version."""
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            header = json.loads(stored["header"].tobytes())
            if header["format"] != "terrainpaint-prepared":
                raise ValueError("of another format")
            if header["version"] > FORMAT_VERSION:
                raise TrainingError(
                    f"{path} was made by a newer version; update TerrainPaint or prepare the set again."
                )
            return _read(stored, header)
    except OSError as error:
        raise TrainingError(f"{path} cannot be read: {why_unreadable(error)}.") from error
    except TrainingError:
        raise
    except MemoryError as error:
        raise TrainingError(f"{path} does not fit into memory; prepare a set of fewer or smaller tiles.") from error
    # Whatever numpy, zip, JSON and the codecs raise, the bytes are at fault: NotImplementedError, KeyError, ...
    except Exception as error:
        raise TrainingError(
            f"{path} is not a tile set, or is damaged or cut short; make it again with 'python -m trainer prepare'."
        ) from error


def _read(stored: Any, header: dict[str, Any]) -> TileSet:
    side, variants = int(header["tile_px"]), int(header["label_variants"])
    masks = _unpack(stored, "masks", cv2.IMREAD_UNCHANGED, (side, side), np.uint8)
    labels = _unpack(stored, "labels", cv2.IMREAD_UNCHANGED, (side, side), np.uint8)
    tiles = TileSet(
        texture=_unpack(stored, "texture", cv2.IMREAD_COLOR_RGB, (side, side, 3), np.uint8),
        height=_unpack(stored, "height", cv2.IMREAD_UNCHANGED, (side, side), np.uint16).view(np.int16),
        sea=(masks & 1).astype(bool),
        valid=(masks & 2).astype(bool),
        labels=labels.reshape(len(masks), variants, side, side),
        split=stored["split"],
        centre_deg=stored["centre_deg"],
        pixel_size_m=float(header["pixel_size_m"]),
        style=str(header["style"]),
        credits=str(header["credits"]),
        has_height=bool(header.get("has_height", True)),
        names=tuple(str(name) for name in header.get("names", ())),
        left_out=tuple((str(name), str(reason)) for name, reason in header.get("left_out", ())),
    )
    layers = (tiles.texture, tiles.height, tiles.split, tiles.centre_deg)
    if any(len(layer) != len(masks) for layer in layers) or len(tiles.names) not in (0, len(masks)):
        raise ValueError("layers of different lengths")
    return tiles


def _pack(arrays: dict[str, NDArray[Any]], name: str, pictures: Iterable[NDArray[Any]], suffix: str) -> None:
    options = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY] if suffix == ".jpg" else [cv2.IMWRITE_PNG_COMPRESSION, 9]
    runs = [cv2.imencode(suffix, np.ascontiguousarray(picture), options)[1].ravel() for picture in pictures]
    arrays[name] = np.concatenate(runs) if runs else np.zeros(0, np.uint8)
    arrays[name + "_end"] = np.cumsum([len(run) for run in runs], dtype=np.int64)


def _unpack(stored: Any, name: str, flags: int, shape: tuple[int, ...], dtype: type[np.generic]) -> NDArray[Any]:
    run, ends = stored[name], stored[name + "_end"]
    pictures = np.empty((len(ends), *shape), dtype=dtype)
    for index, picture in enumerate(np.split(run, ends[:-1]) if len(ends) else []):
        pixels = decoded(picture, flags)
        if pixels.shape != shape or pixels.dtype != dtype:
            raise ValueError(f"{name} {index} is no picture of {shape} {np.dtype(dtype)}")
        pictures[index] = pixels
    return np.asarray(pictures)
