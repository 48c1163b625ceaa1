"""The tile set: square tiles of texture and height at one ground size of a pixel, in one small file.

The file is a NumPy `.npz` without pickles. Textures are stored as JPEG and the other layers as PNG, concatenated into
one array of bytes for each layer, so that the tiles of the whole Earth need a few dozen megabytes. Reading needs numpy
and OpenCV only.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.array_file import ArrayFile, open_arrays
from terrainpaint.core.checked_json import JsonObject, parse_object
from terrainpaint.core.classes import CLASS_COUNT
from terrainpaint.core.decoding import decoded, open_picture
from terrainpaint.core.files import FileTransaction, why_unreadable
from terrainpaint.core.main_memory import free_memory, require_room
from terrainpaint.core.project_pictures import HEADER_BYTES, png_header
from terrainpaint.errors import TrainingError

FORMAT_VERSION = 2
"""Version 1 has always heights, and neither `names` nor `left_out`."""
TRAIN, VALIDATION = 0, 1
JPEG_QUALITY = 92
_FORMAT = "terrainpaint-prepared"
_NEWEST = 2**31 - 1
_MOST_TILE_PX, _MOST_VARIANTS = 16_384, 1000
_PIXEL_SIZE_M = (1e-6, 1e9)


@dataclass(frozen=True)
class TileSet:
    """N square tiles of S pixels, row 0 = north.

    `texture` (N, S, S, 3) uint8 sRGB; `height` (N, S, S) int16 metres; `sea` (N, S, S) bool, pixels of the sea;
    `valid` (N, S, S) bool, pixels that may be trained on; `labels` (N, V, S, S) uint8 class ids in V variants of
    smoothing, V = 0 before labelling; `split` (N,) uint8, TRAIN or VALIDATION; `centre_deg` (N, 2) float32 latitude
    and longitude, NaN where the source had no position; `pixel_size_m` metres; `style` name of the texture style;
    `credits` the attribution that the sources ask for; `has_height` False where the source had no heights, `height` is
    0 then; `names` the file that each tile was cut from, or empty for rasters; `left_out` the files that were not used,
    each with the reason; `notes` what was found in files that were used, such as gaps in their heights, each with the
    name of the file.
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
    notes: tuple[tuple[str, str], ...] = ()

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
    header: dict[str, Any] = {
        "format": _FORMAT,
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
    if tiles.notes:
        header["notes"] = tiles.notes
    arrays["header"] = np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)
    with FileTransaction() as files, files.path(path).open("wb") as stream:
        np.savez(stream, allow_pickle=False, **arrays)


def load_tile_set(path: Path) -> TileSet:
    """Read a tile set. Raises TrainingError when the file is missing, broken or of a newer version."""
    try:
        with open_arrays(path, free_memory()) as stored:
            return _read(path, stored)
    except OSError as error:
        raise TrainingError(f"{path} cannot be read: {why_unreadable(error)}.") from error
    except MemoryError as error:
        raise TrainingError(f"{path} does not fit into memory; prepare a set of fewer or smaller tiles.") from error
    except ValueError as error:
        raise TrainingError(
            f"{path} is not a tile set, or is damaged or cut short; make it again with 'python -m trainer prepare'."
        ) from error


def _read(path: Path, stored: ArrayFile) -> TileSet:
    header = parse_object(stored.read("header", np.uint8, (None,)).tobytes())
    if header["format"] != _FORMAT:
        raise ValueError("of another format")
    if header.whole("version", 1, _NEWEST) > FORMAT_VERSION:
        raise TrainingError(f"{path} was made by a newer version; update TerrainPaint or prepare the set again.")
    side, variants = header.whole("tile_px", 1, _MOST_TILE_PX), header.whole("label_variants", 0, _MOST_VARIANTS)
    runs = {name: _Run.of(stored, name) for name in ("texture", "height", "masks", "labels")}
    count = len(runs["masks"])
    if any(len(runs[name]) != count for name in ("texture", "height")) or len(runs["labels"]) != count * variants:
        raise ValueError("layers of different lengths")
    # Texture, heights, masks before and after they are unpacked, labels.
    require_room(path, count * side * side * (3 + 2 + 3 + variants), TrainingError)
    masks = runs["masks"].pictures(cv2.IMREAD_UNCHANGED, (side, side), np.uint8)
    labels = runs["labels"].pictures(cv2.IMREAD_UNCHANGED, (side, side), np.uint8)
    if labels.size and labels.max() >= CLASS_COUNT:
        raise ValueError("labels that are no classes")
    split = stored.read("split", np.uint8, (count,))
    if count and split.max() > VALIDATION:
        raise ValueError("a split that does not exist")
    names = _texts(header, "names")
    if len(names) not in (0, count):
        raise ValueError("names of another number of tiles")
    return TileSet(
        texture=runs["texture"].pictures(cv2.IMREAD_COLOR_RGB, (side, side, 3), np.uint8),
        height=runs["height"].pictures(cv2.IMREAD_UNCHANGED, (side, side), np.uint16).view(np.int16),
        sea=(masks & 1).astype(bool),
        valid=(masks & 2).astype(bool),
        labels=labels.reshape(count, variants, side, side),
        split=split,
        centre_deg=stored.read("centre_deg", np.float32, (count, 2)),
        pixel_size_m=header.number("pixel_size_m", *_PIXEL_SIZE_M),
        style=header.text("style"),
        credits=header.text("credits"),
        has_height=header.flag("has_height") if "has_height" in header else True,
        names=names,
        left_out=_pairs(header, "left_out"),
        notes=_pairs(header, "notes"),
    )


def _texts(header: JsonObject, key: str) -> tuple[str, ...]:
    values = header.values.get(key, [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        header.refuse(key, "a list of names")
    return tuple(values)


def _pairs(header: JsonObject, key: str) -> tuple[tuple[str, str], ...]:
    values = header.values.get(key, [])
    if not isinstance(values, list) or not all(
        isinstance(pair, list) and len(pair) == 2 and all(isinstance(text, str) for text in pair) for pair in values
    ):
        header.refuse(key, "a list of pairs of texts")
    return tuple((name, reason) for name, reason in values)


@dataclass(frozen=True, eq=False)
class _Run:
    """Encoded pictures of one layer, one after the other in `data` (B,) uint8; `ends` (M,) int64 is where each ends."""

    name: str
    data: NDArray[np.uint8]
    ends: NDArray[np.int64]

    @classmethod
    def of(cls, stored: ArrayFile, name: str) -> _Run:
        """Read a layer. Raises ValueError when it is missing or its ends are not in order."""
        run = cls(name, stored.read(name, np.uint8, (None,)), stored.read(f"{name}_end", np.int64, (None,)))
        borders = np.concatenate([[0], run.ends])
        if (np.diff(borders) <= 0).any() or borders[-1] != len(run.data):
            raise ValueError(f"{name} has pictures of no length")
        return run

    def __len__(self) -> int:
        return len(self.ends)

    def pictures(self, flags: int, shape: tuple[int, ...], dtype: type[np.generic]) -> NDArray[Any]:
        """(M, *shape) decoded by OpenCV with its `flags`. Raises ValueError for a picture of another kind."""
        pictures = np.empty((len(self), *shape), dtype=dtype)
        for index, data in enumerate(np.split(self.data, self.ends[:-1]) if len(self) else []):
            # Pictures that declare another size are refused before they are decoded.
            if _declared_size(data) != shape[:2]:
                raise ValueError(f"{self.name} {index} has another size")
            pixels = decoded(data, flags)
            if pixels.shape != shape or pixels.dtype != dtype:
                raise ValueError(f"{self.name} {index} is no picture of {shape} {np.dtype(dtype)}")
            pictures[index] = pixels
        return pictures


def _pack(arrays: dict[str, NDArray[Any]], name: str, pictures: Iterable[NDArray[Any]], suffix: str) -> None:
    options = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY] if suffix == ".jpg" else [cv2.IMWRITE_PNG_COMPRESSION, 9]
    runs = [cv2.imencode(suffix, np.ascontiguousarray(picture), options)[1].ravel() for picture in pictures]
    arrays[name] = np.concatenate(runs) if runs else np.zeros(0, np.uint8)
    arrays[name + "_end"] = np.cumsum([len(run) for run in runs], dtype=np.int64)


def _declared_size(data: NDArray[np.uint8]) -> tuple[int, int]:
    start = data[:HEADER_BYTES].tobytes()
    if start.startswith(b"\x89PNG"):
        return png_header(start).shape
    with open_picture(io.BytesIO(data.tobytes()), ("JPEG",)) as picture:
        return picture.size[1], picture.size[0]
