"""Pictures that are saved for people to look at, in the formats of other programs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from terrainpaint.core.files import atomic_path
from terrainpaint.errors import OutputError

PICTURE_KINDS: Mapping[str, tuple[str, bool, Mapping[str, object]]] = {
    ".png": ("PNG", True, {"compress_level": 4}),
    ".jpg": ("JPEG", False, {"quality": 93, "subsampling": 0}),
    ".webp": ("WebP", True, {"quality": 93, "method": 4}),
}
"""Suffix → (format of Pillow, whether it can be transparent, options of Pillow)."""


def write_picture(path: Path, picture: NDArray[np.uint8]) -> None:
    """Write (h, w, 3) uint8 sRGB, or (h, w, 4) with straight alpha, in the format of the suffix.

    Raises OutputError when the file cannot be written or its format cannot show the picture.
    """
    suffix = {".jpeg": ".jpg"}.get(path.suffix.lower(), path.suffix.lower())
    if suffix not in PICTURE_KINDS:
        raise OutputError(f"{path} does not end in {', '.join(PICTURE_KINDS)}; choose another name.")
    kind, has_alpha, options = PICTURE_KINDS[suffix]
    if picture.shape[2] == 4 and not has_alpha:
        raise OutputError(f"{path} cannot have a transparent background, because {kind} has no transparency; use PNG.")
    with atomic_path(path) as temporary:
        Image.fromarray(picture).save(temporary, kind, **options)
