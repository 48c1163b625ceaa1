"""Pictures in the formats of other programs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from terrainpaint.core.picture_files import write_picture
from terrainpaint.errors import OutputError


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".JPEG"])
def test_a_picture_is_written_in_the_format_of_its_name(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"view{suffix}"
    write_picture(path, np.full((20, 30, 3), (200, 100, 50), np.uint8))
    with Image.open(path) as read:
        assert read.size == (30, 20)
        assert np.abs(np.asarray(read.convert("RGB"), np.int16)[10, 15] - (200, 100, 50)).max() <= 6


def test_a_transparent_picture_is_never_written_without_its_transparency(tmp_path: Path) -> None:
    picture = np.full((20, 30, 4), (200, 100, 50, 0), np.uint8)
    write_picture(tmp_path / "view.png", picture)
    assert np.asarray(Image.open(tmp_path / "view.png"))[3, 3].tolist() == [200, 100, 50, 0]
    with pytest.raises(OutputError, match="PNG"):
        write_picture(tmp_path / "view.jpg", picture)
    with pytest.raises(OutputError, match="does not end in"):
        write_picture(tmp_path / "view.xyz", picture)
    assert [path.name for path in tmp_path.iterdir()] == ["view.png"]
