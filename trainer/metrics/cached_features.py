"""Features of real pictures, kept in a file: they are the same in every measurement, and slow to compute."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.array_file import open_arrays
from terrainpaint.core.files import atomic_path
from terrainpaint.errors import OutputError
from trainer.metrics.features import Features

_MOST_BYTES = 1 << 33


def pictures_sha256(pictures: NDArray[np.uint8]) -> str:
    """SHA-256 of pictures (N, H, W, 3): of their number, size and pixels."""
    digest = hashlib.sha256(str(pictures.shape).encode())
    digest.update(np.ascontiguousarray(pictures).data)
    return digest.hexdigest()


def cached_features(
    pictures: NDArray[np.uint8], features: Features, folder: Path, warn: Callable[[str], object]
) -> NDArray[np.float32]:
    """(N, F) features of pictures (N, H, W, 3), from the file in `folder` of an earlier call where there is one.

    The name of the file is a hash of the pictures, their number and the network, so what it holds cannot be out of
    date. A damaged file is computed again; one that cannot be written is reported to `warn`.
    """
    key = hashlib.sha256(f"{pictures_sha256(pictures)} {features.sha256}".encode()).hexdigest()
    path = folder / f"features-{key[:16]}.npz"
    with suppress(OSError, ValueError, MemoryError), open_arrays(path, _MOST_BYTES) as stored:
        values = stored.read("features", np.float32, (len(pictures), None))
        if stored.read("sha256", np.uint8, (32,)).tobytes() == hashlib.sha256(values.tobytes()).digest():
            return values
    values = features.of(pictures)
    try:
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            checksum = np.frombuffer(hashlib.sha256(values.tobytes()).digest(), np.uint8)
            np.savez(file, allow_pickle=False, features=values, sha256=checksum)
    except OutputError as error:
        warn(str(error))
    return values
