"""FID, KID, precision and recall of any system while it is trained.

The features that measure must be unknown to the training: those that a loss compares would flatter it.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from terrainpaint.errors import TrainingError
from terrainpaint.models.devices import pick_device
from trainer.loop.config import Config, RunConfig
from trainer.loop.run_log import Warn
from trainer.loop.system import Measure, Measured, PictureSystem, PrepareMeasure, System
from trainer.metrics.cached_features import cached_features
from trainer.metrics.features import Features
from trainer.metrics.set_figures import FEWEST, SetFigures, figure_name


def measure_of(run: RunConfig, config: Config, folder: Path, warn: Warn) -> PrepareMeasure | None:
    """How a run measures its pictures, None where it does not; features of the real ones are kept in its folder.

    Raises TrainingError when the network that measures cannot be used, or a loss of the run compares its features.
    """
    if not run.measure_images:
        return None
    features = Features.load(Path(run.measure_features), pick_device(run.device))
    require_unseen(features, config.loss_network)

    def prepare(system: System) -> Measure:
        if not isinstance(system, PictureSystem):
            raise TrainingError(f"The system {system.name} has no pictures to measure; leave --measure-images out.")
        real = system.real_pictures(run.measure_count)
        count = len(real)
        if count < FEWEST:
            raise TrainingError(f"The set holds out {count} pictures and measuring needs at least {FEWEST}; prepare it "
                                "with a larger --validation, or leave --measure-images out.")  # fmt: skip
        real_features = cached_features(real, features, folder, warn)

        def measure(ema: nn.ModuleDict) -> Measured:
            generated = features.of(system.generated_pictures(ema, count))
            figures = SetFigures.of(real_features, generated)
            return Measured(figures.named(features.label, count), figure_name("kid", features.label, count))

        return measure

    return prepare


def require_unseen(features: Features, loss_network: Path | None) -> None:
    """Raises TrainingError when a loss compares the features of the same network, from this file or another one."""
    if loss_network is None:
        return
    if Features.load(loss_network, torch.device("cpu")).name == features.name:
        raise TrainingError(f"The training compares features of {features.name} ({loss_network}), which would flatter "
                            "figures of the same network; measure with another one.")  # fmt: skip
