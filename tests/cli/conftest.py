"""What the tests of the command line run, and what they run it on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from terrainpaint.core.map_files import write_map
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.models.shadow import ShadowConfig, ShadowGenerator
from terrainpaint.models.spade_local import SpadeLocal, SpadeLocalConfig
from terrainpaint.models.weights import WeightsHeader, save_weights
from tests.cli.files import STYLE_PIXEL_M, Run, run_here


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    return run_here(capfd)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A valid weights file of a small untrained network."""
    torch.manual_seed(3)
    config = SpadeLocalConfig(widths=(8, 8, 8, 8), blocks=(1, 1, 1, 1), hidden=8)
    shadow_config = ShadowConfig(hidden=4)
    header = WeightsHeader(
        network="spade-local",
        config=config,
        shadow_config=shadow_config,
        pixel_size_m=STYLE_PIXEL_M,
        style="untrained",
        credits="Made by a test.\nOf nothing.",
        licence="CC0-1.0",
        training={"images": 12, "data": "none", "colour": "\x1b[31mred"},
    )
    path = tmp_path_factory.mktemp("weights") / "untrained.safetensors"
    save_weights(path, header, SpadeLocal(config), ShadowGenerator(shadow_config))
    return path


@pytest.fixture
def map_png(tmp_path: Path) -> Path:
    """A map of 48 x 64 px with every class, in blocks."""
    path = tmp_path / "in" / "land.png"
    ids = np.random.default_rng(5).integers(0, 7, (6, 8), dtype=np.uint8)
    ids.flat[:7] = range(7)
    write_map(path, SegmentationMap(ids.repeat(8, axis=0).repeat(8, axis=1)))
    return path
