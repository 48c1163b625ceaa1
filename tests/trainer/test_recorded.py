"""The default network learns today what it learned when these numbers were written down."""

from pathlib import Path

import pytest

from tests.trainer.runs import NETWORK, changed
from trainer.prepared import PreparedSet
from trainer.train import train

RECORDED = {
    "discriminator": (2.01857, 2.02616, 2.00805, 1.99518),
    "adversarial": (-0.079324, -0.091136, -0.083259, -0.085253),
    "features": (0.063516, 0.059567, 0.058420, 0.055226),
    "colour": (0.180959, 0.142932, 0.271861, 0.192501),
    "elevation": (0.402761, 0.690362, 0.350995, 0.182245),
}


@pytest.mark.parametrize(("precision", "tolerance"), [("fp32", 1e-3), ("bf16", 1e-2)])
def test_the_first_steps_have_the_recorded_losses(
    labelled: PreparedSet, tmp_path: Path, precision: str, tolerance: float
) -> None:
    found: dict[str, list[float]] = {name: [] for name in RECORDED}

    def note(images: int, losses: dict[str, float]) -> None:
        for name, values in found.items():
            values.append(losses[name])

    train(labelled, changed(precision=precision), tmp_path, note, network=NETWORK)
    for name, expected in RECORDED.items():
        assert found[name] == pytest.approx(expected, rel=tolerance), name
