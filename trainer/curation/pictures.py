"""What curation knows about each picture of a folder, kept in a cache by the hash of its file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.array_file import ArrayFile, open_arrays
from terrainpaint.core.checked_json import parse_object
from terrainpaint.core.files import atomic_path, open_regular, why_unreadable
from terrainpaint.core.main_memory import free_memory
from terrainpaint.core.progress import Progress, no_progress
from terrainpaint.errors import TrainingError
from trainer.data.folder_files import FolderFiles
from trainer.data.image_folder import UnusableFile, read_rgb
from trainer.data.tile_set import TileSet

SMALL_PX, FEATURES_PX, THUMBNAIL_PX = 32, 224, 96
THUMBNAIL_QUALITY = 78
_BATCH = 32
_PICTURES_BETWEEN_SAVES = 2048
_FORMAT, _VERSION = "terrainpaint-curation", 1


class PictureFeatures(Protocol):
    """A network that turns pictures into features; `label` names it and its weights."""

    label: str

    def of(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(N, H, W, 3) uint8 sRGB → (N, F) float32."""


@dataclass(frozen=True, eq=False)
class Look:
    """What is remembered of one file.

    `file_hash` and `pixel_hash` SHA-256 of its bytes and of its decoded pixels; `shape` rows and columns; `small` (32,
    32, 3) uint8, the whole picture; `thumbnail` a JPEG with its proportions; `features` (F,) float16.
    """

    file_hash: bytes
    pixel_hash: bytes
    shape: tuple[int, int]
    small: NDArray[np.uint8]
    thumbnail: bytes
    features: NDArray[np.float16]


@dataclass(frozen=True, eq=False)
class Pictures:
    """N pictures: `names` within their folder, what is known of each, and the files that cannot be used."""

    names: tuple[str, ...]
    looks: tuple[Look, ...]
    left_out: tuple[tuple[str, str], ...] = ()

    def __len__(self) -> int:
        return len(self.names)

    def features(self) -> NDArray[np.float32]:
        """(N, F) float32, rows of unit length."""
        rows = np.stack([look.features for look in self.looks]).astype(np.float32)
        return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12), np.float32)

    def small(self) -> NDArray[np.uint8]:
        """(N, 32, 32, 3) uint8 sRGB."""
        return np.stack([look.small for look in self.looks])

    def subset(self, indices: Sequence[int]) -> Pictures:
        """Some of the pictures, in this order."""
        return Pictures(tuple(self.names[index] for index in indices), tuple(self.looks[index] for index in indices))


class Cache:
    """The looks of files that were read before, by the hash of the file, for one network."""

    def __init__(self, path: Path, label: str) -> None:
        self._path, self._label = path, label
        self._looks: dict[bytes, Look] = {}
        self._unsaved = 0
        try:
            with open_arrays(path, free_memory()) as stored:
                self._looks = {look.file_hash: look for look in _stored_looks(stored, label)}
        except (OSError, ValueError, MemoryError):  # none yet, another network, or damaged: it is made again
            pass

    def get(self, file_hash: bytes) -> Look | None:
        """What is known of a file; None when it is new."""
        return self._looks.get(file_hash)

    def add(self, looks: Sequence[Look]) -> None:
        """Remember looks; they are written from time to time."""
        self._looks |= {look.file_hash: look for look in looks}
        self._unsaved += len(looks)
        if self._unsaved >= _PICTURES_BETWEEN_SAVES:
            self.save()

    def save(self) -> None:
        """Write what is new. Raises OutputError."""
        if not self._unsaved:
            return
        looks = list(self._looks.values())
        header = {"format": _FORMAT, "version": _VERSION, "features": self._label}
        with atomic_path(self._path) as temporary, temporary.open("wb") as stream:
            np.savez(
                stream,
                allow_pickle=False,
                header=np.frombuffer(json.dumps(header).encode(), np.uint8),
                hashes=np.frombuffer(b"".join(look.file_hash + look.pixel_hash for look in looks), np.uint8),
                shapes=np.array([look.shape for look in looks], np.int32),
                small=np.stack([look.small for look in looks]),
                thumbnails=np.frombuffer(b"".join(look.thumbnail for look in looks), np.uint8),
                thumbnail_bytes=np.array([len(look.thumbnail) for look in looks], np.int64),
                features=np.stack([look.features for look in looks]),
            )
        self._unsaved = 0


def _stored_looks(stored: ArrayFile, label: str) -> Iterator[Look]:
    """The looks of a cache. Raises ValueError when it is damaged or of another network."""
    header = parse_object(stored.read("header", np.uint8, (None,)).tobytes())
    if (header["format"], header["version"], header["features"]) != (_FORMAT, _VERSION, label):
        raise ValueError("of another network")
    shapes = stored.read("shapes", np.int32, (None, 2))
    count = len(shapes)
    hashes = stored.read("hashes", np.uint8, (64 * count,)).reshape(count, 64)
    small = stored.read("small", np.uint8, (count, SMALL_PX, SMALL_PX, 3))
    features = stored.read("features", np.float16, (count, None))
    ends = np.cumsum(stored.read("thumbnail_bytes", np.int64, (count,)))
    thumbnails = stored.read("thumbnails", np.uint8, (int(ends[-1]) if count else 0,)).tobytes()
    for index in range(count):
        both = hashes[index].tobytes()
        yield Look(
            file_hash=both[:32],
            pixel_hash=both[32:],
            shape=(int(shapes[index, 0]), int(shapes[index, 1])),
            small=small[index],
            thumbnail=thumbnails[ends[index - 1] if index else 0 : ends[index]],
            features=features[index],
        )


def look_at_files(
    files: FolderFiles, network: PictureFeatures, cache: Cache, progress: Progress = no_progress
) -> Pictures:
    """Read all pictures of a folder; files that cannot be used are listed. Raises TrainingError when none is left."""

    def read(name: str) -> tuple[bytes, Callable[[], NDArray[np.uint8]]]:
        path = files.path(name)
        try:
            with open_regular(path) as file:
                return hashlib.file_digest(file, "sha256").digest(), lambda: read_rgb(path)
        except OSError as error:
            raise UnusableFile(f"cannot be read: {why_unreadable(error)}") from error

    pictures = _look_at(files.names, read, network, cache, progress)
    left_out = (*files.left_out, *pictures.left_out)
    if not pictures.names:
        raise TrainingError(f"None of the {len(files)} files in {files.folder} is a picture that can be read: "
                            f"{left_out[0][0]} {left_out[0][1]}.")  # fmt: skip
    return Pictures(pictures.names, pictures.looks, left_out)


def look_at_tiles(tiles: TileSet, network: PictureFeatures, cache: Cache, progress: Progress = no_progress) -> Pictures:
    """The tiles of a prepared set, each under the name of its file and its number in the set."""

    def read(name: str) -> tuple[bytes, Callable[[], NDArray[np.uint8]]]:
        texture = tiles.texture[int(name)]
        return hashlib.sha256(texture.tobytes()).digest(), lambda: texture

    return _look_at([str(index) for index in range(len(tiles))], read, network, cache, progress)


def _look_at(
    names: Sequence[str],
    read: Callable[[str], tuple[bytes, Callable[[], NDArray[np.uint8]]]],
    network: PictureFeatures,
    cache: Cache,
    progress: Progress,
) -> Pictures:
    """`read(name)` gives the hash of a file and what decodes it; both raise UnusableFile."""
    looks: dict[str, Look] = {}
    left_out: list[tuple[str, str]] = []
    waiting: list[_Unfinished] = []

    def finish() -> None:
        if waiting:
            features = network.of(np.stack([each.picture for each in waiting])).astype(np.float16)
            done = [each.look(row) for each, row in zip(waiting, features, strict=True)]
            cache.add(done)
            looks.update(zip((each.name for each in waiting), done, strict=True))
            waiting.clear()

    try:
        for index, name in enumerate(names):
            progress(index / len(names))
            try:
                file_hash, decode = read(name)
                known = cache.get(file_hash)
                if known is not None:
                    looks[name] = known
                    continue
                waiting.append(_Unfinished.of(name, file_hash, decode()))
            except UnusableFile as error:
                left_out.append((name, str(error)))
                continue
            if len(waiting) == _BATCH:
                finish()
        finish()
    finally:
        # Also when the work is stopped: the next run goes on from here.
        cache.save()
    progress(1.0)
    chosen = tuple(name for name in names if name in looks)
    return Pictures(chosen, tuple(looks[name] for name in chosen), tuple(left_out))


def look_of(data: bytes, rgb: NDArray[np.uint8], features: NDArray[np.float16]) -> Look:
    """The look of a file with these bytes and decoded pixels (H, W, 3) uint8, whose features are known."""
    return _Unfinished.of("", hashlib.sha256(data).digest(), rgb).look(features)


@dataclass(frozen=True, eq=False)
class _Unfinished:
    """A picture that waits for its features: `picture` (224, 224, 3) uint8, the rest as in `Look`."""

    name: str
    file_hash: bytes
    pixel_hash: bytes
    shape: tuple[int, int]
    small: NDArray[np.uint8]
    thumbnail: bytes
    picture: NDArray[np.uint8]

    @classmethod
    def of(cls, name: str, file_hash: bytes, rgb: NDArray[np.uint8]) -> _Unfinished:
        rows, cols = rgb.shape[:2]
        pixels = hashlib.sha256(f"{rows} {cols} ".encode())
        pixels.update(np.ascontiguousarray(rgb).data)
        scale = min(1.0, THUMBNAIL_PX / max(rows, cols))
        thumbnail = _resized(rgb, max(1, round(cols * scale)), max(1, round(rows * scale)))
        encoded = cv2.imencode(".jpg", thumbnail[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, THUMBNAIL_QUALITY])[1]
        return cls(
            name, file_hash, pixels.digest(), (rows, cols), _resized(rgb, SMALL_PX, SMALL_PX), encoded.tobytes(),
            _resized(rgb, FEATURES_PX, FEATURES_PX),
        )  # fmt: skip

    def look(self, features: NDArray[np.float16]) -> Look:
        return Look(self.file_hash, self.pixel_hash, self.shape, self.small, self.thumbnail, features)


def _resized(rgb: NDArray[np.uint8], cols: int, rows: int) -> NDArray[np.uint8]:
    # Averaging is right for smaller pictures only.
    way = cv2.INTER_AREA if rgb.shape[0] >= rows and rgb.shape[1] >= cols else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(rgb, (cols, rows), interpolation=way), np.uint8)
