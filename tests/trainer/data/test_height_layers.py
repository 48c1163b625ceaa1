"""Heights of one file in metres, with its gaps."""

from pathlib import Path

import numpy as np
from PIL import Image

from tests.trainer.earths import write_raster
from trainer.data.height_layers import read_height_layer


def test_heights_larger_than_a_document_are_read_whole(tmp_path: Path) -> None:
    metres = np.tile(np.linspace(-50, 800, 17_000, dtype=np.float32), (32, 1))
    write_raster(tmp_path / "h.tif", metres[None])
    layer = read_height_layer(tmp_path / "h.tif", None)
    np.testing.assert_array_equal(layer.metres, metres)
    assert layer.gaps is None and layer.pixel_size_m is None and layer.notes == ()


def test_encoded_colours_are_heights(tmp_path: Path) -> None:
    rows, cols = np.mgrid[:64, :64]
    metres = 900 + 300 * np.sin(rows / 9) * np.cos(cols / 8)
    steps = np.rint((metres + 10_000) * 10).astype(np.uint32)
    picture = np.dstack([steps >> 16, steps >> 8 & 255, steps & 255]).astype(np.uint8)
    Image.fromarray(picture).save(tmp_path / "h.png")
    layer = read_height_layer(tmp_path / "h.png", None)
    np.testing.assert_allclose(layer.metres, metres, atol=0.1)
    assert any("Mapbox" in note for note in layer.notes)
