from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from terrainpaint.export.png import PngWriter


@settings(max_examples=40, deadline=None)
@given(data=st.data(), channels=st.sampled_from([1, 3, 4]), step=st.integers(1, 9))
def test_pillow_reads_the_same_pixels(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, channels: int, step: int
) -> None:
    shape = (data.draw(st.integers(1, 20)), data.draw(st.integers(1, 20)), channels)
    picture = data.draw(arrays(np.uint8, shape))
    path = tmp_path_factory.mktemp("png") / "a.png"
    with PngWriter(path, shape) as png:
        for start in range(0, shape[0], step):
            png.write(picture[start : start + step])
    with Image.open(path) as read:
        assert read.mode == {1: "L", 3: "RGB", 4: "RGBA"}[channels]
        np.testing.assert_array_equal(np.asarray(read).reshape(shape), picture)


def test_smooth_pictures_are_compressed(tmp_path: Path) -> None:
    slope = np.add.outer(np.arange(256), np.arange(256)).astype(np.uint8)
    with PngWriter(tmp_path / "a.png", (256, 256, 1)) as png:
        png.write(slope)
    assert (tmp_path / "a.png").stat().st_size < slope.size / 50
