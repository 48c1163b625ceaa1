"""The default network learns today what it learned when these numbers were written down."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.trainer.runs import changed, train_terrain
from trainer.data.tile_set import TileSet

RECORDED = {
    "discriminator": (2.0186, 2.0261, 2.0075, 1.9955),
    "adversarial": (-0.079309, -0.091053, -0.082848, -0.085797),
    "features": (0.063501, 0.059598, 0.058299, 0.054654),
    "colour": (0.18103, 0.14267, 0.27104, 0.1925),
    "elevation": (0.40277, 0.69055, 0.35184, 0.18213),
}


@pytest.fixture(autouse=True)
def _two_threads() -> Iterator[None]:
    """As when the numbers were written down: one thread adds up in another order, and differs by 0.0012."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(("precision", "tolerance"), [("fp32", 1e-3), ("bf16", 1e-2)])
def test_the_first_steps_have_the_recorded_losses(
    labelled: TileSet, tmp_path: Path, precision: str, tolerance: float
) -> None:
    found: dict[str, list[float]] = {name: [] for name in RECORDED}

    def note(images: int, losses: dict[str, float]) -> None:
        for name, values in found.items():
            values.append(losses[name])

    train_terrain(labelled, changed(precision=precision), tmp_path, note)
    for name, expected in RECORDED.items():
        assert found[name] == pytest.approx(expected, rel=tolerance), name
