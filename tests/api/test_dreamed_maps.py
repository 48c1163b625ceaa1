"""Dreamed maps in Python."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import terrainpaint as tp
from terrainpaint.api import dreamed_maps
from terrainpaint.api.dreamed_maps import Dreamers, DreamOptions
from terrainpaint.cli import main
from terrainpaint.core.progress import no_progress
from terrainpaint.errors import Cancelled, WeightsError
from tests.generation.dream_networks import write_dream_weights


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dream_weights(tmp_path_factory.mktemp("weights") / "dream.safetensors")


def test_a_map_is_that_of_the_command_line(weights: Path, tmp_path: Path) -> None:
    dreamed = tp.dream(seed=7, size=(64, 96), sea=0.6, mountains=0.3, dryness=0.5, weights=weights)
    assert dreamed.classes.shape == (64, 96) and dreamed.classes.dtype == np.uint8
    path = tmp_path / "map.png"
    command = ["dream", "-o", str(path), "--seed", "7", "--size", "64x96", "--weights", str(weights)]
    assert main([*command, "--sea", "0.6", "--mountains", "0.3", "--dryness", "0.5"]) == 0
    np.testing.assert_array_equal(tp.read_map(path).classes, dreamed.classes)
    other = tp.dream(seed=8, size=(64, 96), weights=weights)
    assert other.name == "dream-8" and not np.array_equal(other.classes, dreamed.classes)


def test_the_installed_network_gives_the_sea_that_is_asked_for() -> None:
    for sea in (0.2, 0.8):
        assert (tp.dream(seed=3, size=(128, 128), sea=sea).classes == 0).mean() == pytest.approx(sea, abs=0.06)


@pytest.mark.parametrize(
    ("ask", "sentence"),
    [
        (lambda: tp.dream(seed=-1), "seed of -1"),
        (lambda: tp.dream(size=(16, 64)), "size of 16x64"),
        (lambda: tp.dream(dryness=2.0), "dryness must be from 0 to 1, not 2"),
    ],
)
def test_impossible_values_are_refused(ask: Callable[[], object], sentence: str) -> None:
    with pytest.raises(tp.OptionError, match=sentence):
        ask()


def test_files_that_dream_no_maps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = tmp_path / "wrong.safetensors"
    wrong.write_bytes(b"nothing")
    with pytest.raises(WeightsError, match="is not a weights file"):
        tp.dream(weights=wrong)
    monkeypatch.setattr(dreamed_maps, "shipped_dreams", dict)
    with pytest.raises(tp.OptionError, match="No network for dreamed maps is installed"):
        tp.dream()


def test_progress_rises_and_cancel_stops(weights: Path) -> None:
    seen: list[float] = []
    tp.dream(size=(600, 600), weights=weights, progress=seen.append)
    assert seen == sorted(seen) and len(seen) > 2
    with pytest.raises(Cancelled):
        tp.dream(size=(600, 600), weights=weights, cancel=lambda: True)


def test_a_changed_file_is_loaded_again(tmp_path: Path) -> None:
    dreamers, path = Dreamers(), write_dream_weights(tmp_path / "dream.safetensors")
    options = DreamOptions(1, (64, 64), weights=path)
    first = dreamers.dream(options, lambda name: no_progress)
    assert np.array_equal(dreamers.dream(options, lambda name: no_progress).classes, first.classes)
    path.write_bytes(b"nothing")
    with pytest.raises(WeightsError):
        dreamers.dream(options, lambda name: no_progress)
