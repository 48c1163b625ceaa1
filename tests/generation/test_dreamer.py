from pathlib import Path

import numpy as np
import pytest

from terrainpaint.core.dream_controls import DreamControls, measures
from terrainpaint.errors import OptionError
from terrainpaint.generation.dreamer import Dreamer
from terrainpaint.generation.dreams import FIT_STEPS, DreamRequest, FitRequest
from terrainpaint.generation.process import TerrainProcess
from tests.generation.dream_networks import write_dream_weights


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dream_weights(tmp_path_factory.mktemp("weights") / "dream.safetensors")


@pytest.fixture(scope="module")
def dreamer(weights: Path) -> Dreamer:
    return Dreamer.load(weights)


def _shares(logits: np.ndarray) -> np.ndarray:
    return np.bincount(logits.argmax(axis=0).ravel(), minlength=7) / logits[0].size


def test_a_seed_gives_the_same_layout_wherever_it_is_drawn(dreamer: Dreamer) -> None:
    sheet, alone = dreamer.draw((3, 4, 5)), dreamer.draw((4,))
    assert np.allclose(sheet.logits[1], alone.logits[0], atol=1e-5)
    assert not np.allclose(sheet.logits[0], sheet.logits[1], atol=1e-2)


def test_layouts_have_the_shares_that_are_asked_for(dreamer: Dreamer) -> None:
    for logits in dreamer.draw((1, 2, 3), controls=DreamControls(sea=0.6, mountains=0.3)).logits:
        assert measures(_shares(logits))[:2] == pytest.approx([0.6, 0.3], abs=0.03)


def test_variants_go_towards_the_layouts_of_their_seeds(dreamer: Dreamer) -> None:
    start = dreamer.latents((9,))
    found = dreamer.draw((1, 2), np.repeat(start, 2, axis=0), (0.0, 1.0))
    assert np.allclose(found.latents[0], start[0])
    assert np.allclose(found.latents[1], dreamer.latents((2,))[0], atol=1e-6)


def test_latent_vectors_of_another_network_are_refused(dreamer: Dreamer) -> None:
    with pytest.raises(OptionError, match="another network"):
        dreamer.draw((1,), np.zeros((1, 5), np.float32))


def test_a_fit_finds_the_layout_that_is_painted(dreamer: Dreamer) -> None:
    goal = dreamer.draw((77,)).logits[0].argmax(axis=0)
    shares = np.eye(7, dtype=np.float32)[goal].transpose(2, 0, 1).copy()
    weights = np.ones((16, 16), np.float32)
    weights[:, 8:] = 0  # half of it is painted
    first = state = dreamer.fit((5, 6), shares, weights, None)
    while state.steps < FIT_STEPS:
        state = dreamer.fit((5, 6), shares, weights, state)
    assert (state.misfit < 0.8 * first.misfit).all()
    before = dreamer.draw((5, 6), dreamer.latents((5, 6)) * 0.7 + 0.3 * dreamer.latents((5, 6)).mean()).logits
    after = dreamer.draw((5, 6), state.latents).logits
    agreement = [(logits.argmax(axis=1)[:, :, :8] == goal[:, :8]).mean(axis=(1, 2)) for logits in (before, after)]
    assert agreement[1].mean() > agreement[0].mean() + 0.05


def test_the_worker_process_draws_and_fits(weights: Path, dreamer: Dreamer) -> None:
    process = TerrainProcess()
    try:
        process.start()
        drawn = process.dream(DreamRequest(weights, (3, 4), controls=DreamControls(sea=0.4)))
        assert np.allclose(drawn.logits, dreamer.draw((3, 4), controls=DreamControls(sea=0.4)).logits, atol=1e-4)
        shares = np.full((7, 16, 16), 1 / 7, np.float32)
        state = process.fit(FitRequest(weights, (1,), shares, np.ones((16, 16), np.float32)))
        assert 0 < state.steps < FIT_STEPS and state.latents.shape == (1, 8)
    finally:
        process.close()
