"""How much of generated detail repeats from cell to cell."""

from __future__ import annotations

import pytest
import torch

from trainer.systems.super_resolution.repetition import USUAL_REPETITION, repetition


def test_a_weave_repeats_and_noise_does_not() -> None:
    torch.manual_seed(0)
    noise = 0.1 * torch.randn((1, 1, 128, 128))
    weave = 0.1 * (1 - 2 * (torch.arange(128) % 2))[:, None].expand(1, 1, 128, 128)
    assert repetition(weave) == pytest.approx(1, abs=0.01)
    assert repetition(noise) == pytest.approx(1 / 16, abs=0.01)
    assert repetition(weave + noise) == pytest.approx(0.57, abs=0.05)


def test_slopes_and_very_weak_detail_do_not_count() -> None:
    slope = (torch.arange(64.0) % 4 - 1.5)[:, None].expand(1, 1, 64, 64)
    assert repetition(slope) < 1e-3
    weave = 0.0001 * (1 - 2 * (torch.arange(64) % 2))[:, None].expand(1, 1, 64, 64)
    assert repetition(weave) < USUAL_REPETITION
