from __future__ import annotations

import numpy as np
import pytest

from tests.trainer.earths import make_earth
from trainer.data.raster_tiles import Sources, tiles_from_rasters
from trainer.data.tile_cutting import PrepareOptions
from trainer.data.tile_set import TileSet


@pytest.fixture(scope="session")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> TileSet:
    """A made-up land whose classes go by its heights, with tiles held out."""
    earth = make_earth(tmp_path_factory.mktemp("earth"), side=384)
    options = PrepareOptions("made-up", "nobody", tile_px=128, validation_fraction=0.25)
    found = tiles_from_rasters(Sources(earth.texture, earth.height, earth.sea, earth.valid), options)
    classes = np.where(found.sea, 0, np.where(found.height > 400, 5, 1)).astype(np.uint8)
    return found.with_labels(classes[:, None])


@pytest.fixture
def few_samples_of_style(monkeypatch: pytest.MonkeyPatch) -> None:
    """What styles are measured on takes longer than the runs of these tests."""
    monkeypatch.setattr("trainer.systems.terrain.styles.STYLE_SAMPLES", 64)
